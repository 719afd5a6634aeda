/** A client's `generationConfig`: https://ai.google.dev/api/generate-content#generationconfig */

import type { ChatRequest, ReasoningEffort, ReasoningOptions, ResponseFormat } from '../../domain/chat.ts'
import { asNumber, asString } from '../../domain/json.ts'
import { type Fields, flag, leftovers, number, object, text, texts, tokens } from '../fields/requestFields.ts'
import { readSpelling } from '../fields/spelledNumbers.ts'
import { bothSpellings, field, spelling } from './field.ts'
import { openApiToJsonSchema } from './schema.ts'

const WITHOUT_FORMAT = bothSpellings(
  ...['maxOutputTokens', 'temperature', 'topP', 'topK', 'stopSequences', 'seed', 'frequencyPenalty', 'presencePenalty'],
  'thinkingConfig',
)
const WITH_FORMAT = new Set([
  ...WITHOUT_FORMAT,
  ...bothSpellings('responseMimeType', 'responseSchema', 'responseJsonSchema'),
])
const THINKING = bothSpellings('thinkingBudget', 'thinkingLevel', 'includeThoughts')
const LEVELS: ReadonlySet<string> = new Set(['minimal', 'low', 'medium', 'high'] satisfies ReasoningEffort[])
/** `thinkingBudget` for "think as much as you like". */
const DYNAMIC = -1

export function readConfig(config: Fields): Partial<ChatRequest> {
  const read = <T>(reader: (fields: Fields, name: string, at: string) => T, camel: string, snake: string) => {
    const name = spelling(config, camel, snake)
    return reader(config, name, `generationConfig.${name}`)
  }
  return {
    maxTokens: read(tokens, 'maxOutputTokens', 'max_output_tokens'),
    temperature: read(number, 'temperature', 'temperature'),
    topP: read(number, 'topP', 'top_p'),
    topK: read(number, 'topK', 'top_k'),
    stop: read(texts, 'stopSequences', 'stop_sequences'),
    seed: read(number, 'seed', 'seed'),
    frequencyPenalty: read(number, 'frequencyPenalty', 'frequency_penalty'),
    presencePenalty: read(number, 'presencePenalty', 'presence_penalty'),
    spelled: readSpelling(config, {
      maxTokens: spelling(config, 'maxOutputTokens', 'max_output_tokens'),
      temperature: 'temperature',
      topP: spelling(config, 'topP', 'top_p'),
      topK: spelling(config, 'topK', 'top_k'),
      seed: 'seed',
      frequencyPenalty: spelling(config, 'frequencyPenalty', 'frequency_penalty'),
      presencePenalty: spelling(config, 'presencePenalty', 'presence_penalty'),
    }),
    ...readWanted(config),
    responseFormat: readFormat(config),
    reasoning: readReasoning(thinkingOf(config)),
  }
}

/** They stay among the client's own fields as well, which Gemini gets as they are. */
function readWanted(config: Fields): Pick<ChatRequest, 'answers' | 'logprobs'> {
  const answers = asNumber(field(config, 'candidateCount', 'candidate_count')) ?? 1
  const hasLogprobs = field(config, 'responseLogprobs', 'response_logprobs') === true
  return {
    ...(answers > 1 && { answers }),
    ...(hasLogprobs && { logprobs: { top: asNumber(config['logprobs']) ?? 0 } }),
  }
}

function readFormat(config: Fields): ResponseFormat | undefined {
  const mimeType = text(config, spelling(config, 'responseMimeType', 'response_mime_type'))
  if (mimeType === 'text/plain') return { type: 'text' }
  if (mimeType !== 'application/json') return undefined
  const schema = object(config, spelling(config, 'responseJsonSchema', 'response_json_schema'))
  // gemini-cli writes the old field's `STRING` into the new field; only Gemini accepts it.
  if (schema) return held(schema)
  const openApi = object(config, spelling(config, 'responseSchema', 'response_schema'))
  return openApi ? held(openApi) : { type: 'json' }
}

/** Gemini keeps to it: https://ai.google.dev/gemini-api/docs/structured-output (2026-11-30) */
const held = (schema: Fields): ResponseFormat => ({
  type: 'json-schema',
  schema: openApiToJsonSchema(schema),
  strict: true,
})

function thinkingOf(config: Fields): Fields | undefined {
  return object(config, spelling(config, 'thinkingConfig', 'thinking_config'))
}

function readReasoning(thinking: Fields | undefined): ReasoningOptions | undefined {
  if (!thinking) return undefined
  const budget = number(thinking, spelling(thinking, 'thinkingBudget', 'thinking_budget'))
  const visible = flag(thinking, spelling(thinking, 'includeThoughts', 'include_thoughts'))
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
  const mimeType = field(config, 'responseMimeType', 'response_mime_type')
  const isKnownFormat = mimeType === 'text/plain' || mimeType === 'application/json'
  const rest = leftovers(config, isKnownFormat ? WITH_FORMAT : WITHOUT_FORMAT)
  const thinking = thinkingOf(config)
  return thinking && hasOther(thinking) ? { ...rest, thinkingConfig: thinking } : rest
}

function hasOther(thinking: Fields): boolean {
  const isDynamic = asNumber(field(thinking, 'thinkingBudget', 'thinking_budget')) === DYNAMIC
  return isDynamic || Object.keys(thinking).some((name) => !THINKING.has(name))
}
