/** What OpenAI refuses in the messages of Chat Completions: their roles, their order, their calls and results. */

import { asArray, asRecord } from '../../domain/json.ts'
import {
  callsOf,
  isSet,
  messagesOf,
  type Placed,
  partsOf,
  roleOf,
  typeName,
  unknownField,
  within,
  word,
} from './chatBody.ts'
import { lookUp } from './lookUp.ts'
import { CALL_FIELDS, MESSAGE_FIELDS, PART_FIELDS } from './openaiChatFields.ts'
import { readsTextOnly, takesEmptyContent } from './openaiModels.ts'
import { duplicateResult, orphan, unanswered } from './openaiPairing.ts'
import {
  badRequest,
  emptyArray,
  longer,
  MEASURED,
  missingParameter,
  unknownParameter,
  wrongName,
  wrongType,
  wrongValue,
} from './openaiWords.ts'
import type { StrictRefusal } from './rule.ts'
import { first, ruleTable } from './ruleTable.ts'

const ROLES = ['system', 'assistant', 'user', 'function', 'tool', 'developer']
const PARTS = ['text', 'image_url', 'input_audio', 'refusal', 'audio', 'file']

const LONGEST_CALL_ID = 40

export const openaiMessageRules = ruleTable('2026-11-29', {
  'messages-empty': {
    source: MEASURED,
    refuse: ({ body }) => (asArray(body['messages'])?.length === 0 ? emptyArray('messages') : null),
  },
  'messages-type': {
    source: MEASURED,
    refuse: ({ body: { messages } }) => {
      if (asArray(messages) === undefined) return wrongType('messages', 'an array of objects', typeName(messages))
      return first(asArray(messages) ?? [], (message, index) =>
        asRecord(message) === undefined ? wrongType(`messages[${index}]`, 'an object', typeName(message)) : null,
      )
    },
  },
  'role-unknown': {
    source: MEASURED,
    refuse: ({ body }) =>
      first(messagesOf(body), ({ path, value: { role } }) => {
        if (!isSet(role)) return missingParameter(`${path}.role`)
        return ROLES.includes(word(role)) ? null : wrongValue(`${path}.role`, role, ROLES)
      }),
  },
  'message-field-unknown': {
    source: 'https://github.com/Stack-Cairn/LiveAgent/issues/334',
    refuse: ({ body }) =>
      first(messagesOf(body), (message) => strangeField(message, lookUp(MESSAGE_FIELDS, roleOf(message)))),
  },
  // Seen with a narrower alphabet, that of function names; spaces and what delimits roles is refused in either.
  'message-name': {
    source: 'https://github.com/FlowiseAI/Flowise/issues/2948',
    refuse: ({ body }) =>
      first(messagesOf(body), ({ path, value: { name } }) =>
        typeof name !== 'string' || /^[^\s<|\\/>]+$/.test(name)
          ? null
          : badRequest(
              `Invalid '${path}.name': string does not match pattern. Expected a string that matches the pattern '^[^\\s<|\\\\/>]+$'.`,
              `${path}.name`,
              'invalid_value',
            ),
      ),
  },
  'content-type': {
    source: MEASURED,
    refuse: ({ body }) =>
      first(messagesOf(body), ({ path, value: { content } }) =>
        !isSet(content) || typeof content === 'string' || Array.isArray(content)
          ? null
          : wrongType(`${path}.content`, 'one of a string or array of objects', typeName(content)),
      ),
  },
  'content-array-empty': {
    source: 'https://platform.openai.com/docs/api-reference/chat/create#chat-create-messages',
    refuse: ({ body, model }) =>
      takesEmptyContent(model)
        ? null
        : first(messagesOf(body), ({ path, value }) =>
            asArray(value['content'])?.length === 0 ? emptyArray(`${path}.content`) : null,
          ),
  },
  'part-type-unknown': {
    source: 'https://platform.openai.com/docs/api-reference/chat/create#chat-create-messages',
    refuse: ({ body }) =>
      eachPart(body, (part) =>
        PARTS.includes(word(part.value['type'])) ? null : wrongValue(`${part.path}.type`, part.value['type'], PARTS),
      ),
  },
  'part-field-unknown': {
    source: 'https://github.com/decolua/9router/issues/2497',
    refuse: ({ body }) => eachPart(body, (part) => strangeField(part, lookUp(PART_FIELDS, word(part.value['type'])))),
  },
  'part-text-missing': {
    source: 'https://platform.openai.com/docs/api-reference/chat/create#chat-create-messages',
    refuse: ({ body }) =>
      eachPart(body, ({ path, value: { type, text } }) =>
        type === 'text' && !isSet(text) ? missingParameter(`${path}.text`) : null,
      ),
  },
  'image-outside-user': {
    source: 'https://github.com/openai/openai-node/issues/1030',
    refuse: ({ body }) =>
      eachPart(body, (part, message) =>
        part.value['type'] !== 'image_url' || roleOf(message) === 'user' ? null : misplacedImage(message),
      ),
  },
  'image-without-eyes': {
    source: 'https://github.com/browser-use/web-ui/issues/274',
    refuse: ({ body, model }) =>
      readsTextOnly(model)
        ? eachPart(body, (part, message) =>
            part.value['type'] === 'image_url'
              ? badRequest(
                  'Invalid content type. image_url is only supported by certain models.',
                  `messages.[${message.index}].content.[${part.index}].type`,
                  null,
                )
              : null,
          )
        : null,
  },
  'tool-call-id-missing': {
    source: 'https://github.com/MadcowD/ell/issues/325',
    refuse: ({ body }) =>
      eachTool(body, (message) =>
        isSet(message.value['tool_call_id'])
          ? null
          : badRequest(
              "Missing parameter 'tool_call_id': messages with role 'tool' must have a 'tool_call_id'.",
              `messages.[${message.index}].tool_call_id`,
              null,
            ),
      ),
  },
  'tool-calls-empty': {
    source: MEASURED,
    refuse: ({ body }) =>
      first(messagesOf(body), ({ path, value }) =>
        value['role'] === 'assistant' && asArray(value['tool_calls'])?.length === 0
          ? emptyArray(`${path}.tool_calls`)
          : null,
      ),
  },
  'tool-call-field-unknown': {
    source: 'https://github.com/decolua/9router/issues/2497',
    refuse: ({ body }) => eachCall(body, (call) => strangeField(call, lookUp(CALL_FIELDS, word(call.value['type'])))),
  },
  'tool-call-type': {
    source: 'https://platform.openai.com/docs/api-reference/chat/create#chat-create-messages',
    refuse: ({ body }) =>
      eachCall(body, ({ path, value }) => (isSet(value['type']) ? null : missingParameter(`${path}.type`))),
  },
  'tool-call-arguments-type': {
    source: 'https://github.com/aaif-goose/goose-mobile/pull/20',
    refuse: ({ body }) =>
      eachCall(body, (call) => {
        const args = asRecord(call.value['function'])?.['arguments']
        const path = `${call.path}.function.arguments`
        return args === undefined || typeof args === 'string' ? null : wrongType(path, 'a string', typeName(args))
      }),
  },
  // Direct calls have been seen to take longer ones since the middle of 2026; resellers of the API do not.
  'tool-call-id-length': {
    source: 'https://github.com/anomalyco/opencode/issues/12653',
    refuse: ({ body }) =>
      eachCall(body, ({ path, value }) => longer(`${path}.id`, value['id'], LONGEST_CALL_ID)) ??
      eachTool(body, ({ path, value }) => longer(`${path}.tool_call_id`, value['tool_call_id'], LONGEST_CALL_ID)),
  },
  'tool-call-name': {
    source: 'https://github.com/mcp-use/mcp-use/issues/90',
    refuse: ({ body }) =>
      eachCall(body, (call) => {
        const named = within(call, 'function')
        return named === null ? null : wrongName(`${named.path}.name`, named.value['name'])
      }),
  },
  'tool-result-duplicate': {
    source: 'https://github.com/agno-agi/agno/issues/5116',
    refuse: ({ body }) => duplicateResult(messagesOf(body)),
  },
  'tool-results-missing': {
    source: 'https://github.com/router-for-me/CLIProxyAPI/issues/2798',
    refuse: ({ body }) => unanswered(messagesOf(body)),
  },
  'tool-result-orphan': {
    source: 'https://github.com/smarter-sh/smarter/issues/264',
    refuse: ({ body }) => orphan(messagesOf(body)),
  },
  'content-missing': {
    source: 'https://github.com/langchain-ai/langchainjs/issues/4153',
    refuse: ({ body }) => first(messagesOf(body), missingContent),
  },
})

