/**
 * What the name of a rate-limit header means. Every provider has its own order of the same words, and changes it, so
 * names are read word by word: `x-ratelimit-remaining-tokens`, `anthropic-ratelimit-input-tokens-reset`,
 * `x-ratelimit-limit-req-minute`, `x-ratelimit-reset-requests-day`, `modelscope-ratelimit-model-requests-limit`.
 *
 * OpenAI https://developers.openai.com/api/docs/guides/rate-limits, Groq https://console.groq.com/docs/rate-limits,
 * Anthropic https://docs.anthropic.com/en/api/rate-limits, OpenRouter https://openrouter.ai/docs/api-reference/limits,
 * Cerebras https://inference-docs.cerebras.ai/support/rate-limits, Together https://docs.together.ai/docs/rate-limits
 */

import type { LimitFact, LimitUnit, LimitWindow } from '../../domain/failure.ts'

export interface HeaderMeaning {
  readonly measure: 'limit' | 'remaining' | 'reset'
  readonly unit: LimitUnit
  /** Undefined where the name does not say. */
  readonly window: LimitWindow | undefined
  readonly scope: LimitFact['scope'] | undefined
}

const MEASURES: ReadonlyMap<string, HeaderMeaning['measure']> = new Map([
  ['limit', 'limit'],
  ['remaining', 'remaining'],
  ['reset', 'reset'],
])
const WINDOWS: ReadonlyMap<string, LimitWindow> = new Map([
  ['second', 'second'],
  ['minute', 'minute'],
  ['hour', 'hour'],
  ['day', 'day'],
  ['week', 'week'],
  ['month', 'month'],
])
const UNITS: ReadonlyMap<string, LimitUnit> = new Map([
  ['requests', 'requests'],
  ['request', 'requests'],
  ['req', 'requests'],
  ['call', 'requests'],
  ['tokens', 'tokens'],
  ['token', 'tokens'],
  ['tokenlimit', 'tokens'],
  ['neurons', 'neurons'],
])
/** Words that make the name one of a limit at all. */
const FAMILIES = new Set(['ratelimit', 'tokenlimit', 'trial'])
/** Capacity bought apart and subscription windows have numbers of another kind. */
const STRANGERS = new Set(['priority', 'unified', 'policy', 'type', 'cost', 'images', 'audio'])

const known = new Map<string, HeaderMeaning | null>()
/** Real providers send a few dozen names; more are not cached. */
const MOST_KNOWN = 500

/** The meaning of a lower-case header name; null when it is none of a limit. */
export function meaningOf(name: string): HeaderMeaning | null {
  const found = known.get(name)
  if (found !== undefined) return found
  const meaning = read(name)
  if (known.size < MOST_KNOWN) known.set(name, meaning)
  return meaning
}

function read(name: string): HeaderMeaning | null {
  const words = name.slice(0, 100).replace('rate-limit', 'ratelimit').split(/[-_]/)
  if (!words.some((word) => FAMILIES.has(word)) || words.some((word) => STRANGERS.has(word))) return null
  const measure = pick(words, MEASURES)
  if (measure === undefined) return null
  return { measure, unit: unitOf(words), window: pick(words, WINDOWS), scope: scopeOf(words) }
}

function unitOf(words: readonly string[]): LimitUnit {
  const unit = pick(words, UNITS) ?? 'requests'
  if (unit !== 'tokens') return unit
  if (words.includes('input')) return 'input-tokens'
  return words.includes('output') ? 'output-tokens' : 'tokens'
}

/** ModelScope counts per model and over all: https://modelscope.cn/docs/model-service/API-Inference/limits */
function scopeOf(words: readonly string[]): LimitFact['scope'] | undefined {
  if (words.includes('model')) return 'model'
  return words.includes('modelscope') ? 'account' : undefined
}

function pick<T>(words: readonly string[], table: ReadonlyMap<string, T>): T | undefined {
  for (const word of words) {
    const meaning = table.get(word)
    if (meaning !== undefined) return meaning
  }
  return undefined
}
