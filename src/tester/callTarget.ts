/** Tests one target: reserve, call, judge, record. A short limit is waited out, a transient failure retried once. */

import type { ChatRequest } from '../domain/chat.ts'
import type { Failure, FailureKind } from '../domain/failure.ts'
import type { Target } from '../domain/target.ts'
import type { GrantedHold } from '../engine/attempt/reservation.ts'
import type { Engine } from '../engine/engine.ts'
import { prepareRequest } from '../engine/prepareRequest.ts'
import { attemptFacts } from '../engine/record.ts'
import { mostTokensOf } from '../engine/request/amounts.ts'
import type { HoldNeed, PendingRequest } from '../engine/request/pendingRequest.ts'
import { judge } from '../routing/judge.ts'
import type { Call, CallEnd } from '../upstream/call.ts'
import type { DayAllowance } from './allowance.ts'
import type { ProviderQueues } from './providerQueues.ts'
import type { TestBudget } from './testBudget.ts'

/** Shared by all calls of one run. */
export interface Desk {
  readonly engine: Engine
  readonly queues: ProviderQueues
  readonly budget: TestBudget
  readonly allowance: DayAllowance
  /** Maximum milliseconds for one call of a target. */
  readonly timeoutOf: (target: Target) => number
  /** Longest single wait for a limit, in milliseconds. */
  readonly patienceMs: number
  readonly signal: AbortSignal
  /** Called when a call is about to start, and when a wait for a limit begins. */
  readonly onCall: (target: Target) => void
  readonly onWait: (target: Target) => void
}

export type TestAnswer =
  | { readonly kind: 'ended'; readonly end: CallEnd; readonly calls: number; readonly costNanoUsd: number | null }
  | { readonly kind: 'skipped'; readonly reason: string }
  | { readonly kind: 'interrupted' }

/** How many times a limit is waited for before it is reported. */
const MOST_WAITS = 3
/** A service names one field of several at a time. */
const MOST_REPAIRS = 3
/** First wait for a limit whose response states no delay; doubled each time. Many 429s carry no `Retry-After`. */
const UNSTATED_WAIT_MS = 5000
/** Stated waits grow by up to this fraction, so that waiting calls do not all retry at the same moment. */
const JITTER = 0.1

export function callTarget(desk: Desk, target: Target, request: ChatRequest): Promise<TestAnswer> {
  return new Asking(desk, target, request).run()
}

/** The pending request of one call; limits and budgets reserve its worst case. */
function pendingOf(
  { engine, timeoutOf }: Pick<Desk, 'engine' | 'timeoutOf'>,
  target: Target,
  request: ChatRequest,
): PendingRequest {
  const asked = { ...request, model: target.id }
  return {
    ...prepareRequest(engine, asked, { timeoutMs: timeoutOf(target), anyAnswer: true }),
    mostInputTokens: mostTokensOf(asked),
  }
}

export function needOf(desk: Pick<Desk, 'engine' | 'timeoutOf'>, target: Target, request: ChatRequest): HoldNeed {
  return desk.engine.eligibility.needOf(target, pendingOf(desk, target, request), desk.engine.now)
}

class Asking {
  readonly #desk: Desk
  readonly #target: Target
  readonly #request: ChatRequest
  #calls = 0
  #waits = 0
  #retried = false
  #repairs = 0
  #costNanoUsd: number | null = 0

  constructor(desk: Desk, target: Target, request: ChatRequest) {
    this.#desk = desk
    this.#target = target
    this.#request = request
  }

