/** A target that requests ask after others although nothing excludes it: how it is found to be well again. */

/** After the last trouble it is asked first again not before this time, doubled for each further trouble. */
const FIRST_WAIT_MS = 15_000
const MOST_WAIT_MS = 60_000
/** And not before so many requests have passed it over, so that these calls stay few among the requests. */
const PASSED = 6
/** Without any call of the target nothing is known any more. */
const FORGET_MS = 30 * 60_000

export class Demotion {
  #at = Number.NEGATIVE_INFINITY
  #times = 0
  #passed = 0

  /** Counts one more trouble at `at`, epoch milliseconds. */
  add(at: number): void {
    this.#at = Math.max(this.#at, at)
    this.#times++
    this.#passed = 0
  }

  /** The troubles so far. */
  get times(): number {
    return this.#times
  }

  isForgotten(now: number): boolean {
    return now - this.#at > FORGET_MS
  }

  /**
   * For a request that would ask the target first: true when it asks others. From time to time it is false, so that one
   * request finds out. `enough`: the troubles from which the target is passed over.
   */
  pass(enough: number, now: number): boolean {
    const waitMs = Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.#times - enough))
    // A clock that went backwards counts as enough.
    const isDue = this.#passed >= PASSED && (now < this.#at || now - this.#at >= waitMs)
    this.#passed = isDue ? 0 : this.#passed + 1
    return !isDue
  }
}
