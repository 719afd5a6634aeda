/**
 * A scenario made of the user's own past: what the recorded attempts found each target to be like, and when requests
 * came.
 */

import type { AttemptEvent, QualityEvent, StoreEvent } from '../../domain/store.ts'
import type { Probe } from './probe.ts'
import { grouped, traceContender } from './traces.ts'
import type { Arrival, ReplayScenario } from './world.ts'

/** What is not scored is taken to be this good. */
const QUALITY = 0.8
/** A target that was called less often has no past to be replayed. */
const FEWEST_ATTEMPTS = 10

/** Null when too little was recorded to choose between anything: two targets with ten attempts each. */
export function recordedScenario(events: readonly StoreEvent[]): ReplayScenario | null {
  const attempts = events.filter((event) => event.kind === 'attempt').filter(isAboutTarget)
  const scores = meanScores(lastScores(events.filter((event) => event.kind === 'quality')))
  const groups = grouped(
    attempts.map((attempt) => probeOf(attempt, scores)),
    ({ provider, model }) => `${provider}/${model}`,
  ).filter((probes) => probes.length >= FEWEST_ATTEMPTS)
  const arrivals = arrivalsOf(attempts)
  if (groups.length < 2 || arrivals.length === 0) return null
  const from = arrivals[0]!.at
  return {
    name: 'recorded',
    from,
    until: arrivals.at(-1)!.at + 1,
    contenders: groups.map((probes) => traceContender(probes, from)),
    arrivals: () => arrivals,
  }
}

/** Failures by the caller's own request or leaving say nothing about the target. */
function isAboutTarget({ ok, failure, notCharged }: AttemptEvent): boolean {
  return (
    ok ||
    (!notCharged &&
      failure !== null &&
      !['client_gone', 'slower', 'bad_request', 'content_filter'].includes(failure.kind))
  )
}

/** Of one rater and request the last score counts. */
function lastScores(scores: readonly QualityEvent[]): readonly QualityEvent[] {
  const last = new Map<string, QualityEvent>()
  for (const event of scores) {
    const key = event.rater === undefined ? event.id : `${event.requestId} ${event.rater}`
    if ((event.turn ?? 1) >= (last.get(key)?.turn ?? 1)) last.set(key, event)
  }
  return [...last.values()]
}

function meanScores(scores: readonly QualityEvent[]): ReadonlyMap<string, number> {
  const sums = new Map<string, { sum: number; count: number }>()
  for (const { target, score } of scores) {
    const { sum, count } = sums.get(target.stateId) ?? { sum: 0, count: 0 }
    sums.set(target.stateId, { sum: sum + score, count: count + 1 })
  }
  return new Map([...sums].map(([id, { sum, count }]) => [id, sum / count]))
}

function probeOf(attempt: AttemptEvent, scores: ReadonlyMap<string, number>): Probe {
  const { target, latencyMs, failure } = attempt
  return {
    at: attempt.startedAt,
    provider: target.provider,
    model: `${target.model}#${target.keyIndex}`,
    conditions: {
      works: attempt.ok ? 1 : 0,
      firstTokenMs: Math.max(1, latencyMs),
      tokenMs: 0,
      quality: scores.get(target.stateId) ?? QUALITY,
      failure: failure?.kind ?? 'server',
      failureMs: Math.max(1, latencyMs),
      costUsd: (attempt.costNanoUsd ?? 0) / 1e9,
    },
  }
}

/** The first attempt of every request that a user made. */
function arrivalsOf(attempts: readonly AttemptEvent[]): readonly Arrival[] {
  return attempts
    .filter(({ source, number }) => source === 'live' && number === 1)
    .map(({ startedAt, task }) => ({ at: startedAt, tokens: 0, task }))
    .sort((a, b) => a.at - b.at)
}
