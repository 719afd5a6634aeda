/** Says in one line why each target has its rank. Logs, the API and the dashboard use the same text. */

import type { Target } from '../domain/target.ts'
import type { CandidateTable } from './candidateTable.ts'
import type { Question } from './eligibilityCache.ts'
import type { Ineligible } from './eligible.ts'
import { PRIORS } from './estimate.ts'
import { allTime, TIE, termsAt } from './order.ts'
import type { RankingContext } from './rankingContext.ts'
import { score, type Terms } from './score.ts'
import type { RoutingSettings } from './settings.ts'
import { FAST, remainingAt, slot } from './sums.ts'
import { expectedMs } from './valuation.ts'

/** Where a term comes from, as text: `47 of 49; last 10 minutes 3 of 4`. */
type TermInputs = { readonly [T in keyof Terms]: string }

export interface RankedTarget {
  /** 1 for the target that would be tried first. */
  readonly rank: number
  readonly target: Target
  readonly score: number
  readonly terms: Terms
  readonly inputs: TermInputs
  /** The terms without observations, which are priors. */
  readonly priors: readonly (keyof Terms)[]
  /** Expected score, given that a call may fail. */
  readonly value: number
  readonly eligible: boolean
  /** Why it is excluded, ahead or behind; null where its numbers explain it. */
  readonly reason: string | null
  /** It is excluded, and would otherwise rank above the chosen one or close below it. */
  readonly missed: boolean
}

/** A row as stored with a decision: without the text of where its terms come from. */
export type RankingPreview = Omit<RankedTarget, 'inputs' | 'priors'>

interface DecisionFacts {
  readonly settings: RoutingSettings
  readonly question: Question
  readonly now: number
  /** Null when nothing was chosen. */
  readonly chosen: Target | null
  readonly explored: boolean
  /** As in the request. */
  readonly groups?: readonly ReadonlySet<string>[] | null | undefined
}

interface CandidateRow extends Omit<RankingPreview, 'rank' | 'reason' | 'missed'> {
  readonly index: number
  /** Larger first: what the strategy orders by, less `GROUP_STEP` for each group that comes before. */
  readonly key: number
  /** 0 for the first group, and where there are none. */
  readonly group: number
  readonly refusal: Ineligible | null
}

/** More than the keys of any strategy lie apart: places among ten thousand targets are the largest. */
const GROUP_STEP = 1e6

/** Every target in the order in which it would be tried; ineligible ones come last. */
export function explainRanking(context: RankingContext, facts: DecisionFacts): readonly RankedTarget[] {
  const rows = context.candidates.targets.map((_, index) => rowOf(context, facts, index)).sort(inOrder)
  return numbered(rows, facts).map((row, at) => {
    const { index } = rows[at]!
    return { ...row, inputs: inputsOf(context, index, facts.now), priors: priorsOf(context.candidates, index) }
  })
}

/**
 * A limit that was just reached lowers a target's value a little; up to this much below the chosen one it counts as
 * missed.
 */
const NEAR = 0.1
/** Targets examined for a preview: those with the largest keys, so thousands cost no more than these. */
const LOOKED_AT = 60

/** The first `most` rows of the ranking; among very many targets only those near the top are examined. */
export function previewRanking(context: RankingContext, facts: DecisionFacts, most: number): readonly RankingPreview[] {
  const indexes = bestPlaces(groupedKeys(context, facts), LOOKED_AT)
  const chosenAt = facts.chosen === null ? undefined : context.candidates.indexOf(facts.chosen.stateId)
  if (chosenAt !== undefined && !indexes.includes(chosenAt)) indexes.push(chosenAt)
  return numbered(indexes.map((index) => rowOf(context, facts, index)).sort(inOrder), facts).slice(0, most)
}

function groupedKeys({ keys, candidates }: RankingContext, facts: DecisionFacts): Float64Array {
  if (facts.groups == null) return keys
  return keys.map((key, index) => key - GROUP_STEP * groupOf(candidates.targets[index]!, facts))
}

