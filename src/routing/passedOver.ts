/** Why a target that could be tried was not chosen: the one step at which it was passed over. */

import type { Target } from '../domain/target.ts'
import { apart, type CauseKind, type DecisionCause, loadOf, type NumbersOf, short } from './cause.ts'
import type { Ineligible } from './eligible.ts'
import { TIE } from './order.ts'
import type { Terms } from './score.ts'
import type { Trace } from './trace.ts'

export interface CandidateRow extends NumbersOf {
  readonly index: number
  readonly target: Target
  readonly score: number
  readonly terms: Terms
  readonly eligible: boolean
  readonly refusal: Ineligible | null
}

export interface Caused {
  readonly trace: Trace
  readonly cause: DecisionCause
  /** The indexes of the targets by which the cause can be recomputed. */
  readonly involved: ReadonlySet<number>
}

/**
 * The reason for a target that looks better than the chosen one by V, by the score or by what the strategy orders by;
 * null for one that does not, which its numbers explain.
 */
export function passedOver(
  row: CandidateRow,
  chosen: CandidateRow,
  rows: readonly CandidateRow[],
  caused: Caused,
): string | null {
  if (caused.cause.kind === 'comeback') return isBetter(row, chosen) ? `${chosen.id} asked instead, to find out` : null
  if (row.group > chosen.group) return `after ${chosen.id}, as the alias orders`
  const passing = passedAt(row, chosen, rows, caused)
  if (passing !== null) return passing
  if (row.value + row.pressure > chosen.value + chosen.pressure + TIE && row.pressure > 0)
    return `budget pressure takes ${short(row.pressure)} off its V of ${short(row.value + row.pressure)}`
  const [mine, theirs] = apart(row.value, chosen.value)
  if (row.score > chosen.score + TIE && row.value < chosen.value) return `success risk: V ${mine} < ${theirs}`
  return row.value > chosen.value + TIE ? behindBy(row, chosen, caused.cause.kind) : null
}

const isBetter = (row: NumbersOf, chosen: NumbersOf) => row.key > chosen.key + TIE

/** The first step that left a smaller key than the row's standing. */
function passedAt(
  row: CandidateRow,
  chosen: CandidateRow,
  rows: readonly CandidateRow[],
  { trace, cause }: Caused,
): string | null {
  if (!isBetter(row, chosen) && row.group >= chosen.group) return null
  const standing = (index: number) => rows.find((one) => one.index === index) ?? chosen
  // What is left of the values under pressure is what the later steps go by.
  const steps = trace.moves.slice(trace.moves.findIndex(({ step }) => step === 'pressure'))
  const passing = steps.find(({ index }) => isBehind(standing(index), row))
  switch (passing?.step) {
    case 'draw': {
      const by = standing(passing.index)
      const [mine, theirs] = apart(row.drawn ?? row.value, by.drawn ?? by.value)
      return `the draw: ${mine} < ${theirs} of ${by.id}`
    }
    case 'cost':
      return `${standing(passing.index).id} costs less and is about as good`
    case 'load':
      return passedByLoad(row, standing(passing.index), standing(trace.moves[trace.moves.indexOf(passing) - 1]!.index))
    case 'session':
      return `the conversation is with ${chosen.id}`
    case 'exploration':
      return `${chosen.id} explored instead`
    case 'proven':
      return `new: this request keeps to ${chosen.id}`
    case 'new':
      return `${chosen.id} explored instead: ${cause.text}`
    default:
      return null
  }
}

/** `from` is what stood before the load moved its call to `by`. */
function passedByLoad(row: CandidateRow, by: CandidateRow, from: CandidateRow): string {
  if (row.target.provider !== by.target.provider || row.target.model !== by.target.model)
    return `${from.id} was ahead of it, and its call moved to ${by.id}, which was used less`
  if (loadOf(by) < loadOf(row)) return `${by.id} was used less: ${by.calls} calls in the last minute, not ${row.calls}`
  return `${by.id} was used no more for its weight, which is larger`
}

const isBehind = (standing: NumbersOf, row: NumbersOf) =>
  standing.group === row.group ? standing.key < row.key - TIE : standing.group > row.group

/** A larger V says nothing to a strategy that orders by something else. */
function behindBy(row: NumbersOf, chosen: NumbersOf, kind: CauseKind): string {
  if (kind === 'turn') return `its turn comes after that of ${chosen.id}`
  if (kind === 'priority') return `after ${chosen.id} in the order`
  const [mine, theirs] = apart(row.key, chosen.key)
  return mine === theirs ? `no better than ${chosen.id} in the order` : `behind ${chosen.id}: ${mine} < ${theirs}`
}
