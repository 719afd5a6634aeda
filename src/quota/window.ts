/**
 * Counts what was used in a window of time: rolling (the last minute), calendar (since midnight in a time zone) or
 * fixed (since the last known reset). All three are a rolling window whose past can be dropped.
 */

import type { DayBoundary, LimitWindow } from '../domain/failure.ts'
import { asArray, asNumber, asRecord, type Json } from '../domain/json.ts'
import { hasBoundary, nextDay, nextMonth } from './dayBoundary.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** The length of each window in milliseconds; for `none` (credit, concurrency) how long a statement is believed. */
export const WINDOW_MS: Readonly<Record<LimitWindow, number>> = {
  second: SECOND,
  minute: MINUTE,
  hour: HOUR,
  day: DAY,
  week: 7 * DAY,
  month: 31 * DAY,
  none: HOUR,
}

/**
 * The longest time between dispatch and the upstream counting the call: windows slide from there, and a call sent just
 * before a reset may be counted after it.
 */
export const ADMISSION_MS = 500

/**
 * Uses closer together than this are merged at the later time, so a count is never too low and nothing counts longer
 * than this too long. Whole fractions of an hour, so that no zone's midnight falls inside a step.
 */
const STEP_MS: Readonly<Record<LimitWindow, number>> = {
  second: 10,
  minute: 500,
  hour: 30 * SECOND,
  day: 10 * MINUTE,
  week: HOUR,
  month: HOUR,
  none: MINUTE,
}

/** A caller's time may be this much behind. */
const MOMENT_MS = 1_000

/** The clocks go back once a year: that day has 25 hours. */
const LONGEST_SHIFT = HOUR

export class CountingWindow {
  readonly #stepMs: number
  readonly #spanMs: number
  readonly #period: 'day' | 'month' | null
  readonly #anchor: DayBoundary
  /** Nothing before this time counts. */
  #since = Number.NEGATIVE_INFINITY
  /** When the calendar period ends; never, for a rolling window. */
  #periodEnd: number
  #times: number[] = []
  #amounts: number[] = []
  #head = 0
  #total = 0

  /** Days and months follow the calendar where the provider's day has a known boundary; everything else rolls. */
  constructor(window: LimitWindow, anchor: DayBoundary) {
    this.#period = hasBoundary(anchor) && (window === 'day' || window === 'month') ? window : null
    this.#anchor = anchor
    this.#stepMs = STEP_MS[window]
    this.#spanMs = WINDOW_MS[window] + (this.#period === null ? 0 : LONGEST_SHIFT)
    this.#periodEnd = this.#period === null ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
  }

  /** Counts `amount` at time `at`; a late use is sorted into its place. */
  add(at: number, amount: number): void {
    if (!(amount > 0)) return
    const place = this.#placeAfter(at)
    if (place > this.#head && this.#isSameStep(this.#times[place - 1]!, at)) {
      this.#times[place - 1] = at
      this.#amounts[place - 1]! += amount
    } else if (place < this.#times.length && this.#isSameStep(this.#times[place]!, at)) {
      this.#amounts[place]! += amount
    } else if (place === this.#times.length) {
      this.#dropUntil(at - this.#spanMs)
      this.#times.push(at)
      this.#amounts.push(amount)
    } else {
      this.#times.splice(place, 0, at)
      this.#amounts.splice(place, 0, amount)
    }
    this.#total += amount
  }

