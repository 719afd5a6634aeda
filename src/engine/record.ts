/** The single entry for attempts: each becomes an event here, is settled, learned from and reported. */

import type { AttemptReport, AttemptSource, OperationName } from '../domain/attempt.ts'
import type { Usage } from '../domain/chat.ts'
import type { Failure } from '../domain/failure.ts'
import { isOutage, parkRule } from '../domain/park.ts'
import type { AttemptEvent, TargetRef, Trial } from '../domain/store.ts'
import { type Target, targetId } from '../domain/target.ts'
import { nanoToUsd } from '../money/amount.ts'
import { type Cost, costOf } from '../money/cost.ts'
import { amountUsed, withFreeQuota } from '../money/freeCost.ts'
import type { FreeCounts } from '../money/freeCount.ts'
import type { Price } from '../money/price.ts'
import type { UsageEstimator } from '../money/usage.ts'
import type { Parks } from '../quota/parks/parks.ts'
import type { Verdict } from '../routing/judge.ts'
import type { CallEnd } from '../upstream/call.ts'
import type { GrantedHold } from './attempt/reservation.ts'
import type { RunningAttempt } from './attempt/runningAttempt.ts'
import { consumed, type Prompt } from './memory/attemptUsage.ts'
import type { LearnedState } from './memory/learnedState.ts'
import type { PendingRequest } from './request/pendingRequest.ts'
import { billable } from './request/unitOperation.ts'

interface AttemptFacts extends Prompt {
  readonly id: string
  readonly requestId: string
  readonly number: number
  readonly source: AttemptSource
  readonly operation: OperationName
  readonly target: Target
  readonly startedAt: number
  readonly streamed: boolean
  readonly end: CallEnd
  readonly price: Price | null
  readonly hold: GrantedHold | null
  readonly task: string | null
  readonly session: string | null
  readonly token: string | null
  readonly tokenId?: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly trial?: Trial | null
  readonly leftOut?: readonly string[]
  readonly why?: string | undefined
  /** This host was offline or asleep: the target is not charged. */
  readonly notCharged: boolean
  /** The target was known to fail when it was called. */
  readonly expected?: boolean
}

/** The facts of an attempt before it is found to be charged or not; without an id it gets one. */
export type RecordedFacts = Omit<AttemptFacts, 'id' | 'notCharged'> & Partial<Pick<AttemptFacts, 'id'>>

/** A failed attempt with its verdict. */
export interface Judged {
  readonly end: CallEnd
  readonly failure: Failure
  readonly verdict: Verdict
}

export interface Recorded {
  readonly event: AttemptEvent
  readonly report: AttemptReport
}

interface Recorder {
  readonly learned: LearnedState
  /** Identifies the process on its events. */
  readonly origin: string
  /** Estimates usage that was not reported. */
  readonly estimate: UsageEstimator
  /** Receives the event; default the learned state. */
  readonly record?: ((event: AttemptEvent) => void) | undefined
}

/** The facts of one attempt of a cascade, a test or a probe. Only a live request belongs to a session. */
export function attemptFacts(
  pending: PendingRequest,
  attempt: Pick<RunningAttempt, 'target' | 'startedAt' | 'hold' | 'price' | 'number' | 'expected'> &
    Partial<Pick<RunningAttempt, 'id' | 'leftOut' | 'why'>>,
  end: CallEnd,
  source: AttemptSource,
): RecordedFacts {
  const isLive = source === 'live'
  return {
    ...(attempt.id !== undefined && { id: attempt.id }),
    requestId: pending.id,
    number: attempt.number,
    expected: attempt.expected === true,
    source,
    operation: pending.operation?.name ?? 'chat',
    units: pending.operation?.units,
    target: attempt.target,
    startedAt: attempt.startedAt,
    streamed: pending.request.stream,
    end,
    inputTokens: pending.needs.inputTokens,
    request: pending.whole,
    hold: attempt.hold,
    price: attempt.price,
    task: pending.task,
    session: isLive ? pending.session.id : null,
    token: pending.token,
    tokenId: pending.tokenId,
    labels: pending.labels,
    trial: pending.enrolment?.trial ?? null,
    leftOut: attempt.leftOut,
    why: attempt.why,
  }
}

/** Settles the hold, records the attempt, and returns its report. */
export function recordAttempt(recorder: Recorder, facts: AttemptFacts, now: number): Recorded {
  const { learned, record = (event) => learned.record(event) } = recorder
  const event = eventOf(facts, recorder, now)
  const tokens = event.usage === null ? 0 : event.usage.inputTokens + event.usage.outputTokens
  if (facts.hold !== null) {
    if (facts.hold.quota !== null) learned.quota.settle(facts.hold.quota, event.usage, now)
    learned.crossed(
      learned.budgets.settle(facts.hold.budget, { nanoUsd: event.costNanoUsd, range: event.costRange, tokens }),
    )
    if (facts.hold.probe) learned.parks.endProbe(facts.target)
  }
  record(event)
  return { event, report: reportOf(event, facts.target, learned, now) }
}

