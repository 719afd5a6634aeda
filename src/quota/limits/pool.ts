/** A pool: the quota shared by all calls of one account (or key, or address), and its limits. */

import { Bag } from '../../domain/bag.ts'
import { type DayBoundary, LIMIT_UNITS, LIMIT_WINDOWS, type LimitUnit, type LimitWindow } from '../../domain/failure.ts'
import { asArray, asNumber, asRecord, asString, type Json } from '../../domain/json.ts'
import type { QuotaScope } from '../../domain/scope.ts'
import { WINDOW_MS } from '../window.ts'
import { Limit, type Unseen } from './limit.ts'
import { REORDER_MS } from './limitReading.ts'
import { amountOf, type QuotaNeed } from './quotaNeed.ts'
import { familyOf, type QuotaSeed } from './seed.ts'

/** What decides which quota a target draws from. */
export interface QuotaUser {
  readonly provider: string
  readonly model: string
  readonly fingerprint: string
  readonly account: string
}

/** The two pools of a target: what the account shares across models, and what belongs to the model alone. */
interface PoolNames {
  readonly wide: string
  readonly narrow: string
}

/** Keys with one `account` share its pools, unless the provider counts by key or by address. */
export function poolsOf(user: QuotaUser, scope: QuotaScope, seeds: readonly QuotaSeed[] = []): PoolNames {
  const owner = ownerOf(user, scope)
  return {
    wide: JSON.stringify([user.provider, owner, 'family', familyOf(user.model, seeds)]),
    narrow: JSON.stringify([user.provider, owner, 'model', user.model]),
  }
}

function ownerOf(user: QuotaUser, scope: QuotaScope): string {
  if (scope === 'ip') return 'address'
  return scope === 'key' ? `key ${user.fingerprint}` : `account ${user.account}`
}

/** A call in progress. */
interface HeldCall {
  readonly at: number
  readonly need: QuotaNeed
  /** Its answer has begun to arrive. */
  readonly isDelivering: boolean
}

interface EndedCall {
  readonly startedAt: number
  readonly use: QuotaNeed
}

/** Counted from the first call, so that a limit that is reached later can be learned from what was used. */
const ALWAYS_COUNTED: readonly (readonly [LimitUnit, LimitWindow])[] = [
  ['requests', 'minute'],
  ['requests', 'day'],
  ['tokens', 'minute'],
  ['tokens', 'day'],
]

/** Maximum number of ended calls kept while others are in progress. */
const MOST_ENDED = 512
/** The list of ended calls is cleaned up when it has grown by this many since the last time. */
const TIDY_EVERY = 64

export class Pool {
  readonly name: string
  readonly anchor: DayBoundary
  readonly limits: Limit[] = []
  readonly underWay = new Bag<HeldCall>()
  /** When it was last used, for pruning. */
  seenAt = 0
  /** Whether the need last asked about only fits because a limit may be tried. */
  isTried = false
  /** Since when calls have been in progress without a pause. */
  busySince = 0
  /**
   * Calls whose answers stated nothing and that ended while others were in progress, whose answers may not include
   * them.
   */
  readonly #ended: EndedCall[] = []
  #tidyAt = TIDY_EVERY
  #delivering = 0
  /** The last model that was refused by a limit that may be its own. */
  #refused: { readonly model: string; readonly at: number; readonly until: number } | null = null
  readonly #perMinute: Limit
  readonly #perDay: Limit

  constructor(name: string, anchor: DayBoundary) {
    this.name = name
    this.anchor = anchor
    for (const [unit, window] of ALWAYS_COUNTED) this.limits.push(new Limit(unit, window, anchor))
    this.#perMinute = this.find('requests', 'minute')!
    this.#perDay = this.find('requests', 'day')!
  }

  /** The limit of that unit and window, created on first use. */
  limit(unit: LimitUnit, window: LimitWindow): Limit {
    const known = this.find(unit, window)
    if (known !== undefined) return known
    const limit = this.#add(unit, window)
    const counted = this.find(unit, window === 'second' ? 'minute' : 'day')
    if (counted !== undefined) limit.copyUse(counted)
    else for (const { at, need } of this.underWay) limit.hold(at, need)
    return limit
  }

