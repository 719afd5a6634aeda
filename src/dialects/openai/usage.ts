/** Token counts of the two OpenAI dialects, read into one convention: cached is part of input, reasoning of output. */

import type { Usage, UsageParts } from '../../domain/chat.ts'
import { asNumber, asRecord } from '../../domain/json.ts'
import { partsWithin } from '../../domain/usageParts.ts'
import type { Fields } from '../fields/requestFields.ts'
import {
  count,
  modalitiesIn,
  namedTier,
  requestsOfTools,
  statedAmount,
  statedCost,
  statedFee,
  writeFee,
  writeModalities,
} from '../fields/usageFields.ts'

type ToolUses = Readonly<Record<string, number>>

/** What an answer says of its cost outside of its `usage`. */
export interface BesideUsage {
  readonly serviceTier?: unknown
  /** Counted from the answer; what the usage says of the same kind wins. */
  readonly serverTools?: ToolUses
}

/** The tiers that the official client's types have a word for. */
const OWN_TIERS = new Set(['fast', 'flex', 'priority', 'scale', 'ultrafast'])

/** `usage` of a chat completion or of its stream; undefined when it has no token counts. */
export function readChatUsage(value: unknown, beside?: BesideUsage): Usage | undefined {
  const usage = asRecord(value)
  if (usage === undefined) return undefined
  const input = asRecord(usage['prompt_tokens_details'])
  const output = asRecord(usage['completion_tokens_details'])
  const audioSeconds = statedAmount(usage['prompt_audio_seconds'])
  return usageOf({
    input: count(usage['prompt_tokens']),
    output: count(usage['completion_tokens']),
    // Where audio is counted in seconds, the total has tokens for it that are not billed as such.
    total: audioSeconds ? undefined : count(usage['total_tokens']),
    // DeepSeek and Moonshot count cache hits beside the prompt's details.
    cached: count(input?.['cached_tokens']) ?? count(usage['prompt_cache_hit_tokens']) ?? count(usage['cached_tokens']),
    cacheWrite: cacheWritesIn(input),
    reasoning: count(output?.['reasoning_tokens']) ?? count(usage['reasoning_tokens']),
    costUsd: statedCost(usage),
    parts: { ...partsIn(usage, input, output, beside), audioSeconds },
  })
}

export function writeChatUsage(usage: Usage): Fields {
  const input = { ...cacheDetails(usage), ...writeModalities(usage.parts?.input) }
  const output = {
    ...(usage.reasoningTokens !== undefined && { reasoning_tokens: usage.reasoningTokens }),
    ...writeModalities(usage.parts?.output),
  }
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.totalTokens,
    ...(Object.keys(input).length > 0 && { prompt_tokens_details: input }),
    ...(Object.keys(output).length > 0 && { completion_tokens_details: output }),
    ...writeBoth(usage),
  }
}

/** `usage` of a Responses object; undefined when it has no token counts. */
export function readResponsesUsage(value: unknown, beside?: BesideUsage): Usage | undefined {
  const usage = asRecord(value)
  if (usage === undefined) return undefined
  const input = asRecord(usage['input_tokens_details'])
  const output = asRecord(usage['output_tokens_details'])
  return usageOf({
    input: count(usage['input_tokens']),
    output: count(usage['output_tokens']),
    total: count(usage['total_tokens']),
    cached: count(input?.['cached_tokens']),
    cacheWrite: cacheWritesIn(input),
    reasoning: count(output?.['reasoning_tokens']),
    costUsd: statedCost(usage),
    parts: partsIn(usage, input, output, beside),
  })
}

/** The official client's types want all details, so they are written as 0 where nothing is known. */
export function writeResponsesUsage(usage: Usage): Fields {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: {
      cached_tokens: usage.cachedInputTokens ?? 0,
      cache_write_tokens: usage.cacheWriteTokens ?? 0,
      ...writeModalities(usage.parts?.input),
    },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0, ...writeModalities(usage.parts?.output) },
    total_tokens: usage.totalTokens,
    ...writeBoth(usage),
  }
}

/** `service_tier` of an answer to a client, where the tier has a word there. */
export function writeServiceTier(usage: Usage | undefined): Fields {
  const tier = usage?.parts?.serviceTier
  return tier !== undefined && OWN_TIERS.has(tier) ? { service_tier: tier } : {}
}

/** What routers that speak these dialects have in both. */
function writeBoth({ reportedCostUsd, parts }: Usage): Fields {
  const { web_search: searches = 0, web_fetch: fetches = 0 } = parts?.serverTools ?? {}
  return {
    ...(searches + fetches > 0 && {
      server_tool_use: {
        ...(searches > 0 && { web_search_requests: searches }),
        ...(fetches > 0 && { web_fetch_requests: fetches }),
      },
    }),
    ...(reportedCostUsd === undefined ? writeFee(parts?.feeUsd) : { cost: reportedCostUsd }),
  }
}

