/**
 * How much trying again keywise allows itself as a whole: at most 20 % of the requests of the last ten seconds, and
 * always ten a second (Finagle's RetryBudget, Envoy's retry budget). Going on to a healthy target is no retry.
 */

const SHARE = 0.2
const WINDOW_MS = 10_000
const ALWAYS = 10 * (WINDOW_MS / 1000)

export class RetryBudget {
  #requests = 0
  #retries = 0
  #since = 0

  /** A request came in. */
  request(now: number): void {
    this.#age(now)
    this.#requests++
  }

  /** Whether a retry may be made now. */
  isLeft(now: number): boolean {
    this.#age(now)
    return this.#retries < ALWAYS || this.#retries < this.#requests * SHARE
  }

  /** Whether a retry may be made now; if so it is taken. */
  take(now: number): boolean {
    if (!this.isLeft(now)) return false
    this.#retries++
    return true
  }

  /** Both counts fade with the window, so that a burst does not weigh for ever. */
  #age(now: number): void {
    const ageMs = now - this.#since
    if (ageMs < WINDOW_MS / 10 && ageMs >= 0) return
    const kept = ageMs < 0 || ageMs > 10 * WINDOW_MS ? 0 : Math.exp(-ageMs / WINDOW_MS)
    this.#requests *= kept
    this.#retries *= kept
    this.#since = now
  }
}
