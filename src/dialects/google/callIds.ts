/** Gemini may omit the ids of calls; other dialects match results by them, so they are generated deterministically. */

/** The id of a call in a conversation that a client sent: counted over the whole of it, so that no id occurs twice. */
export class CallIds {
  #count = 0
  /** Calls without an answer yet, by function name, oldest first. */
  readonly #unanswered = new Map<string, Map<string, number>>()

  ofCall(id: string | undefined, name: string): string {
    const known = id ?? `call_${this.#count}_${name}`
    this.#count++
    const waiting = this.#unanswered.get(name) ?? new Map<string, number>()
    this.#unanswered.set(name, waiting)
    waiting.set(known, (waiting.get(known) ?? 0) + 1)
    return known
  }

  /** Answers come in the order of the calls of the same function. */
  ofResult(id: string | undefined, name: string): string {
    const waiting = this.#unanswered.get(name)
    const answered = id ?? waiting?.keys().next().value ?? `call_${this.#count++}_${name}`
    const calls = waiting?.get(answered) ?? 0
    if (calls > 1) waiting?.set(answered, calls - 1)
    else waiting?.delete(answered)
    return answered
  }
}

/**
 * The id of the `index`-th call of an answer. The answer's own id keeps it apart from the calls of earlier answers,
 * which clients hold in the same list; 40 characters are the most that OpenAI takes.
 */
export function callIdInAnswer(responseId: string | undefined, index: number, name: string): string {
  return responseId !== undefined && responseId.length <= 30 ? `call_${responseId}_${index}` : `call_${index}_${name}`
}
