/** What is known of one metric: its usual level, the means of the variants, and the limits of its values. */

import { present } from '../domain/present.ts'
import type { ComparisonState } from './comparison.ts'
import type { Metric } from './metric.ts'
import { clipped, limited, medianOf, type SpreadState, warmUp } from './winsor.ts'

/** Number of observations averaged to predict the next one. */
const MEMORY = 200

interface VariantState {
  count: number
  sum: number
}

/** Plain JSON. */
export interface MetricState {
  /** What the next observation is expected to be, whatever its variant. */
  expected: number
  count: number
  /** Limits of values that have no range of their own; null for the others. */
  readonly spread: SpreadState | null
  readonly variants: VariantState[]
  /** In the order of `pairsOf`. */
  readonly pairs: ComparisonState[]
}

/** The value within the limits of a metric without a range of its own, which the first values establish. */
export function limitedValue(state: MetricState, variant: number, value: number): number {
  const { spread } = state
  if (spread === null) return value
  if (spread.count > 0) return limited(spread, value, state.expected)
  warmUp(spread, variant, value)
  return value
}

/** The limits are known: the first values are brought within them as well. */
export function limitFirstValues(state: MetricState, spread: SpreadState): void {
  const { first } = spread
  const level = medianOf(first.map(([, value]) => value))
  state.expected = level
  for (const variant of state.variants) Object.assign(variant, { count: 0, sum: 0 })
  for (const [index, value] of first) average(present(state.variants[index]), clipped(spread, value, level))
  first.length = 0
}

/** The smallest difference that matters, in the metric's unit. */
export function minimumEffectOf({ metric, state }: { readonly metric: Metric; readonly state: MetricState }): number {
  return metric.scale === 'share' ? metric.minimumEffect * Math.abs(state.expected) : metric.minimumEffect
}

export function learnValue(state: MetricState, index: number, value: number): void {
  state.count++
  state.expected += (value - state.expected) / Math.min(state.count, MEMORY)
  average(present(state.variants[index]), value)
}

function average(variant: VariantState, value: number): void {
  variant.count++
  variant.sum += value
}

/** Takes values out of a mean. */
export function forgetValues(variant: VariantState, count: number, sum: number, base: number): void {
  variant.count = Math.max(0, variant.count - count)
  variant.sum = variant.count === 0 ? 0 : variant.sum - sum - base * count
}
