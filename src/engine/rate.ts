/** Ratings of answers, recorded in the event log like everything that is learned. */

import { InvalidRequestError } from '../domain/errors.ts'
import type { TargetRef } from '../domain/store.ts'
import type { Engine } from './engine.ts'

/** Rates the answers of a target. Throws InvalidRequestError for a score outside 0..1. */
export function rateTarget(
  engine: Engine,
  target: TargetRef,
  score: number,
  about: { readonly requestId: string | null; readonly task: string | null },
): void {
  checkScore(score)
  const { learned, store } = engine
  learned.record({
    kind: 'quality',
    at: engine.now,
    origin: store.origin,
    id: learned.eventId(),
    target,
    score,
    source: 'user',
    ...about,
  })
}

/** The same for the answer of one request. Throws InvalidRequestError when the request is unknown. */
export function rateRequest(engine: Engine, requestId: string, score: number): void {
  checkScore(score)
  const [attempt] = engine.store.attempts({ requestId, limit: 50 }).filter((one) => one.ok)
  if (attempt === undefined) throw unknownRequest(requestId)
  rateTarget(engine, attempt.target, score, { requestId, task: attempt.task })
  if (attempt.trial !== undefined) engine.experiments.report(attempt.trial, requestId, 'quality', score)
}

/**
 * Records a metric of one request for the experiment it was enrolled in; `quality` is a rating. For a request without
 * an experiment nothing is stored. Throws InvalidRequestError for a non-number, an unknown request or metric.
 */
export function reportMetric(engine: Engine, requestId: string, metric: string, value: number): void {
  if (metric === 'quality') return rateRequest(engine, requestId, value)
  checkMetric(metric, value)
  const [attempt] = engine.store.attempts({ requestId, limit: 50 })
  if (attempt === undefined) throw unknownRequest(requestId)
  if (attempt.trial !== undefined) engine.experiments.report(attempt.trial, requestId, metric, value)
}

/** Throws InvalidRequestError for a value that is not a number. */
export function checkMetric(metric: string, value: unknown): void {
  if (typeof value === 'number' && Number.isFinite(value)) return
  throw new InvalidRequestError(`the value of "${metric.slice(0, 60)}" must be a number, not ${String(value)}`, {
    parameter: 'metrics',
  })
}

function unknownRequest(requestId: string): InvalidRequestError {
  return new InvalidRequestError(
    `no answered request "${requestId.slice(0, 60)}" is known; use the requestId of a result`,
    { parameter: 'requestId', status: 404 },
  )
}

function checkScore(score: number): void {
  if (typeof score === 'number' && score >= 0 && score <= 1) return
  throw new InvalidRequestError(`a quality score is a number from 0 to 1, not ${String(score)}`, { parameter: 'score' })
}
