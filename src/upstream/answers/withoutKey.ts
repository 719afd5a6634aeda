/**
 * Takes the key that was used out of a good answer, before anything else reads or passes on its bytes. In what a model
 * said only the whole key is masked: a text may quote a few of its characters. Everywhere else (ids, names, fingerprints,
 * comments, fields that nobody knows) 8 characters in a row are.
 */

import { isEscaped } from '../../domain/escapedByte.ts'
import type { KeyTrace, KeyTraces } from '../keyTraces.ts'
import { CONTENT } from './contentFields.ts'

const MASK = Buffer.from('…')
const EMPTY = Buffer.alloc(0)
/** So much of what has gone is kept to know in which field the next bytes are. */
const MOST_BEFORE = 160
/** Longer strings are something a model said. */
const LONGEST_NAME_OR_ID = 4096

const [QUOTE, BACKSLASH, COLON, NEWLINE, RETURN, SPACE] = [0x22, 0x5c, 0x3a, 0x0a, 0x0d, 0x20]
const ESCAPE = Buffer.from('\\u00')

/** A whole body. `isOpaque`: it is neither JSON nor events, so that nothing in it is known to be an id. */
export function withoutKey(body: Buffer, traces: KeyTraces | null, isOpaque = false): Buffer {
  if (traces === null) return body
  const plain = isOpaque ? body : unescaped(body, 0)
  return traces.mayBeIn(plain) ? masked(plain, traces.find(plain), { isOpaque, from: 0 }) : plain
}

/** For a body that comes in pieces. What ends like a part of the key is held until it is known how it goes on. */
export class KeyFilter {
  readonly #traces: KeyTraces
  readonly #isOpaque: boolean
  #held = EMPTY
  /** What has gone; its last bytes say in which field the next ones are. */
  readonly #gone = Buffer.allocUnsafe(8 * MOST_BEFORE)
  #goneLength = 0
  /** The last bytes that have gone, and a piece too short to be looked through alone. */
  readonly #seam = Buffer.allocUnsafe(8)

  constructor(traces: KeyTraces, isOpaque: boolean) {
    this.#traces = traces
    this.#isOpaque = isOpaque
  }

