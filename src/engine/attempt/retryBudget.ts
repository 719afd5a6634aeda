/**
 * Limits retries of the whole process to 20 % of the requests of the last ten seconds, but
 * always allows ten per second (Finagle's RetryBudget, Envoy's retry budget). Trying another target is not a retry.
 */

const SHARE = 0.2
const WINDOW_MS = 10_000
const ALWAYS = 10 * (WINDOW_MS / 1000)

export class RetryBudget {
  #requests = 0
  #retries = 0
  #since = 0

  /** Counts a request. */
  request(now: number): void {
    this.#age(now)
    this.#requests++
  }

  /** Whether a retry may be made now. */
  isLeft(now: number): boolean {
    this.#age(now)
    return this.#retries < ALWAYS || this.#retries < this.#requests * SHARE
  }

  /** Takes a retry if one may be made now. */
  take(now: number): boolean {
    if (!this.isLeft(now)) return false
    this.#retries++
    return true
  }

  /** Both counts decay with the window, so that a burst is forgotten. */
  #age(now: number): void {
    const ageMs = now - this.#since
    if (ageMs < WINDOW_MS / 10 && ageMs >= 0) return
    const kept = ageMs < 0 || ageMs > 10 * WINDOW_MS ? 0 : Math.exp(-ageMs / WINDOW_MS)
    this.#requests *= kept
    this.#retries *= kept
    this.#since = now
  }
}
