/**
 * The size of a limit, as stated or learned. A learned one is a suspicion: calls above it are tried again and again,
 * and each that succeeds raises it.
 */

import type { LimitWindow } from '../../domain/failure.ts'
import { asNumber, asRecord, type Json } from '../../domain/json.ts'
import { WINDOW_MS } from '../window.ts'

export type LimitSizeSource = 'header' | 'body' | 'learned'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Counts may be somewhat too high, for example after a restart; only a success clearly above a stated size counts. */
const DISPROOF = 1.5
/** A stated wait after which a call was refused this many times in a row is no longer believed. */
const MOST_WRONG_WAITS = 3
/** When nothing else can be called: pauses between refused tries, in windows. */
const FIRST_PAUSE_IN_NEED = 0.5
const LONGEST_PAUSE_IN_NEED = 2
/** When others can be called, a refused try costs an attempt and gains little. */
const FIRST_PAUSE = 2
const LONGEST_PAUSE = 16
/** Parallel tries double with each that succeeds, up to this many. */
const MOST_TRIES = 64

export class LimitSize {
  readonly #windowMs: number
  /** What pauses between tries are counted in. Concurrency has no window, but running calls end within minutes. */
  readonly #pauseUnitMs: number
  value: number
  source: LimitSizeSource
  /** When it was last stated, learned or reached, in epoch milliseconds. */
  confirmedAt: number
  /** How long after `confirmedAt` a stated size is believed: at least a window, doubled by every refused probe. */
  #trustMs: number
  /** Refused tries in a row above the learned size; -1 when one has succeeded since the last refusal. */
  #misses = 0
  /** The wait that the last of them stated; null when it stated none. */
  #statedWaitMs: number | null = null
  /** Calls above the size that may be under way at once, and that are. Not saved: they end with the process. */
  #mostTries = 1
  #tries = 0

  constructor(value: number, source: LimitSizeSource, now: number, window: LimitWindow) {
    this.#windowMs = WINDOW_MS[window]
    this.#pauseUnitMs = window === 'none' ? MINUTE : this.#windowMs
    this.value = value
    this.source = source
    this.confirmedAt = now
    this.#trustMs = this.#shortestTrustMs
  }

  /** The upstream stated the size; `refused` when it did so while refusing a call. */
  state(value: number, source: LimitSizeSource, now: number, refused: boolean): void {
    this.value = value
    this.source = source
    if (!refused) this.#trustMs = this.#shortestTrustMs
    else if (now >= this.trustedUntil(now)) this.#trustMs = Math.min(this.#trustMs * 2, this.#longestTrustMs)
    this.confirmedAt = now
    this.#misses = 0
    this.#mostTries = 1
  }

  /** A call was refused with `used` in the window and no size stated: that is the size, for now. */
  learn(used: number, waitMs: number | null, now: number): void {
    if (this.source === 'learned' && used >= this.value) return this.miss(waitMs, now)
    this.value = Math.max(1, used)
    this.source = 'learned'
    this.#refused(0, waitMs, now)
  }

  /** A call above the learned size was refused: the size stands. */
  miss(waitMs: number | null, now: number): void {
    const isParallel = this.#misses >= 0 && now - this.confirmedAt < SECOND
    this.#refused(isParallel ? this.#misses : this.#misses + 1, waitMs, now)
  }

