/**
 * A virtual day of a client and an upstream that counts for itself: requests come in, the book and the parks choose a
 * key, the upstream admits or refuses by its own windows, and answers arrive after a while, all on a virtual clock.
 */

import type { Failure, LimitFact } from '../../src/domain/failure.ts'
import type { Target } from '../../src/domain/target.ts'
import { type QuotaHold, QuotaTracker } from '../../src/quota/limits/quotaTracker.ts'
import { Parks } from '../../src/quota/parks/parks.ts'
import { makeTarget } from './makeEvents.ts'
import { dayIsOver, eventOf, factOf, MINUTE, NOON, one, rateLimited, specWith, targetOf } from './quotaFixtures.ts'

export interface Scenario {
  /** What answers say: everything, always; a size and a wait, in refusals only; only which kind of limit; nothing. */
  readonly tells: 'headers' | 'bodies' | 'kinds' | 'nothing'
  readonly minuteWindow: 'fixed' | 'rolling'
  readonly perMinute: number
  readonly perDay: number
  readonly requests: number
  /** Milliseconds between two arrivals; 0 lets all come at once. */
  readonly everyMs: number
  /** Maximum parallel calls of one key. */
  readonly parallelPerKey: number
  readonly restartAfter?: number
  readonly seed?: number
}

export interface DayResult {
  readonly served: number
  readonly refused: number
  /** When the last answer came, from the start. */
  readonly tookMs: number
  /** Requests the accounts' limits would have allowed until then, at most those offered. */
  readonly capacity: number
}

const ACCOUNTS = 3
const KEYS_PER_ACCOUNT = 2

/** An account as its provider sees it. */
class CountedAccount {
  readonly #scenario: Scenario
  readonly #admitted: number[] = []

  constructor(scenario: Scenario) {
    this.#scenario = scenario
  }

  answer(now: number): { readonly failure: Failure | null; readonly limits: readonly LimitFact[] } {
    const { perMinute, perDay } = this.#scenario
    const minute = this.#inMinute(now)
    const isDayOver = this.#admitted.length >= perDay
    const isMinuteFull = minute.used >= perMinute
    if (!isDayOver && !isMinuteFull) this.#admitted.push(now)
    const failure = isDayOver
      ? this.#refusal(true, 0)
      : isMinuteFull
        ? this.#refusal(false, minute.resetsAt - now)
        : null
    return { failure, limits: this.#headers(now) }
  }

  #inMinute(now: number): { readonly used: number; readonly resetsAt: number } {
    const isFixed = this.#scenario.minuteWindow === 'fixed'
    const from = isFixed ? Math.floor(now / MINUTE) * MINUTE : now - MINUTE + 1
    const recent = this.#admitted.filter((at) => at >= from)
    const resetsAt = isFixed ? from + MINUTE : (recent.at(-1) ?? now) + MINUTE
    return { used: recent.length, resetsAt }
  }

  #refusal(isDay: boolean, waitMs: number): Failure {
    const { tells, perDay, perMinute } = this.#scenario
    if (tells === 'nothing') return rateLimited()
    if (tells === 'kinds') return isDay ? dayIsOver() : rateLimited()
    if (tells === 'headers') return isDay ? dayIsOver() : rateLimited({ retryAfterMs: waitMs })
    return isDay
      ? dayIsOver({ unit: 'requests', window: 'day', limit: perDay })
      : rateLimited({ unit: 'requests', window: 'minute', limit: perMinute, retryAfterMs: waitMs })
  }

  #headers(now: number): readonly LimitFact[] {
    const { tells, perDay, perMinute } = this.#scenario
    if (tells !== 'headers') return []
    const minute = this.#inMinute(now)
    return [
      factOf({ window: 'minute', limit: perMinute, remaining: perMinute - minute.used, resetsAt: minute.resetsAt }),
      factOf({ window: 'day', limit: perDay, remaining: perDay - this.#admitted.length }),
    ]
  }
}

/** Runs the scenario until every request is served or the UTC day, which began with 12 hours to go, is over. */
export function runDay(scenario: Scenario): DayResult {
  return new Day(scenario).run()
}

class Day {
  readonly #scenario: Scenario
  readonly #spec = specWith()
  readonly #options = { specOf: () => this.#spec }
  readonly #parkOptions = { facts: () => ({ ...this.#spec, keyCheck: 'call' as const, local: false }) }
  readonly #accounts = Array.from({ length: ACCOUNTS }, (_, account) => `prov:account-${account}`)
  readonly #keys: readonly Target[]
  readonly #upstream = new Map<string, CountedAccount>()
  readonly #underWay = new Map<Target, number>()
  readonly #events: { at: number; run: () => void }[] = []
  #book: QuotaTracker
  #parks: Parks
  #now = NOON
  #waiting = 0
  #served = 0
  #refused = 0
  #lastAt = NOON
  #turn = 0
  #wakeAt = 0
  #random: number

