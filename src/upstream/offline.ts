/**
 * Distinguishes "this host is offline or was asleep" from "a provider is down". A laptop that loses its network sees
 * every provider fail at once, which is no provider's fault.
 */

/** Failures of different hosts this close together are one event. */
export const TOGETHER_MS = 5_000
/** A timer this late means that the machine slept or the process stood still; its sockets are stale. */
const JUMP_MS = 10_000
/** How many hosts must fail together: one alone may simply be down. */
const FEWEST_HOSTS = 2

export class OfflineDetector {
  /** When each host last failed without having answered since. */
  readonly #failedAt = new Map<string, number>()
  #answeredAt = Number.NEGATIVE_INFINITY
  #jumpedAt = Number.NEGATIVE_INFINITY

  /** A connection to `host` failed (DNS, refused, reset, timeout while connecting). Loopback hosts are ignored. */
  failed(host: string, now: number): void {
    if (!isLoopback(host)) this.#failedAt.set(host, now)
  }

  /** `host` answered anything at all, so there is a network. */
  answered(host: string, now: number): void {
    if (isLoopback(host)) return
    this.#answeredAt = now
    this.#failedAt.clear()
  }

  /**
   * Whether the cause of a failure of `host` is still unknown: no other host has just answered, and none
   * has failed with it. `TOGETHER_MS` later it is the host's own.
   */
  isOpen(host: string, now: number): boolean {
    return !isLoopback(host) && !this.isReachable(now) && !this.isOffline(now)
  }

  /** Whether a host has answered just now, so that the network is there. */
  isReachable(now: number): boolean {
    return within(now - this.#answeredAt)
  }

  /** A timer that should have fired at `expected` fired at `now` (both epoch ms). */
  ticked(expected: number, now: number): void {
    if (Math.abs(now - expected) > JUMP_MS) this.#jumpedAt = now
  }

  /** Whether a failure at `now` is this machine's own: then no target is parked or charged. */
  isOffline(now: number): boolean {
    return within(now - this.#jumpedAt) || this.isUnreachable(now)
  }

  /** Whether there is no network, as several hosts show; a machine that has just woken may have one. */
  isUnreachable(now: number): boolean {
    return !this.isReachable(now) && this.#recentlyFailed(now) >= FEWEST_HOSTS
  }

  #recentlyFailed(now: number): number {
    let hosts = 0
    for (const at of this.#failedAt.values()) if (within(now - at)) hosts++
    return hosts
  }
}

function within(ageMs: number): boolean {
  return ageMs >= 0 && ageMs <= TOGETHER_MS
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|127\.|\[?::1\]?)/.test(host)
}
