/** What an experiment measures, and how large a difference must be to matter. */

export interface Metric {
  /** `quality`, `success`, `latency`, `cost` or a name of your own. */
  readonly name: string
  /** Which direction is an improvement. */
  readonly better: 'higher' | 'lower'
  /** Values are clipped to this range, so that one outlier cannot decide. */
  readonly min: number
  readonly max: number
  /**
   * The difference the experiment is sized to find. `share`: relative to the mean (0.1 is 10 %); otherwise in the
   * metric's own unit.
   */
  readonly minimumEffect: number
  readonly scale: 'plain' | 'share' | 'log'
}

/** Latencies are capped at ten minutes. */
const LONGEST_MS = 600_000

/**
 * Latency is compared as its logarithm: users perceive ratios ("a third faster"), and one slow answer weighs little.
 */
export const METRICS: readonly Metric[] = [
  { name: 'quality', better: 'higher', min: 0, max: 1, minimumEffect: 0.05, scale: 'plain' },
  { name: 'success', better: 'higher', min: 0, max: 1, minimumEffect: 0.05, scale: 'plain' },
  { name: 'latency', better: 'lower', min: 0, max: Math.log(LONGEST_MS), minimumEffect: 0.1, scale: 'log' },
  { name: 'cost', better: 'lower', min: 0, max: 1_000, minimumEffect: 0.1, scale: 'share' },
]

export function findMetric(name: string): Metric | undefined {
  return METRICS.find((metric) => metric.name === name)
}

/** A reported value (milliseconds, USD, 0..1, or the user's own) in the unit of comparison; null if not a number. */
export function measured(metric: Metric, value: number): number | null {
  if (Number.isNaN(value)) return null
  const scaled = metric.scale === 'log' ? Math.log(Math.max(1, value)) : value
  return Math.min(metric.max, Math.max(metric.min, scaled))
}

/** Whether nothing but the size of a number bounds the values, so that one of them can be wild. */
export function isOpenEnded({ scale, min, max }: Metric): boolean {
  return scale !== 'plain' || max - min >= OPEN_RANGE
}

/** An own metric without `min` or `max` reaches to a billion on that side. */
const OPEN_RANGE = 1e9
