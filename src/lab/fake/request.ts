/** What a call asks of a simulated provider: dialect by the path, request by the dialect, key by the headers. */

import type { IncomingMessage } from 'node:http'
import type { Dialect } from '../../dialects/dialect.ts'
import { dialectOf } from '../../dialects/dialects.ts'
import type { ChatRequest, DialectId } from '../../domain/chat.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import type { FakeModel } from './scenario.ts'

export interface FakeRequest {
  readonly model: string
  readonly dialect: Dialect
  readonly request: ChatRequest
  /** What kind of model is asked for. */
  readonly kind: NonNullable<FakeModel['kind']>
  /** The texts to embed; null when it is no embedding that is asked for. */
  readonly texts: readonly string[] | null
  /** What is answered at a path of its own; absent for chats and embeddings. */
  readonly units?: FakeUnits
}

export interface FakeUnits {
  /** As in the path: `audio/speech`. */
  readonly path: string
  readonly fields: Readonly<Record<string, unknown>>
}

const GOOGLE_PATH = /\/models\/(.+):(generateContent|streamGenerateContent)$/
const GOOGLE_EMBED_PATH = /\/models\/(.+):batchEmbedContents$/
/** https://platform.openai.com/docs/api-reference/embeddings/create */
const MOST_INPUTS = 2048
const MOST_GOOGLE_INPUTS = 100
const MAX_BODY_BYTES = 64 * 1024 * 1024

/**
 * A provider may serve several dialects (OpenRouter, DeepSeek). Null for an unserved path; throws InvalidRequestError.
 */
export function readAsked(path: string, body: unknown): FakeRequest | null {
  const google = GOOGLE_PATH.exec(path)
  if (google !== null) return readGoogle(google, body)
  const googleEmbed = GOOGLE_EMBED_PATH.exec(path)
  if (googleEmbed !== null) return readGoogleEmbedding(decoded(googleEmbed[1] ?? ''), body)
  if (path.endsWith('/embeddings')) return readEmbedding(body)
  const id = dialectAt(path)
  if (id === null) return null
  const dialect = dialectOf(id)
  const request = dialect.client.readRequest(body)
  return { model: request.model, dialect, request, kind: 'chat', texts: null }
}

/** What the path names, before anything is read; null for an unserved path. */
export function placeOf(path: string, body: unknown): { readonly dialect: DialectId; readonly model: string } | null {
  const google = GOOGLE_PATH.exec(path) ?? GOOGLE_EMBED_PATH.exec(path)
  if (google !== null) return { dialect: 'google', model: google[1] ?? '' }
  const dialect = path.endsWith('/embeddings') ? 'openai' : dialectAt(path)
  return dialect === null ? null : { dialect, model: asString(asRecord(body)?.['model']) ?? '' }
}

function dialectAt(path: string): DialectId | null {
  if (path.endsWith('/chat/completions')) return 'openai'
  if (path.endsWith('/messages')) return 'anthropic'
  return path.endsWith('/responses') ? 'openai-responses' : null
}

function readGoogle([, model = '', method]: RegExpExecArray, body: unknown): FakeRequest {
  const dialect = dialectOf('google')
  const place = { model: decoded(model), stream: method === 'streamGenerateContent' }
  return { model: place.model, dialect, request: dialect.client.readRequest(body, place), kind: 'chat', texts: null }
}

function readEmbedding(body: unknown): FakeRequest {
  const record = asRecord(body)
  const model = asString(record?.['model']) ?? ''
  const input = record?.['input']
  const list = asArray(input)
  // One text, or one text as token ids.
  const inputs = list === undefined || list.every((item) => typeof item === 'number') ? [input] : list
  if (inputs.length > MOST_INPUTS)
    throw new InvalidRequestError(
      `Invalid 'input': array too long. Expected an array with maximum length ${MOST_INPUTS}.`,
    )
  const texts = inputs.map((text) => (typeof text === 'string' ? text : JSON.stringify(text)))
  return { model, dialect: dialectOf('openai'), request: plain(model), kind: 'embedding', texts }
}

/** https://ai.google.dev/api/embeddings#method:-models.batchembedcontents */
function readGoogleEmbedding(model: string, body: unknown): FakeRequest {
  const requests = asArray(asRecord(body)?.['requests']) ?? []
  // https://github.com/geldata/gel/issues/9032
  if (requests.length > MOST_GOOGLE_INPUTS)
    throw new InvalidRequestError('* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch')
  if (requests.some((request) => asRecord(request)?.['model'] !== `models/${model}`))
    throw new InvalidRequestError('* BatchEmbedContentsRequest.requests[0].model: must match the model of the path')
  const texts = requests.map((request) =>
    (asArray(asRecord(asRecord(request)?.['content'])?.['parts']) ?? [])
      .map((part) => asString(asRecord(part)?.['text']) ?? '')
      .join(''),
  )
  return { model, dialect: dialectOf('google'), request: plain(model), kind: 'embedding', texts }
}

const plain = (model: string): ChatRequest => ({ model, messages: [], stream: false })

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new InvalidRequestError('the path is not valid')
  }
}

/** Whether the model lacks what the request needs. */
export function isLacking(facts: FakeModel, request: ChatRequest): boolean {
  const missing = facts.lacks ?? []
  if (missing.includes('tools') && (request.tools?.length ?? 0) > 0) return true
  if (missing.includes('json') && (request.responseFormat?.type ?? 'text') !== 'text') return true
  if (missing.includes('streaming') && request.stream) return true
  return (
    missing.includes('images') &&
    request.messages.some((message) => message.content.some((part) => part.type === 'image'))
  )
}

export function keyOf({ headers }: IncomingMessage): string {
  const bearer = /^Bearer\s+(.*)$/i.exec(headers.authorization ?? '')?.[1]
  return bearer ?? String(headers['x-api-key'] ?? headers['x-goog-api-key'] ?? headers['api-key'] ?? '')
}

/** A form as an object of its fields; a file is a `Blob`. */
export async function readCallBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    const part = chunk as Buffer // no encoding is set, so chunks are buffers
    bytes += part.length
    if (bytes > MAX_BODY_BYTES) throw new InvalidRequestError('the body is too large', { status: 413 })
    parts.push(part)
  }
  const type = request.headers['content-type'] ?? ''
  if (type.startsWith('multipart/')) return readForm(Buffer.concat(parts), type)
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch {
    throw new InvalidRequestError('the body is no JSON')
  }
}

async function readForm(bytes: Buffer, type: string): Promise<unknown> {
  try {
    const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData()
    return Object.fromEntries(form)
  } catch {
    throw new InvalidRequestError('the body is no form')
  }
}
