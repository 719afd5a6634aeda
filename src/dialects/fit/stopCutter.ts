/** Ends a text at the first of several sequences, however its pieces are cut. */
export class StopCutter {
  readonly #sequences: readonly string[]
  readonly #longest: number
  /** The end of what came, which may be the beginning of a sequence. */
  #held = ''
  #found: string | null = null

  constructor(sequences: readonly string[]) {
    this.#sequences = sequences
    this.#longest = Math.max(0, ...sequences.map((sequence) => sequence.length))
  }

  /** The sequence that ended the text; null while none did. */
  get found(): string | null {
    return this.#found
  }

  /** What may be said of the text so far, beyond what was said before. */
  push(text: string): string {
    if (this.#found !== null) return ''
    const whole = this.#held + text
    const end = this.#firstIn(whole)
    if (end !== null) {
      this.#held = ''
      this.#found = end.sequence
      return whole.slice(0, end.at)
    }
    const kept = this.#lengthToKeep(whole)
    this.#held = whole.slice(whole.length - kept)
    return whole.slice(0, whole.length - kept)
  }

  /** What was held back; the text ends here. */
  end(): string {
    const held = this.#held
    this.#held = ''
    return held
  }

  #firstIn(text: string): { readonly at: number; readonly sequence: string } | null {
    let first: { at: number; sequence: string } | null = null
    for (const sequence of this.#sequences) {
      const at = text.indexOf(sequence)
      if (at >= 0 && (first === null || at < first.at)) first = { at, sequence }
    }
    return first
  }

  /** The longest end of the text with which a sequence begins. */
  #lengthToKeep(text: string): number {
    for (let length = Math.min(this.#longest - 1, text.length); length > 0; length--) {
      const end = text.slice(text.length - length)
      if (this.#sequences.some((sequence) => sequence.startsWith(end))) return length
    }
    return 0
  }
}
