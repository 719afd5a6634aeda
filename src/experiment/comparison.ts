/**
 * Two variants on one metric: the difference of their means, with an interval that holds at every look.
 *
 * Values are compared within blocks of units that were assigned one after another (`blocks.ts`), so that whatever moves
 * both variants (the hour, a jump, a drift) cancels, whichever of them reports more, and however late. A block with n1
 * and n2 values and means m1 and m2 contributes n1 n2 / (n1 + n2) (m2 - m1): the score statistic of the difference with
 * the level of the block as a nuisance. Over the blocks it behaves as a Brownian motion in the clock of its variance,
 * also when values are added to earlier blocks, because the score of an efficient estimate has independent increments
 * (D. O. Scharfstein, A. A. Tsiatis, J. M. Robins, "Semiparametric efficiency and its implication on the design and
 * analysis of group-sequential studies", JASA 92(440), 1997).
 */

import { driftFor, horizonAlpha, horizonBound, mixtureRadius, mixtureRho2 } from './confidence.ts'

/** What blocks contribute: sums over all of them, or those of one. */
export interface Contribution {
  /** Sum of n1 n2 / (n1 + n2) (m2 - m1). */
  score: number
  /** Sum of n1 n2 / (n1 + n2): how much `score` grows by a difference of 1. */
  information: number
  /** The variance of `score`, by the spread within each block. */
  variance: number
}

/** A boundary for the score that holds until its variance reaches `size`. */
interface Plan {
  readonly size: number
  readonly level: number
}

/** The whole state as plain JSON, so that results survive a restart. */
export interface ComparisonState extends Contribution {
  /** Observations of both variants. */
  observations: number
  /** Those of them, and of the first variant, that the spread is known by. */
  count: number
  firstCount: number
  /** Running mean, and sums of squared and fourth powers of the deviations from it, of the effect terms. */
  mean: number
  squares: number
  fourths: number
  /** Sum of squared deviations of the values from what was expected. */
  surprises: number
  /** The part of the three sums above that blocks brought which take no more values. */
  readonly closed: Contribution
  /** The current boundary; null until the spread is known. */
  plan: Plan | null
  /** The part of alpha used up by earlier plans. */
  spent: number
  /** The tuning of the open-ended sequence, fixed once the spread is first known. */
  rho2: number | null
  /** The interval when the comparison reached its planned size. */
  atHorizon: Interval | null
  decided: ComparisonDecision | null
  /** The places (epoch milliseconds) reached by the units when these two came about. */
  horizonPlace: number
  decidedPlace: number
  /** A decision that was not allowed is asked for again at so many observations. */
  askAgainAt: number
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
const HORIZON_PART = 0.75
const ENDLESS_PART = 0.08
/** Shorter comparisons would rely on the limit theorem too early. */
const SHORTEST_HORIZON = 200
/** The spread counts as known once the square of its relative error is below this; rare failures take longer. */
const SPREAD_ERROR = 0.05
/** A new plan is made when the size it should have differs from the current one by this factor. */
const REPLAN = 1.25
/** Counting who reports takes a while. */
const ASK_EVERY = 8
/** At least this part of alpha must be left for a new plan. */
const LEFT_PART = 0.7

export function newComparison(): ComparisonState {
  return {
    score: 0,
    information: 0,
    variance: 0,
    closed: { score: 0, information: 0, variance: 0 },
    observations: 0,
    count: 0,
    firstCount: 0,
    mean: 0,
    squares: 0,
    fourths: 0,
    surprises: 0,
    plan: null,
    spent: 0,
    rho2: null,
    atHorizon: null,
    decided: null,
    horizonPlace: 0,
    decidedPlace: 0,
    askAgainAt: 0,
  }
}

export class Comparison {
  readonly state: ComparisonState
  readonly #rules: ComparisonRules
  readonly #horizonAlpha: number
  readonly #drift: number
  readonly #endlessAlpha: number
  /** p (1 - p) of the two shares: the information of one observation. */
  readonly #each: number
  /** The largest step that one observation can cause. */
  readonly #reach: number

