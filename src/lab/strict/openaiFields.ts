/** What OpenAI refuses in the fields of Chat Completions: unknown names, types, numbers, lengths, pairs. */

import { asArray, asRecord } from '../../domain/json.ts'
import { isSet, typeName, unknownField, word } from './chatBody.ts'
import { CHAT_FIELDS, FORMER_FIELDS, STREAM_FIELDS } from './openaiChatFields.ts'
import { type OpenaiModel, openaiModel } from './openaiModels.ts'
import {
  badRequest,
  longArray,
  longer,
  MEASURED,
  missingParameter,
  onlyAllowedWhen,
  outOfRange,
  unknownParameter,
  unknownTopParameter,
  unrecognized,
  wrongType,
  wrongValue,
} from './openaiWords.ts'
import type { StrictRefusal } from './rule.ts'
import { first, ruleTable } from './ruleTable.ts'

const MOST_STOPS = 4
const REFERENCE = 'https://platform.openai.com/docs/api-reference/chat/create'
export const IDENTIFIERS = ['user', 'safety_identifier', 'prompt_cache_key']
export const LONGEST_IDENTIFIER = 64

const RANGES = {
  temperature: { kind: 'decimal', min: 0, max: 2 },
  top_p: { kind: 'decimal', min: 0, max: 1 },
  frequency_penalty: { kind: 'decimal', min: -2, max: 2 },
  presence_penalty: { kind: 'decimal', min: -2, max: 2 },
  top_logprobs: { kind: 'integer', min: 0, max: 20 },
  n: { kind: 'integer', min: 1, max: 128 },
  max_tokens: { kind: 'integer', min: 1 },
  max_completion_tokens: { kind: 'integer', min: 1 },
} as const

/** What the newer models allow less of. */
const NEWER_RANGES = { n: { kind: 'integer', min: 1, max: 8 } } as const
const MOST_NEWER_LOGPROBS = 5

export const VALUES = {
  service_tier: ['auto', 'default', 'fast', 'flex', 'priority'],
  verbosity: ['low', 'medium', 'high'],
} as const satisfies Record<string, readonly string[]>

const TYPES = {
  n: 'an integer',
  max_completion_tokens: 'an integer',
  max_tokens: 'an integer',
  seed: 'an integer',
  top_logprobs: 'an integer',
  temperature: 'a decimal',
  top_p: 'a decimal',
  presence_penalty: 'a decimal',
  frequency_penalty: 'a decimal',
  logprobs: 'a boolean',
  parallel_tool_calls: 'a boolean',
  store: 'a boolean',
  stream: 'a boolean',
  user: 'a string',
  tools: 'an array of objects',
  response_format: 'an object',
} as const

