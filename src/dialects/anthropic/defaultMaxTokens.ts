/** The limit of the answer for callers who gave none; the wire demands one. */

import type { ChatRequest } from '../../domain/chat.ts'

/**
 * 4,096 is the most the oldest models can answer (https://platform.claude.com/docs/en/about-claude/models/overview), and
 * a larger request can be refused by the output limit before it is served.
 */
export const DEFAULT_MAX_TOKENS = 4096

/** Thoughts come on top. */
export function defaultMaxTokens({ reasoning }: Pick<ChatRequest, 'reasoning'>): number {
  return DEFAULT_MAX_TOKENS + (reasoning?.budgetTokens ?? 0)
}
