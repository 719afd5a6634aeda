/** Says in one line why each target has its rank. Logs, the API and the dashboard use the same text. */

import type { Target } from '../domain/target.ts'
import {
  type CauseKind,
  type ChoiceNumbers,
  causeOf,
  type DecisionBasis,
  type DecisionCause,
  type NumbersOf,
} from './cause.ts'
import { type Choice, hope } from './choice.ts'
import type { Question } from './eligibilityCache.ts'
import type { Ineligible } from './eligible.ts'
import { drawnValue } from './explore.ts'
import { TIE, termsAt } from './order.ts'
import { type CandidateRow, type Caused, passedOver } from './passedOver.ts'
import type { RankingContext } from './rankingContext.ts'
import { score, type Terms } from './score.ts'
import { CURIOSITY } from './settings.ts'
import { priorsOf, type TermInputs, termInputsOf } from './termInputs.ts'
import { type Trace, type TraceFacts, traceOf } from './trace.ts'
import { pressedBy } from './valuation.ts'

export interface RankedTarget extends ChoiceNumbers {
  /** 1 for the target that would be tried first. */
  readonly rank: number
  readonly target: Target
  readonly score: number
  readonly terms: Terms
  readonly inputs: TermInputs
  /** The terms without observations, which are priors. */
  readonly priors: readonly (keyof Terms)[]
  readonly eligible: boolean
  /** Why it is excluded, ahead or behind; null where its numbers explain it. */
  readonly reason: string | null
  /** It is excluded, and would otherwise rank above the chosen one or close below it. */
  readonly missed: boolean
}

/** A row as stored with a decision: without the text of where its terms come from. */
export type RankingPreview = Omit<RankedTarget, 'inputs' | 'priors'>

export interface ExplainFacts extends TraceFacts {
  readonly now: number
  /** Null to look at the ranking without choosing from it. */
  readonly chosen: Target | null
  readonly basis: DecisionBasis
  /** The target that was asked in the place of the chosen one, to find out whether its outage is over. */
  readonly comeback: Target | null
}

/** More than the keys of any strategy lie apart: places among ten thousand targets are the largest. */
const GROUP_STEP = 1e6

/** Every target in the order in which it would be tried; ineligible ones come last. */
export function explainRanking(context: RankingContext, facts: ExplainFacts): readonly RankedTarget[] {
  const told = { ...facts, question: new Remembered(facts.question, facts.choice) }
  const rows = context.candidates.targets.map((_, index) => rowOf(context, told, index)).sort(inOrder)
  return numbered(rows, told, causedBy(context, told)).map((row, at) => {
    const { index } = rows[at]!
    return { ...row, inputs: termInputsOf(context, index, facts.now), priors: priorsOf(context.candidates, index) }
  })
}

/**
 * A limit that was just reached lowers a target's value a little; up to this much below the chosen one it counts as
 * missed.
 */
const NEAR = 0.1
/** Targets examined for a preview: those with the largest keys, so thousands cost no more than these. */
const LOOKED_AT = 60

export interface Explained {
  readonly cause: DecisionCause
  readonly basis: DecisionBasis
  readonly ranking: readonly RankingPreview[]
}

/**
 * The first `most` rows of the ranking, and all that the cause is about; among very many targets only those near the top
 * are examined.
 */
export function previewRanking(context: RankingContext, facts: ExplainFacts, most: number): Explained {
  const told = { ...facts, question: new Remembered(facts.question, facts.choice) }
  const caused = causedBy(context, told)
  const indexes = bestPlaces(groupedKeys(context, facts), LOOKED_AT)
  for (const index of caused.involved) if (!indexes.includes(index)) indexes.push(index)
  const rows = indexes.map((index) => rowOf(context, told, index)).sort(inOrder)
  const ranking = numbered(rows, told, caused)
  const isKept = (place: number) => place < most || caused.involved.has(rows[place]!.index)
  return { cause: caused.cause, basis: facts.basis, ranking: ranking.filter((_, place) => isKept(place)) }
}

