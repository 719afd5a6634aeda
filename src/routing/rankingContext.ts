/** The candidate table for one request at one moment. */

import type { Target } from '../domain/target.ts'
import type { CandidateTable } from './candidateTable.ts'
import type { EligibilityCache } from './eligibilityCache.ts'
import type { Valuation } from './valuation.ts'

/** Who says how busy an account is: the request. */
export interface LoadQuestion {
  /** How much the target's account was used recently; among equally good keys the least used goes first. */
  load?(target: Target): number
}

export interface RankingContext {
  readonly candidates: CandidateTable
  readonly valuation: Valuation
  /** V by index. */
  readonly values: Float64Array
  /** What the strategy orders by, larger first; the values themselves for `learned`. */
  readonly keys: Float64Array
  readonly eligibility: EligibilityCache
  /** How far below the best value the cheapest target may be. */
  readonly costMargin: number
  readonly request: LoadQuestion
  /** Whether a target's free tries are not over (`newTargets.ts`); false for all where there are none. */
  readonly isNew: (index: number) => boolean
  /** The same, but where there are no free tries: whether the target has neither answered nor failed. */
  readonly isUnknown: (index: number) => boolean
}
