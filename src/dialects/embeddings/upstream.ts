/** Embeddings as they are requested from upstreams: OpenAI's form, and Gemini's own. */

import type { ChatRequest, DialectId, Usage, UsageParts } from '../../domain/chat.ts'
import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import { partsWithin } from '../../domain/usageParts.ts'
import type { VectorFacts } from '../../domain/wireFacts.ts'
import type { Dialect, ReadResponse, UpstreamSide } from '../dialect.ts'
import type { Fields } from '../fields/requestFields.ts'
import { modalitiesIn, statedCost, statedFee } from '../fields/usageFields.ts'
import { readGoogleUsage } from '../google/usage.ts'
import { openaiChatDialect } from '../openaiChat/openaiChat.ts'
import { inputUsage, vectorsAnswer } from './answer.ts'
import { dimensionsIn, fieldsOf, inputsOf, inputText } from './inputs.ts'
import { googleTask, TASK_FIELDS, taskWord } from './tasks.ts'

/** How embeddings are requested from an upstream of that dialect; null when it has none. */
export function embeddingsFor(dialect: DialectId): Dialect | null {
  if (dialect === 'openai' || dialect === 'openai-responses') return EMBEDDINGS
  return dialect === 'google' ? GOOGLE_EMBEDDINGS : null
}

const noStream = () => {
  throw new TypeError('embeddings are never streamed')
}

// Vectors are numbers that nobody reads digit by digit.
const parse = JSON.parse

const openaiSide: UpstreamSide = {
  parse,
  writeRequest: (request, model, wire) => ({
    path: '/embeddings',
    body: { ...openaiFields(request, wire?.vectors), model },
  }),
  readResponse(body): ReadResponse {
    const record = asRecord(body)
    if (record !== undefined && asArray(record['data']) === undefined && 'error' in record) return { ok: false, body }
    if (asArray(record?.['data']) === undefined) return { ok: false, body, malformed: true }
    const usage = usageOf(asRecord(record?.['usage']))
    return { ok: true, response: vectorsAnswer(record ?? {}, asString(record?.['model']) ?? '', usage) }
  },
  streamReader: noStream,
}

/** To a server of which nothing is known, a client of OpenAI's form says what it says. */
function openaiFields(request: ChatRequest, vectors: VectorFacts | undefined): Fields {
  if (vectors === undefined && request.extra?.dialect !== 'google') return fieldsOf(request)
  const { dimensions: own, tasks } = vectors ?? {}
  const field = own ?? 'dimensions'
  const { dimensions, fields, said } = wantedFields(request)
  const word = tasks === undefined || tasks === 'none' ? undefined : taskWord(said, tasks)
  return {
    ...(tasks === undefined ? fields : withoutTask(fields)),
    ...(field !== 'none' && named(field, dimensions)),
    ...named('input_type', word),
  }
}

interface Wanted {
  /** Without the length of vectors. */
  readonly fields: Fields
  readonly dimensions: unknown
  /** Where the task is said. */
  readonly said: Fields
}

function wantedFields(request: ChatRequest): Wanted {
  if (request.extra?.dialect !== 'google') {
    const { dimensions, output_dimension: other, ...fields } = fieldsOf(request)
    return { fields, dimensions: dimensions ?? other, said: fields }
  }
  const inputs = inputsOf(request)
  const said = asRecord(inputs[0]) ?? {}
  return { fields: { input: inputs.map(inputText) }, dimensions: dimensionsIn(inputs[0]), said }
}

function withoutTask(fields: Fields): Fields {
  const names: readonly string[] = TASK_FIELDS
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)))
}

function usageOf(usage: Fields | undefined): Usage | undefined {
  const inputTokens = asNumber(usage?.['prompt_tokens']) ?? asNumber(usage?.['total_tokens'])
  if (inputTokens === undefined) return undefined
  const usd = statedCost(usage)
  const input = modalitiesIn(asRecord(usage?.['prompt_tokens_details']))
  return withParts(
    { ...inputUsage(inputTokens), ...(usd !== undefined && { reportedCostUsd: usd }) },
    { input, feeUsd: statedFee(usage) },
  )
}

function withParts(usage: Usage, told: UsageParts): Usage {
  const parts = partsWithin(told, usage)
  return parts === undefined ? usage : { ...usage, parts }
}

/** https://ai.google.dev/api/embeddings#method:-models.batchembedcontents (2026-11-29) */
const googleSide: UpstreamSide = {
  parse,
  writeRequest: (request, model, wire) => ({
    path: `/models/${encodeURI(model.toWellFormed())}:batchEmbedContents`,
    body: { requests: googleRequests(request, wire?.vectors).map((one) => ({ ...one, model: `models/${model}` })) },
  }),
  readResponse(body): ReadResponse {
    const record = asRecord(body)
    const list = asArray(record?.['embeddings'])
    if (list === undefined) return { ok: false, body, ...(record?.['error'] === undefined && { malformed: true }) }
    const data = list.map((row, index) => ({ object: 'embedding', index, embedding: asRecord(row)?.['values'] ?? [] }))
    const usage = readGoogleUsage(record?.['usageMetadata'])
    return { ok: true, response: vectorsAnswer({ object: 'list', data }, '', usage) }
  },
  streamReader: noStream,
}

function googleRequests(request: ChatRequest, vectors: VectorFacts | undefined): readonly Fields[] {
  if (request.extra?.dialect === 'google') return inputsOf(request).map((one) => asRecord(one) ?? {})
  const fields = fieldsOf(request)
  const common = {
    ...named('outputDimensionality', fields['dimensions'] ?? fields['output_dimension']),
    // What clients of OpenAI's form send beside it.
    ...(vectors?.tasks !== 'none' && named('taskType', googleTask(fields))),
    ...named('title', fields['title']),
  }
  return inputsOf(request).map((input) => ({ content: { parts: [{ text: inputText(input) ?? '' }] }, ...common }))
}

const named = (name: string, value: unknown): Fields => (value == null ? {} : { [name]: value })

const EMBEDDINGS: Dialect = { ...openaiChatDialect, upstream: openaiSide }
const GOOGLE_EMBEDDINGS: Dialect = { ...openaiChatDialect, upstream: googleSide }
