/** What the same tokens would have cost elsewhere in the user's own configuration. */

import type { LedgerSum } from '../domain/store.ts'
import type { Target } from '../domain/target.ts'
import type { EngineReader } from '../engine/reader.ts'
import { nanoToUsd, picoToNano } from '../money/amount.ts'
import { type Rates, ratesAt } from '../money/price.ts'

/**
 * All tokens of the period at the plain rates (no cache discounts, no fee per request) of one paid target,
 * minus what was really paid. A comparison, not a bill: another model would have used more or fewer tokens.
 */
export interface Saved {
  /** Against the median paid target, by the price of these tokens. */
  readonly median: SavingsComparison
  readonly dearest: SavingsComparison
}

interface SavingsComparison {
  readonly target: string
  readonly costUsd: number
  /** Never below 0; at most so much where a cost is not, or not wholly, known. */
  readonly savedUsd: number
}

interface PricedUsage {
  readonly target: Target
  readonly nanoUsd: number
}

/** Null when no configured target has a known price above 0. */
export function savedBy(sum: LedgerSum, { registry, now }: EngineReader): Saved | null {
  const priced: PricedUsage[] = []
  for (const target of registry.targets) {
    const price = registry.priceOf(target)
    if (price === null || target.profile.abilities.chat === false) continue
    const rates = ratesAt(price, now, 0)
    if (rates.input + rates.output > 0) priced.push({ target, nanoUsd: costAt(rates, sum) })
  }
  priced.sort((a, b) => a.nanoUsd - b.nanoUsd)
  const median = priced[Math.floor((priced.length - 1) / 2)]
  const dearest = priced.at(-1)
  if (median === undefined || dearest === undefined) return null
  return { median: compare(median, sum), dearest: compare(dearest, sum) }
}

function costAt(rates: Rates, { inputTokens, outputTokens }: LedgerSum): number {
  const pico = (tokens: number, rate: number) => BigInt(Math.round(tokens)) * BigInt(rate)
  return picoToNano(pico(inputTokens, rates.input) + pico(outputTokens, rates.output))
}

function compare({ target, nanoUsd }: PricedUsage, { costNanoUsd }: LedgerSum): SavingsComparison {
  return {
    target: target.id,
    costUsd: nanoToUsd(nanoUsd),
    savedUsd: nanoToUsd(Math.max(0, nanoUsd - costNanoUsd)),
  }
}
