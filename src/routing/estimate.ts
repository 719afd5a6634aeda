/**
 * What to expect of a target now. Each estimate starts from a prior, uses the last day as prior evidence and the last
 * minutes as evidence: with much traffic the last ten minutes decide, with little the last day, with none the
 * provider's other targets.
 */

import { FAST, FAST_QUALITY, HOUR_CAP, HOURS, remainingAt, SLOW, SLOW_QUALITY, type Sums, slot } from './sums.ts'
import { countAt, type OutcomeCounts, sumAt } from './tally.ts'

/** A mean and its uncertainty (one standard deviation, of ln(ms) where the mean is a time). */
interface Belief {
  readonly mean: number
  readonly spread: number
}

/** What a target is assumed to be like before it was used. */
export const PRIORS = {
  /** The prior of a provider without calls, worth two observations. */
  reliability: 0.9,
  firstTokenMs: 2000,
  /** 100 tokens a second. */
  tokenMs: 10,
  quality: 0.8,
} as const

/** Maximum weight of the last day against the last minutes, in observations. */
const KAPPA = 8
/** The weight of the provider's other targets, in observations. */
const SIBLING_WEIGHT = 2
const PROVIDER_HALF_LIFE_MS = 3_600_000
const TASK_HALF_LIFE_MS = 3 * 86_400_000
/** Observations of the target as a whole that a task's own reports must outweigh. */
const TASK_PRIOR = 4
/** Observations at one hour of the day at which its offset counts half. */
const HOUR_PRIOR = 8
const LATENCY_PRIOR = 0.5
const LOG_VARIANCE = 0.16
const LEAST_LOG_VARIANCE = 0.04
const VARIANCE_PRIOR = 8
const QUALITY_SPREAD = 0.15
/** Deviations between the past quality and that of the latest reports at which the past counts half. */
const DOUBTED_AT = 3

export const halfLives = { provider: PROVIDER_HALF_LIFE_MS, task: TASK_HALF_LIFE_MS } as const

/** The probability that a call succeeds. `provider` counts the calls of all its targets and sums their successes. */
export function reliability(row: Sums, provider: OutcomeCounts | undefined, now: number): Belief {
  const slow = remainingAt(row, now, SLOW)
  const fast = remainingAt(row, now, FAST)
  const successes = row[slot.slowSuccesses]! * slow
  const seen = successes + row[slot.slowFailures]! * slow + SIBLING_WEIGHT
  const lastDay = (successes + SIBLING_WEIGHT * siblings(provider, now)) / seen
  const weight = Math.min(KAPPA, seen)
  const a = weight * lastDay + row[slot.fastSuccesses]! * fast
  const b = weight * (1 - lastDay) + row[slot.fastFailures]! * fast
  const n = a + b
  return { mean: a / n, spread: Math.sqrt((a * b) / (n * n * (n + 1))) }
}

function siblings(provider: OutcomeCounts | undefined, now: number): number {
  if (provider === undefined) return PRIORS.reliability
  const count = countAt(provider, now, PROVIDER_HALF_LIFE_MS)
  const successes = sumAt(provider, now, PROVIDER_HALF_LIFE_MS)
  return (successes + 2 * PRIORS.reliability) / (count + 2)
}

/** Time to the first token in milliseconds, at this hour of the day. */
export function firstToken(row: Sums, now: number): Belief {
  const slow = remainingAt(row, now, SLOW)
  const fast = remainingAt(row, now, FAST)
  const slowCount = row[slot.slowCount]! * slow
  const fastCount = row[slot.fastCount]! * fast
  const lastDay =
    (row[slot.slowLog]! * slow + LATENCY_PRIOR * Math.log(PRIORS.firstTokenMs)) / (slowCount + LATENCY_PRIOR)
  const weight = Math.min(KAPPA, slowCount + LATENCY_PRIOR)
  const n = weight + fastCount
  const log = (weight * lastDay + row[slot.fastLog]! * fast) / n
  return { mean: Math.exp(log + hourOffset(row, now)), spread: Math.sqrt(logVariance(row) / n) }
}

