/** The options of a test run, and what it reports while it runs. */

import type { TestCost } from './report.ts'
import type { ProviderName } from './summaryText.ts'
import type { SkippedTest, TestResult } from './testResult.ts'

/** Narrows the run; everything is tested without it. */
export interface Filters {
  /** Id of the only provider to test. */
  readonly provider?: string
  /** Part of the model's id. */
  readonly model?: string
  /** 1-based. */
  readonly key?: number
}

interface PlannedTarget {
  readonly id: string
  readonly provider: string
  readonly keyIndex: number
  readonly model: string
}

/** What is known before the first call. */
export interface TestPlan {
  /** Every target of the run, also those that are decided or left out already, in the order of the report. */
  readonly targets: readonly PlannedTarget[]
  /** What the run may cost. */
  readonly cost: TestCost
  /** The providers of the run, in its order. */
  readonly providers: readonly ProviderName[]
}

/** Callbacks during the run. */
interface TestObserver {
  /** Before the first call. */
  readonly onPlan?: (plan: TestPlan) => void
  /** A call of the target begins, or it waits for a limit. */
  readonly onCall?: (target: string) => void
  /** A limit is waited for. */
  readonly onWait?: (target: string) => void
  /** A target is done. */
  readonly onResult?: (result: TestResult) => void
  /** A target is left out. */
  readonly onSkip?: (skipped: SkippedTest) => void
}

export interface RunOptions extends Filters, TestObserver {
  /** Also prove streaming, tools, JSON and images. */
  readonly abilities?: boolean
  /** Maximum parallel calls per account; default 8. */
  readonly concurrency?: number
  /** Maximum milliseconds per call; default `settings.test.timeout_ms`. */
  readonly timeoutMs?: number
  /** Longest single wait for a limit to reset, in milliseconds; default 65,000: a minute and its jitter. */
  readonly limitPatienceMs?: number
  /** Ends the run; results so far are reported. */
  readonly signal?: AbortSignal
}
