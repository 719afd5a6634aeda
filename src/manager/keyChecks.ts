/** Brings refused keys back: a free check proves them, off every request's path (wire-facts 4.1, `auth_invalid`). */

import { randomUUID } from 'node:crypto'
import type { Failure } from '../domain/failure.ts'
import type { Park } from '../domain/park.ts'
import type { AttemptEvent, TargetRef } from '../domain/store.ts'
import { checkKey, type DiscoverTools } from '../upstream/discover.ts'
import type { Mind } from './mind.ts'
import { refOf } from './record.ts'
import type { Seat } from './roster.ts'

export interface KeyChecksOptions {
  readonly mind: Mind
  readonly origin: string
  readonly tools: DiscoverTools
  /** The seat of a key, undefined when it is not configured any more. */
  readonly seatOf: (provider: string, fingerprint: string) => Seat | undefined
}

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

  /** Checks a key before its park has run out; false when the check cannot be made or refuses it. */
  async checkNow({ provider, fingerprint, ...names }: TargetRef): Promise<boolean> {
    const { mind, origin, tools, seatOf } = this.#options
    const seat = seatOf(provider, fingerprint)
    if (seat === undefined || (await checkKey(seat.connection, tools)).state !== 'valid') return false
    const target = refOf({ provider, fingerprint, ...names })
    mind.remember({ kind: 'lift', at: tools.now(), origin, id: randomUUID(), target, only: ['auth_invalid'] })
    return true
  }

  async #check({ target, reason }: Park): Promise<void> {
    const { mind, origin, tools, seatOf } = this.#options
    const seat = seatOf(target.provider, target.fingerprint)
    if (seat === undefined) return
    const checked = await checkKey(seat.connection, tools)
    const at = tools.now()
    if (checked.state === 'refused') mind.remember(this.#refusal(target, checked.failure, at))
    // Where nothing free proves a key, the time that has passed is all there is: the next request finds out.
    else mind.remember({ kind: 'lift', at, origin, id: randomUUID(), target, only: [reason] })
  }

  /** The check failed as a call would have: the park is prolonged, and nobody had to wait for it. */
  #refusal(target: TargetRef, failure: Failure, at: number): AttemptEvent {
    return {
      kind: 'attempt',
      at,
      origin: this.#options.origin,
      id: randomUUID(),
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
