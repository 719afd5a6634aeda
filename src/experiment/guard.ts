/** Stops a variant that fails or costs too much, long before the experiment is decided. */

import { mixtureRadius, mixtureRho2 } from './confidence.ts'
import type { Guard } from './experiment.ts'
import { logFactorial, solve } from './normal.ts'

/** Sums of one variant; plain JSON. */
export interface GuardSums {
  successes: number
  failures: number
  costCount: number
  costMean: number
  costSquares: number
}

export interface Stop {
  readonly variant: string
  readonly reason: string
}

/** Probability of ever stopping a harmless variant, for each guard and variant. */
const ALPHA = 0.01
/** Costs vary widely; fewer values are not significant. */
const FEWEST_COSTS = 30

export function newSums(): GuardSums {
  return { successes: 0, failures: 0, costCount: 0, costMean: 0, costSquares: 0 }
}

export function countSuccess(sums: GuardSums, ok: boolean): void {
  if (ok) sums.successes++
  else sums.failures++
}

export function countCost(sums: GuardSums, usd: number): void {
  sums.costCount++
  const off = usd - sums.costMean
  sums.costMean += off / sums.costCount
  sums.costSquares += off * (usd - sums.costMean)
}

/** Why the variant must be stopped, or null. Both are compared as intervals that hold at every moment. */
export function stopReason(guard: Guard, baseline: GuardSums, variant: GuardSums): string | null {
  return failsTooMuch(guard, baseline, variant) ?? costsTooMuch(guard, baseline, variant)
}

function failsTooMuch(guard: Guard, baseline: GuardSums, variant: GuardSums): string | null {
  // The interval contains the observed rate, so while that is good enough nothing can be proven.
  if (rate(variant) >= rate(baseline) - guard.maxSuccessLoss) return null
  const least = successInterval(baseline.successes, baseline.failures, ALPHA / 2).low
  const most = successInterval(variant.successes, variant.failures, ALPHA / 2).high
  if (most >= least - guard.maxSuccessLoss) return null
  return `answers at most ${percent(most)} of its requests, the first variant at least ${percent(least)}`
}

function costsTooMuch(guard: Guard, baseline: GuardSums, variant: GuardSums): string | null {
  if (guard.maxCostRatio === null || variant.costCount < FEWEST_COSTS || baseline.costCount < FEWEST_COSTS) return null
  const ratio = (variant.costMean - costRadius(variant)) / (baseline.costMean + costRadius(baseline))
  return ratio > guard.maxCostRatio ? `costs at least ${ratio.toFixed(1)} times as much as the first variant` : null
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
