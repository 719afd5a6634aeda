/** Requests waiting for the same account and model: which is next, and when it may go. */

import type { Target } from '../../domain/target.ts'

/** The soonest time at which a request can be served. */
export interface NextSlot {
  /** Epoch milliseconds; not later than now means "now". */
  readonly at: number
  readonly target: Target
  /** Requests the limit allows per window; absent or null when unknown: then the first goes alone. */
  readonly limit?: number | null
  /** The window of that limit; absent when unknown, 0 where the limit is of parallel calls. */
  readonly windowMs?: number
}

export interface Waiter {
  readonly soonest: () => NextSlot | null
  readonly arrivedAt: number
  readonly joinedAt: number
  readonly deadline: number
  readonly finish: (result: WaitResult) => void
  /** The queue it is in; null before it entered and after it left. */
  queue: Queue | null
}

/**
 * `try`: look again, there should be room. `failed`: no chance within the patience; `retryAt` says when there is one.
 */
export type WaitResult =
  | 'try'
  | 'aborted'
  | { readonly failed: { readonly retryAt: number | null; readonly target: Target | null } }

/** A queue releases its requests over at least this share of the window or of the wait. */
const SPREAD = 0.1
const SHORTEST_GAP_MS = 5
/** How long to wait for the result of the first request when none is reported. */
const PROBE_MS = 2_000

export function queueOf(target: Target): string {
  return `${target.account} ${target.model}`
}

export class Queue {
  /** Ordered by arrival. */
  readonly waiters: Waiter[] = []
  #nextAt = 0
  /** When the current slot ends and counting starts again. */
  #closesAt = Number.NEGATIVE_INFINITY
  /** Requests released in this slot, counted against the limit. */
  #gone = 0
  /** Milliseconds between two releases. */
  #gapMs = SHORTEST_GAP_MS
  /** Without a stated limit: nothing is known, a first request is finding out, or it succeeded. */
  #trial: 'none' | 'under-way' | 'passed' = 'none'

  add(waiter: Waiter): void {
    const place = this.waiters.findLastIndex(({ arrivedAt }) => arrivedAt <= waiter.arrivedAt) + 1
    this.waiters.splice(place, 0, waiter)
    waiter.queue = this
  }

  remove(waiter: Waiter): void {
    const place = this.waiters.indexOf(waiter)
    if (place >= 0) this.waiters.splice(place, 1)
    waiter.queue = null
  }

  /** When the head may go. */
  turnAt(slot: NextSlot, now: number): number {
    if (slot.at > now && this.#trial === 'passed') this.#trial = 'none'
    return Math.max(slot.at, this.#nextAt)
  }

  /** When a request's turn would come, behind those that arrived earlier. */
  expectedAt(slot: NextSlot, arrivedAt: number, now: number): number {
    const firstAt = this.turnAt(slot, now)
    const { limit, windowMs = 0 } = slot
    if (limit == null) return firstAt
    const isOpen = now < this.#closesAt && slot.at <= now
    const inFront = this.#ahead(arrivedAt) + (isOpen ? this.#gone : 0)
    const slots = Math.floor(inFront / Math.max(1, limit))
    if (slots === 0) return firstAt
    return isOpen ? this.#closesAt + (slots - 1) * windowMs : firstAt + slots * windowMs
  }

  /** Releases the head and decides when the next may go. */
  letFirstOut(slot: NextSlot, now: number): void {
    const [first] = this.waiters
    if (first === undefined) return
    if (now >= this.#closesAt) this.#open(slot, now - first.joinedAt, now)
    this.#gone++
    this.#nextAt = this.#nextTurn(slot, now)
    first.finish('try')
  }

  /** A call ended: it may be the first request's. */
  changed(now: number): void {
    if (this.#trial !== 'under-way') return
    this.#trial = 'passed'
    this.#nextAt = now
  }

  /** Nothing waits and nothing released still counts. */
  isIdle(now: number): boolean {
    return this.waiters.length === 0 && this.#nextAt <= now
  }

  /** Releases are spread over a tenth of the window, or of the wait where no window is known. */
  #open({ limit, windowMs }: NextSlot, waitedMs: number, now: number): void {
    // Some of those waiting elsewhere will move here, so the limit counts, not the present length.
    const going = Math.max(1, limit ?? this.waiters.length)
    this.#gapMs = windowMs === 0 ? 0 : Math.max(SHORTEST_GAP_MS, (SPREAD * (windowMs ?? waitedMs)) / going)
    this.#closesAt = now + Math.max(windowMs ?? 0, this.#gapMs * going)
    this.#gone = 0
  }

  #nextTurn({ limit, windowMs }: NextSlot, now: number): number {
    if (limit == null && this.#trial !== 'passed') {
      this.#trial = 'under-way'
      return now + PROBE_MS
    }
    const isUsedUp = limit != null && windowMs !== undefined && this.#gone >= limit
    return isUsedUp ? this.#closesAt : now + this.#gapMs
  }

  #ahead(arrivedAt: number): number {
    const later = this.waiters.findIndex((waiter) => waiter.arrivedAt > arrivedAt)
    return later < 0 ? this.waiters.length : later
  }
}
