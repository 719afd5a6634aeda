/** What an account agreed with its provider, and the price of a model under it. */

import { matchesPattern } from '../domain/pattern.ts'
import type { TierTimes } from '../domain/target.ts'
import { type FreeQuota, type FreeTerms, freeQuotaFor } from './freeQuota.ts'
import {
  flat,
  type HourTimes,
  type Price,
  picoPerUse,
  ratesFrom,
  timesTier,
  type UserPrice,
  withHours,
} from './price.ts'
import { versioned } from './priceVersion.ts'

/** As written: beside a key, or in the provider's block for all of its keys. */
export interface Contract extends PriceChanges {
  /** Usage that is not billed; of several that cover a model the first counts. */
  readonly free?: readonly FreeTerms[]
  /** By pattern of model ids. The first that fits counts, in the place of `times` and `hours`. */
  readonly models?: Readonly<Record<string, ModelTerms>>
}

/** Changes to what a model costs otherwise. */
interface PriceChanges {
  /** How many times the price: 0.85 for 15 per cent off. Default 1. */
  readonly times?: number
  /** How many times that at some hours. */
  readonly hours?: HourTimes
}

/** A price of its own (`input` and `output`, which stand or lack together), or changes to the usual one. */
interface ModelTerms extends PriceChanges, Partial<UserPrice> {}

/** Whose price it is. */
interface Payer {
  readonly provider: string
  readonly model: string
  readonly account: string
}

/** Null where the price stays unknown: a part of what nobody knows is not known either. */
export function underContract(usual: Price | null, contract: Contract, payer: Payer): Price | null {
  const own = termsFor(contract, payer.model)
  const quota = freeQuotaFor(contract.free ?? [], payer)
  const { times = 1, hours } = own ?? contract
  const agreed = priceIn(own)
  const base = agreed === null ? usual : flat('config', agreed)
  const isUsual = own === undefined && times === 1 && hours === undefined
  if (base === null || (isUsual && quota === undefined)) return base
  const windows = withTools(base, own?.tools).map((window) => ({
    ...window,
    tiers: times === 1 ? window.tiers : window.tiers.map((tier) => timesTier(tier, times)),
  }))
  const price: Price = {
    source: 'config',
    ...(agreed === null && { of: base.source }),
    ...(base.isOfUnits && { isOfUnits: true }),
    windows: withHours(windows, hours),
    tiers: tiersOf(base, own),
  }
  return versioned(quota === undefined ? price : { ...price, free: { quota, rest: restOf(price, quota) } })
}

/** What usage within the quota still costs. Of a credit in USD that is nothing, tools included. */
function restOf(price: Price, { unit }: FreeQuota): Price {
  const windows = price.windows.map((window) => ({
    ...window,
    tiers: window.tiers.map(({ aboveInputTokens, rates: { request, parts } }) => {
      const tools = parts.tools === undefined ? {} : { tools: parts.tools }
      const rates = { ...NO_RATES, request: unit === 'tokens' ? request : 0, parts: { ...NO_RATES.parts, ...tools } }
      return { aboveInputTokens, rates }
    }),
  }))
  return { source: price.source, windows, tiers: price.tiers }
}

const NO_RATES = ratesFrom({
  input: 0,
  output: 0,
  cacheWrite1h: 0,
  inputAudio: 0,
  cachedAudio: 0,
  outputAudio: 0,
  outputImage: 0,
  outputVideo: 0,
})

/** The price that the contract itself states for a model; null when it states none. */
export function agreedPrice(contract: Contract, model: string): UserPrice | null {
  return priceIn(termsFor(contract, model))
}

function termsFor({ models = {} }: Contract, model: string): ModelTerms | undefined {
  const pattern = Object.keys(models).find((one) => matchesPattern(one, model))
  return pattern === undefined ? undefined : models[pattern]
}

/** `hours` and `times` of the terms are applied to it as to any other price. */
function priceIn(terms: ModelTerms | undefined): UserPrice | null {
  if (terms?.input === undefined || terms.output === undefined) return null
  const { times: _times, hours: _hours, input, output, ...more } = terms
  return { ...more, input, output }
}

/** What tools cost with every model becomes a rate like the others, and is changed with them. */
function withTools({ windows, tools }: Price, own: UserPrice['tools']): Price['windows'] {
  if (tools === undefined && own === undefined) return windows
  const agreed = picoPerUse(own ?? {})
  return windows.map((window) => ({
    ...window,
    tiers: window.tiers.map(({ aboveInputTokens, rates }) => ({
      aboveInputTokens,
      rates: { ...rates, parts: { ...rates.parts, tools: { ...tools, ...rates.parts.tools, ...agreed } } },
    })),
  }))
}

function tiersOf(base: Price, own: ModelTerms | undefined): TierTimes | undefined {
  return own?.tiers === undefined ? base.tiers : { ...base.tiers, ...own.tiers }
}
