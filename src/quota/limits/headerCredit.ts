/**
 * Whether an upstream's statements about one limit can be believed. Some send "nothing left" with every answer. One
 * that counts down is believed; any other "nothing left" beside a success is a forecast, which one call per reset may
 * try when nothing else is left: a success discredits the statements for a day, a refusal confirms them for a day.
 */

import { asNumber, asRecord, type Json } from '../../domain/json.ts'

const DAY = 24 * 3_600_000
const NEVER = Number.NEGATIVE_INFINITY

export class HeaderCredit {
  #positiveAt = NEVER
  #confirmedAt = NEVER
  #discreditedAt = NEVER
  /** The forecast that ends then was tried. Not saved. */
  #triedUntil = NEVER

  /** An answer stated that something is left. */
  sawSomeLeft(now: number): void {
    this.#positiveAt = now
  }

  /** Whether "nothing left" now can have been counted down to: something was left at most `withinMs` ago. */
  countsDown(withinMs: number, now: number): boolean {
    return this.#positiveAt <= now && now - this.#positiveAt <= withinMs
  }

  /** A call was refused as the statements said. */
  confirm(now: number): void {
    this.#confirmedAt = now
    this.#discreditedAt = NEVER
  }

  /** A call succeeded that the statements excluded. */
  discredit(now: number): void {
    this.#discreditedAt = now
    this.#confirmedAt = NEVER
  }

  isDiscredited(now: number): boolean {
    return isRecent(this.#discreditedAt, now)
  }

  /** Whether one call may try a forecast that ends at `until`. */
  mayTry(until: number, now: number): boolean {
    return this.#triedUntil < until && !isRecent(this.#confirmedAt, now)
  }

  tried(until: number): void {
    this.#triedUntil = until
  }

  toJson(): Json {
    return {
      positiveAt: finite(this.#positiveAt),
      confirmedAt: finite(this.#confirmedAt),
      discreditedAt: finite(this.#discreditedAt),
    }
  }

  static fromJson(json: unknown): HeaderCredit | null {
    const record = asRecord(json)
    if (record === undefined) return null
    const credit = new HeaderCredit()
    credit.#positiveAt = asNumber(record['positiveAt']) ?? NEVER
    credit.#confirmedAt = asNumber(record['confirmedAt']) ?? NEVER
    credit.#discreditedAt = asNumber(record['discreditedAt']) ?? NEVER
    return credit
  }
}

/** A clock that was set back ends it as well. */
const isRecent = (at: number, now: number) => at <= now && now - at < DAY

const finite = (time: number) => (Number.isFinite(time) ? time : null)