  constructor(rules: ComparisonRules, state: ComparisonState = newComparison()) {
    this.state = state
    this.#rules = rules
    this.#horizonAlpha = rules.alpha * HORIZON_PART
    this.#drift = driftFor(POWER, horizonBound(this.#horizonAlpha))
    this.#endlessAlpha = rules.alpha * ENDLESS_PART
    this.#each = rules.secondShare * (1 - rules.secondShare)
    this.#reach = rules.range / Math.min(rules.secondShare, 1 - rules.secondShare)
  }

  /**
   * Counts one observation for what is known of the spread. `expected` is what was expected of either variant before
   * it. The terms are weighted by the shares, so that a variant with few units and a spread of its own counts as much
   * as it does in the difference.
   */
  observe(isSecond: boolean, value: number, expected: number): void {
    const { state } = this
    const q = this.#rules.secondShare
    const term = (value - expected) * (isSecond ? 1 / q : -1 / (1 - q))
    state.observations++
    state.count++
    if (!isSecond) state.firstCount++
    const off = term - state.mean
    state.mean += off / state.count
    const square = off * (term - state.mean)
    state.squares += square
    state.fourths += square * square
    state.surprises += (value - expected) ** 2
  }

  /** The current estimate of the difference second minus first; null while it is too early to report one. */
  interval(effect: number): Interval | null {
    const { score, information, plan, atHorizon, rho2 } = this.state
    if (plan === null || rho2 === null || information <= 0) return null
    const mean = score / information
    const endless = this.#endlessLevel(this.#variance(effect), rho2) / information
    if (atHorizon !== null) return both(around(mean, endless), atHorizon) ?? around(mean, endless)
    return around(mean, Math.min(endless, plan.level / information))
  }

  /**
   * About how many more observations of both variants a decision needs, if the observations so far are representative;
   * 0 when it is decided, null when unknown. `effect`: the smallest difference that matters, in the metric's unit.
   */
  stillNeeded(effect: number): number | null {
    const { observations, score, information, plan, decided, atHorizon, rho2 } = this.state
    if (decided !== null) return 0
    if (plan === null || rho2 === null || information <= 0) return null
    const mean = Math.abs(score / information)
    const variance = this.#variance(effect)
    for (let growth = 1.02; growth < 1e4; growth *= 1.02) {
      const isPlanned = atHorizon === null && variance * growth <= plan.size
      const endless = this.#endlessLevel(variance * growth, rho2)
      const radius = (isPlanned ? Math.min(endless, plan.level) : endless) / (information * growth)
      // What was the interval at the horizon goes on holding.
      const held = atHorizon === null && !isPlanned ? (plan.level * variance) / (plan.size * information) : radius
      const least = Math.min(radius, held)
      if (mean > least || mean + least < effect) return Math.ceil(observations * (growth - 1))
    }
    return null
  }

  /** Whether the evidence suffices now for what it has not been allowed to decide. */
  isDue(effect: number): boolean {
    const interval = this.interval(effect)
    return this.state.decided === null && interval !== null && outcomeOf(interval, effect) !== null
  }

