/**
 * Tracks quotas: what every account has left, as stated by its upstream or learned. Fed by the events of the store,
 * read before every call. All time comes in as an argument, in epoch milliseconds.
 */

import { Bag } from '../../domain/bag.ts'
import type { DayBoundary, LimitFact, LimitUnit } from '../../domain/failure.ts'
import { asArray, asRecord, type Json } from '../../domain/json.ts'
import type { AttemptEvent, TargetRef } from '../../domain/store.ts'
import { ADMISSION_MS, WINDOW_MS } from '../window.ts'
import { explains, limitNamedBy, limitRefusalOf, scopeOfRefusal, usageFromAttempt } from './learnLimits.ts'
import type { Limit } from './limit.ts'
import { type LimitView, limitViews } from './limitView.ts'
import { Pool, poolsOf, type QuotaUser } from './pool.ts'
import type { QuotaNeed } from './quotaNeed.ts'
import { beginning, openingOf, type Shortage, shortageOf } from './shortage.ts'
import type { QuotaSpec } from './spec.ts'
import { readStatedLimit, type StatedLimit } from './statedLimit.ts'

export interface QuotaTrackerOptions {
  specOf(provider: string): QuotaSpec
}

/** Quota reserved for one call. Settle or release it exactly once; a second time has no effect. */
export class QuotaHold {
  readonly granted = true
  readonly at: number
  readonly need: QuotaNeed
  /** What it was taken from; null once it was returned. Used by the tracker only. */
  draws: Draws | null
  /** The limits that this call tries although they are short; null for nearly every call. Used by the tracker only. */
  tried: readonly Limit[] | null = null
  isDelivering = false

  constructor(at: number, need: QuotaNeed, draws: Draws) {
    this.at = at
    this.need = need
    this.draws = draws
  }
}

/** A `Target` or the `TargetRef` of an event. */
type Asker = QuotaUser & { readonly stateId: string }

/** What one target draws from. */
interface Draws {
  readonly account: string
  readonly spec: QuotaSpec
  readonly wide: Pool
  readonly narrow: Pool
  /** Both, with the scope by which an answer's statements refer to them. */
  readonly scopes: readonly (readonly [Pool, 'account' | 'model'])[]
}

const DAY_MS = 24 * 3_600_000
const KEPT_MS = 40 * DAY_MS
/** A call unsettled for this long is considered lost; its quota is returned. */
const LOST_AFTER_MS = 2 * 3_600_000
const LOOK_FOR_LOST_MS = 60_000
/** Events of other processes may be this much ahead of our clock. */
const CLOCK_SLACK_MS = 1_000
/** The last millisecond that a `Date` can represent; an event beyond it comes from a broken clock. */
const END_OF_TIME = 8.64e15 - 400 * DAY_MS

export class QuotaTracker {
  readonly #specOf: (provider: string) => QuotaSpec
  readonly #pools = new Map<string, Pool>()
  readonly #draws = new Map<string, Draws>()
  /** Calls in progress. */
  readonly #holds = new Bag<QuotaHold>()
  /** The latest time seen, which is used as the current time when an older event is folded. */
  #clock = 0
  #prunedAt = 0
  #lookedForLostAt = 0

  constructor(options: QuotaTrackerOptions) {
    this.#specOf = (provider) => options.specOf(provider)
  }

  /** How many calls in progress hold a share of a limit. */
  get underWay(): number {
    return this.#holds.size
  }

