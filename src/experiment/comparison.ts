/** Two variants on one metric: the difference of their means, with an interval that holds at every look. */

import { driftFor, horizonBound, horizonRadius, mixtureRadius, mixtureRho2 } from './confidence.ts'

/** The whole state as plain JSON, so that results survive a restart. */
export interface ComparisonState {
  /** Observations of both variants. */
  count: number
  firstCount: number
  /** Running mean, and sums of squared and fourth powers of the deviations from it, of the effect terms. */
  mean: number
  squares: number
  fourths: number
  /** Sum of squared deviations of the values from what was expected. */
  surprises: number
  /** The tuning of the open-ended sequence, fixed once the spread is first known. */
  rho2: number | null
  /** The interval when the comparison reached its planned size. */
  atHorizon: Interval | null
  decided: ComparisonDecision | null
}

/** The difference second minus first. */
export interface Interval {
  /** Lower end. */
  readonly low: number
  /** Upper end. */
  readonly high: number
}

/** A difference, or its absence, established at the chosen `alpha`. */
export interface ComparisonDecision extends Interval {
  /** Number of observations of both variants at that time. */
  readonly count: number
  /** `equal`: smaller than the minimum effect. */
  readonly outcome: 'second-higher' | 'first-higher' | 'equal'
}

interface ComparisonRules {
  /** Probability of ever calling a difference where there is none. */
  readonly alpha: number
  /** The probability of the second variant among the two. */
  readonly secondShare: number
  /** Largest minus smallest possible value. */
  readonly range: number
}

/** Nothing is reported before each variant has this many observations. */
const FIRST_LOOK = 30
/** The probability of finding an effect of the minimum size by the horizon. */
const POWER = 0.84
/**
 * Shares of alpha for the boundary up to the horizon and for the open-ended sequence; the rest is reserved for the
 * error of the limit theorem.
 */
const HORIZON_PART = 0.82
const ENDLESS_PART = 0.08
/** Shorter comparisons would rely on the limit theorem too early. */
const SHORTEST_HORIZON = 200
/** The spread counts as known once the square of its relative error is below this; rare failures take longer. */
const SPREAD_ERROR = 0.05

export function newComparison(): ComparisonState {
  return {
    count: 0,
    firstCount: 0,
    mean: 0,
    squares: 0,
    fourths: 0,
    surprises: 0,
    rho2: null,
    atHorizon: null,
    decided: null,
  }
}

export class Comparison {
  readonly state: ComparisonState
  readonly #rules: ComparisonRules
  readonly #bound: number
  readonly #drift: number
  readonly #endlessAlpha: number
  /** The largest step that one observation can cause. */
  readonly #reach: number

  constructor(rules: ComparisonRules, state: ComparisonState = newComparison()) {
    this.state = state
    this.#rules = rules
    this.#bound = horizonBound(rules.alpha * HORIZON_PART)
    this.#drift = driftFor(POWER, this.#bound)
    this.#endlessAlpha = rules.alpha * ENDLESS_PART
    this.#reach = rules.range / Math.min(rules.secondShare, 1 - rules.secondShare)
  }

  /**
   * Counts one observation. `expected` is what was expected of either variant before the observation: subtracting it
   * changes no difference, because the variants are drawn with known probabilities, but removes whatever moves both
   * (the hour, a drift) and with it most of the noise. The term (1{second}/q - 1{first}/p) (value - expected) has
   * exactly the mean "second minus first" at its moment, so the average is unbiased under drift too (the augmented
   * inverse propensity weighting of the paper cited in `confidence.ts`, section 3). `effect`: the smallest difference
   * that matters, in the metric's unit.
   */
  observe(isSecond: boolean, value: number, expected: number, effect: number): void {
    const { state } = this
    const q = this.#rules.secondShare
    const term = (value - expected) * (isSecond ? 1 / q : -1 / (1 - q))
    state.count++
    if (!isSecond) state.firstCount++
    const off = term - state.mean
    state.mean += off / state.count
    const square = off * (term - state.mean)
    state.squares += square
    state.fourths += square * square
    state.surprises += (value - expected) ** 2
    this.#look(effect)
  }

