/**
 * How the limit of a paced budget grows: slice by slice over its period, each slice with a share as large as its part of
 * the time. The share of a slice may be spent from its beginning; what is not spent of it may be spent later.
 */

import { type BudgetPer, calendarPeriod, type Period } from './period.ts'

/** A slice of a period. */
interface Share extends Period {
  /** What may be spent from the beginning of the period until the end of this slice. */
  readonly allowed: number
}

interface Paced {
  readonly limit: number
  readonly per: BudgetPer
  readonly timeZone: string
}

/** Short periods have this many slices: of five seconds, or five minutes. Others have hours or days of the calendar. */
const SLICES = 12
const SLICE_OF: { readonly [P in BudgetPer]?: 'hour' | 'day' } = { day: 'hour', week: 'day', month: 'day' }

export class Shares {
  readonly #paced: Paced
  #all: readonly Share[] = []
  #last: Share = { start: 0, end: 0, allowed: 0 }

  constructor(paced: Paced) {
    this.#paced = paced
  }

  /** The slice that contains a time. Cheap while consecutive times fall into one. */
  at(now: number): Share {
    const last = this.#last
    if (now >= last.start && now < last.end) return last
    const all = this.#sharesAt(now)
    this.#last = all.find(({ end }) => now < end) ?? last
    return this.#last
  }

  /**
   * When there is room for a call, where `committed` is spent or set aside in this period; null: never, because it is
   * larger than the budget.
   */
  roomAt(amount: number, committed: number, now: number): number | null {
    const { limit } = this.#paced
    if (amount > limit) return null
    const all = this.#sharesAt(now)
    const fits = committed + amount <= limit
    const need = fits ? committed + amount : amount
    const shares = fits ? all : this.#sharesOf(this.#periodAt(all.at(-1)?.end ?? now))
    const share = shares.find(({ end, allowed }) => end > now && allowed >= need)
    return share === undefined ? null : Math.max(share.start, now)
  }

  #sharesAt(now: number): readonly Share[] {
    const [first] = this.#all
    const last = this.#all.at(-1)
    if (first === undefined || last === undefined || now < first.start || now >= last.end)
      this.#all = this.#sharesOf(this.#periodAt(now))
    return this.#all
  }

  #periodAt(now: number): Period {
    return calendarPeriod(this.#paced.per, now, this.#paced.timeZone)
  }

  #sharesOf(period: Period): readonly Share[] {
    const shares: Share[] = []
    for (let start = period.start; start < period.end; ) {
      const end = Math.min(this.#sliceEnd(period, start), period.end)
      shares.push({ start, end, allowed: shareUntil(end, period, this.#paced.limit) })
      start = end
    }
    return shares
  }

  #sliceEnd({ start, end }: Period, from: number): number {
    const { per, timeZone } = this.#paced
    const slice = SLICE_OF[per]
    return slice === undefined ? from + (end - start) / SLICES : calendarPeriod(slice, from, timeZone).end
  }
}

/** Rounded up, so that one of few requests may be made at once. */
function shareUntil(until: number, { start, end }: Period, limit: number): number {
  const length = BigInt(end - start)
  return Number((BigInt(limit) * BigInt(until - start) + length - 1n) / length)
}
