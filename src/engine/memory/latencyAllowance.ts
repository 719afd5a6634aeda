/**
 * How long a target may take to its first content: a high percentile of its observed times, as in adaptive timeouts.
 */

import type { AttemptEvent } from '../../domain/store.ts'
import type { Target } from '../../domain/target.ts'
import type { PendingRequest } from '../request/pendingRequest.ts'

/** Used while nothing is known. */
const UNKNOWN_MS = 60_000
const LEAST_MS = 5000
const MOST_MS = 120_000
/** Observations needed before they are used. */
const ENOUGH = 20
/** Standard deviations of a log-normal up to its 99.9th percentile. */
const Z999 = 3.09
/** A plain answer arrives whole and may take this many times longer than a first token. */
const WHOLE_ANSWER = 5
/** Weights recent observations: about the last 200. */
const MEMORY = 200

interface SeenLatency {
  count: number
  mean: number
  variance: number
}

export class LatencyAllowance {
  readonly #first = new Map<string, SeenLatency>()

  fold(event: AttemptEvent): void {
    // The few tokens of a test say nothing about how long a whole answer takes.
    if (event.source === 'test' && !event.streamed) return
    if (!event.ok || event.firstTokenMs === null || !(event.firstTokenMs > 0) || event.firstTokenMs > 3_600_000) return
    const id = idOf(event.target.stateId, event.streamed)
    const seen = this.#first.get(id) ?? { count: 0, mean: 0, variance: 0.16 }
    const value = Math.log(event.firstTokenMs)
    seen.count = Math.min(MEMORY, seen.count + 1)
    const step = value - seen.mean
    seen.mean += step / seen.count
    seen.variance += (step * step - seen.variance) / Math.max(8, seen.count)
    this.#first.set(id, seen)
  }

  /** Milliseconds; a number in the settings overrides what was learned. `slowStartMs`: the minimum for the provider. */
  firstTokenMs(
    target: Target,
    pending: Pick<PendingRequest, 'request'>,
    setting: number | 'auto',
    slowStartMs = 0,
  ): number {
    const { stream } = pending.request
    if (setting !== 'auto') return stream ? setting : Math.max(setting, MOST_MS)
    const learned = this.#learned(target.stateId, stream)
    if (learned !== null) return Math.max(slowStartMs, clamp(learned))
    return Math.max(slowStartMs, stream ? UNKNOWN_MS : MOST_MS)
  }

  #learned(stateId: string, stream: boolean): number | null {
    const seen = this.#first.get(idOf(stateId, stream))
    if (seen === undefined || seen.count < ENOUGH) return null
    const slow = Math.exp(seen.mean + Z999 * Math.sqrt(Math.max(0.04, seen.variance)))
    // The next answer may be long: what was learned from short ones must not cut it.
    return stream ? slow : slow * WHOLE_ANSWER
  }
}

const idOf = (stateId: string, stream: boolean) => (stream ? `${stateId} s` : stateId)
const clamp = (ms: number) => Math.min(MOST_MS, Math.max(LEAST_MS, ms))
