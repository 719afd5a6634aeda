/**
 * Thompson sampling, by default at half width: every target is drawn once from what is believed of it, and the best
 * draw wins.
 */

import { word32 } from '../domain/random.ts'
import type { CandidateTable } from './candidateTable.ts'
import { NORMALS, SLICE_BITS, SLICE_MASK } from './normalTable.ts'
import type { RankingContext } from './rankingContext.ts'
import { surprise, type Valuation, valueSpread } from './valuation.ts'

/**
 * One draw moves V by no more than the root of this many variances, three by no more than the root of thrice as many.
 */
const REACH = NORMALS[SLICE_MASK]! ** 2
/**
 * Up to this many targets reliability, speed and quality are drawn separately; above, the value is drawn as a whole.
 */
const DRAWN_APART = 200

interface Draw {
  /** The index with the best value; -1 when nothing is eligible. */
  readonly best: number
  /** The index with the best draw. */
  readonly drawn: number
}

/**
 * Asks eligibility only about targets that would win, and works out only draws that could: with ten thousand targets
 * nearly all are passed over at a glance. `seed` decides all draws.
 */
export function drawBest(
  { candidates, valuation, values, eligibility }: RankingContext,
  width: number,
  seed: number,
): Draw {
  const { reliabilitySpread, latencySpread, qualitySpread } = candidates
  // V never moves by more than this much of each spread: speed moves by at most a quarter of what ln(ms) moves.
  const quarterSpeed = valuation.weights.speed / 4
  const qualityWeight = valuation.weights.quality
  const drawnApart = values.length <= DRAWN_APART
  const reach = (drawnApart ? 3 * REACH : REACH) * width * width
  let best = -1
  let drawn = -1
  let bestValue = Number.NEGATIVE_INFINITY
  let bestDraw = Number.NEGATIVE_INFINITY
  // The likely winner first (and again in its turn, which changes nothing): it rules most others out.
  const likely = drawnApart ? largestAt(values) : -1
  for (let step = likely < 0 ? 0 : -1; step < values.length; step++) {
    const index = step < 0 ? likely : step
    const value = values[index]!
    const byReliability = reliabilitySpread[index]!
    const bySpeed = quarterSpeed * latencySpread[index]!
    const byQuality = qualityWeight * qualitySpread[index]!
    const variance = byReliability * byReliability + bySpeed * bySpeed + byQuality * byQuality
    const gap = bestDraw - value
    if (value <= bestValue && gap > 0 && gap * gap >= variance * reach) continue
    const bits = word32(seed, index)
    if (drawnApart && gap >= width * mostApart(bits, byReliability, bySpeed, byQuality) && value <= bestValue) continue
    const draw =
      value +
      (drawnApart
        ? drawApart(candidates, valuation, index, width, bits)
        : drawWhole(candidates, valuation, index, width, bits))
    if (!(value > bestValue || draw > bestDraw) || !eligibility.admits(index)) continue
    if (value > bestValue) {
      best = index
      bestValue = value
    }
    if (draw > bestDraw) {
      drawn = index
      bestDraw = draw
    }
  }
  return { best, drawn }
}

/** -1 when there is none. */
function largestAt(values: Float64Array): number {
  let largest = values.length - 1
  for (let index = 0; index < values.length; index++) if (values[index]! > values[largest]!) largest = index
  return largest
}

/** No draw apart moves V up by more: only lucky parts count, and a lucky time is a short one. */
function mostApart(bits: number, byReliability: number, bySpeed: number, byQuality: number): number {
  const reliable = Math.max(0, firstNormal(bits)) * byReliability
  const fast = Math.max(0, -secondNormal(bits)) * bySpeed
  return reliable + fast + Math.max(0, thirdNormal(bits)) * byQuality
}

function drawApart(
  candidates: CandidateTable,
  valuation: Valuation,
  index: number,
  width: number,
  bits: number,
): number {
  return surprise(candidates, valuation, index, width, firstNormal(bits), secondNormal(bits), thirdNormal(bits))
}

function drawWhole(
  candidates: CandidateTable,
  valuation: Valuation,
  index: number,
  width: number,
  bits: number,
): number {
  return width * firstNormal(bits) * valueSpread(candidates, valuation, index)
}

function firstNormal(bits: number): number {
  return NORMALS[bits & SLICE_MASK]!
}

function secondNormal(bits: number): number {
  return NORMALS[(bits >>> SLICE_BITS) & SLICE_MASK]!
}

function thirdNormal(bits: number): number {
  return NORMALS[(bits >>> (2 * SLICE_BITS)) & SLICE_MASK]!
}
