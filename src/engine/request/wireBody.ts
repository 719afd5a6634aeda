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
  #searched: string | undefined
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
    return this.#text.includes(text)
  }

  /** One character a byte, so that places in it are places in the bytes; strings are searched faster than those. */
  get #text(): string {
    this.#searched ??= (this.#skeleton?.bytes ?? this.original()).toString('latin1')
    return this.#searched
  }

  /** The body with another model and `front` (ASCII) put first among its fields; null when the body is not simple enough. */
  withModel(model: string, front: string): Buffer | null {
    const body = this.original()
    this.#span ??= this.#findModel()
    if (this.#span === null) return null
    const { bodyStart, start, end } = this.#span
    const name = JSON.stringify(model)
    const nameLength = Buffer.byteLength(name)
    const isSame = front === '' && nameLength === end - start && body.toString('utf8', start, end) === name
    if (isSame) return body
    const headLength = start + front.length + nameLength
    const staysInPlace = end <= SHORT_FRONT && headLength - end <= this.#headroom
    if (staysInPlace) this.#front = Buffer.from(body.subarray(0, end))
    const rewritten = staysInPlace
      ? Buffer.from(body.buffer, body.byteOffset + end - headLength, headLength + body.length - end)
      : Buffer.allocUnsafe(headLength + body.length - end)
    const old = this.#front ?? body
    old.copy(rewritten, 0, 0, bodyStart)
    rewritten.write(front, bodyStart, 'latin1')
    old.copy(rewritten, bodyStart + front.length, bodyStart, start)
    rewritten.write(name, headLength - nameLength)
    if (!staysInPlace) body.copy(rewritten, headLength, end)
    return rewritten
  }

  #findModel(): ByteSpan | null {
    const span = findModel(this.#text)
    if (this.#skeleton === null || span === null) return span
    const { cuts } = this.#skeleton
    const inBody = (place: number) => cuts.reduce((sum, { at, leftOut }) => (at < place ? sum + leftOut : sum), place)
    return { bodyStart: span.bodyStart, start: inBody(span.start), end: inBody(span.end) }
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const KEY = '"model"'

/** Finds the value of the top-level `model`. Skips strings natively; null for anything unusual. */
function findModel(body: string): ByteSpan | null {
  const bodyStart = skipSpace(body, 0) + 1
  if (body.charCodeAt(bodyStart - 1) !== OPEN_BRACE) return null
  let depth = 1
  let at = bodyStart
  while (at < body.length) {
    const code = body.charCodeAt(at)
    if (code === QUOTE) {
      const end = endOfString(body, at)
      if (end < 0) return null
      if (depth === 1 && end - at === KEY.length && body.startsWith(KEY, at)) {
        const after = skipSpace(body, end)
        if (body.charCodeAt(after) === COLON) return valueAt(body, after + 1, bodyStart)
      }
      at = end
    } else {
      if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++
      else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--
      at++
    }
  }
  return null
}

function valueAt(body: string, from: number, bodyStart: number): ByteSpan | null {
  const start = skipSpace(body, from)
  if (body.charCodeAt(start) !== QUOTE) return null
  const end = endOfString(body, start)
  // Parsers take the last of two `model` keys, also when one is spelled with escapes: then nothing may be rewritten.
  if (end < 0 || body.includes(KEY, end) || body.includes('\\u006')) return null
  return { bodyStart, start, end }
}

/** The index after the closing quote of the string that opens at `at`; -1 when it is unterminated. */
function endOfString(body: string, at: number): number {
  for (let quote = body.indexOf('"', at + 1); quote >= 0; quote = body.indexOf('"', quote + 1)) {
    let backslashes = 0
    while (body.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return quote + 1
  }
  return -1
}

function skipSpace(body: string, from: number): number {
  let at = from
  while (isSpace(body.charCodeAt(at))) at++
  return at
}

const isSpace = (code: number) => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
