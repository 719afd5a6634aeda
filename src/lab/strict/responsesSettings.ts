/** What OpenAI refuses in the fields of the Responses API: names, types, numbers, tools, formats, models. */

import { asArray, asRecord, asString } from '../../domain/json.ts'
import { allWords, isSet, type Placed, placed, unknownField, word } from './chatBody.ts'
import { tooMany } from './openaiChatTools.ts'
import { IDENTIFIERS, LONGEST_IDENTIFIER, VALUES, wrongField, wrongMetadata } from './openaiFields.ts'
import { wrongFormatName } from './openaiFormats.ts'
import { wrongVerbosity } from './openaiGenerations.ts'
import { isPlain, openaiModel, reasons, takesSampling } from './openaiModels.ts'
import { schemaComplaint } from './openaiSchema.ts'
import {
  badRequest,
  listed,
  longer,
  MEASURED,
  missingParameter,
  outOfRange,
  unknownParameter,
  unknownTopParameter,
  unsupportedParameter,
  wrongName,
  wrongValue,
} from './openaiWords.ts'
import {
  MOVED_FIELDS,
  REASONING_FIELDS,
  RESPONSES_FIELDS,
  STREAM_FIELDS_OF_RESPONSES,
  TEXT_FIELDS,
  TOOL_FIELDS_OF_RESPONSES,
} from './responsesFields.ts'
import type { StrictRefusal } from './rule.ts'
import { first, ruleTable } from './ruleTable.ts'

const REFERENCE = 'https://platform.openai.com/docs/api-reference/responses/create'
const LONGEST_TOOL_NAME = 128
const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']
const CHOICES = ['none', 'auto', 'required']

const RANGES = {
  temperature: { kind: 'decimal', min: 0, max: 2 },
  top_p: { kind: 'decimal', min: 0, max: 1 },
  max_output_tokens: { kind: 'integer', min: 16 },
  max_tool_calls: { kind: 'integer', min: 1 },
  top_logprobs: { kind: 'integer', min: 0, max: 20 },
} as const

const TYPES = {
  temperature: 'a decimal',
  top_p: 'a decimal',
  max_output_tokens: 'an integer',
  max_tool_calls: 'an integer',
  parallel_tool_calls: 'a boolean',
  store: 'a boolean',
  stream: 'a boolean',
  background: 'a boolean',
  instructions: 'a string',
  user: 'a string',
  tools: 'an array of objects',
  text: 'an object',
  reasoning: 'an object',
} as const

const NESTED = {
  stream_options: STREAM_FIELDS_OF_RESPONSES,
  text: TEXT_FIELDS,
  reasoning: REASONING_FIELDS,
} as const

/** The simulated service remembers nothing, but its own answers are named like this. */
const OWN_ANSWER = /^resp_(?:fake|odd)/

export const responsesFieldRules = ruleTable('2026-11-29', {
  'model-missing': {
    source: MEASURED,
    refuse: ({ body }) => (isSet(body['model']) ? null : missingParameter('model')),
  },
  'input-missing': {
    source: MEASURED,
    refuse: ({ body }) =>
      isSet(body['input']) || ['previous_response_id', 'prompt', 'conversation'].some((name) => isSet(body[name]))
        ? null
        : missingParameter('input'),
  },
  'field-moved': {
    source: 'https://platform.openai.com/docs/guides/migrate-to-responses',
    refuse: ({ body }) => {
      const name = Object.keys(MOVED_FIELDS).find((field) => isSet(body[field]))
      return name === undefined ? null : moved(name)
    },
  },
  'field-unknown': {
    source: 'https://github.com/openJiuwen-ai/agent-core/issues/768',
    refuse: ({ body }) => {
      const name = unknownField(body, RESPONSES_FIELDS)
      return name === null ? null : unknownTopParameter(name, RESPONSES_FIELDS, body)
    },
  },
  'nested-field-unknown': {
    source: MEASURED,
    refuse: ({ body }) =>
      first(Object.entries(NESTED), ([name, known]) => {
        const strange = unknownField(asRecord(body[name]) ?? {}, known)
        return strange === null ? null : unknownParameter(`${name}.${strange}`)
      }),
  },
  'field-type': {
    source: MEASURED,
    refuse: ({ body }) => first(Object.entries(TYPES), ([name, type]) => wrongField(name, body[name], type)),
  },
  'number-out-of-range': {
    source: 'https://github.com/vectorize-io/hindsight/issues/58',
    refuse: ({ body }) => first(Object.entries(RANGES), ([name, range]) => outOfRange(name, body[name], range)),
  },
  'value-unknown': {
    source: MEASURED,
    refuse: ({ body: { service_tier: tier, truncation } }) => {
      if (isSet(tier) && !VALUES.service_tier.some((value) => value === tier))
        return wrongValue('service_tier', tier, VALUES.service_tier)
      return isSet(truncation) && truncation !== 'auto' && truncation !== 'disabled'
        ? wrongValue('truncation', truncation, ['auto', 'disabled'])
        : null
    },
  },
  'identifier-length': {
    source: 'https://github.com/maximhq/bifrost/pull/1000',
    refuse: ({ body }) => first(IDENTIFIERS, (name) => longer(name, body[name], LONGEST_IDENTIFIER)),
  },
  metadata: { source: MEASURED, refuse: ({ body }) => wrongMetadata(body['metadata']) },
})

