/**
 * `npm run soak -- --minutes 10`: the gateway under faults for that long (default 2, as in CI). Exits 1 when a promise is
 * broken. With `--write` the numbers go into docs/numbers.md.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { AvoidableReport } from '../src/lab/avoidable.ts'
import { leaksOf } from '../test/support/soak/gatewayProcess.ts'
import { type HeapGrowth, heapGrowth } from '../test/support/soak/heapGrowth.ts'
import { type LongRunResult, longRun } from '../test/support/soak/longRun.ts'
import { machine } from './measure.ts'
import { withSection } from './numbers.ts'

const FILE = resolve(import.meta.dirname, '../docs/numbers.md')
const LEAST_ANSWERED = 0.999
const MOST_CALLS_IN_OUTAGE = 1.2
const MOST_MB_PER_HOUR = 1
/** Shorter runs are judged by what a request leaves behind: less than a leak of calls, or of sockets, would. */
const LONG_MINUTES = 10
const MOST_BYTES_A_REQUEST = 400

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    'per-second': { type: 'string', default: '100' },
    write: { type: 'boolean', default: false },
  },
})
const minutes = Number(values.minutes)
const perSecond = Number(values['per-second'])
if (!(minutes > 0 && perSecond > 0)) {
  console.error('--minutes and --per-second must be numbers above 0')
  process.exit(2)
}

console.log(machine())
const result = await longRun({ minutes, perSecond, onProgress: (text) => console.error(text) })
for (const text of result.examples) console.error(text)
const promises = judged(result)
for (const { text } of promises) console.log(`- ${text}`)
if (values.write) write(promises.map(({ text }) => text))
process.exit(promises.some(({ isKept }) => !isKept) ? 1 : 0)

interface Kept {
  readonly text: string
  readonly isKept: boolean
}

function judged(result: LongRunResult): readonly Kept[] {
  const { faults, oneHealthy, outage, samples, before, after, seconds, requests } = result
  const leaks = leaksOf(before, after)
  const last = samples.at(-1)
  const loops = samples.map(({ eventLoop }) => eventLoop)
  const longest = (name: 'p50Ms' | 'p99Ms' | 'maxMs') => Math.max(...loops.map((loop) => loop[name]))
  const calls = outage.upstreamCalls / outage.requests
  return [
    shown(`${requests.toLocaleString('en')} requests in ${seconds.toFixed(0)} s`),
    ...answeredOf('one call in ten fails', faults),
    ...answeredOf('four of five targets always fail', oneHealthy),
    kept(
      `all targets fail: ${calls.toFixed(2)} upstream calls a request (${outage.upstreamCalls} for ${outage.requests}), once that was found out`,
      calls <= MOST_CALLS_IN_OUTAGE,
      `at most ${MOST_CALLS_IN_OUTAGE}`,
    ),
    growthOf(heapGrowth(samples)),
    shown(
      `resident memory: ${mb(before.rssBytes)} MB at the start, ${mb(last?.rssBytes ?? 0)} MB under load, ${mb(after.rssBytes)} MB at rest`,
    ),
    kept(`left open: ${leaks.length === 0 ? 'nothing' : leaks.join('; ')}`, leaks.length === 0, 'nothing'),
    shown(
      `event loop late by ${longest('p50Ms')} ms (median), ${longest('p99Ms')} ms (99 %), ${longest('maxMs')} ms at most, in the worst of ${samples.length} spans`,
    ),
  ]
}

function answeredOf(when: string, { requests, failed, avoidable }: AvoidableReport): readonly Kept[] {
  const share = 1 - failed / requests
  const text = `${when}: ${(100 * share).toFixed(3)} % of ${requests.toLocaleString('en')} requests answered, ${avoidable} of the ${failed} others avoidable`
  return [kept(text, share >= LEAST_ANSWERED, '99.9 %')]
}

/**
 * What a run is too short to see is said, not judged. In the first minutes tables of bounded length are still filling; a
 * leak of a socket, a call or a body shows then too.
 */
function growthOf({ mbPerHour, bytesPerRequest, resolutionMbPerHour, from, to }: HeapGrowth): Kept {
  const text = `heap after a collection: ${mb(from)} MB, then ${mb(to)} MB: ${mbPerHour.toFixed(2)} MB an hour, ${bytesPerRequest.toFixed(0)} bytes a request`
  if (minutes < LONG_MINUTES)
    return kept(text, bytesPerRequest <= MOST_BYTES_A_REQUEST, `at most ${MOST_BYTES_A_REQUEST} bytes a request`)
  const most = Math.max(MOST_MB_PER_HOUR, resolutionMbPerHour)
  const canTell = `this run tells ${resolutionMbPerHour.toFixed(1)} MB an hour from none`
  return kept(`${text}; ${canTell}`, mbPerHour <= most, `at most ${most.toFixed(1)} MB an hour`)
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}

function shown(text: string): Kept {
  return { text, isKept: true }
}

function kept(text: string, isKept: boolean, goal: string): Kept {
  return { text: `${text} (goal: ${goal}, ${isKept ? 'met' : 'missed'})`, isKept }
}

function write(lines: readonly string[]): void {
  const section = {
    name: `soak-${minutes}`,
    command: `npm run soak -- --minutes ${minutes}${perSecond === 100 ? '' : ` --per-second ${perSecond}`} --write`,
    title: `${minutes} minutes under faults`,
    lines,
    machine: machine(),
    date: new Date().toISOString().slice(0, 10),
  }
  writeFileSync(FILE, withSection(readFileSync(FILE, 'utf8'), section))
}
