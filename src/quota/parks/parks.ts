/**
 * Who may not be called now, and why: a fold of attempts. Several processes fold the same events in different orders
 * and come to the same parks.
 */

import type { FailureKind } from '../../domain/failure.ts'
import type { Json } from '../../domain/json.ts'
import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import { type Park, type ParkRule, type ParkScope, parkRule } from '../../domain/park.ts'
import type { AttemptEvent, LiftEvent, TargetRef } from '../../domain/store.ts'
import type { Target } from '../../domain/target.ts'
import { LONGEST_WAIT_MS } from '../reset.ts'
import { type Occurrence, occurrenceOf, type QuotaFacts } from './failureStreak.ts'
import { Place, type PlaceId } from './parkedScope.ts'

/** `open`: parked. `half-open`: the time is over, the proof is missing. `closed`: nothing against it. */
export type ParkState = 'open' | 'half-open' | 'closed'

/** Who asks for the probe: a user's request, or a check off the request's path. */
export type Prober = 'request' | 'check'

export interface ParksOptions {
  /** How a provider counts; a provider nobody knows is counted per account and model, with an unknown day. */
  readonly facts: (provider: string) => QuotaFacts | undefined
}

type Named = Pick<Target, 'stateId' | 'provider' | 'model' | 'fingerprint' | 'account'>

const VERSION = 1
/** A probe that has not come back for so long is given up, and the next caller may try. */
const PROBE_LEASE_MS = 120_000
/** Successes older than this need no remembering in a snapshot: no failure comes to our ears so late. */
const LATE_MS = 600_000

const SCOPES: { readonly [S in ParkScope]: (target: Named) => PlaceId } = {
  target: (target) => ({ scope: 'target', first: target.stateId, second: '' }),
  key: (target) => ({ scope: 'key', first: target.provider, second: target.fingerprint }),
  account: (target) => ({ scope: 'account', first: target.account, second: '' }),
  'account-free': (target) => ({ scope: 'account-free', first: target.account, second: '' }),
  'account+model': (target) => ({ scope: 'account+model', first: target.account, second: target.model }),
  'provider+model': (target) => ({ scope: 'provider+model', first: target.provider, second: target.model }),
  provider: (target) => ({ scope: 'provider', first: target.provider, second: '' }),
}

export class Parks {
  readonly #facts: ParksOptions['facts']
  readonly #places = new Map<string, Place>()
  /** The places a target stands in, looked up once. */
  readonly #standing = new Map<string, { readonly account: string; readonly places: readonly Place[] }>()
  /** Places with something against them; mostly none. */
  readonly #troubled = new Set<Place>()
  #liftedAt = Number.NEGATIVE_INFINITY
  #newestAt = 0
  #version = 0

  constructor(options: ParksOptions) {
    this.#facts = options.facts
  }

  /** Grows whenever a park may have changed, so that whoever keeps answers of `blocking` knows when to ask again. */
  get version(): number {
    return this.#version
  }

  /** Takes in an attempt or a lift. Order and repetition do not matter; excused attempts are nobody's fault. */
  fold(event: AttemptEvent | LiftEvent): void {
    this.#newestAt = Math.max(this.#newestAt, event.at)
    if (event.kind === 'lift') this.lift(event.target, event.at, event.only)
    else if (event.ok) this.#succeed(event)
    else if (!event.excused) this.#fail(event)
  }

  /** Ends every park that stands in the target's way (null: all parks) for failures up to `at`, or those of `only`. */
  lift(target: TargetRef | null, at: number, only?: readonly FailureKind[]): void {
    if (target === null && only === undefined) this.#liftedAt = Math.max(this.#liftedAt, at)
    for (const place of target === null ? this.#places.values() : this.#placesOf(target)) {
      place.lift(at, only)
      this.#refresh(place)
    }
  }