/** Why the target was chosen, without the ranking. */
export function explainCause(context: RankingContext, facts: ExplainFacts): DecisionCause {
  return causedBy(context, { ...facts, question: new Remembered(facts.question, facts.choice) }).cause
}

/** What would be chosen now, without exploring, and why; null when nothing could be tried. */
export function favouriteOf(context: RankingContext, facts: ExplainFacts) {
  const { trace, cause } = causedBy(context, facts)
  return { first: context.candidates.targets[trace.moves.at(-1)!.index] ?? null, cause, basis: facts.basis }
}

/** What was chosen could be tried; by now its own request may have used up the last of its quota. */
class Remembered implements Question {
  readonly #question: Question
  readonly #chosen: number
  readonly #answers = new Map<number, Ineligible | null>()

  constructor(question: Question, choice: Choice | null) {
    this.#question = question
    this.#chosen = choice?.index ?? -1
  }

  ineligible(target: Target, index: number): Ineligible | null {
    if (index === this.#chosen) return null
    const known = this.#answers.get(index)
    if (known !== undefined) return known
    const answer = this.#question.ineligible(target, index)
    this.#answers.set(index, answer)
    return answer
  }
}

function causedBy(context: RankingContext, facts: ExplainFacts): Caused {
  const trace = traceOf(context, facts)
  const { targets } = context.candidates
  const { moves, runnerUp, isAlone } = trace
  const last = moves.at(-1)!.index
  const at = moves.findLastIndex(({ index }, place) => place > 0 && index !== moves[place - 1]!.index)
  const before = at < 0 ? runnerUp : moves[at - 1]!.index
  const outsider = facts.comeback === null ? -1 : (context.candidates.indexOf(facts.comeback.stateId) ?? -1)
  const involved = new Set([...moves.map(({ index }) => index), runnerUp, outsider].filter((index) => index >= 0))
  const chosen = outsider >= 0 ? outsider : last
  const instead = outsider >= 0 ? last : before
  const numbers = (index: number) =>
    index < 0 ? null : { id: targets[index]!.id, ...numbersOf(context, facts, index) }
  const [one, other] = [numbers(chosen), numbers(instead)]
  const kind = outsider >= 0 ? 'comeback' : kindOf(trace, at, facts, one, other)
  return {
    trace,
    involved,
    cause: causeOf({
      kind,
      chosen: one,
      instead: kind === 'only' ? null : other,
      basis: facts.basis,
      pull: facts.choice?.pull ?? 0,
      pulls: (facts.settings.curiosity ?? CURIOSITY).freePulls,
      isNamed: isAlone && targets.every((target, index) => index === last || isUnasked(facts, target, index)),
    }),
  }
}

function isUnasked({ question }: ExplainFacts, target: Target, index: number): boolean {
  const code = question.ineligible(target, index)?.code
  return code === 'model' || code === 'provider'
}

function kindOf(
  { moves, isAlone }: Trace,
  at: number,
  { settings: { strategy } }: ExplainFacts,
  one: NumbersOf | null,
  other: NumbersOf | null,
): CauseKind {
  if (one === null) return 'none'
  if (isAlone) return 'only'
  if (at >= 0) return moves[at]!.step
  if (strategy === 'priority') return 'priority'
  if (strategy === 'round-robin') return 'turn'
  if (other === null || Math.abs(one.key - other.key) > TIE) return 'best'
  return one.weight === other.weight ? 'name' : 'weight'
}

/** Nine digits tell apart what the router takes for different, and are shorter to store than all; never -0. */
const rounded = (value: number) => Math.round(value * 1e9) / 1e9 + 0

function numbersOf(context: RankingContext, facts: ExplainFacts, index: number): ChoiceNumbers {
  const { candidates, valuation, values, keys, request } = context
  const target = candidates.targets[index]!
  const costUsd = candidates.costUsd(index, valuation.inputTokens, valuation.outputTokens)
  const isShared = request.load !== undefined && candidates.siblingsOf(index).length > 1
  return {
    value: rounded(values[index]!),
    key: rounded(keys[index]!),
    pressure: candidates.isPressed ? rounded(pressedBy(candidates, index, costUsd)) : 0,
    costUsd: Number.isFinite(costUsd) ? Number(costUsd.toPrecision(9)) : null,
    calls: isShared ? (request.load?.(target) ?? 0) : null,
    weight: target.profile.weight,
    group: groupOf(target, facts),
    drawn: facts.seed === null ? null : rounded(drawnValue(context, index, facts.seed, facts.settings)),
    hoped: rounded(values[index]! * hope(candidates, index)),
    isNew: context.isUnknown(index),
    untried: context.isNew(index),
  }
}

function groupedKeys({ keys, candidates }: RankingContext, facts: ExplainFacts): Float64Array {
  if (facts.groups === null) return keys
  return keys.map((key, index) => key - GROUP_STEP * groupOf(candidates.targets[index]!, facts))
}

/** What is in no group comes last. */
function groupOf({ stateId }: Target, { groups }: ExplainFacts): number {
  const at = groups?.findIndex((group) => group.has(stateId)) ?? 0
  return at < 0 ? (groups?.length ?? 0) : at
}

/** The indexes of the largest keys, in no particular order. */
function bestPlaces(keys: Float64Array, most: number): number[] {
  const indexes = Array.from({ length: Math.min(most, keys.length) }, (_, index) => index)
  if (keys.length <= most) return indexes
  indexes.sort((a, b) => keys[b]! - keys[a]!)
  for (let index = most; index < keys.length; index++) {
    if (keys[index]! <= keys[indexes[most - 1]!]!) continue
    let at = most - 1
    for (; at > 0 && keys[indexes[at - 1]!]! < keys[index]!; at--) indexes[at] = indexes[at - 1]!
    indexes[at] = index
  }
  return indexes
}

function numbered(rows: readonly CandidateRow[], facts: ExplainFacts, caused: Caused): RankingPreview[] {
  const taken = facts.comeback ?? facts.chosen
  // Of the present, where nothing is decided, what would be chosen.
  const isTaken = ({ target, index }: CandidateRow) =>
    taken === null && facts.choice === null ? index === caused.trace.moves.at(-1)!.index : target === taken
  const chosen = rows.find(isTaken) ?? null
  return rows.map((row, place) => {
    const { index: _, id: __, refusal, ...numbers } = row
    const reason = refusal?.reason ?? reasonFor(row, rows, chosen, caused)
    const missed = refusal !== null && (taken === null || chosen === null || inGroups(row) > inGroups(chosen) - NEAR)
    return { ...numbers, rank: place + 1, reason, missed }
  })
}

function rowOf(context: RankingContext, facts: ExplainFacts, index: number): CandidateRow {
  const { candidates, valuation } = context
  const target = candidates.targets[index]!
  const terms = termsAt(candidates, valuation, index, facts.now)
  const refusal = facts.question.ineligible(target, index)
  return {
    ...numbersOf(context, facts, index),
    id: target.id,
    target,
    index,
    terms,
    score: score(terms, facts.settings.weights),
    eligible: refusal === null,
    refusal,
  }
}

const inGroups = ({ key, group }: ChoiceNumbers) => key - GROUP_STEP * group

function inOrder(a: CandidateRow, b: CandidateRow): number {
  if (a.eligible !== b.eligible) return a.eligible ? -1 : 1
  const lead = inGroups(b) - inGroups(a)
  if (Math.abs(lead) > TIE) return lead
  return b.weight - a.weight || (a.id < b.id ? -1 : 1)
}

function reasonFor(
  row: CandidateRow,
  rows: readonly CandidateRow[],
  chosen: CandidateRow | null,
  caused: Caused,
): string | null {
  if (chosen === null) return null
  return row === chosen ? caused.cause.text : passedOver(row, chosen, rows, caused)
}
