/**
 * Avoidable errors per million requests: a healthy target that the request might have used was there in time, and the
 * caller got an error, an empty or a malformed answer. Observed in the replay, in the soak and in the failover scenarios.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type AvoidableReport, addedUp, perMillion } from '../src/lab/avoidable.ts'
import { allScenarios, replayOnce } from '../src/lab/replay/replay.ts'
import { failoverResults } from './failover.ts'
import { soakResult } from './soak.ts'

const SEEDS = [1, 2, 3]

export async function benchAvoidable(): Promise<string[]> {
  // The soak takes all of the machine; the failover scenarios measure time.
  const replay = replayReport()
  const { avoidable: soak } = await soakResult()
  const failover = addedUp((await failoverResults()).map(({ avoidable }) => avoidable))
  const all = addedUp([replay, soak, failover])
  const isMet = all.avoidable === 0
  if (!isMet) process.exitCode = 1
  return [
    `${rate(all)} avoidable errors per million requests (goal: 0, ${isMet ? 'met' : 'missed'})`,
    line('replay of the learned strategy, three seeds', replay),
    line('soak, one call in ten fails', soak),
    line('failover scenarios, every setting; after its first content an answer needs rescue', failover),
  ]
}

function replayReport(): AvoidableReport {
  const folder = process.env['KEYWISE_TEST_DATA']
  const data = folder === undefined ? null : join(folder, 'traces')
  const scenarios = allScenarios(data !== null && existsSync(data) ? data : null)
  return addedUp(scenarios.flatMap((one) => SEEDS.map((seed) => replayOnce(one, 'learned', seed).avoidable)))
}

const rate = (report: AvoidableReport) => perMillion(report).toFixed(0)

function line(what: string, report: AvoidableReport): string {
  const { requests, failed, avoidable } = report
  const share = `${avoidable} avoidable of ${failed} without an answer, ${requests.toLocaleString('en')} requests`
  return `${what}: ${rate(report)} per million (${share})`
}
