/** Reads a request's body into one buffer of bounded size, and parses it once. */

import { isAscii } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { ByteBuffer } from '../domain/byteBuffer.ts'
import { InvalidRequestError } from '../domain/errors.ts'
import { jsonInSlices, TooManyPartsError } from '../domain/jsonInSlices.ts'
import { NestingError, parseJson } from '../domain/parseJson.ts'
import { inTurns } from '../upstream/inTurns.ts'

export interface ReadBody {
  readonly bytes: Buffer
  /** Unused bytes directly before `bytes` in the same memory. */
  readonly headroom: number
}

/** Resolves with the bytes. Rejects with InvalidRequestError (413, 415, 400). */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<ReadBody> {
  const refused = refusedUnread(request, maxBytes, JSON_ONLY)
  if (refused !== null) return Promise.reject(refused)
  const length = Number(request.headers['content-length'])
  return new Promise(
    (resolve, reject) => new BodyReader(request, Number.isFinite(length) ? length : null, maxBytes, resolve, reject),
  )
}

/**
 * The body as it comes; reading on waits for whoever takes it. Throws InvalidRequestError (413, 415, 400), at once for
 * what the headers say. What is not read stays unread, so that an answer can be sent.
 */
export function bodyChunks(request: IncomingMessage, maxBytes: number, types: BodyTypes): AsyncIterable<Buffer> {
  const refused = refusedUnread(request, maxBytes, types)
  if (refused !== null) throw refused
  return boundedChunks(request, maxBytes)
}

async function* boundedChunks(request: IncomingMessage, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += chunk.length
      if (bytes > maxBytes) throw tooLarge(maxBytes)
      yield chunk
    }
  } catch (error) {
    throw error instanceof InvalidRequestError ? error : brokeOff()
  }
  if (!request.complete) throw brokeOff()
}

/** What the headers alone are refused for; null for nothing. */
function refusedUnread(request: IncomingMessage, maxBytes: number, types: BodyTypes): InvalidRequestError | null {
  const wrong = wrongHeaders(request, types)
  if (wrong !== null) return wrong
  if (Number(request.headers['content-length']) > maxBytes) return tooLarge(maxBytes)
  // The client left before anything was read: no event will say so any more.
  return request.destroyed ? brokeOff() : null
}

interface BodyTypes {
  readonly pattern: RegExp
  /** For the sentence that says what is taken. */
  readonly names: string
}

const JSON_ONLY: BodyTypes = { pattern: /[/+]json\b/i, names: 'application/json' }
export const FORM_ONLY: BodyTypes = { pattern: /^multipart\/form-data\s*(?:;|$)/i, names: 'multipart/form-data' }

function wrongHeaders({ headers }: IncomingMessage, { pattern, names }: BodyTypes): InvalidRequestError | null {
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity')
    return new InvalidRequestError(
      `content-encoding ${encoding.slice(0, 40)} is not supported; send the body as it is`,
      { status: 415 },
    )
  const type = headers['content-type']
  if (type !== undefined && !pattern.test(type))
    return new InvalidRequestError(`content-type ${type.slice(0, 60)} is not supported; send ${names}`, {
      status: 415,
    })
  return null
}

const brokeOff = () => new InvalidRequestError('the request broke off before its body was complete')

const tooLarge = (maxBytes: number) =>
  new InvalidRequestError(
    `the body is larger than ${Math.round(maxBytes / 1_048_576)} MiB (settings.gateway.max_body_mb)`,
    { status: 413 },
  )

/** Room to insert a longer model name and `stream_options`. */
const HEADROOM = 512

class BodyReader {
  readonly #maxBytes: number
  readonly #resolve: (body: ReadBody) => void
  readonly #reject: (error: Error) => void
  /** Filled in place when the length is known: one copy less for large prompts. */
  readonly #whole: Buffer | null
  readonly #parts: ByteBuffer
  #bytes = 0

  constructor(
    request: IncomingMessage,
    length: number | null,
    maxBytes: number,
    resolve: (body: ReadBody) => void,
    reject: (error: Error) => void,
  ) {
    this.#maxBytes = maxBytes
    this.#parts = new ByteBuffer(maxBytes)
    this.#resolve = resolve
    this.#reject = reject
    this.#whole = length === null || length < 16_384 ? null : Buffer.allocUnsafe(HEADROOM + length)
    request.on('data', (chunk: Buffer) => this.#take(request, chunk))
    request.on('end', () => this.#finish())
    // An aborted request also closes; its 'error' adds nothing, and is not emitted without a listener.
    request.on('close', () => {
      if (!request.complete) this.#reject(brokeOff())
    })
  }

  #take(request: IncomingMessage, chunk: Buffer): void {
    if (this.#bytes + chunk.length > this.#maxBytes) {
      request.pause()
      return this.#reject(tooLarge(this.#maxBytes))
    }
    if (this.#whole === null) this.#parts.hold(chunk)
    else chunk.copy(this.#whole, HEADROOM + this.#bytes)
    this.#bytes += chunk.length
  }

  #finish(): void {
    if (this.#whole !== null)
      return this.#resolve({ bytes: this.#whole.subarray(HEADROOM, HEADROOM + this.#bytes), headroom: HEADROOM })
    this.#resolve({ bytes: this.#parts.take(), headroom: 0 })
  }
}

/** No real prompt nests deeper, and parsing it would use up the stack. */
const MAX_DEPTH = 200

/**
 * Most objects, lists and fields in a body. Anthropic takes 100,000 messages in one request, the most of all services
 * (https://platform.claude.com/docs/en/api/messages, read 2026-11-30); each is an object with a role, and a list of
 * objects with a type and a text.
 */
const MAX_PARTS = 500_000
/** Most elements of lists and fields. OpenAI takes 2,048 lists of up to 8,192 token ids, 300,000 in all, to embed. */
const MAX_ELEMENTS = 4_000_000
/** Longer bodies are parsed in slices, so that other requests are served meanwhile. */
export const SLICED_BODY = 1024 * 1024

/** The body as JSON, its numbers as they were sent; a long one is read in slices. Throws InvalidRequestError. */
export function jsonBody(body: Buffer): unknown {
  return body.length <= SLICED_BODY ? parseBody(body) : parseInSlices(body)
}

async function parseInSlices(body: Buffer): Promise<unknown> {
  try {
    const limits = { maxDepth: MAX_DEPTH, maxParts: MAX_PARTS, maxElements: MAX_ELEMENTS }
    return await inTurns(jsonInSlices(textOf(body), limits))
  } catch (error) {
    throw refusalOf(error)
  }
}

/** As `jsonBody`, in one go: for what is short, or known to be made of few parts. */
export function parseBody(body: Buffer): unknown {
  if (body.length === 0) throw new InvalidRequestError('the body is empty; send a JSON object')
  try {
    return parseJson(textOf(body), MAX_DEPTH)
  } catch (error) {
    throw refusalOf(error)
  }
}

function refusalOf(error: unknown): InvalidRequestError {
  const isBound = error instanceof NestingError || error instanceof TooManyPartsError
  return new InvalidRequestError(`the body is ${isBound ? error.message : `not valid JSON: ${reasonOf(error)}`}`)
}

/** The parser's message without the part of the body it quotes. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : 'unreadable'
  return text.replace(/"[^"]*"\.\.\.|\.\.\."[^"]*"/g, '…').slice(0, 120)
}

/** Plain ASCII, as most prompts are, takes half the time of UTF-8 decoding. */
function textOf(body: Buffer): string {
  return body.toString(isAscii(body) ? 'latin1' : 'utf8')
}
