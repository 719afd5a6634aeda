/**
 * A request refused because of the length of its answer alone: asked again with one that fits. Only the length changes,
 * and the target stays available to the requests that it can serve.
 */

import type { DialectId } from '../../domain/chat.ts'
import type { Failure, FailureOf } from '../../domain/failure.ts'
import type { Target } from '../../domain/target.ts'
import { leastAnswer } from '../../routing/answerRoom.ts'
import type { LearnedWindows } from './learnedWindows.ts'

/**
 * The answer's limit in tokens for asking once more; null when it would not help. `requested` is the caller's own
 * limit; undefined when there is none. At least 256 tokens must be left, or half of what the caller asked for.
 */
export function shorterAnswer(failure: Failure, requested: number | undefined, dialect: DialectId): number | null {
  // Without a limit there is none to lower, unless it was money or the dialect demands one.
  const hasLimit = requested !== undefined || dialect === 'anthropic' || failure.kind === 'too_large_for_limit'
  if (!hasLimit) return null
  const most = mostAnswer(failure, requested)
  if (most === undefined || most >= (requested ?? Number.POSITIVE_INFINITY)) return null
  return most >= leastAnswer(requested ?? null) ? most : null
}

/** What the refusal says there is room, credit or ability for, in tokens. */
function mostAnswer(failure: Failure, requested: number | undefined): number | undefined {
  if (failure.kind === 'too_large_for_limit') return failure.affordableTokens
  if (failure.kind === 'unsupported') return failure.about === 'size' ? failure.mostOutputTokens : undefined
  return failure.kind === 'context_too_long' ? roomLeft(failure, requested) : undefined
}

function roomLeft(
  { limitTokens, requestedTokens, inputTokens, outputTokens }: FailureOf<'context_too_long'>,
  requested: number | undefined,
): number | undefined {
  const answer = outputTokens ?? requested
  const sum = requestedTokens === undefined || answer === undefined ? undefined : requestedTokens - answer
  const prompt = inputTokens ?? sum
  return limitTokens === undefined || prompt === undefined || prompt <= 0 ? undefined : limitTokens - prompt
}

/** Tokens that the target's window leaves for the answer; null when that is unknown. At least 1. */
export function roomFor(target: Target, inputTokens: number, windows: LearnedWindows): number | null {
  const window = windows.windowOf(target)
  if (window === null || target.profile.holdsAnswerApart) return null
  const counted = windows.countFor(target, inputTokens)
  const room = window - counted
  // The provider may count more, and then refuses what was to fit.
  const margin = Math.min(room / 4, FEW_TOKENS + counted / 32)
  return Math.max(1, Math.floor(room - margin))
}

/** What a provider adds around messages. */
const FEW_TOKENS = 64

/** The longest answer in tokens that the target can give; null when that is unknown. */
export function longestAnswer(target: Target, inputTokens: number, windows: LearnedWindows): number | null {
  return smaller(windows.outputOf(target), roomFor(target, inputTokens, windows))
}

/** Of two numbers that may be unknown. */
export function smaller(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other
  return Math.min(one, other)
}
