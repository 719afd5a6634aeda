/**
 * Gemini's token counts: thoughts are not in `candidatesTokenCount`, what tools put into the prompt not in
 * `promptTokenCount`.
 */

import type { Usage } from '../../domain/chat.ts'
import { asNumber, asRecord } from '../../domain/json.ts'
import { field } from './field.ts'

/** Undefined when the upstream counted nothing (Vertex says only `trafficType` while a stream runs). */
export function readGoogleUsage(raw: unknown): Usage | undefined {
  const fields = asRecord(raw)
  const count = (camel: string, snake: string) => {
    const number = asNumber(field(fields, camel, snake))
    return number !== undefined && number >= 0 ? number : undefined
  }
  const prompt = count('promptTokenCount', 'prompt_token_count')
  const answer = count('candidatesTokenCount', 'candidates_token_count')
  const thoughts = count('thoughtsTokenCount', 'thoughts_token_count')
  if (prompt === undefined && answer === undefined && thoughts === undefined) return undefined
  const inputTokens = (prompt ?? 0) + (count('toolUsePromptTokenCount', 'tool_use_prompt_token_count') ?? 0)
  const outputTokens = (answer ?? 0) + (thoughts ?? 0)
  return {
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    cachedInputTokens: count('cachedContentTokenCount', 'cached_content_token_count'),
    reasoningTokens: thoughts,
    estimated: false,
  }
}

export function writeGoogleUsage(usage: Usage): Record<string, number> {
  const wire: Record<string, number> = {
    promptTokenCount: usage.inputTokens,
    candidatesTokenCount: Math.max(0, usage.outputTokens - (usage.reasoningTokens ?? 0)),
    totalTokenCount: usage.inputTokens + usage.outputTokens,
  }
  if (usage.cachedInputTokens !== undefined) wire['cachedContentTokenCount'] = usage.cachedInputTokens
  if (usage.reasoningTokens !== undefined) wire['thoughtsTokenCount'] = usage.reasoningTokens
  return wire
}
