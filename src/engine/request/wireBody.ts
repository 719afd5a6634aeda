/**
 * A client's body as received, for upstreams of its dialect: only the model's name changes. Where it is near the front,
 * as usual, the bytes before it are rewritten into the headroom in front of the body, and the rest, which may be long,
 * is neither moved nor copied. Serialising a 200 KB prompt again would cost more than all other work of the gateway on
 * it.
 */

/** The structure of a long body: all keys and short values, without the long texts, in a few KB. */
export interface Skeleton {
  /** JSON of the same shape. */
  readonly bytes: Buffer
  /** Front to back. */
  readonly cuts: readonly Cut[]
}

export interface Cut {
  /** Index in the skeleton of the closing quote of a shortened text. */
  readonly at: number
  /** Bytes omitted before it. */
  readonly leftOut: number
}

interface ByteSpan {
  /** Of the first character after the opening brace. */
  readonly bodyStart: number
  /** Of the model's value, quotes included. */
  readonly start: number
  readonly end: number
}

/** The front, up to the model's value, is rewritten in place up to this length in bytes. */
const SHORT_FRONT = 256

export class WireBody {
  readonly #bytes: Buffer
  readonly #headroom: number
  /** Searched in place of a long body; null for a short one. */
  readonly #skeleton: Skeleton | null
  #span: ByteSpan | null | undefined
  /** The client's original front while it is replaced. */
  #front: Buffer | null = null

  /** `headroom`: unused bytes in front of `bytes` in the same memory. */
  constructor(bytes: Buffer, headroom: number, skeleton: Skeleton | null = null) {
    this.#bytes = bytes
    this.#headroom = headroom
    this.#skeleton = skeleton
  }

  /** The bytes as the client sent them. Invalidates what `withModel` returned. */
  original(): Buffer {
    this.#front?.copy(this.#bytes)
    this.#front = null
    return this.#bytes
  }

  /** Whether `text` (short, ASCII) occurs anywhere outside the long texts. */
  mentions(text: string): boolean {
    return (this.#skeleton?.bytes ?? this.original()).includes(text, 0, 'latin1')
  }

  /** The body with another model and `front` put first among its fields; null when the body is not simple enough. */
  withModel(model: string, front: string): Buffer | null {
    const body = this.original()
    if (this.#span === undefined) this.#span = this.#findModel(body)
    if (this.#span === null) return null
    const { bodyStart, start, end } = this.#span
    const name = Buffer.from(JSON.stringify(model))
    if (front === '' && name.equals(body.subarray(start, end))) return body
    const head = Buffer.concat([body.subarray(0, bodyStart), Buffer.from(front), body.subarray(bodyStart, start), name])
    if (end > SHORT_FRONT || head.length - end > this.#headroom) return Buffer.concat([head, body.subarray(end)])
    this.#front = Buffer.from(body.subarray(0, end))
    const rewritten = Buffer.from(body.buffer, body.byteOffset + end - head.length, head.length + body.length - end)
    head.copy(rewritten)
    return rewritten
  }

  #findModel(body: Buffer): ByteSpan | null {
    if (this.#skeleton === null) return findModel(body)
    const { bytes, cuts } = this.#skeleton
    const span = findModel(bytes)
    if (span === null) return null
    const inBody = (place: number) => cuts.reduce((sum, { at, leftOut }) => (at < place ? sum + leftOut : sum), place)
    return { bodyStart: span.bodyStart, start: inBody(span.start), end: inBody(span.end) }
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const OPEN = new Set([0x7b, 0x5b])
const CLOSE = new Set([0x7d, 0x5d])
const KEY = Buffer.from('model')

/** Finds the value of the top-level `model`. Skips strings natively; null for anything unusual. */
function findModel(body: Buffer): ByteSpan | null {
  const bodyStart = skipSpace(body, 0) + 1
  if (body[bodyStart - 1] !== 0x7b) return null
  let depth = 1
  let at = bodyStart
  while (at < body.length) {
    const byte = body[at] ?? 0
    if (byte === QUOTE) {
      const end = endOfString(body, at)
      if (end < 0) return null
      const after = depth === 1 ? skipSpace(body, end) : end
      if (
        depth === 1 &&
        body[after] === COLON &&
        end - at === KEY.length + 2 &&
        body.compare(KEY, 0, KEY.length, at + 1, end - 1) === 0
      ) {
        return valueAt(body, after + 1, bodyStart)
      }
      at = end
    } else {
      if (OPEN.has(byte)) depth++
      else if (CLOSE.has(byte)) depth--
      at++
    }
  }
  return null
}

function valueAt(body: Buffer, from: number, bodyStart: number): ByteSpan | null {
  const start = skipSpace(body, from)
  if (body[start] !== QUOTE) return null
  const end = endOfString(body, start)
  // Parsers take the last of two `model` keys, also when one is spelled with escapes: then nothing may be rewritten.
  if (end < 0 || body.indexOf('"model"', end) >= 0 || body.includes('\\u006')) return null
  return { bodyStart, start, end }
}

/** The index after the closing quote of the string that opens at `at`; -1 when it is unterminated. */
function endOfString(body: Buffer, at: number): number {
  let quote = at
  for (;;) {
    quote = body.indexOf(QUOTE, quote + 1)
    if (quote < 0) return -1
    let backslashes = 0
    while (body[quote - 1 - backslashes] === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return quote + 1
  }
}

function skipSpace(body: Buffer, from: number): number {
  let at = from
  while (body[at] === 0x20 || body[at] === 0x0a || body[at] === 0x0d || body[at] === 0x09) at++
  return at
}
