/**
 * What every imitation of Chat Completions refuses, whoever wrote it. Rules of services that nobody wrote down, and of
 * servers of the user's own: anything more would be invented.
 */

import { asArray } from '../../domain/json.ts'
import { callsOf, messagesOf, roleOf, toolsOf, within } from './chatBody.ts'
import { badRequest, emptyArray, missingParameter } from './openaiWords.ts'
import { first, onPath, ruleTable } from './ruleTable.ts'

const REFERENCE = 'https://platform.openai.com/docs/api-reference/chat/create'

export const imitationRules = onPath(
  '/chat/completions',
  ruleTable('2026-11-29', {
    'messages-missing': {
      source: REFERENCE,
      refuse: ({ body }) => (asArray(body['messages']) === undefined ? missingParameter('messages') : null),
    },
    'messages-empty': {
      source: REFERENCE,
      refuse: ({ body }) => (asArray(body['messages'])?.length === 0 ? emptyArray('messages') : null),
    },
    'role-missing': {
      source: REFERENCE,
      refuse: ({ body }) =>
        first(messagesOf(body), (message) =>
          roleOf(message) === '' ? missingParameter(`${message.path}.role`) : null,
        ),
    },
    'tool-name-missing': {
      source: REFERENCE,
      refuse: ({ body }) =>
        first(toolsOf(body), (tool) => {
          const definition = within(tool, 'function')
          if (tool.value['type'] !== 'function' || typeof definition?.value['name'] === 'string') return null
          return missingParameter(`${tool.path}.function.name`)
        }),
    },
    'call-arguments-no-text': {
      source: REFERENCE,
      refuse: ({ body }) =>
        first(messagesOf(body), (message) =>
          first(callsOf(message), (call) => {
            const args = within(call, 'function')?.value['arguments']
            if (args === undefined || typeof args === 'string') return null
            return badRequest(`${call.path}.function.arguments: expected a string`, null, null)
          }),
        ),
    },
    'output-tokens': {
      source: REFERENCE,
      refuse: ({ body }) =>
        first(['max_tokens', 'max_completion_tokens'], (name) =>
          isBelowOne(body[name]) ? badRequest(`${name} must be at least 1`, name, null) : null,
        ),
    },
  }),
)

const isBelowOne = (value: unknown) => typeof value === 'number' && value < 1
