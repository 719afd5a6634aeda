/** Picks one target for one attempt, from the candidate table as a request sees it. */

import type { Target } from '../domain/target.ts'
import type { Bucket } from './bucket.ts'
import type { CandidateTable } from './candidateTable.ts'
import { drawBest } from './explore.ts'
import { TIE } from './order.ts'
import type { RankingContext } from './rankingContext.ts'
import type { Curiosity } from './settings.ts'
import { slot } from './sums.ts'

export interface Choice {
  /** -1 when nothing is eligible. */
  readonly index: number
  readonly explored: boolean
}

/** A conversation leaves a target that answers less often than this. */
const UNHEALTHY = 0.5

/** The target the conversation is on, while it can be and is worth staying on. */
export function pickSame({ candidates, eligibility }: RankingContext, stateId: string | null): Choice | null {
  const index = stateId === null ? undefined : candidates.indexOf(stateId)
  if (index === undefined || candidates.reliability[index]! < UNHEALTHY || !eligibility.admits(index)) return null
  return { index, explored: false }
}

/** The target with the largest key. */
export function pickBest(context: RankingContext): Choice {
  return { index: largest(context), explored: false }
}

/** As `pickBest`, but an untried target goes first, once. */
export function pickNewFirst(context: RankingContext): Choice {
  const index = largest(context)
  if (index < 0 || !context.candidates.isNew(index)) return { index, explored: false }
  context.candidates.known[index]!.row[slot.freePulls]!++
  return { index, explored: true }
}

/** The largest value, or the cheapest of those near it. */
export function pickWorthiest(context: RankingContext): Choice {
  const best = largest(context)
  return { index: cheapestNear(context, best, best), explored: false }
}

/**
 * As `pickWorthiest`, but now and then a target that might turn out better than it looks. A pick that looks worse than
 * the best by more than the margin has to be paid for.
 */
export function pickCurious(context: RankingContext, curiosity: Curiosity, bucket: Bucket, seed: number): Choice {
  const { best, drawn } = drawBest(context, curiosity.width, seed)
  if (best < 0) return { index: best, explored: false }
  const isWorse = context.values[best]! - context.values[drawn]! > curiosity.margin
  if (!isWorse) return { index: cheapestNear(context, best, drawn), explored: false }
  if (isFree(context.candidates, drawn, curiosity.freePulls) || bucket.spend()) return { index: drawn, explored: true }
  return { index: cheapestNear(context, best, best), explored: false }
}

/**
 * The same model on the key whose account was used least recently, where it is as good: unstated limits
 * are then met as late as possible, and keys of one account, which share them, add nothing. For an
 * untried key the best guess is what its siblings are like.
 */
export function pickLightest(
  { candidates, values, eligibility, costMargin, load }: RankingContext,
  choice: Choice,
): Choice {
  const siblings = choice.index < 0 || choice.explored ? [] : candidates.siblingsOf(choice.index)
  if (load === undefined || siblings.length < 2) return choice
  const floor = values[choice.index]! - Math.max(costMargin, TIE)
  let lightest = choice.index
  let least = load(candidates.targets[lightest]!)
  for (const index of siblings) {
    if (least === 0 || (values[index]! < floor && !candidates.isNew(index))) continue
    const weight = load(candidates.targets[index]!)
    if (weight < least && eligibility.admits(index)) {
      lightest = index
      least = weight
    }
  }
  return lightest === choice.index ? choice : { index: lightest, explored: false }
}

/** New targets are tried a few times for nothing. */
function isFree(candidates: CandidateTable, index: number, freePulls: number): boolean {
  const { row } = candidates.known[index]!
  const seen = row[slot.successes]! + row[slot.failures]!
  if (seen >= freePulls || row[slot.freePulls]! >= freePulls) return false
  row[slot.freePulls]!++
  return true
}

function largest({ candidates, keys, eligibility }: RankingContext): number {
  let best = -1
  for (let index = 0; index < keys.length; index++) {
    if (best >= 0 && !beats(candidates.targets, keys, index, best)) continue
    if (eligibility.admits(index)) best = index
  }
  return best
}

/** Among equals the heavier target, then the id decides. */
function beats(targets: readonly Target[], keys: Float64Array, index: number, best: number): boolean {
  const lead = keys[index]! - keys[best]!
  if (lead > TIE) return true
  if (lead < -TIE) return false
  const weight = targets[index]!.profile.weight - targets[best]!.profile.weight
  return weight !== 0 ? weight > 0 : targets[index]!.id < targets[best]!.id
}

/** The cheapest of the targets within the margin of the best value; `preferred` among equally cheap ones. */
function cheapestNear(
  { candidates, valuation, values, eligibility, costMargin }: RankingContext,
  best: number,
  preferred: number,
): number {
  if (best < 0 || !(costMargin > 0)) return preferred
  const { inputTokens, outputTokens } = valuation
  const floor = values[best]! - costMargin
  let cheapest = preferred
  let leastCost = candidates.costUsd(preferred, inputTokens, outputTokens)
  for (let index = 0; index < values.length; index++) {
    if (values[index]! < floor || leastCost === 0) continue
    const cost = candidates.costUsd(index, inputTokens, outputTokens)
    if (cost < leastCost * (1 - TIE) && eligibility.admits(index)) {
      cheapest = index
      leastCost = cost
    }
  }
  return cheapest
}
