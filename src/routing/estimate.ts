/**
 * What to expect of a target now. Each estimate starts from a prior, uses the last day as prior evidence and the last
 * minutes as evidence: with much traffic the last ten minutes decide, with little the last day, with none the
 * provider's other targets.
 */

import { corrected, loneliest, type Rated, type Weighed, weighRatings } from './recentRatings.ts'
import {
  FAST,
  FAST_QUALITY,
  HOUR_CAP,
  HOURS,
  remaining,
  remainingAt,
  SLOW,
  SLOW_QUALITY,
  type Sums,
  slot,
} from './sums.ts'
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
/** Ratings as which the latest 24 count at most: a change shows however much was rated before. */
const LATEST = 24
const LATEST_WEIGHT = 12
const LATEST_OF_TASK = 12
/** As many ratings as everything else weighs against those of tokens among several. */
const SHARED_PRIOR = 20
/** Some more than count, so that the next older one counts again when one is rated anew. */
export const KEPT_RATINGS = 32
export const KEPT_OF_TASK = 16
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

/**
 * How good the answers are, from ratings (`recent`: the latest) and the catalogue's estimate (`prior`; null means 0.8).
 *
 * The latest 24 ratings, halved every 12 hours, weigh at most 12; those before them, and what is left of the latest when
 * they are halved every three days only, weigh at most 8, and less the more the latest contradict them. One rating moves
 * the estimate by little, and not at all while no other supports it.
 */
export function quality(
  row: Sums,
  prior: number | null,
  now: number,
  recent: readonly Rated[] | null = null,
  shared: readonly Rated[] | null = null,
): Belief {
  const own = ownQuality(row, prior, now, recent)
  return shared === null || shared.length === 0 ? own : withShared(own, shared, now, LATEST)
}

function ownQuality(row: Sums, prior: number | null, now: number, recent: readonly Rated[] | null): Belief {
  const assumed = prior ?? PRIORS.quality
  if (row[slot.slowQualityCount] === 0) return { mean: assumed, spread: QUALITY_SPREAD }
  const { past, latest } = ratingsAt(row, recent ?? [], assumed, now)
  const pastWeight = Math.min(KAPPA, past.count)
  const latestWeight = Math.min(LATEST_WEIGHT, latest.count)
  const trusted = pastWeight * agreement(meanOf(past) - meanOf(latest), latestWeight)
  const rated = { count: trusted + latestWeight, sum: trusted * meanOf(past) + latestWeight * meanOf(latest) }
  return { mean: shrunk(rated, assumed, 1), spread: QUALITY_SPREAD / Math.sqrt(rated.count + 1) }
}

/**
 * The estimate as tokens among several would have it. Against what they say the rest weighs 20 ratings, so that a
 * further one moves it by a twentieth at most, and by a tenth where it supports one that did not count before.
 */
function withShared(own: Belief, shared: readonly Rated[], now: number, most: number): Belief {
  const told = weighRatings(shared, now, TASK_HALF_LIFE_MS, most)
  const weightOf = ({ at }: Rated) => remaining(now - at, TASK_HALF_LIFE_MS)
  const all = { count: SHARED_PRIOR + told.count, sum: SHARED_PRIOR * own.mean + told.sum }
  const lonely = loneliest(shared, all, weightOf, most)
  const change = lonely === null ? { count: 0, sum: 0 } : corrected(lonely, weightOf(lonely.rated))
  const evidence = (QUALITY_SPREAD / own.spread) ** 2 + Math.max(0, told.count + change.count)
  return {
    mean: (all.sum + change.sum) / (all.count + change.count),
    spread: QUALITY_SPREAD / Math.sqrt(evidence),
  }
}

/** Of a rating as it moves an estimate, at most. */
const MOST_MOVED = 0.05

/**
 * The mean of ratings with a prior that weighs `least` ratings, and more while there are few: each of them moves the
 * estimate by 0.05 at most.
 */
function shrunk(rated: Weighed, prior: number, least: number): number {
  const weight = Math.max(least, Math.abs(meanOf(rated) - prior) / MOST_MOVED - rated.count)
  return rated.count === 0 ? prior : (rated.sum + weight * prior) / (rated.count + weight)
}

