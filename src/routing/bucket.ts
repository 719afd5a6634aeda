/** The tokens that exploring costs: every request earns a share of one, up to a maximum. */
export class Bucket {
  #tokens: number

  /** `tokens`: what was saved up before; a new bucket begins with five. */
  constructor(tokens = 5) {
    this.#tokens = Math.max(0, tokens)
  }

  get tokens(): number {
    return this.#tokens
  }

  earn(share: number, most: number): void {
    this.#tokens = Math.min(most, this.#tokens + share)
  }

  /** True when there was a whole token to spend. */
  spend(): boolean {
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
