/** One target put to the test: reserved, called, judged, recorded; a short limit is waited for, a hiccup tried once more. */

import type { ChatRequest } from '../domain/chat.ts'
import type { Failure } from '../domain/failure.ts'
import type { Target } from '../domain/target.ts'
import { mostTokensOf } from '../manager/amounts.ts'
import type { Ask } from '../manager/ask.ts'
import type { Engine } from '../manager/engine.ts'
import type { HoldNeed } from '../manager/holds.ts'
import { makeAsk } from '../manager/makeAsk.ts'
import { judge } from '../routing/judge.ts'
import type { CallEnd } from '../upstream/call.ts'
import type { DayAllowance } from './allowance.ts'
import type { Lanes } from './lanes.ts'
import type { Purse } from './purse.ts'

/** What all calls of one run share. */
export interface Desk {
  readonly engine: Engine
  readonly lanes: Lanes
  readonly purse: Purse
  readonly allowance: DayAllowance
  /** Most milliseconds of one call of a target. */
  readonly timeoutOf: (target: Target) => number
  /** Longest single wait for a limit, in milliseconds. */
  readonly patienceMs: number
  readonly signal: AbortSignal
  /** Told when a call is about to be made, and when a limit is waited for. */
  readonly onCall: (target: Target) => void
  readonly onWait: (target: Target) => void
}

export type Answer =
  | { readonly kind: 'ended'; readonly end: CallEnd; readonly calls: number; readonly costNanoUsd: number | null }
  | { readonly kind: 'skipped'; readonly reason: string }
  | { readonly kind: 'interrupted' }

/** How often a limit is waited for before it is reported. */
const MOST_WAITS = 3
/** A limit that names no wait is looked at again after this, doubled each time (wire-facts section 4, `rate_minute`). */
const UNSTATED_WAIT_MS = 5000
/** Stated waits get up to this share on top, so that all who waited do not come back in the same moment. */
const JITTER = 0.1

export async function callTarget(desk: Desk, target: Target, request: ChatRequest): Promise<Answer> {
  return new Asking(desk, target, request).run()
}

/** The ask of one call; budgets and the purse see the most it can take. */
export function askOf(
  { engine, timeoutOf }: Pick<Desk, 'engine' | 'timeoutOf'>,
  target: Target,
  request: ChatRequest,
): Ask {
  const asked = { ...request, model: target.id }
  return { ...makeAsk(engine, asked, { timeoutMs: timeoutOf(target) }), mostInputTokens: mostTokensOf(asked) }
}

export function needOf(desk: Pick<Desk, 'engine' | 'timeoutOf'>, target: Target, request: ChatRequest): HoldNeed {
  return desk.engine.world.needOf(target, askOf(desk, target, request), desk.engine.now)
}

class Asking {
  readonly #desk: Desk
  readonly #target: Target
  readonly #request: ChatRequest
  #calls = 0
  #waits = 0
  #retried = false
  #costNanoUsd: number | null = 0

  constructor(desk: Desk, target: Target, request: ChatRequest) {
    this.#desk = desk
    this.#target = target
    this.#request = request
  }