  /** Takes back what was added at `at`, unless it has already left the window. */
  remove(at: number, amount: number): void {
    for (let place = this.#times.length - 1; place >= this.#head; place--) {
      if (this.#isSameStep(this.#times[place]!, at)) {
        const taken = Math.min(amount, this.#amounts[place]!)
        this.#amounts[place]! -= taken
        this.#total -= taken
        return
      }
      if (this.#times[place]! < at) return
    }
  }

  /** The sum in the window at `now`. */
  total(now: number): number {
    this.#advance(now)
    return this.#total
  }

  /** The quota was refilled at `time`: earlier use no longer counts. */
  forgetBefore(time: number): void {
    this.#since = Math.max(this.#since, time)
  }

  /** The earliest time from `now` on at which the window holds at most `amount`, if nothing is added. */
  timeBelow(amount: number, now: number): number {
    this.#advance(now)
    let rest = this.#total
    for (let place = this.#head; place < this.#times.length; place++) {
      if (rest <= amount) return place === this.#head ? now : this.#leaves(place - 1)
      rest -= this.#amounts[place]!
    }
    return this.#times.length === this.#head || this.#total <= amount ? now : this.#leaves(this.#times.length - 1)
  }

  /** When the calendar period around `time` ends; null for a rolling window. */
  periodEnd(time: number): number | null {
    return this.#period === null ? null : this.#boundaryAfter(time)
  }

  /** Copies what another window of the same pool and unit has counted. */
  copyFrom(other: CountingWindow): void {
    for (let place = other.#head; place < other.#times.length; place++)
      this.add(other.#times[place]!, other.#amounts[place]!)
  }

  toJson(): Json {
    const entries: Json[] = []
    for (let place = this.#head; place < this.#times.length; place++)
      if (this.#amounts[place]! > 0) entries.push([this.#times[place]!, this.#amounts[place]!])
    return Number.isFinite(this.#since) ? { since: this.#since, entries } : { entries }
  }

  /** Loads what `toJson` wrote; entries that are not uses are skipped. */
  load(json: unknown): void {
    const record = asRecord(json)
    const since = asNumber(record?.['since'])
    if (since !== undefined) this.#since = since
    for (const entry of asArray(record?.['entries']) ?? []) {
      const pair = asArray(entry) ?? []
      const at = asNumber(pair[0])
      const amount = asNumber(pair[1])
      if (at !== undefined && amount !== undefined && this.#times.length < MOST_ENTRIES) this.add(at, amount)
    }
  }

  #advance(now: number): void {
    this.#refuseFuture(now)
    if (now >= this.#periodEnd || (this.#period !== null && now < this.#since)) this.#enterPeriod(now)
    this.#dropUntil(Math.max(now - this.#spanMs, this.#since - 1))
  }

  /** Drops everything up to and including `time`. */
  #dropUntil(time: number): void {
    while (this.#head < this.#times.length && this.#times[this.#head]! <= time) {
      this.#total -= this.#amounts[this.#head]!
      this.#head++
    }
    this.#compact()
  }

  /**
   * The clock was set back: events counted "later" are treated as having just happened. A moment ago is no such clock:
   * whoever asks about it must not move what was counted since.
   */
  #refuseFuture(now: number): void {
    for (let place = this.#times.length - 1; place >= this.#head && this.#times[place]! > now + MOMENT_MS; place--)
      this.#times[place] = now
    if (this.#period === null && this.#since > now + MOMENT_MS) this.#since = now
  }

  #enterPeriod(now: number): void {
    let start = this.#boundaryAfter(now - this.#spanMs)
    let end = this.#boundaryAfter(start)
    while (end <= now) {
      start = end
      end = this.#boundaryAfter(start)
    }
    this.#periodEnd = end
    if (this.#since < start || this.#since > now) this.#since = start
  }

  #boundaryAfter(time: number): number {
    return this.#period === 'month' ? nextMonth(time) : nextDay(this.#anchor, time)
  }

  #leaves(place: number): number {
    return Math.min(this.#times[place]! + this.#spanMs, this.#periodEnd)
  }

  #placeAfter(at: number): number {
    let place = this.#times.length
    while (place > this.#head && this.#times[place - 1]! > at) place--
    return place
  }

  #isSameStep(one: number, other: number): boolean {
    return Math.floor(one / this.#stepMs) === Math.floor(other / this.#stepMs)
  }

  #compact(): void {
    if (this.#head < this.#times.length && this.#head < 64) return
    if (this.#head === 0) return
    this.#times.splice(0, this.#head)
    this.#amounts.splice(0, this.#head)
    this.#head = 0
    if (this.#times.length === 0) this.#total = 0
  }
}

/** A month in hours is 745 steps; a file with more was not written by keywise. */
const MOST_ENTRIES = 1_000
