/** What OpenAI refuses in the tools of Chat Completions: their names, number, schemas and the choice among them. */

import { asArray, asRecord } from '../../domain/json.ts'
import { isSet, type Placed, toolsOf, typeName, unknownField, within, word } from './chatBody.ts'
import { lookUp } from './lookUp.ts'
import { FUNCTION_FIELDS, TOOL_FIELDS } from './openaiChatFields.ts'
import { openaiModel } from './openaiModels.ts'
import { schemaComplaint } from './openaiSchema.ts'
import {
  badRequest,
  emptyArray,
  longArray,
  MEASURED,
  missingParameter,
  unknownParameter,
  withoutTools,
  wrongName,
  wrongType,
  wrongValue,
} from './openaiWords.ts'
import type { StrictRefusal } from './rule.ts'
import { first, ruleTable } from './ruleTable.ts'

const MOST_TOOLS = 128
const KINDS = ['function', 'custom']
const CHOICES = ['none', 'auto', 'required']

export const openaiToolRules = ruleTable('2026-11-29', {
  'tools-empty': {
    source: 'https://platform.openai.com/docs/api-reference/chat/create#chat-create-tools',
    refuse: ({ body }) => (asArray(body['tools'])?.length === 0 ? emptyArray('tools') : null),
  },
  'tools-too-many': {
    source: 'https://github.com/vishalmysore/Tools4AI/issues/16',
    refuse: ({ body }) => tooMany(body['tools']),
  },
  'tool-type': {
    source: 'https://platform.openai.com/docs/api-reference/chat/create#chat-create-tools',
    refuse: ({ body }) =>
      first(toolsOf(body), ({ path, value: { type } }) => {
        if (!isSet(type)) return missingParameter(`${path}.type`)
        return KINDS.includes(word(type)) ? null : wrongValue(`${path}.type`, type, KINDS)
      }),
  },
  'tool-field-unknown': {
    source: 'https://github.com/decolua/9router/issues/2497',
    refuse: ({ body }) =>
      first(
        toolsOf(body),
        (tool) => strangeField(tool, lookUp(TOOL_FIELDS, word(tool.value['type']))) ?? strangeFunctionField(tool),
      ),
  },
  'tool-function-missing': {
    source: MEASURED,
    refuse: ({ body }) =>
      first(toolsOf(body), (tool) =>
        tool.value['type'] === 'function' && within(tool, 'function') === null
          ? missingParameter(`${tool.path}.function`)
          : null,
      ),
  },
  'tool-name': {
    source: 'https://github.com/brekkylab/ailoy/pull/109',
    refuse: ({ body }) =>
      first(functionsOf(body), (definition) => wrongName(`${definition.path}.name`, definition.value['name'])),
  },
  'tool-schema': {
    source: 'https://github.com/sigoden/aichat/pull/1049',
    refuse: ({ body }) => first(functionsOf(body), wrongSchema),
  },
  'tool-choice-without-tools': {
    source: 'https://github.com/Upsonic/Upsonic/issues/323',
    refuse: ({ body }) => (isSet(body['tool_choice']) && !hasTools(body) ? withoutTools('tool_choice') : null),
  },
  'parallel-calls-without-tools': {
    source: 'https://github.com/openai/swarm/issues/30',
    refuse: ({ body }) =>
      isSet(body['parallel_tool_calls']) && !hasTools(body) ? withoutTools('parallel_tool_calls') : null,
  },
  'tool-choice-value': {
    source: MEASURED,
    refuse: ({ body: { tool_choice: choice } }) => wrongChoice(choice),
  },
  'tool-choice-unknown': {
    source: 'https://platform.openai.com/docs/api-reference/chat/create#chat-create-tool_choice',
    refuse: ({ body }) => unknownChoice(body),
  },
  // A model that reasons when nothing is said refuses tools alone as well.
  'tools-beside-effort': {
    source: 'https://github.com/BerriAI/litellm/pull/34569',
    refuse: ({ body, model }) => besideEffort(body, model),
  },
})

type Body = Readonly<Record<string, unknown>>

const hasTools = (body: Body) => toolsOf(body).length > 0 || isSet(body['functions'])

export function tooMany(tools: unknown): StrictRefusal | null {
  const count = asArray(tools)?.length ?? 0
  return count > MOST_TOOLS ? longArray('tools', MOST_TOOLS, count) : null
}

function strangeField(place: Placed, known: ReadonlySet<string> | undefined): StrictRefusal | null {
  const name = known === undefined ? null : unknownField(place.value, known)
  return name === null ? null : unknownParameter(`${place.path}.${name}`)
}

function strangeFunctionField(tool: Placed): StrictRefusal | null {
  const definition = within(tool, 'function')
  return definition === null ? null : strangeField(definition, FUNCTION_FIELDS)
}

/** The definitions of the functions, at `tools[0].function`. */
function functionsOf(body: Body): Placed[] {
  return toolsOf(body).flatMap((tool) => within(tool, 'function') ?? [])
}

function wrongSchema({ path, value }: Placed): StrictRefusal | null {
  const complaint = schemaComplaint(value['parameters'], value['strict'] === true)
  if (complaint === null) return null
  return badRequest(
    `Invalid schema for function '${word(value['name'])}': ${complaint}`,
    `${path}.parameters`,
    'invalid_function_parameters',
  )
}

function wrongChoice(choice: unknown): StrictRefusal | null {
  if (!isSet(choice)) return null
  if (typeof choice === 'string') return CHOICES.includes(choice) ? null : wrongValue('tool_choice', choice, CHOICES)
  const record = asRecord(choice)
  if (record === undefined)
    return wrongType('tool_choice', "one of one of 'none', 'auto', or 'required' or object", typeName(choice))
  if (record['type'] === 'allowed_tools' || record['type'] === 'custom') return null
  const named = asRecord(record['function'])
  if (named === undefined) return missingParameter('tool_choice.function')
  return typeof named['name'] === 'string' ? null : missingParameter('tool_choice.function.name')
}

function unknownChoice(body: Body): StrictRefusal | null {
  const name = asRecord(asRecord(body['tool_choice'])?.['function'])?.['name']
  if (name === undefined || functionsOf(body).some((definition) => definition.value['name'] === name)) return null
  return badRequest(
    `Invalid value for 'tool_choice': no function named '${word(name)}' was specified in the 'tools' parameter.`,
    'tool_choice',
    null,
  )
}

function besideEffort(body: Body, model: string): StrictRefusal | null {
  const facts = openaiModel(model)
  const effort = body['reasoning_effort'] ?? facts.usualEffort
  if (facts.toolsAdvice === null || effort === 'none' || functionsOf(body).length === 0) return null
  return badRequest(
    `Function tools with reasoning_effort are not supported for ${model} in /v1/chat/completions. ${facts.toolsAdvice}`,
    'reasoning_effort',
    null,
  )
}
