/** How much of a context window is left for the answer, and how little of it is worth a call. */

/** A shorter answer is more often cut off than whole; another target may give all of it. */
const LEAST_ANSWER_TOKENS = 256

/**
 * The shortest answer that is worth a call: `asked` is the caller's own limit, null when there is none. At least 256
 * tokens, or half of what the caller asked for.
 */
export function leastAnswer(asked: number | null): number {
  return asked === null ? LEAST_ANSWER_TOKENS : Math.min(LEAST_ANSWER_TOKENS, asked / 2)
}

/** Whether prompt and answer fit, the answer being cut where that leaves enough of it. */
export function fitsWindow(inputTokens: number, maxOutputTokens: number | null, contextTokens: number): boolean {
  // Without a limit of the caller's, the service fits the answer to what is left.
  return inputTokens + (maxOutputTokens === null ? 0 : leastAnswer(maxOutputTokens)) <= contextTokens
}
