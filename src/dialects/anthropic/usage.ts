/**
 * Anthropic's token counts: `input_tokens` leaves out what was read from and written to the prompt cache, ours does
 * not.
 */

import type { Usage } from '../../domain/chat.ts'
import { asNumber, asRecord } from '../../domain/json.ts'

/** The counts as far as reported; a stream reports them in two events, the second of which wins. */
export interface UsageCounts {
  readonly input?: number
  readonly output?: number
  readonly cacheRead?: number
  readonly cacheWrite?: number
  readonly thinking?: number
}

export function addCounts(before: UsageCounts, raw: unknown): UsageCounts {
  const fields = asRecord(raw)
  if (!fields) return before
  return {
    input: count(fields['input_tokens']) ?? before.input,
    output: count(fields['output_tokens']) ?? before.output,
    cacheRead: count(fields['cache_read_input_tokens']) ?? before.cacheRead,
    cacheWrite: count(fields['cache_creation_input_tokens']) ?? before.cacheWrite,
    thinking: count(asRecord(fields['output_tokens_details'])?.['thinking_tokens']) ?? before.thinking,
  }
}

function count(raw: unknown): number | undefined {
  const number = asNumber(raw)
  return number !== undefined && number >= 0 ? number : undefined
}

/** Undefined when the upstream said nothing. */
export function usageOf({ input, output, cacheRead, cacheWrite, thinking }: UsageCounts): Usage | undefined {
  if (input === undefined && output === undefined) return undefined
  const inputTokens = (input ?? 0) + (cacheRead ?? 0) + (cacheWrite ?? 0)
  const outputTokens = output ?? 0
  return {
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    cachedInputTokens: cacheRead,
    cacheWriteTokens: cacheWrite,
    reasoningTokens: thinking,
    estimated: false,
  }
}

export function readAnthropicUsage(raw: unknown): Usage | undefined {
  return usageOf(addCounts({}, raw))
}

/**
 * The official clients read all four numbers without asking whether they are there; what is null is unknown here, and
 * in their types all the same: https://platform.claude.com/docs/en/api/messages (`Usage`, `MessageDeltaUsage`).
 */
export function writeDeltaUsage(usage: Usage | undefined): Record<string, unknown> {
  const cacheRead = usage?.cachedInputTokens ?? 0
  const cacheWrite = usage?.cacheWriteTokens ?? 0
  return {
    input_tokens: Math.max(0, (usage?.inputTokens ?? 0) - cacheRead - cacheWrite),
    cache_creation_input_tokens: cacheWrite,
    cache_read_input_tokens: cacheRead,
    output_tokens: usage?.outputTokens ?? 0,
    output_tokens_details: usage?.reasoningTokens === undefined ? null : { thinking_tokens: usage.reasoningTokens },
    server_tool_use: null,
  }
}

/** Of a whole answer, or of the beginning of a stream. */
export function writeAnthropicUsage(usage: Usage | undefined): Record<string, unknown> {
  const unknown = { cache_creation: null, inference_geo: null, service_tier: null, speed: null }
  return { ...writeDeltaUsage(usage), ...unknown }
}
