/** Those who wait for the same account and model: who is next, and when the next one may go. */

import type { Target } from '../../domain/target.ts'

/** The soonest chance of a caller. */
export interface NextSlot {
  /** Epoch milliseconds; not later than now means "now". */
  readonly at: number
  readonly target: Target
  /** How many requests the limit lets through per window; absent or null when unknown: then the first goes alone. */
  readonly limit?: number | null
  /** The window of that limit; absent when unknown. */
  readonly windowMs?: number
}

export interface Waiter {
  readonly soonest: () => NextSlot | null
  readonly arrivedAt: number
  readonly joinedAt: number
  readonly deadline: number
  readonly finish: (result: WaitResult) => void
  /** Where it waits; null before it entered and after it left. */
  queue: Queue | null
}

/** `try`: look again, there should be room. `failed`: no chance within the patience; `retryAt` is the honest time. */
export type WaitResult =
  | 'try'
  | 'aborted'
  | { readonly failed: { readonly retryAt: number | null; readonly target: Target | null } }

/** A queue lets its callers out over at least this share of the window or of the wait. */
const SPREAD = 0.1
const SHORTEST_GAP_MS = 5
/** How long the one that went ahead is waited for when nobody says how it fared. */
const PROBE_MS = 2_000

export function queueOf(target: Target): string {
  return `${target.account} ${target.model}`
}

export class Queue {
  /** First come first: by arrival. */
  readonly waiters: Waiter[] = []
  #nextAt = 0
  /** When the current slot is over, and the next one begins to count anew. */
  #closesAt = Number.NEGATIVE_INFINITY
  /** How many went in this slot; counted against the limit. */
  #gone = 0
  /** The pause between two. */
  #gapMs = SHORTEST_GAP_MS
  /** What is known without a stated limit: nothing, that one went ahead to find out, or that it came back well. */
  #trial: 'none' | 'under-way' | 'passed' = 'none'

  add(waiter: Waiter): void {
    let place = this.waiters.length
    while (place > 0 && this.waiters[place - 1]!.arrivedAt > waiter.arrivedAt) place--
    this.waiters.splice(place, 0, waiter)
    waiter.queue = this
  }

  remove(waiter: Waiter): void {
    const place = this.waiters.indexOf(waiter)
    if (place >= 0) this.waiters.splice(place, 1)
    waiter.queue = null
  }

  /** When the first one may go. */
  turnAt(slot: NextSlot, now: number): number {
    if (slot.at > now && this.#trial === 'passed') this.#trial = 'none'
    return Math.max(slot.at, this.#nextAt)
  }

  /** When a caller's turn would come, behind those who arrived before it. */
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

  /** The first one goes; decides when the next may. */
  letFirstOut(slot: NextSlot, now: number): void {
    const first = this.waiters[0]!
    if (now >= this.#closesAt) this.#open(slot, now - first.joinedAt, now)
    this.#gone++
    this.#nextAt = this.#nextTurn(slot, now)
    first.finish('try')
  }

  /** A call ended somewhere: the one that went ahead may be back. */
  changed(now: number): void {
    if (this.#trial !== 'under-way') return
    this.#trial = 'passed'
    this.#nextAt = now
  }

  /** Nobody waits and nothing that was let out still counts. */
  isIdle(now: number): boolean {
    return this.waiters.length === 0 && this.#nextAt <= now
  }

  /** All that may go now are spread over a tenth of the window, or of the wait where no window is known. */
  #open({ limit, windowMs }: NextSlot, waitedMs: number, now: number): void {
    // Of those that wait elsewhere some will come over, so the limit counts, not who is here already.
    const going = Math.max(1, limit ?? this.waiters.length)
    this.#gapMs = Math.max(SHORTEST_GAP_MS, (SPREAD * (windowMs ?? waitedMs)) / going)
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
    let ahead = 0
    while (ahead < this.waiters.length && this.waiters[ahead]!.arrivedAt <= arrivedAt) ahead++
    return ahead
  }
}
