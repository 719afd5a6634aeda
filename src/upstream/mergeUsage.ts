/** Several reports of one answer's tokens. */

import type { Usage } from '../domain/chat.ts'
import { combinedParts } from '../domain/usageParts.ts'

/**
 * Two reports of one streamed answer as one. Reports only grow; where the later one is smaller (a last chunk that
 * counts its own tokens alone) the larger number stands, so that an answer never becomes cheaper while it streams. Of
 * the service tiers the one named last stands.
 */
export function mergeUsage(earlier: Usage | null, later: Usage): Usage {
  if (earlier === null) return later
  const inputTokens = larger(earlier.inputTokens, later.inputTokens) ?? 0
  const outputTokens = larger(earlier.outputTokens, later.outputTokens) ?? 0
  const parts = combinedParts(earlier.parts, later.parts, largerCount)
  return {
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    cachedInputTokens: larger(earlier.cachedInputTokens, later.cachedInputTokens),
    cacheWriteTokens: larger(earlier.cacheWriteTokens, later.cacheWriteTokens),
    reasoningTokens: larger(earlier.reasoningTokens, later.reasoningTokens),
    estimated: earlier.estimated && later.estimated,
    reportedCostUsd: larger(earlier.reportedCostUsd, later.reportedCostUsd),
    ...(parts !== undefined && { parts }),
  }
}

const largerCount = (a: number, b: number): number => larger(a, b) ?? 0

function larger(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || !(a >= 0)) return b
  return b !== undefined && b > a ? b : a
}