export const openaiFieldRules = ruleTable('2026-11-29', {
  'model-missing': {
    source: MEASURED,
    refuse: ({ body: { model } }) =>
      isSet(model) && model !== '' ? null : badRequest('you must provide a model parameter', null, null),
  },
  'messages-missing': {
    source: MEASURED,
    refuse: ({ body }) => (isSet(body['messages']) ? null : missingParameter('messages')),
  },
  'field-unknown': {
    source: 'https://github.com/xlinx/sd-webui-decadetw-auto-prompt-llm/issues/29',
    refuse: ({ body, model }) => strangeField(body, openaiModel(model)),
  },
  'stream-option-unknown': {
    source: MEASURED,
    refuse: ({ body }) => {
      const name = unknownField(asRecord(body['stream_options']) ?? {}, STREAM_FIELDS)
      return name === null ? null : unknownParameter(`stream_options.${name}`)
    },
  },
  'field-type': {
    source: MEASURED,
    refuse: ({ body }) => first(Object.entries(TYPES), ([name, type]) => wrongField(name, body[name], type)),
  },
  'number-out-of-range': {
    source: MEASURED,
    refuse: ({ body, model }) =>
      (openaiModel(model).isNew ? newerRange(body) : null) ??
      first(Object.entries(RANGES), ([name, range]) => outOfRange(name, body[name], range)),
  },
  'value-unknown': {
    source: MEASURED,
    refuse: ({ body }) =>
      first(Object.entries(VALUES), ([name, values]) =>
        !isSet(body[name]) || (values as readonly string[]).includes(word(body[name]))
          ? null
          : wrongValue(name, body[name], values),
      ),
  },
  'identifier-length': {
    source: 'https://github.com/maximhq/bifrost/pull/1000',
    refuse: ({ body }) => first(IDENTIFIERS, (name) => longer(name, body[name], LONGEST_IDENTIFIER)),
  },
  metadata: {
    source: MEASURED,
    refuse: ({ body }) => wrongMetadata(body['metadata']),
  },
  'metadata-without-store': {
    source: 'https://github.com/QwenLM/qwen-code/issues/243',
    refuse: ({ body }) =>
      isSet(body['metadata']) && body['store'] !== true
        ? badRequest("The 'metadata' parameter is only allowed when 'store' is enabled.", 'metadata', null)
        : null,
  },
  'stop-too-many': {
    source: `${REFERENCE}#chat-create-stop`,
    refuse: ({ body }) => {
      const count = asArray(body['stop'])?.length ?? 0
      return count > MOST_STOPS ? longArray('stop', MOST_STOPS, count) : null
    },
  },
  'token-limits-together': {
    source: 'https://github.com/langchain-ai/langgraph/issues/5943',
    refuse: ({ body }) =>
      isSet(body['max_tokens']) && isSet(body['max_completion_tokens'])
        ? badRequest(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            'max_tokens',
            'invalid_parameter_combination',
          )
        : null,
  },
  'stream-options-without-stream': {
    source: `${REFERENCE}#chat-create-stream_options`,
    refuse: ({ body }) =>
      isSet(body['stream_options']) && body['stream'] !== true
        ? onlyAllowedWhen('stream_options', "'stream' is enabled")
        : null,
  },
  'top-logprobs-without-logprobs': {
    source: MEASURED,
    refuse: ({ body }) =>
      isSet(body['top_logprobs']) && body['logprobs'] !== true
        ? onlyAllowedWhen('top_logprobs', "'logprobs' is enabled")
        : null,
  },
})

/** The newer models say it like the Responses API. */
function strangeField(body: Readonly<Record<string, unknown>>, { isNew }: OpenaiModel): StrictRefusal | null {
  const name = unknownField(body, CHAT_FIELDS)
  if (name !== null) return isNew ? unknownTopParameter(name, CHAT_FIELDS, body) : unrecognized(name)
  const former = isNew ? Object.keys(body).find((key) => FORMER_FIELDS.has(key)) : undefined
  return former === undefined ? null : unknownParameter(former)
}

/** Null counts as not sent. */
export function wrongField(name: string, value: unknown, expected: string): StrictRefusal | null {
  if (!isSet(value)) return null
  const isRight =
    expected === 'an integer'
      ? Number.isInteger(value)
      : expected === 'a decimal'
        ? typeof value === 'number'
        : expected === 'an array of objects'
          ? Array.isArray(value)
          : typeName(value) === expected
  return isRight ? null : wrongType(name, expected, typeName(value))
}

function newerRange(body: Readonly<Record<string, unknown>>): StrictRefusal | null {
  const logprobs = body['top_logprobs']
  if (typeof logprobs === 'number' && logprobs > MOST_NEWER_LOGPROBS)
    return badRequest(
      `Invalid value for 'top_logprobs': must be less than or equal to ${MOST_NEWER_LOGPROBS}.`,
      'top_logprobs',
      null,
    )
  return first(Object.entries(NEWER_RANGES), ([name, range]) => outOfRange(name, body[name], range))
}

export function wrongMetadata(metadata: unknown): StrictRefusal | null {
  const entries = Object.entries(asRecord(metadata) ?? {})
  if (entries.length > 16)
    return badRequest(
      `Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object with ${entries.length} properties instead.`,
      'metadata',
      'object_above_max_properties',
    )
  const long = entries.map(([key]) => key).find((key) => key.length > 64)
  if (long !== undefined) return longKey(long)
  return first(entries, ([key, value]) =>
    typeof value === 'string'
      ? longer(`metadata.${key}`, value, 512)
      : wrongType(`metadata.${key}`, 'a string', typeName(value)),
  )
}

const longKey = (key: string) =>
  badRequest(
    `Invalid property name in 'metadata': '${key.slice(0, 3)}...${key.slice(-3)}' is too long. Expected a string with maximum length 64, but got a string with length ${key.length} instead.`,
    `metadata.${key}`,
    'property_name_above_max_length',
  )
