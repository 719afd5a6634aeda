/** Where the terms of a score come from, as text. */

import type { Target } from '../domain/target.ts'
import type { CandidateTable } from './candidateTable.ts'
import { PRIORS } from './estimate.ts'
import { allTime } from './order.ts'
import type { RankingContext } from './rankingContext.ts'
import type { Rated } from './recentRatings.ts'
import type { Terms } from './score.ts'
import { FAST, remainingAt, slot } from './sums.ts'
import { expectedMs } from './valuation.ts'

/** `47 of 49; last 10 minutes 3 of 4`, for each term. */
export type TermInputs = { readonly [T in keyof Terms]: string }

export function termInputsOf(context: RankingContext, index: number, now: number): TermInputs {
  const { candidates, valuation } = context
  const { row, shared } = candidates.known[index]!
  const stats = allTime(row)
  const left = remainingAt(row, now, FAST)
  const recent = Math.round((row[slot.fastSuccesses]! + row[slot.fastFailures]!) * left)
  const whole = `${stats.successes} of ${stats.successes + stats.failures}`
  const minutes = `last 10 minutes ${Math.round(row[slot.fastSuccesses]! * left)} of ${recent}`
  const ms = Math.round(expectedMs(candidates, valuation, index))
  return {
    reliability: recent > 0 ? `${whole}; ${minutes}` : whole,
    speed: valuation.outputTokens > 0 ? `${ms} ms for ${Math.round(valuation.outputTokens)} tokens` : `${ms} ms`,
    quality: `${stats.quality === null ? qualityPrior(candidates.targets[index]!) : `${row[slot.qualityCount]} scores`}${fromTokens(shared)}`,
    recency: stats.lastSuccessAt > 0 ? `${duration(now - stats.lastSuccessAt)} ago` : 'new',
  }
}

/** Tokens among several count once an hour. */
function fromTokens(shared: readonly Rated[] | null): string {
  const { length } = shared ?? []
  return length === 0 ? '' : `; ${length} hour${length === 1 ? '' : 's'} of ratings by tokens`
}

function qualityPrior({ profile }: Target): string {
  const prior = profile.qualityPrior ?? PRIORS.quality
  return profile.qualityPriorSource ? `prior ${prior}: ${profile.qualityPriorSource}` : `prior ${prior}`
}

export function priorsOf(candidates: CandidateTable, index: number): (keyof Terms)[] {
  const { row, shared } = candidates.known[index]!
  const priors: (keyof Terms)[] = []
  if (candidates.isNew(index)) priors.push('reliability')
  if (row[slot.slowCount] === 0) priors.push('speed')
  if (row[slot.qualityCount] === 0 && !shared?.length) priors.push('quality')
  return priors
}

function duration(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000))
  if (minutes < 120) return `${minutes} min`
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`
}
