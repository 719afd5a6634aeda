/** When a calendar quota resets: midnight somewhere, the end of a month, or a day after the event. */

import type { DayBoundary } from '../domain/failure.ts'
import { present } from '../domain/present.ts'
import { instantOf, wallClockOf, zoneNamed } from './waits/zones.ts'

const DAY_MS = 86_400_000

/** The end of the quota day that contains `at` (both epoch ms). Without a known boundary: 24 hours later. */
export function nextDay(anchor: DayBoundary, at: number): number {
  if (anchor === 'UTC') return (Math.floor(at / DAY_MS) + 1) * DAY_MS
  if (anchor === 'America/Los_Angeles') return nextPacificMidnight(at)
  return at + DAY_MS
}

/** Whether the provider's day ends at a known hour, rather than 24 hours after the event. */
export function hasBoundary(anchor: DayBoundary): boolean {
  return anchor === 'UTC' || anchor === 'America/Los_Angeles'
}

/** The first instant of the next month in UTC. */
export function nextMonth(at: number): number {
  const date = new Date(at)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
}

const PACIFIC = present(zoneNamed('America/Los_Angeles'))

// The last Pacific day used: nearly every call is about today, and asking Intl costs a hundred times more.
let pacificDay = { from: 0, until: 0 }

function nextPacificMidnight(at: number): number {
  if (at >= pacificDay.from && at < pacificDay.until) return pacificDay.until
  const until = instantOf((Math.floor(wallClockOf(at, PACIFIC) / DAY_MS) + 1) * DAY_MS, PACIFIC)
  pacificDay = { from: at, until }
  return until
}
