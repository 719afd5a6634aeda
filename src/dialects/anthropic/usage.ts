/**
 * Anthropic's token counts: `input_tokens` leaves out what was read from and written to the prompt cache, ours does
 * not.
 */

import type { Usage, UsageParts } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import { partsWithin, TIERS_AT_ONCE } from '../../domain/usageParts.ts'
import type { Fields } from '../fields/requestFields.ts'
import { count, namedTier, requestsOfTools, statedAmount, statedCost, statedFee } from '../fields/usageFields.ts'

/** The counts as far as reported; a stream reports them in two events, the second of which wins. */
export interface UsageCounts {
  readonly input?: number
  readonly output?: number
  readonly cacheRead?: number
  readonly cacheWrite?: number
  /** Of `cacheWrite`, those that are kept for an hour. */
  readonly cacheWrite1h?: number
  readonly thinking?: number
  readonly serverTools?: UsageParts['serverTools']
  readonly tier?: string
  readonly speed?: string
  readonly geo?: string
  /** What the totals leave out. */
  readonly beside?: BesideTotals
  /** Routers that speak this dialect state it. */
  readonly costUsd?: number
  /** A router's own, on top of what the tokens cost. */
  readonly feeUsd?: number
}

/**
 * Of the `iterations`, the turns of the model itself are in the totals. What summarised the context is not, and is billed
 * at the same prices; nor is a model that was asked for advice, billed at its own: the types of `BetaIterationsUsage`
 * (@anthropic-ai/sdk 1.12) and https://platform.claude.com/docs/en/agents-and-tools/tool-use/advisor-tool (2026-11-30)
 */
interface BesideTotals {
  readonly summaries: UsageCounts
  readonly otherModels: { readonly input: number; readonly output: number }
  /** Another model answered in the place of the one that was asked. */
  readonly isFallback: boolean
}

function besideTotals(iterations: unknown): BesideTotals | undefined {
  const entries = asArray(iterations)?.map((entry) => asRecord(entry) ?? {})
  if (entries === undefined) return undefined
  const of = (type: string) => entries.filter((entry) => entry['type'] === type)
  const advice = summed(of('advisor_message'))
  return {
    summaries: summed(of('compaction')),
    otherModels: {
      input: (advice.input ?? 0) + (advice.cacheRead ?? 0) + (advice.cacheWrite ?? 0),
      output: advice.output ?? 0,
    },
    isFallback: of('fallback_message').length > 0,
  }
}

const SUMMED = ['input', 'output', 'cacheRead', 'cacheWrite', 'cacheWrite1h'] as const

function summed(entries: readonly Fields[]): UsageCounts {
  return entries.map((entry) => addCounts({}, { ...entry, iterations: null })).reduce((all, one) => plus(all, one), {})
}

function plus(one: UsageCounts, other: UsageCounts): UsageCounts {
  const sums = SUMMED.flatMap((name) => {
    const [a, b] = [one[name], other[name]]
    return a === undefined && b === undefined ? [] : [[name, (a ?? 0) + (b ?? 0)] as const]
  })
  return { ...one, ...Object.fromEntries(sums) }
}

export function addCounts(before: UsageCounts, raw: unknown): UsageCounts {
  const fields = asRecord(raw)
  if (!fields) return before
  const lifetimes = asRecord(fields['cache_creation'])
  const cacheWrite = statedAmount(fields['cache_creation_input_tokens']) ?? sumOf(lifetimes)
  return {
    input: statedAmount(fields['input_tokens']) ?? before.input,
    output: statedAmount(fields['output_tokens']) ?? before.output,
    cacheRead: statedAmount(fields['cache_read_input_tokens']) ?? before.cacheRead,
    cacheWrite: cacheWrite ?? before.cacheWrite,
    cacheWrite1h: count(lifetimes?.['ephemeral_1h_input_tokens']) ?? before.cacheWrite1h,
    thinking: statedAmount(asRecord(fields['output_tokens_details'])?.['thinking_tokens']) ?? before.thinking,
    serverTools: requestsOfTools(fields['server_tool_use']) ?? before.serverTools,
    beside: besideTotals(fields['iterations']) ?? before.beside,
    tier: asString(fields['service_tier']) ?? before.tier,
    speed: asString(fields['speed']) ?? before.speed,
    geo: asString(fields['inference_geo']) ?? before.geo,
    costUsd: statedCost(fields) ?? before.costUsd,
    feeUsd: statedFee(fields) ?? before.feeUsd,
  }
}