export const responsesToolRules = ruleTable('2026-11-29', {
  'tools-too-many': {
    source: 'https://github.com/vishalmysore/Tools4AI/issues/16',
    refuse: ({ body }) => tooMany(body['tools']),
  },
  'tool-type-missing': {
    source: MEASURED,
    refuse: ({ body }) =>
      first(placed(body['tools'], 'tools'), ({ path, value }) =>
        isSet(value['type']) ? null : missingParameter(`${path}.type`),
      ),
  },
  // The shape of Chat Completions ends here: its name is one step too deep.
  'tool-name': {
    source: MEASURED,
    refuse: ({ body }) =>
      first(functionsOf(body), ({ path, value }) => wrongName(`${path}.name`, value['name'], LONGEST_TOOL_NAME)),
  },
  'tool-field-unknown': {
    source: REFERENCE,
    refuse: ({ body }) =>
      first(functionsOf(body), ({ path, value }) => {
        const name = unknownField(value, TOOL_FIELDS_OF_RESPONSES)
        return name === null ? null : unknownParameter(`${path}.${name}`)
      }),
  },
  'tool-schema': {
    source: 'https://github.com/lastmile-ai/openai-agents-mcp/issues/2',
    refuse: ({ body }) => first(functionsOf(body), wrongSchema),
  },
  'tool-choice': {
    source: MEASURED,
    refuse: ({ body }) => wrongChoice(body),
  },
})

export const responsesModelRules = ruleTable('2026-11-29', {
  'text-format': {
    source: MEASURED,
    refuse: ({ body }) => wrongFormat(asRecord(asRecord(body['text'])?.['format'])),
  },
  verbosity: {
    source: MEASURED,
    refuse: ({ body, model }) => {
      const verbosity = asRecord(body['text'])?.['verbosity']
      const values: readonly string[] = VALUES.verbosity
      return !isSet(verbosity) || values.includes(word(verbosity))
        ? wrongVerbosity('text.verbosity', verbosity, model)
        : wrongValue('text.verbosity', verbosity, values)
    },
  },
  // What the instructions say does not count.
  'json-word': {
    source: 'https://platform.openai.com/docs/guides/structured-outputs#json-mode',
    refuse: ({ body }) =>
      asRecord(asRecord(body['text'])?.['format'])?.['type'] !== 'json_object' || /json/i.test(allWords(body['input']))
        ? null
        : badRequest(
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
            'input',
            null,
          ),
  },
  'previous-response': {
    source: 'https://github.com/maximhq/bifrost/issues/2441',
    refuse: ({ body: { previous_response_id: id } }) => (isSet(id) ? unknownAnswer(word(id)) : null),
  },
  'input-empty': {
    source: MEASURED,
    refuse: ({ body: { input } }) =>
      input === '' || asArray(input)?.length === 0
        ? badRequest(
            `One of "input" or "previous_response_id" or 'prompt' or 'conversation' must be provided.`,
            null,
            'missing_required_parameter',
          )
        : null,
  },
  'effort-value': {
    source: MEASURED,
    refuse: ({ body, model }) => wrongEffort(asRecord(body['reasoning'])?.['effort'], model),
  },
  'encrypted-content': {
    source: 'https://github.com/NousResearch/hermes-agent/issues/23450',
    refuse: ({ body, model }) =>
      includes(body, 'reasoning.encrypted_content') && isPlain(openaiModel(model))
        ? badRequest('Encrypted content is not supported with this model.', 'include', null)
        : null,
  },
  'logprobs-on-reasoning': {
    source: MEASURED,
    refuse: ({ body, model }) =>
      includes(body, 'message.output_text.logprobs') && !takesSampling(openaiModel(model), effortOf(body))
        ? badRequest('logprobs are not supported with reasoning models.', 'include', 'unsupported_parameter')
        : null,
  },
  'sampling-on-reasoning': {
    source: MEASURED,
    refuse: ({ body, model }) => {
      if (takesSampling(openaiModel(model), effortOf(body))) return null
      if (isSet(body['temperature']) && body['temperature'] !== 1) return unsupportedParameter('temperature', null)
      return first(['top_p', 'presence_penalty', 'frequency_penalty'], (name) =>
        isSet(body[name]) ? unsupportedParameter(name, null) : null,
      )
    },
  },
})

