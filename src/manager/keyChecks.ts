/** Proves keys for free where a provider has a call for that: on request, and to bring refused ones back off every request's path. */

import { asNumber, asRecord, asString } from '../domain/json.ts'
import type { Store } from '../domain/store.ts'
import type { Target } from '../domain/target.ts'
import { checkKey, type DiscoverTools, type KeyCheckResult } from '../upstream/discover.ts'
import type { Mind } from './mind.ts'
import { refOf } from './record.ts'
import type { Seat } from './roster.ts'

export interface KeyChecksOptions {
  readonly mind: Mind
  readonly store: Store
  readonly tools: DiscoverTools
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
}

const COLLECTION = 'key-checks'

export class KeyChecks {
  readonly #options: KeyChecksOptions
  /** Seats with a refused key, by fingerprint, and one target of theirs by which the park is found. */
  readonly #watched = new Map<string, { seat: Seat; target: Target }>()
  #running = false

  constructor(options: KeyChecksOptions) {
    this.#options = options
  }

  watch(seat: Seat, target: Target): void {
    this.#watched.set(idOf(seat), { seat, target })
  }

  /** Checks the keys whose park has run out; called every few seconds. */
  async due(): Promise<void> {
    if (this.#running || this.#watched.size === 0) return
    this.#running = true
    try {
      for (const { seat, target } of [...this.#watched.values()]) await this.#check(seat, target)
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
    }
  }

  async #check(seat: Seat, target: Target): Promise<void> {
    const { mind, store, tools } = this.#options
    const now = tools.now()
    const park = mind.parks
      .list(now)
      .find(
        (one) =>
          one.reason === 'auth_invalid' &&
          one.target.fingerprint === seat.fingerprint &&
          one.target.provider === seat.provider.id,
      )
    if (park === undefined && mind.parks.blocking(target, now) === undefined) {
      this.#watched.delete(idOf(seat))
      return
    }
    if (park !== undefined && park.until > now) return
    const checked = await this.checkNow(seat)
    if (checked.state !== 'valid') return
    mind.remember({
      kind: 'lift',
      at: tools.now(),
      origin: store.origin,
      id: mind.eventId(),
      target: refOf(target),
      only: ['auth_invalid'],
    })
    this.#watched.delete(idOf(seat))
  }
}

const STATES = ['valid', 'unproven', 'refused'] as const

const idOf = (seat: Seat) => `${seat.provider.id}@${seat.fingerprint}`
