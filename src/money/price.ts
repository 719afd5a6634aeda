/** What a model costs, in integers, by the hour and by the length of the prompt. */

import type { Modality } from '../domain/chat.ts'
import { type HoursRule, holdsAt, readHours } from '../domain/hoursRule.ts'
import { present } from '../domain/present.ts'
import type { PriceHint, TierTimes, UnitPrices } from '../domain/target.ts'
import { scaled } from './amount.ts'
import type { FreeQuota } from './freeQuota.ts'

/**
 * Pico-USD per token (`request`: per request). Where a source has no separate price for cache or reasoning, the plain
 * rate applies.
 */
export interface Rates {
  readonly input: number
  readonly cachedInput: number
  readonly cacheWrite: number
  readonly output: number
  readonly reasoning: number
  readonly request: number
  readonly parts: PartRates
}

/**
 * Rates of what is not plain text, in pico-USD per token and per use of a tool. What is absent is not known: the plain
 * rate would be a guess. A picture or a film that is read is the exception, see `inputRate`.
 */
interface PartRates {
  /** Written to the prompt cache for an hour. */
  readonly cacheWrite1h?: number
  readonly input?: ModalityRates
  readonly cached?: ModalityRates
  readonly output?: ModalityRates
  /** By kind, per use. */
  readonly tools?: Readonly<Record<string, number>>
  /** Per hour of a recording that is counted in seconds, and for how many seconds at least. */
  readonly audioHour?: number
  readonly leastAudioSeconds?: number
  /** Per picture that is made. */
  readonly image?: number
  /** Per character that is spoken. */
  readonly character?: number
}

type ModalityRates = { readonly [M in Modality]?: number }

/** Rates for requests with more than `aboveInputTokens` input tokens. */
export interface PriceTier {
  readonly aboveInputTokens: number
  readonly rates: Rates
}

/** When a list of tiers applies; without any condition, always. */
export interface PriceWindow {
  /** Epoch milliseconds from which it applies; null from the beginning. */
  readonly from: number | null
  /** Milliseconds of the UTC day, `[start, end)`, wrapping over midnight when `end < start`; null all day. */
  readonly daily: { readonly start: number; readonly end: number } | null
  /** Rules of the user that must all hold; absent: none. */
  readonly hours?: readonly HoursRule[]
  /** Ascending; the first has `aboveInputTokens` -1 and applies to every request. */
  readonly tiers: readonly PriceTier[]
}

export interface Price {
  /**
   * The version, stored with each ledger row: `config 3fa91c02`, `genai-prices 0.1.8 2026-09-23`, `catalogue 8d21e07b`,
   * `facts 2026-11-30 52cb0a19`, `free`, `local`. What is priced by the same version of the same model is priced by the same numbers.
   */
  readonly source: string
  /** The source that a contract changed. */
  readonly of?: string
  /** The last window that applies is used. */
  readonly windows: readonly PriceWindow[]
  /** Absent: of no tier is known what it costs. */
  readonly tiers?: TierTimes | undefined
  /** Of tools that the rates do not name: pico-USD per use, by kind. */
  readonly tools?: Readonly<Record<string, number>> | undefined
  /** ISO date on which `tiers` and `tools` were read in the provider's documentation; absent: they are the user's. */
  readonly documentedOn?: string | undefined
  /** A part of the usage that is not billed; absent: none. */
  readonly free?: FreeOfPrice
  /** Whatever is used costs nothing: a server of one's own. Default false. */
  readonly isFree?: true
  /** It says nothing of tokens: a model that is billed in units alone. Default false. */
  readonly isOfUnits?: true
}

interface FreeOfPrice {
  readonly quota: FreeQuota
  /** What of usage within the quota is billed all the same: tools that ran, and the request where only tokens are free. */
  readonly rest: Price
}

/** A price as written by the user: USD per million tokens, `request` in USD per request. */
export interface UserPrice extends PriceHint, UnitPrices {
  readonly cachedInput?: number
  readonly cacheWrite?: number
  readonly reasoning?: number
  readonly request?: number
  /** Written to the prompt cache for an hour. */
  readonly cacheWrite1h?: number
  readonly inputAudio?: number
  readonly inputImage?: number
  readonly inputVideo?: number
  readonly cachedAudio?: number
  readonly cachedImage?: number
  readonly outputAudio?: number
  readonly outputImage?: number
  readonly outputVideo?: number
  /** How many times the prices per token a service tier costs, by the provider's word. */
  readonly tiers?: TierTimes
  readonly hours?: HourTimes
}

/** How many times the price while a rule (`"16:30-00:30 UTC"`) holds. Of several at once the last one counts. */
export type HourTimes = Readonly<Record<string, number>>

/** A price by provider and model, or null; see `genaiPrices.ts`. Called once per model. */
export type PriceLookup = (provider: string, model: string) => Price | null

/** One price for all lengths, and for all hours that the price does not name. */
export function flat(source: string, price: UserPrice): Price {
  const tiers = [{ aboveInputTokens: -1, rates: ratesFrom(price) }]
  const windows = withHours([{ from: null, daily: null, tiers }], price.hours)
  return { source, windows, tiers: price.tiers }
}

/** The windows, and after them, so that they go first, the same at these hours. */
export function withHours(windows: readonly PriceWindow[], hours: HourTimes = {}): readonly PriceWindow[] {
  const added = Object.entries(hours).flatMap(([text, times]) => {
    const rule = readHours(text)
    return rule === null ? [] : windows.map((window, index) => atHours(window, index === 0, rule, times))
  })
  return [...windows, ...added]
}