function eventOf(facts: AttemptFacts, { origin, estimate, learned }: Recorder, now: number): AttemptEvent {
  const { end, target } = facts
  const failure = end.outcome.ok ? null : end.outcome.failure
  const used = consumed(end, facts, estimate)
  const { usage, price } = used === null ? { usage: null, price: null } : billable(facts.units, used, facts.price)
  const cost = costOfAttempt(facts, usage, price, learned.freeCounts, now)
  return {
    kind: 'attempt',
    at: now,
    origin,
    id: facts.id,
    requestId: facts.requestId,
    number: facts.number,
    source: facts.source,
    target: refOf(target),
    startedAt: facts.startedAt,
    latencyMs: round(end.latencyMs),
    firstTokenMs: end.firstTokenMs === null ? null : round(end.firstTokenMs),
    streamed: facts.streamed,
    ok: end.outcome.ok,
    ...(end.outcome.ok && end.outcome.healed && { healed: true }),
    failure: failure === null ? null : forLog(failure),
    ...(facts.notCharged && { notCharged: true }),
    ...(failure !== null && knownFailure(facts, failure, learned.parks)),
    usage,
    costNanoUsd: usage === null ? 0 : (cost?.nanoUsd ?? null),
    ...(cost?.range !== undefined && { costRange: cost.range }),
    priceSource: cost?.source ?? null,
    limits: end.limits,
    ...(end.calls !== undefined && { calls: end.calls }),
    ...(facts.leftOut !== undefined && facts.leftOut.length > 0 && { leftOut: facts.leftOut }),
    ...(facts.why !== undefined && { why: facts.why }),
    task: facts.task,
    session: facts.session,
    token: facts.token,
    ...(facts.tokenId != null && { tokenId: facts.tokenId }),
    labels: facts.labels,
    ...(facts.trial != null && { trial: facts.trial }),
  }
}

/** Ends what was held of a free quota. */
function costOfAttempt(
  { startedAt, hold, end }: AttemptFacts,
  usage: Usage | null,
  price: Price | null,
  counts: FreeCounts,
  now: number,
): Cost | null {
  const cost = usage === null ? null : costOf(usage, price, startedAt)
  if (hold?.free === undefined) return cost
  const used = amountUsed(hold.free.quota, usage, cost, end.calls ?? 1)
  const free = counts.settle(hold.free, used, now)
  if (usage === null || cost === null || price === null) return cost
  return withFreeQuota(cost, usage, price, startedAt, { used, free })
}

/** What repairs read of a refusal is for its request only: it is the upstream's own words, and not redacted. */
function forLog(failure: Failure): Failure {
  if (!('fields' in failure)) return failure
  const { fields: _words, ...rest } = failure
  return rest
}

/** Whether the target was known to fail like this before the call. */
function knownFailure(
  { expected, target, startedAt }: AttemptFacts,
  failure: Failure,
  parks: Parks,
): Pick<AttemptEvent, 'known'> {
  const known = parks.knows(target, failure, startedAt)
  // A probe of an outage that found another cause found something new.
  if (known !== null && expected === true && isOutageFailure(failure)) return { known: 'expected' }
  return known === null ? {} : { known }
}

const isOutageFailure = (failure: Failure) => {
  const rule = parkRule(failure)
  return rule !== null && isOutage(rule)
}

/** Microseconds are precise enough and shorter to store. */
const round = (ms: number) => Math.round(ms * 1000) / 1000

export function refOf(target: TargetRef): TargetRef {
  const { stateId, provider, model, fingerprint, keyIndex, account } = target
  return { stateId, provider, model, fingerprint, keyIndex, account }
}

/** The report of an attempt right after it was made. */
function reportOf(
  event: AttemptEvent,
  target: Target,
  learned: Pick<LearnedState, 'parks'>,
  now: number,
): AttemptReport {
  const park = event.ok ? undefined : learned.parks.blocking(target, now)
  return attemptReport(event, target.keyIndex, park?.until ?? null, target.id)
}

/**
 * The same for any event of the ledger; `keyIndex` is the key's index today, `retryAt` epoch milliseconds. `id`: that of
 * the target where it is at hand, because another copy of it would be slower to look up.
 */
export function attemptReport(
  event: AttemptEvent,
  keyIndex: number,
  retryAt: number | null,
  id = targetId(event.target.provider, event.target.model, keyIndex),
): AttemptReport {
  const { target, failure } = event
  return {
    target: id,
    provider: target.provider,
    model: target.model,
    keyIndex,
    ok: event.ok,
    ...(event.healed && { healed: true }),
    ...(event.leftOut && { leftOut: event.leftOut }),
    ...(event.why !== undefined && { why: event.why }),
    failureKind: failure?.kind ?? null,
    status: failure?.status ?? null,
    message: failure?.message ?? null,
    startedAt: isoOf(event.startedAt),
    latencyMs: Math.round(event.latencyMs),
    firstTokenMs: event.firstTokenMs === null ? null : Math.round(event.firstTokenMs),
    usage: event.usage,
    costUsd: event.costNanoUsd === null ? null : nanoToUsd(event.costNanoUsd),
    ...(event.costRange && { costAtLeastUsd: nanoToUsd(event.costRange.atLeast) }),
    retryAt: retryAt === null ? null : isoOf(retryAt),
  }
}

let lastTime = Number.NaN
let lastIso = ''

/** Under load many attempts begin in the same millisecond, and formatting a time is not cheap. */
function isoOf(time: number): string {
  if (time !== lastTime) {
    lastIso = new Date(time).toISOString()
    lastTime = time
  }
  return lastIso
}
