/**
 * What may not be called now, and why: a fold of attempts. Processes that fold the same events in different orders get
 * the same parks.
 */

import type { Failure, FailureKind } from '../../domain/failure.ts'
import type { Json } from '../../domain/json.ts'
import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import { isOutage, type Park, type ParkRule, parkRule } from '../../domain/park.ts'
import { type Covered, isScope, type Scope, type ScopeId, scopeKey, scopeOf, scopesOf } from '../../domain/scope.ts'
import type { AttemptEvent, KnownFailure, LiftEvent, TargetRef } from '../../domain/store.ts'
import type { Target } from '../../domain/target.ts'
import { LONGEST_WAIT_MS } from '../reset.ts'
import { type Occurrence, occurrenceOf, type QuotaFacts } from './failureStreak.ts'
import { ParkScopeState } from './parkScopeState.ts'

/** `open`: parked. `half-open`: the time is over, but no success yet. `closed`: nothing parks it. */
type ParkState = 'open' | 'half-open' | 'closed'

/** What is used as a probe: a user's request, or a background check. */
export type Prober = 'request' | 'check'

export interface ParksOptions {
  /** How a provider counts; an unknown one is counted per account and model, with an unknown day. */
  readonly facts: (provider: string) => QuotaFacts | undefined
}

const VERSION = 1
/** After this time without a result a probe is given up, and the next request may probe. */
const PROBE_LEASE_MS = 120_000
/** Older successes are left out of snapshots: no failure arrives this late. */
const LATE_MS = 600_000

export class Parks {
  readonly #facts: ParksOptions['facts']
  readonly #states = new Map<string, ParkScopeState>()
  /** The scopes of a target, looked up once. */
  readonly #standing = new Map<string, { readonly account: string; readonly states: readonly ParkScopeState[] }>()
  /** Scopes with failures; usually none. */
  readonly #troubled = new Set<ParkScopeState>()
  #liftedAt = Number.NEGATIVE_INFINITY
  #newestAt = 0
  #version = 0

  constructor(options: ParksOptions) {
    this.#facts = options.facts
  }

  /** Increases whenever a park may have changed, so that results of `blocking` can be cached. */
  get version(): number {
    return this.#version
  }

  /** Whether no scope has failures; then there are neither parks nor outages. */
  get isQuiet(): boolean {
    return this.#troubled.size === 0
  }

  /** Folds an attempt or a lift. Order and repetition do not matter; attempts that are not charged park nothing. */
  fold(event: AttemptEvent | LiftEvent): void {
    this.#newestAt = Math.max(this.#newestAt, event.at)
    if (event.kind === 'lift') this.lift(event.target, event.at, event.only)
    else if (event.ok || isBlocked(event)) this.#succeed(event)
    else if (!event.notCharged) this.#fail(event)
  }

  /**
   * Lifts all parks of the target (null: of all targets) for failures up to `at`, or only those for the kinds in
   * `only`.
   */
  lift(target: TargetRef | null, at: number, only?: readonly FailureKind[]): void {
    if (target === null && only === undefined) this.#liftedAt = Math.max(this.#liftedAt, at)
    for (const state of target === null ? this.#states.values() : this.#statesOf(target)) {
      state.lift(at, only)
      this.#refresh(state)
    }
  }

