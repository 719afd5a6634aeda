/** What is not counted in tokens but in units of its own: what a call of them costs at most. */

import { picoToNano } from './amount.ts'
import { mostBy, type WorstCase } from './cost.ts'
import { ofRecording } from './partCosts.ts'
import { type Price, type Rates, ratesAt } from './price.ts'

/** What a request can use at most; absent: nothing of it. */
export interface UnitsNeed {
  /** Of a text that is to be spoken. */
  readonly characters?: number
  /** Pictures to be made. */
  readonly images?: number
  /** A query with up to a hundred pieces of documents each. */
  readonly searches?: number
  /** Of a recording; Infinity: nothing is known of its length. */
  readonly audioSeconds?: number
}

/** The kind of tool as which searches are counted. */
export const SEARCHES = 'search_units'

/** Null where one of the units has no price: pictures that are counted in tokens, say. */
export function worstOfUnits(need: UnitsNeed, price: Price | null, at: number): WorstCase {
  const tokens = { inputTokens: 0, outputTokens: 0, answerTokens: 0 }
  return { nanoUsd: price && mostNano(need, price, at), ...tokens, boundedBy: 'request' }
}

function mostNano(need: UnitsNeed, price: Price, at: number): number | null {
  if (isFreeOfUnits(price)) return 0
  // Hours change rates and leave none out.
  if (nanoBy(ratesAt(price, at, 0), need, price) === null) return null
  return mostBy(price, at, 0, (rates) => nanoBy(rates, need, price) ?? 0)
}

function nanoBy(rates: Rates, need: UnitsNeed, price: Price): number | null {
  const { parts } = rates
  const search = parts.tools?.[SEARCHES] ?? price.tools?.[SEARCHES]
  const amounts = [
    times(need.characters, parts.character),
    times(need.images, parts.image),
    times(need.searches, search),
    recording(need.audioSeconds, rates),
  ]
  const isAnything = Object.values(need).some((count) => count > 0)
  if (!isAnything || amounts.includes(null)) return null
  return picoToNano(amounts.reduce<bigint>((sum, one) => sum + (one ?? 0n), BigInt(rates.request)))
}

function times(count: number | undefined, rate: number | undefined): bigint | null {
  if (count === undefined || count === 0) return 0n
  return rate === undefined ? null : BigInt(count) * BigInt(rate)
}

function recording(seconds: number | undefined, { parts: { audioHour, leastAudioSeconds = 0 } }: Rates): bigint | null {
  if (seconds === undefined) return 0n
  if (audioHour === undefined || !Number.isFinite(seconds)) return null
  return ofRecording(seconds, audioHour, leastAudioSeconds, 1n) + 1n
}

/** Whether nothing is ever billed: every price is 0, and none is one of units. */
export function isFreeOfUnits(price: Price): boolean {
  const isNothing = ({ parts, ...plain }: Rates) =>
    Object.values(plain).every((rate) => rate === 0) && !hasUnitRate(parts) && parts.tools === undefined
  return price.isFree === true || price.windows.every(({ tiers }) => tiers.every(({ rates }) => isNothing(rates)))
}

/** Whether anything that is counted in units has a price. */
export function hasUnitPrice(price: Price): boolean {
  const rates = price.windows.flatMap(({ tiers }) => tiers.map((tier) => tier.rates.parts))
  return isFreeOfUnits(price) || price.tools?.[SEARCHES] !== undefined || rates.some(hasUnitRate)
}

/** Whether these are all that is billed. */
export function isBilledBy(price: Price, unit: 'character' | 'image'): boolean {
  const all = price.windows.flatMap(({ tiers }) => tiers)
  return all.every(({ rates }) => rates.input + rates.output === 0 && rates.parts[unit] !== undefined)
}

function hasUnitRate({ audioHour, image, character, tools }: Rates['parts']): boolean {
  return [audioHour, image, character, tools?.[SEARCHES]].some((rate) => rate !== undefined)
}