  /**
   * Null when the target has room for the need, as far as known; otherwise the shortage that lasts longest. `inNeed`:
   * nothing else can be called, so that a limit that was only learned or forecast may be tried. `isUrgent`: the
   * request has waited as long as it may, so that the slow start of an unknown target does not hold it back.
   */
  room(target: Asker, need: QuotaNeed, now: number, inNeed = false, isUrgent = false): Shortage | null {
    this.#tick(now)
    const { wide, narrow } = this.#drawsOf(target)
    const wideLimit = wide.shortest(need, now, inNeed)
    const narrowLimit = narrow.shortest(need, now, inNeed)
    if (wideLimit === null && narrowLimit === null) return isUrgent ? null : beginning(wide, narrow, now)
    const isWide =
      narrowLimit === null || (wideLimit !== null && wideLimit.roomAt(need, now) > narrowLimit.roomAt(need, now))
    return isWide
      ? shortageOf(wideLimit!, wide, 'account', need, now)
      : shortageOf(narrowLimit!, narrow, 'model', need, now)
  }

  /** The parallel calls that the slow start of the target allows now; null when it does not apply. */
  opening(target: Asker, now: number): number | null {
    const { wide, narrow } = this.#drawsOf(target)
    return openingOf(wide, narrow, now)
  }

  /** Calls of the target's account in the last minute, including those in progress: fewer means more room. */
  load(target: Asker, now: number): number {
    return this.#drawsOf(target).wide.recentCalls(now)
  }

  /**
   * Reserves the need, so that parallel calls do not overshoot; or returns the shortage. A target that is short and
   * asked nevertheless is asked in need. `isUrgent` as in `room`.
   */
  reserve(target: Asker, need: QuotaNeed, now: number, isUrgent = false): QuotaHold | Shortage {
    const shortage = this.room(target, need, now, true, isUrgent)
    if (shortage !== null) return shortage
    this.#giveUpLost(now)
    const draws = this.#drawsOf(target)
    const hold = new QuotaHold(now, need, draws)
    hold.tried = beginTries(draws, need, now)
    this.#holds.add(hold)
    draws.wide.hold(hold)
    draws.narrow.hold(hold)
    return hold
  }

  /** The answer to the call of the hold has begun to arrive: more may follow while it goes on. */
  deliver(hold: QuotaHold): void {
    const { draws } = hold
    if (draws === null || hold.isDelivering) return
    hold.isDelivering = true
    draws.wide.deliver()
    draws.narrow.deliver()
    endTries(hold, true)
  }

  /**
   * The headers of the answer to the call of the hold state these limits, long before its stream ends. Until then the
   * call counts as one that the upstream may not have counted yet, which is careful by one call.
   */
  hear(hold: QuotaHold, limits: readonly LimitFact[], now: number): void {
    const { draws } = hold
    if (draws === null || limits.length === 0) return
    this.#tick(now)
    const facts = { basisAt: hold.at, refused: false, waitMs: null, now }
    for (const fact of limits) {
      const stated = readStatedLimit(fact, { at: now, ok: true }, draws.spec.limitWindows)
      if (stated === null) continue
      const pool = stated.scope === 'account' ? draws.wide : draws.narrow
      pool.limit(stated.unit, stated.window).state(stated, facts, pool.unseenSince)
    }
  }

  /**
   * The call of the hold has ended: its share is returned, and `fold` of the attempt's event replaces it. Only what was
   * charged at admission and never produced stays, because no event reports it.
   */
  settle(
    hold: QuotaHold,
    actual: { readonly inputTokens: number; readonly outputTokens: number } | null,
    now: number,
  ): void {
    const draws = this.#takeBack(hold)
    this.#tick(now)
    if (draws?.spec.chargesMaxTokens !== true || actual === null) return
    const unused = Math.max(0, hold.need.outputTokens - actual.outputTokens)
    for (const pool of [draws.wide, draws.narrow]) pool.charge(hold.at, unused)
  }

  /** The call of the hold was never made. */
  release(hold: QuotaHold): void {
    this.#takeBack(hold)
  }

