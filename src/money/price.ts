/** What a model costs, in integers, and the precedence of price sources. */

import type { Modality } from '../domain/chat.ts'
import { isEmpty } from '../domain/json.ts'
import { present } from '../domain/present.ts'
import type { DocumentedUnits, PriceHint, TierTimes, UnitPrices } from '../domain/target.ts'
import { scaled } from './amount.ts'

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

/** When a list of tiers applies; with both conditions absent, always. */
export interface PriceWindow {
  /** Epoch milliseconds from which it applies; null from the beginning. */
  readonly from: number | null
  /** Milliseconds of the UTC day, `[start, end)`, wrapping over midnight when `end < start`; null all day. */
  readonly daily: { readonly start: number; readonly end: number } | null
  /** Ascending; the first has `aboveInputTokens` -1 and applies to every request. */
  readonly tiers: readonly PriceTier[]
}

export interface Price {
  /** Stored with each ledger row: `config`, `free`, `local`, `genai-prices 2026-09-23`, `catalogue 2026-11-20`. */
  readonly source: string
  /** The last window that applies is used. */
  readonly windows: readonly PriceWindow[]
  /** Absent: of no tier is known what it costs. */
  readonly tiers?: TierTimes | undefined
  /** Of tools that the rates do not name: pico-USD per use, by kind. */
  readonly tools?: Readonly<Record<string, number>> | undefined
  /** Whatever is used costs nothing: a server of one's own. Default false. */
  readonly isFree?: true
  /** It says nothing of tokens: a model that is billed in units alone. Default false. */
  readonly isOfUnits?: true
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
}

/** What decides which price source applies to a target. */
export interface PriceFacts {
  readonly provider: string
  readonly model: string
  /** The key or the model can never be billed. */
  readonly free: boolean
  /** The user's word for the key: whatever is used with it is not billed. */
  readonly neverBilled?: boolean
  readonly local: boolean
  /** Found at a loopback or private address: 0 where no other source knows a price. */
  readonly ownServer?: boolean
  /** The user's price for this model in the configuration. */
  readonly userPrice?: UserPrice | null
  /** The price from the provider's own list or our catalogue. */
  readonly cataloguePrice?: PriceHint | null
  /** What the provider documents for a model that is billed in units. */
  readonly unitPrice?: DocumentedUnits | undefined
  /** What the provider's service tiers cost, where its documentation says so for all models. */
  readonly tiers?: TierTimes | undefined
  /** What tools that run at the provider cost with every model: USD per thousand uses, by kind. */
  readonly tools?: Readonly<Record<string, number>> | undefined
}

/** A price by provider and model, or null; see `genaiPrices.ts`. Called once per model. */
export type PriceLookup = (provider: string, model: string) => Price | null

interface PricesOptions {
  /** By `provider/model`; takes precedence over everything but the target's own `userPrice`. */
  readonly overrides?: Readonly<Record<string, UserPrice>>
  /** ISO date of the provider catalogue, shown in `source`. */
  readonly catalogueDate?: string
  readonly lookup?: PriceLookup | null
}

/** No token of it is billed; what is billed apart (a search on the web) is not known to be free. */
const FREE = flat('free', { input: 0, output: 0, inputAudio: 0, outputAudio: 0, outputImage: 0, outputVideo: 0 })
const NEVER_BILLED: Price = { ...FREE, isFree: true }
/** The `source` of a price of 0 for a server of one's own. */
export const LOCAL_SOURCE = 'local'
const LOCAL: Price = { ...flat(LOCAL_SOURCE, { input: 0, output: 0 }), isFree: true }

/**
 * Prices of all models, by precedence: the user's, then 0 for what is never billed, then the dated price list, then the
 * provider's own catalogue, then 0 for a server on a private address. Without any the price is unknown: null, never 0.
 */
export class Prices {
  readonly #overrides = new Map<string, Price>()
  readonly #listed = new Map<string, Price | null>()
  readonly #lookup: PriceLookup | null
  readonly #catalogueSource: string

  constructor(options: PricesOptions = {}) {
    for (const [model, price] of Object.entries(options.overrides ?? {}))
      this.#overrides.set(model, flat('config', price))
    this.#lookup = options.lookup ?? null
    this.#catalogueSource = options.catalogueDate === undefined ? 'catalogue' : `catalogue ${options.catalogueDate}`
  }

  /** The target's price, or null when unknown. Look it up once per target and keep it. */
  priceOf(facts: PriceFacts): Price | null {
    if (facts.userPrice) return flat('config', facts.userPrice)
    const override = this.#overrides.get(`${facts.provider}/${facts.model}`)
    if (override !== undefined) return override
    if (facts.local) return LOCAL
    if (facts.neverBilled) return NEVER_BILLED
    if (facts.free || facts.model.endsWith(':free')) return FREE
    const listed = this.#listedPrice(facts.provider, facts.model) ?? this.#cataloguePrice(facts.cataloguePrice)
    const known = listed === null ? documentedUnits(facts) : withDocumented(listed, facts)
    return known ?? (facts.ownServer ? LOCAL : null)
  }

  #listedPrice(provider: string, model: string): Price | null {
    const id = `${provider}/${model}`
    let price = this.#listed.get(id)
    if (price === undefined) {
      price = this.#lookup?.(provider, model) ?? null
      this.#listed.set(id, price)
    }
    return price
  }

  #cataloguePrice(hint: PriceHint | null | undefined): Price | null {
    return hint && isPrice(hint.input) && isPrice(hint.output) ? flat(this.#catalogueSource, hint) : null
  }
}

function documentedUnits({ unitPrice }: PriceFacts): Price | null {
  if (unitPrice === undefined) return null
  const { readOn, free, leastAudioSeconds: _least, ...price } = unitPrice
  if (isEmpty(price) && !free) return null
  const documented = flat(`documented ${readOn}`, { input: 0, output: 0, ...price })
  return { ...documented, isOfUnits: true, ...(free && { isFree: true }) }
}

/** With what the provider's documentation says of all models. */
function withDocumented(listed: Price, { tiers, tools, unitPrice }: PriceFacts): Price {
  const least = unitPrice?.leastAudioSeconds
  const price = least === undefined ? listed : { ...listed, windows: withLeastLength(listed.windows, least) }
  if (tiers === undefined && tools === undefined) return price
  return { ...price, tiers, tools: tools && picoPerUse(tools) }
}

function withLeastLength(windows: readonly PriceWindow[], leastAudioSeconds: number): readonly PriceWindow[] {
  const longer = (rates: Rates): Rates => ({ ...rates, parts: { ...rates.parts, leastAudioSeconds } })
  return windows.map((window) => ({
    ...window,
    tiers: window.tiers.map((tier) => ({ ...tier, rates: longer(tier.rates) })),
  }))
}

/** One price for all hours and lengths. */
export function flat(source: string, price: UserPrice): Price {
  const tiers = [{ aboveInputTokens: -1, rates: ratesFrom(price) }]
  return { source, windows: [{ from: null, daily: null, tiers }], tiers: price.tiers }
}

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

function holds({ from, daily }: PriceWindow, at: number): boolean {
  if (from !== null && at < from) return false
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
function picoPerUse(tools: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
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
