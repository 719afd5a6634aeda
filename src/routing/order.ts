/** What each strategy orders the targets by: one key per target, larger first. */

import type { CandidateTable } from './candidateTable.ts'
import { recency, score, speed, type Terms } from './score.ts'
import { type AllTime, isUnreliable, termsOriginal } from './scoreOriginal.ts'
import type { Strategy } from './settings.ts'
import { type Sums, slot } from './sums.ts'
import { expectedMs, type Valuation } from './valuation.ts'
import type { Weights } from './weights.ts'

/** Keys closer than this are equal (sums of 0.4, 0.3, 0.2 and 0.1 are not exact). */
export const TIE = 1e-9

interface OrderFacts {
  readonly weights: Weights
  readonly valuation: Valuation
  readonly now: number
  /** Number of requests decided before this one. */
  readonly turn: number
  /** For `priority`, by `stateId`; undefined: the order of the candidate table. */
  readonly order: readonly string[] | undefined
}

type Filler = (keys: Float64Array, candidates: CandidateTable, facts: OrderFacts) => void

/** How each strategy computes the keys; those of `learned` are the values. */
export const FILLERS: { readonly [S in Exclude<Strategy, 'learned'>]: Filler } = {
  score: fillScores,
  'score-original': fillOriginal,
  'round-robin': fillTurns,
  priority: fillPlaces,
}

function fillTurns(keys: Float64Array, { cumulativeWeight }: CandidateTable, { turn }: OrderFacts): void {
  if (keys.length === 0) return
  const start = cumulativeWeight === null ? turn % keys.length : weightedTurn(cumulativeWeight, turn)
  for (let index = 0; index < keys.length; index++) keys[index] = -((index - start + keys.length) % keys.length)
}

/** The golden ratio's fraction: its multiples fall more evenly into 0..1 than those of any other number. */
const GOLDEN = 0.618_033_988_749_894_9

/** Whose turn it is when each target gets the share of its weight. */
function weightedTurn(cumulativeWeight: Float64Array, turn: number): number {
  const sum = cumulativeWeight[cumulativeWeight.length - 1]!
  const point = ((turn * GOLDEN) % 1) * sum
  return Math.max(
    0,
    cumulativeWeight.findIndex((upTo) => point < upTo),
  )
}

function fillPlaces(keys: Float64Array, candidates: CandidateTable, { order }: OrderFacts): void {
  for (let index = 0; index < keys.length; index++) keys[index] = -index
  if (order === undefined) return
  for (let index = 0; index < keys.length; index++) keys[index] = -index - order.length
  order.forEach((stateId, rank) => {
    const index = candidates.indexOf(stateId)
    if (index !== undefined) keys[index] = -rank
  })
}

function fillScores(keys: Float64Array, candidates: CandidateTable, facts: OrderFacts): void {
  for (let index = 0; index < keys.length; index++) {
    keys[index] = score(termsAt(candidates, facts.valuation, index, facts.now), facts.weights)
  }
}

function fillOriginal(keys: Float64Array, candidates: CandidateTable, facts: OrderFacts): void {
  for (let index = 0; index < keys.length; index++) {
    const stats = allTime(candidates.known[index]!.row)
    keys[index] = score(termsOriginal(stats, facts.now), facts.weights) - (isUnreliable(stats) ? 1 : 0)
  }
}

/** The four terms for this request. */
export function termsAt(candidates: CandidateTable, valuation: Valuation, index: number, now: number): Terms {
  return {
    reliability: candidates.reliability[index]!,
    speed: speed(expectedMs(candidates, valuation, index), valuation.latencyRefMs),
    quality: valuation.quality[index]!,
    recency: recency(candidates.known[index]!.row[slot.lastSuccessAt]!, now),
  }
}

/** Plain counts and averages of the whole history, as shown in `apiStats.json`. */
export function allTime(row: Sums): AllTime {
  const successes = row[slot.successes]!
  const scored = row[slot.qualityCount]!
  return {
    successes,
    failures: row[slot.failures]!,
    averageLatencyMs: successes > 0 ? row[slot.latencyMs]! / successes : 0,
    quality: scored > 0 ? row[slot.quality]! / scored : null,
    lastSuccessAt: row[slot.lastSuccessAt]!,
  }
}
