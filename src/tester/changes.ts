/** What changed since the previous run, according to the results file it left. */

import { asArray, asRecord, asString } from '../domain/json.ts'
import { targetId } from '../domain/target.ts'
import type { TestResult } from './testResult.ts'

/** What differs from the previous run. */
export interface Changes {
  /** ISO 8601 time of the previous run; null when its file does not state it. */
  readonly since: string | null
  /** Target ids. */
  readonly newlyWorking: readonly string[]
  /** Targets that worked before. */
  readonly newlyFailing: readonly string[]
}

/** The outcome of an earlier run by target. */
export interface EarlierRun {
  readonly since: string | null
  readonly worked: ReadonlyMap<string, boolean>
}

/** Null for anything that is not a results file, including one that merely resembles it. */
export function readEarlierRun(value: unknown): EarlierRun | null {
  const record = asRecord(value)
  const tests = asArray(record?.['tests'])
  if (tests === undefined) return null
  const worked = new Map<string, boolean>()
  for (const test of tests) {
    const fields = asRecord(test)
    const provider = asString(fields?.['provider'])
    const model = asString(fields?.['model'])
    const status = fields?.['status']
    const keyIndex = fields?.['keyIndex'] ?? 1
    if (provider === undefined || model === undefined || typeof keyIndex !== 'number') continue
    if (status === 'success' || status === 'failed')
      worked.set(targetId(provider, model, keyIndex), status === 'success')
  }
  const since = asString(record?.['timestamp'])?.slice(0, 40)
  return { since: since !== undefined && !Number.isNaN(Date.parse(since)) ? since : null, worked }
}

/** Targets tested in both runs with different outcomes. */
export function changesSince({ since, worked }: EarlierRun, tests: readonly TestResult[]): Changes {
  const turned = (now: boolean) =>
    tests
      .filter(({ target, status }) => worked.get(target) === !now && (status === 'success') === now)
      .map(({ target }) => target)
  return { since, newlyWorking: turned(true), newlyFailing: turned(false) }
}
