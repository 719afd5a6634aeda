/**
 * Simulated time for a product over real HTTP: it stands while anything works, and jumps to the next wake-up or interval
 * when everything waits. Unlike `VirtualClock` it also drives `setInterval` (deadlines of calls, housekeeping), so that
 * silent upstreams run into their deadlines and key checks are made, in seconds instead of days. For tests and benches.
 */

import { setImmediate as turn } from 'node:timers/promises'

interface Due {
  at: number
  readonly order: number
  /** Null for a wake-up, which happens once. */
  readonly everyMs: number | null
  readonly happen: () => void
}

interface TimeOptions {
  readonly startsAt: number
  /** Whether the simulated world is working on something that needs no time to pass. */
  readonly isBusy: () => boolean
}

/** Turns of the event loop without work after which everything is taken to wait for time. */
const QUIET_TURNS = 12

export class SimulatedTime {
  readonly #startedAt: number
  readonly #isBusy: () => boolean
  readonly #due = new Set<Due>()
  #now: number
  #order = 0

  constructor({ startsAt, isBusy }: TimeOptions) {
    this.#now = startsAt
    this.#startedAt = startsAt
    this.#isBusy = isBusy
  }

  /** Epoch milliseconds. */
  readonly now = (): number => this.#now

  /** Milliseconds since the beginning. */
  readonly monotonic = (): number => this.#now - this.#startedAt

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const due = this.#add(ms, null, resolve)
      const leave = () => {
        this.#due.delete(due)
        resolve()
      }
      if (signal?.aborted) leave()
      else signal?.addEventListener('abort', leave, { once: true })
    })

  /**
   * From now on intervals of this process follow the simulated time, until the returned function is called. Those of a
   * second or more happen every `coarseMs` at the most, because a month has many seconds. Default: as they are.
   */
  holdIntervals(coarseMs = 0): () => void {
    const real = { set: globalThis.setInterval, clear: globalThis.clearInterval }
    const own = new WeakMap<object, Due>()
    globalThis.setInterval = ((happen: () => void, ms = 1) => {
      const everyMs = ms >= 1000 ? Math.max(ms, coarseMs) : ms
      const due = this.#add(everyMs, everyMs, happen)
      const timer = { unref: () => timer, ref: () => timer, hasRef: () => false }
      own.set(timer, due)
      return timer
    }) as unknown as typeof setInterval // only what the product uses of a timer
    globalThis.clearInterval = ((timer?: object) => {
      const due = typeof timer === 'object' && timer !== null ? own.get(timer) : undefined
      if (due === undefined) real.clear(timer as NodeJS.Timeout | undefined)
      else this.#due.delete(due)
    }) as typeof clearInterval
    return () => {
      globalThis.setInterval = real.set
      globalThis.clearInterval = real.clear
    }
  }

  /** Lets time pass until the work is done. */
  async during<T>(work: Promise<T>): Promise<T> {
    let isDone = false
    const finish = () => {
      isDone = true
    }
    void work.then(finish, finish)
    for (let quiet = 0; !isDone; quiet++) {
      await turn()
      if (this.#isBusy()) quiet = 0
      if (quiet < QUIET_TURNS || isDone) continue
      const next = this.#next()
      if (next === undefined) continue
      this.#let(next)
      quiet = 0
    }
    return work
  }

  /** Lets time pass until `at`, and with it everything that is due before. */
  async until(at: number): Promise<void> {
    for (let next = this.#next(); next !== undefined && next.at <= at; next = this.#next()) {
      this.#let(next)
      do await turn()
      while (this.#isBusy())
    }
    this.#now = Math.max(this.#now, at)
  }

  #add(ms: number, everyMs: number | null, happen: () => void): Due {
    const due: Due = { at: this.#now + Math.max(0, ms), order: this.#order++, everyMs, happen }
    this.#due.add(due)
    return due
  }

  #next(): Due | undefined {
    let first: Due | undefined
    for (const due of this.#due)
      if (first === undefined || due.at < first.at || (due.at === first.at && due.order < first.order)) first = due
    return first
  }

  #let(due: Due): void {
    this.#now = Math.max(this.#now, due.at)
    if (due.everyMs === null) this.#due.delete(due)
    else due.at = this.#now + Math.max(1, due.everyMs)
    due.happen()
  }
}
