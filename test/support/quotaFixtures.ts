/** Targets and events for tests of quotas. */

import type { Failure, LimitFact } from '../../src/domain/failure.ts'
import type { AttemptEvent, TargetRef } from '../../src/domain/store.ts'
import { stateId } from '../../src/domain/target.ts'
import type { QuotaSpec } from '../../src/quota/limits/spec.ts'
import { makeSuccess } from './makeEvents.ts'

export const NOON = Date.UTC(2026, 10, 23, 12)
export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

export const one = { requests: 1, inputTokens: 100, outputTokens: 100 }

export function specWith(fields: Partial<QuotaSpec> = {}): QuotaSpec {
  return { quotaScope: 'account+model', dayBoundary: 'UTC', seedLimits: [], ...fields }
}

export function targetOf(fields: Partial<TargetRef> = {}): TargetRef {
  const provider = fields.provider ?? 'prov'
  const model = fields.model ?? 'small'
  const fingerprint = fields.fingerprint ?? 'f1'
  return {
    stateId: stateId(provider, model, fingerprint),
    provider,
    model,
    fingerprint,
    keyIndex: 1,
    account: `${provider}@${fingerprint}`,
    ...fields,
  }
}

export function factOf(fields: Partial<LimitFact> = {}): LimitFact {
  return {
    unit: 'requests',
    window: 'minute',
    scope: 'model',
    limit: null,
    remaining: null,
    resetsAt: null,
    source: 'header',
    ...fields,
  }
}

/** A successful attempt of 100 ms that ended at `at`, unless said otherwise. */
export function eventOf(at: number, fields: Partial<AttemptEvent> = {}): AttemptEvent {
  const { latencyMs = 100, failure = null } = fields
  return makeSuccess(targetOf(), at, { startedAt: at - latencyMs, latencyMs, ok: failure === null, ...fields })
}

export function rateLimited(fields: Partial<Extract<Failure, { kind: 'rate_minute' }>> = {}): Failure {
  return { kind: 'rate_minute', status: 429, message: 'slow down', ...fields }
}

export function dayIsOver(fields: Partial<Extract<Failure, { kind: 'quota_day' }>> = {}): Failure {
  return { kind: 'quota_day', status: 429, message: 'daily quota', ...fields }
}
