/** The four terms and the score that users see, made of them. The value that orders attempts is in `valuation.ts`. */

import { WEIGHTS, type Weights } from './weights.ts'

/** Each from 0 to 1. */
export interface Terms {
  /** Expected share of calls that are answered. */
  readonly reliability: number
  /** 0.5 at `routing.latency_ref_ms`, lower for slower answers. */
  readonly speed: number
  /** From ratings; a prior until there are some. */
  readonly quality: number
  /** How recently it worked. */
  readonly recency: number
}

const DAY_MS = 86_400_000

/** The latency at which speed is 0.5; only the ratio to it matters (`routing.latency_ref_ms`). */
export const LATENCY_REF_MS = 4000

/** The cost of a request at which cheapness is 0.5, in USD. */
export const COST_REF_USD = 0.002

/** 1 for an immediate answer, 0.5 at the reference latency, never negative. */
export function speed(latencyMs: number, latencyRefMs: number = LATENCY_REF_MS): number {
  return latencyRefMs / (latencyRefMs + latencyMs)
}

/** Halves with every day since the last success; 0 for a target that never succeeded. */
export function recency(lastSuccessAt: number, now: number): number {
  if (lastSuccessAt <= 0) return 0
  return 2 ** (-Math.max(0, now - lastSuccessAt) / DAY_MS)
}

/** 1 for a free request, 0.5 at the reference cost, 0 when the price is unknown. */
export function cheapness(costUsd: number): number {
  return COST_REF_USD / (COST_REF_USD + costUsd)
}

/** The score that users see in lists and reports, from 0 to 1. */
export function score(terms: Terms, weights: Weights = WEIGHTS): number {
  const { reliability, speed, quality, recency } = weights
  const sum = reliability + speed + quality + recency
  if (!(sum > 0)) return terms.reliability
  return (
    (reliability * terms.reliability + speed * terms.speed + quality * terms.quality + recency * terms.recency) / sum
  )
}
