/** Watches a stream until it is known whether an answer comes. */

import type { ChatChunk } from '../../domain/chat.ts'
import { type Demand, demandsJson, isBlank, isOffered } from './readAnswer.ts'

/**
 * `nothing`: not yet known. `thought`: nothing but thoughts. `content`: the answer has begun. `doubt`: what has begun is
 * not what was asked for, so that only the whole answer can be judged.
 */
type Sight = 'nothing' | 'thought' | 'content' | 'doubt'

const RANK: { readonly [S in Sight]: number } = { nothing: 0, thought: 1, content: 2, doubt: 3 }

export class FirstContent {
  readonly #demand: Demand
  #sight: Sight = 'nothing'

  constructor(demand: Demand) {
    this.#demand = demand
  }

  /** What is known with these chunks. Doubt stays. */
  look(chunks: readonly ChatChunk[]): Sight {
    for (const chunk of chunks) {
      if (this.#sight === 'doubt' || this.#sight === 'content') break
      const seen = this.#see(chunk)
      if (RANK[seen] > RANK[this.#sight]) this.#sight = seen
    }
    return this.#sight
  }

  #see(chunk: ChatChunk): Sight {
    switch (chunk.type) {
      case 'text-delta':
        return isBlank(chunk.text) ? 'nothing' : this.#seeText(chunk.text)
      case 'reasoning-delta':
        return chunk.text !== '' || chunk.redacted === true ? 'thought' : 'nothing'
      case 'tool-call-start':
      case 'tool-call':
        return this.#demand.anyAnswer || isOffered(chunk.name, this.#demand.request) ? 'content' : 'doubt'
      case 'media':
      case 'opaque':
      case 'other':
        return 'content'
      default:
        return 'nothing'
    }
  }

  /** JSON begins with a bracket; the few answers that begin otherwise are judged as a whole. */
  #seeText(text: string): Sight {
    if (this.#demand.anyAnswer || !demandsJson(this.#demand.request)) return 'content'
    return /^\s*[[{]/.test(text) ? 'content' : 'doubt'
  }
}
