/** A set of short runs of characters, kept as hashes: small and capital letters are equal. */

// Odd numbers without a pattern. Two hashes of 32 bits: 30,000 keys meet no text by chance.
const [BASE, OTHER_BASE] = [0x9e3779b1, 0x85ebca77]

/** Spread over 32 bits, so that runs that differ in one character have hashes that differ in many places. */
const [VALUES, OTHER_VALUES] = [0x2c1b3c6d, 0x297a2d39].map((factor) =>
  Int32Array.from({ length: 128 }, (_, code) => {
    const spread = Math.imul(fold(code) + 1, factor)
    return Math.imul(spread ^ (spread >>> 15), 0x7feb352d)
  }),
) as [Int32Array, Int32Array] // of two factors

/** Small letters for capital ones. */
export function fold(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code + 0x20 : code
}

export function hashRun(codes: Uint16Array, start: number, length: number): readonly [one: number, other: number] {
  let one = length
  let other = length
  for (let at = start; at < start + length; at++) {
    const code = codes[at] ?? 0
    one = (Math.imul(one, BASE) + (VALUES[code] ?? code)) | 0
    other = (Math.imul(other, OTHER_BASE) + (OTHER_VALUES[code] ?? code)) | 0
  }
  // Zero marks a free slot.
  return [one || 1, other]
}

/** 256 KiB: an eighth of the bits are set by 30,000 keys. */
const FILTER_BITS = 21

export class RunHashes {
  /** Open addressing, two hashes a slot: 8 bytes in the place of the 40 and more of a `Set`. */
  #slots = new Int32Array(2 * 256)
  #count = 0
  /** Of the first four characters of any run, and of any four characters inside: what is not in here is in no run. */
  #filter: Int32Array | null = null

  get isEmpty(): boolean {
    return this.#filter === null
  }

  add(codes: Uint16Array, start: number, length: number): void {
    this.#filter ??= new Int32Array(1 << (FILTER_BITS - 5))
    for (let at = start; at + 4 <= start + length; at++) {
      const bit = filterBit(codes, at)
      this.#filter[bit >>> 5] = (this.#filter[bit >>> 5] ?? 0) | (1 << (bit & 31))
    }
    this.#insert(...hashRun(codes, start, length))
  }

  has(codes: Uint16Array, start: number, length: number): boolean {
    const [one, other] = hashRun(codes, start, length)
    return this.#slots[this.#slotOf(one, other)] !== 0
  }

  /** False: the four characters there are of no run. */
  mayHave(codes: Uint16Array, at: number): boolean {
    const bit = filterBit(codes, at)
    return ((this.#filter?.[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0
  }

  #insert(one: number, other: number): void {
    const at = this.#slotOf(one, other)
    if (this.#slots[at] !== 0) return
    this.#slots[at] = one
    this.#slots[at + 1] = other
    if (++this.#count * 4 > this.#slots.length) this.#grow()
  }

  /** Where the two are, or the free slot where they would be. */
  #slotOf(one: number, other: number): number {
    const slots = this.#slots
    const last = slots.length / 2 - 1
    // The high bits of a product depend on all bits of both.
    let at = Math.imul(one ^ (other >>> 15), BASE) >>> 6
    at &= last
    while (slots[at * 2] !== 0 && (slots[at * 2] !== one || slots[at * 2 + 1] !== other)) at = (at + 1) & last
    return at * 2
  }

  #grow(): void {
    const before = this.#slots
    this.#slots = new Int32Array(before.length * 2)
    this.#count = 0
    for (let at = 0; at < before.length; at += 2)
      if (before[at] !== 0) this.#insert(before[at] ?? 0, before[at + 1] ?? 0)
  }
}

function filterBit(codes: Uint16Array, at: number): number {
  let hash = 0
  for (let next = at; next < at + 4; next++) {
    const code = codes[next] ?? 0
    hash = (Math.imul(hash, BASE) + (VALUES[code] ?? code)) | 0
  }
  return hash >>> (32 - FILTER_BITS)
}
