/** What the upstream last stated as remaining, minus what it cannot have counted yet. */

import { asNumber, asRecord, type Json } from '../../domain/json.ts'

/**
 * Calls sent within this time of each other may reach the upstream in any order, and so may their answers' statements.
 */
export const REORDER_MS = 2_000

interface LimitReadingFacts {
  readonly left: number
  /** When the call started whose answer stated it. */
  readonly basisAt: number
  readonly statedAt: number
  /** Believed until then. */
  readonly until: number
  /** Whether the whole limit is available again at `until`. */
  readonly refills: boolean
  readonly source: 'header' | 'body'
  /** What other users of the account had used of the limit; null when its size was not stated. */
  readonly others: number | null
  /** Used by calls that have ended since without a statement of their own. */
  readonly unseen: number
  /** Reserved by calls in progress that may have arrived after the statement was made. */
  readonly underWay: number
  /** A success stated that nothing is left, without ever having counted down to it. */
  readonly isForecast: boolean
}

export class LimitReading {
  readonly basisAt: number
  readonly statedAt: number
  readonly refills: boolean
  readonly source: 'header' | 'body'
  readonly others: number | null
  readonly isForecast: boolean
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
    this.isForecast = facts.isForecast
    this.until = facts.until
    this.#stated = facts.left
    this.#unseen = facts.unseen
    this.#underWay = facts.underWay
  }

  /** What is left by this reading; below 0 when calls in progress exceed what remained. */
  get left(): number {
    return this.#stated - this.#unseen - this.#underWay
  }

  /** Whether a statement from the answer to a call that started at `basisAt` replaces this one. */
  yieldsTo(remaining: number, basisAt: number, now: number): boolean {
    if (basisAt > this.basisAt + REORDER_MS || this.basisAt > now) return true
    // If the order of two statements is uncertain, the lower is the later: within a window, the remainder only falls.
    return basisAt >= this.basisAt - REORDER_MS && remaining < this.#stated
  }

  /** A call that started then was sent. */
  hold(startedAt: number, amount: number): void {
    if (this.#mayHaveMissed(startedAt)) this.#underWay += amount
  }

  /** It is no longer in progress. */
  unhold(startedAt: number, amount: number): void {
    if (this.#mayHaveMissed(startedAt)) this.#underWay = Math.max(0, this.#underWay - amount)
  }

  /** A call that started then used `amount`, and its answer did not state this limit. */
  use(startedAt: number, amount: number): void {
    if (this.#mayHaveMissed(startedAt)) this.#unseen += amount
  }

  #mayHaveMissed(startedAt: number): boolean {
    return startedAt >= this.basisAt - REORDER_MS
  }

  /** Calls in progress do not survive a restart, everything else does. */
  toJson(): Json {
    const { basisAt, statedAt, until, refills, source, others, isForecast } = this
    return { left: this.#stated, basisAt, statedAt, until, refills, source, others, unseen: this.#unseen, isForecast }
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
      isForecast: record['isForecast'] === true,
    })
  }
}
