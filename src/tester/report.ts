/** The report of a test run: the object of `api-test-results.json` and of `test --json`. */

import type { Changes } from './changes.ts'
import type { Advice, SkippedTest, TestResult } from './testResult.ts'

export interface TestReport {
  /** ISO 8601. */
  readonly timestamp: string
  readonly durationMs: number
  readonly tests: readonly TestResult[]
  readonly skipped: readonly SkippedTest[]
  readonly summary: {
    readonly total: number
    readonly passed: number
    readonly failed: number
    readonly skipped: number
    /** 0..1, three decimals; 0 when nothing was tested. */
    readonly passRate: number
  }
  readonly passRate: number
  readonly fastest: Fastest | null
  /** What to do next, most useful first. */
  readonly advice: readonly Advice[]
  readonly cost: TestCost
  /** Compared with the previous run's results file; null when there is none. */
  readonly changes: Changes | null
  /** The run ended before everything was tested. */
  readonly interrupted: boolean
}

interface Fastest {
  readonly target: string
  readonly provider: string
  readonly model: string
  readonly keyIndex: number
  /** Milliseconds. */
  readonly responseTime: number
}

export interface TestCost {
  /** Maximum possible cost, as shown before the first call. */
  readonly estimatedUsd: number
  readonly maxUsd: number
  readonly spentUsd: number
  /** Number of targets whose price is unknown. */
  readonly unknownPrice: number
}

export function testSummaryOf(tests: readonly TestResult[], skipped: number): TestReport['summary'] {
  const passed = tests.filter(({ status }) => status === 'success').length
  const total = tests.length
  const passRate = total === 0 ? 0 : Math.round((passed / total) * 1000) / 1000
  return { total, passed, failed: total - passed, skipped, passRate }
}

export function fastestOf(tests: readonly TestResult[]): Fastest | null {
  let best: TestResult | null = null
  for (const test of tests)
    if (test.status === 'success' && (best === null || test.responseTime < best.responseTime)) best = test
  if (best === null) return null
  const { target, provider, model, keyIndex, responseTime } = best
  return { target, provider, model, keyIndex, responseTime }
}
