/**
 * The arguments of one streamed call. Once something stands in an object they are passed on as they come; anything else
 * (`null`, `{}`, a string that says an object, a list) waits for its end, when it is known what a client should get.
 */

import { isWholeObject, repairedArguments } from '../fields/toolArguments.ts'
import { isSpace, WholeObject } from './wholeObject.ts'

const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/**
 * `empty`: nothing yet, or empty objects, which are placeholders. `open`: in an object in which nothing stands yet.
 * `flows`: passed on as it comes. `waits`: for the end.
 */
type State = 'empty' | 'open' | 'flows' | 'waits'

export class HeldArguments {
  #text = ''
  #state: State
  /** Where the object begins that is no placeholder. */
  #from = 0
  #object = new WholeObject()

  /** `isFreeText`: the input of a custom tool, which is passed on whatever it is. */
  constructor(isFreeText = false) {
    this.#state = isFreeText ? 'flows' : 'empty'
  }

  /** Everything said so far, also what was not passed on. */
  get text(): string {
    return this.#text
  }

  /** Whether they are a whole object by now. */
  get isWholeObject(): boolean {
    return this.#object.isWhole(() => isWholeObject(this.#text))
  }

  /** The text to pass on now that this piece came; nothing while it waits, which still says that the call goes on. */
  add(piece: string): string {
    const before = this.#text.length
    this.#text += piece
    this.#object.add(piece)
    if (this.#state === 'flows') return piece
    for (let at = 0; at < piece.length; at++) if (this.#look(piece.charCodeAt(at), before + at)) return this.#begin()
    return ''
  }

  /** The arguments, when no more will come. */
  whole(): string {
    return this.#state === 'flows' ? this.#text : repairedArguments(this.#text)
  }

  /** True when something stands in an object now. */
  #look(code: number, place: number): boolean {
    if (this.#state === 'waits' || isSpace(code)) return false
    if (this.#state === 'empty') this.#state = code === OPEN_BRACE ? 'open' : 'waits'
    else if (code !== CLOSE_BRACE) return true
    else {
      this.#state = 'empty'
      this.#from = place + 1
    }
    return false
  }

  /** Without the placeholders, as `withoutPlaceholder` leaves them out. */
  #begin(): string {
    this.#state = 'flows'
    if (this.#from === 0) return this.#text
    this.#text = this.#text.slice(this.#from)
    this.#object = new WholeObject()
    this.#object.add(this.#text)
    return this.#text
  }
}
