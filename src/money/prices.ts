/** The precedence of price sources. */

import { isEmpty } from '../domain/json.ts'
import type { DocumentedUnits, PriceHint, TierTimes } from '../domain/target.ts'
import { type Contract, underContract } from './contract.ts'
import {
  flat,
  isPrice,
  type Price,
  type PriceLookup,
  type PriceWindow,
  picoPerUse,
  type Rates,
  type UserPrice,
} from './price.ts'
import { versioned } from './priceVersion.ts'

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
  /** The price in a facts file that the user installed; not for a model whose price its provider lists. */
  readonly installedPrice?: InstalledPrice | null | undefined
  /** What the provider documents for a model that is billed in units. */
  readonly unitPrice?: DocumentedUnits | undefined
  /** What the provider's service tiers cost, where its documentation says so for all models. */
  readonly tiers?: TierTimes | undefined
  /** What tools that run at the provider cost with every model: USD per thousand uses, by kind. */
  readonly tools?: Readonly<Record<string, number>> | undefined
  /** ISO date on which both were read. */
  readonly documentedOn?: string | undefined
  /** What the key's account agreed with the provider. */
  readonly contract?: Contract | undefined
  /** The account that the key belongs to; free quotas are counted by it. Default: the provider's only one. */
  readonly account?: string
}

/** A price that someone read and dated. */
interface InstalledPrice {
  readonly value: UserPrice
  /** ISO date. */
  readonly checkedAt: string
  /** The day until which it counts as current is over. */
  readonly isAsOf: boolean
}

interface PricesOptions {
  /** By `provider/model`; takes precedence over everything but the target's own `userPrice`. */
  readonly overrides?: Readonly<Record<string, UserPrice>>
  readonly lookup?: PriceLookup | null
  /** ISO date of what `lookup` finds. Default: older than anything. */
  readonly lookupDate?: string
}

/** No token of it is billed; what is billed apart (a search on the web) is not known to be free. */
const FREE = flat('free', { input: 0, output: 0, inputAudio: 0, outputAudio: 0, outputImage: 0, outputVideo: 0 })
const NEVER_BILLED: Price = { ...FREE, isFree: true }
/** The `source` of a price of 0 for a server of one's own. */
export const LOCAL_SOURCE = 'local'
const LOCAL: Price = { ...flat(LOCAL_SOURCE, { input: 0, output: 0 }), isFree: true }

/**
 * Prices of all models, by precedence: the user's, then 0 for what is never billed, then the dated price list (or the
 * installed facts, where they are newer), then the provider's own catalogue, then 0 for a server on a private address.
 * Without any the price is unknown: null, never 0.
 */
export class Prices {
  readonly #overrides = new Map<string, Price>()
  readonly #listed = new Map<string, Price | null>()
  readonly #lookup: PriceLookup | null
  readonly #lookupDate: string

  constructor(options: PricesOptions = {}) {
    for (const [model, price] of Object.entries(options.overrides ?? {}))
      this.#overrides.set(model, versioned(flat('config', price)))
    this.#lookup = options.lookup ?? null
    this.#lookupDate = options.lookupDate ?? ''
  }

  /** The target's price, or null when unknown. Look it up once per target and keep it. */
  priceOf(facts: PriceFacts): Price | null {
    const price = this.#usualPrice(facts)
    if (facts.contract === undefined || price === FREE || price?.isFree) return price
    return underContract(price, facts.contract, { ...facts, account: facts.account ?? facts.provider })
  }

  /** What the model costs without a contract. */
  #usualPrice(facts: PriceFacts): Price | null {
    if (facts.userPrice) return versioned(flat('config', facts.userPrice))
    const override = this.#overrides.get(`${facts.provider}/${facts.model}`)
    if (override !== undefined) return override
    if (facts.local) return LOCAL
    if (facts.neverBilled) return NEVER_BILLED
    if (facts.free || facts.model.endsWith(':free')) return FREE
    const listed = this.#knownPrice(facts)
    const known = listed === null ? documentedUnits(facts) : withDocumented(listed, facts)
    return known ?? (facts.ownServer ? LOCAL : null)
  }

  /** What was installed, where it is not older than the price list; else the list, the catalogue, and then that. */
  #knownPrice({ provider, model, cataloguePrice: hint, installedPrice }: PriceFacts): Price | null {
    const installed = installedPrice ? versioned(flat(installedSource(installedPrice), installedPrice.value)) : null
    if (installed !== null && (installedPrice?.checkedAt ?? '') >= this.#lookupDate) return installed
    return this.#listedPrice(provider, model) ?? cataloguePrice(hint) ?? installed
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
}

const installedSource = ({ checkedAt, isAsOf }: InstalledPrice) => `facts ${isAsOf ? 'as of ' : ''}${checkedAt}`

function cataloguePrice(hint: PriceHint | null | undefined): Price | null {
  return hint && isPrice(hint.input) && isPrice(hint.output) ? versioned(flat('catalogue', hint)) : null
}

function documentedUnits({ unitPrice }: PriceFacts): Price | null {
  if (unitPrice === undefined) return null
  const { readOn, free, leastAudioSeconds: _least, ...price } = unitPrice
  if (isEmpty(price) && !free) return null
  const documented = flat(`documented ${readOn}`, { input: 0, output: 0, ...price })
  return versioned({ ...documented, isOfUnits: true, ...(free && { isFree: true }) })
}

/** With what the provider's documentation says of all models. */
function withDocumented(listed: Price, { tiers, tools, documentedOn, unitPrice }: PriceFacts): Price {
  const least = unitPrice?.leastAudioSeconds
  const price = least === undefined ? listed : { ...listed, windows: withLeastLength(listed.windows, least) }
  if (tiers === undefined && tools === undefined) return price
  return { ...price, tiers: price.tiers ?? tiers, tools: tools && picoPerUse(tools), documentedOn }
}

function withLeastLength(windows: readonly PriceWindow[], leastAudioSeconds: number): readonly PriceWindow[] {
  const longer = (rates: Rates): Rates => ({ ...rates, parts: { ...rates.parts, leastAudioSeconds } })
  return windows.map((window) => ({
    ...window,
    tiers: window.tiers.map((tier) => ({ ...tier, rates: longer(tier.rates) })),
  }))
}
