/** What was learned about a target by hour of the day, with the evidence for each hour. */

import { firstToken, hourOf, hourOffset } from './estimate.ts'
import { HOUR_CAP, HOURS, remainingAt, type Sums, slot } from './sums.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export interface HourCell {
  /** 0 to 23, UTC. */
  readonly hour: number
  /** Observations that still count for this hour; their weight halves every 14 days. 0: none were made. */
  readonly observations: number
  /** How many times slower (above 1) or faster than its own average, shrunk by the evidence. */
  readonly factor: number
  /** Expected milliseconds to the first token at that hour. */
  readonly expectedMs: number
}

/** The 24 hours of a target, by the clock that it follows now. */
export function hourCells(row: Sums, now: number): readonly HourCell[] {
  const averageMs = firstToken(row, now).mean / Math.exp(hourOffset(row, now))
  const left = remainingAt(row, now, HOURS)
  const midnight = now - (now % DAY_MS)
  return Array.from({ length: 24 }, (_, hour) => {
    const clock = midnight + hour * HOUR_MS + row[slot.hourLead]!
    const factor = Math.exp(hourOffset(row, now, clock))
    const observations = Math.min(HOUR_CAP, row[slot.hourCount + hourOf(clock)]! * left)
    return { hour, observations, factor, expectedMs: averageMs * factor }
  })
}
