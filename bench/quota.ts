/**
 * How much of the limits is used and how often an upstream refuses: a real manager over real HTTP against simulated
 * providers that count, on a virtual clock. `node tools/run.mjs node bench/quota.ts`.
 */

import { writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { type QuotaDay, quotaDay, sixKeys } from '../test/quotaDay.ts'
import { machine } from './measure.ts'

interface Row {
  readonly name: string
  readonly stated: boolean
  readonly perMinute: number
  readonly perDay: number
  readonly everyMs: number
  readonly patienceMs: number
}

const HOUR = 3_600_000
const FILE = new URL('../docs/numbers-quota.md', import.meta.url)
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
]

/** Lines of Markdown: 1,000 requests over 6 keys in 3 accounts with a limit per minute and per day each. */
export async function benchQuota(): Promise<string[]> {
  const lines = [
    '| 1,000 requests, 6 keys in 3 accounts | limits told | served | of those possible | meet a 429 | minutes |',
    '|---|---|---:|---:|---:|---:|',
  ]
  for (const row of ROWS) lines.push(await lineOf(row))
  return lines
}

async function lineOf(row: Row): Promise<string> {
  const { name, stated, perMinute, perDay, everyMs } = row
  const { served, used, met, minutes } = await quotaDay(dayOf(row))
  const offered = everyMs === 0 ? '' : `, one each ${everyMs / 1000} s`
  const limits = `${perMinute} a minute and ${perDay} a day per account`
  const told = stated ? 'in headers' : 'nowhere'
  return `| ${name}${offered}; ${limits} | ${told} | ${served} | ${percent(used)} | ${percent(met / 1000)} | ${minutes} |`
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

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const lines = await benchQuota()
  console.log(lines.join('\n'))
  if (process.argv.includes('--write')) await writeFile(FILE, `${[...heading(), ...lines].join('\n')}\n`)
}

function heading(): string[] {
  const date = new Date().toISOString().slice(0, 10)
  return [
    '# Limits, used and met',
    '',
    `\`node tools/run.mjs node bench/quota.ts --write\`, ${date}, ${machine()}; a virtual clock, real HTTP, real manager.`,
    'Of those possible: the share of what the accounts would have let through until the last answer. What nobody states is',
    'learned from refusals; a learned limit is taken for a rolling window, which costs a fixed one some of its room when',
    'requests come exactly as fast as it allows.',
    '',
  ]
}
