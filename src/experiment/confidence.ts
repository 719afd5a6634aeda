/**
 * Boundaries that hold at all times simultaneously, so that a look after each observation costs nothing.
 *
 * Two are used together, each with its share of alpha. Both rest on the time-uniform central limit theorem: the running
 * sum of observations with mean 0 and standard deviation s stays close to s times a Brownian motion (I. Waudby-Smith,
 * D. Arbour, R. Sinha, E. H. Kennedy, A. Ramdas, "Time-uniform central limit theory and asymptotic confidence
 * sequences", Annals of Statistics 52(6), 2024, https://arxiv.org/abs/2103.06476).
 */

import { normalCdf, normalQuantile, solve } from './normal.ts'

/**
 * The half-width at time t of their sequence (theorem 2.2), valid for all t:
 * s * sqrt( 2 (t rho^2 + 1) / (t^2 rho^2) * ln( sqrt(t rho^2 + 1) / alpha ) ).
 */
export function mixtureRadius(t: number, sd: number, alpha: number, rho2: number): number {
  const grown = t * rho2 + 1
  return sd * Math.sqrt(((2 * grown) / (t * t * rho2)) * Math.log(Math.sqrt(grown) / alpha))
}

/** The rho^2 at which the mixture is tightest around time t (the paper's section on tuning). */
export function mixtureRho2(t: number, alpha: number): number {
  const l = -2 * Math.log(alpha)
  return (l + Math.log(l + 1)) / t
}

/**
 * The bound b with 4 (1 - Phi(b)) = alpha: a Brownian motion leaves +-b sqrt(horizon) before the horizon with at most
 * that probability. On each side it is at most twice that of being beyond it at the end (reflection principle); as a
 * stopping rule it is P. C. O'Brien and T. R. Fleming, Biometrics 35(3), 1979. Very wide at first, where the limit
 * theorem does not hold yet, and almost as narrow as a single look at the end.
 */
export function horizonBound(alpha: number): number {
  return -normalQuantile(alpha / 4)
}

/** The probability of ever leaving +-bound standard errors of the horizon before it: the inverse of `horizonBound`. */
export function horizonAlpha(bound: number): number {
  return Math.min(1, 4 * normalCdf(-bound))
}

/**
 * How many standard errors the effect must be from 0 at the horizon to be found by then with that probability:
 * Phi(theta - b) + exp(2 theta b) Phi(-theta - b) = power, the probability that a Brownian motion with drift theta
 * passes b before time 1.
 */
export function driftFor(power: number, bound: number): number {
  const found = (theta: number) => normalCdf(theta - bound) + Math.exp(2 * theta * bound) * normalCdf(-theta - bound)
  return solve(found, power, 0, bound + 8)
}
