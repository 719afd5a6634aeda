/** The tokens that exploring costs: a share of all requests earns them, and only so many can be saved up. */

const MOST = 5

export class Bucket {
  #tokens: number

  constructor(tokens = MOST) {
    this.#tokens = Math.min(MOST, Math.max(0, tokens))
  }

  get tokens(): number {
    return this.#tokens
  }

  /** Every request earns its share of a token. */
  earn(share: number): void {
    this.#tokens = Math.min(MOST, this.#tokens + share)
  }

  /** True when there was a whole token to spend. */
  spend(): boolean {
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
