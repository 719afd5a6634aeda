/** Options of a test run, and the callbacks that report its progress. */

import type { TestCost } from './report.ts'
import type { ProviderName } from './summaryText.ts'
import type { SkippedTest, TestResult } from './testResult.ts'

/** Narrows the run; without filters everything is tested. */
export interface Filters {
  /** Id of the only provider to test. */
  readonly provider?: string
  /** Substring of the model's id. */
  readonly model?: string
  /** 1-based. */
  readonly key?: number
}

/** A target of a run. */
interface PlannedTarget {
  /** Target id: `groq/openai/gpt-oss-120b#1`. */
  readonly id: string
  /** Id of the provider. */
  readonly provider: string
  /** 1-based. */
  readonly keyIndex: number
  /** The model's id at that provider. */
  readonly model: string
}

/** What is known before the first call. */
export interface TestPlan {
  /** Every target of the run, including those already decided or skipped, in the order of the report. */
  readonly targets: readonly PlannedTarget[]
  /** What the run may cost. */
  readonly cost: TestCost
  /** The providers of the run, in its order. */
  readonly providers: readonly ProviderName[]
}

/** Callbacks that follow the run as it happens. */
interface TestObserver {
  /** Before the first call. */
  readonly onPlan?: (plan: TestPlan) => void
  /** A call of the target begins, or it waits for a limit. */
  readonly onCall?: (target: string) => void
  /** The target starts waiting for a limit. */
  readonly onWait?: (target: string) => void
  /** A target is done. */
  readonly onResult?: (result: TestResult) => void
  /** A target is skipped. */
  readonly onSkip?: (skipped: SkippedTest) => void
}

export interface RunOptions extends Filters, TestObserver {
  /**
   * Also prove streaming, tools, JSON and images.
   * @default false
   */
  readonly abilities?: boolean
  /**
   * Maximum parallel calls per account.
   * @default 8
   */
  readonly concurrency?: number
  /**
   * Maximum milliseconds per call.
   * @default `settings.test.timeout_ms`
   */
  readonly timeoutMs?: number
  /**
   * Longest single wait for a limit to reset, in milliseconds: by default a minute plus jitter.
   * @default 65000
   */
  readonly limitPatienceMs?: number
  /** Ends the run; results so far are reported. */
  readonly signal?: AbortSignal
}