/** What is in no group comes last. */
function groupOf({ stateId }: Target, { groups }: DecisionFacts): number {
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

function numbered(rows: readonly CandidateRow[], facts: DecisionFacts): RankingPreview[] {
  const chosen = rows.find(({ target }) => target === facts.chosen) ?? null
  return rows.map((row, index) => {
    const { target, score, terms, value, eligible, refusal } = row
    const reason = refusal?.reason ?? reasonFor(row, rows, chosen, facts)
    const missed = refusal !== null && (chosen === null || row.key > chosen.key - NEAR)
    return { rank: index + 1, target, score, terms, value, eligible, reason, missed }
  })
}

function rowOf(context: RankingContext, facts: DecisionFacts, index: number): CandidateRow {
  const { candidates, valuation } = context
  const target = candidates.targets[index]!
  const terms = termsAt(candidates, valuation, index, facts.now)
  const group = groupOf(target, facts)
  // The chosen target was eligible; by now its own request may have used up the last of its quota.
  const refusal = target === facts.chosen ? null : facts.question.ineligible(target, index)
  return {
    target,
    index,
    terms,
    score: score(terms, facts.settings.weights),
    value: context.values[index]!,
    eligible: refusal === null,
    key: context.keys[index]! - GROUP_STEP * group,
    group,
    refusal,
  }
}

function inOrder(a: CandidateRow, b: CandidateRow): number {
  if (a.eligible !== b.eligible) return a.eligible ? -1 : 1
  if (Math.abs(a.key - b.key) > TIE) return b.key - a.key
  return b.target.profile.weight - a.target.profile.weight || (a.target.id < b.target.id ? -1 : 1)
}

function reasonFor(
  row: CandidateRow,
  rows: readonly CandidateRow[],
  chosen: CandidateRow | null,
  facts: DecisionFacts,
): string | null {
  if (chosen === null) return aheadOf(row, rows)
  if (row === chosen || row.target === chosen.target) return whyChosen(row, rows, facts)
  if (facts.explored && row.value > chosen.value) return `${chosen.target.id} explored instead`
  if (row.score > chosen.score + TIE && row.value < chosen.value)
    return `success risk: V ${short(row.value)} < ${short(chosen.value)}`
  if (row.group > chosen.group) return `after ${chosen.target.id}, as the alias orders`
  if (row.value > chosen.value + TIE)
    return `as good as ${chosen.target.id}, which costs less, has had fewer calls or has the conversation`
  return null
}

function whyChosen(row: CandidateRow, rows: readonly CandidateRow[], facts: DecisionFacts): string | null {
  if (facts.explored) return 'explored: little is known of it, and it might be better than it looks'
  return aheadOf(row, rows)
}

/** Why the target is tried before the one with the next better score. */
function aheadOf(row: CandidateRow, rows: readonly CandidateRow[]): string | null {
  const passed = rows.find((other) => other.eligible && other.score > row.score + TIE && other.key < row.key - TIE)
  if (passed === undefined) return null
  if (row.group < passed.group) return `ahead of ${passed.target.id}, as the alias orders`
  return `ahead of ${passed.target.id}: answers ${percent(row.terms.reliability)} against ${percent(passed.terms.reliability)}`
}

function inputsOf(context: RankingContext, index: number, now: number): TermInputs {
  const { candidates, valuation } = context
  const { row } = candidates.known[index]!
  const stats = allTime(row)
  const left = remainingAt(row, now, FAST)
  const recent = Math.round((row[slot.fastSuccesses]! + row[slot.fastFailures]!) * left)
  const whole = `${stats.successes} of ${stats.successes + stats.failures}`
  const minutes = `last 10 minutes ${Math.round(row[slot.fastSuccesses]! * left)} of ${recent}`
  const ms = Math.round(expectedMs(candidates, valuation, index))
  return {
    reliability: recent > 0 ? `${whole}; ${minutes}` : whole,
    speed: valuation.outputTokens > 0 ? `${ms} ms for ${Math.round(valuation.outputTokens)} tokens` : `${ms} ms`,
    quality: stats.quality === null ? qualityPrior(candidates.targets[index]!) : `${row[slot.qualityCount]} scores`,
    recency: stats.lastSuccessAt > 0 ? `${duration(now - stats.lastSuccessAt)} ago` : 'new',
  }
}

function qualityPrior({ profile }: Target): string {
  const prior = profile.qualityPrior ?? PRIORS.quality
  return profile.qualityPriorSource ? `prior ${prior}: ${profile.qualityPriorSource}` : `prior ${prior}`
}

function priorsOf(candidates: CandidateTable, index: number): (keyof Terms)[] {
  const { row } = candidates.known[index]!
  const priors: (keyof Terms)[] = []
  if (candidates.isNew(index)) priors.push('reliability')
  if (row[slot.slowCount] === 0) priors.push('speed')
  if (row[slot.qualityCount] === 0) priors.push('quality')
  return priors
}

function duration(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000))
  if (minutes < 120) return `${minutes} min`
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`
}

/** `.61` */
function short(share: number): string {
  return share.toFixed(2).replace(/^(-?)0/, '$1')
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
