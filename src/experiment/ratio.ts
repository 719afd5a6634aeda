/**
 * Sample-ratio test: whether the counts of several variants fit the shares they were dealt with. A mismatch says that
 * something else than chance decided who was counted, and then no comparison of the variants can be trusted.
 */

import { logGamma } from './normal.ts'

/** Probability of ever reporting a mismatch where there is none, for each of the tests. */
const RATIO_ALPHA = 0.001
/** This many to one against the shares. */
const DOUBT = 10
/** How closely the alternatives gather around the shares, one half each: for large mismatches, and for those of a tenth. */
const CONCENTRATIONS = [5, 100]

/**
 * Natural logarithm of the evidence against the shares: the Bayes factor of counts whose shares are spread around the
 * given ones (two Dirichlet distributions) against the given ones themselves. As a function of time it is a martingale when the shares
 * hold, so that it ever exceeds 1/alpha with a probability of at most alpha, however often one looks (M. Lindon,
 * A. Malek, "Anytime-valid inference for multinomial count data", NeurIPS 2022, https://arxiv.org/abs/2011.03567).
 * 0 without counts. `shares` add up to 1.
 */
export function ratioEvidence(counts: readonly number[], shares: readonly number[]): number {
  const all = CONCENTRATIONS.map((concentration) => evidenceOf(counts, shares, concentration))
  const largest = Math.max(...all)
  const mean = all.reduce((sum, one) => sum + Math.exp(one - largest), 0) / all.length
  return largest + Math.log(mean)
}

function evidenceOf(counts: readonly number[], shares: readonly number[], concentration: number): number {
  let total = 0
  let evidence = 0
  for (const [index, share] of shares.entries()) {
    const count = counts[index] ?? 0
    const prior = concentration * share
    total += count
    evidence += logGamma(prior + count) - logGamma(prior) - count * Math.log(share)
  }
  return evidence + logGamma(concentration) - logGamma(concentration + total)
}

export interface ResponseCounts {
  /** Units by variant. */
  readonly assigned: readonly number[]
  /** Those of them that have a value. */
  readonly reported: readonly number[]
}

/**
 * The same for who reports: when a report does not depend on the variant, both those who report and those who do not
 * are dealt by the shares. Each of the two is a martingale while the other waits, so their product is one as well.
 */
export function responseEvidence({ assigned, reported }: ResponseCounts, shares: readonly number[]): number {
  const silent = assigned.map((count, index) => Math.max(0, count - (reported[index] ?? 0)))
  return ratioEvidence(reported, shares) + ratioEvidence(silent, shares)
}

export const isMismatch = (evidence: number) => evidence > -Math.log(RATIO_ALPHA)

/** Evidence that is too weak to be told, and too strong to decide on: a decision waits until it is gone. */
export const isDoubtfulRatio = (evidence: number) => evidence > Math.log(DOUBT)
