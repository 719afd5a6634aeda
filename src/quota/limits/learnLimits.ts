/** What a finished attempt shows about quotas: what it used, and which limit refused it. */

import {
  type Failure,
  type FailureKind,
  type LimitFact,
  type LimitUnit,
  type LimitWindow,
  wasCancelled,
} from '../../domain/failure.ts'
import type { LimitScope, QuotaScope } from '../../domain/scope.ts'
import type { AttemptEvent } from '../../domain/store.ts'
import { WINDOW_MS } from '../window.ts'
import type { QuotaNeed } from './quotaNeed.ts'
import { type StatedLimit, windowOfWait } from './statedLimit.ts'

/** A refusal by a limit that does not state what is left: when it may admit calls again, as far as the answer says. */
interface LimitRefusal {
  readonly unit: LimitUnit
  readonly window: LimitWindow
  readonly retryAfterMs: number | null
}

const NOTHING: QuotaNeed = { requests: 0, inputTokens: 0, outputTokens: 0 }

/** Refused before anything was counted: by a limit, or because of the key or its account. */
const NEVER_COUNTED: ReadonlySet<FailureKind> = new Set<FailureKind>([
  'quota_day',
  'rate_minute',
  'zero_quota',
  'too_large_for_limit',
  'auth_invalid',
  'auth_forbidden',
  'billing',
  'in_flight_budget',
])

const READ_OFF_A_LIST: ReadonlySet<FailureKind> = new Set<FailureKind>(['model_not_found', 'unsupported'])

/**
 * What the attempt took from its quotas. A failed one counts when it consumed tokens, or where the provider counts
 * failures.
 */
export function usageFromAttempt(event: AttemptEvent, countsFailures: boolean): QuotaNeed {
  if (!event.ok && !wasCounted(event, countsFailures)) return NOTHING
  return {
    requests: event.calls ?? 1,
    inputTokens: event.usage?.inputTokens ?? 0,
    outputTokens: event.usage?.outputTokens ?? 0,
  }
}

function wasCounted(event: AttemptEvent, countsFailures: boolean): boolean {
  const { failure } = event
  if (event.usage !== null || failure === null) return true
  if (NEVER_COUNTED.has(failure.kind)) return false
  // Found in the models list during a test run: no call was made.
  if (failure.status === null && READ_OFF_A_LIST.has(failure.kind)) return false
  // keywise stopped waiting; the upstream had admitted the call and was working on it.
  if (wasCancelled(failure) || failure.kind === 'timeout') return !isConnecting(failure)
  if (failure.kind === 'network') return failure.started === true
  return countsFailures
}

function isConnecting(failure: Failure): boolean {
  return failure.kind === 'timeout' && failure.phase === 'connect'
}

/** The limit that refused the attempt, if the answer does not state what remains of it; null when it was none. */
export function limitRefusalOf(failure: Failure | null): LimitRefusal | null {
  if (failure === null || (failure.kind !== 'rate_minute' && failure.kind !== 'quota_day')) return null
  const isDay = failure.kind === 'quota_day'
  const retryAfterMs = believableWait(failure.retryAfterMs, isDay)
  const guess = isDay ? 'day' : windowOfWait(retryAfterMs ?? 0)
  const unit = failure.unit ?? 'requests'
  const isNamed = failure.window !== undefined && (failure.window !== 'none' || unit === 'concurrency')
  return {
    unit,
    window: isNamed ? failure.window : guess,
    retryAfterMs,
  }
}

/** What a refusal is about: as it says itself, else as the provider usually counts. */
export function scopeOfRefusal(failure: Failure | null, quotaScope: QuotaScope): 'model' | 'account' {
  const isAboutLimit = failure?.kind === 'rate_minute' || failure?.kind === 'quota_day'
  return scopeOf(isAboutLimit ? failure.scope : undefined, quotaScope)
}

/**
 * The scope of the limit; free models share a pool of the account. If unstated, it is what the provider usually counts.
 */
function scopeOf(stated: LimitScope | undefined, quotaScope: QuotaScope): 'model' | 'account' {
  if (stated !== undefined) return stated === 'model' ? 'model' : 'account'
  return quotaScope === 'account+model' ? 'model' : 'account'
}

/**
 * Gemini states a wait of seconds for a quota that is refilled tomorrow; a wait under a minute is not about a daily
 * quota.
 */
function believableWait(waitMs: number | undefined, isDay: boolean): number | null {
  const least = isDay ? WINDOW_MS.minute : 1
  return waitMs !== undefined && waitMs >= least && waitMs <= WINDOW_MS.month ? waitMs : null
}

/** The size of a limit that a refusal mentions, as an ordinary limit fact. */
export function limitNamedBy(failure: Failure, scope: 'model' | 'account'): LimitFact | null {
  if (failure.kind !== 'rate_minute' && failure.kind !== 'quota_day' && failure.kind !== 'too_large_for_limit')
    return null
  if (failure.limit === undefined) return null
  const isLarge = failure.kind === 'too_large_for_limit'
  return {
    unit: failure.unit ?? (isLarge ? 'tokens' : 'requests'),
    window: failure.window ?? (failure.kind === 'quota_day' ? 'day' : 'minute'),
    scope,
    limit: failure.limit,
    remaining: null,
    resetsAt: null,
    source: 'body',
  }
}

/** Whether the answer's own statements explain the refusal, so that nothing has to be guessed. */
export function explains(statedLimits: readonly StatedLimit[], refusal: LimitRefusal): boolean {
  return statedLimits.some(
    ({ unit, window, remaining }) =>
      remaining === 0 || (unit === refusal.unit && window === refusal.window && remaining !== null),
  )
}
