/**
 * The arguments of one streamed call. Once something stands in an object they are passed on as they come; anything else
 * (`null`, `{}`, a string that says an object, a list) waits for its end, when it is known what a client should get.
 */

import { beginsFilledObject, repairedArguments, withoutPlaceholder } from '../fields/toolArguments.ts'

export class HeldArguments {
  #text = ''
  #flows: boolean

  /** `isFreeText`: the input of a custom tool, which is passed on whatever it is. */
  constructor(isFreeText = false) {
    this.#flows = isFreeText
  }

  /** Everything said so far, also what was not passed on. */
  get text(): string {
    return this.#text
  }

  /** The text to pass on now that this piece came; nothing while it waits, which still says that the call goes on. */
  add(piece: string): string {
    this.#text += piece
    if (this.#flows) return piece
    // Models that are stuck write white space without end, and it decides nothing.
    if (!/\S/.test(piece)) return ''
    const said = withoutPlaceholder(this.#text)
    if (!beginsFilledObject(said)) return ''
    this.#flows = true
    this.#text = said
    return said
  }

  /** The arguments, when no more will come. */
  whole(): string {
    return this.#flows ? this.#text : repairedArguments(this.#text)
  }
}
