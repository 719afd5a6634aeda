/**
 * A long body without its long texts: enough to choose a target, reserve quota and identify the conversation. The texts
 * are only passed through, and parsing 200 KB of them costs more than everything else the gateway does.
 */

import { isEscaped } from '../../domain/escapedByte.ts'
import type { Cut, Skeleton } from '../../engine/request/wireBody.ts'

/** Shorter bodies are parsed whole. */
export const LONG_BODY = 48 * 1024
/** Texts longer than this are cut … */
const LONG_TEXT = 8192
/** … to about this length, which is more than any reader needs (`session.ts`). */
const KEPT = 4352
/** A body of more texts is not made of long ones, and is read in slices instead: to look at all of them takes time. */
const MOST_TEXTS = 100_000
const QUOTE = 0x22
const BACKSLASH = 0x5c
const FOUR_QUOTES = 0x22222222
/** Quotes closer together than this are searched for word by word … */
const CLOSE = 64
/** … for this many bytes. */
const STRETCH = 1024

interface BodyOutline extends Skeleton {
  /** Number of bytes left out. */
  readonly leftOut: number
}

/** Null if the body is not a JSON object, has an unterminated text, too many texts, or nothing to cut. */
export function outlineBody(body: Buffer): BodyOutline | null {
  const parts: Buffer[] = []
  const cuts: Cut[] = []
  let size = 0
  let from = 0
  let leftOut = 0
  let texts = 0
  for (let open = body.indexOf(QUOTE); open >= 0; ) {
    const end = endOfText(body, open)
    if (end < 0 || ++texts > MOST_TEXTS) return null
    if (end - open > LONG_TEXT) {
      const cut = cutIn(body, open + KEPT, open)
      if (cut < 0) return null
      parts.push(body.subarray(from, cut))
      size += cut - from
      cuts.push({ at: size, leftOut: end - 1 - cut })
      leftOut += end - 1 - cut
      // The text's own closing quote ends what remains of it.
      from = end - 1
    }
    open = body.indexOf(QUOTE, end)
  }
  if (leftOut === 0) return null
  parts.push(body.subarray(from))
  return { bytes: Buffer.concat(parts), cuts, leftOut }
}

/**
 * The index after the closing quote of the text that opens at `open`; -1 if it is unterminated. `indexOf` is native,
 * but where quotes are close together, as in JSON within JSON, calling it costs more than it saves.
 */
export function endOfText(body: Buffer, open: number): number {
  let from = open + 1
  let closeUntil = 0
  let words: DataView | null = null
  for (;;) {
    const quote = words !== null && from < closeUntil ? closeQuote(body, words, from) : body.indexOf(QUOTE, from)
    if (quote < 0) return -1
    if (!isEscaped(body, quote)) return quote + 1
    if (quote - from < CLOSE) {
      words ??= new DataView(body.buffer, body.byteOffset, body.length)
      closeUntil = quote + STRETCH
    }
    from = quote + 1
  }
}

/** The next quote, four bytes at a time (https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord). */
function closeQuote(body: Buffer, words: DataView, from: number): number {
  const last = Math.min(from + STRETCH, body.length) - 4
  for (let at = from; at <= last; at += 4) {
    const word = words.getInt32(at, true) ^ FOUR_QUOTES
    const zeros = (word - 0x01010101) & ~word & 0x80808080
    if (zeros !== 0) return at + ((31 - Math.clz32(zeros & -zeros)) >> 3)
  }
  return body.indexOf(QUOTE, Math.max(from, last + 1))
}

/** An index near `at` outside any escape and any multi-byte character; -1 if there is none. */
function cutIn(body: Buffer, at: number, open: number): number {
  for (let cut = at; cut > open + KEPT / 2; cut--) {
    if ((body[cut] ?? 0x80) < 0x80 && (body[cut - 1] ?? 0x80) < 0x80 && !hasEscape(body, cut)) return cut
  }
  return -1
}

/** Whether an escape (`\\n`, `\\u00e9`, a surrogate pair) begins in the twelve bytes before. */
function hasEscape(body: Buffer, cut: number): boolean {
  for (let at = cut - 12; at < cut; at++) if (body[at] === BACKSLASH) return true
  return false
}
