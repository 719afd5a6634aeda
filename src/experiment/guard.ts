/**
 * Stops a variant that fails or costs too much, long before the experiment is decided. When everything that failed was
 * its target (an outage, a limit), the stop is a pause: it ends by itself once the target is well again, after a time
 * that doubles with every pause, and the units of the outage are not compared.
 */

import { mixtureRadius, mixtureRho2 } from './confidence.ts'
import type { Guard } from './experiment.ts'
import { logFactorial, solve } from './normal.ts'

/** Sums of one variant; plain JSON. */
interface GuardSums {
  successes: number
  failures: number
  costCount: number
  costMean: number
  costSquares: number
}

/** `outage`: only its target failed. */
export type StopKind = 'outage' | 'failures' | 'cost'

export interface Stop {
  readonly variant: string
  readonly reason: string
  readonly kind: StopKind
  /** Epoch milliseconds. */
  readonly at: number
  /** Epoch milliseconds at which an outage is over at the earliest; null for a stop that only a person ends. */
  readonly until: number | null
  /** Which of its stops it is, from 1. */
  readonly number: number
}

interface FailureMark {
  readonly place: number
  readonly isOutage: boolean
  /** Successes since the failure before. */
  readonly gap: number
}

/** Plain JSON. */
interface VariantGuard {
  stop: Omit<Stop, 'variant'> | null
  stops: number
  /** How often the next pause is doubled. */
  doublings: number
  /** It runs again after a pause, and has not yet answered. */
  isOnTrial: boolean
  /** Successes since it was started last, or since its last failure. */
  gap: number
  /** The last failures, oldest first. */
  readonly recent: FailureMark[]
}

/** Plain JSON. */
export interface GuardState {
  readonly variants: VariantGuard[]
  /** Of each rival: its sums and those of the baseline while both ran. */
  readonly pairs: { readonly baseline: GuardSums; readonly rival: GuardSums }[]
}

/** How a request ended, for the guard. */
interface Ending {
  readonly ok: boolean
  /** It failed, and only because of its target. */
  readonly isOutage: boolean
  /** Epoch milliseconds at which it ended, and at which its unit was assigned. */
  readonly at: number
  readonly place: number
}

/** Probability of ever stopping a harmless variant, for each guard and variant. */
const ALPHA = 0.01
/** Costs vary widely; fewer values are not significant. */
const FEWEST_COSTS = 30
/** The first pause, and the longest. */
const PAUSE_MS = 15_000
const LONGEST_PAUSE_MS = 6 * 3_600_000
/** After this many successes in a row the next pause is short again; what fails now and then must not come and go. */
const RECOVERED = 50
/** After a pause this many failures in a row, before any success, begin the next. */
const TRIAL_FAILURES = 3
/** After this many in a row nothing is decided until it is known whether they are an outage. */
const SUSPECT_FAILURES = 3
/** After this many in a row it is one, if another variant is answered meanwhile: before a short one decides anything. */
const OUTAGE_FAILURES = 6
/** Failures remembered to find out when an outage began, and of what kind it is. */
const MOST_RECENT = 64
/** More successes than this between two failures part two outages. */
const APART = 10
/** This share of the failures must be the target's. */
const OUTAGE_SHARE = 0.9

export function newGuard(variants: number): GuardState {
  return {
    variants: Array.from({ length: variants }, () => ({
      stop: null,
      stops: 0,
      doublings: 0,
      isOnTrial: false,
      gap: 0,
      recent: [],
    })),
    pairs: Array.from({ length: variants - 1 }, () => ({ baseline: newSums(), rival: newSums() })),
  }
}

function newSums(): GuardSums {
  return { successes: 0, failures: 0, costCount: 0, costMean: 0, costSquares: 0 }
}

/** For people and for the log. */
export function stopText({ variant, reason, kind }: Stop): string {
  return kind === 'outage'
    ? `${variant} was stopped during an outage of its target: it ${reason}`
    : `${variant} was stopped: ${reason}`
}

export class VariantGuards {
  readonly state: GuardState
  #guard: Guard
  readonly #names: readonly string[]

  constructor(state: GuardState, guard: Guard, names: readonly string[]) {
    this.state = state
    this.#guard = guard
    this.#names = names
  }

  useGuard(guard: Guard): void {
    this.#guard = guard
  }

  isStopped(variant: number): boolean {
    return this.#of(variant)?.stop != null
  }

  /** Stopped by an outage. */
  isPaused(variant: number): boolean {
    return this.#of(variant)?.stop?.kind === 'outage'
  }

