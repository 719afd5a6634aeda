/** Reads a request's body into one buffer of bounded size, and parses it once. */

import { isAscii } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { InvalidRequestError } from '../domain/errors.ts'
import { NestingError, parseJson } from '../domain/parseJson.ts'

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
  readonly #parts: Buffer[] = []
  #bytes = 0

  constructor(
    request: IncomingMessage,
    length: number | null,
    maxBytes: number,
    resolve: (body: ReadBody) => void,
    reject: (error: Error) => void,
  ) {
    this.#maxBytes = maxBytes
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
    if (this.#whole === null) this.#parts.push(chunk)
    else chunk.copy(this.#whole, HEADROOM + this.#bytes)
    this.#bytes += chunk.length
  }

  #finish(): void {
    if (this.#whole !== null)
      return this.#resolve({ bytes: this.#whole.subarray(HEADROOM, HEADROOM + this.#bytes), headroom: HEADROOM })
    const [only] = this.#parts
    this.#resolve({
      bytes: this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts),
      headroom: 0,
    })
  }
}

/** No real prompt nests deeper, and parsing it would use up the stack. */
const MAX_DEPTH = 200

/** The body as JSON, its numbers as they were sent. Throws InvalidRequestError. */
export function parseBody(body: Buffer): unknown {
  if (body.length === 0) throw new InvalidRequestError('the body is empty; send a JSON object')
  try {
    return parseJson(textOf(body), MAX_DEPTH)
  } catch (error) {
    const what = error instanceof NestingError ? error.message : `not valid JSON: ${reasonOf(error)}`
    throw new InvalidRequestError(`the body is ${what}`)
  }
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