/**
 * How much slower (or faster) than its own average the target is at an hour of the day, in ln(ms). `clock`: the moment
 * whose hour it is, by the clock that the target follows; default `now`.
 */
export function hourOffset(row: Sums, now: number, clock = now + row[slot.hourLead]!): number {
  const hour = hourOf(clock)
  const count = row[slot.hourCount + hour]!
  if (count === 0) return 0
  const left = Math.min(HOUR_CAP, count * remainingAt(row, now, HOURS))
  return (row[slot.hourOffset + hour]! / count) * (left / (left + HOUR_PRIOR))
}

/** The hour of the day of a UTC time. */
export function hourOf(now: number): number {
  return Math.floor(now / 3_600_000) % 24
}

/** The mean ln(ms) of the last day, as stored in the row; the prior when there are no observations. */
export function slowLog(row: Sums): number {
  return row[slot.slowCount]! > 0 ? row[slot.slowLog]! / row[slot.slowCount]! : Math.log(PRIORS.firstTokenMs)
}

function logVariance(row: Sums): number {
  const count = row[slot.slowCount]!
  if (count === 0) return LOG_VARIANCE
  const mean = row[slot.slowLog]! / count
  const squares = Math.max(0, row[slot.slowLogSquares]! - count * mean * mean)
  return Math.max(LEAST_LOG_VARIANCE, (VARIANCE_PRIOR * LOG_VARIANCE + squares) / (VARIANCE_PRIOR + count))
}

/** Time per output token after the first, in milliseconds. */
export function perToken(row: Sums, now: number): Belief {
  const slow = remainingAt(row, now, SLOW)
  const fast = remainingAt(row, now, FAST)
  const slowCount = row[slot.slowTokenCount]! * slow
  const lastDay =
    (row[slot.slowTokenLog]! * slow + LATENCY_PRIOR * Math.log(PRIORS.tokenMs)) / (slowCount + LATENCY_PRIOR)
  const weight = Math.min(KAPPA, slowCount + LATENCY_PRIOR)
  const n = weight + row[slot.fastTokenCount]! * fast
  const log = (weight * lastDay + row[slot.fastTokenLog]! * fast) / n
  return { mean: Math.exp(log), spread: Math.sqrt(LOG_VARIANCE / n) }
}

/** How good the answers are, from reported scores and the catalogue's estimate (`prior`; null means 0.8). */
export function quality(row: Sums, prior: number | null, now: number): Belief {
  const slowCount = row[slot.slowQualityCount]! * remainingAt(row, now, SLOW_QUALITY)
  const fastCount = row[slot.fastQualityCount]! * remainingAt(row, now, FAST_QUALITY)
  const slowMean = meanIn(row, slot.slowQuality, slot.slowQualityCount)
  const fastMean = meanIn(row, slot.fastQuality, slot.fastQualityCount)
  const slowWeight = Math.min(KAPPA, slowCount) * agreement(slowMean - fastMean, fastCount)
  const n = slowWeight + 1 + fastCount
  const sum = slowWeight * slowMean + (prior ?? PRIORS.quality) + fastCount * fastMean
  return { mean: sum / n, spread: QUALITY_SPREAD / Math.sqrt(n) }
}

/** The weight of the past (1 to 0) when the latest reports are this far from it: half at three deviations. */
function agreement(gap: number, reports: number): number {
  const deviations = (gap * Math.sqrt(reports)) / QUALITY_SPREAD
  return 1 / (1 + (deviations / DOUBTED_AT) ** 2)
}

function meanIn(row: Sums, sum: number, count: number): number {
  return row[count]! > 0 ? row[sum]! / row[count]! : 0
}

/** Quality for one task, shrunk towards the target's overall quality. */
export function taskQuality(whole: Belief, task: OutcomeCounts, now: number): Belief {
  const count = countAt(task, now, TASK_HALF_LIFE_MS)
  const mean = (TASK_PRIOR * whole.mean + sumAt(task, now, TASK_HALF_LIFE_MS)) / (TASK_PRIOR + count)
  const evidence = (QUALITY_SPREAD / whole.spread) ** 2 + count
  return { mean, spread: QUALITY_SPREAD / Math.sqrt(evidence) }
}
