/** One try of one target, and what became of it. */

import type { ChatResponse, Usage } from './chat.ts'
import type { Failure, FailureKind } from './failure.ts'

export type Outcome =
  | { readonly ok: true; readonly response: ChatResponse }
  | { readonly ok: false; readonly failure: Failure }

/** Who asked: a user's request, a test run, or a probe that decides whether a park may end. */
export type AttemptSource = 'live' | 'test' | 'probe'

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