  stops(): readonly Stop[] {
    return this.state.variants.flatMap(({ stop }, index) =>
      stop === null ? [] : [{ ...stop, variant: this.#names[index] ?? '' }],
    )
  }

  /** Its last requests failed one after another because of its target: there may be an outage. */
  isSuspect(variant: number): boolean {
    const its = this.#of(variant)
    return its !== undefined && outagesInARow(its) >= SUSPECT_FAILURES
  }

  onTrial(): readonly string[] {
    return this.state.variants.flatMap(({ isOnTrial, stop }, index) =>
      isOnTrial && stop === null ? [this.#names[index] ?? ''] : [],
    )
  }

  /**
   * A request ended. Returns the place from which units of the variant are to be left out: where an outage stops it, and
   * where it answers again after requests that found the outage not over.
   */
  ended(variant: number, ending: Ending): number | null {
    const its = this.#of(variant)
    if (its === undefined || its.stop !== null) return null
    const failedTrial = ending.ok && its.isOnTrial ? placeOf(its.recent) : null
    mark(its, ending)
    for (const sums of this.#sumsOf(variant)) {
      if (ending.ok) sums.successes++
      else sums.failures++
    }
    if (ending.ok) return failedTrial
    const again = this.#failsOnTrial(its) ?? this.#failsAlone(its)
    if (again !== null) return this.#stop(its, again, outageSince(its) ?? outageOf(its), ending.at)
    const reason = this.#failure(variant)
    return reason === null ? null : this.#stop(its, reason, outageOf(its), ending.at)
  }

  /** A request's cost is known. */
  cost(variant: number, usd: number, at: number): void {
    const its = this.#of(variant)
    if (its === undefined || its.stop !== null) return
    for (const sums of this.#sumsOf(variant)) countCost(sums, usd)
    const pair = this.state.pairs[variant - 1]
    const reason = pair === undefined ? null : costsTooMuch(this.#guard, pair.baseline, pair.rival)
    if (reason !== null) this.#stop(its, reason, 'cost', at)
  }

  /** Ends the stop of that number, and begins to count anew. */
  lift(variant: number, number: number): void {
    const its = this.#of(variant)
    if (its?.stop == null || its.stop.number !== number) return
    its.isOnTrial = its.stop.kind === 'outage'
    const withCosts = its.stop.kind === 'cost'
    its.stop = null
    its.gap = 0
    its.recent.length = 0
    const pairs = variant === 0 ? this.state.pairs : this.state.pairs.slice(variant - 1, variant)
    for (const { baseline, rival } of pairs)
      for (const sums of [baseline, rival]) Object.assign(sums, withCosts ? newSums() : { successes: 0, failures: 0 })
  }

  #of(variant: number): VariantGuard | undefined {
    return this.state.variants[variant]
  }

  /** The sums that a variant counts in: only while the other one of the pair runs as well. */
  #sumsOf(variant: number): readonly GuardSums[] {
    if (variant > 0) {
      const pair = this.state.pairs[variant - 1]
      return pair === undefined || this.isStopped(0) ? [] : [pair.rival]
    }
    return this.state.pairs.filter((_, index) => !this.isStopped(index + 1)).map(({ baseline }) => baseline)
  }

  #failure(variant: number): string | null {
    const { pairs } = this.state
    if (variant > 0) {
      const pair = pairs[variant - 1]
      return pair === undefined ? null : failsTooMuch(this.#guard, pair.baseline, pair.rival, 'the first variant')
    }
    for (const [index, { baseline, rival }] of pairs.entries()) {
      if (this.isStopped(index + 1)) continue
      const reason = failsTooMuch(this.#guard, rival, baseline, this.#names[index + 1] ?? '')
      if (reason !== null) return reason
    }
    return null
  }

  #failsOnTrial({ isOnTrial, recent }: VariantGuard): string | null {
    return isOnTrial && recent.length >= TRIAL_FAILURES
      ? `failed ${TRIAL_FAILURES} times in a row after its pause`
      : null
  }

  #failsAlone(its: VariantGuard): string | null {
    if (outagesInARow(its) < OUTAGE_FAILURES) return null
    const answered = this.state.variants.findIndex((other) => other !== its && other.stop === null && other.gap > 0)
    if (answered < 0) return null
    return `failed ${OUTAGE_FAILURES} times in a row, while ${this.#names[answered]} was answered`
  }

  #stop(its: VariantGuard, reason: string, outage: number | 'failures' | 'cost', at: number): number | null {
    const isOutage = typeof outage === 'number'
    const pause = Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** its.doublings)
    its.stops++
    if (isOutage) its.doublings++
    const kind = isOutage ? 'outage' : outage
    its.stop = { reason, kind, at, until: isOutage ? at + pause : null, number: its.stops }
    return isOutage ? outage : null
  }
}

