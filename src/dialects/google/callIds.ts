/** Gemini may omit the ids of calls; other dialects match results by them, so they are generated deterministically. */

/** The id of a call in a conversation that a client sent: counted over the whole of it, so that no id occurs twice. */
export class CallIds {
  #count = 0
  /** Calls without an answer yet, by function name, oldest first. */
  readonly #unanswered = new Map<string, string[]>()

  ofCall(id: string | undefined, name: string): string {
    const known = id ?? `call_${this.#count}_${name}`
    this.#count++
    const waiting = this.#unanswered.get(name)
    if (waiting) waiting.push(known)
    else this.#unanswered.set(name, [known])
    return known
  }

  /** Answers come in the order of the calls of the same function. */
  ofResult(id: string | undefined, name: string): string {
    const waiting = this.#unanswered.get(name)
    if (id === undefined) return waiting?.shift() ?? `call_${this.#count++}_${name}`
    const place = waiting?.indexOf(id) ?? -1
    if (place >= 0) waiting?.splice(place, 1)
    return id
  }
}

/**
 * The id of the `index`-th call of an answer. The answer's own id keeps it apart from the calls of earlier answers,
 * which clients hold in the same list; 40 characters are the most that OpenAI takes.
 */
export function callIdInAnswer(responseId: string | undefined, index: number, name: string): string {
  return responseId !== undefined && responseId.length <= 30 ? `call_${responseId}_${index}` : `call_${index}_${name}`
}
