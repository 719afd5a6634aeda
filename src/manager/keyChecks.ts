/** Brings refused keys back: a free check proves them, off every request's path (wire-facts 4.1, `auth_invalid`). */

import { randomUUID } from 'node:crypto'
import type { Target } from '../domain/target.ts'
import { checkKey, type DiscoverTools } from '../upstream/discover.ts'
import type { Mind } from './mind.ts'
import { refOf } from './record.ts'
import type { Seat } from './roster.ts'

export interface KeyChecksOptions {
  readonly mind: Mind
  readonly origin: string
  readonly tools: DiscoverTools
}

export class KeyChecks {
  readonly #options: KeyChecksOptions
  /** Seats with a refused key, by fingerprint, and one target of theirs by which the park is found. */
  readonly #watched = new Map<string, { seat: Seat; target: Target }>()
  #running = false

  constructor(options: KeyChecksOptions) {
    this.#options = options
  }

  watch(seat: Seat, target: Target): void {
    this.#watched.set(`${seat.provider.id}@${seat.fingerprint}`, { seat, target })
  }

  /** Checks the keys whose park has run out; called every few seconds. */
  async due(): Promise<void> {
    if (this.#running || this.#watched.size === 0) return
    this.#running = true
    try {
      for (const [id, { seat, target }] of [...this.#watched]) await this.#check(id, seat, target)
    } finally {
      this.#running = false
    }
  }

  async #check(id: string, seat: Seat, target: Target): Promise<void> {
    const { mind, origin, tools } = this.#options
    const now = tools.now()
    const park = mind.parks
      .list(now)
      .find(
        (one) =>
          one.reason === 'auth_invalid' &&
          one.target.fingerprint === seat.fingerprint &&
          one.target.provider === seat.provider.id,
      )
    if (park === undefined && mind.parks.blocking(target, now) === undefined) return void this.#watched.delete(id)
    if (park !== undefined && park.until > now) return
    const checked = await checkKey(seat.connection, tools)
    if (checked.state !== 'valid') return
    mind.remember({
      kind: 'lift',
      at: tools.now(),
      origin,
      id: randomUUID(),
      target: refOf(target),
      only: ['auth_invalid'],
    })
    this.#watched.delete(id)
  }
}
