/** Embeddings as they are requested from upstreams: OpenAI's form, and Gemini's own. */

import type { ChatRequest, DialectId, Usage } from '../../domain/chat.ts'
import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import type { Dialect, ReadResponse, UpstreamSide } from '../dialect.ts'
import type { Fields } from '../fields/requestFields.ts'
import { openaiChatDialect } from '../openaiChat/openaiChat.ts'
import { inputUsage, vectorsAnswer } from './answer.ts'
import { dimensionsIn, fieldsOf, inputsOf, inputText } from './inputs.ts'

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
  writeRequest: (request, model) => ({ path: '/embeddings', body: { ...openaiFields(request), model } }),
  readResponse(body): ReadResponse {
    const record = asRecord(body)
    if (record !== undefined && asArray(record['data']) === undefined && 'error' in record) return { ok: false, body }
    if (asArray(record?.['data']) === undefined) return { ok: false, body, malformed: true }
    const usage = usageOf(asRecord(record?.['usage']))
    return { ok: true, response: vectorsAnswer(record ?? {}, asString(record?.['model']) ?? '', usage) }
  },
  streamReader: noStream,
}

function openaiFields(request: ChatRequest): Fields {
  if (request.extra?.dialect !== 'google') return fieldsOf(request)
  const inputs = inputsOf(request)
  const dimensions = dimensionsIn(inputs[0])
  return { input: inputs.map(inputText), ...(dimensions !== undefined && { dimensions }) }
}

function usageOf(usage: Fields | undefined): Usage | undefined {
  const inputTokens = asNumber(usage?.['prompt_tokens']) ?? asNumber(usage?.['total_tokens'])
  const usd = asNumber(usage?.['cost'])
  return inputTokens === undefined
    ? undefined
    : { ...inputUsage(inputTokens), ...(usd !== undefined && { reportedCostUsd: usd }) }
}

/** https://ai.google.dev/api/embeddings#method:-models.batchembedcontents (2026-11-29) */
const googleSide: UpstreamSide = {
  parse,
  writeRequest: (request, model) => ({
    path: `/models/${encodeURI(model)}:batchEmbedContents`,
    body: { requests: googleRequests(request).map((one) => ({ ...one, model: `models/${model}` })) },
  }),
  readResponse(body): ReadResponse {
    const record = asRecord(body)
    const list = asArray(record?.['embeddings'])
    if (list === undefined) return { ok: false, body, ...(record?.['error'] === undefined && { malformed: true }) }
    const data = list.map((row, index) => ({ object: 'embedding', index, embedding: asRecord(row)?.['values'] ?? [] }))
    const tokens = asNumber(asRecord(record?.['usageMetadata'])?.['promptTokenCount'])
    const usage = tokens === undefined ? undefined : inputUsage(tokens)
    return { ok: true, response: vectorsAnswer({ object: 'list', data }, '', usage) }
  },
  streamReader: noStream,
}

function googleRequests(request: ChatRequest): readonly Fields[] {
  if (request.extra?.dialect === 'google') return inputsOf(request).map((one) => asRecord(one) ?? {})
  const fields = fieldsOf(request)
  const common = {
    ...named('outputDimensionality', fields['dimensions']),
    // What clients of OpenAI's form send beside it for Gemini's sake.
    ...named('taskType', fields['taskType'] ?? fields['task_type']),
    ...named('title', fields['title']),
  }
  return inputsOf(request).map((input) => ({ content: { parts: [{ text: inputText(input) ?? '' }] }, ...common }))
}

const named = (name: string, value: unknown): Fields => (value == null ? {} : { [name]: value })

const EMBEDDINGS: Dialect = { ...openaiChatDialect, upstream: openaiSide }
const GOOGLE_EMBEDDINGS: Dialect = { ...openaiChatDialect, upstream: googleSide }
