/** What names a price exactly, and what it says: the version stands in each row of the ledger, the terms in the store. */

import { isoOrNull } from '../domain/isoTime.ts'
import type { Json } from '../domain/json.ts'
import { hash32 } from '../domain/random.ts'
import { nanoToUsd } from './amount.ts'
import type { FreeQuota } from './freeQuota.ts'
import type { Price, PriceWindow, Rates } from './price.ts'

/** What a row adds to the version of its price, see `costOf` and `withFreeQuota`. */
const ADDED = / (?:\+ documentation \d{4}-\d\d-\d\d|free quota(?: in part)?)/g

/** The version in a row's source. */
export const versionIn = (source: string): string => source.replaceAll(ADDED, '')

/** Everything that a version stands for, as the configuration would spell it: USD per million tokens. */
export type PriceTerms = { readonly [name: string]: Json }

/** The price with the digest of its terms in its source, so that other numbers have another version. */
export function versioned(price: Price): Price {
  return { ...price, source: `${price.source} ${digestOf(price)}` }
}

/** Eight hex digits: the same for the same numbers, in every process and after every restart. */
function digestOf(price: Price): string {
  const { of: _of, ...terms } = termsOf(price)
  return hash32(JSON.stringify(terms)).toString(16).padStart(8, '0')
}

/** Of several `rates` the last one whose conditions hold counts. */
export function termsOf({ of, windows, tiers, tools, documentedOn, free }: Price): PriceTerms {
  return {
    ...(of !== undefined && { of }),
    rates: windows.flatMap(ratesOf),
    ...(tiers !== undefined && { tiers: sorted(tiers) }),
    ...(tools !== undefined && { tools: sorted(tools, perThousand) }),
    ...(documentedOn !== undefined && { documented_on: documentedOn }),
    ...(free !== undefined && { free: freeTerms(free.quota) }),
  }
}

function freeTerms({ unit, limit, per, timeZone, models }: FreeQuota): Json {
  const amount = unit === 'usd' ? nanoToUsd(limit) : limit
  return { [unit]: amount, per, timezone: timeZone, ...(models !== null && { models }) }
}

function ratesOf({ from, daily, hours, tiers }: PriceWindow): Json[] {
  return tiers.map(({ aboveInputTokens, rates }) => ({
    ...(from !== null && { from: isoOrNull(from) }),
    ...(daily !== null && { daily: `${timeOfDay(daily.start)}-${timeOfDay(daily.end)} UTC` }),
    ...(hours !== undefined && { hours: hours.map(({ text }) => text) }),
    ...(aboveInputTokens >= 0 && { above_input_tokens: aboveInputTokens }),
    ...plainRates(rates),
    ...partRates(rates),
  }))
}

function plainRates({ input, output, cachedInput, cacheWrite, reasoning, request }: Rates): Record<string, Json> {
  return {
    input: perMillion(input),
    output: perMillion(output),
    cached_input: perMillion(cachedInput),
    cache_write: perMillion(cacheWrite),
    reasoning: perMillion(reasoning),
    ...(request !== 0 && { request: request / 1e12 }),
  }
}

function partRates({ parts }: Rates): Record<string, Json> {
  const { cacheWrite1h, tools, audioHour, leastAudioSeconds, image, character, ...sides } = parts
  const kinds = Object.entries(sides).flatMap(([side, rates]) =>
    Object.entries(rates).map(([kind, rate]) => [`${side}_${kind}`, perMillion(rate)] as const),
  )
  return {
    ...(cacheWrite1h !== undefined && { cache_write_1h: perMillion(cacheWrite1h) }),
    ...Object.fromEntries(kinds),
    ...(audioHour !== undefined && { audio_hour: audioHour / 1e12 }),
    ...(leastAudioSeconds !== undefined && { least_audio_seconds: leastAudioSeconds }),
    ...(image !== undefined && { image: image / 1e12 }),
    ...(character !== undefined && { characters: perMillion(character) }),
    ...(tools !== undefined && { tools: sorted(tools, perThousand) }),
  }
}

/** From pico-USD per token. */
const perMillion = (rate: number) => rate / 1e6
/** From pico-USD per use. */
const perThousand = (rate: number) => rate / 1e9

/** By name, because the order in which they were written changes nothing. */
function sorted(all: Readonly<Record<string, number>>, shown = (value: number) => value): Record<string, number> {
  const names = Object.keys(all).toSorted()
  return Object.fromEntries(names.map((name) => [name, shown(all[name] ?? 0)]))
}

const timeOfDay = (ms: number) => new Date(ms).toISOString().slice(11, 16)
