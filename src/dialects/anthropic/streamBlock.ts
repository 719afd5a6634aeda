/**
 * One content block of a stream while it grows. It remembers what was handed on, because an upstream may begin its
 * message in the middle of a stream: then the block is repeated, and only what goes beyond is new.
 */

import { HeldArguments } from '../stream/heldArguments.ts'

/** `server-tool`: a call of a tool that runs at the provider. */
export type BlockKind = 'text' | 'reasoning' | 'tool-call' | 'server-tool' | 'unknown'

export interface BlockFacts {
  readonly kind: BlockKind
  /** Of tool calls: our own count from 0. */
  readonly callIndex: number
  readonly id: string
  readonly name: string
}

export class StreamBlock {
  readonly facts: BlockFacts
  /** What was handed on. */
  text = ''
  /** Of tool calls: the same text, on its way to whoever gets it as text. */
  readonly held = new HeldArguments()
  /** Arguments that came whole with the start; they count when no piece follows. */
  wholeArguments: string
  /** Takes no more: it was closed, or its retelling is not wanted. */
  closed = false
  /** A signature, or a whole call, was handed on: nothing can be added to it. */
  sealed = false
  /** Characters that the repeated block has said so far; null in a block seen for the first time. */
  #retold: number | null = null

  constructor(facts: BlockFacts, wholeArguments = '') {
    this.facts = facts
    this.wholeArguments = wholeArguments
  }

  /** The same block, about to be repeated from its beginning. Signed thoughts are not repeated. */
  retell(wholeArguments: string): this {
    this.#retold = 0
    this.wholeArguments = wholeArguments
    this.closed = this.facts.kind === 'reasoning' && this.sealed
    return this
  }

  /** Whether this block is part of the answer and some of it was passed on. */
  get isDelivered(): boolean {
    return this.facts.kind === 'tool-call' || (this.facts.kind === 'text' && this.text !== '')
  }

  /** Whether a retelling has not yet said all that was handed on. */
  get isBehind(): boolean {
    return this.#retold !== null && this.#retold !== this.text.length
  }

  /** What is new in this piece; null when it contradicts what was handed on. */
  take(piece: string): string | null {
    if (this.#retold === null) {
      this.text += piece
      return piece
    }
    const known = this.text.slice(this.#retold, this.#retold + piece.length)
    if (!piece.startsWith(known)) return null
    this.#retold += piece.length
    if (piece.length === known.length) return ''
    if (this.sealed) return null
    const fresh = piece.slice(known.length)
    this.text += fresh
    this.#retold = null
    return fresh
  }
}
