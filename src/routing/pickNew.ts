/**
 * The pick while there are new targets: whether this request tries one, in the place of a target that is known. Before
 * its tries are over a new target is reached only by them: no draw, price or load moves other requests to it.
 */

import type { Target } from '../domain/target.ts'
import { type Choice, UNHEALTHY } from './choice.ts'
import type { NewTargets } from './newTargets.ts'
import type { RankingContext } from './rankingContext.ts'
import type { Strategy } from './settings.ts'
import { expectedMs } from './valuation.ts'

/** What a request says about trying new targets. */
export interface TryingRequest {
  /** Seeds the draws of the decision: the same id in the same state decides the same. */
  readonly id: string
  /** For `priority`: the targets in their order, by `stateId`. Default: the order of `setTargets`. */
  readonly order?: readonly string[] | undefined
  /** A failed first attempt could not be made good: never a new target while one that is known to work is eligible. */
  readonly mustNotFail?: boolean
  /** All targets that can be eligible, by `stateId`; null or absent where these are not known beforehand. */
  readonly named?: ReadonlySet<string> | null
  /**
   * Whether the request may try a new target in the place of another one, which is expected to take `expectedMs`.
   * Default: it may.
   */
  mayTry?(target: Target, instead: Target, expectedMs: number): boolean
}

interface Picking {
  readonly request: TryingRequest
  readonly context: RankingContext
  readonly strategy: Strategy
  readonly newTargets: NewTargets
  readonly turn: number
  readonly now: number
  readonly exploring: boolean
  /** The pick of the strategy. */
  readonly known: (exploring: boolean) => Choice
}

/** The strategies whose order is the user's word: a new target has its place in it, whatever is known of it. */
const IN_ORDER: ReadonlySet<Strategy> = new Set(['round-robin', 'priority'])
/** A request that must not fail is better off with a target that is known to be this reliable than with a new one. */
const RELIABLE = 0.8

export function pickBesideNew(picking: Picking): Choice {
  const { request, exploring, known } = picking
  if (request.mustNotFail) return pickSafe(picking)
  if (!exploring) return known(false)
  return tryNew(picking) ?? pickUsual(picking)
}

function pickSafe({ context, strategy, known }: Picking): Choice {
  const choice = known(false)
  if (choice.index < 0 || !context.isNew(choice.index) || IN_ORDER.has(strategy)) return choice
  const proven = pickProven(context, known)
  return isReliable(context, proven, RELIABLE) ? sparing(choice, proven) : choice
}

/** A new target in the place of one that is known; null when it is not the time for that, or none may be tried. */
function tryNew(picking: Picking): Choice | null {
  const { context, strategy, request, newTargets, turn, known } = picking
  // A list that the user put in order is a promise: what comes first in it is asked first.
  if (!newTargets.isTurn(request.named ?? null, turn) || (strategy === 'priority' && request.order !== undefined))
    return null
  const { index } = known(false)
  return index < 0 || context.isNew(index) ? null : pull(picking, index)
}

/** The usual pick. It may be a new target itself: that is one of its tries then, and others come in between. */
function pickUsual(picking: Picking): Choice {
  const { context, strategy, request, newTargets, turn, now, known } = picking
  const choice = known(true)
  if (choice.index < 0 || !context.isNew(choice.index) || strategy === 'priority') return choice
  const proven = pickProven(context, known)
  const hasProven = isReliable(context, proven, UNHEALTHY)
  if (hasProven && !mayTry(picking, choice.index, proven.index)) return sparing(choice, proven)
  if (!newTargets.isReady(choice.index, turn, now))
    return hasProven ? sparing(choice, proven) : (pull(picking, known(false).index) ?? choice)
  newTargets.begin(choice.index, request.id, turn, now)
  return choice
}

/** What is known, in the place of a new target that looks better. */
function sparing({ index: instead }: Choice, { index }: Choice): Choice {
  return { index, explored: false, cause: 'proven', instead, pull: 0 }
}

/** The pick without new targets. */
function pickProven({ eligibility, isNew }: RankingContext, known: Picking['known']): Choice {
  return eligibility.barring(isNew, () => known(false))
}

const isReliable = ({ candidates }: RankingContext, { index }: Choice, least: number) =>
  index >= 0 && candidates.reliability[index]! >= least

function pull(picking: Picking, instead: number): Choice | null {
  const { context, request, newTargets, turn, now } = picking
  const may = (index: number) =>
    index !== instead && context.eligibility.admits(index) && mayTry(picking, index, instead)
  const index = newTargets.find(may, request.named ?? null, turn, now)
  if (index < 0) return null
  newTargets.begin(index, request.id, turn, now)
  return { index, explored: true, cause: 'new', instead, pull: newTargets.triesOf(index) + 1 }
}

function mayTry({ request, context }: Picking, index: number, instead: number): boolean {
  const { candidates, valuation } = context
  const { targets } = candidates
  return request.mayTry?.(targets[index]!, targets[instead]!, expectedMs(candidates, valuation, instead)) ?? true
}
