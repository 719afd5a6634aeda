/**
 * Finds out that an outage is over while there is no traffic: free checks where a key was refused, and small calls
 * within bounds. Only an answer counts; it is recorded and reported like any other.
 */

import type { Target } from '../domain/target.ts'
import { whyNot } from '../engine/attempt/eligibility.ts'
import { Trail } from '../engine/attempt/trail.ts'
import type { Engine } from '../engine/engine.ts'
import { plainRequest } from '../engine/plainRequest.ts'
import { attemptFacts } from '../engine/record.ts'
import type { PendingRequest } from '../engine/request/pendingRequest.ts'
import { ineligible } from '../routing/eligible.ts'
import type { Call } from '../upstream/call.ts'
import type { Outage } from './outage.ts'
import type { Outages } from './outages.ts'

/** The first probe comes soon, as most outages are short; later ones at this interval. */
const FIRST_MS = 2_000
const LONGEST_MS = 10_000
/** After this long probes are rarer, but still frequent enough to notice within half a minute. */
const LONG_MS = 600_000
const LONGEST_LATER_MS = 25_000
/** Calls per account: a burst, then six per hour. */
const BURST = 10
const REFILL_MS = 600_000
const AT_ONCE = 3
/** Maximum share of an account's known daily requests that probes may take. */
const DAILY_SHARE = 0.02
const DAY_MS = 86_400_000

interface Allowance {
  tokens: number
  filledAt: number
  /** Calls of the current day, by this clock. */
  calls: number
  dayAt: number
}

export class OutageProbes {
  readonly #engine: Engine
  readonly #outages: Outages
  readonly #allowances = new Map<string, Allowance>()
  #running: Promise<void> | null = null
  readonly #calls = new Set<Call>()
  #waitMs = FIRST_MS
  #nextAt = 0
  #turn = 0
  #closed = false

  constructor(engine: Engine, outages: Outages) {
    this.#engine = engine
    this.#outages = outages
  }

  /** Called every second. Does nothing without an outage. */
  tick(): void {
    const { open } = this.#outages
    if (open.length === 0) return this.#rest()
    const { now, offline, logger, requestedAt } = this.#engine
    if (this.#nextAt === 0) this.#nextAt = now + FIRST_MS
    if (this.#running !== null || this.#closed || now < this.#nextAt || offline.isOffline(now)) return
    if (this.#engine.registry.config.settings.routing.probes === 'traffic') return
    const outage = open[this.#turn++ % open.length]
    if (outage === undefined) return
    this.#waitMs = Math.min(now - outage.since < LONG_MS ? LONGEST_MS : LONGEST_LATER_MS, this.#waitMs * 1.5)
    this.#nextAt = now + this.#waitMs
    // While requests come, each of them is a probe.
    if (now >= requestedAt && now - requestedAt < LONGEST_MS) return
    this.#running = this.#look(outage)
      .catch((error: unknown) => logger.warn(`a check after an outage failed: ${String(error)}`))
      .finally(() => {
        this.#running = null
      })
  }

  /** Aborts the calls under way. */
  async close(): Promise<void> {
    this.#closed = true
    for (const call of this.#calls) call.abort()
    await this.#running
  }

  #rest(): void {
    this.#nextAt = 0
    this.#waitMs = FIRST_MS
  }

  async #look(outage: Outage): Promise<void> {
    const engine = this.#engine
    const pending = plainRequest(engine, outage.name, outage.ability)
    if (pending === null) return this.#outages.forget(outage)
    const targets = engine.registry.targets.filter(
      (target) => ineligible(target, pending.needs, engine.eligibility.rules) === null,
    )
    await this.#checkKeys(targets)
    // A chat call proves nothing about anything else; the next request will.
    if (this.#closed || outage.ability !== null || engine.registry.config.settings.routing.probes !== 'calls') return
    await Promise.all(this.#choose(targets, pending).map((target) => this.#call(target, pending)))
  }

  /** Refused keys are checked for free. */
  async #checkKeys(targets: readonly Target[]): Promise<void> {
    const { learned, registry, now } = this.#engine
    const isRefused = (target: Target) => learned.parks.blocking(target, now)?.reason === 'auth_invalid'
    const credentials = new Map(targets.filter(isRefused).map((target) => [registry.credentialOf(target), target]))
    const checks = [...credentials].map(async ([credential, target]) => {
      const { state } = await this.#engine.checks.checkNow(credential)
      if (state === 'valid') this.#engine.lift(target, ['auth_invalid'])
    })
    await Promise.all(checks)
  }

  /** A few accounts at once, the least recently probed first; the cheapest target of each. */
  #choose(targets: readonly Target[], pending: PendingRequest): readonly Target[] {
    const cheapest = new Map<string, Target>()
    for (const target of targets.filter((one) => this.#mayCall(one, pending))) {
      const known = cheapest.get(target.account)
      if (known === undefined || costOf(target) < costOf(known)) cheapest.set(target.account, target)
    }
    return [...cheapest.values()]
      .sort((one, other) => this.#callsOf(one) - this.#callsOf(other) || costOf(one) - costOf(other))
      .slice(0, AT_ONCE)
  }

  /** Stated parks, refused keys and empty accounts hold; guesses may be tried. */
  #mayCall(target: Target, pending: PendingRequest): boolean {
    const { eligibility, now } = this.#engine
    return whyNot(eligibility, target, pending, null, now, true) === null && this.#allows(target, now)
  }

  /** Whether the account's allowance has one call left. A local server costs nothing. */
  #allows(target: Target, now: number): boolean {
    if (target.profile.local) return true
    const { tokens, calls } = this.#allowance(target, now)
    const daily = this.#engine.learned.quota
      .limitsOf(target, now)
      .filter(({ unit, window, limit }) => unit === 'requests' && window === 'day' && limit !== null)
      .map(({ limit }) => limit ?? 0)
    return tokens >= 1 && daily.every((limit) => calls + 1 <= Math.max(1, limit * DAILY_SHARE))
  }

  #allowance({ account }: Target, now: number): Allowance {
    const known = this.#allowances.get(account) ?? { tokens: BURST, filledAt: now, calls: 0, dayAt: now }
    this.#allowances.set(account, known)
    known.tokens = Math.min(BURST, known.tokens + Math.max(0, now - known.filledAt) / REFILL_MS)
    known.filledAt = now
    if (Math.abs(now - known.dayAt) >= DAY_MS) Object.assign(known, { calls: 0, dayAt: now })
    return known
  }

  #callsOf({ account }: Target): number {
    return this.#allowances.get(account)?.calls ?? 0
  }

  async #call(target: Target, pending: PendingRequest): Promise<void> {
    const engine = this.#engine
    const hold = engine.reserve(target, pending)
    if (!hold.granted) return
    const allowance = this.#allowance(target, engine.now)
    allowance.tokens--
    allowance.calls++
    const attempt = engine.call(target, pending, new Trail(pending), hold)
    this.#calls.add(attempt.call)
    const end = await attempt.call.done
    this.#calls.delete(attempt.call)
    engine.recordAttempt(attemptFacts(pending, attempt, end, 'probe'))
  }
}

/** USD per million tokens; an unknown price comes last. */
function costOf({ profile: { free, local, price } }: Target): number {
  if (free || local) return 0
  return price === null ? Number.MAX_VALUE : price.input + price.output
}
