/**
 * A long body without its long texts: enough to choose, to reserve and to know the conversation by. The texts themselves
 * only have to pass through, and parsing 200 KB of them costs more than everything else the gateway does.
 */

/** Shorter bodies are parsed whole. */
export const LONG_BODY = 48 * 1024
/** Texts longer than this are cut … */
const LONG_TEXT = 8192
/** … to about this much, which is more than anybody looks at (`session.ts`). */
const KEPT = 4352
const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Natively found quotes per text before a plain loop is quicker. */
const HOPS = 64

export interface Sketch {
  /** JSON of the same shape. */
  readonly text: string
  /** Bytes that were left out. */
  readonly leftOut: number
}

/** Null for a body that is no JSON object, or whose texts never end. */
export function sketchBody(body: Buffer): Sketch | null {
  const parts: string[] = []
  let from = 0
  let leftOut = 0
  for (let open = body.indexOf(QUOTE); open >= 0; ) {
    const end = endOfText(body, open)
    if (end < 0) return null
    if (end - open > LONG_TEXT) {
      const cut = cutIn(body, open + KEPT, open)
      if (cut < 0) return null
      parts.push(body.toString('utf8', from, cut), '"')
      leftOut += end - 1 - cut
      from = end
    }
    open = body.indexOf(QUOTE, end)
  }
  if (leftOut === 0) return null
  parts.push(body.toString('utf8', from))
  return { text: parts.join(''), leftOut }
}

/** The index after the closing quote of the text that opens at `open`; -1 when it never closes. */
export function endOfText(body: Buffer, open: number): number {
  let quote = open
  for (let hops = 0; hops < HOPS; hops++) {
    quote = body.indexOf(QUOTE, quote + 1)
    if (quote < 0) return -1
    if (!isEscaped(body, quote)) return quote + 1
  }
  for (let at = quote + 1; at < body.length; at++) {
    const byte = body[at]
    if (byte === BACKSLASH) at++
    else if (byte === QUOTE) return at + 1
  }
  return -1
}

function isEscaped(body: Buffer, quote: number): boolean {
  let backslashes = 0
  while (body[quote - 1 - backslashes] === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}

/** A place near `at` that is inside no escape and no character of several bytes; -1 when there is none. */
function cutIn(body: Buffer, at: number, open: number): number {
  for (let cut = at; cut > open + KEPT / 2; cut--) {
    if (body[cut]! < 0x80 && body[cut - 1]! < 0x80 && !hasEscape(body, cut)) return cut
  }
  return -1
}

/** Whether an escape (`\\n`, `\\u00e9`, a pair of those) begins in the twelve bytes before. */
function hasEscape(body: Buffer, cut: number): boolean {
  for (let at = cut - 12; at < cut; at++) if (body[at] === BACKSLASH) return true
  return false
}