  /** The current estimate of the difference second minus first; null while it is too early to report one. */
  interval(effect: number): Interval | null {
    const { count, mean, atHorizon, rho2 } = this.state
    if (rho2 === null) return null
    const sd = this.#sd(effect)
    const endless = mixtureRadius(count, sd, this.#endlessAlpha, rho2)
    if (atHorizon !== null) return both(around(mean, endless), atHorizon) ?? around(mean, endless)
    const horizon = Math.max(count, this.horizon(effect))
    return around(mean, Math.min(endless, horizonRadius(count, sd, this.#bound, horizon)))
  }

  /**
   * How many observations of both variants find an effect of that size with probability `POWER`, by the spread so far.
   * The spread is independent of the difference, so updating it as it becomes better known favours neither side.
   */
  horizon(effect: number): number {
    return Math.max(SHORTEST_HORIZON, Math.ceil(((this.#drift * this.#sd(effect)) / effect) ** 2))
  }

  /**
   * About how many more observations of both variants a decision needs, if the observations so far are representative;
   * 0 when it is decided, null while undecided.
   */
  stillNeeded(effect: number): number | null {
    const { count, mean, decided, atHorizon, rho2 } = this.state
    if (decided !== null) return 0
    if (rho2 === null) return null
    const sd = this.#sd(effect)
    if (atHorizon === null) {
      const horizon = this.horizon(effect)
      const crossing = (sd * this.#bound * Math.sqrt(horizon)) / Math.abs(mean)
      return Math.ceil(Math.max(1, Math.min(crossing, horizon) - count))
    }
    let needed = count
    while (needed < 1e9 && mixtureRadius(needed, sd, this.#endlessAlpha, rho2) >= Math.abs(mean)) needed *= 1.1
    return needed < 1e9 ? Math.ceil(needed - count) + 1 : null
  }

  #look(effect: number): void {
    const { state } = this
    if (state.rho2 === null && !this.#isSpreadKnown(effect)) return
    state.rho2 ??= mixtureRho2(2 * this.horizon(effect), this.#endlessAlpha)
    if (state.decided !== null && state.atHorizon !== null) return
    const interval = this.interval(effect)
    if (interval === null) return
    if (state.atHorizon === null && state.count >= this.horizon(effect)) state.atHorizon = interval
    const outcome = outcomeOf(interval, effect)
    if (outcome !== null) state.decided ??= { ...interval, count: state.count, outcome }
  }

  /** The relative variance of the estimated variance is (kurtosis - 1) / count. */
  #isSpreadKnown(effect: number): boolean {
    const { count, firstCount, squares, fourths } = this.state
    if (firstCount < FIRST_LOOK || count - firstCount < FIRST_LOOK) return false
    const kurtosis = (fourths * count) / (squares * squares)
    return (squares > 0 && (kurtosis - 1) / count <= SPREAD_ERROR) || this.#isLongEnough(effect)
  }

  /** Enough observations for a decision even at the widest spread: values that (almost) never vary are believed. */
  #isLongEnough(effect: number): boolean {
    return this.state.count >= ((this.#drift * this.#reach) / 2 / effect) ** 2
  }

  /**
   * The spread of one term, as the wider of two estimates: the terms themselves, and both variants together as if they
   * had the same spread. When the smaller variant was lucky so far (its rare failures are yet to come), its own terms
   * look both better and steadier than they are; the second estimate includes the failures of the other.
   */
  #sd(effect: number): number {
    const { count, squares, surprises } = this.state
    const q = this.#rules.secondShare
    const alike = surprises / (q * (1 - q)) / count
    // With this many equal values: at least as if three of the rarest and largest steps had been missed.
    const unseen = this.#isLongEnough(effect) ? (3 * this.#reach ** 2) / count : 0
    return Math.sqrt(Math.max(squares / Math.max(1, count - 1), alike, unseen))
  }
}

function outcomeOf({ low, high }: Interval, effect: number): ComparisonDecision['outcome'] | null {
  if (low > 0) return 'second-higher'
  if (high < 0) return 'first-higher'
  return low > -effect && high < effect ? 'equal' : null
}

function around(mean: number, radius: number): Interval {
  return { low: mean - radius, high: mean + radius }
}

/** The intersection of both intervals; null when they contradict each other (the effect has changed). */
function both(a: Interval, b: Interval): Interval | null {
  const low = Math.max(a.low, b.low)
  const high = Math.min(a.high, b.high)
  return low <= high ? { low, high } : null
}
