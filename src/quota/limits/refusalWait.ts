/**
 * The wait that a refusal stated. When it is over, a call may try the limit, whatever else is known of it, and more may
 * with each that succeeds. Where what is known has room by then, both agree, and nothing is tried. A wait after which
 * calls were refused again and again is no longer believed.
 */

import type { LimitWindow } from '../../domain/failure.ts'
import { asNumber, asRecord, type Json } from '../../domain/json.ts'
import { WINDOW_MS } from '../window.ts'

/** A wait after which a call was refused this many times in a row is no longer believed. */
const MOST_WRONG = 3
/** Parallel tries double with each that succeeds, up to this many. */
const MOST_TRIES = 64

export class RefusalWait {
  readonly #windowMs: number
  #waitMs: number
  /** When it ends, in epoch milliseconds. */
  #until: number
  #wrong = 0
  /** The first call after it: none yet, one for which there was room by what is known as well, or one that tried. */
  #first: 'none' | 'fits' | 'tries' = 'none'
  /** Calls that may try the limit at once, and that do. Not saved: they end with the process. */
  #mostTries = 1
  #tries = 0

  constructor(waitMs: number, now: number, window: LimitWindow) {
    this.#windowMs = WINDOW_MS[window]
    this.#waitMs = waitMs
    this.#until = now + waitMs
  }

  /** A call that started then was refused as well, and told to wait. */
  refuse(startedAt: number, waitMs: number, now: number): void {
    const isWrong = startedAt >= this.#until
    if (isWrong) this.#wrong++
    this.#mostTries = 1
    // Of parallel refusals the one that ends last counts.
    if (!isWrong && now + waitMs <= this.#until) return
    this.#until = now + waitMs
    this.#waitMs = waitMs
    this.#first = 'none'
  }

  /** A call is sent that started then. */
  hold(startedAt: number): void {
    if (this.#first === 'none' && startedAt >= this.#until) this.#first = 'fits'
  }

  /** A call that started then succeeded. */
  succeed(startedAt: number): void {
    if (startedAt < this.#until) return
    this.#wrong = 0
    if (this.#first === 'tries') this.#mostTries = Math.min(this.#mostTries * 2, MOST_TRIES)
  }

  /** Whether a call may try the limit. */
  mayTry(now: number): boolean {
    return this.#isValid(now) && now >= this.#until && this.#tries < this.#mostTries
  }

  /** When a call that may not try the limit now may; infinite when the wait says nothing any more. */
  triedAt(now: number): number {
    if (!this.#isValid(now)) return Number.POSITIVE_INFINITY
    return this.#until > now ? this.#until : now + this.#waitMs
  }

  beginTry(): void {
    this.#first = 'tries'
    this.#tries++
  }

  /** The call ended, or its answer has begun to arrive. */
  endTry(isDelivering: boolean): void {
    this.#tries = Math.max(0, this.#tries - 1)
    if (isDelivering) this.#mostTries = Math.min(this.#mostTries * 2, MOST_TRIES)
  }

  /** A window later, what was counted before the refusal no longer counts. */
  #isValid(now: number): boolean {
    if (this.#until > now + this.#waitMs) this.#until = now + this.#waitMs // the clock was set back
    return this.#first !== 'fits' && this.#wrong < MOST_WRONG && now < this.#until + this.#windowMs
  }

  toJson(): Json {
    return { waitMs: this.#waitMs, until: this.#until, wrong: this.#wrong }
  }

  /** Null when `json` is not a wait. */
  static fromJson(json: unknown, window: LimitWindow): RefusalWait | null {
    const record = asRecord(json)
    const waitMs = asNumber(record?.['waitMs'])
    const until = asNumber(record?.['until'])
    if (waitMs === undefined || waitMs < 0 || until === undefined) return null
    const wait = new RefusalWait(waitMs, until - waitMs, window)
    wait.#wrong = Math.max(0, asNumber(record?.['wrong']) ?? 0)
    return wait
  }
}
