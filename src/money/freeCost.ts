/** What an attempt costs of which a part is free. */

import type { Usage } from '../domain/chat.ts'
import { type Cost, costOf } from './cost.ts'
import type { FreeAmount } from './freeCount.ts'
import type { FreeQuota } from './freeQuota.ts'
import { type Price, type Rates, ratesAt } from './price.ts'
import { soundUsage } from './usage.ts'

/** What the attempt takes of the quota; what was estimated may have been less. */
export function amountUsed({ unit }: FreeQuota, usage: Usage | null, cost: Cost | null, calls: number): FreeAmount {
  if (usage === null || cost === null) return NOTHING
  const most = unit === 'requests' ? calls : unit === 'tokens' ? tokensOf(usage) : (rangeOf(cost)?.most ?? 0)
  if (usage.estimated) return { least: 0, most }
  return { least: unit === 'usd' ? leastUsd(cost) : most, most }
}

const NOTHING: FreeAmount = { least: 0, most: 0 }

/** What the provider reports is what it bills, the credit taken off already. */
const leastUsd = (cost: Cost) => (cost.reported ? 0 : (rangeOf(cost)?.least ?? 0))

function tokensOf(usage: Usage): number {
  const sound = soundUsage(usage)
  return sound === null ? 0 : sound.inputTokens + sound.outputTokens
}

function rangeOf({ nanoUsd, range }: Cost): FreeAmount | null {
  if (nanoUsd !== null) return { least: nanoUsd, most: nanoUsd }
  return range === undefined ? null : { least: range.atLeast, most: range.atMost }
}

interface Share {
  /** What the attempt took of the quota. */
  readonly used: FreeAmount
  /** How much of that was free. */
  readonly free: FreeAmount
}

/**
 * The cost, less what was free of it: exactly where that is known and all or nothing, or of a credit in USD; else from
 * what it is if the dearest tokens were free to what it is if the cheapest were, because no provider says which.
 */
export function withFreeQuota(cost: Cost, usage: Usage, price: Price, at: number, { used, free }: Share): Cost {
  const all = rangeOf(cost)
  const { free: terms } = price
  if (terms === undefined || all === null || cost.reported || free.most <= 0) return cost
  if (terms.quota.unit === 'usd')
    return between(cost, Math.max(0, all.least - free.most), Math.max(0, all.most - free.least), free, used)
  const rest = rangeOf(costOf(usage, terms.rest, at))
  if (rest === null) return cost
  const least =
    free.most >= used.most ? rest.least : Math.max(rest.least, all.least - worth(usage, price, at, free.most).most)
  const most =
    free.least >= used.most ? rest.most : Math.max(rest.most, all.most - worth(usage, price, at, free.least).least)
  return between(cost, least, most, free, used)
}

function between({ source }: Cost, least: number, most: number, free: FreeAmount, used: FreeAmount): Cost {
  const told = `${source} free quota${free.least >= used.most ? '' : ' in part'}`
  if (least === most) return { nanoUsd: most, source: told, reported: false }
  return { nanoUsd: null, range: { atLeast: least, atMost: most }, source: told, reported: false }
}

/** What so many of the attempt's tokens cost, in nano-USD: the cheapest of them, and the dearest. */
function worth(usage: Usage, price: Price, at: number, tokens: number): FreeAmount {
  const sound = soundUsage(usage)
  // Of what is billed apart by kind nobody knows here how dear it is.
  if (sound === null || sound.parts !== undefined) return { least: 0, most: Number.POSITIVE_INFINITY }
  const kinds = kindsOf(sound, ratesAt(price, at, sound.inputTokens)).sort((a, b) => a.rate - b.rate)
  return { least: Math.floor(sumOf(kinds, tokens) / 1_000), most: Math.ceil(sumOf(kinds.reverse(), tokens) / 1_000) }
}

interface Kind {
  readonly count: number
  readonly rate: number
}

function kindsOf(usage: Usage, { input, cachedInput, cacheWrite, output, reasoning }: Rates): Kind[] {
  const { cachedInputTokens: cached = 0, cacheWriteTokens: written = 0, reasoningTokens: thought = 0 } = usage
  return [
    { count: usage.inputTokens - cached - written, rate: input },
    { count: cached, rate: cachedInput },
    { count: written, rate: cacheWrite },
    { count: usage.outputTokens - thought, rate: output },
    { count: thought, rate: reasoning },
  ]
}

/** Pico-USD of the first so many tokens. */
function sumOf(kinds: readonly Kind[], tokens: number): number {
  let left = tokens
  let pico = 0
  for (const { count, rate } of kinds) {
    const taken = Math.min(count, left)
    pico += taken * rate
    left -= taken
  }
  return pico
}