  /**
   * The park in the target's way that ends last; undefined when there is none. Costs nothing while nobody is parked.
   * Parks that `except` holds for are not asked.
   */
  blocking(target: Target, now: number, except?: (park: Park) => boolean): Park | undefined {
    if (this.#troubled.size === 0) return undefined
    let latest: Park | undefined
    const places = this.#placesOf(target)
    for (let index = 0; index < places.length; index++) {
      const place = places[index]
      if (place === undefined || place.streaks.length === 0) continue
      for (const streak of place.streaks) {
        const park = streak.park
        if (park === null || !holds(park, now) || (latest !== undefined && park.until <= latest.until)) continue
        if (except?.(park)) continue
        if (streak.concerns(target, places)) latest = park
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
   * The share of requests (0..1) a target should be given: nothing while parked or half-open (there only a probe
   * goes), then a growing part, so that everybody who waited does not fall on it at once.
   */
  share(target: Target, now: number): number {
    if (this.#troubled.size > 0 && this.state(target, now) !== 'closed') return 0
    let share = 1
    for (const place of this.#placesOf(target)) share = Math.min(share, place.share(now))
    return share
  }

  /** When a target that comes back gradually will be given this share (0..1) of the requests; `now` when it is. */
  reaches(target: Target, share: number, now: number): number {
    let at = now
    for (const place of this.#placesOf(target)) at = Math.max(at, place.reaches(share, now))
    return at
  }

  /** Whether the caller may go as the one probe of a half-open target; then it owes `endProbe`. */
  startProbe(target: Target, now: number, prober: Prober = 'request'): boolean {
    if (this.blocking(target, now) !== undefined) return false
    const places = this.#unproven(target, now)
    for (const place of places) {
      if (now - place.probeSince < PROBE_LEASE_MS && now >= place.probeSince) return false
      if (prober === 'request' && place.awaitsKeyCheck(now)) return false
    }
    for (const place of places) place.probeSince = now
    return true
  }

  /** The probe came back, whatever it found; the attempt's event says what. */
  endProbe(target: Target): void {
    for (const place of this.#placesOf(target)) place.probeSince = Number.NEGATIVE_INFINITY
  }

  /** Every park that holds now, the one that ends first in front. */
  list(now: number): readonly Park[] {
    return this.#collect((park) => holds(park, now))
  }

  /** Parks whose time is over but whose cause is not disproved: what a checker off the request's path looks at. */
  awaiting(now: number): readonly Park[] {
    return this.#collect((park, place) => now >= park.until && !place.hasProved(park))
  }

  toJson(): Json {
    const places = [...this.#places.values()].filter((place) => place.isWorthKeeping(this.#newestAt - LATE_MS))
    return {
      version: VERSION,
      newestAt: this.#newestAt,
      liftedAt: Number.isFinite(this.#liftedAt) ? this.#liftedAt : null,
      places: places.map((place) => place.toJson()),
    }
  }

  /** The parks of a snapshot. What cannot be read is left out; a snapshot of another version is empty. */
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
    this.#add(SCOPES[this.#scopeOf(rule, occurrence)](event.target), rule, occurrence)
    if (rule.keyAfterModels !== undefined) this.#add(SCOPES.key(event.target), rule, occurrence)
  }

  #add(id: PlaceId, rule: ParkRule, occurrence: Occurrence): void {
    const place = this.#place(id)
    place.add(rule, occurrence)
    this.#refresh(place)
  }

  #succeed(event: AttemptEvent): void {
    const wasFree = event.costNanoUsd === 0
    for (const place of this.#placesOf(event.target)) {
      if (place.id.scope === 'account-free' && !wasFree) continue
      place.succeed(event, wasFree)
      if (place.streaks.length > 0 || this.#troubled.has(place)) this.#refresh(place)
    }
  }

  #scopeOf(rule: ParkRule, { kind, limitScope, target }: Occurrence): ParkScope {
    if (rule.scope !== 'quota') return rule.scope
    if (limitScope === 'free-models') return 'account-free'
    if (limitScope === 'account') return 'account'
    const counted = this.#facts(target.provider)?.quotaScope ?? 'account+model'
    if (counted === 'ip') return limitScope === 'model' ? 'provider+model' : 'provider'
    if (counted === 'key') return limitScope === 'model' ? 'target' : 'key'
    return counted === 'account' && kind === 'quota_day' && limitScope === null ? 'account' : 'account+model'
  }

  #refresh(place: Place): void {
    place.refresh()
    this.#version++
    if (place.streaks.length > 0) this.#troubled.add(place)
    else this.#troubled.delete(place)
  }

  #unproven(target: Target, now: number): readonly Place[] {
    const places = this.#placesOf(target)
    return places.filter((place) => place.isUnproven(target, places, now))
  }

  #collect(wanted: (park: Park, place: Place) => boolean): readonly Park[] {
    const found: Park[] = []
    for (const place of this.#troubled) {
      for (const { park } of place.streaks) if (park !== null && wanted(park, place)) found.push(park)
    }
    return found.sort((one, other) => one.until - other.until || (one.text < other.text ? -1 : 1))
  }

  #placesOf(target: Named): readonly Place[] {
    const known = this.#standing.get(target.stateId)
    if (known !== undefined && known.account === target.account) return known.places
    const places = Object.values(SCOPES).map((idOf) => this.#place(idOf(target)))
    this.#standing.set(target.stateId, { account: target.account, places })
    return places
  }

  #place(id: PlaceId): Place {
    const key = `${id.scope}\n${id.first}\n${id.second}`
    let place = this.#places.get(key)
    if (place === undefined) {
      place = new Place(id, this.#facts, this.#liftedAt)
      this.#places.set(key, place)
    }
    return place
  }

  #restore(record: Record<string, unknown> | undefined): void {
    const scope = asString(record?.['scope'])
    const first = asString(record?.['first'])
    const second = asString(record?.['second'])
    if (record === undefined || scope === undefined || first === undefined || second === undefined) return
    if (!Object.hasOwn(SCOPES, scope)) return
    const place = this.#place({ scope: scope as ParkScope, first, second }) // checked on the line above
    place.restore(record)
    this.#refresh(place)
  }
}

/** A clock that jumped back must not prolong anything beyond what any wait may be. */
function holds(park: Park, now: number): boolean {
  return now < park.until && park.until - now <= LONGEST_WAIT_MS
}
