/** What a call takes from a quota: an estimated need beforehand, the actual use afterwards. */

import type { LimitUnit } from '../../domain/failure.ts'

export interface QuotaNeed {
  /** Upstream calls: 1 but for a request in parts. */
  readonly requests: number
  readonly inputTokens: number
  /** The maximum output (`max_tokens` or an estimate). */
  readonly outputTokens: number
}

/** The amount in `unit`. Neurons and money are never counted here, because only the provider knows them. */
export function amountOf(need: QuotaNeed, unit: LimitUnit): number {
  switch (unit) {
    case 'requests':
      return need.requests
    case 'concurrency':
      // Several calls of one attempt are made one after the other.
      return Math.min(need.requests, 1)
    case 'tokens':
      return need.inputTokens + need.outputTokens
    case 'input-tokens':
      return need.inputTokens
    case 'output-tokens':
      return need.outputTokens
    case 'neurons':
    case 'usd':
      return 0
  }
}