function sumOf(lifetimes: Fields | undefined): number | undefined {
  const hour = count(lifetimes?.['ephemeral_1h_input_tokens'])
  const minutes = count(lifetimes?.['ephemeral_5m_input_tokens'])
  return hour === undefined && minutes === undefined ? undefined : (hour ?? 0) + (minutes ?? 0)
}

/** Undefined when the upstream said nothing. */
export function usageOf(told: UsageCounts): Usage | undefined {
  if (told.input === undefined && told.output === undefined) return undefined
  const { beside } = told
  const counts = beside === undefined ? told : plus(told, beside.summaries)
  const { input, output, cacheRead, cacheWrite, thinking, costUsd } = counts
  const inputTokens = (input ?? 0) + (cacheRead ?? 0) + (cacheWrite ?? 0)
  const outputTokens = output ?? 0
  const usage: Usage = {
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    cachedInputTokens: cacheRead,
    cacheWriteTokens: cacheWrite,
    reasoningTokens: thinking,
    estimated: false,
    ...(costUsd !== undefined && { reportedCostUsd: costUsd }),
  }
  const { cacheWrite1h, serverTools, feeUsd } = counts
  const parts = partsWithin(
    {
      cacheWrite1hTokens: cacheWrite1h,
      serverTools,
      otherModels: beside?.otherModels,
      serviceTier: tierOf(counts),
      feeUsd,
    },
    usage,
  )
  return parts === undefined ? usage : { ...usage, parts }
}

/**
 * Tier, speed and place change the price together, so that together they are the tier: `priority`, `fast`, `us`,
 * `fast+us`: https://platform.claude.com/docs/en/about-claude/pricing (2026-11-30)
 */
function tierOf({ tier, speed, geo, beside }: UsageCounts): string | undefined {
  const place = geo === 'global' || geo === 'not_available' ? undefined : namedTier(geo)
  // The tokens are billed at the prices of the model that answered, which are not those of this target.
  const fallback = beside?.isFallback ? 'fallback' : undefined
  const words = [namedTier(tier), namedTier(speed), place, fallback].filter((word) => word !== undefined)
  return words.length === 0 ? undefined : words.join(TIERS_AT_ONCE)
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
    server_tool_use: writeServerTools(usage?.parts),
  }
}

function writeServerTools(parts: UsageParts | undefined): Fields | null {
  const { web_search: searches = 0, web_fetch: fetches = 0 } = parts?.serverTools ?? {}
  return searches + fetches === 0 ? null : { web_search_requests: searches, web_fetch_requests: fetches }
}

/** Of a whole answer, or of the beginning of a stream. */
export function writeAnthropicUsage(usage: Usage | undefined): Record<string, unknown> {
  const words = usage?.parts?.serviceTier?.split(TIERS_AT_ONCE) ?? []
  const known = (...own: readonly string[]) => own.find((word) => words.includes(word)) ?? null
  return {
    ...writeDeltaUsage(usage),
    cache_creation: writeLifetimes(usage),
    inference_geo: known('us'),
    service_tier: known('priority', 'batch'),
    speed: known('fast'),
  }
}

function writeLifetimes(usage: Usage | undefined): Fields | null {
  const hour = usage?.parts?.cacheWrite1hTokens
  if (hour === undefined) return null
  const minutes = Math.max(0, (usage?.cacheWriteTokens ?? 0) - hour)
  return { ephemeral_1h_input_tokens: hour, ephemeral_5m_input_tokens: minutes }
}
