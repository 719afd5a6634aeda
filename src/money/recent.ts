/** What a budget's scope spent in the last day, by the hour, also across the end of a period: the evidence of a pace. */

import { PACE_MS, pacePerHour } from './pace.ts'

const HOUR_MS = 3_600_000
const HOURS = PACE_MS / HOUR_MS
/** While the clock jumps about. */
const MOST_KEPT = 100

interface Hour {
  spent: number
  calls: number
  /** When the first call that cost something began, in epoch milliseconds; Infinity: none did. */
  firstAt: number
}

export class RecentSpend {
  readonly #hours = new Map<number, Hour>()
  /** The hour added to last, and its number since 1970. */
  #last: Hour = { spent: 0, calls: 0, firstAt: Number.POSITIVE_INFINITY }
  #number = Number.NaN

  /** The start of the oldest hour that counts at `now`. */
  static since(now: number): number {
    return (hourOf(now) - HOURS + 1) * HOUR_MS
  }

  /** Adds what calls cost that began then. */
  add(startedAt: number, amount: number, calls = 1): void {
    const number = hourOf(startedAt)
    const hour = number === this.#number ? this.#last : this.#open(number)
    hour.spent += amount
    hour.calls += calls
    if (amount > 0 && startedAt < hour.firstAt) hour.firstAt = startedAt
  }

  clear(): void {
    this.#hours.clear()
    this.#number = Number.NaN
  }

  /** Amount per hour in the last 23 to 24 hours, or since the first of it; null when nothing was spent. */
  perHour(now: number): number | null {
    const since = RecentSpend.since(now)
    let spent = 0
    let firstAt = now
    for (const hour of this.#counted(now)) {
      spent += hour.spent
      firstAt = Math.min(firstAt, Math.max(since, hour.firstAt))
    }
    return pacePerHour(spent, firstAt, now)
  }

  /** How well the pace is known: calls, and the hours of the clock in which something was spent. */
  evidence(now: number): { readonly calls: number; readonly hours: number } {
    const counted = [...this.#counted(now)]
    const calls = counted.reduce((sum, hour) => sum + hour.calls, 0)
    return { calls, hours: counted.filter(({ spent }) => spent > 0).length }
  }

  *#counted(now: number): Generator<Hour> {
    const newest = hourOf(now)
    for (const [number, hour] of this.#hours) if (number <= newest && number > newest - HOURS) yield hour
  }

  #open(number: number): Hour {
    let hour = this.#hours.get(number)
    if (hour === undefined) {
      for (const other of this.#hours.keys())
        if (number - other >= HOURS || this.#hours.size > MOST_KEPT) this.#hours.delete(other)
      hour = { spent: 0, calls: 0, firstAt: Number.POSITIVE_INFINITY }
      this.#hours.set(number, hour)
    }
    this.#number = number
    this.#last = hour
    return hour
  }
}

const hourOf = (at: number) => Math.floor(at / HOUR_MS)
