/** Token counts of the two OpenAI dialects, read into one convention: cached is part of input, reasoning of output. */

import type { Usage } from '../../domain/chat.ts'
import { asNumber, asRecord } from '../../domain/json.ts'
import type { Fields } from '../fields/requestFields.ts'

/** 1 tick = 1e-10 USD: https://docs.x.ai/docs/models, field `cost_in_usd_ticks`. */
const USD_PER_TICK = 1e-10

/** `usage` of a chat completion or of its stream; undefined when it has no token counts. */
export function readChatUsage(value: unknown): Usage | undefined {
  const usage = asRecord(value)
  if (usage === undefined) return undefined
  const input = asRecord(usage['prompt_tokens_details'])
  const output = asRecord(usage['completion_tokens_details'])
  return usageOf({
    input: count(usage['prompt_tokens']),
    output: count(usage['completion_tokens']),
    total: count(usage['total_tokens']),
    // DeepSeek and Moonshot count cache hits beside the prompt's details.
    cached: count(input?.['cached_tokens']) ?? count(usage['prompt_cache_hit_tokens']) ?? count(usage['cached_tokens']),
    cacheWrite: count(input?.['cache_write_tokens']) ?? count(input?.['cache_creation_tokens']),
    reasoning: count(output?.['reasoning_tokens']) ?? count(usage['reasoning_tokens']),
    costUsd: reportedCost(usage),
  })
}

export function writeChatUsage(usage: Usage): Fields {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.totalTokens,
    ...inputDetails('prompt_tokens_details', usage),
    ...(usage.reasoningTokens !== undefined && {
      completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    }),
    ...(usage.reportedCostUsd !== undefined && { cost: usage.reportedCostUsd }),
  }
}

/** `usage` of a Responses object; undefined when it has no token counts. */
export function readResponsesUsage(value: unknown): Usage | undefined {
  const usage = asRecord(value)
  if (usage === undefined) return undefined
  const input = asRecord(usage['input_tokens_details'])
  return usageOf({
    input: count(usage['input_tokens']),
    output: count(usage['output_tokens']),
    total: count(usage['total_tokens']),
    cached: count(input?.['cached_tokens']),
    cacheWrite: count(input?.['cache_write_tokens']),
    reasoning: count(asRecord(usage['output_tokens_details'])?.['reasoning_tokens']),
    costUsd: reportedCost(usage),
  })
}

/** The official client's types want all details, so they are written as 0 where nothing is known. */
export function writeResponsesUsage(usage: Usage): Fields {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: {
      cached_tokens: usage.cachedInputTokens ?? 0,
      cache_write_tokens: usage.cacheWriteTokens ?? 0,
    },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: usage.totalTokens,
    ...(usage.reportedCostUsd !== undefined && { cost: usage.reportedCostUsd }),
  }
}

interface TokenCounts {
  readonly input: number | undefined
  readonly output: number | undefined
  readonly total: number | undefined
  readonly cached: number | undefined
  readonly cacheWrite: number | undefined
  readonly reasoning: number | undefined
  readonly costUsd: number | undefined
}

function usageOf(counts: TokenCounts): Usage | undefined {
  const { total } = counts
  const inputTokens = counts.input ?? Math.max(0, (total ?? 0) - (counts.output ?? 0))
  const outputTokens = outputOf(counts, inputTokens)
  // Servers that do not count send zeros only; no real answer has zero tokens.
  if (inputTokens + outputTokens === 0) return undefined
  const { cached, cacheWrite, reasoning, costUsd } = counts
  return {
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    ...(cached !== undefined && { cachedInputTokens: Math.min(cached, inputTokens) }),
    ...(cacheWrite !== undefined && { cacheWriteTokens: Math.min(cacheWrite, inputTokens) }),
    ...(reasoning !== undefined && { reasoningTokens: Math.min(reasoning, outputTokens) }),
    estimated: false,
    ...(costUsd !== undefined && { reportedCostUsd: costUsd }),
  }
}

/**
 * A total above input + output hides tokens that were thought and are billed as output: xAI leaves reasoning out of
 * `completion_tokens`, Gemini's compatible endpoint does so without naming it.
 */
function outputOf({ output, total }: TokenCounts, inputTokens: number): number {
  return Math.max(output ?? 0, (total ?? 0) - inputTokens)
}

function reportedCost(usage: Fields): number | undefined {
  const cost = amount(usage['cost'])
  if (cost !== undefined) return cost
  const ticks = amount(usage['cost_in_usd_ticks'])
  return ticks === undefined ? undefined : ticks * USD_PER_TICK
}

function inputDetails(name: string, usage: Usage): Fields {
  if (usage.cachedInputTokens === undefined && usage.cacheWriteTokens === undefined) return {}
  return {
    [name]: {
      ...(usage.cachedInputTokens !== undefined && { cached_tokens: usage.cachedInputTokens }),
      ...(usage.cacheWriteTokens !== undefined && { cache_write_tokens: usage.cacheWriteTokens }),
    },
  }
}

function amount(value: unknown): number | undefined {
  const number = asNumber(value)
  return number !== undefined && number >= 0 ? number : undefined
}

function count(value: unknown): number | undefined {
  const number = amount(value)
  return number === undefined ? undefined : Math.floor(number)
}
