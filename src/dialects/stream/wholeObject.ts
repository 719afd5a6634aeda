/**
 * Whether a text that grows is a whole JSON object by now. Each piece is looked at once, however often that is asked, and
 * the text is parsed at most once.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** `ended`: the brace that opened it is closed. `other`: it is no object, or one with something behind it. */
type State = 'begins' | 'inside' | 'ended' | 'other'

export class WholeObject {
  #state: State = 'begins'
  #depth = 0
  #isInString = false
  #isEscaped = false
  #isWhole: boolean | undefined

  add(piece: string): void {
    for (let at = 0; at < piece.length && this.#state !== 'other'; at++) this.#look(piece.charCodeAt(at))
  }

  /** `parses`: asked once, when the text may be whole. */
  isWhole(parses: () => boolean): boolean {
    if (this.#state !== 'ended') return false
    this.#isWhole ??= parses()
    return this.#isWhole
  }

  #look(code: number): void {
    if (this.#isInString) this.#lookInString(code)
    else if (this.#state === 'inside') this.#lookInside(code)
    else if (!isSpace(code)) {
      const opens = this.#state === 'begins' && code === OPEN_BRACE
      this.#state = opens ? 'inside' : 'other'
      this.#depth = 1
    }
  }

  #lookInString(code: number): void {
    if (this.#isEscaped) this.#isEscaped = false
    else if (code === BACKSLASH) this.#isEscaped = true
    else if (code === QUOTE) this.#isInString = false
  }

  #lookInside(code: number): void {
    if (code === QUOTE) this.#isInString = true
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) this.#depth++
    else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --this.#depth === 0) this.#state = 'ended'
  }
}

/** What `\s` matches. */
export function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || (code >= 0xa0 && /\s/.test(String.fromCharCode(code)))
}
