/** When a budget will be spent at its pace, and what it will have spent when its period ends. */

import { isoOrNull } from '../domain/isoTime.ts'
import { nanoToUsd } from './amount.ts'
import type { BudgetUnit } from './budgetRule.ts'
import { goneAt } from './pace.ts'
import type { Period } from './period.ts'

const HOUR_MS = 3_600_000
/** A budget that lasts longer is told to last. */
const FAR_MS = 100 * 365 * 24 * HOUR_MS

/** In the budget's unit. */
export interface Forecast {
  /** Per hour; 0: nothing in the last 24 hours. */
  readonly perHour: number
  /** Epoch milliseconds at which the budget will be spent, `now` when it is; null: not before its period ends. */
  readonly spentAt: number | null
  /** What will be spent when the period ends, or will be in a rolling window; null for a budget without an end. */
  readonly atEnd: number | null
}

/** A forecast in JSON; amounts are in the budget's unit. */
export interface ForecastView {
  /** What is spent per hour, by the last 24 hours. */
  readonly perHour: number
  /** Null for a budget that is not in USD. */
  readonly perHourUsd: number | null
  /** ISO 8601: when the budget will be spent, the present when it is; null where it lasts its period. */
  readonly spentAt: string | null
  /** What will be spent when the period ends, or will be in a rolling window; null for a budget in total. */
  readonly atEnd: number | null
  /** Null for a budget that is not in USD, or in total. */
  readonly atEndUsd: number | null
}

export function forecastView({ perHour, spentAt, atEnd }: Forecast, unit: BudgetUnit): ForecastView {
  const usd = (nanoUsd: number | null) => (unit === 'usd' && nanoUsd !== null ? nanoToUsd(Math.round(nanoUsd)) : null)
  return {
    perHour: Math.round(perHour * 1000) / 1000,
    perHourUsd: usd(perHour),
    spentAt: isoOrNull(spentAt),
    atEnd,
    atEndUsd: usd(atEnd),
  }
}

interface Spending {
  readonly limit: number
  readonly spent: number
  readonly perHour: number
}

/** Of a budget that begins anew at `end`; Infinity: never. */
export function calendarForecast({ limit, spent, perHour }: Spending, end: number, now: number): Forecast {
  const gone = goneAt(limit - spent, perHour > 0 ? perHour : null, now)
  const isBefore = gone !== null && gone < Math.min(end, now + FAR_MS)
  const atEnd = Number.isFinite(end) ? Math.round(spent + (perHour * (end - now)) / HOUR_MS) : null
  return { perHour, spentAt: isBefore ? gone : null, atEnd }
}

/** What was spent in one slot of a rolling window, and when it leaves the window. */
export interface Leaving {
  readonly spent: number
  readonly leavesAt: number
}

/** Of a rolling window of that length: what is in it leaves it slot by slot, soonest first, while more comes. */
export function rollingForecast(
  { limit, spent, perHour }: Spending,
  leaving: readonly Leaving[],
  windowMs: number,
  now: number,
): Forecast {
  const atEnd = Math.round((perHour * windowMs) / HOUR_MS)
  let left = limit - spent
  for (const one of leaving) {
    const gone = goneAt(left, perHour > 0 ? perHour : null, now)
    if (gone === null || gone < one.leavesAt) return { perHour, spentAt: gone, atEnd }
    left += one.spent
  }
  const gone = goneAt(left, perHour > 0 ? perHour : null, now)
  return { perHour, spentAt: gone !== null && gone < now + windowMs ? gone : null, atEnd }
}

/** The least of a short period by which its pace is told, so that its first call is not taken for a pace. */
const LEAST_OF_PERIOD = 1 / 4

/** Pace of a minute or an hour, which the last day would not describe: by the period itself. */
export function shortPace(spent: number, { start, end }: Period, now: number): number {
  return (spent / Math.max(now - start, (end - start) * LEAST_OF_PERIOD)) * HOUR_MS
}
