/** A pool: the quota that all calls of one account (or key, or address) draw from together, and its limits. */

import { Bag } from '../../domain/bag.ts'
import type { DayBoundary, LimitUnit, LimitWindow } from '../../domain/failure.ts'
import { asArray, asNumber, asRecord, asString, type Json } from '../../domain/json.ts'
import type { QuotaScope } from '../../domain/scope.ts'
import { Limit, type Unseen } from './limit.ts'
import { REORDER_MS } from './limitReading.ts'
import { amountOf, type QuotaNeed } from './quotaNeed.ts'
import { familyOf, type QuotaSeed } from './seed.ts'

/** Whose quota a target draws from. */
export interface QuotaUser {
  readonly provider: string
  readonly model: string
  readonly fingerprint: string
  readonly account: string
}

/** The names of the two pools a target draws from: what the owner shares over models, and what is the model's alone. */
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

/** A call under way. */
interface HeldCall {
  readonly at: number
  readonly need: QuotaNeed
}

interface EndedCall {
  readonly startedAt: number
  readonly use: QuotaNeed
}

/** Counted from the first call on, so that a limit met later can be learned from what was used. */
const ALWAYS_COUNTED: readonly (readonly [LimitUnit, LimitWindow])[] = [
  ['requests', 'minute'],
  ['requests', 'day'],
  ['tokens', 'minute'],
  ['tokens', 'day'],
]

/** More calls than this never end while another is under way. */
const MOST_ENDED = 512
/** Ended calls are looked through again when there are this many more of them than were kept the last time. */
const TIDY_EVERY = 64

export class Pool {
  readonly name: string
  readonly anchor: DayBoundary
  readonly limits: Limit[] = []
  readonly underWay = new Bag<HeldCall>()
  /** When it last had anything to do, for pruning. */
  seenAt = 0
  /**
   * Calls whose answers stated nothing and that ended while others were under way, whose answers may not know of them.
   */
  readonly #ended: EndedCall[] = []
  #tidyAt = TIDY_EVERY
  readonly #perMinute: Limit
  readonly #perDay: Limit

  constructor(name: string, anchor: DayBoundary) {
    this.name = name
    this.anchor = anchor
    for (const [unit, window] of ALWAYS_COUNTED) this.limits.push(new Limit(unit, window, anchor))
    this.#perMinute = this.find('requests', 'minute')!
    this.#perDay = this.find('requests', 'day')!
  }

  /** The limit of that unit and window, made when there is none yet. */
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

  /** The limit that keeps the need out longest; null when there is room in all of them. */
  shortest(need: QuotaNeed, now: number): Limit | null {
    let worst: Limit | null = null
    for (const limit of this.limits) {
      if (!limit.isShortOf(need, this.underWay.size, now)) continue
      if (worst === null || limit.roomAt(need, now) > worst.roomAt(need, now)) worst = limit
    }
    return worst
  }

  /** Whether any limit of it was ever stated or met. */
  isKnown(now: number): boolean {
    for (const limit of this.limits) if (limit.left(this.underWay.size, now) !== null) return true
    return false
  }

  /** Calls of the last minute, those under way included. */
  recentCalls(now: number): number {
    return this.#perMinute.used(now)
  }

  /** Calls of the last day that have ended. */
  endedCalls(now: number): number {
    return this.#perDay.used(now) - this.underWay.size
  }

  hold(call: HeldCall): void {
    this.underWay.add(call)
    this.seenAt = Math.max(this.seenAt, call.at)
    for (const limit of this.limits) limit.hold(call.at, call.need)
  }

  unhold(call: HeldCall): void {
    this.underWay.delete(call)
    for (const limit of this.limits) limit.unhold(call.at, call.need)
  }

  /** Counts output that was asked for and charged at `at` but never produced. */
  charge(at: number, outputTokens: number): void {
    const use = { requests: 0, inputTokens: 0, outputTokens }
    for (const limit of this.limits) limit.charge(at, use)
  }

  /** Remembers a call whose answer stated nothing, for the statements of those that are still under way. */
  recordEnded(startedAt: number, use: QuotaNeed): void {
    if (this.underWay.size === 0) this.#keepFrom(this.#ended.length)
    else this.#ended.push({ startedAt, use })
    if (this.#ended.length >= this.#tidyAt) this.#tidy()
  }

  /** Drops calls that ended before all running calls began; in place, because this is on every call's path. */
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

  /** What calls took that started at `time` or later and that an answer of that time cannot have counted. */
  readonly unseenSince = (time: number, unit: LimitUnit): Unseen => {
    let ended = 0
    for (const call of this.#ended) if (call.startedAt >= time) ended += amountOf(call.use, unit)
    let underWay = 0
    for (const call of this.underWay) if (call.at >= time) underWay += amountOf(call.need, unit)
    return { ended, underWay }
  }

  /** What calls under way hold of a unit. */
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
    for (const entry of asArray(record['limits']) ?? []) {
      const unit = UNITS.find((unit) => unit === asRecord(entry)?.['unit'])
      const window = WINDOWS.find((window) => window === asRecord(entry)?.['window'])
      if (unit === undefined || window === undefined) continue
      const limit = pool.find(unit, window) ?? pool.#add(unit, window)
      limit.load(entry)
    }
    return pool
  }
}

const ANCHORS: readonly DayBoundary[] = ['UTC', 'America/Los_Angeles', 'rolling', 'unknown']
const UNITS: readonly LimitUnit[] = [
  'requests',
  'tokens',
  'input-tokens',
  'output-tokens',
  'neurons',
  'concurrency',
  'usd',
]
const WINDOWS: readonly LimitWindow[] = ['second', 'minute', 'hour', 'day', 'week', 'month', 'none']
