/**
 * Thompson sampling, by default at half width: one draw per target from its estimated distribution, and the best draw
 * wins.
 */

import { word32 } from '../domain/random.ts'
import type { CandidateTable } from './candidateTable.ts'
import { NORMALS, SLICE_BITS, SLICE_MASK } from './normalTable.ts'
import type { RankingContext } from './rankingContext.ts'
import { CURIOSITY, type RoutingSettings } from './settings.ts'
import { surprise, type Valuation, valueSpread } from './valuation.ts'

/**
 * The largest square of a draw: one draw moves V by at most sqrt(REACH * variance), three draws by at most
 * sqrt(3 * REACH * variance).
 */
const REACH = NORMALS[SLICE_MASK]! ** 2
/** Up to this many targets reliability, speed and quality are drawn separately; above it, the value as a whole. */
const DRAWN_APART = 200

interface Draw {
  /** The index with the best value; -1 when nothing is eligible. */
  readonly best: number
  /** The index with the best draw. */
  readonly drawn: number
}

/**
 * Checks eligibility only for targets that would win and computes only draws that could: among ten thousand targets
 * nearly all are skipped cheaply. `seed` determines all draws.
 */
export function drawBest(
  { candidates, valuation, values, eligibility }: RankingContext,
  width: number,
  seed: number,
): Draw {
  const { reliabilitySpread, latencySpread, qualitySpread } = candidates
  // The bound on how far V moves with each spread: speed changes by at most a quarter of the change of ln(ms).
  const quarterSpeed = valuation.weights.speed / 4
  const qualityWeight = valuation.weights.quality
  const drawnApart = values.length <= DRAWN_APART
  const reach = (drawnApart ? 3 * REACH : REACH) * width * width
  let best = -1
  let drawn = -1
  let bestValue = Number.NEGATIVE_INFINITY
  let bestDraw = Number.NEGATIVE_INFINITY
  // The likely winner first (and again in its turn, without effect), because it rules out most others.
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

/** The value of one target with its luck in the draws of that seed. */
export function drawnValue(
  { candidates, valuation, values }: RankingContext,
  index: number,
  seed: number,
  { curiosity = CURIOSITY }: Pick<RoutingSettings, 'curiosity'>,
): number {
  const draw = values.length <= DRAWN_APART ? drawApart : drawWhole
  return values[index]! + draw(candidates, valuation, index, curiosity.width, word32(seed, index))
}

/** -1 when there is none. */
function largestAt(values: Float64Array): number {
  let largest = values.length - 1
  for (let index = 0; index < values.length; index++) if (values[index]! > values[largest]!) largest = index
  return largest
}

/** An upper bound on how far separate draws raise V: only lucky parts count, and a lucky time is a short one. */
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