/** The first window applies whenever no later one does. */
function atHours(window: PriceWindow, isFirst: boolean, rule: HoursRule, times: number): PriceWindow {
  const { from, daily, hours = [] } = isFirst ? { ...window, from: null, daily: null } : window
  return { from, daily, hours: [...hours, rule], tiers: window.tiers.map((tier) => timesTier(tier, times)) }
}

export function timesTier({ aboveInputTokens, rates }: PriceTier, times: number): PriceTier {
  return { aboveInputTokens, rates: timesRates(rates, times) }
}

/** Every rate, what is billed apart included. */
function timesRates({ parts, ...plain }: Rates, times: number): Rates {
  return { ...mapped(plain, times), parts: timesParts(parts, times) }
}

function timesParts(parts: PartRates, times: number): PartRates {
  const { cacheWrite1h, input, cached, output, tools, audioHour, image, character } = parts
  return {
    ...parts,
    ...(audioHour !== undefined && { audioHour: timesRate(audioHour, times) }),
    ...(image !== undefined && { image: timesRate(image, times) }),
    ...(character !== undefined && { character: timesRate(character, times) }),
    ...(cacheWrite1h !== undefined && { cacheWrite1h: timesRate(cacheWrite1h, times) }),
    ...(input !== undefined && { input: mapped(input, times) }),
    ...(cached !== undefined && { cached: mapped(cached, times) }),
    ...(output !== undefined && { output: mapped(output, times) }),
    ...(tools !== undefined && { tools: mapped(tools, times) }),
  }
}

function mapped<T extends Readonly<Record<string, number>> | object>(rates: T, times: number): T {
  const all = Object.entries(rates).map(([name, rate]) => [name, timesRate(rate as number, times)])
  return Object.fromEntries(all) as T // the same names
}

const timesRate = (rate: number, times: number) => Math.round(rate * times)

/** The rates for a request of that many input tokens at `at` (epoch milliseconds). */
export function ratesAt(price: Price, at: number, inputTokens: number): Rates {
  const tiers = windowAt(price.windows, at).tiers
  let { rates } = present(tiers[0])
  for (const tier of tiers) if (inputTokens > tier.aboveInputTokens) rates = tier.rates
  return rates
}

function windowAt(windows: readonly PriceWindow[], at: number): PriceWindow {
  return windows.findLast((window, index) => index > 0 && holds(window, at)) ?? present(windows[0])
}

const DAY_MS = 86_400_000

function holds({ from, daily, hours }: PriceWindow, at: number): boolean {
  if (from !== null && at < from) return false
  if (hours !== undefined && !hours.every((rule) => holdsAt(rule, at))) return false
  if (daily === null) return true
  const time = ((at % DAY_MS) + DAY_MS) % DAY_MS
  return daily.end < daily.start ? time >= daily.start || time < daily.end : time >= daily.start && time < daily.end
}

/** USD per million tokens as integer rates; what has no price of its own gets the plain rate of its side. */
export function ratesFrom(price: UserPrice): Rates {
  const input = picoPerToken(price.input)
  const output = picoPerToken(price.output)
  return {
    input,
    output,
    cachedInput: price.cachedInput === undefined ? input : picoPerToken(price.cachedInput),
    cacheWrite: price.cacheWrite === undefined ? input : picoPerToken(price.cacheWrite),
    reasoning: price.reasoning === undefined ? output : picoPerToken(price.reasoning),
    request: scaled(price.request ?? 0, 12) ?? 0,
    parts: partRatesFrom(price),
  }
}

function partRatesFrom(price: UserPrice): PartRates {
  const { inputAudio, inputImage, inputVideo, cachedAudio, cachedImage, outputAudio, outputImage, outputVideo } = price
  return {
    ...(price.cacheWrite1h !== undefined && { cacheWrite1h: picoPerToken(price.cacheWrite1h) }),
    input: modalityRates(inputAudio, inputImage, inputVideo),
    cached: modalityRates(cachedAudio, cachedImage, undefined),
    output: modalityRates(outputAudio, outputImage, outputVideo),
    ...(price.tools !== undefined && { tools: picoPerUse(price.tools) }),
    ...(price.audioHour !== undefined && { audioHour: scaled(price.audioHour, 12) ?? 0 }),
    ...(price.leastAudioSeconds !== undefined && { leastAudioSeconds: price.leastAudioSeconds }),
    ...(price.image !== undefined && { image: scaled(price.image, 12) ?? 0 }),
    ...(price.characters !== undefined && { character: picoPerToken(price.characters) }),
  }
}

function modalityRates(audio?: number, image?: number, video?: number): ModalityRates {
  return {
    ...(audio !== undefined && { audio: picoPerToken(audio) }),
    ...(image !== undefined && { image: picoPerToken(image) }),
    ...(video !== undefined && { video: picoPerToken(video) }),
  }
}

/** From USD per thousand uses. */
export function picoPerUse(tools: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(tools).map(([tool, usd]) => [tool, scaled(usd, 9) ?? 0]))
}

// USD per million tokens * 1e12 pico per USD / 1e6 tokens.
function picoPerToken(usdPerMillion: number): number {
  return scaled(usdPerMillion, 6) ?? 0
}

/** Above this a price per million tokens (or per request) is a typo. */
const MOST_USD = 100_000

/** Whether it can be a price: finite, not negative, not absurd. */
export function isPrice(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MOST_USD
}
