/** Tools that ran at the service, counted from the items of an answer as far as they are billed. */

import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import type { Fields } from '../fields/requestFields.ts'
import type { BesideUsage } from '../openai/usage.ts'

/** `output`: the items as far as they are known. */
export function besideUsage(answer: Fields, output: readonly unknown[]): BesideUsage {
  const uses = usesIn(output)
  const serverTools = { ...uses, ...billedSearches(answer), ...billedPictures(answer, uses) }
  return { serviceTier: answer['service_tier'], serverTools }
}

/**
 * Pictures are billed in tokens of another model, of which only the pictures themselves may be in the output: the official
 * client's `Response.tool_usage` (7.57, 2026-11).
 */
function billedPictures(answer: Fields, uses: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const tokens = asNumber(asRecord(asRecord(answer['tool_usage'])?.['image_gen'])?.['total_tokens']) ?? 0
  return tokens > 0 && uses['image_generation'] === undefined ? { image_generation: 1 } : {}
}

/** Discounted searches and opened pages are not in it: the official client's `Response.tool_usage` (7.57, 2026-11). */
function billedSearches(answer: Fields): Readonly<Record<string, number>> | undefined {
  const searches = asNumber(asRecord(asRecord(answer['tool_usage'])?.['web_search'])?.['num_requests'])
  return searches === undefined ? undefined : { web_search: searches }
}

function usesIn(output: readonly unknown[]): Readonly<Record<string, number>> {
  const uses = new Map<string, number>()
  const containers = new Set<unknown>()
  for (const raw of output) {
    const item = asRecord(raw) ?? {}
    const kind = kindOf(item)
    if (kind === undefined) continue
    // A container is billed, not what runs in it.
    if (kind === 'code_interpreter' && !isNew(containers, item['container_id'])) continue
    uses.set(kind, (uses.get(kind) ?? 0) + 1)
  }
  return Object.fromEntries(uses)
}

/** Of a search only the search is billed: https://platform.openai.com/docs/pricing#built-in-tools (2026-11-30) */
function kindOf(item: Fields): string | undefined {
  switch (item['type']) {
    case 'web_search_call':
      return (asString(asRecord(item['action'])?.['type']) ?? 'search') === 'search' ? 'web_search' : undefined
    case 'file_search_call':
      return 'file_search'
    case 'code_interpreter_call':
      return 'code_interpreter'
    case 'image_generation_call':
      return 'image_generation'
    default:
      return undefined
  }
}

function isNew(known: Set<unknown>, id: unknown): boolean {
  const size = known.size
  known.add(id)
  return known.size > size
}

/** Items that a stream may leave out of its last event. */
export function isServerTool(item: unknown): boolean {
  return kindOf(asRecord(item) ?? {}) !== undefined
}

/** The whole output where the answer has it, otherwise what came one by one. */
export function outputOf(answer: Fields, items: readonly unknown[]): readonly unknown[] {
  const output = asArray(answer['output']) ?? []
  return output.length > 0 ? output : items
}
