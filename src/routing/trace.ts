/** Goes through the steps of a decision once more, to see what stood as chosen after each; `cause.ts` names them. */

import type { Target } from '../domain/target.ts'
import type { CauseStep } from './cause.ts'
import { type Choice, cheapestNear, isKeptForTries, largest, lightestSibling, pickSame } from './choice.ts'
import { EligibilityCache, type Question } from './eligibilityCache.ts'
import { drawBest } from './explore.ts'
import type { RankingContext } from './rankingContext.ts'
import { CURIOSITY, type RoutingSettings } from './settings.ts'
import { pressedBy } from './valuation.ts'

/** What stood as chosen after a step, by index; -1: nothing. */
interface Move {
  readonly step: CauseStep
  readonly index: number
}

export interface TraceFacts {
  readonly settings: RoutingSettings
  readonly question: Question
  readonly groups: readonly ReadonlySet<string>[] | null
  /** The target of the conversation, by `stateId`. */
  readonly session: string | null
  /** Seed of the draws; null where none were made. */
  readonly seed: number | null
  /** What was chosen; null to find out what would be, without exploring. */
  readonly choice: Choice | null
}

export interface Trace {
  readonly moves: readonly Move[]
  /** The best of the others where the last one stood, by index; -1: there is none. */
  readonly runnerUp: number
  /** No other target could be tried. */
  readonly isAlone: boolean
}

export function traceOf(context: RankingContext, facts: TraceFacts): Trace {
  const all = admitting(context, facts, null)
  const first = largest(withoutPressure(all, facts))
  if (first < 0) return { moves: [{ step: 'best', index: -1 }], runnerUp: -1, isAlone: false }
  const group = firstGroup(context, all, facts)
  const moves: Move[] = [{ step: 'best', index: first }]
  moves.push({ step: 'order', index: largest(withoutPressure(group, facts)) })
  moves.push({ step: 'pressure', index: largest(group) })
  pickAmong(group, facts, moves)
  const same = pickSame(all, facts.session)
  if (same !== null) moves.push({ step: 'session', index: same.index })
  endAt(facts.choice, moves)
  const last = context.candidates.targets[moves.at(-1)!.index]
  const isOut = (target: Target) => target === last || group.members?.has(target.stateId) === false
  return {
    moves,
    runnerUp: largest(admitting(context, facts, isOut)),
    isAlone: largest(admitting(context, facts, (target) => target === last)) < 0,
  }
}

/** The steps within the group: a draw or an exploration, the cost and the load, then what new targets change of that. */
function pickAmong(context: RankingContext, facts: TraceFacts, moves: Move[]): void {
  const { choice } = facts
  const isOfNew = choice?.cause === 'new' || choice?.cause === 'proven'
  if (choice?.cause === 'exploration') return void moves.push({ step: 'exploration', index: choice.index })
  pickByKnown(context, choice?.cause === 'new' ? { ...facts, seed: null } : facts, moves)
  if (choice === null || !isOfNew) return
  // Beside one new target another may have been explored, which was then spared as well.
  if (choice.instead >= 0 && moves.at(-1)!.index !== choice.instead)
    moves.push({ step: 'exploration', index: choice.instead })
  moves.push({ step: choice.cause, index: choice.index })
}

function pickByKnown(context: RankingContext, { settings, seed }: TraceFacts, moves: Move[]): void {
  const { strategy, curiosity = CURIOSITY } = settings
  const { values } = context
  const best = moves.at(-1)!.index
  if (best < 0) return
  let index = best
  if (strategy === 'learned' && seed !== null) {
    const { best: top, drawn } = drawBest(context, curiosity.width, seed)
    const isNear = drawn >= 0 && values[top]! - values[drawn]! <= curiosity.margin
    if (isNear && !isKeptForTries(context, top, drawn)) index = drawn
    moves.push({ step: 'draw', index })
  }
  if (strategy === 'learned') {
    index = cheapestNear(context, best, index)
    moves.push({ step: 'cost', index })
  }
  if (strategy === 'learned' || strategy === 'score')
    moves.push({ step: 'load', index: lightestSibling(context, index) })
}

/** What was chosen is chosen, also where something has changed since and the steps would now lead elsewhere. */
function endAt(choice: Choice | null, moves: Move[]): void {
  if (choice === null || moves.at(-1)!.index === choice.index) return
  if (choice.instead >= 0) moves.push({ step: 'best', index: choice.instead })
  moves.push({ step: choice.index < 0 ? 'best' : choice.cause, index: choice.index })
}

function admitting(
  context: RankingContext,
  { question }: TraceFacts,
  isOut: ((target: Target) => boolean) | null,
): RankingContext {
  const eligibility = new EligibilityCache()
  eligibility.open(context.candidates.targets, question, isOut)
  return { ...context, eligibility }
}

/** The targets of the first group of which any may be tried. */
function firstGroup(context: RankingContext, all: RankingContext, facts: TraceFacts): GroupContext {
  for (const group of facts.groups ?? []) {
    const inside = admitting(context, facts, ({ stateId }) => !group.has(stateId))
    if (largest(inside) >= 0) return { ...inside, members: group }
  }
  return { ...all, members: null }
}

interface GroupContext extends RankingContext {
  /** By `stateId`; null for all. */
  readonly members: ReadonlySet<string> | null
}

/** The same with the values, and keys that are values, as they would be without budget pressure. */
function withoutPressure(context: RankingContext, { settings }: TraceFacts): RankingContext {
  const { candidates, values, valuation } = context
  if (!candidates.isPressed) return context
  const { inputTokens, outputTokens } = valuation
  const bare = values.map(
    (value, index) => value + pressedBy(candidates, index, candidates.costUsd(index, inputTokens, outputTokens)),
  )
  return { ...context, values: bare, keys: settings.strategy === 'learned' ? bare : context.keys }
}
