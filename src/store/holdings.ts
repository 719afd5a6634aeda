/** How many holdings a store keeps, and how long. */

/** About 10 MB on disk; one row for each thread or file, two for each stored answer or container. */
export const MOST_HOLDINGS = 50_000

/**
 * OpenAI keeps a response for 30 days (https://platform.openai.com/docs/guides/conversation-state, 2026-11-29); one more,
 * so that it is the provider who says that it is gone.
 */
const KEPT_MS = 31 * 86_400_000

/** `at` and `now` in epoch milliseconds. */
export const isOutdated = (at: number, now: number) => at < outdatedBefore(now)

export const outdatedBefore = (now: number) => now - KEPT_MS
