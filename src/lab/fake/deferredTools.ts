/**
 * Tools that the simulated Claude does not see: those that wait until a search has found them, which a `tool_reference`
 * in the conversation says. Where the search runs at the service, it finds what the model needs within the same answer.
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool (2026-11-30)
 */

import type { ChatRequest, DialectId } from '../../domain/chat.ts'
import { asArray, asRecord } from '../../domain/json.ts'

/** The request with the tools that its model can call. `body`: as it was sent. */
export function withoutUnfoundTools(request: ChatRequest, dialect: DialectId, body: unknown): ChatRequest {
  if (dialect !== 'anthropic' || request.tools === undefined) return request
  const { tools, messages } = asRecord(body) ?? {}
  const defined = (asArray(tools) ?? []).map((tool) => asRecord(tool) ?? {})
  if (defined.some(({ type }) => String(type).startsWith('tool_search_tool_'))) return request
  const found = new Set(namesFound(messages))
  const unfound = new Set(
    defined.filter((tool) => tool['defer_loading'] === true && !found.has(tool['name'])).map(({ name }) => name),
  )
  return { ...request, tools: request.tools.filter(({ name }) => !unfound.has(name)) }
}

/** Wherever a reference stands: in a tool's result, or in what a search at the service has found. */
function namesFound(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap(namesFound)
  const fields = asRecord(value)
  if (fields === undefined) return []
  if (fields['type'] === 'tool_reference') return [fields['tool_name']]
  return Object.values(fields).flatMap(namesFound)
}
