/**
 * What an account or a key has left to spend, and how long that lasts. Amounts are integers of a billionth of the
 * currency in which the provider tells them; those of different currencies are never added.
 */

import { decimalUsd, formatUsd } from './amount.ts'
import { goneAt, PACE_MS, pacePerHour } from './pace.ts'

/** One amount, as a provider told it. */
export interface CreditLeft {
  /** ISO 4217: `USD`. */
  readonly currency: string
  /** May be negative. */
  readonly left: number
  /** The whole of it, where the provider sets one. */
  readonly limit: number | null
  /** Epoch milliseconds at which it is the whole limit again; null for never, or unknown. */
  readonly resetsAt: number | null
}

/** What was left at a time, in epoch milliseconds. */
export interface Sighting {
  readonly at: number
  readonly left: number
}

/** What was spent in the last `PACE_MS`, and when the first of it began. */
export interface Spending {
  readonly spent: number
  readonly firstAt: number
}

/** How fast it is spent, and when it will be gone. */
export interface CreditOutlook {
  /** Null: nothing was spent, so nothing is predicted. */
  readonly perHour: number | null
  /** Epoch milliseconds; null where nothing is predicted, beyond a year, and where it is refilled before. */
  readonly goneAt: number | null
}

/** A day of reports every quarter of an hour, and as many again after refusals. */
const MOST_SIGHTINGS = 200
const YEAR_MS = 365 * 86_400_000

/** The sightings of the last `PACE_MS` with a new one. A clock that was set back begins anew. */
export function withSighting(seen: readonly Sighting[], sighting: Sighting): readonly Sighting[] {
  const last = seen.at(-1)
  if (last !== undefined && last.at > sighting.at) return [sighting]
  const recent = seen.filter(({ at }) => sighting.at - at <= PACE_MS)
  return [...recent, sighting].slice(-MOST_SIGHTINGS)
}

/** What was spent between sightings, by whomever. A rise is a payment or a new period and hides what was spent then. */
export function spentBetween(seen: readonly Sighting[], now: number): Spending {
  let spent = 0
  let firstAt = now
  seen.forEach(({ at, left }, index) => {
    const before = seen[index - 1]
    if (before === undefined || before.left <= left || now - before.at > PACE_MS || at > now) return
    spent += before.left - left
    firstAt = Math.min(firstAt, before.at)
  })
  return { spent, firstAt }
}

/** By the fastest of several counts of the same spending: each may miss what another one saw. */
export function outlookOf(
  { left, resetsAt }: Pick<CreditLeft, 'left' | 'resetsAt'>,
  counts: readonly Spending[],
  now: number,
): CreditOutlook {
  const paces = counts.flatMap(({ spent, firstAt }) => pacePerHour(spent, firstAt, now) ?? [])
  const perHour = paces.length === 0 ? null : Math.max(1, Math.round(Math.max(...paces)))
  const gone = goneAt(left, perHour, now)
  // A period that has ended since says nothing of the one after it.
  const isTold = gone !== null && gone - now <= YEAR_MS && (resetsAt === null || gone < resetsAt)
  return { perHour, goneAt: isTold ? gone : null }
}

/** As an exact decimal with two places or more: `4.20`. */
export function decimalCredit(amount: number): string {
  const [whole = '0', fraction = ''] = decimalUsd(amount).split('.')
  return `${whole}.${fraction.padEnd(2, '0')}`
}

/** For people: `$4.20`, `110.00 CNY`. */
export function creditText(amount: number, currency: string): string {
  const usd = formatUsd(amount)
  return currency === 'USD' ? usd : `${usd.replace('$', '')} ${currency}`
}
