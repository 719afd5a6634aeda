/** Whom a request is fitted to, and what comes of it. */

import type { ChatRequest, DialectId } from '../../domain/chat.ts'
import type { ModelWire } from '../../domain/wireFacts.ts'
import type { AnswerChanges } from './answerChanges.ts'

/** Whom a request is written for. */
export interface Recipient {
  readonly dialect: DialectId
  readonly wire: ModelWire
  /** Maximum tokens of an answer; null when unknown. */
  readonly maxOutputTokens: number | null
  /** Tokens that the context window leaves for the answer; null when unknown. */
  readonly roomTokens: number | null
  /** False where the model is known not to reason; default: it may. */
  readonly reasons?: boolean
}

export interface Fitted {
  readonly request: ChatRequest
  /** Names of what the service could not be told, as the client spells them. */
  readonly leftOut: readonly string[]
  /** What must be changed in the answer, so that the client finds in it what it said; null for nothing. */
  readonly answer: AnswerChanges | null
}
