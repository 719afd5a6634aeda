/** Targets and events for tests and benchmarks: honest ones, of which a case changes what it is about. */

import type { FailureKind } from '../../src/domain/failure.ts'
import type { AttemptEvent, ImportEvent, QualityEvent, TargetRef } from '../../src/domain/store.ts'
import type { Target, TargetProfile } from '../../src/domain/target.ts'
import { makeLabTarget } from '../../src/lab/replay/labTarget.ts'

export interface TargetFacts {
  readonly provider?: string
  readonly model?: string
  readonly keyIndex?: number
  readonly profile?: Partial<TargetProfile>
}

/** A target of which nothing is known but what the test says. */
export function makeTarget({ provider = 'groq', model = 'm', keyIndex = 1, profile }: TargetFacts = {}): Target {
  const target = makeLabTarget({ provider, model, keyIndex })
  return { ...target, profile: { ...target.profile, ...profile } }
}

let written = 0

const stamp = () => ({ origin: 'test', id: `event-${++written}` })

/** A success of the target at `at` that took `latencyMs` in all, not streamed, length unknown. */
export function makeSuccess(target: TargetRef, at: number, facts: Partial<AttemptEvent> = {}): AttemptEvent {
  const latencyMs = facts.latencyMs ?? 1000
  return {
    ...stamp(),
    kind: 'attempt',
    at,
    requestId: `request-${written}`,
    number: 1,
    source: 'live',
    target,
    startedAt: at - 1000,
    latencyMs,
    firstTokenMs: latencyMs,
    streamed: false,
    ok: true,
    failure: null,
    usage: null,
    costNanoUsd: null,
    priceSource: null,
    limits: [],
    task: null,
    session: null,
    token: null,
    labels: {},
    ...facts,
  }
}

/** A failure that carries no facts beyond its kind. */
export function makeFailure(
  target: TargetRef,
  at: number,
  kind: Exclude<FailureKind, 'timeout' | 'network'> = 'server',
  facts: Partial<AttemptEvent> = {},
): AttemptEvent {
  const failure = { kind, status: 500, message: 'refused on purpose' }
  return { ...makeSuccess(target, at), firstTokenMs: null, ok: false, failure, ...facts }
}

export function makeQuality(
  target: Target,
  at: number,
  score: number,
  facts: Partial<QualityEvent> = {},
): QualityEvent {
  return { ...stamp(), kind: 'quality', at, target, requestId: null, score, task: null, source: 'user', ...facts }
}

export function makeImport(target: Target, at: number, facts: Partial<ImportEvent> = {}): ImportEvent {
  return {
    ...stamp(),
    kind: 'import',
    at,
    target,
    successes: 0,
    failures: 0,
    averageLatencyMs: 0,
    totalTokens: 0,
    quality: null,
    qualityCount: 0,
    lastSuccessAt: null,
    ...facts,
  }
}
