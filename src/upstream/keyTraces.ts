/** What of one key is looked for in the bytes of an answer, so that nearly every chunk is passed after a glance. */

import { insideWord, isRow, isSecret, looksRandom, publicPrefix } from '../domain/keyParts.ts'

/** Fewer characters of a key may stay; as in texts. */
const RUN = 8
/** Of a value of words only the whole is looked for, and shorter words are in many an answer. */
const LEAST_WHOLE = 8

interface Needle {
  /** With the bit set that tells small letters from capital ones. */
  readonly bytes: Uint8Array
  /** So many of them in a row are a trace. */
  readonly least: number
  /** The key itself rather than a form of it, exactly as it is sent. */
  readonly exact: Uint8Array | null
  /** Whether a run of it is part of a word, which stands in other texts as well. */
  readonly isWord: (start: number, length: number) => boolean
}

/** Where a trace is, and whether it is the key as a whole. */
export interface KeyTrace {
  readonly start: number
  readonly end: number
  readonly isWhole: boolean
}

/** A power of two: the bits of the filter, of which a key sets less than two in a hundred. */
const FILTER = 32_768

export class KeyTraces {
  readonly #whole: string
  readonly #needles: readonly Needle[]
  readonly #filter = new Uint8Array(FILTER / 8)
  /** A trace of so many bytes has four that begin at a place that is looked at. */
  readonly #step: number

  private constructor(secret: string, needles: readonly Needle[]) {
    this.#whole = secret
    this.#needles = needles
    this.#step = Math.min(...needles.map(({ least }) => least)) - 3
    for (const { bytes } of needles)
      for (let at = 0; at + 4 <= bytes.length; at++) {
        const bit = bitOf(bytes, at)
        this.#filter[bit >>> 3] = (this.#filter[bit >>> 3] ?? 0) | (1 << (bit & 7))
      }
  }

  /** What is secret of the key: all of it, or what is behind its public prefix. */
  get whole(): string {
    return this.#whole
  }

  /** Nothing of it is printed with what holds it. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return 'KeyTraces {}'
  }

  /** Null for a value that is no secret, and for words so short that answers have them of their own. */
  static of(key: string): KeyTraces | null {
    const part = key.slice(publicPrefix(key).length)
    const isGuarded = part.length >= RUN && looksRandom(part)
    if (!isSecret(key) || (!isGuarded && key.length < LEAST_WHOLE)) return null
    const exact = Buffer.from(isGuarded ? part : key)
    const whole = {
      bytes: folded(exact),
      least: isGuarded ? RUN : exact.length,
      exact,
      isWord: insideWord(isGuarded ? part : ''),
    }
    return new KeyTraces(isGuarded ? part : key, isGuarded ? [whole, ...encodedForms(key)] : [whole])
  }