  #refused(misses: number, waitMs: number | null, now: number): void {
    this.#misses = misses
    this.#statedWaitMs = waitMs === null ? null : Math.min(waitMs, this.#windowMs)
    this.#mostTries = 1
    this.confirmedAt = now
  }

  /** A call succeeded with `used` in the window. Returns false when that disproves the size. */
  prove(used: number, now: number): boolean {
    if (this.source !== 'learned') return this.#proveStated(used, now)
    if (used <= this.value) return true
    this.value = used
    this.#misses = -1
    this.#mostTries = Math.min(this.#mostTries * 2, MOST_TRIES)
    this.confirmedAt = now
    return true
  }

  /** A size that was not stated again for its trust period and is reached becomes one that is tried. */
  #proveStated(used: number, now: number): boolean {
    if (used > this.value * DISPROOF) return false
    if (used === 0 || used < this.value || now < this.trustedUntil(now)) return true
    this.value = used
    this.source = 'learned'
    this.#refused(0, null, now)
    return true
  }

  /** Whether a call above the size may find out if there is more; `inNeed`: nothing else can be called. */
  mayTry(now: number, inNeed: boolean): boolean {
    return this.#tries < this.#mostTries && now >= this.triedFrom(now, inNeed)
  }

  beginTry(): void {
    this.#tries++
  }

  endTry(): void {
    this.#tries = Math.max(0, this.#tries - 1)
  }

  /** The answer to a call above the size has begun to arrive. */
  succeedTry(): void {
    this.endTry()
    this.#mostTries = Math.min(this.#mostTries * 2, MOST_TRIES)
  }

  /** From then on a call above the size may be tried. */
  triedFrom(now: number, inNeed: boolean): number {
    if (this.source !== 'learned') return this.trustedUntil(now)
    if (this.confirmedAt > now) this.confirmedAt = now // the clock was set back
    return this.confirmedAt + this.#pauseMs(inNeed)
  }

  /** The wait that the upstream states and that is believed, in milliseconds; null when it states none. */
  get believedWaitMs(): number | null {
    return this.#misses < MOST_WRONG_WAITS ? this.#statedWaitMs : null
  }

  /** Until then a stated size is believed. */
  trustedUntil(now: number): number {
    if (this.confirmedAt > now) this.confirmedAt = now // the clock was set back
    return this.confirmedAt + this.#trustMs
  }

  #pauseMs(inNeed: boolean): number {
    if (this.#misses < 0) return 0
    const stated = this.believedWaitMs
    if (stated !== null && (inNeed || this.#misses === 0)) return stated
    const windows = (inNeed ? FIRST_PAUSE_IN_NEED : FIRST_PAUSE) * 2 ** Math.min(this.#misses, 10)
    return Math.min(windows, inNeed ? LONGEST_PAUSE_IN_NEED : LONGEST_PAUSE) * this.#pauseUnitMs
  }

  get #shortestTrustMs(): number {
    return Math.max(this.#windowMs, 10 * MINUTE)
  }

  get #longestTrustMs(): number {
    return Math.max(this.#windowMs, 24 * HOUR)
  }

  toJson(): Json {
    return {
      value: this.value,
      source: this.source,
      confirmedAt: this.confirmedAt,
      trustMs: this.#trustMs,
      misses: this.#misses,
      statedWaitMs: this.#statedWaitMs,
    }
  }

  /** Null when `json` is not a size; a field out of its range gets the value of a new one. */
  static fromJson(json: unknown, window: LimitWindow): LimitSize | null {
    const record = asRecord(json) ?? {}
    const value = asNumber(record['value'])
    const confirmedAt = asNumber(record['confirmedAt'])
    const source = record['source']
    if (value === undefined || value < 0 || confirmedAt === undefined) return null
    if (source !== 'header' && source !== 'body' && source !== 'learned') return null
    const size = new LimitSize(value, source, confirmedAt, window)
    size.#trustMs = within(record['trustMs'], size.#trustMs, size.#longestTrustMs)
    size.#misses = within(record['misses'], -1, 1_000)
    const wait = asNumber(record['statedWaitMs'])
    size.#statedWaitMs = wait !== undefined && wait >= 0 && wait <= size.#windowMs ? wait : null
    return size
  }
}

/** The number if it is within the range, otherwise the minimum. */
function within(value: unknown, least: number, most: number): number {
  const number = asNumber(value)
  return number !== undefined && number >= least && number <= most ? number : least
}
