/**
 * The waiting room: when nothing is free but something will be within a caller's patience, callers wait here, first
 * come first served, and are let out one after the other instead of as a herd. Whoever would wait in vain is told at
 * once when and with which target it can work.
 */

import { Lane, laneOf, type Opening, type Waiter, type WaitResult } from './queue.ts'

export interface WaitOptions {
  /** Asked again whenever it may have changed; null when nothing will ever be free. */
  readonly soonest: () => Opening | null
  /** How long this caller still waits. */
  readonly patienceMs: number
  /** When its request arrived: who was let out in vain and waits again keeps its place. Default: now. */
  readonly arrivedAt?: number
  readonly signal?: AbortSignal
}

/** The clock and the timers; tests bring their own. */
export interface Timing {
  now(): number
  /** Calls back after `delayMs` and returns what stops it. */
  after(delayMs: number, callback: () => void): () => void
}

/** Everybody is asked anew at least this often: clocks jump, and other processes take or free what we wait for. */
const ROUND_MS = 1_000

export class WaitingRoom {
  readonly #timing: Timing
  readonly #lanes = new Map<string, Lane>()
  readonly #waiters = new Set<Waiter>()
  #stopTimer = () => {}
  #roundAt = 0

  constructor(timing: Timing = systemTiming) {
    this.#timing = timing
  }

  /** How many wait. */
  get size(): number {
    return this.#waiters.size
  }

  /** Resolves when the caller should look again, or as soon as it is clear that waiting is in vain. Never rejects. */
  wait(options: WaitOptions): Promise<WaitResult> {
    if (options.signal?.aborted === true) return Promise.resolve('aborted')
    const now = this.#timing.now()
    const deadline = now + Math.max(0, options.patienceMs)
    const opening = options.soonest()
    if (opening === null) return Promise.resolve(failedBy(null))
    const expectedAt = this.#lane(opening).expectedAt(opening, options.arrivedAt ?? now, now)
    if (expectedAt > deadline) return Promise.resolve(failedBy({ ...opening, at: expectedAt }))
    return new Promise((resolve) => this.#enter(options, opening, deadline, resolve))
  }

  /** A call ended or a park was lifted: whoever is next need not wait for the timer. */
  changed(): void {
    if (this.#waiters.size === 0) return
    for (const lane of this.#lanes.values()) lane.changed(this.#timing.now())
    this.#look()
  }

  /** Sends everybody away; for the end of the process. */
  close(): void {
    for (const waiter of [...this.#waiters]) waiter.finish(failedBy(waiter.soonest()))
    this.#stopTimer()
  }

  #enter(options: WaitOptions, opening: Opening, deadline: number, resolve: (result: WaitResult) => void): void {
    const now = this.#timing.now()
    const { soonest, signal } = options
    const abort = () => waiter.finish('aborted')
    const stopPatience = this.#timing.after(deadline - now, () => waiter.finish(failedBy(soonest())))
    const waiter: Waiter = {
      soonest,
      arrivedAt: options.arrivedAt ?? now,
      joinedAt: now,
      deadline,
      lane: null,
      finish: (result) => {
        if (!this.#waiters.delete(waiter)) return
        waiter.lane?.remove(waiter)
        stopPatience()
        signal?.removeEventListener('abort', abort)
        resolve(result)
      },
    }
    signal?.addEventListener('abort', abort, { once: true })
    if (this.#waiters.size === 0) this.#roundAt = now + ROUND_MS
    this.#waiters.add(waiter)
    this.#lane(opening).add(waiter)
    this.#look()
  }

  /** Lets out the first of every lane whose turn has come, and sets the timer for the others. */
  #look(): void {
    const now = this.#timing.now()
    if (now >= this.#roundAt) this.#askEverybody(now)
    let nextAt = this.#roundAt
    for (const lane of [...this.#lanes.values()]) nextAt = Math.min(nextAt, this.#serve(lane, now))
    for (const [key, lane] of this.#lanes) if (lane.isIdle(now)) this.#lanes.delete(key)
    this.#stopTimer()
    if (this.#waiters.size > 0) this.#stopTimer = this.#timing.after(nextAt - now, () => this.#look())
  }

  /** Serves the head of a lane; returns when to look at it again, at least a millisecond from now. */
  #serve(lane: Lane, now: number): number {
    for (let first = lane.waiters[0]; first !== undefined; first = lane.waiters[0]) {
      const opening = first.soonest()
      if (!this.#isPlaced(first, opening)) continue
      const turnAt = lane.turnAt(opening!, now)
      if (turnAt > now) return turnAt
      lane.letFirstOut(opening!, now)
      if (lane.waiters.length > 0) return now + 1
    }
    return Number.POSITIVE_INFINITY
  }

  /** Whether the waiter stands in the right lane; moves it to another, or tells it that it waits in vain. */
  #isPlaced(waiter: Waiter, opening: Opening | null): boolean {
    if (opening === null || opening.at > waiter.deadline) {
      waiter.finish(failedBy(opening))
      return false
    }
    const lane = this.#lane(opening)
    if (waiter.lane === lane) return true
    waiter.lane?.remove(waiter)
    lane.add(waiter)
    return false
  }

  #askEverybody(now: number): void {
    this.#roundAt = now + ROUND_MS
    for (const waiter of [...this.#waiters]) this.#isPlaced(waiter, waiter.soonest())
  }

  #lane(opening: Opening): Lane {
    const key = laneOf(opening.target)
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      lane = new Lane()
      this.#lanes.set(key, lane)
    }
    return lane
  }
}

function failedBy(opening: Opening | null): WaitResult {
  return { failed: { retryAt: opening?.at ?? null, target: opening?.target ?? null } }
}

const systemTiming: Timing = {
  now: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}
