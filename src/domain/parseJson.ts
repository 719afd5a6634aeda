/** Reads JSON so that `JSON.stringify` writes every number as it was sent. */

import { rawNumber } from './rawNumber.ts'

/**
 * `JSON.parse`, except that a number which would not survive is a `RawNumber`. A reviver could do the same, but it is
 * called for every value and takes five times as long as parsing alone. So each such number is parsed as another one,
 * which stands for it and then gives it its place. Throws SyntaxError, and NestingError for what is nested more than `most`
 * levels deep, which uses up the stack of whoever reads or writes it; default: however deep.
 */
export function parseJson(text: string, most = Number.POSITIVE_INFINITY): unknown {
  const numbers = changedNumbers(text, most)
  if (numbers.length === 0) return JSON.parse(text)
  const sources = new Map<number, string>()
  let written = ''
  let from = 0
  for (const { start, source } of numbers) {
    const standIn = `${sources.size + 1}${STAND_IN_EXPONENT}`
    sources.set(Number(standIn), source)
    written += text.slice(from, start) + standIn
    from = start + source.length
  }
  return putBack(parsed(written + text.slice(from), text), sources)
}

export class NestingError extends RangeError {}

/** No other number that is left is as small: those of the text are replaced themselves, whether they change or not. */
const STAND_IN_EXPONENT = 'e-250'
const isStandIn = (value: number) => value > 0 && value < 1e-200

/** Parses `written`; what is wrong with it is said of the original. */
function parsed(written: string, original: string): unknown {
  try {
    return JSON.parse(written)
  } catch {
    return JSON.parse(original)
  }
}

interface FoundNumber {
  readonly start: number
  readonly source: string
}

const QUOTE = 0x22
const PLUS = 0x2b
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/**
 * Front to back, those that would be written differently, and those like a stand-in. Strings, most of a text, are skipped
 * natively. Throws NestingError where it is nested too deep, before the rest is looked at.
 */
function changedNumbers(text: string, most: number): readonly FoundNumber[] {
  const numbers: FoundNumber[] = []
  let open = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = closingQuote(text, at)
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++open > most) throw new NestingError(`nested more than ${most} levels deep`)
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) open--
    else if (code === MINUS || isDigit(code)) {
      const end = endOfNumber(text, at)
      const source = changedAt(text, at, end)
      if (source !== undefined) numbers.push({ start: at, source })
      at = end - 1
    }
  }
  return numbers
}

const isDigit = (code: number) => code >= ZERO && code <= NINE

/** The place of the quote that closes the string that opens at `open`; the end of a text in which none does. */
export function closingQuote(text: string, open: number): number {
  for (let quote = text.indexOf('"', open + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0
    while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return quote
  }
  return text.length
}

function endOfNumber(text: string, start: number): number {
  let at = start + 1
  for (let code = text.charCodeAt(at); isOfNumber(code); code = text.charCodeAt(at)) at++
  return at
}

/** Any letter counts, so that what is no number is not taken for one up to there. */
function isOfNumber(code: number): boolean {
  return isDigit(code) || code === POINT || code === MINUS || code === PLUS || isLetter(code)
}

function isLetter(code: number): boolean {
  const small = code | 0x20
  return small >= 0x61 && small <= 0x7a
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** The number if `JSON.stringify(JSON.parse(…))` would change it, or take it for a stand-in. */
function changedAt(text: string, start: number, end: number): string | undefined {
  if (end - start < 16 && survives(text, start, end)) return undefined
  const source = text.slice(start, end)
  const value = Number(source)
  if (String(value) === source && !isStandIn(value)) return undefined
  return NUMBER.test(source) ? source : undefined
}

/**
 * Of at most 15 digits, which every double keeps (DBL_DIG of IEEE 754): those without an exponent, a minus before 0, a
 * last 0 behind the point, and six zeros behind it, where `JSON.stringify` begins to write exponents.
 */
function survives(text: string, start: number, end: number): boolean {
  let point = -1
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code === POINT) point = at
    else if (code > NINE) return false
  }
  if (point < 0) return text.charCodeAt(start) !== MINUS || text.charCodeAt(start + 1) !== ZERO
  return text.charCodeAt(end - 1) !== ZERO && !text.startsWith('.000000', point)
}

/** With a list of its own instead of calls of itself: hostile texts nest deeper than the stack. */
function putBack(root: unknown, sources: ReadonlyMap<number, string>): unknown {
  const holder = [root]
  const open: object[] = [holder]
  const back = (value: unknown): unknown => {
    if (typeof value === 'object' && value !== null) open.push(value)
    const source = typeof value === 'number' && isStandIn(value) ? sources.get(value) : undefined
    return source === undefined ? value : rawNumber(source)
  }
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (Array.isArray(node)) for (let at = 0; at < node.length; at++) node[at] = back(node[at])
    else putBackFields(node as Record<string, unknown>, back) // JSON has nothing else
  }
  return holder[0]
}

function putBackFields(fields: Record<string, unknown>, back: (value: unknown) => unknown): void {
  for (const name of Object.keys(fields)) {
    const value = fields[name]
    const own = back(value)
    if (own !== value) fields[name] = own
  }
}

/** A value that `parseJson` made, as `JSON.parse` would have made it: for what is only read. */
export function withPlainNumbers(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  try {
    return JSON.parse(JSON.stringify(value))
  } catch {
    return value // nested deeper than the stack
  }
}
