/** The size of a limit, as stated or learned; corrected by refusals and raised again carefully. */

import { asNumber, asRecord, type Json } from '../../domain/json.ts'

export type LimitSizeSource = 'header' | 'body' | 'learned'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const MONTH = 31 * 24 * HOUR

/** The first rise is one (or a hundredth); each rise that is not refused doubles the share, up to doubling the size. */
const FIRST_GROWTH = 0.01
/** A refused rise wasted a call: each makes the wait before the next one this many times longer. */
const CAUTION = 4
/** The longest wait before the next rise, in windows: four hours for a limit per minute. */
const LONGEST_WAIT_WINDOWS = 240
/** Counts may be somewhat too high, for example after a restart; only a success clearly above the size disproves it. */
const DISPROOF = 1.5

export class LimitSize {
  readonly #windowMs: number
  value: number
  source: LimitSizeSource
  /** When it was last stated, learned or reached, in epoch milliseconds. */
  confirmedAt: number
  /** How long after `confirmedAt` nothing larger is tried: at least a window, doubled by every refused probe. */
  #trustMs: number
  #raiseAt: number
  #raiseWaitMs: number
  #growth = FIRST_GROWTH
  /** Whether the value is a guess above everything that was ever refused. */
  #isRaised = false

  constructor(value: number, source: LimitSizeSource, now: number, windowMs: number) {
    this.#windowMs = windowMs
    this.value = value
    this.source = source
    this.confirmedAt = now
    this.#trustMs = this.#shortestTrustMs
    this.#raiseWaitMs = this.#shortestTrustMs
    this.#raiseAt = now + this.#raiseWaitMs
  }

  /** The upstream stated the size; `refused` when it did so while refusing a call. */
  state(value: number, source: LimitSizeSource, now: number, refused: boolean): void {
    this.value = value
    this.source = source
    this.#confirm(now, refused)
  }

  /** A call was refused with `used` in the window and no size stated: that is the size, for now. */
  learn(used: number, now: number): void {
    this.value = Math.max(1, used)
    this.source = 'learned'
    this.#confirm(now, true)
  }

  /**
   * A call succeeded with `used` in the window. At the limit, and long enough after the last refusal, the size rises.
   * Returns false when the success disproves the size.
   */
  prove(used: number, now: number): boolean {
    if (used > this.value * DISPROOF) {
      if (this.source !== 'learned') return false
      this.value = used
    }
    if (used >= this.value && now >= this.#raiseAt) this.#raise(now)
    return true
  }

  /** Until then nothing larger is tried. */
  trustedUntil(now: number): number {
    if (this.confirmedAt > now) this.confirmedAt = now // the clock was set back
    return this.confirmedAt + this.#trustMs
  }

  get #shortestTrustMs(): number {
    return Math.max(this.#windowMs, 10 * MINUTE)
  }

  get #longestWaitMs(): number {
    return Math.min(MONTH, Math.max(this.#shortestTrustMs, this.#windowMs * LONGEST_WAIT_WINDOWS))
  }

  #confirm(now: number, refused: boolean): void {
    if (!refused) this.#trustMs = this.#shortestTrustMs
    else if (now >= this.trustedUntil(now))
      this.#trustMs = Math.min(this.#trustMs * 2, Math.max(this.#windowMs, 24 * HOUR))
    if (refused && this.#isRaised) this.#raiseWaitMs = Math.min(this.#raiseWaitMs * CAUTION, this.#longestWaitMs)
    this.#isRaised = false
    this.#growth = FIRST_GROWTH
    this.confirmedAt = now
    this.#raiseAt = now + this.#raiseWaitMs
  }

  #raise(now: number): void {
    this.value += Math.max(1, Math.floor(this.value * this.#growth))
    this.source = 'learned'
    this.#growth = Math.min(1, this.#growth * 2)
    this.#isRaised = true
    this.#raiseAt = now + Math.min(this.#windowMs, HOUR)
  }

  toJson(): Json {
    return {
      value: this.value,
      source: this.source,
      confirmedAt: this.confirmedAt,
      trustMs: this.#trustMs,
      raiseAt: this.#raiseAt,
      raiseWaitMs: this.#raiseWaitMs,
      growth: this.#growth,
      isRaised: this.#isRaised,
    }
  }

  /** Null when `json` is not a size; a field out of its range gets the value of a new one. */
  static fromJson(json: unknown, windowMs: number): LimitSize | null {
    const record = asRecord(json) ?? {}
    const value = asNumber(record['value'])
    const confirmedAt = asNumber(record['confirmedAt'])
    const source = record['source']
    if (value === undefined || value < 0 || confirmedAt === undefined) return null
    if (source !== 'header' && source !== 'body' && source !== 'learned') return null
    const cap = new LimitSize(value, source, confirmedAt, windowMs)
    cap.#trustMs = within(record['trustMs'], cap.#trustMs, Math.max(windowMs, 24 * HOUR))
    cap.#raiseWaitMs = within(record['raiseWaitMs'], cap.#raiseWaitMs, cap.#longestWaitMs)
    cap.#raiseAt = Math.min(asNumber(record['raiseAt']) ?? cap.#raiseAt, confirmedAt + MONTH)
    cap.#growth = within(record['growth'], FIRST_GROWTH, 1)
    cap.#isRaised = record['isRaised'] === true
    return cap
  }
}

/** The number if it is within the range, otherwise the minimum. */
function within(value: unknown, least: number, most: number): number {
  const number = asNumber(value)
  return number !== undefined && number >= least && number <= most ? number : least
}
