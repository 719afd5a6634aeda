/**
 * Whose turn it is to be tried while it fails. A user's request, or a tiny call beside one, is the only way to find out
 * that an outage is over, but each such try costs time or money. So all of them together are limited to a share of the
 * requests, and each provider waits for its turn.
 */

import type { Target } from '../../domain/target.ts'
import type { PendingRequest } from '../request/pendingRequest.ts'

/** A provider's failing targets are tried this often where the share of the requests allows it. */
const TURN_MS = 15_000
/**
 * One try is allowed after this time however few requests come, so that an outage is noticed to be over within half a
 * minute: a little less, because a probe has to wait for the next request.
 */
const ALWAYS_MS = 24_000
/** Probes per request, over time. */
const SHARE = 0.2
/** Probes that may come close together. */
const BURST = 2
const LOOK_EVERY_MS = 1_000
/** After a tiny call was refused, a user's request may be the probe of a silent target for this long. */
const INSTEAD_MS = 60_000

export class ProbeTurns {
  #tokens = BURST
  #lastAt = Number.NEGATIVE_INFINITY
  #lookedAt = Number.NEGATIVE_INFINITY
  /** When a target of the provider was last tried while it failed. */
  readonly #triedAt = new Map<string, number>()
  /** Until when no tiny call is possible for the provider. */
  readonly #refusedUntil = new Map<string, number>()
  /** The target that a request asks although it fails. */
  readonly #asked = new WeakMap<PendingRequest, string>()

  /** Counts a request. */
  request(): void {
    if (this.#tokens < BURST) this.#tokens = Math.min(BURST, this.#tokens + SHARE)
  }

  /** Whether to look for a failing target to try; at most once a second, because looking ranks all targets. */
  mayLook(now: number): boolean {
    if (!this.isLeft(now) || this.#sinceMs(this.#lookedAt, now) < LOOK_EVERY_MS) return false
    this.#lookedAt = now
    return true
  }

  /** Whether any failing target may be tried now. */
  isLeft(now: number): boolean {
    return this.#tokens >= 1 || this.#sinceMs(this.#lastAt, now) >= ALWAYS_MS
  }

  /** Whether it is the provider's turn; `failedAt`: when one of its targets last failed. */
  isDue(provider: string, failedAt: number, now: number): boolean {
    return this.#sinceMs(Math.max(this.triedAt(provider), failedAt), now) >= TURN_MS
  }

  /** When the provider had its last turn; minus infinity when it had none. */
  triedAt(provider: string): number {
    return this.#triedAt.get(provider) ?? Number.NEGATIVE_INFINITY
  }

  /** The soonest time at which a failing target may be tried if it may not be now. */
  nextAt(now: number): number {
    return this.isLeft(now) ? now : this.#lastAt + ALWAYS_MS
  }

  /** Counts a try of a failing target. */
  take(provider: string, now: number): void {
    this.#tokens = Math.max(0, this.#tokens - 1)
    this.#lastAt = now
    this.#triedAt.set(provider, now)
  }

  /** The provider's turn passes unused: nothing of it is wanted now. */
  pass(provider: string, now: number): void {
    this.#triedAt.set(provider, now)
  }

  /** The request asks this target although it fails. */
  ask(pending: PendingRequest, target: Target): void {
    this.#asked.set(pending, target.stateId)
  }

  isAsked(pending: PendingRequest, target: Target): boolean {
    return this.#asked.get(pending) === target.stateId
  }

  /** No tiny call may be made beside a request. */
  refused(provider: string, now: number): void {
    this.#refusedUntil.set(provider, now + INSTEAD_MS)
  }

  isRefused(provider: string, now: number): boolean {
    return now < (this.#refusedUntil.get(provider) ?? Number.NEGATIVE_INFINITY)
  }

  /** A clock that went backwards counts as enough. */
  #sinceMs(at: number, now: number): number {
    return now < at ? Number.POSITIVE_INFINITY : now - at
  }
}
