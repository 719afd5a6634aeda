/** How far a request is above the largest window that it could go to: the provider's numbers where it stated any. */

import type { ContextOverflow } from '../domain/errors.ts'
import type { FailureOf } from '../domain/failure.ts'

/** What is known of the request and of the target that refused it, in tokens; null for nothing. */
interface Asked {
  /** Our estimate of the prompt. */
  readonly inputTokens: number
  /** The caller's own limit of the answer. */
  readonly maxOutputTokens: number | null
  /** The target's window as far as it was known before. */
  readonly contextTokens: number | null
}

/** Null where the window is not known: one that was stated or listed, and is below what was asked. */
export function statedOverflow(failure: FailureOf<'context_too_long'>, asked: Asked): ContextOverflow | null {
  const { limitTokens } = failure
  if (limitTokens === undefined) return estimatedOverflow(asked)
  const stated = partsOf(failure, asked)
  if (stated !== null) return { ...stated, limitTokens, isEstimated: false }
  // Refused, so it is more than the window, whatever we counted.
  const inputTokens = Math.max(asked.inputTokens, limitTokens + 1)
  return { inputTokens, outputTokens: null, limitTokens, isEstimated: true }
}

/** By our estimate and the window that is known; null when the request fits it. */
export function estimatedOverflow({ inputTokens, maxOutputTokens, contextTokens }: Asked): ContextOverflow | null {
  if (contextTokens === null) return null
  const common = { inputTokens, limitTokens: contextTokens, isEstimated: true }
  if (inputTokens > contextTokens) return { ...common, outputTokens: null }
  return inputTokens + (maxOutputTokens ?? 0) > contextTokens ? { ...common, outputTokens: maxOutputTokens } : null
}

/** The prompt, and the answer where only both together are too long; null where neither is. */
function partsOf(
  { limitTokens = 0, requestedTokens = 0, inputTokens, outputTokens }: FailureOf<'context_too_long'>,
  { maxOutputTokens }: Asked,
): Pick<ContextOverflow, 'inputTokens' | 'outputTokens'> | null {
  if (inputTokens !== undefined && inputTokens > limitTokens) return { inputTokens, outputTokens: null }
  const answer = outputTokens ?? maxOutputTokens
  const prompt = inputTokens ?? requestedTokens - (answer ?? 0)
  if (answer === null || prompt <= 0 || prompt > limitTokens)
    return requestedTokens > limitTokens ? { inputTokens: requestedTokens, outputTokens: null } : null
  return prompt + answer > limitTokens ? { inputTokens: prompt, outputTokens: answer } : null
}
