/**
 * The client's request for an upstream of the same dialect: its own bytes, with the upstream's name of the model put in.
 * Serialising a 200 KB prompt again costs more than everything else the gateway does with it.
 */

import type { ChatRequest, DialectId } from '../domain/chat.ts'
import type { Wire } from './ask.ts'

interface Place {
  readonly path: (model: string, stream: boolean) => string
  /** Whether the model stands in the body; Gemini has it in the path. */
  readonly inBody: boolean
  /** Put in front when the client streams and did not ask for usage itself. */
  readonly askForUsage?: string
  /** The field that limits the answer, where it stands at the top of the body. */
  readonly limit?: string
}

const PLACES: { readonly [D in DialectId]: Place } = {
  openai: {
    path: () => '/chat/completions',
    inBody: true,
    askForUsage: '"stream_options":{"include_usage":true},',
    limit: '"max_tokens"',
  },
  'openai-responses': { path: () => '/responses', inBody: true, limit: '"max_output_tokens"' },
  anthropic: { path: () => '/messages', inBody: true, limit: '"max_tokens"' },
  google: {
    path: (model, stream) => `/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    inBody: false,
  },
}

/**
 * Path and body; null when the bytes are not as simple as expected, and the request has to be written anew.
 * `maxTokens`: a limit to put in; null for none.
 */
export function spliceRequest(
  wire: Wire,
  request: ChatRequest,
  model: string,
  maxTokens: number | null = null,
): { path: string; body: Buffer } | null {
  const place = PLACES[wire.dialect]
  const path = place.path(encodeURI(model), request.stream)
  if (!place.inBody) return maxTokens === null ? { path, body: wire.body } : null
  const value = findModel(wire.body)
  if (value === null) return null
  const wantsUsage = request.stream && request.wantsUsage !== true && place.askForUsage !== undefined
  // What the client wrote itself, be it null, would stand there twice.
  if (wantsUsage && wire.body.includes('"stream_options"')) return null
  if (maxTokens !== null && (place.limit === undefined || wire.body.includes(place.limit))) return null
  const limit = maxTokens === null ? '' : `${place.limit}:${maxTokens},`
  const front = (wantsUsage ? place.askForUsage : '') + limit
  return { path, body: joined(wire.body, value, front, JSON.stringify(model)) }
}

interface Span {
  /** Of the first character after the opening brace. */
  readonly bodyStart: number
  /** Of the model's value, quotes included. */
  readonly start: number
  readonly end: number
}

function joined(body: Buffer, { bodyStart, start, end }: Span, front: string, model: string): Buffer {
  const frontBytes = Buffer.byteLength(front)
  const modelBytes = Buffer.byteLength(model)
  const result = Buffer.allocUnsafe(body.length + frontBytes + modelBytes - (end - start))
  let at = body.copy(result, 0, 0, bodyStart)
  at += result.write(front, at)
  at += body.copy(result, at, bodyStart, start)
  at += result.write(model, at)
  body.copy(result, at, end)
  return result
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const OPEN = new Set([0x7b, 0x5b])
const CLOSE = new Set([0x7d, 0x5d])
const KEY = Buffer.from('model')

/** Where the value of the top-level `model` stands. Strings are skipped natively; null for anything unusual. */
export function findModel(body: Buffer): Span | null {
  const bodyStart = skipSpace(body, 0) + 1
  if (body[bodyStart - 1] !== 0x7b) return null
  let depth = 1
  let at = bodyStart
  while (at < body.length) {
    const byte = body[at]!
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

function valueAt(body: Buffer, from: number, bodyStart: number): Span | null {
  const start = skipSpace(body, from)
  if (body[start] !== QUOTE) return null
  const end = endOfString(body, start)
  return end < 0 ? null : { bodyStart, start, end }
}

/** The index after the closing quote of the string that opens at `at`; -1 when it never closes. */
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