/** The latest ratings and those of the past, with a lonely one taken for what the others say. */
function ratingsAt(row: Sums, recent: readonly Rated[], prior: number, now: number) {
  const left = remainingAt(row, now, SLOW_QUALITY)
  const whole = { count: row[slot.slowQualityCount]! * left, sum: row[slot.slowQuality]! * left }
  const latest = weighRatings(recent, now, FAST_QUALITY.halfLifeMs, LATEST)
  // What an older version knew of the latest gives way to what comes.
  const old = Math.max(0, 1 - recent.length / LATEST) * remainingAt(row, now, FAST_QUALITY)
  const count = latest.count + old * row[slot.fastQualityCount]!
  const sum = latest.sum + old * row[slot.fastQuality]!
  const known = Math.max(whole.count, count)
  const all = { count: known + 1, sum: (whole.count < count ? sum : whole.sum) + prior }
  const lonely = loneliest(recent, all, ({ at }) => remaining(now - at, SLOW_QUALITY.halfLifeMs), LATEST)
  if (lonely === null) return { latest: { count, sum }, past: tidied(whole.count - count, whole.sum - sum) }
  const fastWeight = remaining(now - lonely.rated.at, FAST_QUALITY.halfLifeMs)
  const slowWeight = remaining(now - lonely.rated.at, SLOW_QUALITY.halfLifeMs)
  const [fast, rest] = [corrected(lonely, fastWeight), corrected(lonely, slowWeight - fastWeight)]
  return {
    latest: tidied(count + fast.count, sum + fast.sum),
    past: tidied(whole.count - count + rest.count, whole.sum - sum + rest.sum),
  }
}

/** What rounding leaves is nothing. */
function tidied(count: number, sum: number): Weighed {
  return count < 1e-9 ? { count: 0, sum: 0 } : { count, sum: Math.min(count, Math.max(0, sum)) }
}

/** The weight of the past (1 to 0) when the latest reports are this far from it: half at three deviations. */
function agreement(gap: number, reports: number): number {
  const deviations = (gap * Math.sqrt(reports)) / QUALITY_SPREAD
  return 1 / (1 + (deviations / DOUBTED_AT) ** 2)
}

const meanOf = ({ count, sum }: Weighed) => (count > 0 ? sum / count : 0)

/** Ratings of one task. */
export interface TaskRatings {
  /** What an older version knew. */
  readonly before: OutcomeCounts
  readonly recent: Rated[]
  /** From tokens among several: one for each token and hour. */
  readonly shared: Rated[]
}

/**
 * Quality for one task, from its latest 12 ratings, halved every three days; the target's overall quality weighs as
 * much as 4 of them, or more while there are few.
 */
export function taskQuality(whole: Belief, task: TaskRatings, now: number): Belief {
  const own = ownTaskQuality(whole, task, now)
  return task.shared.length === 0 ? own : withShared(own, task.shared, now, LATEST_OF_TASK)
}

function ownTaskQuality(whole: Belief, { before, recent }: TaskRatings, now: number): Belief {
  const latest = weighRatings(recent, now, TASK_HALF_LIFE_MS, LATEST_OF_TASK)
  const old = Math.max(0, 1 - recent.length / LATEST_OF_TASK)
  const told = {
    count: latest.count + old * countAt(before, now, TASK_HALF_LIFE_MS),
    sum: latest.sum + old * sumAt(before, now, TASK_HALF_LIFE_MS),
  }
  const all = { count: TASK_PRIOR + told.count, sum: TASK_PRIOR * whole.mean + told.sum }
  const weightOf = ({ at }: Rated) => remaining(now - at, TASK_HALF_LIFE_MS)
  const lonely = loneliest(recent, all, weightOf, LATEST_OF_TASK)
  const change = lonely === null ? { count: 0, sum: 0 } : corrected(lonely, weightOf(lonely.rated))
  const own = tidied(told.count + change.count, told.sum + change.sum)
  const evidence = (QUALITY_SPREAD / whole.spread) ** 2 + own.count
  return { mean: shrunk(own, whole.mean, TASK_PRIOR), spread: QUALITY_SPREAD / Math.sqrt(evidence) }
}
