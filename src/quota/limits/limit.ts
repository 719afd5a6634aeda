/** One limit of a pool, such as its requests per minute: its size, what is used, and therefore what is left. */

import type { DayBoundary, LimitUnit, LimitWindow } from '../../domain/failure.ts'
import { asRecord, type Json } from '../../domain/json.ts'
import { ADMISSION_MS, CountingWindow, WINDOW_MS } from '../window.ts'
import { LimitReading, REORDER_MS } from './limitReading.ts'
import { LimitSize, type LimitSizeSource } from './limitSize.ts'
import { amountOf, type QuotaNeed } from './quotaNeed.ts'
import type { StatedLimit } from './statedLimit.ts'

/** What a pool's calls have reserved or used that a statement from a given time cannot include. */
export interface Unseen {
  readonly ended: number
  readonly underWay: number
}

/** The numbers of a limit, for `status`. Times are epoch milliseconds; null is unknown. */
interface LimitNumbers {
  readonly limit: number | null
  readonly remaining: number | null
  readonly resetsAt: number | null
  readonly source: LimitSizeSource
  readonly checkedAt: number
}

/** The end of a running call cannot be predicted, so its limit is checked again soon. */
const CONCURRENCY_RECHECK_MS = 250

export class Limit {
  readonly unit: LimitUnit
  readonly window: LimitWindow
  readonly #used: CountingWindow
  #cap: LimitSize | null = null
  #reading: LimitReading | null = null

  constructor(unit: LimitUnit, window: LimitWindow, anchor: DayBoundary) {
    this.unit = unit
    this.window = window
    this.#used = new CountingWindow(window, anchor)
  }