  async run(): Promise<Answer> {
    for (;;) {
      await this.#waitForRoom()
      if (this.#desk.signal.aborted) return { kind: 'interrupted' }
      const answer = await this.#desk.lanes.run(this.#target, () => this.#callOnce())
      if (answer.kind !== 'ended' || answer.end.outcome.ok) return answer
      const waitMs = this.#waitAfter(answer.end.outcome.failure)
      if (waitMs === null) return answer
      await this.#pause(waitMs)
      if (this.#desk.signal.aborted) return answer
    }
  }

  async #callOnce(): Promise<Answer> {
    const { engine, purse, allowance, signal, onCall } = this.#desk
    if (signal.aborted) return { kind: 'interrupted' }
    const ask = askOf(this.#desk, this.#target, this.#request)
    const need = engine.world.needOf(this.#target, ask, engine.now)
    const tenth = allowance.take(this.#target, need.quota, engine.now)
    if (tenth !== null) return { kind: 'skipped', reason: tenth }
    const reserved = purse.reserve(need.worstCase.nanoUsd)
    if (reserved === null) return { kind: 'skipped', reason: OVER_BUDGET }
    const hold = engine.reserveForTest(this.#target, ask)
    if (!hold.granted) {
      purse.settle(reserved, 0)
      return { kind: 'skipped', reason: hold.why.reason }
    }
    onCall(this.#target)
    const attempt = engine.callForTest(this.#target, ask, hold, ++this.#calls)
    const end = await this.#endOf(attempt.call, ask)
    if (end.outcome.ok) this.#liftParks()
    const { event } = engine.remember({
      requestId: ask.id,
      number: attempt.number,
      source: 'test',
      target: this.#target,
      startedAt: attempt.startedAt,
      streamed: ask.request.stream,
      end,
      inputTokens: ask.needs.inputTokens,
      request: ask.request,
      hold,
      task: null,
      session: null,
      token: null,
      labels: {},
    })
    purse.settle(reserved, event.costNanoUsd)
    this.#costNanoUsd = sum(this.#costNanoUsd, event.costNanoUsd)
    if (signal.aborted && !end.outcome.ok) return { kind: 'interrupted' }
    return { kind: 'ended', end, calls: this.#calls, costNanoUsd: this.#costNanoUsd }
  }

  /** Waits for the end; an interrupted run ends the call. */
  async #endOf(call: ReturnType<Engine['callForTest']>['call'], ask: Ask): Promise<CallEnd> {
    const stop = () => ask.cancellation.cancel()
    this.#desk.signal.addEventListener('abort', stop, { once: true })
    try {
      await call.first
      // Nobody reads along: what arrives is only put together.
      if (call.ended === null) call.attach({ onChunks: () => true, onEnd: () => {} })
      return await call.done
    } finally {
      this.#desk.signal.removeEventListener('abort', stop)
    }
  }

  /** The answer disproves whatever kept the target out until now. */
  #liftParks(): void {
    const { engine } = this.#desk
    const { parks } = engine.parts.mind
    for (let park = parks.blocking(this.#target, engine.now); park !== undefined; ) {
      engine.lift(this.#target, [park.reason])
      const next = parks.blocking(this.#target, engine.now)
      if (next?.reason === park.reason) return
      park = next
    }
  }

  /** A stated limit that is known to be short now is not run into. */
  async #waitForRoom(): Promise<void> {
    const { engine, patienceMs, signal } = this.#desk
    while (this.#waits < MOST_WAITS && !signal.aborted) {
      const { quota } = needOf(this.#desk, this.#target, this.#request)
      const shortage = engine.parts.mind.quota.room(this.#target, quota, engine.now)
      if (shortage === null || shortage.tooLarge || shortage.window === 'day') return
      const waitMs = shortage.until - engine.now
      if (waitMs > patienceMs) return
      await this.#wait(waitMs)
    }
  }

  /** How long to wait before the same call again; null when its failure is the answer. */
  #waitAfter(failure: Failure): number | null {
    const { engine, patienceMs } = this.#desk
    if (failure.kind === 'rate_minute') return this.#waitForLimit(failure.retryAfterMs)
    if (this.#retried) return null
    this.#retried = true
    if (failure.kind === 'unsupported') return engine.parts.repairs.learn(this.#target, failure) ? 0 : null
    const facts = { alone: true, retried: false, patienceMs, confirmed: false, mayAnswerFiltered: false }
    const verdict = judge(failure, { ...facts, random: engine.parts.random() })
    return verdict.next === 'retry-once' ? verdict.waitMs : null
  }

  #waitForLimit(statedMs: number | undefined): number | null {
    const { engine, patienceMs, onWait } = this.#desk
    const waitMs = statedMs ?? UNSTATED_WAIT_MS * 2 ** this.#waits
    if (waitMs > patienceMs || this.#waits >= MOST_WAITS) return null
    this.#waits++
    onWait(this.#target)
    return waitMs * (1 + JITTER * engine.parts.random())
  }

  async #wait(ms: number): Promise<void> {
    this.#waits++
    this.#desk.onWait(this.#target)
    await this.#pause(ms)
  }

  #pause(ms: number): Promise<void> {
    const { engine, signal } = this.#desk
    if (ms <= 0 || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
      void engine.parts.sleep(ms).then(resolve)
    })
  }
}

export const OVER_BUDGET = 'it could cost more than is left of settings.test.max_usd'

function sum(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b
}
