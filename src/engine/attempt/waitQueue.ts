/**
 * The wait queue: when nothing is free but something will be within a caller's patience, requests wait here, first
 * come first served, and are released one after the other instead of as a herd. A request that would wait in vain is
 * refused at once, with the time and the target that could work.
 */

import { present } from '../../domain/present.ts'
import { type NextSlot, Queue, queueOf, type Waiter, type WaitResult } from './queue.ts'

interface WaitOptions {
  /** Evaluated again whenever it may have changed; null when nothing will be free. */
  readonly soonest: () => NextSlot | null
  /** Maximum milliseconds this request may still wait. */
  readonly patienceMs: number
  /** When the request arrived; one released in vain keeps its place when it waits again. Default: now. */
  readonly arrivedAt?: number
  readonly signal?: AbortSignal
}

/** The clock and the timers, injectable for tests. */
export interface Timing {
  now(): number
  /** Calls back after `delayMs`; returns a function that cancels it. */
  after(delayMs: number, callback: () => void): () => void
}

/** All waiters are re-evaluated at least this often: clocks jump, and other processes take or free limits. */
const ROUND_MS = 1_000
/** Two waiters may send each other to and fro; the next round ends that. */
const MOST_PASSES = 8

export class WaitQueue {
  readonly #timing: Timing
  readonly #queues = new Map<string, Queue>()
  readonly #waiters = new Set<Waiter>()
  #stopTimer = () => {}
  #roundAt = 0
  /** Whether a waiter changed its queue in the current pass. */
  #moved = false

  constructor(timing: Timing = systemTiming) {
    this.#timing = timing
  }

  /** Number of waiting requests. */
  get size(): number {
    return this.#waiters.size
  }

  /** Resolves when the request should decide again, or as soon as waiting is known to be in vain. Never rejects. */
  wait(options: WaitOptions): Promise<WaitResult> {
    if (options.signal?.aborted === true) return Promise.resolve('aborted')
    const now = this.#timing.now()
    const deadline = now + Math.max(0, options.patienceMs)
    const slot = options.soonest()
    if (slot === null) return Promise.resolve(failedBy(null))
    const expectedAt = this.#queue(slot).expectedAt(slot, options.arrivedAt ?? now, now)
    if (expectedAt > deadline) return Promise.resolve(failedBy({ ...slot, at: expectedAt }))
    return new Promise((resolve) => this.#enter(options, slot, deadline, resolve))
  }

  /** A call ended or a park was lifted: the next request need not wait for the timer. */
  changed(): void {
    if (this.#waiters.size === 0) return
    for (const queue of this.#queues.values()) queue.changed(this.#timing.now())
    this.#look()
  }

  /** Refuses all waiters, at the end of the process. */
  close(): void {
    for (const waiter of [...this.#waiters]) waiter.finish(failedBy(waiter.soonest()))
    this.#stopTimer()
  }

  #enter(options: WaitOptions, slot: NextSlot, deadline: number, resolve: (result: WaitResult) => void): void {
    const now = this.#timing.now()
    const { soonest, signal } = options
    const abort = () => waiter.finish('aborted')
    const stopPatience = this.#timing.after(deadline - now, () => waiter.finish(this.#atLast(soonest())))
    const waiter: Waiter = {
      soonest,
      arrivedAt: options.arrivedAt ?? now,
      joinedAt: now,
      deadline,
      queue: null,
      finish: (result) => {
        if (!this.#waiters.delete(waiter)) return
        waiter.queue?.remove(waiter)
        stopPatience()
        signal?.removeEventListener('abort', abort)
        resolve(result)
      },
    }
    signal?.addEventListener('abort', abort, { once: true })
    if (this.#waiters.size === 0) this.#roundAt = now + ROUND_MS
    this.#waiters.add(waiter)
    this.#queue(slot).add(waiter)
    this.#look()
  }

  /** The patience is over: where there is room by now, only the spacing of the releases was in the way. */
  #atLast(slot: NextSlot | null): WaitResult {
    return slot !== null && slot.at <= this.#timing.now() ? 'try' : failedBy(slot)
  }

  /** Releases the head of every queue whose turn has come, and sets the timer for the others. */
  #look(): void {
    const now = this.#timing.now()
    if (now >= this.#roundAt) this.#askEverybody(now)
    const nextAt = Math.min(this.#roundAt, this.#serveAll(now))
    for (const [key, queue] of this.#queues) if (queue.isIdle(now)) this.#queues.delete(key)
    this.#stopTimer()
    if (this.#waiters.size > 0) this.#stopTimer = this.#timing.after(nextAt - now, () => this.#look())
  }

  /** A waiter that moved to a queue served before is served with it in the next pass; usually there is none. */
  #serveAll(now: number): number {
    let nextAt = Number.POSITIVE_INFINITY
    for (let pass = 0; pass < MOST_PASSES; pass++) {
      this.#moved = false
      nextAt = Number.POSITIVE_INFINITY
      for (const queue of [...this.#queues.values()]) nextAt = Math.min(nextAt, this.#serve(queue, now))
      if (!this.#moved) break
    }
    return nextAt
  }

  /** Serves the head of a queue; returns when to look at it again, at least a millisecond from now. */
  #serve(queue: Queue, now: number): number {
    for (let first = queue.waiters[0]; first !== undefined; first = queue.waiters[0]) {
      const slot = first.soonest()
      if (!this.#isPlaced(first, slot)) continue
      const open = present(slot ?? undefined)
      const turnAt = queue.turnAt(open, now)
      if (turnAt > now) return turnAt
      queue.letFirstOut(open, now)
      if (queue.waiters.length > 0) return now + 1
    }
    return Number.POSITIVE_INFINITY
  }

  /** Whether the waiter is in the right queue; moves it to another, or refuses it when waiting is in vain. */
  #isPlaced(waiter: Waiter, slot: NextSlot | null): boolean {
    if (slot === null || slot.at > waiter.deadline) {
      waiter.finish(failedBy(slot))
      return false
    }
    const queue = this.#queue(slot)
    if (waiter.queue === queue) return true
    waiter.queue?.remove(waiter)
    queue.add(waiter)
    this.#moved = true
    return false
  }

  #askEverybody(now: number): void {
    this.#roundAt = now + ROUND_MS
    for (const waiter of [...this.#waiters]) this.#isPlaced(waiter, waiter.soonest())
  }

  #queue(slot: NextSlot): Queue {
    const key = queueOf(slot.target)
    let queue = this.#queues.get(key)
    if (queue === undefined) {
      queue = new Queue()
      this.#queues.set(key, queue)
    }
    return queue
  }
}

function failedBy(slot: NextSlot | null): WaitResult {
  return { failed: { retryAt: slot?.at ?? null, target: slot?.target ?? null } }
}

const systemTiming: Timing = {
  now: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}
