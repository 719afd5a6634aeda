/** Scores that people give to answers, into the log like everything else that is learned. */

import { InvalidRequestError } from '../domain/errors.ts'
import type { TargetRef } from '../domain/store.ts'
import type { Engine } from './engine.ts'

/** Says how good answers of a target were. Throws InvalidRequestError for a score outside 0..1. */
export function rateTarget(
  engine: Engine,
  target: TargetRef,
  score: number,
  about: { readonly requestId: string | null; readonly task: string | null },
): void {
  checkScore(score)
  const { mind, store } = engine.parts
  mind.remember({
    kind: 'quality',
    at: engine.now,
    origin: store.origin,
    id: mind.eventId(),
    target,
    score,
    source: 'user',
    ...about,
  })
}

/** The same for the answer of one request. Throws InvalidRequestError when no answer of that id is known. */
export function rateRequest(engine: Engine, requestId: string, score: number): void {
  checkScore(score)
  const [attempt] = engine.parts.store.attempts({ requestId, limit: 50 }).filter((one) => one.ok)
  if (attempt === undefined)
    throw new InvalidRequestError(
      `no answered request "${requestId.slice(0, 60)}" is known; use the requestId of a result`,
      { parameter: 'requestId', status: 404 },
    )
  rateTarget(engine, attempt.target, score, { requestId, task: attempt.task })
}

function checkScore(score: number): void {
  if (typeof score === 'number' && score >= 0 && score <= 1) return
  throw new InvalidRequestError(`a quality score is a number from 0 to 1, not ${String(score)}`, { parameter: 'score' })
}
