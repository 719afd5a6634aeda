/** Answers that a provider withheld, in words for dialects that have no field for its reason. */

import type { Blocked, ChatResponse } from '../../domain/chat.ts'
import { asRecord, asString } from '../../domain/json.ts'

/** The reason and, where the provider gives one, its explanation. */
export function blockedText({ reason, details }: Blocked): string {
  const feedback = asRecord(details['promptFeedback'])
  const explanation =
    asString(details['explanation']) ??
    asString(details['finishMessage']) ??
    asString(feedback?.['blockReasonMessage']) ??
    asString(details['refusal'])
  return `the provider withheld the answer: ${reason}${explanation ? ` (${explanation})` : ''}`
}

/** The text to say in place of an answer that was withheld before it said anything; null for every other answer. */
export function insteadOfAnswer({ blocked, content }: Pick<ChatResponse, 'blocked' | 'content'>): string | null {
  if (blocked === undefined || content.some((part) => part.type !== 'reasoning')) return null
  return blockedText(blocked)
}

/** The fields of these names that are there. */
export function pick(
  fields: Readonly<Record<string, unknown>> | undefined,
  ...names: readonly string[]
): Record<string, unknown> {
  const picked: Record<string, unknown> = {}
  for (const name of names) if (fields?.[name] != null) picked[name] = fields[name]
  return picked
}
