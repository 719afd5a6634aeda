/**
 * A request refused because its answer could cost more than the account's credit: asked again with an answer that the
 * credit can pay for. Only the length changes; the account stays available to requests it can pay.
 */

import type { FailureOf } from '../../domain/failure.ts'

/** A shorter answer is more often cut off than whole; another target may give all of it. */
const LEAST_ANSWER_TOKENS = 256

/**
 * The answer's limit in tokens for asking once more; null when it would not help. `requested` is the caller's own
 * limit; undefined when there is none. At least 256 tokens must be affordable, or half of what the caller asked for.
 */
export function affordableAnswer(
  { affordableTokens }: FailureOf<'too_large_for_limit'>,
  requested: number | undefined,
): number | null {
  if (affordableTokens === undefined || affordableTokens >= (requested ?? Number.POSITIVE_INFINITY)) return null
  const least = Math.min(LEAST_ANSWER_TOKENS, (requested ?? Number.POSITIVE_INFINITY) / 2)
  return affordableTokens >= least ? affordableTokens : null
}
