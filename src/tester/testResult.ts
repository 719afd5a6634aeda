/** The result of testing one target, as stored in `api-test-results.json`: the original's fields first, then ours. */

import type { FailureKind, LimitFact } from '../domain/failure.ts'
import type { AbilityProofs } from './abilities.ts'

/** The test of one target. */
export interface TestResult {
  /** Id of the provider. */
  readonly provider: string
  /** 1-based. */
  readonly keyIndex: number
  /** The model's id at that provider. */
  readonly model: string
  /** Whether it answered. */
  readonly status: 'success' | 'failed'
  /** Milliseconds of the deciding call; 0 when none was made. */
  readonly responseTime: number
  /** The answer, redacted and truncated. */
  readonly responseText?: string
  /** Request limits; null when the response states none. */
  readonly rateLimitInfo: RateLimitInfo | null
  /** Status and message of the failure; absent when it works. */
  readonly error?: string
  /** HTTP status of the failure; null when no response came. */
  readonly statusCode?: number | null
  /** ISO 8601. */
  readonly timestamp: string
  /** Target id: `groq/openai/gpt-oss-120b#1`. */
  readonly target: string
  /** The class of the failure; null when it works. */
  readonly failureKind: FailureKind | null
  /** What to do about it; null when it works. */
  readonly advice: string | null
  /** The model that replaces a retired one. */
  readonly successor?: string
  /** When the limit ends, ISO 8601; null when the failure is not a limit or its end is unknown. */
  readonly retryAt: string | null
  /** A remark on a working target, such as `works, thinks first`. */
  readonly note?: string
  /** Upstream calls made for it; 0 when the models list or the key check had already decided. */
  readonly calls: number
  /** Cost of all its calls; null when a price is unknown. */
  readonly costUsd: number | null
  /** Names the cause shared by all targets of a key or host; null for a cause of its own. */
  readonly finding: string | null
  /** What `abilities: true` proved or disproved. */
  readonly abilities?: AbilityProofs
}

/** A target that was not tested, and why. */
export interface SkippedTest {
  /** Id of the provider. */
  readonly provider: string
  /** 1-based. */
  readonly keyIndex: number
  /** The model's id at that provider. */
  readonly model: string
  /** Target id: `groq/openai/gpt-oss-120b#1`. */
  readonly target: string
  /** Why, in words. */
  readonly reason: string
}

/** Requests per minute (or second) and per day, as stated in the response headers. */
interface RateLimitInfo {
  /** Requests allowed per minute (or second). */
  readonly limitRequests: number | null
  /** Requests left of them. */
  readonly remainingRequests: number | null
  /** ISO 8601. */
  readonly resetRequests: string | null
  /** Requests allowed per day. */
  readonly limitRequestsDay: number | null
  /** Requests left of them. */
  readonly remainingRequestsDay: number | null
  /** ISO 8601. */
  readonly resetRequestsDay: string | null
}

/** Null when the response states no request limits. */
export function rateLimitInfo(limits: readonly LimitFact[]): RateLimitInfo | null {
  const requests = limits.filter((fact) => fact.unit === 'requests')
  if (requests.length === 0) return null
  const day = requests.find((fact) => fact.window === 'day')
  const short = requests.find((fact) => fact.window !== 'day')
  return {
    limitRequests: short?.limit ?? null,
    remainingRequests: short?.remaining ?? null,
    resetRequests: isoTime(short?.resetsAt),
    limitRequestsDay: day?.limit ?? null,
    remainingRequestsDay: day?.remaining ?? null,
    resetRequestsDay: isoTime(day?.resetsAt),
  }
}

/** The latest time a `Date` can represent; https://tc39.es/ecma262/#sec-time-values-and-time-range */
const LATEST = 8.64e15

/** ISO 8601; null for a missing or invalid time. */
export function isoTime(at: number | null | undefined): string | null {
  return at === null || at === undefined || !(Math.abs(at) <= LATEST) ? null : new Date(at).toISOString()
}

/** A piece of advice and the targets it is for. */
export interface Advice {
  /** What to do. */
  readonly text: string
  /** Target ids. */
  readonly targets: readonly string[]
}
