/** Tools that Groq's systems ran, in the message itself: https://console.groq.com/docs/compound/built-in-tools (2026-11-30) */

import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'

/** Their words for what other services have as well. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['search', 'web_search'],
  ['visit', 'web_fetch'],
  ['visit_website', 'web_fetch'],
  ['python', 'code_interpreter'],
])

/** How often each kind ran; undefined when none did. */
export function executedTools(value: unknown): Readonly<Record<string, number>> | undefined {
  const kinds = new Map<number, string>()
  addExecutedTools(kinds, value)
  return usesOf(kinds)
}

/** Remembers the kinds by their index: a stream tells of a tool when it begins, and again with its output. */
export function addExecutedTools(kinds: Map<number, string>, value: unknown): void {
  for (const [place, raw] of (asArray(value) ?? []).entries()) {
    const tool = asRecord(raw)
    const type = asString(tool?.['type'])
    if (type !== undefined) kinds.set(asNumber(tool?.['index']) ?? place, KINDS.get(type) ?? type)
  }
}

export function usesOf(kinds: ReadonlyMap<number, string>): Readonly<Record<string, number>> | undefined {
  if (kinds.size === 0) return undefined
  const uses = new Map<string, number>()
  for (const kind of kinds.values()) uses.set(kind, (uses.get(kind) ?? 0) + 1)
  return Object.fromEntries(uses)
}
