/** The cascade: rank, reserve, call, judge, record; answer or move on to the next target. */

import type { AttemptReport } from '../domain/attempt.ts'
import type { Call } from '../upstream/call.ts'
import type { RunningAttempt } from './attempt/runningAttempt.ts'
import { Trail } from './attempt/trail.ts'
import type { Engine } from './engine.ts'
import { exhausted } from './exhausted.ts'
import type { PendingRequest } from './request/pendingRequest.ts'

/** A request that was answered, or whose answer has begun to arrive. */
export interface Answered {
  readonly pending: PendingRequest
  readonly trail: Trail
  readonly call: Call
  readonly winner: RunningAttempt
  /** Resolves when the attempt is recorded: at once for a plain answer, at its end for a stream. */
  readonly recorded: Promise<AttemptReport>
  /** The same for a plain answer, without waiting; null for a stream. */
  readonly report: AttemptReport | null
}

/**
 * Tries target after target until one answers. Throws one of the errors of `domain/errors.ts` when none does.
 * `trail`: what the request has already tried, when it continues.
 */
export async function cascade(engine: Engine, pending: PendingRequest, trail = new Trail(pending)): Promise<Answered> {
  let decision = engine.decide(pending, trail)
  while (!trail.over && !pending.cancellation.cancelled && !engine.isLate(pending)) {
    const target = trail.nextOf(decision) ?? engine.lastResort(pending, trail)
    if (target === null) {
      if (!(await engine.waitForRoom(pending, trail))) break
      decision = engine.decide(pending, trail)
      continue
    }
    const hold = engine.reserve(target, pending)
    if (!hold.granted) {
      trail.pass(target, hold, decision.explored)
      if (trail.rejectedBy !== null) break
      continue
    }
    const attempt = engine.call(target, pending, trail, hold)
    await attempt.call.first
    const end = attempt.call.ended
    if (end === null || end.outcome.ok) return answered(engine, pending, trail, attempt)
    const { failure } = end.outcome
    const verdict = engine.judge(failure, pending, trail, target)
    engine.record(pending, trail, attempt, { end, failure, verdict })
    if (verdict.next !== 'retry-once') continue
    await engine.pause(pending, verdict.waitMs)
    decision = engine.decide(pending, trail)
  }
  throw engine.gaveUp(pending, trail, exhausted(engine, pending, trail))
}

function answered(engine: Engine, pending: PendingRequest, trail: Trail, winner: RunningAttempt): Answered {
  const { call } = winner
  const settle = (end: NonNullable<Call['ended']>) => engine.recordAnswer(pending, trail, winner, end)
  const report = call.ended === null ? null : settle(call.ended)
  const recorded = report === null ? call.done.then(settle) : Promise.resolve(report)
  return { pending, trail, call, winner, recorded, report }
}
