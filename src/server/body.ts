/** Reads a request's body: one buffer, bounded in size, and parsed once. */

import type { IncomingMessage } from 'node:http'
import { InvalidRequestError } from '../domain/errors.ts'

/** Resolves with the bytes. Throws InvalidRequestError (413, 415, 400). */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const wrong = wrongHeaders(request)
  if (wrong !== null) return Promise.reject(wrong)
  const length = Number(request.headers['content-length'])
  if (length > maxBytes) return Promise.reject(tooLarge(maxBytes))
  return new Promise(
    (resolve, reject) => new BodyReader(request, Number.isFinite(length) ? length : null, maxBytes, resolve, reject),
  )
}

function wrongHeaders({ headers }: IncomingMessage): InvalidRequestError | null {
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity')
    return new InvalidRequestError(
      `content-encoding ${encoding.slice(0, 40)} is not supported; send the body as it is`,
      { status: 415 },
    )
  const type = headers['content-type']
  if (type !== undefined && !/[/+]json\b/i.test(type))
    return new InvalidRequestError(`content-type ${type.slice(0, 60)} is not supported; send application/json`, {
      status: 415,
    })
  return null
}

const tooLarge = (maxBytes: number) =>
  new InvalidRequestError(
    `the body is larger than ${Math.round(maxBytes / 1_048_576)} MiB (settings.gateway.max_body_mb)`,
    { status: 413 },
  )

class BodyReader {
  readonly #maxBytes: number
  readonly #resolve: (body: Buffer) => void
  readonly #reject: (error: Error) => void
  /** Filled in place when the length is known: a copy less for big prompts. */
  readonly #whole: Buffer | null
  readonly #parts: Buffer[] = []
  #bytes = 0

  constructor(
    request: IncomingMessage,
    length: number | null,
    maxBytes: number,
    resolve: (body: Buffer) => void,
    reject: (error: Error) => void,
  ) {
    this.#maxBytes = maxBytes
    this.#resolve = resolve
    this.#reject = reject
    this.#whole = length === null || length < 16_384 ? null : Buffer.allocUnsafe(length)
    request.on('data', (chunk: Buffer) => this.#take(request, chunk))
    request.on('end', () => this.#finish())
    request.on('error', () =>
      this.#reject(new InvalidRequestError('the request broke off before its body was complete')),
    )
    request.on(
      'close',
      () =>
        request.complete || this.#reject(new InvalidRequestError('the request broke off before its body was complete')),
    )
  }

  #take(request: IncomingMessage, chunk: Buffer): void {
    if (this.#bytes + chunk.length > this.#maxBytes) {
      request.pause()
      return this.#reject(tooLarge(this.#maxBytes))
    }
    if (this.#whole === null) this.#parts.push(chunk)
    else chunk.copy(this.#whole, this.#bytes)
    this.#bytes += chunk.length
  }

  #finish(): void {
    if (this.#whole !== null) return this.#resolve(this.#whole.subarray(0, this.#bytes))
    const [only] = this.#parts
    this.#resolve(this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts))
  }
}

/** Deeper nesting is nobody's prompt; parsing it costs a stack. */
const MAX_DEPTH = 200

/** The body as JSON. Throws InvalidRequestError. */
export function parseBody(body: Buffer): unknown {
  if (body.length === 0) throw new InvalidRequestError('the body is empty; send a JSON object')
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    if (body.length > 2 * MAX_DEPTH && isTooDeep(body))
      throw new InvalidRequestError(`the body is nested more than ${MAX_DEPTH} levels deep`)
    return value
  } catch (error) {
    if (error instanceof InvalidRequestError) throw error
    throw new InvalidRequestError(
      `the body is no valid JSON: ${error instanceof Error ? error.message.replace(/"[^"]*"\.\.\.|\.\.\."[^"]*"/g, '…').slice(0, 120) : 'unreadable'}`,
    )
  }
}

/** Small bodies are left after a few native searches. */
function isTooDeep(body: Buffer): boolean {
  if (countOf(body, 0x5b) + countOf(body, 0x7b) < MAX_DEPTH) return false
  let depth = 0
  let inString = false
  for (let at = 0; at < body.length; at++) {
    const byte = body[at]
    if (inString) {
      if (byte === 0x5c) at++
      else if (byte === 0x22) inString = false
    } else if (byte === 0x22) inString = true
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > MAX_DEPTH) return true
    } else if (byte === 0x5d || byte === 0x7d) depth--
  }
  return false
}

function countOf(body: Buffer, byte: number): number {
  let count = 0
  for (let at = body.indexOf(byte); at >= 0 && count < MAX_DEPTH; at = body.indexOf(byte, at + 1)) count++
  return count
}
