/** Events for tests of the store, filled with what a real one has. */

import type {
  AttemptEvent,
  BegunCall,
  Holding,
  ImportEvent,
  LiftEvent,
  ObservationEvent,
  QualityEvent,
  TargetRef,
} from '../../src/domain/store.ts'
import { stateId } from '../../src/domain/target.ts'
import { makeSuccess } from './makeEvents.ts'

/** 2026-11-23, 10:00 UTC. */
export const TEN = Date.UTC(2026, 10, 23, 10)

let count = 0

export function targetRef(overrides: Partial<TargetRef> = {}): TargetRef {
  const { provider = 'groq', model = 'openai/gpt-oss-120b', fingerprint = '0123456789abcdef' } = overrides
  return {
    stateId: stateId(provider, model, fingerprint),
    provider,
    model,
    fingerprint,
    keyIndex: 1,
    account: `${provider}@${fingerprint}`,
    ...overrides,
  }
}

/** A success of 1,000 ms with 100 + 20 tokens for 5,000 billionths of a dollar, unless said otherwise. */
export function attemptEvent(overrides: Partial<AttemptEvent> = {}): AttemptEvent {
  const at = overrides.at ?? TEN
  return makeSuccess(targetRef(), at, {
    id: `attempt-${++count}`,
    requestId: 'request-1',
    firstTokenMs: 200,
    usage: { inputTokens: 100, outputTokens: 20, totalTokens: 120, estimated: false },
    costNanoUsd: 5_000,
    priceSource: 'config',
    ...overrides,
  })
}

/** What was noted of an attempt before it was sent. */
export function beginOf(event: AttemptEvent, mostNanoUsd: number | null = 20_000): BegunCall {
  const { id, requestId, number, source, target, startedAt, streamed, task, session, token, labels } = event
  return { id, requestId, number, source, target, startedAt, streamed, task, session, token, labels, mostNanoUsd }
}

export function heldBy(overrides: Partial<Holding> = {}): Holding {
  const { provider, model, fingerprint, account } = targetRef()
  return { id: 'held', at: TEN, provider, model, fingerprint, account, ...overrides }
}

/** A 429 that consumed nothing. */
export function failedAttempt(overrides: Partial<AttemptEvent> = {}): AttemptEvent {
  const failure = { kind: 'rate_minute', status: 429, message: 'Too Many Requests', retryAfterMs: 7_000 } as const
  return attemptEvent({ ok: false, failure, usage: null, costNanoUsd: 0, priceSource: null, ...overrides })
}

export function qualityEvent(overrides: Partial<QualityEvent> = {}): QualityEvent {
  return {
    kind: 'quality',
    at: TEN,
    origin: 'test',
    id: `quality-${++count}`,
    target: targetRef(),
    requestId: null,
    score: 0.9,
    task: null,
    source: 'user',
    ...overrides,
  }
}

export function liftEvent(overrides: Partial<LiftEvent> = {}): LiftEvent {
  return { kind: 'lift', at: TEN, origin: 'test', id: `lift-${++count}`, target: null, ...overrides }
}

export function observationEvent(overrides: Partial<ObservationEvent> = {}): ObservationEvent {
  return {
    kind: 'observation',
    at: TEN,
    origin: 'test',
    id: `observation-${++count}`,
    trial: { experiment: 'tone', version: 1, variant: 'short', unit: 'request-1' },
    requestId: 'request-1',
    values: { success: 1, latency: 812.5 },
    ...overrides,
  }
}

export function importEvent(overrides: Partial<ImportEvent> = {}): ImportEvent {
  return {
    kind: 'import',
    at: TEN,
    origin: 'test',
    id: `import-${++count}`,
    target: targetRef(),
    successes: 9,
    failures: 1,
    averageLatencyMs: 1_200,
    totalTokens: 4_000,
    quality: 0.92,
    qualityCount: 3,
    lastSuccessAt: TEN - 1_000,
    ...overrides,
  }
}
