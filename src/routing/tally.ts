/** A count and a sum that forget together: the smallest thing that can be learned, and it adds up over processes. */

import { remaining } from './sums.ts'

export interface Tally {
  /** Epoch milliseconds to which the two have been brought. */
  asOf: number
  count: number
  sum: number
}

export function emptyTally(): Tally {
  return { asOf: 0, count: 0, sum: 0 }
}

/** Adds one observation; a late one counts for what would be left of it. */
export function addTo(tally: Tally, at: number, observed: number, halfLifeMs: number, weight = 1): void {
  if (at > tally.asOf) {
    const left = remaining(at - tally.asOf, halfLifeMs)
    tally.count *= left
    tally.sum *= left
    tally.asOf = at
  }
  const added = weight * remaining(tally.asOf - at, halfLifeMs)
  tally.count += added
  tally.sum += added * observed
}

export function countAt(tally: Tally, now: number, halfLifeMs: number): number {
  return tally.count * remaining(now - tally.asOf, halfLifeMs)
}

export function sumAt(tally: Tally, now: number, halfLifeMs: number): number {
  return tally.sum * remaining(now - tally.asOf, halfLifeMs)
}

/** Older evidence gives way once the count reaches the cap; the mean stays. */
export function capTally(tally: Tally, cap: number): void {
  if (tally.count <= cap) return
  tally.sum = (tally.sum * cap) / tally.count
  tally.count = cap
}

export function mergeTally(into: Tally, from: Tally, halfLifeMs: number): void {
  const asOf = Math.max(into.asOf, from.asOf)
  const left = remaining(asOf - into.asOf, halfLifeMs)
  const added = remaining(asOf - from.asOf, halfLifeMs)
  into.count = into.count * left + from.count * added
  into.sum = into.sum * left + from.sum * added
  into.asOf = asOf
}
