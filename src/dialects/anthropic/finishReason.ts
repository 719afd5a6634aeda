/** Why an answer ended: https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons */

import type { Blocked, FinishReason } from '../../domain/chat.ts'
import { asRecord, asString } from '../../domain/json.ts'
import { blockedText } from '../fields/blocked.ts'

const FINISH: ReadonlyMap<unknown, FinishReason> = new Map([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['pause_turn', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['refusal', 'content_filter'],
  // Of imitations of the wire.
  ['content_filter', 'content_filter'],
  ['content_filtered', 'content_filter'],
  ['sensitive', 'content_filter'],
  ['guardrail_intervened', 'content_filter'],
])

export function readStopReason(raw: unknown): FinishReason {
  return FINISH.get(raw) ?? 'other'
}

const STOP_REASON: { readonly [R in FinishReason]: string } = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
  // Never of a stream, which ends in an error: the wire has no word for an answer that went wrong.
  error: 'max_tokens',
  other: 'end_turn',
}

export function writeStopReason(reason: FinishReason, stopSequence: string | undefined): string {
  return reason === 'stop' && stopSequence !== undefined ? 'stop_sequence' : STOP_REASON[reason]
}

/** `stop_details` says more about a refusal: its category and an explanation for people. */
export function readRefusal(stopReason: unknown, stopDetails: unknown): Blocked {
  return { reason: asString(stopReason) ?? 'refusal', details: asRecord(stopDetails) ?? {} }
}

/** The same for a client; the reason of another dialect becomes the explanation. */
export function writeStopDetails(blocked: Blocked): Record<string, unknown> {
  const { reason, details } = blocked
  const explanation = reason === 'refusal' ? asString(details['explanation']) : blockedText(blocked)
  return { type: 'refusal', category: asString(details['category']) ?? null, explanation: explanation ?? null }
}