function mark(its: VariantGuard, { ok, isOutage, place }: Ending): void {
  if (!ok) {
    its.recent.push({ place, isOutage, gap: its.gap })
    if (its.recent.length > MOST_RECENT) its.recent.shift()
    its.gap = 0
    return
  }
  its.isOnTrial = false
  if (++its.gap >= RECOVERED) its.doublings = 0
}

/** Failures since its last answer, up to the last that was not only its target's. */
function outagesInARow({ gap, recent }: VariantGuard): number {
  if (gap > 0) return 0
  let count = 0
  for (const failure of recent.toReversed()) {
    if (!failure.isOutage) break
    count++
    if (failure.gap > 0) break
  }
  return count
}

/**
 * Where the outage began that goes on: the target's failures since the last ten answers in a row. One of its own among
 * them does not make it another matter. Null without any.
 */
function outageSince({ recent }: VariantGuard): number | null {
  return placeOf(recent.slice(chainStart(recent)).filter(({ isOutage }) => isOutage))
}

/** Where the outage began that the last failures belong to; `failures` when they were not, or not only, the target's. */
function outageOf({ recent }: VariantGuard): number | 'failures' {
  const its = recent.slice(chainStart(recent))
  const outages = its.filter(({ isOutage }) => isOutage)
  return outages.length >= OUTAGE_SHARE * its.length ? (placeOf(its) ?? 'failures') : 'failures'
}

/** The first of the last failures that belong together. */
function chainStart(recent: readonly FailureMark[]): number {
  let first = Math.max(0, recent.length - 1)
  while (first > 0 && (recent[first]?.gap ?? 0) <= APART) first--
  return first
}

/** The first place of the failures; null for none. */
function placeOf(failures: readonly FailureMark[]): number | null {
  return failures.length === 0 ? null : Math.min(...failures.map(({ place }) => place))
}

function countCost(sums: GuardSums, usd: number): void {
  sums.costCount++
  const off = usd - sums.costMean
  sums.costMean += off / sums.costCount
  sums.costSquares += off * (usd - sums.costMean)
}

/** Why a variant must be stopped, or null. Both are compared as intervals that hold at every moment. */
function failsTooMuch(guard: Guard, other: GuardSums, variant: GuardSums, otherName: string): string | null {
  // The interval contains the observed rate, so while that is good enough nothing can be proven.
  if (rate(variant) >= rate(other) - guard.maxSuccessLoss) return null
  const least = successInterval(other.successes, other.failures, ALPHA / 2).low
  const most = successInterval(variant.successes, variant.failures, ALPHA / 2).high
  if (most >= least - guard.maxSuccessLoss) return null
  return `answers at most ${percent(most)} of its requests, ${otherName} at least ${percent(least)}`
}
function costsTooMuch(guard: Guard, baseline: GuardSums, variant: GuardSums): string | null {
  if (guard.maxCostRatio === null || variant.costCount < FEWEST_COSTS || baseline.costCount < FEWEST_COSTS) return null
  const ratio = (variant.costMean - costRadius(variant)) / (baseline.costMean + costRadius(baseline))
  if (!(ratio > guard.maxCostRatio)) return null
  if (ratio === Number.POSITIVE_INFINITY) return 'has a cost, and the first variant has none'
  return `costs at least ${ratio.toFixed(1)} times as much as the first variant`
}

/**
 * The success rates p that are not refuted yet: with a uniform mixture over the alternatives, s! f! / (n + 1)! / (p^s
 * (1 - p)^f) is a martingale that ever exceeds 1 / alpha with probability at most alpha (H. Robbins, "Statistical
 * methods related to the law of the iterated logarithm", Annals of Mathematical Statistics 41(5), 1970). Exact from the
 * first request, so a variant that only fails is stopped after about a dozen.
 */
export function successInterval(s: number, f: number, alpha: number): { readonly low: number; readonly high: number } {
  const n = s + f
  if (n === 0) return { low: 0, high: 1 }
  const evidence = logFactorial(s) + logFactorial(f) - logFactorial(n + 1) + Math.log(alpha)
  // ln(p^s (1 - p)^f) must stay above `evidence`; it rises up to s / n and falls after it.
  const likelihood = (p: number) => (s === 0 ? 0 : s * Math.log(p)) + (f === 0 ? 0 : f * Math.log1p(-p))
  const low = s === 0 ? 0 : solve(likelihood, evidence, 0, s / n)
  const high = f === 0 ? 1 : solve((p) => -likelihood(p), -evidence, s / n, 1)
  return { low, high }
}

function rate({ successes, failures }: GuardSums): number {
  return successes + failures === 0 ? 1 : successes / (successes + failures)
}

function costRadius({ costCount, costSquares }: GuardSums): number {
  const sd = Math.sqrt(costSquares / Math.max(1, costCount - 1))
  return mixtureRadius(costCount, sd, ALPHA / 2, mixtureRho2(1_000, ALPHA / 2))
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
