/** The report of a test run: the object of `api-test-results.json` and of `test --json`. */

import type { Changes } from './changes.ts'
import type { Advice, SkippedTest, TestResult } from './testResult.ts'

/** What a run found. */
export interface TestReport {
  /** ISO 8601. */
  readonly timestamp: string
  /** Of the whole run. */
  readonly durationMs: number
  /** One row per tested target. */
  readonly tests: readonly TestResult[]
  /** Targets that were left out. */
  readonly skipped: readonly SkippedTest[]
  /** Counts of targets. */
  readonly summary: {
    /** Without the skipped ones. */
    readonly total: number
    /** Targets that answered. */
    readonly passed: number
    /** Targets that did not. */
    readonly failed: number
    /** Targets that were left out. */
    readonly skipped: number
    /** 0..1, three decimals; 0 when nothing was tested. */
    readonly passRate: number
  }
  /** The same as `summary.passRate`; 0..1. */
  readonly passRate: number
  /** The quickest answer; null when nothing works. */
  readonly fastest: Fastest | null
  /** What to do next, most useful first. */
  readonly advice: readonly Advice[]
  /** What the run cost. */
  readonly cost: TestCost
  /** Compared with the previous run's results file; null when there is none. */
  readonly changes: Changes | null
  /** The run ended before everything was tested. */
  readonly interrupted: boolean
}

/** The target that answered fastest. */
interface Fastest {
  /** Target id: `groq/openai/gpt-oss-120b#1`. */
  readonly target: string
  /** Id of the provider. */
  readonly provider: string
  /** The model's id at that provider. */
  readonly model: string
  /** 1-based. */
  readonly keyIndex: number
  /** Milliseconds. */
  readonly responseTime: number
}

/** What a run costs, before and after. */
export interface TestCost {
  /** Maximum possible cost, as shown before the first call. */
  readonly estimatedUsd: number
  /** `settings.test.max_usd`: nothing is called that could exceed it. */
  readonly maxUsd: number
  /** What the calls of the run cost, where the price is known. */
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
