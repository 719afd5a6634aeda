/** The routing settings of the user (`settings.routing` and `settings.weights`). */

import { LATENCY_REF_MS } from './score.ts'
import { WEIGHTS, type Weights } from './weights.ts'

export const STRATEGIES = ['learned', 'score', 'score-original', 'round-robin', 'priority'] as const

export type Strategy = (typeof STRATEGIES)[number]

export interface RoutingSettings {
  /** Default `learned`. */
  readonly strategy: Strategy
  readonly weights: Weights
  /** The latency in milliseconds at which speed is 0.5; default 4000. */
  readonly latencyRefMs: number
  /** Among targets this close to the best value the cheapest is chosen; 0 disables it. Default 0.02. */
  readonly costMargin: number
  /** Share of requests that may try a target that looks worse; default 0.02, 0 disables exploring. */
  readonly exploration: number
  /** Time zones that a target's daily rhythm may follow besides the common ones, the likeliest first; default: none. */
  readonly zones?: readonly string[]
  /** Default `CURIOSITY`. */
  readonly curiosity?: Curiosity
}

/** How exploring is done where it is allowed. */
export interface Curiosity {
  /** Maximum number of explorations that can be saved up; default 5. */
  readonly burst: number
  /** A pick this close to the best value does not count as exploring; default 0.02. */
  readonly margin: number
  /** Factor on the standard deviations of the draws; default 0.5, because full Thompson sampling explores too much. */
  readonly width: number
  /** Tries of a new target that spend no token; default 3. */
  readonly freePulls: number
}

export const CURIOSITY: Curiosity = { burst: 5, margin: 0.02, width: 0.5, freePulls: 3 }

export const ROUTING: RoutingSettings = {
  strategy: 'learned',
  weights: WEIGHTS,
  latencyRefMs: LATENCY_REF_MS,
  costMargin: 0.02,
  exploration: 0.02,
}
