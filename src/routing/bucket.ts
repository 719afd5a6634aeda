/** The token bucket that pays for exploring: every request earns a share of a token, up to a maximum. */
export class Bucket {
  #tokens: number

  /** `tokens`: the initial balance; a new bucket starts with five. */
  constructor(tokens = 5) {
    this.#tokens = Math.max(0, tokens)
  }

  get tokens(): number {
    return this.#tokens
  }

  earn(share: number, most: number): void {
    this.#tokens = Math.min(most, this.#tokens + share)
  }

  /** Spends one token; false when there is less than a whole one. */
  spend(): boolean {
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