  /** Counts what an attempt used, of this process or another, and learns what its answer says about limits. */
  fold(event: AttemptEvent): void {
    if (!isInTime(event)) return
    this.#clock = Math.max(this.#clock, event.at)
    const draws = this.#drawsOf(event.target)
    const scope = this.#scopeOfRefusal(event, draws)
    const statedLimits = statementsOf(event, draws.spec, scope)
    this.#count(event, draws, statedLimits)
    this.#judgeForecasts(event, draws)
    for (const stated of statedLimits) this.#learn(stated, event, draws)
    if (event.ok) this.#prove(draws, statedLimits)
    else this.#learnFromRefusal(event, draws, statedLimits, scope)
  }

  /**
   * Lifts, by a person's order, all limits of one target or of all: what was stated or learned is dropped, use is not.
   */
  lift(target: TargetRef | null): void {
    const pools = target === null ? [...this.#pools.values()] : this.#poolsOf(target)
    for (const pool of pools) for (const limit of pool.limits) limit.lift()
  }

  /**
   * The earliest time at which the target may have room or be tried; `now` if it has, null when the need exceeds a limit
   * itself.
   */
  freeAt(target: Asker, need: QuotaNeed, now: number): number | null {
    const shortage = this.room(target, need, now)
    if (shortage === null) return now
    return this.#isTooLarge(target, need, now) ? null : shortage.until
  }

  /** Everything known about the target's limits; seed limits only where nothing better is known. */
  limitsOf(target: Asker, now: number): readonly LimitView[] {
    this.#tick(now)
    const { wide, narrow } = this.#drawsOf(target)
    // Not that of the draws, which is from when the target was first asked.
    const { seedLimits, installed } = this.#specOf(target.provider)
    const seeds = installed === undefined ? seedLimits : [...seedLimits, ...installed.limits]
    return limitViews({ wide, narrow, seeds, model: target.model }, now)
  }

  /** The fraction (0..1) of the day's limit in `unit` that is left; null when the limit or what is left is unknown. */
  shareLeft(target: Asker, unit: LimitUnit, now: number): number | null {
    this.#tick(now)
    let share: number | null = null
    for (const pool of this.#poolsOf(target)) {
      const view = pool.find(unit, 'day')?.view(pool.underWay.size, now)
      if (view?.limit == null || view.remaining === null) continue
      share = Math.min(share ?? 1, view.limit === 0 ? 0 : view.remaining / view.limit)
    }
    return share
  }

  /** Drops pools unused for 40 days, so that a monthly quota outlives its month. */
  prune(now: number): void {
    this.#prunedAt = now
    for (const [name, pool] of this.#pools)
      if (pool.underWay.size === 0 && pool.seenAt < now - KEPT_MS) this.#pools.delete(name)
    for (const [stateId, { wide, narrow }] of this.#draws)
      if (!this.#pools.has(wide.name) || !this.#pools.has(narrow.name)) this.#draws.delete(stateId)
  }

  /** For a snapshot. Calls in progress are not included as such: the next process does not have them. */
  toJson(): Json {
    const pools = [...this.#pools.values()].filter((pool) => pool.seenAt > 0)
    return { version: 1, pools: pools.map((pool) => pool.toJson()) }
  }

  /** A tracker from what `toJson` wrote; never throws, and whatever is not understood starts empty. */
  static fromJson(json: unknown, options: QuotaTrackerOptions): QuotaTracker {
    const tracker = new QuotaTracker(options)
    const record = asRecord(json)
    if (record?.['version'] !== 1) return tracker
    for (const entry of asArray(record['pools']) ?? []) {
      const pool = Pool.fromJson(entry)
      if (pool !== null) tracker.#pools.set(pool.name, pool)
    }
    return tracker
  }

  #count(event: AttemptEvent, draws: Draws, statedLimits: readonly StatedLimit[]): void {
    const use = usageFromAttempt(event, draws.spec.countsFailures === true)
    const admittedAt = Math.min(event.startedAt + ADMISSION_MS, event.at)
    const billedAt = draws.spec.chargesMaxTokens === true ? admittedAt : event.at
    for (const [pool, scope] of draws.scopes) {
      pool.seenAt = Math.max(pool.seenAt, event.at)
      if (use.requests > 0 && statedLimits.length === 0) pool.recordEnded(event.startedAt, use)
      for (const limit of pool.limits) {
        const countedAt = limit.unit === 'requests' ? admittedAt : billedAt
        limit.count(event.startedAt, countedAt, use, isStated(limit, scope, statedLimits))
      }
    }
  }

  #learn(stated: StatedLimit, event: AttemptEvent, draws: Draws): void {
    const pool = stated.scope === 'account' ? draws.wide : draws.narrow
    const waitMs = limitRefusalOf(event.failure)?.retryAfterMs ?? null
    const facts = { basisAt: event.startedAt, refused: !event.ok, waitMs, now: this.#clock }
    pool.limit(stated.unit, stated.window).state(stated, facts, pool.unseenSince)
  }

  #learnFromRefusal(
    event: AttemptEvent,
    draws: Draws,
    statedLimits: readonly StatedLimit[],
    scope: 'model' | 'account',
  ): void {
    const refusal = limitRefusalOf(event.failure)
    if (refusal === null || explains(statedLimits, refusal)) return
    const pool = scope === 'account' ? draws.wide : draws.narrow
    const { retryAfterMs, unit, window } = refusal
    const limit = pool.limit(unit, window)
    const now = this.#clock
    const requests = pool.requestsIn(window, now)
    limit.refuse(event.startedAt, { retryAfterMs, callsUnderWay: pool.underWay.size, requests, now })
  }

  /** Forecasts that this call tried are right or wrong, whatever its own answer states. */
  #judgeForecasts(event: AttemptEvent, { wide, narrow }: Draws): void {
    if (event.ok) {
      for (const limit of wide.limits) limit.contradict(event.startedAt, this.#clock)
      for (const limit of narrow.limits) limit.contradict(event.startedAt, this.#clock)
    } else if (limitRefusalOf(event.failure) !== null) {
      for (const limit of wide.limits) limit.confirm(event.startedAt, this.#clock)
      for (const limit of narrow.limits) limit.confirm(event.startedAt, this.#clock)
    }
  }

  /**
   * Whether a refusal is about the model or the whole account. Where the provider does not say what it counts by, it is
   * about the model until a second model of the account is refused too.
   */
  #scopeOfRefusal({ ok, failure, target, startedAt }: AttemptEvent, { spec, wide }: Draws): 'model' | 'account' {
    if (spec.quotaScope !== 'unknown') return scopeOfRefusal(failure, spec.quotaScope)
    if (ok) {
      wide.forgiveModel(target.model, startedAt)
      return 'account'
    }
    const refusal = limitRefusalOf(failure)
    if (refusal === null) return failure?.kind === 'too_large_for_limit' ? 'model' : 'account'
    if (failure !== null && 'scope' in failure && failure.scope !== undefined)
      return scopeOfRefusal(failure, spec.quotaScope)
    const forMs = Math.max(refusal.retryAfterMs ?? 0, refusal.window === 'none' ? 0 : WINDOW_MS.minute)
    return wide.refuseModel(target.model, this.#clock, forMs) ? 'account' : 'model'
  }

  #prove(draws: Draws, statedLimits: readonly StatedLimit[]): void {
    for (const [pool, scope] of draws.scopes)
      for (const limit of pool.limits)
        if (limit.isSized && !isStated(limit, scope, statedLimits))
          limit.prove(pool.held(limit.unit), pool.underWay.size, this.#clock)
  }

  #isTooLarge(target: Asker, need: QuotaNeed, now: number): boolean {
    for (const pool of this.#poolsOf(target))
      for (const limit of pool.limits)
        if (limit.isTooSmallFor(need) && limit.isShortOf(need, pool.underWay.size, now)) return true
    return false
  }

  #takeBack(hold: QuotaHold): Draws | undefined {
    const { draws } = hold
    if (draws === null) return undefined
    hold.draws = null
    endTries(hold, false)
    this.#holds.delete(hold)
    draws.wide.unhold(hold)
    draws.narrow.unhold(hold)
    return draws
  }

  #giveUpLost(now: number): void {
    if (now - this.#lookedForLostAt < LOOK_FOR_LOST_MS && now >= this.#lookedForLostAt) return
    this.#lookedForLostAt = now
    this.#holds.forEach((hold) => {
      if (hold.at <= now - LOST_AFTER_MS) this.#takeBack(hold)
    })
  }

  #tick(now: number): void {
    const isSetBack = now < this.#clock - CLOCK_SLACK_MS
    this.#clock = now
    if (Math.abs(now - this.#prunedAt) > DAY_MS) this.prune(now)
    if (!isSetBack) return
    for (const pool of this.#pools.values()) for (const limit of pool.limits) limit.rewind(now)
  }

  #drawsOf(target: Asker): Draws {
    const known = this.#draws.get(target.stateId)
    if (known !== undefined && known.account === target.account) return known
    const spec = this.#specOf(target.provider)
    const names = poolsOf(target, spec.quotaScope, spec.seedLimits)
    const wide = this.#pool(names.wide, spec.dayBoundary)
    const narrow = this.#pool(names.narrow, spec.dayBoundary)
    const scopes = [[wide, 'account'] as const, [narrow, 'model'] as const]
    const draws = { account: target.account, spec, wide, narrow, scopes }
    this.#draws.set(target.stateId, draws)
    return draws
  }

  #poolsOf(target: Asker): readonly Pool[] {
    const { wide, narrow } = this.#drawsOf(target)
    return [wide, narrow]
  }

  #pool(name: string, anchor: DayBoundary): Pool {
    const known = this.#pools.get(name)
    if (known !== undefined && known.anchor === anchor) return known
    const pool = new Pool(name, anchor)
    this.#pools.set(name, pool)
    return pool
  }
}

const NO_STATEMENTS: readonly StatedLimit[] = []

/**
 * What the answer states about limits, and what its refusal mentions in passing. `scope` is that of the refusal, where
 * the provider does not say what it counts by.
 */
function statementsOf(event: AttemptEvent, spec: QuotaSpec, scope: 'model' | 'account'): readonly StatedLimit[] {
  const { failure, limits, ok } = event
  const named = failure === null ? null : limitNamedBy(failure, scope)
  if (limits.length === 0 && named === null) return NO_STATEMENTS
  const isGuess = !ok && scope === 'model' && spec.quotaScope === 'unknown'
  const facts = isGuess ? limits.map((fact) => ({ ...fact, scope })) : limits
  return (named === null ? facts : [...facts, named]).flatMap(
    (fact) => readStatedLimit(fact, event, spec.limitWindows) ?? [],
  )
}

/** Only a call that asks for more than there is tries a limit, so that this allocates nothing for the others. */
function beginTries({ wide, narrow }: Draws, need: QuotaNeed, now: number): readonly Limit[] | null {
  if (!wide.isTried && !narrow.isTried) return null
  const tried: Limit[] = []
  wide.beginTries(need, now, tried)
  narrow.beginTries(need, now, tried)
  return tried
}

function endTries(hold: QuotaHold, isDelivering: boolean): void {
  if (hold.tried === null) return
  for (const limit of hold.tried) limit.endTry(isDelivering)
  hold.tried = null
}

function isStated(limit: Limit, scope: 'account' | 'model', statedLimits: readonly StatedLimit[]): boolean {
  for (const stated of statedLimits)
    if (stated.scope === scope && stated.unit === limit.unit && stated.window === limit.window) return true
  return false
}

function isInTime(event: AttemptEvent): boolean {
  const { at, startedAt } = event
  return at >= 0 && at <= END_OF_TIME && startedAt >= 0 && startedAt <= at
}
