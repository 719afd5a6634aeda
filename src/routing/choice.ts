/** Picks one target for one attempt, from the candidate table in the context of a request. */

import type { Target } from '../domain/target.ts'
import type { Bucket } from './bucket.ts'
import type { CandidateTable } from './candidateTable.ts'
import { drawBest } from './explore.ts'
import { TIE } from './order.ts'
import type { RankingContext } from './rankingContext.ts'
import type { Curiosity } from './settings.ts'

export interface Choice {
  /** -1 when nothing is eligible. */
  readonly index: number
  readonly explored: boolean
  /** One of the free tries of a new target, in the place of another target. */
  readonly pull?: Pull
}

export interface Pull {
  /** 1 for the first. */
  readonly number: number
  readonly of: number
  /** The index of the target that was chosen but for it, and the milliseconds that it is expected to take. */
  readonly instead: number
  readonly expectedMs: number
}

/** A conversation leaves a target whose reliability is below this. */
export const UNHEALTHY = 0.5

/** The target of the conversation, while it is eligible and reliable enough to stay on. */
export function pickSame({ candidates, eligibility }: RankingContext, stateId: string | null): Choice | null {
  const index = stateId === null ? undefined : candidates.indexOf(stateId)
  if (index === undefined || candidates.reliability[index]! < UNHEALTHY || !eligibility.admits(index)) return null
  return { index, explored: false }
}

/** The target with the largest key. */
export function pickBest(context: RankingContext): Choice {
  return { index: largest(context), explored: false }
}

/** The largest value, or the cheapest of those near it. */
export function pickWorthiest(context: RankingContext): Choice {
  const best = largest(context)
  return { index: cheapestNear(context, best, best), explored: false }
}

/**
 * Like `pickWorthiest`, but sometimes picks a target that may turn out better than it looks. A pick that looks worse
 * than the best by more than the margin spends a token. New targets have tries of their own (`newTargets.ts`).
 */
export function pickCurious(context: RankingContext, curiosity: Curiosity, bucket: Bucket, seed: number): Choice {
  const { best, drawn } = drawBest(context, curiosity.width, seed)
  if (best < 0) return { index: best, explored: false }
  const isWorse = context.values[best]! - context.values[drawn]! > curiosity.margin
  const isKept = drawn !== best && context.isNew(drawn) && !context.isNew(best)
  if (!isWorse && !isKept) return { index: cheapestNear(context, best, drawn), explored: false }
  if (!isKept && bucket.spend()) return { index: drawn, explored: true }
  return { index: cheapestNear(context, best, best), explored: false }
}

/**
 * Moves to the key of the same model whose account was used least in the last minute for its weight, unless its value is
 * clearly smaller: limits that are not stated are then reached as late as possible, and keys of one account, which share
 * them, gain nothing. A key whose free tries are not over is not moved to; one without them is judged by its siblings.
 */
export function pickLightest(
  { candidates, values, eligibility, costMargin, request, isNew }: RankingContext,
  choice: Choice,
): Choice {
  const siblings = choice.index < 0 || choice.explored ? [] : candidates.siblingsOf(choice.index)
  if (request.load === undefined || siblings.length < 2) return choice
  const floor = values[choice.index]! - Math.max(costMargin, TIE)
  const loadOf = (index: number) => (request.load?.(candidates.targets[index]!) ?? 0) / weightOf(candidates, index)
  let lightest = choice.index
  let least = loadOf(lightest)
  const isChosenNew = isNew(choice.index)
  for (const index of siblings) {
    if (isNew(index) && !isChosenNew) continue
    if (values[index]! * hope(candidates, index) < floor && !candidates.isNew(index)) continue
    const own = loadOf(index)
    const isLighter = own < least || (own === least && weightOf(candidates, index) > weightOf(candidates, lightest))
    if (isLighter && eligibility.admits(index)) {
      lightest = index
      least = own
    }
  }
  return lightest === choice.index ? choice : { index: lightest, explored: false }
}

/** By how much the reliability may be better than its estimate: much for a key that was seldom used. */
function hope({ reliability, reliabilitySpread }: CandidateTable, index: number): number {
  const mean = reliability[index]!
  return mean > 0 ? Math.min(1, mean + reliabilitySpread[index]!) / mean : 1
}

const weightOf = ({ targets }: CandidateTable, index: number) => targets[index]!.profile.weight

function largest({ candidates, keys, eligibility }: RankingContext): number {
  let best = -1
  for (let index = 0; index < keys.length; index++) {
    if (best >= 0 && !beats(candidates.targets, keys, index, best)) continue
    if (eligibility.admits(index)) best = index
  }
  return best
}

/** Ties are broken by the target's weight, then by its id. */
function beats(targets: readonly Target[], keys: Float64Array, index: number, best: number): boolean {
  const lead = keys[index]! - keys[best]!
  if (lead > TIE) return true
  if (lead < -TIE) return false
  const weight = targets[index]!.profile.weight - targets[best]!.profile.weight
  return weight !== 0 ? weight > 0 : targets[index]!.id < targets[best]!.id
}

/**
 * The cheapest of the targets within the margin of the best value; `preferred` wins among equally cheap ones. A new
 * target is not known to be that good.
 */
function cheapestNear(
  { candidates, valuation, values, eligibility, costMargin, isNew }: RankingContext,
  best: number,
  preferred: number,
): number {
  if (best < 0 || !(costMargin > 0)) return preferred
  const { inputTokens, outputTokens } = valuation
  const floor = values[best]! - costMargin
  let cheapest = preferred
  let leastCost = candidates.costUsd(preferred, inputTokens, outputTokens)
  const isBestNew = isNew(best)
  for (let index = 0; index < values.length; index++) {
    if (values[index]! < floor || leastCost === 0) continue
    const cost = candidates.costUsd(index, inputTokens, outputTokens)
    if (cost < leastCost * (1 - TIE) && (isBestNew || !isNew(index)) && eligibility.admits(index)) {
      cheapest = index
      leastCost = cost
    }
  }
  return cheapest
}