  #add(unit: LimitUnit, window: LimitWindow): Limit {
    const limit = new Limit(unit, window, this.anchor)
    this.limits.push(limit)
    return limit
  }

  find(unit: LimitUnit, window: LimitWindow): Limit | undefined {
    return this.limits.find((limit) => limit.unit === unit && limit.window === window)
  }

  /**
   * The limit that excludes the need for longest; null when all have room or may be tried. `inNeed`: nothing else can
   * be called.
   */
  shortest(need: QuotaNeed, now: number, inNeed: boolean): Limit | null {
    let worst: Limit | null = null
    this.isTried = false
    for (const limit of this.limits) {
      if (!limit.isShortOf(need, this.underWay.size, now)) continue
      if (limit.mayTry(this.underWay.size, now, inNeed)) {
        this.isTried = true
        continue
      }
      if (worst === null || limit.roomAt(need, now) > worst.roomAt(need, now)) worst = limit
    }
    return worst
  }

  /** Adds the limits to `tried` that are short of the need and only tried by a call. */
  beginTries(need: QuotaNeed, now: number, tried: Limit[]): void {
    for (const limit of this.limits) {
      if (!limit.isShortOf(need, this.underWay.size, now)) continue
      limit.beginTry(now)
      tried.push(limit)
    }
  }

  /** Whether any of its limits was ever stated or reached. */
  isKnown(now: number): boolean {
    for (const limit of this.limits) if (limit.left(this.underWay.size, now) !== null) return true
    return false
  }

  /** The model was refused, for `forMs`, by a limit that may be its own; true when another model was shortly before. */
  refuseModel(model: string, now: number, forMs: number): boolean {
    const other = this.#refused
    const agrees = other !== null && other.model !== model && now < other.until
    if (!agrees) this.#refused = { model, at: now, until: now + forMs }
    return agrees
  }

  /** A call of the model that started then succeeded. */
  forgiveModel(model: string, startedAt: number): void {
    if (this.#refused?.model === model && startedAt >= this.#refused.at) this.#refused = null
  }

  /** Calls of the last minute, including those in progress. */
  recentCalls(now: number): number {
    return this.#perMinute.used(now)
  }

  /** Calls of the last day whose answers have at least begun to arrive. */
  answeredCalls(now: number): number {
    return this.#perDay.used(now) - this.underWay.size + this.#delivering
  }

  /** Requests in a window of that length, those in progress included. */
  requestsIn(window: LimitWindow, now: number): number {
    if (window === 'none') return this.underWay.size
    const counted =
      this.find('requests', window) ?? (WINDOW_MS[window] > WINDOW_MS.minute ? this.#perDay : this.#perMinute)
    return counted.used(now)
  }

  hold(call: HeldCall): void {
    if (this.underWay.size === 0) this.busySince = call.at
    this.underWay.add(call)
    this.seenAt = Math.max(this.seenAt, call.at)
    for (const limit of this.limits) limit.hold(call.at, call.need)
  }

  /** The answer of a call in progress has begun to arrive. */
  deliver(): void {
    this.#delivering++
  }

  unhold(call: HeldCall): void {
    this.underWay.delete(call)
    if (call.isDelivering) this.#delivering--
    for (const limit of this.limits) limit.unhold(call.at, call.need)
  }

  /** Counts output that was requested and charged at `at` but never produced. */
  charge(at: number, outputTokens: number): void {
    const use = { requests: 0, inputTokens: 0, outputTokens }
    for (const limit of this.limits) limit.charge(at, use)
  }

  /** Records a call whose answer stated nothing, for the statements of calls still in progress. */
  recordEnded(startedAt: number, use: QuotaNeed): void {
    if (this.underWay.size === 0) this.#keepFrom(this.#ended.length)
    else this.#ended.push({ startedAt, use })
    if (this.#ended.length >= this.#tidyAt) this.#tidy()
  }

  /** Drops calls that ended before all calls in progress began; in place, because every call runs this. */
  #tidy(): void {
    let oldest = Number.POSITIVE_INFINITY
    for (const call of this.underWay) oldest = Math.min(oldest, call.at)
    const ended = this.#ended
    let kept = 0
    for (const call of ended) if (call.startedAt >= oldest - REORDER_MS) ended[kept++] = call
    ended.length = kept
    this.#keepFrom(Math.max(0, kept - MOST_ENDED))
  }

  #keepFrom(first: number): void {
    if (first > 0) this.#ended.splice(0, first)
    this.#tidyAt = this.#ended.length + TIDY_EVERY
  }

  /** What calls took that started at or after `time`, which an answer of that time cannot have counted. */
  readonly unseenSince = (time: number, unit: LimitUnit): Unseen => {
    let ended = 0
    for (const call of this.#ended) if (call.startedAt >= time) ended += amountOf(call.use, unit)
    let underWay = 0
    for (const call of this.underWay) if (call.at >= time) underWay += amountOf(call.need, unit)
    return { ended, underWay }
  }

  /** What calls in progress hold of a unit. */
  held(unit: LimitUnit): number {
    let held = 0
    for (const { need } of this.underWay) held += amountOf(need, unit)
    return held
  }

  toJson(): Json {
    return {
      name: this.name,
      anchor: this.anchor,
      seenAt: this.seenAt,
      refused: this.#refused,
      limits: this.limits.map((limit) => limit.toJson(this.underWay)),
    }
  }

  /** Null when `json` is not a pool; invalid limits are dropped. */
  static fromJson(json: unknown): Pool | null {
    const record = asRecord(json) ?? {}
    const name = asString(record['name'])
    const seenAt = asNumber(record['seenAt'])
    const anchor = ANCHORS.find((anchor) => anchor === record['anchor'])
    if (name === undefined || seenAt === undefined || anchor === undefined) return null
    const pool = new Pool(name, anchor)
    pool.seenAt = seenAt
    pool.#refused = readRefused(record['refused'])
    for (const entry of asArray(record['limits']) ?? []) {
      const unit = LIMIT_UNITS.find((unit) => unit === asRecord(entry)?.['unit'])
      const window = LIMIT_WINDOWS.find((window) => window === asRecord(entry)?.['window'])
      if (unit === undefined || window === undefined) continue
      const limit = pool.find(unit, window) ?? pool.#add(unit, window)
      limit.load(entry)
    }
    return pool
  }
}

function readRefused(json: unknown): { model: string; at: number; until: number } | null {
  const record = asRecord(json)
  const model = asString(record?.['model'])
  const at = asNumber(record?.['at'])
  const until = asNumber(record?.['until'])
  return model === undefined || at === undefined || until === undefined ? null : { model, at, until }
}

const ANCHORS: readonly DayBoundary[] = ['UTC', 'America/Los_Angeles', 'rolling', 'unknown']