function strangeField(place: Placed, known: ReadonlySet<string> | undefined): StrictRefusal | null {
  const name = known === undefined ? null : unknownField(place.value, known)
  return name === null ? null : unknownParameter(`${place.path}.${name}`)
}

/** An assistant that calls tools, or says it in another field, needs no content. */
function missingContent({ path, index, value }: Placed): StrictRefusal | null {
  const isSaid = ['tool_calls', 'function_call', 'refusal', 'audio'].some((name) => isSet(value[name]))
  if (isSet(value['content']) || (value['role'] === 'assistant' && isSaid)) return null
  if (value['role'] === 'developer') return missingParameter(`${path}.content`)
  return badRequest("Invalid value for 'content': expected a string, got null.", `messages.[${index}].content`, null)
}

function misplacedImage({ path, value }: Placed): StrictRefusal {
  return badRequest(
    `Invalid '${path}'. Image URLs are only allowed for messages with role 'user', but this message with role '${word(value['role'])}' contains an image URL.`,
    path,
    'invalid_value',
  )
}

type Body = Readonly<Record<string, unknown>>

function eachPart(body: Body, refuse: (part: Placed, message: Placed) => StrictRefusal | null): StrictRefusal | null {
  return first(messagesOf(body), (message) => first(partsOf(message), (part) => refuse(part, message)))
}

function eachCall(body: Body, refuse: (call: Placed) => StrictRefusal | null): StrictRefusal | null {
  return first(messagesOf(body), (message) => first(callsOf(message), refuse))
}

function eachTool(body: Body, refuse: (message: Placed) => StrictRefusal | null): StrictRefusal | null {
  return first(messagesOf(body), (message) => (roleOf(message) === 'tool' ? refuse(message) : null))
}
