/** The rules of one service that speaks a language of another's. */

import type { Rule } from './rule.ts'

export interface ServiceRules {
  /** Provider id as in src/providers. */
  readonly service: string
  /** Whole, in the order in which the service looks: what it shares with others is among them. */
  readonly rules: readonly Rule[]
}
