/** A client's `generationConfig`: https://ai.google.dev/api/generate-content#generationconfig */

import type { ChatRequest, ReasoningEffort, ReasoningOptions, ResponseFormat } from '../domain/chat.ts'
import { asRecord, asString } from '../domain/json.ts'
import { extraOf } from './extra.ts'
import { bothSpellings, field } from './googleField.ts'
import { openApiToJsonSchema } from './googleSchema.ts'
import {
  optionalBoolean,
  optionalCount,
  optionalNumber,
  optionalRecord,
  optionalString,
  optionalStrings,
} from './requestFields.ts'

type Fields = Record<string, unknown>

const SAMPLING = bothSpellings(
  ...['maxOutputTokens', 'temperature', 'topP', 'topK', 'stopSequences', 'seed', 'frequencyPenalty', 'presencePenalty'],
)
const FORMAT = bothSpellings('responseMimeType', 'responseSchema', 'responseJsonSchema')
const THINKING = bothSpellings('thinkingBudget', 'thinkingLevel', 'includeThoughts')
const LEVELS: ReadonlySet<string> = new Set(['minimal', 'low', 'medium', 'high'] satisfies ReasoningEffort[])
/** `thinkingBudget` for "think as much as you like". */
const DYNAMIC = -1

export function readConfig(config: Fields): Partial<ChatRequest> {
  const number = (camel: string, snake: string) =>
    optionalNumber(field(config, camel, snake), `generationConfig.${camel}`)
  return {
    maxTokens: optionalCount(
      field(config, 'maxOutputTokens', 'max_output_tokens'),
      'generationConfig.maxOutputTokens',
      1,
    ),
    temperature: number('temperature', 'temperature'),
    topP: number('topP', 'top_p'),
    topK: number('topK', 'top_k'),
    stop: optionalStrings(field(config, 'stopSequences', 'stop_sequences'), 'generationConfig.stopSequences'),
    seed: number('seed', 'seed'),
    frequencyPenalty: number('frequencyPenalty', 'frequency_penalty'),
    presencePenalty: number('presencePenalty', 'presence_penalty'),
    responseFormat: readFormat(config),
    reasoning: readReasoning(thinkingOf(config)),
  }
}

function readFormat(config: Fields): ResponseFormat | undefined {
  const mimeType = optionalString(
    field(config, 'responseMimeType', 'response_mime_type'),
    'generationConfig.responseMimeType',
  )
  if (mimeType === 'text/plain') return { type: 'text' }
  if (mimeType !== 'application/json') return undefined
  const jsonSchema = field(config, 'responseJsonSchema', 'response_json_schema')
  const schema = optionalRecord(jsonSchema, 'generationConfig.responseJsonSchema')
  if (schema) return { type: 'json-schema', schema }
  const openApi = optionalRecord(field(config, 'responseSchema', 'response_schema'), 'generationConfig.responseSchema')
  return openApi ? { type: 'json-schema', schema: openApiToJsonSchema(openApi) } : { type: 'json' }
}

function thinkingOf(config: Fields): Fields | undefined {
  return optionalRecord(field(config, 'thinkingConfig', 'thinking_config'), 'generationConfig.thinkingConfig')
}

function readReasoning(thinking: Fields | undefined): ReasoningOptions | undefined {
  if (!thinking) return undefined
  const budget = optionalNumber(field(thinking, 'thinkingBudget', 'thinking_budget'), 'thinkingConfig.thinkingBudget')
  const visible = optionalBoolean(
    field(thinking, 'includeThoughts', 'include_thoughts'),
    'thinkingConfig.includeThoughts',
  )
  if (budget === 0) return { effort: 'none', visible }
  const effort = readLevel(thinking)
  if (budget !== undefined && budget > 0) return { effort, budgetTokens: budget, visible }
  return effort === undefined && visible === undefined ? undefined : { effort, visible }
}

function readLevel(thinking: Fields): ReasoningEffort | undefined {
  const level = asString(field(thinking, 'thinkingLevel', 'thinking_level'))?.toLowerCase() ?? ''
  return LEVELS.has(level) ? (level as ReasoningEffort) : undefined // a member of LEVELS, which the compiler cannot follow
}

/** What `readConfig` has no word for, under its own names; it is put back beside what is written. */
export function configExtra(config: Fields): Readonly<Record<string, unknown>> | undefined {
  const known = new Set([...SAMPLING, ...THINKING_NAMES])
  const mimeType = field(config, 'responseMimeType', 'response_mime_type')
  const isKnownFormat = mimeType === 'text/plain' || mimeType === 'application/json'
  if (isKnownFormat) for (const name of FORMAT) known.add(name)
  const rest = extraOf('google', config, known)?.fields
  const thinking = thinkingOf(config)
  return thinking && hasOther(thinking) ? { ...rest, thinkingConfig: thinking } : rest
}

const THINKING_NAMES = bothSpellings('thinkingConfig')

function hasOther(thinking: Fields): boolean {
  const isDynamic = field(thinking, 'thinkingBudget', 'thinking_budget') === DYNAMIC
  return isDynamic || Object.keys(asRecord(thinking) ?? {}).some((name) => !THINKING.has(name))
}
