/**
 * Proves keys for free where a provider has a call for that: when a person asks, and to bring refused ones back off every
 * request's path (wire-facts 4.1, `auth_invalid`).
 */

import type { Failure } from '../domain/failure.ts'
import { asNumber, asRecord, asString } from '../domain/json.ts'
import type { Park } from '../domain/park.ts'
import type { AttemptEvent, Store, TargetRef } from '../domain/store.ts'
import { checkKey, type DiscoverTools, type KeyCheckResult } from '../upstream/discover.ts'
import type { Mind } from './mind.ts'
import type { Seat } from './roster.ts'

export interface KeyChecksOptions {
  readonly mind: Mind
  readonly store: Store
  readonly tools: DiscoverTools
  /** The seat of a key, undefined when it is not configured any more. */
  readonly seatOf: (provider: string, fingerprint: string) => Seat | undefined
}

/** What the last check of a key said. */
export interface CheckedKey {
  readonly state: KeyCheckResult['state']
  /** Epoch milliseconds. */
  readonly at: number
  /** What the provider said to a refused key. */
  readonly message: string | null
  readonly creditLeftUsd: number | null
  readonly freeRequestsLeftToday: number | null
  /** False: the account was charged before, so calls can be billed. Null: nobody says. */
  readonly freeTier: boolean | null
}

const COLLECTION = 'key-checks'
const DAY_MS = 86_400_000
const STATES = ['valid', 'unproven', 'refused'] as const

const mayBeBilled = ({ provider, key }: Seat) => key.free === true && provider.spec.tellsFreeTier === true
const idOf = (seat: Seat) => `${seat.provider.id}@${seat.fingerprint}`

export class KeyChecks {
  readonly #options: KeyChecksOptions
  #running = false

  constructor(options: KeyChecksOptions) {
    this.#options = options
  }

  /** Checks the keys whose park has run out; called every second, asks at most one provider at a time. */
  async due(): Promise<void> {
    if (this.#running) return
    const { mind, tools } = this.#options
    const waiting = mind.parks.awaiting(tools.now()).filter((park) => park.backBy === 'key-check')
    if (waiting.length === 0) return
    this.#running = true
    try {
      for (const park of waiting) await this.#check(park)
    } finally {
      this.#running = false
    }
  }

  /** Checks one key now and remembers what came back. */
  async checkNow(seat: Seat): Promise<KeyCheckResult> {
    const { store, tools } = this.#options
    const checked = await checkKey(seat.connection, tools)
    store.setDoc(COLLECTION, idOf(seat), {
      state: checked.state,
      at: tools.now(),
      message: checked.state === 'refused' ? checked.failure.message : null,
      creditLeftUsd: checked.state === 'valid' ? checked.facts.creditLeftUsd : null,
      freeRequestsLeftToday: checked.state === 'valid' ? checked.facts.freeRequestsLeftToday : null,
      freeTier: checked.state === 'valid' ? checked.facts.freeTier : null,
    })
    return checked
  }

  /** What the last check of the key said, by whichever process; null when there was none. */
  last(seat: Seat): CheckedKey | null {
    const record = asRecord(this.#options.store.getDoc(COLLECTION, idOf(seat)))
    const state = STATES.find((one) => one === record?.['state'])
    if (record === undefined || state === undefined) return null
    return {
      state,
      at: asNumber(record['at']) ?? 0,
      message: asString(record['message']) ?? null,
      creditLeftUsd: asNumber(record['creditLeftUsd']) ?? null,
      freeRequestsLeftToday: asNumber(record['freeRequestsLeftToday']) ?? null,
      freeTier: typeof record['freeTier'] === 'boolean' ? record['freeTier'] : null,
    }
  }

  /** Whether a key that the user calls free belongs to an account that was charged before. */
  isBilled(seat: Seat): boolean {
    return mayBeBilled(seat) && this.last(seat)?.freeTier === false
  }

  /** Asks about keys that are called free where the provider can contradict, once a day. Returns those that it does. */
  async billedAmong(seats: readonly Seat[]): Promise<readonly Seat[]> {
    const now = this.#options.tools.now()
    const doubtful = seats.filter(mayBeBilled)
    await Promise.all(
      doubtful.filter((seat) => now - (this.last(seat)?.at ?? 0) > DAY_MS).map((seat) => this.checkNow(seat)),
    )
    return doubtful.filter((seat) => this.isBilled(seat))
  }

  async #check({ target, reason }: Park): Promise<void> {
    const { mind, store, tools, seatOf } = this.#options
    const { origin } = store
    const seat = seatOf(target.provider, target.fingerprint)
    if (seat === undefined) return
    const checked = await this.checkNow(seat)
    const at = tools.now()
    if (checked.state === 'refused') mind.remember(this.#refusal(target, checked.failure, at))
    // Where nothing free proves a key, the time that has passed is all there is: the next request finds out.
    else mind.remember({ kind: 'lift', at, origin, id: mind.eventId(), target, only: [reason] })
  }

  /** The check failed as a call would have: the park is prolonged, and nobody had to wait for it. */
  #refusal(target: TargetRef, failure: Failure, at: number): AttemptEvent {
    return {
      kind: 'attempt',
      at,
      origin: this.#options.store.origin,
      id: this.#options.mind.eventId(),
      requestId: 'key-check',
      number: 1,
      source: 'probe',
      target,
      startedAt: at,
      latencyMs: 0,
      firstTokenMs: null,
      streamed: false,
      ok: false,
      failure,
      usage: null,
      costNanoUsd: 0,
      priceSource: null,
      limits: [],
      task: null,
      session: null,
      token: null,
      labels: {},
    }
  }
}
