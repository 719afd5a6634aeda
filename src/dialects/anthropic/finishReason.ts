/** Why an answer ended: https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons */

import type { FinishReason } from '../../domain/chat.ts'

const FINISH: ReadonlyMap<unknown, FinishReason> = new Map([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['pause_turn', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['refusal', 'content_filter'],
])

export function readStopReason(raw: unknown): FinishReason {
  return FINISH.get(raw) ?? 'other'
}

const STOP_REASON: { readonly [R in FinishReason]: string } = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
  // The wire has no word for an answer that went wrong; this one at least does not call it whole.
  error: 'max_tokens',
  other: 'end_turn',
}

export function writeStopReason(reason: FinishReason, stopSequence: string | undefined): string {
  return reason === 'stop' && stopSequence !== undefined ? 'stop_sequence' : STOP_REASON[reason]
}