  constructor(scenario: Scenario) {
    this.#scenario = scenario
    this.#random = scenario.seed ?? 1
    this.#book = new QuotaTracker(this.#options)
    this.#parks = new Parks(this.#parkOptions)
    for (const account of this.#accounts) this.#upstream.set(account, new CountedAccount(scenario))
    this.#keys = this.#accounts.flatMap((account) =>
      Array.from({ length: KEYS_PER_ACCOUNT }, (_, key) => keyOf(account, key)),
    )
  }

  run(): DayResult {
    const { requests, everyMs } = this.#scenario
    for (let request = 0; request < requests; request++) this.#at(NOON + request * everyMs, () => this.#arrive())
    for (let event = this.#next(); event !== undefined && event.at < NOON + 12 * 60 * MINUTE; event = this.#next()) {
      this.#now = event.at
      event.run()
      this.#serve()
    }
    const tookMs = this.#lastAt - NOON
    return { served: this.#served, refused: this.#refused, tookMs, capacity: this.#capacity(tookMs) }
  }

  #capacity(tookMs: number): number {
    const { perDay, perMinute, requests } = this.#scenario
    const minutes = Math.ceil((tookMs + 1) / MINUTE)
    return Math.min(requests, ACCOUNTS * Math.min(perDay, minutes * perMinute))
  }

  #arrive(): void {
    this.#waiting++
  }

  /** Gives waiting requests to keys with room; looks again when the first of them may have some. */
  #serve(): void {
    let retryAt = Number.POSITIVE_INFINITY
    for (let tries = 0; this.#waiting > 0 && tries < this.#keys.length; ) {
      const key = this.#keys[this.#turn++ % this.#keys.length]!
      const hold = this.#take(key)
      if (hold === null) {
        retryAt = Math.min(retryAt, this.#freeAt(key))
        tries++
        continue
      }
      tries = 0
      this.#waiting--
      this.#call(key, hold)
    }
    if (this.#waiting === 0 || (retryAt >= this.#wakeAt && this.#wakeAt > this.#now)) return
    this.#wakeAt = retryAt
    if (retryAt < Number.POSITIVE_INFINITY) this.#at(retryAt, () => undefined)
  }

  #take(key: Target): QuotaHold | null {
    if ((this.#underWay.get(key) ?? 0) >= this.#scenario.parallelPerKey) return null
    if (this.#book.room(key, one, this.#now) !== null) return null
    const state = this.#parks.state(key, this.#now)
    if (state === 'open' || (state === 'half-open' && !this.#parks.startProbe(key, this.#now))) return null
    const hold = this.#book.reserve(key, one, this.#now)
    return hold.granted ? hold : null
  }

  #freeAt(key: Target): number {
    const park = this.#parks.blocking(key, this.#now)
    const at = Math.max(this.#book.freeAt(key, one, this.#now) ?? 0, park?.until ?? 0)
    return at > this.#now ? at : Number.POSITIVE_INFINITY
  }

  #call(key: Target, hold: QuotaHold): void {
    const startedAt = this.#now
    this.#underWay.set(key, (this.#underWay.get(key) ?? 0) + 1)
    this.#at(startedAt + this.#between(20, 300), () => {
      const answer = this.#upstream.get(key.account)!.answer(this.#now)
      const delay = answer.failure === null ? this.#between(200, 4_000) : this.#between(20, 200)
      this.#at(this.#now + delay, () => this.#finish(key, hold, startedAt, answer))
    })
  }

  #finish(key: Target, hold: QuotaHold, startedAt: number, answer: ReturnType<CountedAccount['answer']>): void {
    const { failure, limits } = answer
    this.#underWay.set(key, (this.#underWay.get(key) ?? 1) - 1)
    this.#book.settle(hold, null, this.#now)
    // Waits are spread by it: a number of this day, so that a day is the same whatever ran before it.
    const id = `event-${this.#served + this.#refused}`
    const event = eventOf(this.#now, { id, startedAt, target: targetOf(key), failure, limits, ok: failure === null })
    this.#book.fold(event)
    this.#parks.fold(event)
    this.#parks.endProbe(key)
    this.#lastAt = this.#now
    if (failure === null) this.#served++
    else {
      this.#refused++
      this.#waiting++
    }
    if (this.#served === this.#scenario.restartAfter && failure === null) this.#restart()
  }

  #restart(): void {
    this.#book = QuotaTracker.fromJson(JSON.parse(JSON.stringify(this.#book.toJson())), this.#options)
    this.#parks = Parks.fromJson(JSON.parse(JSON.stringify(this.#parks.toJson())), this.#parkOptions)
  }

  #at(at: number, run: () => void): void {
    let place = this.#events.length
    while (place > 0 && this.#events[place - 1]!.at <= at) place--
    this.#events.splice(place, 0, { at, run })
  }

  #next(): { at: number; run: () => void } | undefined {
    return this.#events.pop()
  }

  /** A small linear congruential generator: the same day for the same seed. */
  #between(least: number, most: number): number {
    this.#random = (this.#random * 48_271) % 2_147_483_647
    return least + (this.#random % (most - least))
  }
}

function keyOf(account: string, key: number): Target {
  const ref = targetOf({ fingerprint: `${account}-${key}`, account, keyIndex: key + 1 })
  return { ...makeTarget({ ...ref, profile: { free: true } }), ...ref }
}
