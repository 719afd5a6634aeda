/**
 * Tests targets of which nothing is known by one tiny call each, so that no request has to try them: where the user
 * wants it (`settings.test.new_targets`), and for no more than `settings.test.max_usd` a UTC day, tests by hand
 * included. The calls are in the ledger like those of any test.
 */

import type { Target } from '../domain/target.ts'
import { whyNot } from '../engine/attempt/eligibility.ts'
import type { GrantedHold } from '../engine/attempt/reservation.ts'
import type { Engine } from '../engine/engine.ts'
import { plainRequest } from '../engine/plainRequest.ts'
import { attemptFacts } from '../engine/record.ts'
import { mostTokensOf } from '../engine/request/amounts.ts'
import type { PendingRequest } from '../engine/request/pendingRequest.ts'
import { NANO_PER_USD } from '../money/amount.ts'
import { dearOf } from '../routing/eligible.ts'
import type { Call } from '../upstream/call.ts'
import { ProbeAllowance } from './probeAllowance.ts'

const DAY_MS = 86_400_000
/** A target that could not be tested, or whose test said nothing, is left alone for so long. */
const AGAIN_MS = 600_000
/** Targets looked at in one second. */
const LOOKED_AT = 200

export class NewTargetTests {
  readonly #engine: Engine
  /** Six calls an hour per account after the first ten, and little of its daily limit. */
  readonly #allowance = new ProbeAllowance()
  /** Until when a target is left alone, by `stateId`. */
  readonly #nextAt = new Map<string, number>()
  #place = 0
  #call: Call | null = null
  #running: Promise<void> | null = null
  #closed = false

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Called every second: tests one target at a time. */
  tick(): void {
    const { registry, offline, now, logger } = this.#engine
    if (!registry.config.settings.test.newTargets || this.#closed || this.#running !== null) return
    if (offline.isOffline(now)) return
    const target = this.#nextTarget()
    if (target === null) return
    this.#nextAt.set(target.stateId, now + AGAIN_MS)
    this.#running = this.#test(target)
      .catch((error: unknown) => logger.warn(`a test of ${target.id} failed: ${String(error)}`))
      .finally(() => {
        this.#running = null
      })
  }

  /** Aborts the call under way. */
  async close(): Promise<void> {
    this.#closed = true
    this.#call?.abort()
    await this.#running
  }

  #nextTarget(): Target | null {
    const { registry, learned, now } = this.#engine
    const { targets } = registry
    for (let looked = 0; looked < Math.min(LOOKED_AT, targets.length); looked++) {
      const target = targets[this.#place++ % targets.length]
      if (target === undefined || !isChat(target) || !learned.router.isUnobserved(target)) continue
      if (now >= (this.#nextAt.get(target.stateId) ?? 0)) return target
    }
    return null
  }

  async #test(target: Target): Promise<void> {
    const engine = this.#engine
    const plain = plainRequest(engine, target.id, null)
    if (plain === null) return
    const pending = { ...plain, mostInputTokens: mostTokensOf(plain.request) }
    if (!this.#mayCall(target, pending)) return
    const hold = engine.reserveForTest(target, pending)
    if (hold.granted) await this.#ask(target, pending, hold)
  }

  /** What no request would be sent to is not tested either. */
  #mayCall(target: Target, pending: PendingRequest): boolean {
    const { eligibility, learned, now } = this.#engine
    if (dearOf(target) !== null || whyNot(eligibility, target, pending, null, now) !== null) return false
    const { nanoUsd } = eligibility.needOf(target, pending, now).worstCase
    if (nanoUsd === null || (nanoUsd > 0 && nanoUsd > this.#leftNanoUsd(now))) return false
    return this.#allowance.take(target, learned.quota.limitsOf(target, now), now)
  }

  #leftNanoUsd(now: number): number {
    const { store, registry } = this.#engine
    const since = Math.floor(now / DAY_MS) * DAY_MS
    const spent = store
      .sums({ source: 'test', since }, ['source'])
      .reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0)
    return registry.config.settings.test.maxUsd * NANO_PER_USD - spent
  }

  async #ask(target: Target, pending: PendingRequest, hold: GrantedHold): Promise<void> {
    const engine = this.#engine
    const attempt = engine.callForTest(target, pending, hold, 1)
    this.#call = attempt.call
    await attempt.call.first
    // The answer is only collected, not streamed to a reader.
    if (attempt.call.ended === null) attempt.call.attach({ onChunks: () => true, onEnd: () => {} })
    const end = await attempt.call.done
    this.#call = null
    engine.recordAttempt(attemptFacts(pending, attempt, end, 'test'))
  }
}

/** A chat proves nothing about anything else. */
function isChat({ profile: { abilities } }: Target): boolean {
  return abilities.chat !== false && abilities.embeddings !== true
}
