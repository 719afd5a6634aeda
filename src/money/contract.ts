/** What an account agreed with its provider, and the price of a model under it. */

import { matchesPattern } from '../domain/pattern.ts'
import type { TierTimes } from '../domain/target.ts'
import { flat, type HourTimes, type Price, picoPerUse, timesTier, type UserPrice, withHours } from './price.ts'
import { versioned } from './priceVersion.ts'

/** As written: beside a key, or in the provider's block for all of its keys. */
export interface Contract extends PriceChanges {
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

interface Agreed {
  readonly model: string
}

/** Null where the price stays unknown: a part of what nobody knows is not known either. */
export function underContract(usual: Price | null, contract: Contract, { model }: Agreed): Price | null {
  const own = termsFor(contract, model)
  const { times = 1, hours } = own ?? contract
  const agreed = priceIn(own)
  const base = agreed === null ? usual : flat('config', agreed)
  if (base === null || (own === undefined && times === 1 && hours === undefined)) return base
  const windows = withTools(base, own?.tools).map((window) => ({
    ...window,
    tiers: times === 1 ? window.tiers : window.tiers.map((tier) => timesTier(tier, times)),
  }))
  return versioned({
    source: 'config',
    ...(agreed === null && { of: base.source }),
    ...(base.isOfUnits && { isOfUnits: true }),
    windows: withHours(windows, hours),
    tiers: tiersOf(base, own),
  })
}

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