  /** Whether what is left does not cover the need. What is unknown never excludes. */
  isShortOf(need: QuotaNeed, callsUnderWay: number, now: number): boolean {
    if (this.#cap === null && this.#reading === null) return false
    const left = this.left(callsUnderWay, now)
    return left !== null && !this.#suffices(left, need) && !this.#mayProbe(callsUnderWay, now)
  }

  /** What is left, below 0 when more was used than the limit; null when unknown. */
  left(callsUnderWay: number, now: number): number | null {
    const reading = this.#currentReading(now)
    if (reading !== null) return Math.max(reading.left, this.#knownShare(reading) - this.#used.total(now))
    if (this.#cap === null) return null
    return this.#cap.value - this.#inUse(callsUnderWay, now)
  }

  /** What the window holds now, calls in progress included. */
  used(now: number): number {
    return this.#used.total(now)
  }

  /** Whether the need exceeds the limit itself, so that waiting helps less than another target. */
  isTooSmallFor(need: QuotaNeed): boolean {
    return this.#cap !== null && this.#cap.value > 0 && amountOf(need, this.unit) > this.#cap.value
  }

  /** The earliest time after `now` at which a need that does not fit now may fit. */
  roomAt(need: QuotaNeed, now: number): number {
    return Math.max(now + 1, this.#expectedAt(need, now))
  }

  /** Counts a call that is about to be sent. */
  hold(at: number, need: QuotaNeed): void {
    const amount = amountOf(need, this.unit)
    this.#used.add(at, amount)
    this.#reading?.hold(at, amount)
  }

  /** Reverses `hold`. */
  unhold(at: number, need: QuotaNeed): void {
    const amount = amountOf(need, this.unit)
    this.#used.remove(at, amount)
    this.#reading?.unhold(at, amount)
  }

  /** Counts actual use at the time the upstream counted it; `isStated` when the same answer states this limit. */
  count(startedAt: number, countedAt: number, use: QuotaNeed, isStated: boolean): void {
    const amount = amountOf(use, this.unit)
    this.#used.add(countedAt, amount)
    if (!isStated) this.#reading?.use(startedAt, amount)
  }

  /**
   * The upstream states the limit in the answer to a call that started at `basisAt`. `unseenSince` sums what calls that
   * started at or after a time have taken.
   */
  state(
    stated: StatedLimit,
    facts: { readonly basisAt: number; readonly refused: boolean; readonly now: number },
    unseenSince: (time: number, unit: LimitUnit) => Unseen,
  ): void {
    const { basisAt, refused, now } = facts
    if (stated.limit !== null) this.#size(stated.limit, stated.source, refused, now)
    if (stated.remaining === null || this.unit === 'concurrency') return
    const current = this.#currentReading(now)
    if (current !== null && !current.yieldsTo(stated.remaining, basisAt, now)) return
    const unseen = unseenSince(basisAt - REORDER_MS, this.unit)
    this.#read({
      left: stated.remaining,
      basisAt,
      until: stated.resetsAt ?? this.#used.periodEnd(basisAt) ?? basisAt + WINDOW_MS[this.window],
      // A wait in an error body says when to retry, not when the whole limit is available again.
      refills: stated.resetsAt !== null && stated.source === 'header',
      source: stated.source,
      others: this.#othersBy(stated, unseen, now),
      unseen: unseen.ended,
      underWay: unseen.underWay,
      statedAt: now,
    })
  }

  /**
   * This limit refused a call without stating what is left: its size is what was used, calls in progress included, and
   * nothing is left until the stated wait or the calendar period ends.
   */
  refuse(
    startedAt: number,
    facts: { readonly retryAfterMs: number | null; readonly callsUnderWay: number; readonly now: number },
  ): void {
    const { retryAfterMs, callsUnderWay, now } = facts
    this.#learn(this.#inUse(callsUnderWay, now), now)
    const wait = retryAfterMs === null ? Number.POSITIVE_INFINITY : now + retryAfterMs
    const until = Math.min(wait, this.#used.periodEnd(now) ?? Number.POSITIVE_INFINITY)
    if (until === Number.POSITIVE_INFINITY || this.unit === 'concurrency') return
    this.#read({
      left: 0,
      basisAt: startedAt,
      until,
      refills: false,
      source: 'body',
      others: null,
      unseen: 0,
      underWay: 0,
      statedAt: now,
    })
  }

  /** Whether its size is known. */
  get isSized(): boolean {
    return this.#cap !== null
  }

  /** A call succeeded and did not state this limit; `underWay` is what calls in progress hold of it. */
  prove(underWay: number, callsUnderWay: number, now: number): void {
    if (this.#cap === null) return
    // The call itself was in progress beside the others when it was admitted.
    const used = this.unit === 'concurrency' ? callsUnderWay + 1 : this.#used.total(now) - underWay
    if (!this.#cap.prove(used, now)) this.#cap = null
  }

  /** Use that no event reports, such as output that was requested and charged at admission but not produced. */
  charge(at: number, use: QuotaNeed): void {
    this.#used.add(at, amountOf(use, this.unit))
  }

  /** Drops every reason to refuse; what was used stays counted. */
  lift(): void {
    this.#reading = null
    this.#cap = null
  }

  /** The clock was set back: whatever lies in its future ends no later than one window from now. */
  rewind(now: number): void {
    this.#used.total(now)
    this.#currentReading(now)
    this.#cap?.trustedUntil(now)
  }

  /** Copies what another limit of the same unit has counted, when this one becomes known later than the use. */
  copyUse(other: Limit): void {
    this.#used.copyFrom(other.#used)
  }

  /** What is known, for display; null when nothing is. */
  view(callsUnderWay: number, now: number): LimitNumbers | null {
    const left = this.left(callsUnderWay, now)
    const basis = this.#reading ?? this.#cap
    if (left === null || basis === null) return null
    return {
      limit: this.#cap?.value ?? null,
      remaining: Math.max(0, Math.floor(left)),
      resetsAt: this.#reading?.until ?? this.#refillsAt(now),
      source: basis.source,
      checkedAt: basis instanceof LimitSize ? basis.confirmedAt : basis.statedAt,
    }
  }

  #suffices(left: number, need: QuotaNeed): boolean {
    const least = this.#leastFor(need)
    return least === 0 || least <= left
  }

  /** Neurons and credit cannot be counted in advance: a call fits while anything is left. */
  #leastFor(need: QuotaNeed): number {
    return this.unit === 'neurons' || this.unit === 'usd' ? Number.MIN_VALUE : amountOf(need, this.unit)
  }

  /**
   * A limit that was not confirmed for its trust period may be tried by one call when its window is otherwise empty.
   */
  #mayProbe(callsUnderWay: number, now: number): boolean {
    if (this.#cap === null || this.#reading !== null) return false
    return now >= this.#cap.trustedUntil(now) && this.#inUse(callsUnderWay, now) === 0
  }

  #inUse(callsUnderWay: number, now: number): number {
    return this.unit === 'concurrency' ? callsUnderWay : this.#used.total(now)
  }

