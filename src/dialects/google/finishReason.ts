/** Why an answer ended: https://ai.google.dev/api/generate-content#FinishReason */

import type { FinishReason } from '../../domain/chat.ts'

const FINISH: ReadonlyMap<unknown, FinishReason> = new Map([
  ['STOP', 'stop'],
  ['OTHER', 'other'],
  ['MAX_TOKENS', 'length'],
  ['SAFETY', 'content_filter'],
  ['RECITATION', 'content_filter'],
  ['BLOCKLIST', 'content_filter'],
  ['PROHIBITED_CONTENT', 'content_filter'],
  ['SPII', 'content_filter'],
  ['IMAGE_SAFETY', 'content_filter'],
  ['IMAGE_PROHIBITED_CONTENT', 'content_filter'],
  ['IMAGE_RECITATION', 'content_filter'],
  ['MALFORMED_FUNCTION_CALL', 'error'],
  ['UNEXPECTED_TOOL_CALL', 'error'],
  ['TOO_MANY_TOOL_CALLS', 'error'],
  ['MALFORMED_RESPONSE', 'error'],
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

export function writeGoogleFinishReason(reason: FinishReason): string {
  return WRITTEN[reason]
}
