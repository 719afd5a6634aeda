/**
 * What is fuzzed, as tests: 10,000 cases in all (CI tries 100,000 beside the suite), or as many as KEYWISE_FUZZ_CASES says;
 * new ones for another KEYWISE_SEED.
 */

import { test } from 'vitest'
import { casesOf, type FuzzTarget, fuzz } from './driver.ts'
import { ALL } from './targets/all.ts'

const CASES = Number(process.env['KEYWISE_FUZZ_CASES'] ?? 10_000)
const asked = process.env['KEYWISE_SEED'] ?? '20261130'
const seed = asked === 'random' ? Date.now() % 2 ** 31 : Number(asked)
/** Generous: what hangs fails all the same. */
const TIMEOUT_MS = 240_000

const counts = casesOf(ALL, CASES)

export function testTargets(targets: readonly FuzzTarget[]): void {
  for (const target of targets) {
    const cases = counts[ALL.indexOf(target)] ?? 1
    test(`${target.name}: ${cases} cases break no promise`, { timeout: TIMEOUT_MS }, async () => {
      await fuzz(target, { seed, cases })
    })
  }
}