type Body = Readonly<Record<string, unknown>>

const effortOf = (body: Body) => asRecord(body['reasoning'])?.['effort']
const includes = (body: Body, what: string) => asArray(body['include'])?.includes(what) === true
const functionsOf = (body: Body) => placed(body['tools'], 'tools').filter(({ value }) => value['type'] === 'function')

function moved(name: string): StrictRefusal {
  return badRequest(
    `Unsupported parameter: '${name}'. In the Responses API, this parameter has moved to '${MOVED_FIELDS[name]}'. Try again with the new parameter. See the API documentation for more information: ${REFERENCE}.`,
    name === 'messages' ? null : name,
    'unsupported_parameter',
  )
}

/** Without `strict` the service makes the schema strict itself, where it can. */
function wrongSchema({ path, value }: Placed): StrictRefusal | null {
  const complaint = schemaComplaint(value['parameters'], value['strict'] === true)
  if (complaint === null) return null
  return badRequest(
    `Invalid schema for function '${word(value['name'])}': ${complaint}`,
    `${path}.parameters`,
    'invalid_function_parameters',
  )
}

function wrongChoice(body: Body): StrictRefusal | null {
  const choice = body['tool_choice']
  const isAbsent = placed(body['tools'], 'tools').length === 0
  if (choice === 'required' && isAbsent)
    return badRequest("Tool choice 'required' must be specified with 'tools' parameter.", 'tool_choice', null)
  if (typeof choice === 'string') return CHOICES.includes(choice) ? null : wrongValue('tool_choice', choice, CHOICES)
  const named = asRecord(choice)
  if (named?.['type'] !== 'function') return null
  const name = asString(named['name'])
  if (name === undefined) return missingParameter('tool_choice.name')
  if (functionsOf(body).some(({ value }) => value['name'] === name)) return null
  return badRequest("Tool choice 'function' not found in 'tools' parameter.", 'tool_choice', null)
}

function wrongFormat(format: Body | undefined): StrictRefusal | null {
  if (format === undefined) return null
  const { type } = format
  if (!isSet(type)) return missingParameter('text.format.type')
  const types = ['json_object', 'text', 'json_schema']
  if (!types.includes(word(type))) return wrongValue('text.format.type', type, types)
  if (type !== 'json_schema') return null
  const name = wrongFormatName('text.format.name', format['name'])
  if (name !== null) return name
  if (!isSet(format['schema'])) return missingParameter('text.format.schema')
  const complaint = schemaComplaint(format['schema'], format['strict'] === true)
  if (complaint === null) return null
  const message = `Invalid schema for response_format '${word(format['name'])}': ${complaint}`
  return badRequest(message, 'text.format.schema', 'invalid_json_schema')
}

function unknownAnswer(id: string): StrictRefusal | null {
  const param = 'previous_response_id'
  if (!id.startsWith('resp'))
    return badRequest(`Invalid '${param}': '${id}'. Expected an ID that begins with 'resp'.`, param, 'invalid_value')
  if (OWN_ANSWER.test(id)) return null
  return badRequest(`Previous response with id '${id}' not found.`, param, 'previous_response_not_found')
}

function wrongEffort(effort: unknown, name: string): StrictRefusal | null {
  if (!isSet(effort)) return null
  const facts = openaiModel(name)
  if (isPlain(facts)) return unsupportedParameter('reasoning.effort')
  if (!EFFORTS.includes(word(effort))) return wrongValue('reasoning.effort', effort, EFFORTS)
  if (!reasons(facts) || facts.efforts.includes(word(effort))) return null
  return badRequest(
    `Unsupported value: '${word(effort)}' is not supported with the '${name}' model. Supported values are: ${listed(facts.efforts)}.`,
    'reasoning.effort',
    'unsupported_value',
  )
}