function partsIn(
  usage: Fields,
  input: Fields | undefined,
  output: Fields | undefined,
  beside?: BesideUsage,
): UsageParts {
  return {
    cacheWrite1hTokens: longWritesIn(input),
    input: modalitiesIn(input),
    cached: modalitiesIn(asRecord(input?.['cached_tokens_details'])),
    output: modalitiesIn(output),
    serverTools: toolsIn(usage, beside?.serverTools),
    serviceTier: namedTier(beside?.serviceTier ?? usage['service_tier']),
    feeUsd: statedFee(usage),
  }
}

function cacheWritesIn(input: Fields | undefined): number | undefined {
  return (
    count(input?.['cache_write_tokens']) ??
    count(input?.['cache_creation_tokens']) ??
    // Alibaba: https://www.alibabacloud.com/help/en/model-studio/context-cache (2026-10-11)
    count(input?.['cache_creation_input_tokens'])
  )
}

/** Gateways in front of Anthropic hand on its lifetimes; OpenAI's are 30 minutes and 12 hours (its client's types, 7.57). */
function longWritesIn(input: Fields | undefined): number | undefined {
  const halfDay = count(asRecord(input?.['cache_write_tokens_details'])?.['ttl_12h_tokens'])
  if (halfDay !== undefined) return halfDay
  const lifetimes = asRecord(input?.['cache_creation']) ?? asRecord(input?.['cache_creation_token_details'])
  return count(lifetimes?.['ephemeral_1h_input_tokens'])
}

/**
 * Uses of tools that ran at the service, in the forms of OpenRouter (`server_tool_use`), xAI
 * (`server_side_tool_usage_details`), Alibaba (`x_tools`, `plugins`) and Perplexity (`tool_calls_details`).
 */
function toolsIn(usage: Fields, counted: ToolUses | undefined): ToolUses | undefined {
  const { server_tool_use: requests, server_side_tool_usage_details: calls, num_sources_used: sources } = usage
  const extra = usage['x_tools'] ?? usage['plugins'] ?? usage['tool_calls_details']
  if (requests == null && calls == null && sources == null && extra == null) return counted
  return {
    ...counted,
    search_sources: count(sources) ?? 0,
    ...countsIn(calls),
    ...countsIn(extra),
    ...requestsOfTools(requests),
  }
}

/** Counts by kind: numbers, or objects that have one. */
function countsIn(value: unknown): ToolUses | undefined {
  const fields = asRecord(value)
  if (fields === undefined) return undefined
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, told]) => {
      const inner = asRecord(told)
      const uses = asNumber(inner === undefined ? told : (inner['count'] ?? inner['invocation']))
      return uses === undefined ? [] : [[kindOf(name), uses]]
    }),
  )
}

/** One word for what several services have. */
function kindOf(name: string): string {
  const kind = name.replace(/_calls$/, '')
  return KINDS.get(kind) ?? kind
}

const KINDS: ReadonlyMap<string, string> = new Map([
  ['search', 'web_search'],
  ['search_web', 'web_search'],
  ['fetch_url', 'web_fetch'],
])

interface TokenCounts {
  readonly input: number | undefined
  readonly output: number | undefined
  readonly total: number | undefined
  readonly cached: number | undefined
  readonly cacheWrite: number | undefined
  readonly reasoning: number | undefined
  readonly costUsd: number | undefined
  readonly parts: UsageParts
}

function usageOf(counts: TokenCounts): Usage | undefined {
  const { total } = counts
  const inputTokens = counts.input ?? Math.max(0, (total ?? 0) - (counts.output ?? 0))
  const outputTokens = outputOf(counts, inputTokens)
  const { cached, cacheWrite, reasoning, costUsd } = counts
  // Servers that do not count send zeros only; no real answer has zero tokens. What it cost is known all the same.
  if (inputTokens + outputTokens === 0 && !costUsd && !counts.parts.feeUsd) return undefined
  const usage: Usage = {
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    ...(cached !== undefined && { cachedInputTokens: Math.min(cached, inputTokens) }),
    ...(cacheWrite !== undefined && { cacheWriteTokens: Math.min(cacheWrite, inputTokens) }),
    ...(reasoning !== undefined && { reasoningTokens: Math.min(reasoning, outputTokens) }),
    estimated: false,
    ...(costUsd !== undefined && { reportedCostUsd: costUsd }),
  }
  const parts = partsWithin(counts.parts, usage)
  return parts === undefined ? usage : { ...usage, parts }
}

/**
 * A total above input + output hides tokens that were thought and are billed as output: xAI leaves reasoning out of
 * `completion_tokens`, Gemini's compatible endpoint does so without naming it.
 */
function outputOf({ output, total }: TokenCounts, inputTokens: number): number {
  return Math.max(output ?? 0, (total ?? 0) - inputTokens)
}

function cacheDetails(usage: Usage): Fields {
  return {
    ...(usage.cachedInputTokens !== undefined && { cached_tokens: usage.cachedInputTokens }),
    ...(usage.cacheWriteTokens !== undefined && { cache_write_tokens: usage.cacheWriteTokens }),
  }
}