  /**
   * Looks whether the evidence suffices now. `mayDecide` is asked when it would: while the counts of the variants do not
   * fit, nothing is decided. `place`: how far the units are.
   */
  look(effect: number, place: number, mayDecide: () => boolean): void {
    const { state } = this
    if (state.decided !== null && state.atHorizon !== null && state.plan !== null) return
    if (state.information <= 0 || (state.plan === null && !this.#isSpreadKnown(effect))) return
    // After an outage the expectation still moves, while values that are all alike have no spread to plan by.
    if (state.plan === null && this.#variance(effect) <= 0) return
    this.#plan(effect)
    const interval = this.interval(effect)
    if (interval === null) return
    if (state.atHorizon === null && this.#variance(effect) >= (state.plan?.size ?? 0)) {
      state.atHorizon = interval
      state.horizonPlace = place
    }
    if (state.decided !== null) return
    const outcome = outcomeOf(interval, effect)
    if (outcome === null || state.observations < state.askAgainAt) return
    if (!mayDecide()) {
      state.askAgainAt = state.observations + ASK_EVERY
      return
    }
    state.decided = { ...interval, count: state.observations, outcome }
    state.decidedPlace = place
  }

  /**
   * Blocks since that place were changed: what was found since rests on units that are left out by now, and so does what
   * is known of the spread. `left`: observations that were taken out.
   */
  takeBack(place: number, left: number, effect: number): void {
    const { state } = this
    if (state.decidedPlace >= place) state.decided = null
    if (state.horizonPlace >= place) state.atHorizon = null
    state.observations -= left
    if (state.plan !== null) state.spent += this.#spentBy(state.plan, effect)
    Object.assign(state, { plan: null, count: 0, firstCount: 0, mean: 0, squares: 0, fourths: 0, surprises: 0 })
  }

  /**
   * The boundary is set for the size that finds an effect of the minimum size, by the spread so far. The spread is
   * independent of the difference, so setting it anew as the spread becomes better known favours neither side; but each
   * plan may err until it is replaced (a jump can double the spread), and the next has only what is left of alpha.
   */
  #plan(effect: number): void {
    const { state } = this
    const { plan, information } = state
    const variance = this.#variance(effect)
    if (plan !== null && (state.atHorizon !== null || variance >= plan.size)) return
    const spread = variance / information
    const wanted = spread * Math.max(this.#shortest(), (this.#drift ** 2 * spread) / effect ** 2)
    if (plan === null) {
      const left = Math.max(this.#horizonAlpha - state.spent, this.#horizonAlpha / 100)
      state.plan = planOf(Math.max(wanted, variance * REPLAN), left)
      state.rho2 ??= mixtureRho2(2 * state.plan.size, this.#endlessAlpha)
      return
    }
    if (wanted < plan.size * REPLAN && wanted > plan.size / REPLAN) return
    const spent = state.spent + this.#spentBy(plan, effect)
    const left = this.#horizonAlpha - spent
    if (left < LEFT_PART * this.#horizonAlpha) return
    state.spent = spent
    state.plan = planOf(Math.max(wanted, variance * REPLAN), left)
  }

  /** The probability of having left the boundary by now. */
  #spentBy({ size, level }: Plan, effect: number): number {
    return horizonAlpha(level / Math.sqrt(Math.min(size, this.#variance(effect))))
  }

  #shortest(): number {
    return SHORTEST_HORIZON * this.#each
  }

  #endlessLevel(variance: number, rho2: number): number {
    return variance * mixtureRadius(variance, 1, this.#endlessAlpha, rho2)
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
   * The variance of the score, as the wider of two estimates: both variants together as if they had the same spread, and
   * each with its own. When the smaller variant was lucky so far (its rare failures are yet to come), its own values
   * look both better and steadier than they are; the first estimate includes the failures of the other.
   */
  #variance(effect: number): number {
    const { count, squares, surprises, variance, information } = this.state
    const alike = surprises / this.#each / Math.max(1, count)
    const own = squares / Math.max(1, count - 1)
    const seen = alike > 0 ? variance * Math.max(1, own / alike) : variance
    // With this many equal values: at least as if three of the rarest and largest steps had been missed.
    return this.#isLongEnough(effect) ? Math.max(seen, (3 * this.#reach ** 2 * this.#each * information) / count) : seen
  }
}

/** The boundary that a Brownian motion leaves before `size` with probability `alpha`. */
function planOf(size: number, alpha: number): Plan {
  return { size, level: horizonBound(alpha) * Math.sqrt(size) }
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
