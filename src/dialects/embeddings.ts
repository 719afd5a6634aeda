/** Embeddings, spoken to OpenAI-like upstreams as they are and to Gemini in its own words; clients speak OpenAI's. */

import type { ChatRequest, ChatResponse, DialectId, Usage } from '../domain/chat.ts'
import { asArray, asNumber, asRecord, asString } from '../domain/json.ts'
import type { Dialect, ReadResponse, UpstreamSide } from './dialect.ts'
import { openaiChatDialect } from './openaiChat/openaiChat.ts'

/** How embeddings are requested from an upstream of that dialect; null when it has none. */
export function embeddingsFor(dialect: DialectId): Dialect | null {
  if (dialect === 'openai' || dialect === 'openai-responses') return EMBEDDINGS
  return dialect === 'google' ? GOOGLE_EMBEDDINGS : null
}

/** The request of an embeddings call: the client's fields travel in `extra`. */
export function embeddingsRequest(model: string, fields: Readonly<Record<string, unknown>>): ChatRequest {
  return { model, messages: [], stream: false, extra: { dialect: 'openai', fields } }
}

/** The texts of `input`, which is one text or a list; null for token arrays, which only some upstreams take. */
export function inputTexts(input: unknown): readonly string[] | null {
  if (typeof input === 'string') return [input]
  const list = asArray(input)
  return list !== undefined && list.length > 0 && list.every((text) => typeof text === 'string')
    ? (list as readonly string[])
    : null // checked beside it
}

const noStream = () => {
  throw new TypeError('embeddings are never streamed')
}

/** A vector's numbers are doubles for whoever made them and whoever reads them, and there are very many. */
const parse = JSON.parse

const openaiSide: UpstreamSide = {
  parse,
  writeRequest: (request, model) => ({ path: '/embeddings', body: { ...request.extra?.fields, model } }),
  readResponse(body): ReadResponse {
    const record = asRecord(body)
    if (record !== undefined && asArray(record['data']) === undefined && 'error' in record) return { ok: false, body }
    const data = asArray(record?.['data'])
    if (data === undefined) return { ok: false, body, malformed: true }
    return {
      ok: true,
      response: answer(record ?? {}, asString(record?.['model']) ?? '', usageOf(asRecord(record?.['usage']))),
    }
  },
  streamReader: noStream,
}

function usageOf(usage: Record<string, unknown> | undefined): Usage | undefined {
  const inputTokens = asNumber(usage?.['prompt_tokens']) ?? asNumber(usage?.['total_tokens'])
  return inputTokens === undefined
    ? undefined
    : { inputTokens, outputTokens: 0, totalTokens: inputTokens, estimated: false }
}

/** The vectors travel in `extra`, unread. */
function answer(fields: Record<string, unknown>, model: string, usage: Usage | undefined): ChatResponse {
  return {
    model,
    content: [],
    finishReason: 'stop',
    ...(hasVectors(fields['data']) && { opaque: true }),
    extra: { dialect: 'openai', fields },
    ...(usage !== undefined && { usage }),
  }
}

/** Vectors are lists of numbers or base64; a row may be a vector of something else, so only nothing counts as none. */
function hasVectors(data: unknown): boolean {
  const first = asRecord(asArray(data)?.[0])?.['embedding']
  return Array.isArray(first) ? first.length > 0 : first != null && first !== ''
}

const googleSide: UpstreamSide = {
  parse,
  writeRequest(request, model) {
    const fields = request.extra?.fields ?? {}
    const dimensions = asNumber(fields['dimensions'])
    const requests = (inputTexts(fields['input']) ?? []).map((text) => ({
      model: `models/${model}`,
      content: { parts: [{ text }] },
      ...(dimensions !== undefined && { outputDimensionality: dimensions }),
    }))
    return { path: `/models/${encodeURI(model)}:batchEmbedContents`, body: { requests } }
  },
  readResponse(body): ReadResponse {
    const list = asArray(asRecord(body)?.['embeddings'])
    if (list === undefined)
      return { ok: false, body, ...(asRecord(body)?.['error'] === undefined && { malformed: true }) }
    const data = list.map((row, index) => ({ object: 'embedding', index, embedding: asRecord(row)?.['values'] ?? [] }))
    return { ok: true, response: answer({ object: 'list', data }, '', undefined) }
  },
  streamReader: noStream,
}

const EMBEDDINGS: Dialect = { ...openaiChatDialect, upstream: openaiSide }
const GOOGLE_EMBEDDINGS: Dialect = { ...openaiChatDialect, upstream: googleSide }
