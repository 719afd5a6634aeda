/** The cascade: rank, reserve, call, judge, record; answer or go on to the next. Its shape is the point of the house. */

import type { AttemptReport } from '../domain/attempt.ts'
import type { Call } from '../upstream/call.ts'
import type { Try } from './attempt/attempt.ts'
import { Trail } from './attempt/trail.ts'
import type { Engine } from './engine.ts'
import { exhausted } from './exhausted.ts'
import type { Ask } from './request/pendingRequest.ts'

/** A request that was answered, or whose answer has begun to arrive. */
export interface Answered {
  readonly ask: Ask
  readonly trail: Trail
  readonly call: Call
  readonly winner: Try
  readonly explored: boolean
  /** Resolves when the attempt is recorded: at once for a plain answer, at its end for a stream. */
  readonly recorded: Promise<AttemptReport>
  /** The same for a plain answer, without waiting; null for a stream. */
  readonly report: AttemptReport | null
}

/**
 * Asks target after target until one answers. Throws one of the few errors of `domain/errors.ts` when none does.
 * `trail`: what the request has tried already, where it goes on.
 */
export async function cascade(engine: Engine, ask: Ask, trail = new Trail(ask)): Promise<Answered> {
  let decision = engine.decide(ask, trail)
  while (!trail.over && !ask.cancellation.cancelled && !engine.isLate(ask)) {
    const target = engine.nextTarget(decision, trail) ?? engine.lastResort(ask, trail)
    if (target === null) {
      if (!(await engine.waitForRoom(ask, trail))) break
      decision = engine.decide(ask, trail)
      continue
    }
    const hold = engine.reserve(target, ask)
    if (!hold.granted) {
      trail.pass(target, hold, decision.explored)
      if (trail.rejectedBy !== null) break
      continue
    }
    const attempt = engine.call(target, ask, trail, hold)
    await attempt.call.first
    if (attempt.call.ended?.outcome.ok !== false) return answered(engine, ask, trail, attempt, decision.explored)
    const verdict = engine.record(ask, trail, attempt, attempt.call.ended)
    if (verdict.next !== 'retry-once') continue
    await engine.pause(ask, verdict.waitMs)
    decision = engine.decide(ask, trail)
  }
  throw engine.gaveUp(ask, trail, exhausted(engine, ask, trail))
}

function answered(engine: Engine, ask: Ask, trail: Trail, winner: Try, explored: boolean): Answered {
  const { call } = winner
  const settle = (end: NonNullable<Call['ended']>) => engine.recordAnswer(ask, trail, winner, end)
  const report = call.ended === null ? null : settle(call.ended)
  const recorded = report === null ? call.done.then(settle) : Promise.resolve(report)
  return { ask, trail, call, winner, explored, recorded, report }
}
