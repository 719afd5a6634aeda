/** Usage that can be billed: what providers report is checked, and what they omit is estimated from the text. */

import type { Usage } from '../domain/chat.ts'
import { partsWithin } from '../domain/usageParts.ts'

/** More tokens than any model reads or writes in one attempt; a larger count is a reporting error. */
export const MOST_TOKENS = 100_000_000

/**
 * The usage as far as it is credible, or null when it must be estimated instead. Counts that are NaN, negative or
 * absurd are rejected; one missing side is derived from the total; parts are never larger than their whole.
 */
export function soundUsage(usage: Usage): Usage | null {
  const sound = soundCounts(usage)
  if (sound === null || usage.parts === undefined) return sound
  const parts = partsWithin(usage.parts, sound)
  return { ...sound, parts }
}

function soundCounts(usage: Usage): Usage | null {
  if (isSound(usage)) return usage
  const total = count(usage.totalTokens)
  const input = count(usage.inputTokens) ?? rest(total, count(usage.outputTokens))
  const output = count(usage.outputTokens) ?? rest(total, input)
  if (input === null || output === null) return null
  const cachedInputTokens = Math.min(count(usage.cachedInputTokens) ?? 0, input)
  return {
    ...usage,
    inputTokens: input,
    outputTokens: output,
    totalTokens: input + output,
    cachedInputTokens,
    cacheWriteTokens: Math.min(count(usage.cacheWriteTokens) ?? 0, input - cachedInputTokens),
    reasoningTokens: Math.min(count(usage.reasoningTokens) ?? 0, output),
  }
}

function isSound(usage: Usage): boolean {
  const { inputTokens, outputTokens, cachedInputTokens = 0, cacheWriteTokens = 0, reasoningTokens = 0 } = usage
  return (
    isCount(inputTokens) &&
    isCount(outputTokens) &&
    isCount(cachedInputTokens) &&
    isCount(cacheWriteTokens) &&
    isCount(reasoningTokens) &&
    cachedInputTokens + cacheWriteTokens <= inputTokens &&
    reasoningTokens <= outputTokens
  )
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= MOST_TOKENS
}

function count(value: number | undefined): number | null {
  return value !== undefined && value >= 0 && value <= MOST_TOKENS ? Math.ceil(value) : null
}

function rest(total: number | null, part: number | null): number | null {
  return total === null || part === null || part > total ? null : total - part
}

/** Estimates the usage of a finished exchange whose provider reported none; the result is marked as estimated. */
export type UsageEstimator = (inputText: string, outputText: string) => Usage

/** About four characters per token: used until the better estimator is loaded. */
export function roughUsage(inputText: string, outputText: string): Usage {
  const inputTokens = Math.ceil(inputText.length / 4)
  const outputTokens = Math.ceil(outputText.length / 4)
  return { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, estimated: true }
}

/** Loads the estimator, a heuristic (tokenx): within a few per cent on prose, less exact on code and CJK. */
export async function loadUsageEstimator(): Promise<UsageEstimator> {
  const { estimateTokenCount } = await import('tokenx')
  return (inputText, outputText) => {
    const inputTokens = sampledCount(inputText, estimateTokenCount)
    const outputTokens = sampledCount(outputText, estimateTokenCount)
    return { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, estimated: true }
  }
}

/** Characters of a sample, and how many samples are taken of a text that is longer than all of them. */
const SAMPLE = 2048
const SAMPLES = 16

/**
 * The tokens of a text, of a long one by evenly spread samples: counting a text of 64 MB takes longer than writing it. A
 * sample begins at another place in each sixteenth, so that no regular pattern is met at one point of it only.
 *
 * For text of one kind the error is about 1 %, for text whose parts differ (prose, then code) within 5 %. At worst, with
 * n of 16 samples in another kind of text than the share of it demands, it is n/16 of the difference between the kinds.
 */
export function sampledCount(text: string, count: (text: string) => number): number {
  if (text.length <= SAMPLES * SAMPLE) return count(text)
  const stretch = text.length / SAMPLES
  let tokens = 0
  for (let sample = 0; sample < SAMPLES; sample++) {
    // Multiples of the golden ratio are spread more evenly than anything else: Knuth, TAOCP 3, 6.4.
    const place = ((sample + 1) * GOLDEN_RATIO) % 1
    const start = Math.floor(sample * stretch + place * (stretch - SAMPLE))
    tokens += count(text.slice(start, start + SAMPLE))
  }
  return Math.round((tokens / (SAMPLES * SAMPLE)) * text.length)
}

const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2

/** Tokens that a chat template adds around each message; the common ones take 3 to 8. */
const TEMPLATE_TOKENS = 16
/** An image in high detail with the common models; higher costs show when the attempt is settled. */
const IMAGE_TOKENS = 5_000

/**
 * An upper bound on the tokens of a prompt: every tokenizer in use is byte-based, so a token is at least one byte.
 * Three to four times too high for English, and cheap, which is fine for a reservation that is returned a moment later.
 */
export function mostInputTokens(size: {
  readonly utf8Bytes: number
  readonly messages: number
  readonly images: number
}): number {
  const tokens = size.utf8Bytes + (size.messages + 1) * TEMPLATE_TOKENS + size.images * IMAGE_TOKENS
  return Math.min(tokens, MOST_TOKENS)
}
