/** Why an answer ended: https://ai.google.dev/api/generate-content#FinishReason */

import type { Blocked, FinishReason } from '../../domain/chat.ts'
import { asRecord, asString } from '../../domain/json.ts'
import { pick } from '../fields/blocked.ts'
import type { Fields } from '../fields/requestFields.ts'
import { field } from './field.ts'

const FINISH: ReadonlyMap<unknown, FinishReason> = new Map([
  ['STOP', 'stop'],
  ['OTHER', 'other'],
  ['MAX_TOKENS', 'length'],
  ['SAFETY', 'content_filter'],
  ['RECITATION', 'content_filter'],
  ['BLOCKLIST', 'content_filter'],
  ['PROHIBITED_CONTENT', 'content_filter'],
  ['SPII', 'content_filter'],
  ['LANGUAGE', 'content_filter'],
  ['MODEL_ARMOR', 'content_filter'],
  ['IMAGE_SAFETY', 'content_filter'],
  ['IMAGE_PROHIBITED_CONTENT', 'content_filter'],
  ['IMAGE_RECITATION', 'content_filter'],
  ['MALFORMED_FUNCTION_CALL', 'error'],
  ['UNEXPECTED_TOOL_CALL', 'error'],
  ['TOO_MANY_TOOL_CALLS', 'error'],
  ['MALFORMED_RESPONSE', 'error'],
  ['MISSING_THOUGHT_SIGNATURE', 'error'],
])

/** Gemini says STOP to calls as well; servers that imitate it have words of their own for them. */
export function readFinishReason(raw: unknown, hasCalls: boolean): FinishReason {
  const reason = FINISH.get(raw) ?? (hasCalls ? 'stop' : 'other')
  return reason === 'stop' && hasCalls ? 'tool_calls' : reason
}

const WRITTEN: { readonly [R in FinishReason]: string } = {
  stop: 'STOP',
  tool_calls: 'STOP',
  length: 'MAX_TOKENS',
  content_filter: 'SAFETY',
  error: 'OTHER',
  other: 'OTHER',
}

export function writeGoogleFinishReason(reason: FinishReason, blocked?: Blocked): string {
  // Gemini's own word is more exact than the one for all blocked answers.
  if (blocked !== undefined && FINISH.get(blocked.reason) === 'content_filter') return blocked.reason
  return WRITTEN[reason]
}

/** The prompt itself was blocked, which Gemini says with HTTP 200 and without a candidate. */
export function readPromptBlock(fields: Fields): Blocked | undefined {
  const promptFeedback = asRecord(field(fields, 'promptFeedback', 'prompt_feedback'))
  const reason = asString(field(promptFeedback, 'blockReason', 'block_reason'))
  return reason === undefined ? undefined : { reason, details: { promptFeedback } }
}

/** What a candidate says of its own block. */
export function readCandidateBlock(reason: string, candidate: Fields | undefined): Blocked {
  return { reason, details: pick(candidate, 'finishMessage', 'safetyRatings', 'citationMetadata') }
}
