/** Names as a service takes them, and back. */

import { createHash } from 'node:crypto'

export interface NameRule {
  /** Characters that it refuses; with the flag `g`. */
  readonly refused: RegExp
  /** How a name must begin. */
  readonly first: RegExp
  readonly maxLength: number
}

const HASH_LENGTH = 8

export class AllowedNames {
  readonly #rule: NameRule
  readonly #written = new Map<string, string>()
  readonly #taken = new Set<string>()

  /** `names`: those that are given there, of which the allowed ones stay as they are. */
  constructor(names: Iterable<string>, rule: NameRule) {
    this.#rule = rule
    const all = [...names]
    for (const name of all) if (this.#shortened(name) === name) this.#taken.add(name)
    for (const name of all) this.of(name)
  }

  /** The name for the service; the same for every mention in the conversation. */
  of(name: string): string {
    const known = this.#written.get(name)
    if (known !== undefined) return known
    const plain = this.#shortened(name)
    const written = plain !== name && this.#taken.has(plain) ? this.#marked(plain, name) : plain
    this.#written.set(name, written)
    this.#taken.add(written)
    return written
  }

  /** From the service's names to the client's, where they differ. */
  get back(): ReadonlyMap<string, string> {
    return new Map(
      [...this.#written].filter(([name, written]) => name !== written).map(([name, written]) => [written, name]),
    )
  }

  #shortened(name: string): string {
    const { refused, first, maxLength } = this.#rule
    const legal = name.replace(refused, '_')
    const begun = first.test(legal) ? legal : `_${legal}`
    return begun.length > maxLength ? this.#marked(begun, name) : begun
  }

  /** Cut, with a mark of the whole name, so that two long names with the same beginning stay two. */
  #marked(legal: string, name: string): string {
    const mark = createHash('sha256').update(name).digest('hex').slice(0, HASH_LENGTH)
    return `${legal.slice(0, this.#rule.maxLength - HASH_LENGTH - 1)}_${mark}`
  }
}