  /** What may be read and passed on of it; nearly always the piece itself. */
  push(piece: Buffer): Buffer {
    if (this.#held.length === 0 && !this.#needsLook(piece)) return this.#passed(piece)
    const all = Buffer.concat([this.#before(), this.#held, piece])
    const open = Math.max(this.#traces.openEnd(all), openEscape(all))
    const from = Math.min(this.#goneLength, MOST_BEFORE)
    return this.#clean(all, all.length - Math.min(open, all.length - from))
  }

  /** What was held of a body that is over. */
  end(): Buffer {
    if (this.#held.length === 0) return EMPTY
    const all = Buffer.concat([this.#before(), this.#held])
    return this.#clean(all, all.length)
  }

  #needsLook(piece: Buffer): boolean {
    return (
      this.#traces.mayBeIn(piece.length < 4 ? this.#withSeam(piece) : piece) ||
      (!this.#isOpaque && (piece.includes(ESCAPE) || openEscape(piece) > 0))
    )
  }

  /** `until`: what is behind it is held. */
  #clean(all: Buffer, until: number): Buffer {
    const from = Math.min(this.#goneLength, MOST_BEFORE)
    this.#held = Buffer.from(all.subarray(until))
    const seen = all.subarray(0, until)
    const plain = this.#isOpaque ? seen : unescaped(seen, from)
    return this.#passed(masked(plain, this.#traces.find(plain), { isOpaque: this.#isOpaque, from }))
  }

  /** Four bytes tell whether a trace may go on from what has gone; a body may come by single ones. */
  #withSeam(piece: Buffer): Buffer {
    const count = Math.min(3, this.#goneLength)
    this.#gone.copy(this.#seam, 0, this.#goneLength - count, this.#goneLength)
    piece.copy(this.#seam, count)
    return this.#seam.subarray(0, count + piece.length)
  }

  #before(): Buffer {
    return this.#gone.subarray(Math.max(0, this.#goneLength - MOST_BEFORE), this.#goneLength)
  }

  #passed(bytes: Buffer): Buffer {
    const last = bytes.length > MOST_BEFORE ? bytes.subarray(-MOST_BEFORE) : bytes
    if (this.#goneLength + last.length > this.#gone.length) {
      this.#goneLength = this.#before().copy(this.#gone)
    }
    this.#goneLength += last.copy(this.#gone, this.#goneLength)
    return bytes
  }
}

interface View {
  readonly isOpaque: boolean
  /** What is before it has gone already. */
  readonly from: number
}

function masked(bytes: Buffer, traces: readonly KeyTrace[], { isOpaque, from }: View): Buffer {
  const kept: Buffer[] = []
  let at = from
  let said = -1
  for (const { start, end, isWhole } of traces) {
    if (end <= at) continue
    if (!isWhole && (isOpaque || isContent(bytes, start, said))) {
      said = start
      continue
    }
    kept.push(bytes.subarray(at, Math.max(at, start)), MASK)
    at = end
  }
  const rest = bytes.subarray(at)
  return kept.length === 0 ? rest : Buffer.concat([...kept, rest])
}

/**
 * Whether a place is inside of something said. `said`: an earlier place that is, so that a long text is not looked
 * through again for every trace in it.
 */
function isContent(bytes: Buffer, place: number, said: number): boolean {
  for (let at = place - 1; at >= 0; at--) {
    const byte = bytes[at]
    // No text of JSON has a line break: this is a comment, an id or the name of an event.
    if (byte === NEWLINE || byte === RETURN) return false
    if (at === said || place - at > LONGEST_NAME_OR_ID) return true
    if (byte === QUOTE && !isEscaped(bytes, at)) return CONTENT.has(fieldBefore(bytes, at))
  }
  // Of a text that begins before what is kept: ids are shorter.
  return place >= MOST_BEFORE
}

/** The name of the field whose text begins at this quote; '' where it is itself a name, or one of a list. */
function fieldBefore(bytes: Buffer, quote: number): string {
  let end = quote - 1
  while (bytes[end] === SPACE) end--
  if (bytes[end] !== COLON) return ''
  end--
  while (bytes[end] === SPACE) end--
  if (bytes[end] !== QUOTE) return ''
  const start = bytes.lastIndexOf(QUOTE, end - 1)
  return start < 0 ? '' : bytes.toString('latin1', start + 1, end)
}

/** Letters and digits that are escaped for no reason stand for themselves; no server needs to write them so. */
function unescaped(bytes: Buffer, start: number): Buffer {
  let at = bytes.indexOf(ESCAPE, start)
  if (at < 0) return bytes
  const kept: Buffer[] = []
  let from = 0
  for (; at >= 0; at = bytes.indexOf(ESCAPE, at + 1)) {
    const code = Number.parseInt(bytes.toString('latin1', at + 4, at + 6), 16)
    if (isEscaped(bytes, at) || !/^[\w.:+/=~-]$/.test(String.fromCharCode(code))) continue
    kept.push(bytes.subarray(from, at), Buffer.from([code]))
    from = at + 6
  }
  return from === 0 ? bytes : Buffer.concat([...kept, bytes.subarray(from)])
}

/** How many bytes at the end are the beginning of an escape. */
function openEscape(bytes: Buffer): number {
  for (let length = 1; length <= 5 && length <= bytes.length; length++)
    if (bytes[bytes.length - length] === BACKSLASH) {
      const at = bytes.length - length
      const isBegun = /^\\(?:u(?:0(?:0[2-7]?)?)?)?$/.test(bytes.toString('latin1', at))
      return isBegun && !isEscaped(bytes, at) ? length : 0
    }
  return 0
}
