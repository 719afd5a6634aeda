/** One call to one target and its outcome. */

import type { ChatResponse, Usage } from './chat.ts'
import type { Failure, FailureKind } from './failure.ts'
import type { UnitAbility } from './target.ts'

export type Outcome =
  | {
      readonly ok: true
      readonly response: ChatResponse
      /** The demanded JSON was taken out of a code fence or of prose. */
      readonly healed?: true
    }
  | {
      readonly ok: false
      readonly failure: Failure
      /** The answer, whole as it came, where the failure is in the answer: blocked, empty or malformed. */
      readonly response?: ChatResponse
    }

/** The failure of a call that came to no whole answer; null for a whole answer, whatever it is worth. */
export function failureWithoutAnswer(outcome: Outcome): Failure | null {
  return outcome.ok || outcome.response !== undefined ? null : outcome.failure
}

/** What caused the call: a user's request, a test run, or a probe of whether a park can end. */
export type AttemptSource = 'live' | 'test' | 'probe'

/** What was asked for, by the names of OpenTelemetry's conventions where they have one. */
export type OperationName = 'chat' | 'embeddings' | UnitAbility

/** What is known of a cost that is not: integer nano-USD that it was at least, and at most. */
export interface CostRange {
  readonly atLeast: number
  readonly atMost: number
}

/** An attempt as shown to users and programs: ISO times, no secrets. */
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
  /** True where the demanded JSON had to be taken out of a code fence or of prose; absent otherwise. */
  readonly healed?: true
  /** Names of what the target could not be told of the request; absent where that is nothing. */
  readonly leftOut?: readonly string[]
  /** Why this target was asked, where that was not the decision of the request: after a failure, or beside another. */
  readonly why?: string
  /** The class of the failure; null when it answered. */
  readonly failureKind: FailureKind | null
  /** HTTP status; null when no response came. */
  readonly status: number | null
  /** The provider's message, redacted and cut to 300 characters; null when it answered. */
  readonly message: string | null
  /** ISO 8601. */
  readonly startedAt: string
  /** Milliseconds from dispatch to the end of the answer or to the failure. */
  readonly latencyMs: number
  /** Milliseconds to the first content; null when there was none. */
  readonly firstTokenMs: number | null
  /** Tokens consumed, by a failed attempt too; null when there were none. */
  readonly usage: Usage | null
  /** 0 when nothing was consumed; null when the price, or that of a part, is unknown. */
  readonly costUsd: number | null
  /** What is known of a cost that is null; absent where it is known, or nothing of it. */
  readonly costAtLeastUsd?: number
  /** ISO 8601 time at which the target may be tried again; null when nothing excludes it. */
  readonly retryAt: string | null
}
