/**
 * The formulas of the original system over plain all-time averages; `score-original` reproduces its order with them.
 */

import type { Terms } from './score.ts'

/** The whole history of a target, without forgetting. */
export interface AllTime {
  readonly successes: number
  readonly failures: number
  /** Mean over the successes; 0 when there is none. */
  readonly averageLatencyMs: number
  /** Mean of the reported scores; null when there is none. */
  readonly quality: number | null
  /** Epoch milliseconds; 0 for never. */
  readonly lastSuccessAt: number
}

const WEEK_MS = 7 * 86_400_000
const SLOWEST_MS = 10_000

export function termsOriginal(stats: AllTime, now: number): Terms {
  const attempts = stats.successes + stats.failures
  const age = Math.max(0, now - stats.lastSuccessAt)
  return {
    reliability: attempts > 0 ? stats.successes / attempts : 0,
    speed: stats.averageLatencyMs > 0 ? Math.max(0, 1 - stats.averageLatencyMs / SLOWEST_MS) : 0,
    quality: stats.quality ?? 0.5,
    recency: stats.lastSuccessAt > 0 ? Math.max(0, 1 - age / WEEK_MS) : 0,
  }
}

/** More than five attempts of which fewer than half succeeded: the original no longer considers such a row. */
export function isUnreliable(stats: AllTime): boolean {
  const attempts = stats.successes + stats.failures
  return attempts > 5 && stats.successes / attempts < 0.5
}
