/** How fast something is used up, and when it will be gone at this pace. */

const HOUR_MS = 3_600_000

/** Pace is told by the last day, because hours of work and of sleep differ. */
export const PACE_MS = 24 * HOUR_MS

/**
 * Amount per hour, by what was spent in the last `PACE_MS` and when the first of it began (epoch milliseconds). Less
 * than an hour of spending counts as an hour, so that one call is not taken for a pace. Null: nothing was spent.
 */
export function pacePerHour(spent: number, firstAt: number, now: number): number | null {
  if (!(spent > 0)) return null
  const hours = Math.min(Math.max(now - firstAt, HOUR_MS), PACE_MS) / HOUR_MS
  return spent / hours
}

/** When what is left will be gone (epoch milliseconds): `now` where nothing is left, null where nothing is spent. */
export function goneAt(left: number, perHour: number | null, now: number): number | null {
  if (left <= 0) return now
  return perHour === null ? null : now + Math.ceil((left / perHour) * HOUR_MS)
}
