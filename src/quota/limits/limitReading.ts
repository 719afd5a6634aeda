/** What the upstream's own meter showed, less what it cannot have seen yet. */

import { asNumber, asRecord, type Json } from '../../domain/json.ts'

/** Calls sent closer together than this may reach the upstream in any order, and so may what their answers state. */
export const REORDER_MS = 2_000

interface LimitReadingFacts {
  readonly left: number
  /** When the call started whose answer said so. */
  readonly basisAt: number
  readonly statedAt: number
  /** Believed until then. */
  readonly until: number
  /** Whether the whole limit is there again at `until`. */
  readonly refills: boolean
  readonly source: 'header' | 'body'
  /** What others, who share the account unseen by us, had used of the limit; null when its size was not stated. */
  readonly others: number | null
  /** Used by calls that ended since and brought no statement of their own. */
  readonly unseen: number
  /** Reserved by calls that are under way and may have arrived after the meter was read. */
  readonly underWay: number
}

export class LimitReading {
  readonly basisAt: number
  readonly statedAt: number
  readonly refills: boolean
  readonly source: 'header' | 'body'
  readonly others: number | null
  until: number
  readonly #stated: number
  #unseen: number
  #underWay: number

  constructor(facts: LimitReadingFacts) {
    this.basisAt = facts.basisAt
    this.statedAt = facts.statedAt
    this.refills = facts.refills
    this.source = facts.source
    this.others = facts.others
    this.until = facts.until
    this.#stated = facts.left
    this.#unseen = facts.unseen
    this.#underWay = facts.underWay
  }

  /** What is left by this reading; below 0 when more is under way than the meter allowed. */
  get left(): number {
    return this.#stated - this.#unseen - this.#underWay
  }

  /** Whether a statement of an answer whose call started at `basisAt` replaces this one. */
  yieldsTo(remaining: number, basisAt: number, now: number): boolean {
    if (basisAt > this.basisAt + REORDER_MS || this.basisAt > now) return true
    // Of two statements whose order is uncertain the lower one was made later: within a window, meters only fall.
    return basisAt >= this.basisAt - REORDER_MS && remaining < this.#stated
  }

  /** A call that started then was sent. */
  hold(startedAt: number, amount: number): void {
    if (this.#mayHaveMissed(startedAt)) this.#underWay += amount
  }

  /** It is no longer under way. */
  unhold(startedAt: number, amount: number): void {
    if (this.#mayHaveMissed(startedAt)) this.#underWay = Math.max(0, this.#underWay - amount)
  }

  /** A call that started then used `amount`, and its answer said nothing of the meter. */
  use(startedAt: number, amount: number): void {
    if (this.#mayHaveMissed(startedAt)) this.#unseen += amount
  }

  #mayHaveMissed(startedAt: number): boolean {
    return startedAt >= this.basisAt - REORDER_MS
  }

  /** Calls under way do not survive a restart, the rest does. */
  toJson(): Json {
    const { basisAt, statedAt, until, refills, source, others } = this
    return { left: this.#stated, basisAt, statedAt, until, refills, source, others, unseen: this.#unseen }
  }

  /** Null when `json` is not a reading. */
  static fromJson(json: unknown): LimitReading | null {
    const record = asRecord(json) ?? {}
    const left = asNumber(record['left'])
    const basisAt = asNumber(record['basisAt'])
    const until = asNumber(record['until'])
    if (left === undefined || basisAt === undefined || until === undefined) return null
    return new LimitReading({
      left,
      basisAt,
      until,
      statedAt: asNumber(record['statedAt']) ?? basisAt,
      refills: record['refills'] === true,
      source: record['source'] === 'header' ? 'header' : 'body',
      others: record['others'] == null ? null : Math.max(0, asNumber(record['others']) ?? 0),
      unseen: Math.max(0, asNumber(record['unseen']) ?? 0),
      underWay: 0,
    })
  }
}
