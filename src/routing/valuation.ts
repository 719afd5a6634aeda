/**
 * One request's valuation of the candidate table: its weights, answer length and quality, and the value of each target.
 */

import type { CandidateTable } from './candidateTable.ts'
import { COST_REF_USD, cheapness, speed } from './score.ts'
import type { ValueWeights } from './weights.ts'

export interface Valuation {
  readonly weights: ValueWeights
  readonly latencyRefMs: number
  readonly inputTokens: number
  /** Expected length of the answer. */
  readonly outputTokens: number
  readonly quality: Float64Array
  readonly qualitySpread: Float64Array
}

/** Maximum cost, in reference costs, that pressure is applied to; unknown prices count as this. */
const MOST_COSTS = 100

/** The expected time of this request with the target, or to its first token when only that matters. */
export function expectedMs(candidates: CandidateTable, valuation: Valuation, index: number): number {
  const first = candidates.firstTokenMs[index]!
  return valuation.weights.firstTokenOnly ? first : first + valuation.outputTokens * candidates.tokenMs[index]!
}

/**
 * V of every target, into `values`: the expected score, given that a call may fail. A failed call is worth nothing,
 * however fast the target is when it works, so V = reliability * (w_reliability + w_speed * speed + w_quality *
 * quality). Loads are hoisted out of the loop.
 */
export function evaluate(candidates: CandidateTable, valuation: Valuation, values: Float64Array): void {
  const { reliability, firstTokenMs, tokenMs } = candidates
  const { weights, latencyRefMs, quality } = valuation
  const tokens = weights.firstTokenOnly ? 0 : valuation.outputTokens
  const whenSlow = weights.reliability
  const bySpeed = weights.speed * latencyRefMs
  const byQuality = weights.quality
  for (let index = 0; index < values.length; index++) {
    const ms = firstTokenMs[index]! + tokens * tokenMs[index]!
    values[index] = reliability[index]! * (whenSlow + bySpeed / (latencyRefMs + ms) + byQuality * quality[index]!)
  }
  if (weights.price > 0 || candidates.isPressed) priceIn(candidates, valuation, values)
}

/** Adds the value of a cheap answer to this request and subtracts the budget pressure on its cost. */
function priceIn(candidates: CandidateTable, valuation: Valuation, values: Float64Array): void {
  for (let index = 0; index < values.length; index++) {
    const cost = candidates.costUsd(index, valuation.inputTokens, valuation.outputTokens)
    const worth = candidates.reliability[index]! * valuation.weights.price * cheapness(cost)
    values[index] = values[index]! + worth - pressedBy(candidates, index, cost)
  }
}

/** What the budgets' pressure takes off the value of a target for which the request costs this much. */
export function pressedBy({ pressure }: CandidateTable, index: number, costUsd: number): number {
  return pressure[index]! * Math.min(MOST_COSTS, costUsd / COST_REF_USD)
}

/** The standard deviation of ln(ms) of the expected time, from the shares of both parts, taken as independent. */
function logSpread(candidates: CandidateTable, valuation: Valuation, index: number, ms: number): number {
  if (valuation.weights.firstTokenOnly || valuation.outputTokens === 0) return candidates.firstTokenSpread[index]!
  const first = (candidates.firstTokenMs[index]! / ms) * candidates.firstTokenSpread[index]!
  const rest = (1 - candidates.firstTokenMs[index]! / ms) * candidates.tokenSpread[index]!
  return Math.sqrt(first * first + rest * rest)
}

/** How far V moves when each estimate is redrawn: `width` standard deviations times three normal draws. */
export function surprise(
  candidates: CandidateTable,
  valuation: Valuation,
  index: number,
  width: number,
  reliabilityDraw: number,
  speedDraw: number,
  qualityDraw: number,
): number {
  const { weights } = valuation
  const works = candidates.reliability[index]!
  const good = valuation.quality[index]!
  const ms = expectedMs(candidates, valuation, index)
  const fast = speed(ms, valuation.latencyRefMs)
  const drawnWorks = clamp(works + width * candidates.reliabilitySpread[index]! * reliabilityDraw)
  const drawnMs = ms * Math.exp(width * logSpread(candidates, valuation, index, ms) * speedDraw)
  const drawnFast = speed(drawnMs, valuation.latencyRefMs)
  const drawnGood = clamp(good + width * valuation.qualitySpread[index]! * qualityDraw)
  const before = works * (weights.reliability + weights.speed * fast + weights.quality * good)
  const drawn = drawnWorks * (weights.reliability + weights.speed * drawnFast + weights.quality * drawnGood)
  return drawn - before
}

/** The standard deviation of V, by the delta method. */
export function valueSpread(candidates: CandidateTable, valuation: Valuation, index: number): number {
  const { weights } = valuation
  const works = candidates.reliability[index]!
  const ms = expectedMs(candidates, valuation, index)
  const fast = speed(ms, valuation.latencyRefMs)
  const whenAnswered = weights.reliability + weights.speed * fast + weights.quality * valuation.quality[index]!
  const byReliability = whenAnswered * candidates.reliabilitySpread[index]!
  const bySpeed = works * weights.speed * fast * (1 - fast) * logSpread(candidates, valuation, index, ms)
  const byQuality = works * weights.quality * valuation.qualitySpread[index]!
  return Math.sqrt(byReliability * byReliability + bySpeed * bySpeed + byQuality * byQuality)
}

function clamp(share: number): number {
  return share < 0 ? 0 : share > 1 ? 1 : share
}