  /**
   * False: no trace is in these bytes, and none goes on from what came before or into what comes behind. A glance at one
   * byte in five, because it is taken at every answer.
   */
  mayBeIn(bytes: Uint8Array): boolean {
    const last = bytes.length - 4
    if (last < 0) return true
    const filter = this.#filter
    const step = this.#step
    for (let at = 0; at <= last; at += step) {
      const bit = bitOf(bytes, at)
      if (((filter[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0 && (at === 0 || this.#seemsLong(bytes, at))) return true
    }
    return this.openEnd(bytes) > 0
  }

  /** Whether so many places in a row pass as a trace around this one has. */
  #seemsLong(bytes: Uint8Array, at: number): boolean {
    let start = at
    let end = at + 1
    while (end - start < this.#step && this.#passes(bytes, end)) end++
    while (end - start < this.#step && start > 0 && this.#passes(bytes, start - 1)) start--
    return end - start >= this.#step
  }

  /** In order, apart from each other. */
  find(bytes: Uint8Array): readonly KeyTrace[] {
    const found: KeyTrace[] = []
    for (let at = 0; at + 4 <= bytes.length; at += this.#step) {
      const trace = this.#passes(bytes, at) && this.#seemsLong(bytes, at) ? this.#traceAt(bytes, at) : null
      if (trace === null) continue
      const before = found.at(-1)
      if (before === undefined || trace.start >= before.end) found.push(trace)
      else if (trace.end > before.end) found.push({ ...trace, start: before.end, isWhole: false })
      at = trace.end - this.#step
    }
    return found
  }

  /** How many bytes at the end may go on as a trace: of those the next bytes decide. */
  openEnd(bytes: Uint8Array): number {
    const at = bytes.length - 4
    if (at < 0 || !this.#passes(bytes, at)) return 0
    let most = 0
    for (const { bytes: needle } of this.#needles)
      for (let place = placeOf(needle, bytes, at, 0); place >= 0; place = placeOf(needle, bytes, at, place + 1))
        if (place + 4 < needle.length) most = Math.max(most, 4 + equalBefore(needle, place, bytes, at))
    return most
  }

  #passes(bytes: Uint8Array, at: number): boolean {
    const bit = bitOf(bytes, at)
    return ((this.#filter[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0
  }

  /** The longest trace around the four bytes. */
  #traceAt(bytes: Uint8Array, at: number): KeyTrace | null {
    let longest: KeyTrace | null = null
    for (const { bytes: needle, least, exact, isWord } of this.#needles)
      for (let place = placeOf(needle, bytes, at, 0); place >= 0; place = placeOf(needle, bytes, at, place + 1)) {
        const start = at - equalBefore(needle, place, bytes, at)
        const end = at + equalFrom(needle, place, bytes, at)
        if (isWord(place - at + start, end - start)) continue
        if (end - start < least || (longest !== null && longest.end - longest.start >= end - start)) continue
        const isWhole = exact !== null && isEqual(bytes.subarray(start, end), exact)
        if (isWhole || !isRow(bytes, start, end)) longest = { start, end, isWhole }
      }
    return longest
  }
}

function bitOf(bytes: Uint8Array, at: number): number {
  const four =
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24) |
    0x20202020
  return (Math.imul(four, 0x9e3779b1) >>> 16) & (FILTER - 1)
}

function folded(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte | 0x20)
}

/** Base64 of the key, whatever stands before it: of three in a row one has it from this digit on. */
function encodedForms(key: string): Needle[] {
  const forms = [0, 1, 2].map((before) => {
    const whole = Buffer.from(' '.repeat(before) + key)
      .toString('base64')
      .replace(/=+$/, '')
    // The first digits also hold what is before it, the last one what is behind it.
    return whole.slice(before === 0 ? 0 : before + 1, -1)
  })
  const all = new Set(forms.flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')]))
  return [...all].map((form) => ({
    bytes: folded(Buffer.from(form)),
    least: RUN + 3,
    exact: null,
    isWord: () => false,
  }))
}

/** The next place of the needle with the same four bytes; -1 for none. */
function placeOf(needle: Uint8Array, bytes: Uint8Array, at: number, from: number): number {
  for (let place = from; place + 4 <= needle.length; place++) if (equalFrom(needle, place, bytes, at) >= 4) return place
  return -1
}

function equalFrom(needle: Uint8Array, place: number, bytes: Uint8Array, at: number): number {
  let count = 0
  while (place + count < needle.length && at + count < bytes.length) {
    if (((bytes[at + count] ?? 0) | 0x20) !== needle[place + count]) break
    count++
  }
  return count
}

function equalBefore(needle: Uint8Array, place: number, bytes: Uint8Array, at: number): number {
  let count = 0
  while (count < place && count < at) {
    if (((bytes[at - count - 1] ?? 0) | 0x20) !== needle[place - count - 1]) break
    count++
  }
  return count
}

function isEqual(bytes: Uint8Array, exact: Uint8Array): boolean {
  return bytes.length === exact.length && bytes.every((byte, at) => byte === exact[at])
}
