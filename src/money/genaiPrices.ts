/**
 * Prices from `@pydantic/genai-prices` (https://github.com/pydantic/genai-prices, bundled data, works offline) as our
 * integers. Its own `calcPrice` evaluates rules and builds maps on every call, so each model is looked up once and
 * cached.
 */

import type { ConditionalPrice, ModelPrice, Provider } from '@pydantic/genai-prices'
import { readHours } from '../domain/hoursRule.ts'
import { borderOf, NEWER_PRICES, type NewerPrice, newerPrices } from './newerPrices.ts'
import { type Price, type PriceLookup, type PriceTier, type PriceWindow, ratesFrom } from './price.ts'
import { SEARCHES } from './unitCosts.ts'

/**
 * The release date of the package version in the lock file; a test fails when the version changes without it. What the
 * list says since then: `newerPrices.ts`.
 */
export const GENAI_PRICES = { version: '0.1.8', date: '2026-09-23' } as const

const sourceOf = ({ version, date }: { version: string; date: string }) => `genai-prices ${version} ${date}`

/** Loads the price list (about 60 ms, once); importing this file loads nothing. */
export async function loadGenaiPrices(): Promise<PriceLookup> {
  const { calcPrice, findProvider } = await import('@pydantic/genai-prices')
  return (provider, model) => {
    const found = findProvider({ providerId: provider })
    if (found === undefined || !isSameProvider(found, provider)) return null
    // As Gemini's own list writes its names.
    const name = model.replace(/^models\//, '')
    const newer = newerPrices(found.id, name)
    if (newer !== undefined) return newerPriceFrom(newer, ONE_RATE.has(found.id))
    // Without usage it costs nothing and returns the model that the id refers to; the time affects only unused fields.
    const answer = calcPrice({}, name, { providerId: found.id, timestamp: new Date(0) })
    return answer === null ? null : priceFrom(answer.model.prices, ONE_RATE.has(found.id))
  }
}

/**
 * The list matches a provider by part of its name, so `my-openai-proxy` would get OpenAI's prices. Here only the same
 * name matches, ignoring punctuation and a trailing "ai" (`xai` is `x-ai`, `moonshot` is `moonshotai`).
 */
function isSameProvider(found: Provider, provider: string): boolean {
  const a = plain(found.id)
  const b = plain(provider)
  return a === b || a === `${b}ai` || b === `${a}ai`
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
}

/** Null when the list has neither a price for text input nor one for units that keywise counts, as for pages. */
function priceFrom(prices: ModelPrice | readonly ConditionalPrice[], isOneRate: boolean): Price | null {
  const list: readonly ConditionalPrice[] = isList(prices) ? prices : [{ prices }]
  const windows = list.map((one) => windowFrom(one, isOneRate))
  if (!windows.every((window) => window !== null)) return null
  return { source: sourceOf(GENAI_PRICES), windows, ...ofUnits(list) }
}

function newerPriceFrom(list: readonly NewerPrice[], isOneRate: boolean): Price {
  const windows = list.map(({ from, hours, prices }) => {
    const rule = hours === undefined ? null : readHours(hours)
    return {
      from: from === undefined ? null : Date.parse(from),
      daily: null,
      ...(rule !== null && { hours: [rule] }),
      tiers: tiersFrom(prices, isOneRate),
    }
  })
  return { source: sourceOf(NEWER_PRICES), windows, ...ofUnits(list) }
}

const ofUnits = (list: readonly { readonly prices: ModelPrice }[]): Pick<Price, 'isOfUnits'> =>
  list.some(({ prices }) => prices['input_mtok'] === undefined) ? { isOfUnits: true } : {}

/** Names in the list of what is not counted in tokens. */
const AUDIO_HOURS = 'input_audio_hours'
const UNITS = [AUDIO_HOURS, 'rerank_searches_kcount']
/** More of a price than its recordings: the messages of a conversation by voice. */
const BESIDE_UNITS = 'input_text_messages_kcount'

function isList(prices: ModelPrice | readonly ConditionalPrice[]): prices is readonly ConditionalPrice[] {
  return Array.isArray(prices)
}

function windowFrom({ constraint, prices }: ConditionalPrice, isOneRate: boolean): PriceWindow | null {
  const isOfUnits = UNITS.some((name) => prices[name] !== undefined) && prices[BESIDE_UNITS] === undefined
  if (prices['input_mtok'] === undefined && !isOfUnits) return null
  const tiers = tiersFrom(prices, isOneRate)
  if (constraint === undefined) return { from: null, daily: null, tiers }
  if (constraint.type === 'start_date') return { from: Date.parse(constraint.start_date), daily: null, tiers }
  return { from: null, daily: { start: timeOfDay(constraint.start_time), end: timeOfDay(constraint.end_time) }, tiers }
}

function tiersFrom(prices: ModelPrice, isOneRate: boolean): readonly PriceTier[] {
  const starts = new Set([-1])
  for (const price of Object.values(prices))
    if (typeof price === 'object') for (const tier of price.tiers) starts.add(tier.start)
  return [...starts].sort((a, b) => a - b).map((start) => tierFrom(prices, start, isOneRate))
}

function tierFrom(prices: ModelPrice, start: number, isOneRate: boolean): PriceTier {
  const at = (key: string) => priceAt(prices[key], start)
  const perThousandRequests = at('requests_kcount')
  return {
    aboveInputTokens: borderOf(start),
    rates: ratesFrom({
      input: at('input_mtok') ?? 0,
      // Embedding models have no output.
      output: at('output_mtok') ?? 0,
      cachedInput: at('cache_read_mtok'),
      cacheWrite: at('cache_write_mtok'),
      reasoning: at('output_reasoning_mtok'),
      request: perThousandRequests === undefined ? undefined : perThousandRequests / 1_000,
      cacheWrite1h: at('cache_write_1h_mtok'),
      inputAudio: at('input_audio_mtok') ?? (isOneRate ? at('input_mtok') : undefined),
      inputImage: at('input_image_mtok'),
      inputVideo: at('input_video_mtok'),
      cachedAudio: at('cache_audio_read_mtok') ?? (isOneRate ? at('cache_read_mtok') : undefined),
      cachedImage: at('cache_image_read_mtok'),
      outputAudio: at('output_audio_mtok'),
      outputImage: at('output_image_mtok'),
      outputVideo: at('output_video_mtok'),
      tools: toolsFrom(at),
      audioHour: at(AUDIO_HOURS),
    }),
  }
}

/** The names in the list of tools that run at the provider, and ours. */
const TOOLS = {
  web_search: 'web_searches_kcount',
  file_search: 'storage_searches_kcount',
  [SEARCHES]: 'rerank_searches_kcount',
} as const

function toolsFrom(at: (key: string) => number | undefined): Readonly<Record<string, number>> {
  const known = Object.entries(TOOLS).map(([tool, key]) => [tool, at(key)] as const)
  return Object.fromEntries(known.filter((entry): entry is readonly [string, number] => entry[1] !== undefined))
}

/**
 * Providers whose price pages name a price of audio only where it differs from that of text:
 * https://ai.google.dev/gemini-api/docs/pricing ("Input price", "Input price (text / image / video)").
 */
const ONE_RATE: ReadonlySet<string> = new Set(['google'])

/** The price of one key for inputs just above `start` tokens. */
function priceAt(price: ModelPrice[string], start: number): number | undefined {
  if (typeof price !== 'object') return price
  let value = price.base
  let from = -1
  for (const tier of price.tiers)
    if (tier.start <= start && tier.start > from) {
      from = tier.start
      value = tier.price
    }
  return value
}

/** `01:30:00Z` or `08:00:00+08:00` as milliseconds of the UTC day. */
function timeOfDay(text: string): number {
  return Date.parse(`1970-01-02T${text}`) % 86_400_000
}
