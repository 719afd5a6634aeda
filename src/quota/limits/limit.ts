/** One limit of a pool, such as its requests per minute: its size, what is used, and therefore what is left. */

import type { DayBoundary, LimitUnit, LimitWindow } from '../../domain/failure.ts'
import { asNumber, asRecord, type Json } from '../../domain/json.ts'
import { ADMISSION_MS, CountingWindow, WINDOW_MS } from '../window.ts'
import { HeaderCredit } from './headerCredit.ts'
import { LimitReading, REORDER_MS } from './limitReading.ts'
import { LimitSize, type LimitSizeSource } from './limitSize.ts'
import { amountOf, type QuotaNeed } from './quotaNeed.ts'
import { RefusalWait } from './refusalWait.ts'
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

/** A refusal by a limit that does not state what is left. */
interface LimitRefusalFacts {
  /** The stated wait in milliseconds; null when it states none. */
  readonly retryAfterMs: number | null
  readonly callsUnderWay: number
  /** Requests of the pool in this limit's window, those in progress included. */
  readonly requests: number
  readonly now: number
}

/** The end of a running call cannot be predicted, so its limit is checked again soon. */
const CONCURRENCY_RECHECK_MS = 250
/** After this many requests in the window one refusal shows a size; after fewer, two windows must agree. */
const ENOUGH_REQUESTS = 10
/** A wait that is shorter than this share of the window proves nothing about the window. */
const FAR_SHORTER = 1 / 6
/** Two sizes within this share of each other are about the same. */
const ALIKE = 0.25
/** A refusal is forgotten when no second one agrees within this many windows. */
const LONGEST_SUSPICION = 10
/** A stated reset that differs by more than this share of the window from a rolling window's is a fixed window's. */
const RESET_SLACK = 0.05

export class Limit {
  readonly unit: LimitUnit
  readonly window: LimitWindow
  readonly #used: CountingWindow
  #cap: LimitSize | null = null
  #reading: LimitReading | null = null
  #credit: HeaderCredit | null = null
  #wait: RefusalWait | null = null
  /** A refusal that showed no size by itself. */
  #suspicion: { readonly at: number; readonly used: number } | null = null

  constructor(unit: LimitUnit, window: LimitWindow, anchor: DayBoundary) {
    this.unit = unit
    this.window = window
    this.#used = new CountingWindow(window, anchor)
  }

