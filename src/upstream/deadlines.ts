/** Deadlines of all running calls on one coarse timer: no timer or signal object per request. */

import { Bag } from '../domain/bag.ts'

/** How late a deadline may be noticed, in milliseconds. */
const TICK_MS = 50

export interface Expirable {
  /** Monotonic milliseconds at which `expire` is due; Infinity for never. May be moved at any time. */
  readonly deadlineAt: number
  expire(): void
}

/**
 * Calls `expire` of everything whose deadline passed. Runs only while something is watched and never keeps the process
 * alive.
 */
export class Deadlines {
  readonly #watched = new Bag<Expirable>()
  readonly #monotonic: () => number
  #timer: NodeJS.Timeout | undefined
  #lastTick = 0

  constructor(monotonic: () => number = () => performance.now()) {
    this.#monotonic = monotonic
  }

  watch(call: Expirable): void {
    this.#watched.add(call)
    if (this.#timer !== undefined) return
    this.#lastTick = this.#monotonic()
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  unwatch(call: Expirable): void {
    this.#watched.delete(call)
    if (this.#watched.size > 0 || this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    const now = this.#monotonic()
    // When our own event loop stood still, answers may be waiting in the socket: read them before judging anybody late.
    const stalled = now - this.#lastTick > TICK_MS * 6
    this.#lastTick = now
    if (stalled) return
    this.#watched.forEach((call) => {
      if (call.deadlineAt <= now) call.expire()
    })
  }
}
