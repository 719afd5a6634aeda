/** One try of one target, and what became of it. */

import type { ChatResponse, Usage } from './chat.ts'
import type { Failure, FailureKind, LimitFact } from './failure.ts'
import type { Target } from './target.ts'

export type Outcome =
  | { readonly ok: true; readonly response: ChatResponse }
  | { readonly ok: false; readonly failure: Failure }

/** Who asked: a user's request, a test run, or a probe that decides whether a park may end. */
export type AttemptSource = 'live' | 'test' | 'probe'

export interface Attempt {
  readonly requestId: string
  /** 1-based place in the cascade. */
  readonly number: number
  readonly target: Target
  readonly source: AttemptSource
  /** Epoch milliseconds. */
  readonly startedAt: number
  /** From dispatch to the end of the answer or to the failure, in milliseconds, by the monotonic clock. */
  readonly latencyMs: number
  /** To the first content; null when none came. Equals `latencyMs` for an answer that is not streamed. */
  readonly firstTokenMs: number | null
  readonly outcome: Outcome
  /** Null when nothing was consumed; a failed or broken-off attempt costs what it cost. */
  readonly usage: Usage | null
  /** What the answer's headers and body said of limits. */
  readonly limits: readonly LimitFact[]
}

/** An attempt as people and programs see it (contract section 7): ISO times, no secrets. */
export interface AttemptReport {
  readonly target: string
  readonly provider: string
  readonly model: string
  readonly keyIndex: number
  readonly ok: boolean
  readonly failureKind: FailureKind | null
  readonly status: number | null
  readonly message: string | null
  readonly startedAt: string
  readonly latencyMs: number
  readonly firstTokenMs: number | null
  readonly usage: Usage | null
  readonly costUsd: number | null
  readonly retryAt: string | null
}