  /** Whether what is left does not cover the need. What is unknown never excludes. */
  isShortOf(need: QuotaNeed, callsUnderWay: number, now: number): boolean {
    if (this.#cap === null && this.#reading === null) return false
    const left = this.left(callsUnderWay, now)
    return left !== null && !this.#suffices(left, need)
  }

  /**
   * Whether a call may try a limit that is short: what was only learned, or forecast, is tried from time to time.
   * `inNeed`: nothing else can be called.
   */
  mayTry(callsUnderWay: number, now: number, inNeed: boolean): boolean {
    const reading = this.#currentReading(now)
    if (this.#statedWait?.mayTry(now) === true) return true
    if (reading !== null) return inNeed && reading.isForecast && this.#credit?.mayTry(reading.until, now) === true
    if (this.#cap === null) return false
    if (this.#cap.source === 'learned') return this.#cap.mayTry(now, inNeed)
    // A stated size that was not confirmed for its trust period is tried when its window is otherwise empty.
    return now >= this.#cap.trustedUntil(now) && this.#inUse(callsUnderWay, now) === 0
  }

  /** A call tries it. */
  beginTry(now: number): void {
    if (this.#statedWait?.mayTry(now) === true) this.#statedWait.beginTry()
    else if (this.#reading !== null) this.#credit?.tried(this.#currentReading(now)?.until ?? now)
    else this.#cap?.beginTry()
  }

  /** The call that tried it ended, or its answer has begun to arrive. */
  endTry(isDelivering: boolean): void {
    if (this.#statedWait !== null) this.#statedWait.endTry(isDelivering)
    else if (isDelivering) this.#cap?.succeedTry()
    else this.#cap?.endTry()
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

  /** The earliest time after `now` at which a need that does not fit now may fit, or may be tried. */
  roomAt(need: QuotaNeed, now: number): number {
    const triedAt = this.#statedWait?.triedAt(now) ?? Number.POSITIVE_INFINITY
    return Math.max(now + 1, Math.min(this.#expectedAt(need, now), triedAt))
  }

  /** Counts a call that is about to be sent. */
  hold(at: number, need: QuotaNeed): void {
    const amount = amountOf(need, this.unit)
    this.#used.add(at, amount)
    this.#reading?.hold(at, amount)
    this.#wait?.hold(at)
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
   * The upstream states the limit in the answer to a call that started at `basisAt`; a refusal's own wait is `waitMs`.
   * `unseenSince` sums what calls that started at or after a time have taken.
   */
  state(
    stated: StatedLimit,
    facts: {
      readonly basisAt: number
      readonly refused: boolean
      readonly waitMs: number | null
      readonly now: number
    },
    unseenSince: (time: number, unit: LimitUnit) => Unseen,
  ): void {
    const { basisAt, refused, now } = facts
    if (stated.source === 'header' && !this.#isCredible(stated, refused, now)) return
    if (facts.waitMs !== null) this.#comeBackAfter(facts.waitMs, basisAt, now)
    else if (!refused && stated.remaining !== null) this.#wait = null
    if (stated.limit !== null) this.#size(stated.limit, stated.source, refused, now)
    if (stated.remaining === null || this.unit === 'concurrency') return
    const current = this.#currentReading(now)
    if (current !== null && !current.yieldsTo(stated.remaining, basisAt, now)) return
    const unseen = unseenSince(basisAt - REORDER_MS, this.unit)
    const resetsAt = stated.resetsAt ?? this.#used.periodEnd(basisAt) ?? basisAt + WINDOW_MS[this.window]
    // What is left of a limit in the words of a refusal was too little for the call, so that its wait is about it.
    const isMet = stated.remaining === 0 || stated.source === 'body'
    const retryAt = facts.waitMs !== null && isMet ? now + facts.waitMs : resetsAt
    this.#read({
      left: stated.remaining,
      basisAt,
      until: Math.min(resetsAt, retryAt),
      // A wait in an error says when to retry, which is not when the whole limit is available again in any window.
      refills:
        stated.source === 'header'
          ? stated.resetsAt !== null && retryAt >= resetsAt
          : stated.remaining === 0 && this.#isFixedReset(facts.waitMs, now),
      source: stated.source,
      others: this.#othersBy(stated, unseen, now),
      unseen: unseen.ended,
      underWay: unseen.underWay,
      statedAt: now,
      isForecast: this.#isForecast(stated, refused, now),
    })
  }

  /** A call that started then succeeded: a forecast that excluded it is wrong, and so are its kind for a day. */
  contradict(startedAt: number, now: number): void {
    this.#wait?.succeed(startedAt)
    const reading = this.#reading
    if (reading === null || !reading.isForecast) return
    if (startedAt < reading.statedAt || startedAt >= reading.until - ADMISSION_MS) return
    this.#credit?.discredit(now)
    this.#reading = null
    if (this.#cap?.source === 'header') this.#cap = null
  }

  /** A call that started then was refused by a limit: a forecast that it tried is right. */
  confirm(startedAt: number, now: number): void {
    const reading = this.#reading
    if (reading?.isForecast === true && startedAt >= reading.statedAt) this.#credit?.confirm(now)
  }

  /**
   * This limit refused a call without stating what is left: what was used, calls in progress included, may be its size,
   * and nothing is left until the stated wait or the calendar period ends.
   */
  refuse(startedAt: number, facts: LimitRefusalFacts): void {
    const { retryAfterMs, now } = facts
    this.#learn(startedAt, facts)
    if (retryAfterMs === null) this.#wait = null
    else this.#comeBackAfter(retryAfterMs, startedAt, now)
    const wait = retryAfterMs === null ? Number.POSITIVE_INFINITY : now + retryAfterMs
    const until = Math.min(wait, this.#used.periodEnd(now) ?? Number.POSITIVE_INFINITY)
    if (until === Number.POSITIVE_INFINITY || this.unit === 'concurrency') return
    this.#read({
      left: 0,
      basisAt: startedAt,
      until,
      refills: this.#isFixedReset(retryAfterMs, now),
      source: 'body',
      others: null,
      unseen: 0,
      underWay: 0,
      statedAt: now,
      isForecast: false,
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
    this.#credit = null
    this.#wait = null
    this.#suspicion = null
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

  /** A learned size has its own tries, which follow the wait as well. */
  get #statedWait(): RefusalWait | null {
    return this.#cap?.source === 'learned' ? null : this.#wait
  }

  /** Parallel calls are counted exactly, so that nothing has to be tried there. */
  #comeBackAfter(waitMs: number, startedAt: number, now: number): void {
    if (this.unit === 'concurrency') return
    if (this.#wait === null) this.#wait = new RefusalWait(waitMs, now, this.window)
    else this.#wait.refuse(startedAt, waitMs, now)
  }

  #suffices(left: number, need: QuotaNeed): boolean {
    const least = this.#leastFor(need)
    return least === 0 || least <= left
  }

  /** Neurons and credit cannot be counted in advance: a call fits while anything is left. */
  #leastFor(need: QuotaNeed): number {
    return this.unit === 'neurons' || this.unit === 'usd' ? Number.MIN_VALUE : amountOf(need, this.unit)
  }

  #inUse(callsUnderWay: number, now: number): number {
    return this.unit === 'concurrency' ? callsUnderWay : this.#used.total(now)
  }

  #expectedAt(need: QuotaNeed, now: number): number {
    const reading = this.#currentReading(now)
    if (reading !== null) return this.#endOf(reading, need, now)
    if (this.#cap === null) return now
    const spare = this.#cap.value - this.#leastFor(need)
    if (this.unit === 'concurrency' && spare >= 0) return now + CONCURRENCY_RECHECK_MS
    const roomAt = spare >= 0 ? this.#used.timeBelow(spare, now) : this.#triedAt(this.#cap, now)
    return this.#orTried(this.#cap, roomAt, now)
  }

  /** When a need above the whole size may be tried. */
  #triedAt(size: LimitSize, now: number): number {
    if (size.source === 'learned') return size.triedFrom(now, false)
    const emptyAt = this.unit === 'concurrency' ? now : this.#used.timeBelow(0, now)
    return Math.max(size.trustedUntil(now), emptyAt)
  }

  /** A learned size is tried before there is room by it, and nothing learned outlasts the wait that was stated. */
  #orTried(size: LimitSize, roomAt: number, now: number): number {
    if (size.source !== 'learned') return roomAt
    const triedFrom = size.triedFrom(now, true)
    if (triedFrom > now) return Math.min(roomAt, triedFrom)
    return size.believedWaitMs === null ? roomAt : Math.min(roomAt, now + size.believedWaitMs)
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
    if (this.#cap === null) this.#cap = new LimitSize(value, source, now, this.window)
    else this.#cap.state(value, source, now, refused)
  }

  /** A recent statement takes precedence: others may have used the rest of the limit. */
  #learn(startedAt: number, facts: LimitRefusalFacts): void {
    const { retryAfterMs, callsUnderWay, requests, now } = facts
    const used = this.#inUse(callsUnderWay, now)
    const cap = this.#cap
    if (used < 1 || (cap !== null && cap.source !== 'learned' && now < cap.trustedUntil(now))) return
    if (this.#isFarShorter(retryAfterMs, now)) {
      if (cap?.source === 'learned' && used >= cap.value) cap.miss(retryAfterMs, now)
      return
    }
    const size = this.#agreedSize(used, startedAt, requests, now)
    if (size === null) return
    this.#suspicion = null
    this.#cap ??= new LimitSize(size, 'learned', now, this.window)
    this.#cap.learn(size, retryAfterMs, now)
  }

  /** The size that a refusal with `used` in the window shows; null when it shows none yet. */
  #agreedSize(used: number, startedAt: number, requests: number, now: number): number | null {
    const cap = this.#cap?.source === 'learned' ? this.#cap : null
    // A refused try, or a call that was sent together with the one whose refusal showed the size.
    if (cap !== null && (used >= cap.value || startedAt <= cap.confirmedAt)) return used
    if (requests >= ENOUGH_REQUESTS) return used
    const first = this.#suspicion
    const ageMs = first === null ? Number.POSITIVE_INFINITY : now - first.at
    const windowMs = this.unit === 'concurrency' ? REORDER_MS : WINDOW_MS[this.window]
    if (first === null || ageMs < 0 || ageMs > LONGEST_SUSPICION * windowMs) this.#suspicion = { at: now, used }
    else if (ageMs < windowMs / 2) this.#suspicion = { at: first.at, used: Math.min(first.used, used) }
    else if (Math.abs(used - first.used) <= Math.max(1, ALIKE * Math.max(used, first.used)))
      return Math.min(used, first.used)
    else this.#suspicion = { at: now, used }
    return null
  }

  /** Whether the wait is too short for this window; near the end of a calendar period a short one is right. */
  #isFarShorter(waitMs: number | null, now: number): boolean {
    if (waitMs === null || this.unit === 'concurrency' || waitMs >= FAR_SHORTER * WINDOW_MS[this.window]) return false
    const periodEnd = this.#used.periodEnd(now)
    return periodEnd === null || Math.abs(now + waitMs - periodEnd) > RESET_SLACK * WINDOW_MS[this.window]
  }

  /** Whether the stated wait ends at another time than that at which a rolling window would have room again. */
  #isFixedReset(waitMs: number | null, now: number): boolean {
    if (waitMs === null || this.#cap === null || this.#isFarShorter(waitMs, now)) return false
    const rollsAt = this.#used.timeBelow(Math.max(0, this.#used.total(now) - 1), now)
    const earlierByMs = rollsAt - (now + waitMs)
    // Beside a stated size a later end proves nothing: only an earlier one contradicts what was counted.
    const differsByMs = this.#cap.source === 'learned' ? Math.abs(earlierByMs) : earlierByMs
    return differsByMs > RESET_SLACK * WINDOW_MS[this.window]
  }

  #isCredible(stated: StatedLimit, refused: boolean, now: number): boolean {
    this.#credit ??= new HeaderCredit()
    if (stated.remaining !== null && stated.remaining > 0) this.#credit.sawSomeLeft(now)
    if (!refused) return !this.#credit.isDiscredited(now)
    if (stated.remaining === 0) this.#credit.confirm(now)
    return true
  }

  #isForecast(stated: StatedLimit, refused: boolean, now: number): boolean {
    if (refused || stated.source !== 'header' || stated.remaining !== 0) return false
    // A bare number may count anything.
    if (stated.limit === null && stated.resetsAt === null) return true
    return this.#credit?.countsDown(2 * WINDOW_MS[this.window], now) !== true
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
      credit: this.#credit?.toJson() ?? null,
      wait: this.#wait?.toJson() ?? null,
      suspicion: this.#suspicion,
    }
  }

  /** Reads what `toJson` wrote; invalid parts are dropped. */
  load(json: unknown): void {
    const record = asRecord(json)
    this.#used.load(record?.['used'])
    this.#cap = LimitSize.fromJson(record?.['cap'], this.window)
    this.#reading = LimitReading.fromJson(record?.['reading'])
    this.#credit = HeaderCredit.fromJson(record?.['credit'])
    this.#wait = RefusalWait.fromJson(record?.['wait'], this.window)
    const suspicion = asRecord(record?.['suspicion'])
    const at = asNumber(suspicion?.['at'])
    const used = asNumber(suspicion?.['used'])
    this.#suspicion = at === undefined || used === undefined ? null : { at, used }
  }
}
