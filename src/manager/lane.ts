/** Those who wait for the same account and model: who is next, and when the next one may go. */

import type { Target } from '../domain/target.ts'

/** The soonest chance of a caller. */
export interface Opening {
  /** Epoch milliseconds; not later than now means "now". */
  readonly at: number
  readonly target: Target
  /** How many requests the limit lets through per window; absent or null when unknown: then the first goes alone. */
  readonly limit?: number | null
  /** The window of that limit; absent when unknown. */
  readonly windowMs?: number
}

export interface Waiter {
  readonly soonest: () => Opening | null
  readonly arrivedAt: number
  readonly joinedAt: number
  readonly deadline: number
  readonly finish: (result: WaitResult) => void
  /** Where it waits; null before it entered and after it left. */
  lane: Lane | null
}

/** `try`: look again, there should be room. `failed`: no chance within the patience; `retryAt` is the honest time. */
export type WaitResult =
  | 'try'
  | 'aborted'
  | { readonly failed: { readonly retryAt: number | null; readonly target: Target | null } }

/** A lane lets its callers out over at least this share of the window, or of the wait where no window is known. */
const SPREAD = 0.1
const SHORTEST_GAP_MS = 5
/** How long the one that went ahead is waited for when nobody says how it fared. */
const PROBE_MS = 2_000

export function laneOf(target: Target): string {
  return `${target.account} ${target.model}`
}

export class Lane {
  /** First come first: by arrival. */
  readonly waiters: Waiter[] = []
  #nextAt = 0
  #openedAt = Number.NEGATIVE_INFINITY
  /** How many went since `#openedAt`; counted against the limit. */
  #gone = 0
  /** What is known without a stated limit: nothing, that one went ahead to find out, or that it came back well. */
  #trial: 'none' | 'under-way' | 'passed' = 'none'

  add(waiter: Waiter): void {
    let place = this.waiters.length
    while (place > 0 && this.waiters[place - 1]!.arrivedAt > waiter.arrivedAt) place--
    this.waiters.splice(place, 0, waiter)
    waiter.lane = this
  }

  remove(waiter: Waiter): void {
    const place = this.waiters.indexOf(waiter)
    if (place >= 0) this.waiters.splice(place, 1)
    waiter.lane = null
  }

  /** When the first one may go. */
  turnAt(opening: Opening, now: number): number {
    if (opening.at > now && this.#trial === 'passed') this.#trial = 'none'
    return Math.max(opening.at, this.#nextAt)
  }

  /** When a caller's turn would come, behind those who arrived before it. */
  expectedAt(opening: Opening, arrivedAt: number, now: number): number {
    const firstAt = this.turnAt(opening, now)
    const { limit, windowMs = 0 } = opening
    const ahead = this.#ahead(arrivedAt)
    if (limit == null) return firstAt
    const gone = now < this.#openedAt + windowMs ? this.#gone : 0
    const windows = Math.floor((gone + ahead) / Math.max(1, limit))
    const from = gone > 0 && windows > 0 ? this.#openedAt : firstAt
    const placesIntoWindow = windows === 0 ? ahead : (gone + ahead) % Math.max(1, limit)
    return Math.max(firstAt, from + windows * windowMs) + placesIntoWindow * this.#gapMs(opening, opening.at - now)
  }

  /** The first one goes; decides when the next may. */
  letFirstOut(opening: Opening, now: number): void {
    const first = this.waiters[0]!
    const windowMs = opening.windowMs ?? 0
    if (now >= this.#openedAt + windowMs) this.#open(now)
    this.#gone++
    this.#nextAt = this.#nextTurn(opening, now - first.joinedAt, now)
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

  #open(now: number): void {
    this.#openedAt = now
    this.#gone = 0
  }

  #nextTurn(opening: Opening, waitedMs: number, now: number): number {
    const { limit, windowMs = 0 } = opening
    if (limit == null && this.#trial !== 'passed') {
      this.#trial = 'under-way'
      return now + PROBE_MS
    }
    if (limit != null && this.#gone >= limit && windowMs > 0) return this.#openedAt + windowMs
    return now + this.#gapMs(opening, waitedMs)
  }

  /** The pause between two: all that may go now, spread over a tenth of the window or of the wait. */
  #gapMs(opening: Opening, waitedMs: number): number {
    const going = Math.max(1, Math.min(this.waiters.length, opening.limit ?? this.waiters.length))
    return Math.max(SHORTEST_GAP_MS, (SPREAD * (opening.windowMs ?? waitedMs)) / going)
  }

  #ahead(arrivedAt: number): number {
    let ahead = 0
    while (ahead < this.waiters.length && this.waiters[ahead]!.arrivedAt <= arrivedAt) ahead++
    return ahead
  }
}
