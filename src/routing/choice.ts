/** Picks one target for one attempt, from the candidate table in the context of a request. */

import type { Target } from '../domain/target.ts'
import type { Bucket } from './bucket.ts'
import type { CandidateTable } from './candidateTable.ts'
import { drawBest } from './explore.ts'
import { TIE } from './order.ts'
import type { RankingContext } from './rankingContext.ts'
import type { Curiosity } from './settings.ts'

/**
 * The step that chose the target. They follow each other: what is best, what the draws or a new target's free try make of
 * it, the cheapest near that, its sibling key that was used least. A conversation skips them all.
 */
export type DecidingStep = 'best' | 'draw' | 'exploration' | 'new' | 'proven' | 'cost' | 'load' | 'session'

export interface Choice {
  /** -1 when nothing is eligible. */
  readonly index: number
  readonly explored: boolean
  /** The last step that changed the choice. */
  readonly cause: DecidingStep
  /** What the steps before it had chosen; -1 for `best` and `session`, before which nothing was chosen. */
  readonly instead: number
  /** Of `new`: which of the target's free tries this is, from 1; 0 otherwise. */
  readonly pull: number
}

/** A choice that is not explored, by a step that had one target before it. */
function moved(step: DecidingStep, index: number, instead: number): Choice {
  return { index, explored: false, cause: step, instead, pull: 0 }
}

const chosenAs = (step: 'best' | 'session', index: number): Choice => moved(step, index, -1)

export const NO_CHOICE: Choice = chosenAs('best', -1)

/** A conversation leaves a target whose reliability is below this. */
export const UNHEALTHY = 0.5

/** The target of the conversation, while it is eligible and reliable enough to stay on. */
export function pickSame({ candidates, eligibility }: RankingContext, stateId: string | null): Choice | null {
  const index = stateId === null ? undefined : candidates.indexOf(stateId)
  if (index === undefined || candidates.reliability[index]! < UNHEALTHY || !eligibility.admits(index)) return null
  return chosenAs('session', index)
}

/** The target with the largest key. */
export function pickBest(context: RankingContext): Choice {
  return chosenAs('best', largest(context))
}

/** The largest value, or the cheapest of those near it. */
export function pickWorthiest(context: RankingContext): Choice {
  const best = largest(context)
  return cheaper(context, best, chosenAs('best', best))
}

/**
 * Like `pickWorthiest`, but sometimes picks a target that may turn out better than it looks. A pick that looks worse
 * than the best by more than the margin spends a token. New targets have tries of their own (`newTargets.ts`).
 */
export function pickCurious(context: RankingContext, curiosity: Curiosity, bucket: Bucket, seed: number): Choice {
  const { best, drawn } = drawBest(context, curiosity.width, seed)
  if (best < 0) return NO_CHOICE
  const isWorse = context.values[best]! - context.values[drawn]! > curiosity.margin
  const isKept = isKeptForTries(context, best, drawn)
  if (!isWorse && !isKept)
    return cheaper(context, best, drawn === best ? chosenAs('best', best) : moved('draw', drawn, best))
  if (!isKept && bucket.spend()) return { index: drawn, explored: true, cause: 'exploration', instead: best, pull: 0 }
  // Ties are broken by weight and id here as well, not by place.
  const first = largest(context)
  return cheaper(context, first, chosenAs('best', first))
}

/** A new target that was drawn beside one that is known waits for its tries (`newTargets.ts`). */
export function isKeptForTries({ isNew }: RankingContext, best: number, drawn: number): boolean {
  return drawn !== best && isNew(drawn) && !isNew(best)
}

/**
 * Moves to the key of the same model whose account was used least in the last minute for its weight, unless its value is
 * clearly smaller: limits that are not stated are then reached as late as possible, and keys of one account, which share
 * them, gain nothing. A key whose free tries are not over is not moved to; one without them is judged by its siblings.
 */
export function pickLightest(context: RankingContext, choice: Choice): Choice {
  const lightest = choice.index < 0 || choice.explored ? choice.index : lightestSibling(context, choice.index)
  return lightest === choice.index ? choice : moved('load', lightest, choice.index)
}

/** The key of the same model that was used least; the index itself where no other key may serve as well. */
export function lightestSibling(
  { candidates, values, eligibility, costMargin, request, isNew, isUnknown }: RankingContext,
  from: number,
): number {
  const siblings = candidates.siblingsOf(from)
  if (request.load === undefined || siblings.length < 2) return from
  const floor = values[from]! - Math.max(costMargin, TIE)
  const loadOf = (index: number) => (request.load?.(candidates.targets[index]!) ?? 0) / weightOf(candidates, index)
  let lightest = from
  let least = loadOf(lightest)
  const isChosenNew = isNew(from)
  for (const index of siblings) {
    if (isNew(index) && !isChosenNew) continue
    if (values[index]! * hope(candidates, index) < floor && !isUnknown(index)) continue
    const own = loadOf(index)
    const isLighter = own < least || (own === least && weightOf(candidates, index) > weightOf(candidates, lightest))
    if (isLighter && eligibility.admits(index)) {
      lightest = index
      least = own
    }
  }
  return lightest
}

/** By how much the reliability may be better than its estimate: much for a key that was seldom used. */
export function hope({ reliability, reliabilitySpread }: CandidateTable, index: number): number {
  const mean = reliability[index]!
  return mean > 0 ? Math.min(1, mean + reliabilitySpread[index]!) / mean : 1
}

const weightOf = ({ targets }: CandidateTable, index: number) => targets[index]!.profile.weight

export function largest({ candidates, keys, eligibility }: RankingContext): number {
  let best = -1
  let least = Number.NEGATIVE_INFINITY
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!
    // Among ten thousand this is the end of nearly all.
    if (key < least || (best >= 0 && !beats(candidates.targets, keys, index, best))) continue
    if (!eligibility.admits(index)) continue
    best = index
    least = key - TIE
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

/** Moves to the cheapest of the targets within the margin of the best value. */
function cheaper(context: RankingContext, best: number, choice: Choice): Choice {
  const cheapest = cheapestNear(context, best, choice.index)
  return cheapest === choice.index ? choice : moved('cost', cheapest, choice.index)
}

/**
 * The cheapest of the targets within the margin of the best value. Among equally cheap ones `preferred` wins, then the
 * larger value. A new target is not known to be that good.
 */
export function cheapestNear(
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
  // What was preferred and costs nothing stays.
  if (leastCost === 0) return preferred
  for (let index = 0; index < values.length; index++) {
    if (values[index]! < floor) continue
    const cost = candidates.costUsd(index, inputTokens, outputTokens)
    if (cost > leastCost * (1 + TIE)) continue
    const isCheaper = cost < leastCost * (1 - TIE)
    if (!isCheaper && (cheapest === preferred || !beats(candidates.targets, values, index, cheapest))) continue
    if ((isBestNew || !isNew(index)) && eligibility.admits(index)) {
      cheapest = index
      leastCost = cost
    }
  }
  return cheapest
}