  #expectedAt(need: QuotaNeed, now: number): number {
    const reading = this.#currentReading(now)
    if (reading !== null) return this.#endOf(reading, need, now)
    if (this.#cap === null) return now
    const spare = this.#cap.value - this.#leastFor(need)
    if (this.unit === 'concurrency') return spare >= 0 ? now + CONCURRENCY_RECHECK_MS : this.#cap.trustedUntil(now)
    if (spare >= 0) return this.#used.timeBelow(spare, now)
    return Math.max(this.#cap.trustedUntil(now), this.#used.timeBelow(0, now))
  }

  /** A reading ends at its time, or sooner when enough of our own use has left the window. */
  #endOf(reading: LimitReading, need: QuotaNeed, now: number): number {
    const spare = this.#knownShare(reading) - this.#leastFor(need)
    return spare >= 0 ? Math.min(reading.until, this.#used.timeBelow(spare, now)) : reading.until
  }

  /**
   * How much of the limit our own calls may fill if others still use what they did when the limit was stated. Whether
   * the upstream's window is rolling or fixed, it never holds more of our calls than a rolling one, so this is safe for
   * both.
   */
  #knownShare(reading: LimitReading): number {
    if (this.#cap === null || reading.others === null) return Number.NEGATIVE_INFINITY
    return this.#cap.value - reading.others
  }

  #othersBy({ limit, remaining }: StatedLimit, unseen: Unseen, now: number): number | null {
    if (limit === null || remaining === null) return null
    const ours = this.#used.total(now) - unseen.ended - unseen.underWay
    return Math.max(0, limit - remaining - ours)
  }

  #currentReading(now: number): LimitReading | null {
    const reading = this.#reading
    if (reading === null) return null
    // Nothing is believed for longer than its window, whatever the clock has done since.
    if (reading.until > now + this.#longestMs) reading.until = now + this.#longestMs
    if (now < reading.until) return reading
    if (reading.refills) this.#used.forgetBefore(reading.until - ADMISSION_MS)
    this.#reading = null
    return null
  }

  #read(facts: ConstructorParameters<typeof LimitReading>[0]): void {
    this.#reading = new LimitReading({ ...facts, until: Math.min(facts.until, facts.statedAt + this.#longestMs) })
  }

  #size(value: number, source: LimitSizeSource, refused: boolean, now: number): void {
    if (this.#cap === null) this.#cap = new LimitSize(value, source, now, WINDOW_MS[this.window])
    else this.#cap.state(value, source, now, refused)
  }

  /** A recent statement takes precedence: others may have used the rest of the limit. */
  #learn(used: number, now: number): void {
    if (used < 1) return
    if (this.#cap === null) this.#cap = new LimitSize(used, 'learned', now, WINDOW_MS[this.window])
    else if (this.#cap.source === 'learned' || now >= this.#cap.trustedUntil(now)) this.#cap.learn(used, now)
  }

  /** A calendar day may have 25 hours. */
  get #longestMs(): number {
    return WINDOW_MS[this.window] + (this.window === 'day' || this.window === 'month' ? WINDOW_MS.hour : 0)
  }

  #refillsAt(now: number): number | null {
    if (this.unit === 'concurrency') return null
    const periodEnd = this.#used.periodEnd(now)
    if (periodEnd !== null) return periodEnd
    const emptyAt = this.#used.timeBelow(0, now)
    return emptyAt > now ? emptyAt : null
  }

  /**
   * What survives a restart. A call in progress stays counted in short windows, because the upstream has seen it; in
   * longer ones its event will report it, or it never happened.
   */
  toJson(callsUnderWay: Iterable<{ readonly at: number; readonly need: QuotaNeed }>): Json {
    const kept = new Limit(this.unit, this.window, 'rolling')
    kept.#used.load(this.#used.toJson())
    if (WINDOW_MS[this.window] > WINDOW_MS.hour)
      for (const { at, need } of callsUnderWay) kept.#used.remove(at, amountOf(need, this.unit))
    return {
      unit: this.unit,
      window: this.window,
      used: kept.#used.toJson(),
      cap: this.#cap?.toJson() ?? null,
      reading: this.#reading?.toJson() ?? null,
    }
  }

  /** Reads what `toJson` wrote; invalid parts are dropped. */
  load(json: unknown): void {
    const record = asRecord(json)
    this.#used.load(record?.['used'])
    this.#cap = LimitSize.fromJson(record?.['cap'], WINDOW_MS[this.window])
    this.#reading = LimitReading.fromJson(record?.['reading'])
  }
}
