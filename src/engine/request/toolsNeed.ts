/** Tools that run at the provider and are billed by the use: how often each may run for one answer, at most. */

import type { ChatRequest, DialectId, Extra } from '../../domain/chat.ts'
import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'

/**
 * Where the request bounds nothing: Claude's loop of tools pauses after ten rounds
 * (https://platform.claude.com/docs/en/agents-and-tools/tool-use/server-tools, 2026-11-30), and nobody else says.
 */
const MOST_USES = 10
/** A container and a map are billed once, however often they are used. */
const BILLED_ONCE: ReadonlySet<string> = new Set(['code_interpreter', 'google_maps'])

type Uses = Readonly<Record<string, number>>

/**
 * By the names that usages have for them, in the dialect whose services are told of them; undefined where there are
 * none.
 */
export function toolsNeedOf({ extra }: ChatRequest): { readonly dialect: DialectId; readonly uses: Uses } | undefined {
  if (extra === undefined) return undefined
  const uses = new Map<string, number>()
  for (const raw of asArray(extra.fields['tools']) ?? []) addTool(uses, asRecord(raw) ?? {}, extra)
  if (hasSearchSwitch(extra.fields)) add(uses, 'web_search', MOST_USES)
  return uses.size === 0 ? undefined : { dialect: extra.dialect, uses: Object.fromEntries(uses) }
}

function addTool(uses: Map<string, number>, tool: Readonly<Record<string, unknown>>, { dialect, fields }: Extra): void {
  // Of all tools together: the specification of OpenAI's API 2.3.0 (`max_tool_calls`).
  const most = bound(tool['max_uses']) ?? bound(fields['max_tool_calls']) ?? MOST_USES
  for (const name of dialect === 'google' ? Object.keys(tool) : [asString(tool['type']) ?? '']) {
    const kind = KINDS.find(([pattern]) => pattern.test(name))?.[1]
    if (kind !== undefined) add(uses, kind, BILLED_ONCE.has(kind) ? 1 : Math.ceil(most))
  }
}

/** Below zero it bounds nothing: servers that do not refuse it may take it for "as often as you like". */
function bound(value: unknown): number | undefined {
  const uses = asNumber(value)
  return uses !== undefined && uses >= 0 && Number.isFinite(uses) ? uses : undefined
}

function add(uses: Map<string, number>, kind: string, most: number): void {
  uses.set(kind, Math.max(uses.get(kind) ?? 0, most))
}

/** The names of tools in requests (`web_search_20250305`, `web_search_preview`, `googleSearch`), and in usages. */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^(?:openrouter:)?web_?search|^browser_search|^(?:enterprise_?web_?|google_?)search/i, 'web_search'],
  [/^(?:openrouter:)?web_?fetch/i, 'web_fetch'],
  [/^x_search/, 'x_search'],
  [/^file_search/, 'file_search'],
  [/^code_interpreter/, 'code_interpreter'],
  [/^image_generation/, 'image_generation'],
  [/^google_?maps/i, 'google_maps'],
]

/** `web_search_options` of OpenAI's search models, and OpenRouter's plugin `web`. */
function hasSearchSwitch(fields: Extra['fields']): boolean {
  const plugins = asArray(fields['plugins']) ?? []
  return fields['web_search_options'] != null || plugins.some((plugin) => asRecord(plugin)?.['id'] === 'web')
}
