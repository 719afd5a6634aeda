/** What a user may set about routing (`settings.routing` and `settings.weights`). */

import { LATENCY_REF_MS } from './score.ts'
import { WEIGHTS, type Weights } from './weights.ts'

export type Strategy = 'learned' | 'score' | 'score-original' | 'round-robin' | 'priority'

export interface RoutingSettings {
  /** Default `learned`. */
  readonly strategy: Strategy
  readonly weights: Weights
  /** The latency that counts as half speed, milliseconds; default 4000. */
  readonly latencyRefMs: number
  /** Among targets this close to the best value the cheapest is taken; 0 switches it off. Default 0.02. */
  readonly costMargin: number
  /** Share of requests that may try a target that looks worse; default 0.02, 0 switches exploring off. */
  readonly exploration: number
}

export const ROUTING: RoutingSettings = {
  strategy: 'learned',
  weights: WEIGHTS,
  latencyRefMs: LATENCY_REF_MS,
  costMargin: 0.02,
  exploration: 0.02,
}
