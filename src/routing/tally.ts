/** A count and a sum that decay together: the smallest unit of learning, additive across processes. */

import { remaining } from './sums.ts'

export interface OutcomeCounts {
  /** Epoch milliseconds to which both have been brought. */
  asOf: number
  count: number
  sum: number
}

export function emptyCounts(): OutcomeCounts {
  return { asOf: 0, count: 0, sum: 0 }
}

/** Adds one observation; a late one counts for what would remain of it. */
export function addTo(counts: OutcomeCounts, at: number, observed: number, halfLifeMs: number, weight = 1): void {
  if (at > counts.asOf) {
    const left = remaining(at - counts.asOf, halfLifeMs)
    counts.count *= left
    counts.sum *= left
    counts.asOf = at
  }
  const added = weight * remaining(counts.asOf - at, halfLifeMs)
  counts.count += added
  counts.sum += added * observed
}

export function countAt(counts: OutcomeCounts, now: number, halfLifeMs: number): number {
  return counts.count * remaining(now - counts.asOf, halfLifeMs)
}

export function sumAt(counts: OutcomeCounts, now: number, halfLifeMs: number): number {
  return counts.sum * remaining(now - counts.asOf, halfLifeMs)
}

export function mergeCounts(into: OutcomeCounts, from: OutcomeCounts, halfLifeMs: number): void {
  const asOf = Math.max(into.asOf, from.asOf)
  const left = remaining(asOf - into.asOf, halfLifeMs)
  const added = remaining(asOf - from.asOf, halfLifeMs)
  into.count = into.count * left + from.count * added
  into.sum = into.sum * left + from.sum * added
  into.asOf = asOf
}
