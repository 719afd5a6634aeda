/**
 * Bytes that arrive in pieces, kept in one growing piece of memory. A list of the pieces would cost some hundred bytes
 * for each, so that a body sent one byte at a time takes hundreds of times its size.
 */

const SMALLEST = 1024

export class ByteBuffer {
  readonly #most: number
  /** Of a first piece that was kept as it came: exactly that. */
  #memory: Buffer = EMPTY
  #length = 0
  #isOwn = true

  /** `most`: more bytes are never added, so that no more memory is taken for them; default: however many. */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most
  }

  get length(): number {
    return this.#length
  }

  /** Adds a copy: the caller may use its memory again. */
  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length
    if (!this.#isOwn || length > this.#memory.length) this.#grow(length)
    this.#memory.set(bytes, this.#length)
    this.#length = length
  }

  /** Adds bytes that nobody will change: a first piece, often the only one, is not copied. */
  hold(bytes: Buffer): void {
    if (this.#length > 0) return this.append(bytes)
    this.#memory = bytes
    this.#length = bytes.length
    this.#isOwn = false
  }

  /** What was added since the last `clear`; good until more is added. */
  view(): Buffer {
    return this.#memory.length === this.#length ? this.#memory : this.#memory.subarray(0, this.#length)
  }

  /** What was added, which is then the caller's; nothing is left. */
  take(): Buffer {
    const all = this.view()
    this.clear()
    return all
  }

  clear(): void {
    this.#memory = EMPTY
    this.#length = 0
    this.#isOwn = true
  }

  /** To twice the size, so that every byte is copied about once. */
  #grow(length: number): void {
    const size = Math.max(length, Math.min(this.#most, Math.max(SMALLEST, 2 * length)))
    const memory = Buffer.allocUnsafe(size)
    this.#memory.copy(memory, 0, 0, this.#length)
    this.#memory = memory
    this.#isOwn = true
  }
}

const EMPTY = Buffer.alloc(0)