  async run(): Promise<TestAnswer> {
    let last: TestAnswer | null = null
    for (;;) {
      const step: Step = await this.#desk.queues.run(this.#target, () => this.#step())
      if (step.kind === 'wait') await this.#pause(step.ms)
      else if (step.kind !== 'ended') return step.kind === 'skipped' && last !== null ? last : step
      else {
        last = step
        const waitMs = step.end.outcome.ok ? null : this.#waitAfter(step.end.outcome.failure)
        if (waitMs === null) return step
        await this.#pause(waitMs)
        if (this.#desk.signal.aborted) return step
      }
    }
  }

  /** Checks and calls; a wait is returned rather than slept, so that the queue slot is free meanwhile. */
  async #step(): Promise<Step> {
    const { engine, signal } = this.#desk
    if (signal.aborted) return { kind: 'interrupted' }
    // A configuration reload may have removed the target.
    if (engine.registry.find(this.#target.stateId) === undefined)
      return { kind: 'skipped', reason: 'it is no longer configured' }
    const ms = this.#waitForRoom()
    return ms === null ? this.#callOnce() : { kind: 'wait', ms }
  }

  async #callOnce(): Promise<TestAnswer> {
    const { engine, budget, allowance, signal } = this.#desk
    const pending = pendingOf(this.#desk, this.#target, this.#request)
    const need = engine.eligibility.needOf(this.#target, pending, engine.now)
    const tenth = allowance.take(this.#target, need.quota, engine.now)
    if (tenth !== null) return { kind: 'skipped', reason: tenth }
    const reserved = budget.reserve(need.worstCase.nanoUsd)
    if (reserved === null) return { kind: 'skipped', reason: OVER_BUDGET }
    const hold = engine.reserveForTest(this.#target, pending)
    if (!hold.granted) {
      budget.settle(reserved, 0)
      return { kind: 'skipped', reason: hold.why.reason }
    }
    const { end, costNanoUsd } = await this.#call(pending, hold)
    budget.settle(reserved, costNanoUsd)
    this.#costNanoUsd = addCosts(this.#costNanoUsd, costNanoUsd)
    if (signal.aborted && !end.outcome.ok) return { kind: 'interrupted' }
    return { kind: 'ended', end, calls: this.#calls, costNanoUsd: this.#costNanoUsd }
  }

  /** Calls and records. */
  async #call(pending: PendingRequest, hold: GrantedHold): Promise<{ end: CallEnd; costNanoUsd: number | null }> {
    const { engine, onCall } = this.#desk
    onCall(this.#target)
    const attempt = engine.callForTest(this.#target, pending, hold, ++this.#calls)
    const end = await this.#endOf(attempt.call, pending)
    if (end.outcome.ok) {
      this.#liftParks()
      engine.missingAbilities.worked(this.#target, pending.needs.abilities)
    }
    const { event } = engine.recordAttempt(attemptFacts(pending, attempt, end, 'test'))
    return { end, costNanoUsd: event.costNanoUsd }
  }

  /** Waits for the end; interrupting the run aborts the call. */
  async #endOf(call: Call, pending: PendingRequest): Promise<CallEnd> {
    const stop = () => pending.cancellation.cancel()
    this.#desk.signal.addEventListener('abort', stop, { once: true })
    try {
      await call.first
      // The response is only collected, not streamed to a reader.
      if (call.ended === null) call.attach({ onChunks: () => true, onEnd: () => {} })
      return await call.done
    } finally {
      this.#desk.signal.removeEventListener('abort', stop)
    }
  }

  /** The answer disproves whatever kept the target parked. */
  #liftParks(): void {
    const { engine } = this.#desk
    const lifted = new Set<FailureKind>()
    for (;;) {
      const park = engine.learned.parks.blocking(this.#target, engine.now)
      if (park === undefined || lifted.has(park.reason)) return
      engine.lift(this.#target, [park.reason])
      lifted.add(park.reason)
    }
  }

  /** Avoids running into a limit known to be short right now, if it resets soon. Null when the call can go. */
  #waitForRoom(): number | null {
    const { engine, patienceMs } = this.#desk
    const { quota } = needOf(this.#desk, this.#target, this.#request)
    const shortage = engine.learned.quota.room(this.#target, quota, engine.now)
    if (shortage === null || shortage.tooLarge || shortage.window === 'day') return null
    const waitMs = shortage.until - engine.now
    return waitMs <= patienceMs && this.#mayWait() ? waitMs : null
  }

  /** How long to wait before retrying the same call; null when its failure is final. */
  #waitAfter(failure: Failure): number | null {
    const { engine, patienceMs } = this.#desk
    if (failure.kind === 'rate_minute') return this.#waitForLimit(failure.retryAfterMs)
    if (this.#mayRepair(failure)) return 0
    if (this.#retried) return null
    this.#retried = true
    const facts = { alone: true, spare: true, retried: false, patienceMs, confirmed: false, mayAnswerFiltered: false }
    const verdict = judge(failure, { ...facts, random: engine.random() })
    return verdict.next === 'retry-once' ? verdict.waitMs : null
  }

  /** Whether the target will take the request written differently. */
  #mayRepair(failure: Failure): boolean {
    const { engine } = this.#desk
    const pending = pendingOf(this.#desk, this.#target, this.#request)
    return engine.repairs(failure, pending, this.#target) && this.#repairs++ < MOST_REPAIRS
  }

  #waitForLimit(statedMs: number | undefined): number | null {
    const { engine, patienceMs } = this.#desk
    const waitMs = statedMs ?? UNSTATED_WAIT_MS * 2 ** this.#waits
    return waitMs <= patienceMs && this.#mayWait() ? waitMs * (1 + JITTER * engine.random()) : null
  }

  /** Counts a wait; false once the maximum is reached. */
  #mayWait(): boolean {
    if (this.#waits >= MOST_WAITS) return false
    this.#waits++
    this.#desk.onWait(this.#target)
    return true
  }

  #pause(ms: number): Promise<void> {
    const { engine, signal } = this.#desk
    return ms <= 0 || signal.aborted ? Promise.resolve() : engine.sleep(ms, signal)
  }
}

type Step = TestAnswer | { readonly kind: 'wait'; readonly ms: number }

export const OVER_BUDGET = 'it could cost more than is left of settings.test.max_usd'

/** Null when either is unknown. */
export function addCosts(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b
}
