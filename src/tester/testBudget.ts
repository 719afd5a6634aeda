/** The spending limit of a test run: every call reserves its worst case first, then settles its actual cost. */

interface Reserved {
  /** Integer nano-USD. */
  readonly amount: number
}

export class TestBudget {
  readonly #limit: number
  #spent = 0
  #reserved = 0

  /** `limitUsd` from `settings.test.max_usd`. */
  constructor(limitUsd: number) {
    this.#limit = Math.floor(limitUsd * 1e9)
  }

  /** Integer nano-USD spent so far. */
  get spentNanoUsd(): number {
    return this.#spent
  }

  /**
   * Reserves the worst case; null when there is no room for it. A call of unknown price (null) reserves nothing and
   * passes unless nothing at all may be spent.
   */
  reserve(worstNanoUsd: number | null): Reserved | null {
    if (worstNanoUsd === null) return this.#limit === 0 ? null : { amount: 0 }
    const amount = Math.max(0, Math.ceil(worstNanoUsd))
    if (this.#spent + this.#reserved + amount > this.#limit) return null
    this.#reserved += amount
    return { amount }
  }

  /** The call has ended; an unknown cost is charged at the reserved amount. */
  settle({ amount }: Reserved, costNanoUsd: number | null): void {
    this.#reserved -= amount
    this.#spent += costNanoUsd ?? amount
  }
}
