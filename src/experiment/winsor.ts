/**
 * Limits for metrics without a range of their own: one wild value (a lost decimal point, a clock that jumped) must not
 * decide an experiment, nor keep it from being decided. A value is counted as at most twice as far from the usual
 * level as all but 0.2 % of the values so far (Winsor's rule: limited, not dropped). Both variants have the same limit,
 * which depends on earlier values only, so a difference of the limited means is a difference of the variants.
 */

/** The first values only establish level and spread; up to two of them may be wild. */
const WARM_UP = 20
const FACTOR = 2
const RARE = 0.002
/** Buckets per doubling of the distance. */
const FINENESS = 4
const NEAREST = -400
/** Up to this many values the limit is worked out anew with each, later with every sixteenth. */
const OFTEN = 100
const EVERY = 16

/** Plain JSON. */
export interface SpreadState {
  /** The first values with their variants; emptied when their number is reached. */
  first: (readonly [variant: number, value: number])[]
  count: number
  /** The farthest distance that counts in full; null while unlimited. */
  limit: number | null
  /** Distances from the level by their logarithm. */
  readonly distances: { [bucket: string]: number }
}

export function newSpread(): SpreadState {
  return { first: [], count: 0, limit: null, distances: {} }
}

/** Counts a value; `level` is the usual one. Returns the value within its limits. */
export function limited(state: SpreadState, value: number, level: number): number {
  const within = clipped(state, value, level)
  count(state, Math.abs(value - level))
  if (state.count < OFTEN || state.count % EVERY === 0) state.limit = limitOf(state)
  return within
}

export function clipped({ limit }: SpreadState, value: number, level: number): number {
  return limit === null ? value : Math.min(level + limit, Math.max(level - limit, value))
}

/** Collects the first values, and counts them around their median once they are complete. */
export function warmUp(state: SpreadState, variant: number, value: number): void {
  state.first.push([variant, value])
  if (state.first.length < WARM_UP) return
  const values = state.first.map(([, one]) => one)
  const level = medianOf(values)
  for (const one of values) count(state, Math.abs(one - level))
  state.limit = limitOf(state)
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return ((sorted[middle] ?? 0) + (sorted[sorted.length - 1 - middle] ?? 0)) / 2
}

function count(state: SpreadState, distance: number): void {
  const bucket = distance === 0 ? NEAREST : Math.max(NEAREST, Math.ceil(Math.log2(distance) * FINENESS))
  state.count++
  state.distances[bucket] = (state.distances[bucket] ?? 0) + 1
}

/** While there are few values, the third to fifth farthest stands for the rare ones. */
function limitOf({ count: total, distances }: SpreadState): number | null {
  let left = Math.max(Math.min(5, Math.max(3, Math.ceil(total / 20))), Math.ceil(RARE * total))
  for (const bucket of Object.keys(distances)
    .map(Number)
    .sort((a, b) => b - a)) {
    left -= distances[bucket] ?? 0
    // At the nearest bucket the values hardly vary, and there is no spread to speak of.
    if (left <= 0) return bucket === NEAREST ? null : FACTOR * 2 ** (bucket / FINENESS)
  }
  return null
}
