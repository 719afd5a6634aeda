/** A refusal of a simulated provider, and what writes one. */

import type { FakeFault } from './scenario.ts'

export interface FakeRefusal {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface RefusalFacts {
  readonly model: string
  /** Seconds. */
  readonly retryAfter?: number | undefined
  readonly limit?: number | undefined
  /** Tokens of the prompt, and of the answer where only both together are too long. */
  readonly inputTokens?: number | undefined
  readonly outputTokens?: number | undefined
  /** The tokens are those of one prompt, not of messages. */
  readonly isPrompt?: boolean | undefined
  /** No header and no body states a number of the limit that was met. */
  readonly isUnstated?: boolean | undefined
  /** Epoch milliseconds at which the limit that was met resets. */
  readonly resetsAt?: number | undefined
}

type RefusalWriter = (facts: RefusalFacts) => FakeRefusal
export type Wording = { readonly [K in FakeFault['do']]?: RefusalWriter }
