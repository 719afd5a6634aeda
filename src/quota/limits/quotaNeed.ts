/** What a call takes from a quota: stated beforehand as a need, known afterwards as use. */

import type { LimitUnit } from '../../domain/failure.ts'

export interface QuotaNeed {
  /** Upstream calls; 1 for an ordinary attempt. */
  readonly requests: number
  readonly inputTokens: number
  /** The most the answer may take (`max_tokens` or an estimate). */
  readonly outputTokens: number
}

/** How much of a limit in `unit` that is. Neurons and money are never counted here: the provider alone knows them. */
export function amountOf(need: QuotaNeed, unit: LimitUnit): number {
  switch (unit) {
    case 'requests':
    case 'concurrency':
      return need.requests
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