  /**
   * The park of the target that ends last; undefined when there is none. Costs nothing while nothing is parked. Parks
   * for which `except` returns true are ignored.
   */
  blocking(target: Target, now: number, except?: (park: Park) => boolean): Park | undefined {
    if (this.#troubled.size === 0) return undefined
    let latest: Park | undefined
    const states = this.#statesOf(target)
    for (let index = 0; index < states.length; index++) {
      const state = states[index]
      if (state === undefined || state.streaks.length === 0) continue
      for (const streak of state.streaks) {
        const park = streak.park
        if (park === null || !holds(park, now) || (latest !== undefined && park.until <= latest.until)) continue
        if (except?.(park)) continue
        if (streak.concerns(target, states)) latest = park
      }
    }
    return latest
  }

  state(target: Target, now: number): ParkState {
    if (this.#troubled.size === 0) return 'closed'
    if (this.blocking(target, now) !== undefined) return 'open'
    return this.#unproven(target, now).length > 0 ? 'half-open' : 'closed'
  }

  /**
   * Whether a failure of a call that began at `startedAt` is known (`AttemptEvent.known`): its park was in force then,
   * or its outage has begun already.
   */
  knows(target: Covered, failure: Failure, startedAt: number): KnownFailure | null {
    const rule = this.#troubled.size === 0 ? null : parkRule(failure)
    if (rule === null) return null
    let known: KnownFailure | null = null
    for (const { streaks } of this.#statesOf(target)) {
      const streak = streaks.find((one) => one.rule.streak === rule.streak)
      if (streak === undefined) continue
      const { park } = streak
      // Of two calls that began together neither knew of the limit that the other met.
      const isLater = park !== null && (isOutage(rule) ? startedAt >= park.since : startedAt > park.since)
      if (isLater && startedAt < park.until) return 'expected'
      if (isOutage(rule)) known = 'repeated'
    }
    return known
  }

  /**
   * The last failure of an outage of this target that no success has ended, whether it is parked for it or not; null
   * when there is none, or when the upstream stated how long it lasts.
   */
  outageOf(target: Target, now: number): Occurrence | null {
    if (this.#troubled.size === 0) return null
    let last: Occurrence | null = null
    for (const state of this.#statesOf(target)) {
      for (const { rule, park, occurrences } of state.streaks) {
        if (!isOutage(rule)) continue
        if (park?.stated === true && holds(park, now)) return null
        const newest = occurrences.at(-1)
        if (newest !== undefined && newest.at > (last?.at ?? Number.NEGATIVE_INFINITY)) last = newest
      }
    }
    return last
  }

  /** Providers with a target in an outage, and when one was last called in vain by any process. */
  outages(): ReadonlyMap<string, number> {
    const found = new Map<string, number>()
    for (const state of this.#troubled) {
      for (const { rule, occurrences } of state.streaks) {
        const newest = isOutage(rule) ? occurrences.at(-1) : undefined
        if (newest === undefined) continue
        const { provider } = newest.target
        found.set(provider, Math.max(newest.at, state.expectedAt, found.get(provider) ?? Number.NEGATIVE_INFINITY))
      }
    }
    return found
  }

  /**
   * The share of requests (0..1) a target should get: none while parked or half-open (except for a probe), then a
   * growing share, so that it does not get all waiting requests at once.
   */
  share(target: Target, now: number): number {
    if (this.#troubled.size > 0 && this.state(target, now) !== 'closed') return 0
    let share = 1
    for (const state of this.#statesOf(target)) share = Math.min(share, state.share(now))
    return share
  }

  /** When a target on its ramp gets this share (0..1) of the requests; `now` if it already does. */
  reaches(target: Target, share: number, now: number): number {
    let at = now
    for (const state of this.#statesOf(target)) at = Math.max(at, state.reaches(share, now))
    return at
  }

  /** Whether the caller may be the one probe of a half-open target; if so, it must call `endProbe`. */
  startProbe(target: Target, now: number, prober: Prober = 'request'): boolean {
    if (this.blocking(target, now) !== undefined) return false
    const states = this.#unproven(target, now)
    for (const state of states) {
      if (now - state.probeSince < PROBE_LEASE_MS && now >= state.probeSince) return false
      if (prober === 'request' && state.awaitsKeyCheck(now)) return false
    }
    for (const state of states) state.probeSince = now
    return true
  }

  /** The probe ended, with whatever result; the attempt's event has it. */
  endProbe(target: Target): void {
    for (const state of this.#statesOf(target)) state.probeSince = Number.NEGATIVE_INFINITY
  }

  /** Every current park, the one that ends first at the front. */
  list(now: number): readonly Park[] {
    return this.#collect((park) => holds(park, now))
  }

  /** Parks whose time is over but whose cause is not disproved, for checks outside the request path. */
  awaiting(now: number): readonly Park[] {
    return this.#collect((park, state) => now >= park.until && !state.hasProved(park))
  }

  toJson(): Json {
    const states = [...this.#states.values()].filter((state) => state.isWorthKeeping(this.#newestAt - LATE_MS))
    return {
      version: VERSION,
      newestAt: this.#newestAt,
      liftedAt: Number.isFinite(this.#liftedAt) ? this.#liftedAt : null,
      places: states.map((state) => state.toJson()),
    }
  }

  /** The parks of a snapshot. Unreadable parts are left out; a snapshot of another version is empty. */
  static fromJson(json: unknown, options: ParksOptions): Parks {
    const parks = new Parks(options)
    const record = asRecord(json)
    if (record?.['version'] !== VERSION) return parks
    parks.#newestAt = asNumber(record['newestAt']) ?? 0
    parks.#liftedAt = asNumber(record['liftedAt']) ?? Number.NEGATIVE_INFINITY
    for (const value of asArray(record['places']) ?? []) parks.#restore(asRecord(value))
    return parks
  }

  #fail(event: AttemptEvent): void {
    const rule = event.failure === null ? null : parkRule(event.failure)
    const occurrence = occurrenceOf(event)
    if (rule === null || occurrence === null || event.at <= this.#liftedAt) return
    this.#add(scopeOf(event.target, this.#scopeOf(rule, occurrence)), rule, occurrence)
    if (this.#mayBeAccounts(rule, occurrence)) this.#add(scopeOf(event.target, 'account'), rule, occurrence)
    if (rule.keyAfterModels !== undefined) this.#add(scopeOf(event.target, 'key'), rule, occurrence)
  }

  #add(id: ScopeId, rule: ParkRule, occurrence: Occurrence): void {
    const state = this.#stateOf(id)
    state.add(rule, occurrence)
    this.#refresh(state)
  }

  #succeed(event: AttemptEvent): void {
    const wasFree = event.costNanoUsd === 0
    for (const state of this.#statesOf(event.target)) {
      if (state.id.scope === 'account-free' && !wasFree) continue
      state.succeed(event, wasFree)
      if (state.streaks.length > 0 || this.#troubled.has(state)) this.#refresh(state)
    }
  }

  #scopeOf(rule: ParkRule, { kind, limitScope, target }: Occurrence): Scope {
    if (rule.scope !== 'quota') return rule.scope
    if (limitScope === 'free-models') return 'account-free'
    if (limitScope === 'account') return 'account'
    const counted = this.#facts(target.provider)?.quotaScope ?? 'account+model'
    if (counted === 'ip') return limitScope === 'model' ? 'provider+model' : 'provider'
    if (counted === 'key') return limitScope === 'model' ? 'target' : 'key'
    return counted === 'account' && kind === 'quota_day' && limitScope === null ? 'account' : 'account+model'
  }

  /** A limit that may be the model's or the account's: a second model of the account decides. */
  #mayBeAccounts(rule: ParkRule, { limitScope, target }: Occurrence): boolean {
    return rule.scope === 'quota' && limitScope === null && this.#facts(target.provider)?.quotaScope === 'unknown'
  }

  #refresh(state: ParkScopeState): void {
    state.refresh()
    this.#version++
    if (state.streaks.length > 0) this.#troubled.add(state)
    else this.#troubled.delete(state)
  }

  #unproven(target: Target, now: number): readonly ParkScopeState[] {
    const states = this.#statesOf(target)
    return states.filter((state) => state.isUnproven(target, states, now))
  }

  #collect(wanted: (park: Park, state: ParkScopeState) => boolean): readonly Park[] {
    const found: Park[] = []
    for (const state of this.#troubled) {
      for (const { park } of state.streaks) if (park !== null && wanted(park, state)) found.push(park)
    }
    return found.sort((one, other) => one.until - other.until || (one.text < other.text ? -1 : 1))
  }

  #statesOf(target: Covered): readonly ParkScopeState[] {
    const known = this.#standing.get(target.stateId)
    if (known !== undefined && known.account === target.account) return known.states
    const states = scopesOf(target).map((id) => this.#stateOf(id))
    this.#standing.set(target.stateId, { account: target.account, states })
    return states
  }

  #stateOf(id: ScopeId): ParkScopeState {
    const key = scopeKey(id)
    let state = this.#states.get(key)
    if (state === undefined) {
      state = new ParkScopeState(id, this.#facts, this.#liftedAt)
      this.#states.set(key, state)
    }
    return state
  }

  #restore(record: Record<string, unknown> | undefined): void {
    const scope = asString(record?.['scope'])
    const first = asString(record?.['first'])
    const second = asString(record?.['second'])
    if (record === undefined || scope === undefined || first === undefined || second === undefined) return
    if (!isScope(scope)) return
    const state = this.#stateOf({ scope, first, second })
    state.restore(record)
    this.#refresh(state)
  }
}

/** A target that answers, but withholds the answer for its content, works. */
function isBlocked({ failure }: AttemptEvent): boolean {
  return failure?.kind === 'content_filter' && failure.status === 200
}

/**
 * A clock that jumped back must not prolong a park: one that seems to begin later than now is over, and a probe shows
 * whether its cause is.
 */
function holds({ since, until }: Park, now: number): boolean {
  return now < until && until - now <= LONGEST_WAIT_MS && now >= since - LATE_MS
}
