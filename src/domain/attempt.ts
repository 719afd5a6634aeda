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

/** An attempt as people and programs see it: ISO times, no secrets. */
export interface AttemptReport {
  /** Target id: `groq/openai/gpt-oss-120b#1`. */
  readonly target: string
  /** Id of the provider. */
  readonly provider: string
  /** The model's id at that provider. */
  readonly model: string
  /** 1-based. */
  readonly keyIndex: number
  /** Whether it answered. */
  readonly ok: boolean
  /** The class of the failure; null when it answered. */
  readonly failureKind: FailureKind | null
  /** HTTP status; null when no response came. */
  readonly status: number | null
  /** The provider's words, redacted and cut to 300 characters; null when it answered. */
  readonly message: string | null
  /** ISO 8601. */
  readonly startedAt: string
  /** Milliseconds from sending to the end of the answer or to the failure. */
  readonly latencyMs: number
  /** Milliseconds to the first content; null when none came. */
  readonly firstTokenMs: number | null
  /** Tokens, also of a failed attempt that consumed some; null when nothing was consumed. */
  readonly usage: Usage | null
  /** 0 when nothing was consumed; null when the price is unknown. */
  readonly costUsd: number | null
  /** ISO 8601: when the target may be tried again; null when nothing keeps it out. */
  readonly retryAt: string | null
}
