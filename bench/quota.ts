/**
 * How much of the limits is used and how often an upstream refuses: a real manager over real HTTP against simulated
 * providers that count, on a virtual clock. Limits told nowhere have no number in any header or body: they are learned
 * from refusals, which is why some requests meet one.
 */

import { type QuotaDay, quotaDay, sixKeys } from '../test/support/quotaDay.ts'

interface Row {
  readonly name: string
  readonly stated: boolean
  readonly perMinute: number
  readonly perDay: number
  readonly everyMs: number
  readonly patienceMs: number
}

const HOUR = 3_600_000
const ROWS: readonly Row[] = [
  {
    name: 'exactly as fast as the minutes allow',
    perMinute: 20,
    perDay: 300,
    everyMs: 1_000,
    patienceMs: 10_000,
    stated: true,
  },
  { name: 'slower', perMinute: 20, perDay: 400, everyMs: 1_500, patienceMs: 10_000, stated: true },
  { name: 'all at once, patient callers', perMinute: 60, perDay: 300, everyMs: 0, patienceMs: HOUR, stated: true },
  {
    name: 'exactly as fast as the minutes allow',
    perMinute: 20,
    perDay: 300,
    everyMs: 1_000,
    patienceMs: 10_000,
    stated: false,
  },
  {
    name: 'the same, callers that wait a minute',
    perMinute: 20,
    perDay: 300,
    everyMs: 1_000,
    patienceMs: 60_000,
    stated: false,
  },
  { name: 'slower', perMinute: 20, perDay: 400, everyMs: 1_500, patienceMs: 10_000, stated: false },
  { name: 'all at once, patient callers', perMinute: 60, perDay: 300, everyMs: 0, patienceMs: HOUR, stated: false },
  { name: 'small limits', perMinute: 6, perDay: 100, everyMs: 3_500, patienceMs: 10_000, stated: false },
  { name: 'twice as fast as they allow', perMinute: 20, perDay: 300, everyMs: 500, patienceMs: 10_000, stated: false },
]

/** A line per case: 1,000 requests over 6 keys in 3 accounts with a limit per minute and per day each. */
export async function benchQuota(): Promise<string[]> {
  const lines: string[] = []
  for (const row of ROWS) lines.push(await lineOf(row))
  return lines
}

async function lineOf(row: Row): Promise<string> {
  const { name, stated, perMinute, perDay, everyMs } = row
  const { served, used, met, minutes } = await quotaDay(dayOf(row))
  const offered = everyMs === 0 ? '' : `, one each ${everyMs / 1000} s`
  const limits = `${perMinute} a minute and ${perDay} a day per account`
  const told = stated ? 'in headers' : 'nowhere'
  return `${name}${offered}; ${limits}, told ${told}: ${served} served in ${minutes} minutes, ${percent(used)} of those possible; ${percent(met / 1000)} meet a 429`
}

function dayOf({ perMinute, perDay, stated, everyMs, patienceMs }: Row): QuotaDay {
  return {
    scenario: sixKeys({ perMinute, perDay, stated }),
    requests: 1_000,
    everyMs,
    patienceMs,
    capacity: (minutes) => 3 * Math.min(perDay, minutes * perMinute),
    settings: { routing: { probes: 'free' } },
  }
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`
