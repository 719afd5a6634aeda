/** The cascade: rank, reserve, call, judge, record; answer or move on to the next target. */

import type { AttemptReport } from '../domain/attempt.ts'
import type { Target } from '../domain/target.ts'
import type { Decision } from '../routing/decision.ts'
import type { Call } from '../upstream/call.ts'
import { askedWhy } from './attempt/askedWhy.ts'
import { type AskReason, Race } from './attempt/race.ts'
import type { RunningAttempt } from './attempt/runningAttempt.ts'
import { Trail } from './attempt/trail.ts'
import type { Engine } from './engine.ts'
import { exhausted } from './exhausted.ts'
import type { PendingRequest } from './request/pendingRequest.ts'

/**
 * A request that was answered, or whose answer has begun to arrive. When no target did better, the answer may be one
 * that was blocked, empty or malformed; its attempt is then recorded as failed.
 */
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
 * Tries target after target until one answers. One that is silent for too long keeps running while the next is asked
 * beside it, and the first content wins. Throws one of the errors of `domain/errors.ts` when none answers.
 * `trail`: what the request has already tried, when it continues.
 */
export async function cascade(engine: Engine, pending: PendingRequest, trail = new Trail(pending)): Promise<Answered> {
  engine.experiments.assigned(pending.enrolment, pending.id)
  const race = new Race(engine.tools, pending, trail)
  let winner: RunningAttempt | null
  try {
    winner = await firstOf(engine, pending, trail, race)
  } finally {
    if (!race.isEmpty) leaveBehind(engine, pending, trail, race)
  }
  return winner === null ? keptOf(engine, pending, trail) : answered(engine, pending, trail, winner)
}

/** The first attempt that has content; null when none is left that could have any. */
async function firstOf(
  engine: Engine,
  pending: PendingRequest,
  trail: Trail,
  race: Race,
): Promise<RunningAttempt | null> {
  let decision = engine.decide(pending, trail)
  for (;;) {
    askNext(engine, pending, trail, race, decision)
    if (race.isEmpty) {
      if (!mayCall(engine, pending, trail) || !(await engine.waitForRoom(pending, trail))) return null
      decision = engine.decide(pending, trail)
      continue
    }
    const attempt = await race.next()
    if (attempt === null) {
      trail.lookAgain()
      decision = engine.decide(pending, trail)
      continue
    }
    const end = attempt.call.ended
    if (end === null || end.outcome.ok) return attempt
    const { failure, response } = end.outcome
    const verdict = engine.judge(failure, pending, trail, attempt.target)
    const report = engine.record(pending, trail, attempt, { end, failure, verdict })
    if (response !== undefined) trail.keep(attempt, report)
    // A blocked answer is the caller's, whoever still runs beside it.
    if (verdict.next === 'give-up' && response !== undefined) return null
    if (verdict.next !== 'retry-once') continue
    if (failure.kind === 'empty' || verdict.repaired) {
      trail.offer(attempt.target)
      continue
    }
    await engine.pause(pending, verdict.waitMs)
    decision = engine.decide(pending, trail)
  }
}

function mayCall(engine: Engine, pending: PendingRequest, trail: Trail): boolean {
  return !trail.over && trail.rejectedBy === null && !pending.cancellation.cancelled && !engine.isLate(pending)
}

/** Asks the next target when nothing runs, or when what runs was silent for too long. */
function askNext(engine: Engine, pending: PendingRequest, trail: Trail, race: Race, decision: Decision): void {
  const { reason } = race
  if (reason === null) return
  const attempt = mayCall(engine, pending, trail) ? callNext(engine, pending, trail, decision, race, reason) : null
  if (attempt === null) race.foundNone(reason)
  else
    race.enter(attempt, reason, {
      hedgeAfterMs: engine.hedgeAfterMs(attempt.target, pending),
      patienceMs: engine.patienceMs(attempt.target, pending, decision),
    })
}

/** Calls the next target that has room. */
function callNext(
  engine: Engine,
  pending: PendingRequest,
  trail: Trail,
  decision: Decision,
  race: Race,
  reason: AskReason,
): RunningAttempt | null {
  const isHedge = reason === 'hedge'
  trail.unasked = engine.unaskedProviders(pending, trail)
  const isAllowed = isHedge ? (target: Target) => engine.mayHedge(target, pending) : undefined
  for (;;) {
    const ranked = trail.nextOf(decision, isAllowed)
    const target = ranked ?? (isHedge ? null : engine.lastResort(pending, trail))
    if (target === null) return null
    const hold = isHedge ? engine.reserveHedge(target, pending) : engine.reserve(target, pending, trail)
    const asked = { target, decision, reason, inNeed: ranked === null, beside: race.asked }
    if (hold.granted) return engine.call(target, pending, trail, hold, askedWhy(trail, asked))
    if (hold.budget !== undefined && !isHedge) engine.monitor.overBudget(hold.budget, pending)
    // What is asked for speed only does not fail the request.
    trail.pass(target, hold, decision.explored || isHedge)
    if (trail.rejectedBy !== null) return null
  }
}

/** Ends and books what still runs beside the winner, or after the end. */
function leaveBehind(engine: Engine, pending: PendingRequest, trail: Trail, race: Race): void {
  for (const { attempt, end, failure } of race.end()) {
    const verdict = engine.judge(failure, pending, trail, attempt.target)
    engine.record(pending, trail, attempt, { end, failure, verdict })
  }
}

/** What a target said, whatever it is worth, is better than an error of ours. Throws when none said anything. */
function keptOf(engine: Engine, pending: PendingRequest, trail: Trail): Answered {
  const { kept } = trail
  if (kept === null || pending.cancellation.cancelled)
    throw engine.gaveUp(pending, trail, exhausted(engine, pending, trail))
  engine.handOver(pending)
  const { attempt: winner, report } = kept
  return { pending, trail, call: winner.call, winner, recorded: Promise.resolve(report), report }
}

function answered(engine: Engine, pending: PendingRequest, trail: Trail, winner: RunningAttempt): Answered {
  const { call } = winner
  if (call.ended === null) engine.delivers(winner)
  const settle = (end: NonNullable<Call['ended']>) => engine.recordAnswer(pending, trail, winner, end)
  const report = call.ended === null ? null : settle(call.ended)
  const recorded = report === null ? call.done.then(settle) : Promise.resolve(report)
  return { pending, trail, call, winner, recorded, report }
}
