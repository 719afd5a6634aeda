/** Deadlines of all running calls on one coarse timer: no timer or signal object per request. */

import { Bag } from '../domain/bag.ts'

/** How late a deadline may be noticed, in milliseconds. */
const TICK_MS = 50

export interface Expirable {
  /** Monotonic milliseconds at which `expire` is due; Infinity for never. May be moved at any time. */
  readonly deadlineAt: number
  expire(): void
  /** Ends it from our side. */
  abort(): void
}

/**
 * Calls `expire` of everything whose deadline passed, and `abort` of everything that still runs at the end. Runs only
 * while something is watched and never keeps the process alive.
 */
export class Deadlines {
  readonly #watched = new Bag<Expirable>()
  readonly #monotonic: () => number
  #timer: NodeJS.Timeout | undefined
  #lastTick = 0
  #closed = false

  constructor(monotonic: () => number = () => performance.now()) {
    this.#monotonic = monotonic
  }

  /** Calls under way. */
  get size(): number {
    return this.#watched.size
  }

  watch(call: Expirable): void {
    if (this.#closed) return call.abort()
    this.#watched.add(call)
    if (this.#timer !== undefined) return
    this.#lastTick = this.#monotonic()
    // What is waited for has a socket of its own that keeps the process alive.
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref()
  }

  /** Ends every call under way, and each that begins later. */
  close(): void {
    this.#closed = true
    this.#watched.forEach((call) => {
      call.abort()
    })
  }

  unwatch(call: Expirable): void {
    this.#watched.delete(call)
    if (this.#watched.size > 0 || this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    const now = this.#monotonic()
    // When our own event loop stood still, answers may be waiting in the socket: they are read before a call counts as late.
    const stalled = now - this.#lastTick > TICK_MS * 6
    this.#lastTick = now
    if (stalled) return
    this.#watched.forEach((call) => {
      if (call.deadlineAt <= now) call.expire()
    })
  }
}
