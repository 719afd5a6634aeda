/** Deadlines of all running calls on one coarse timer: no timer or signal object per request. */

import { Bag } from '../domain/bag.ts'

/** How late a deadline may be noticed, in milliseconds. */
const TICK_MS = 50
/** A tick later than this means that our own event loop stood still. */
const STALL_MS = 300
/** After a stall no call is late for as long as it took, and at most this long, in milliseconds. */
const MOST_GRACE_MS = 2_000

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
  /** By the clock of the event loop, which no test turns. */
  #lastTick = 0
  #graceTicks = 0
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
    this.#lastTick = performance.now()
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
    const turnAt = performance.now()
    const sinceLast = turnAt - this.#lastTick
    this.#lastTick = turnAt
    // While our own event loop stood still, answers came that nobody read, and upstreams waited for what we had not sent.
    if (sinceLast > STALL_MS) this.#graceTicks = Math.ceil(Math.min(sinceLast, MOST_GRACE_MS) / TICK_MS)
    if (this.#graceTicks > 0) return void this.#graceTicks--
    const now = this.#monotonic()
    this.#watched.forEach((call) => {
      if (call.deadlineAt <= now) call.expire()
    })
  }
}
