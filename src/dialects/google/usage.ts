/**
 * Gemini's token counts: thoughts are not in `candidatesTokenCount`, what tools put into the prompt not in
 * `promptTokenCount`.
 */

import type { Modality, ModalityTokens, Usage } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import { combinedParts, MODALITIES, partsWithin } from '../../domain/usageParts.ts'
import type { Fields } from '../fields/requestFields.ts'
import { count, namedTier, statedAmount } from '../fields/usageFields.ts'
import { field } from './field.ts'

type ToolUses = Readonly<Record<string, number>>

/**
 * Undefined when the upstream counted nothing (Vertex says only `trafficType` while a stream runs). `serverTools`: as
 * far as the answer shows them.
 */
export function readGoogleUsage(raw: unknown, serverTools?: ToolUses): Usage | undefined {
  const fields = asRecord(raw)
  const counted = (camel: string, snake: string) => statedAmount(field(fields, camel, snake))
  const prompt = counted('promptTokenCount', 'prompt_token_count')
  const answer = counted('candidatesTokenCount', 'candidates_token_count')
  const thoughts = counted('thoughtsTokenCount', 'thoughts_token_count')
  if (fields === undefined || (prompt === undefined && answer === undefined && thoughts === undefined)) return undefined
  const inputTokens = (prompt ?? 0) + (counted('toolUsePromptTokenCount', 'tool_use_prompt_token_count') ?? 0)
  const outputTokens = (answer ?? 0) + (thoughts ?? 0)
  const usage: Usage = {
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    cachedInputTokens: counted('cachedContentTokenCount', 'cached_content_token_count'),
    reasoningTokens: thoughts,
    estimated: false,
  }
  const told = {
    input: inputModalities(fields),
    cached: modalitiesIn(field(fields, 'cacheTokensDetails', 'cache_tokens_details')),
    output: modalitiesIn(field(fields, 'candidatesTokensDetails', 'candidates_tokens_details')),
    serverTools,
    serviceTier: tierOf(fields),
  }
  const parts = partsWithin(told, usage)
  return parts === undefined ? usage : { ...usage, parts }
}

function inputModalities(fields: Fields): ModalityTokens | undefined {
  const prompt = { input: modalitiesIn(field(fields, 'promptTokensDetails', 'prompt_tokens_details')) }
  const ofTools = modalitiesIn(field(fields, 'toolUsePromptTokensDetails', 'tool_use_prompt_tokens_details'))
  return combinedParts(prompt, ofTools && { input: ofTools }, (one, other) => one + other)?.input
}

const WORDS: ReadonlyMap<unknown, Modality> = new Map(MODALITIES.map((modality) => [modality.toUpperCase(), modality]))

/** Documents are read as text, for the price of text. */
function modalitiesIn(details: unknown): ModalityTokens | undefined {
  let tokens: { [M in Modality]?: number } | undefined
  for (const raw of asArray(details) ?? []) {
    const one = asRecord(raw)
    const modality = WORDS.get(one?.['modality'])
    const told = count(field(one, 'tokenCount', 'token_count'))
    if (modality === undefined || told === undefined) continue
    tokens ??= {}
    tokens[modality] = (tokens[modality] ?? 0) + told
  }
  return tokens
}

/** How the call is served; Vertex says it before it has counted anything. */
export function readGoogleTier(raw: unknown): string | undefined {
  const fields = asRecord(raw)
  return fields && tierOf(fields)
}

/** `serviceTier` of the Gemini API, `trafficType` of Vertex: https://ai.google.dev/api/generate-content#UsageMetadata */
function tierOf(fields: Fields): string | undefined {
  const said = field(fields, 'serviceTier', 'service_tier') ?? field(fields, 'trafficType', 'traffic_type')
  return namedTier(asString(said)?.toLowerCase().replace(PREFIX, ''))
}

const PREFIX = /^(service_tier_|traffic_type_|on_demand_)/

export function writeGoogleUsage(usage: Usage): Record<string, unknown> {
  const answer = Math.max(0, usage.outputTokens - (usage.reasoningTokens ?? 0))
  const { input, cached, output, serviceTier } = usage.parts ?? {}
  return {
    promptTokenCount: usage.inputTokens,
    candidatesTokenCount: answer,
    totalTokenCount: usage.inputTokens + usage.outputTokens,
    ...(usage.cachedInputTokens !== undefined && { cachedContentTokenCount: usage.cachedInputTokens }),
    ...(usage.reasoningTokens !== undefined && { thoughtsTokenCount: usage.reasoningTokens }),
    ...(input && { promptTokensDetails: writeModalities(input, usage.inputTokens) }),
    ...(cached && { cacheTokensDetails: writeModalities(cached, usage.cachedInputTokens ?? 0) }),
    ...(output && { candidatesTokensDetails: writeModalities(output, answer) }),
    ...((serviceTier === 'flex' || serviceTier === 'priority') && { serviceTier }),
  }
}

function writeModalities(tokens: ModalityTokens, whole: number): readonly Fields[] {
  const told = MODALITIES.flatMap((modality) => {
    const tokenCount = tokens[modality] ?? 0
    return tokenCount === 0 ? [] : [{ modality: modality.toUpperCase(), tokenCount }]
  })
  const text = told.reduce((rest, { tokenCount }) => rest - tokenCount, whole)
  return text > 0 ? [{ modality: 'TEXT', tokenCount: text }, ...told] : told
}
