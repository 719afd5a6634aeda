/**
 * Chunks that wait because another call is open: on some wires items follow each other and never overlap. What belongs to
 * one call is kept together, so that each chunk waits once, however many calls there are.
 */

import type { ChatChunk } from '../../domain/chat.ts'

export class WaitingChunks<C extends ChatChunk> {
  /** Front to back; of a call all of its chunks, where the first of them came. */
  #queue: C[][] = []
  #next = 0
  readonly #byCall = new Map<number, C[]>()

  add(chunk: C): void {
    const call = callOf(chunk)
    const known = call === undefined ? undefined : this.#byCall.get(call)
    if (known !== undefined) return void known.push(chunk)
    const group = [chunk]
    this.#queue.push(group)
    if (call !== undefined) this.#byCall.set(call, group)
  }

  /** What comes next: a chunk that belongs to no call, or all that has come of a call. Undefined when nothing waits. */
  take(): readonly C[] | undefined {
    const group = this.#queue[this.#next]
    if (group === undefined) {
      this.#queue = []
      this.#next = 0
      return undefined
    }
    this.#queue[this.#next++] = []
    const call = group[0] === undefined ? undefined : callOf(group[0])
    if (call !== undefined) this.#byCall.delete(call)
    return group
  }
}

function callOf(chunk: ChatChunk): number | undefined {
  const isOfCall = chunk.type === 'tool-call-start' || chunk.type === 'tool-call-delta' || chunk.type === 'tool-call'
  return isOfCall ? chunk.index : undefined
}
