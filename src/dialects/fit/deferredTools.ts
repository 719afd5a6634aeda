/**
 * Tools that a service hides from its model until something in the conversation refers to them (`defer_loading`):
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool and
 * https://developers.openai.com/api/docs/guides/tools-tool-search (both read 2026-11-30). Other services show every tool
 * that they are told of.
 */

import type { ChatRequest, DialectId, Part, Tool } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import { hostedTools } from '../features/hostedTools.ts'
import { isInInput } from '../openaiResponses/namespaces.ts'
import { isSearch } from '../openaiResponses/toolSearch.ts'
import type { LeftOut } from './leftOut.ts'

/**
 * The request without the tools that its own service would hide, which are named as left out. Where the search for them
 * runs at the provider, nobody could find them elsewhere: then all of them are offered.
 */
export function withoutHiddenTools(request: ChatRequest, dialect: DialectId, leftOut: LeftOut): ChatRequest {
  const { tools = [] } = request
  if (!tools.some((tool) => isDeferred(tool, dialect)) || isSearchHosted(request)) return request
  const known = referredTo(request)
  const isHidden = (tool: Tool) => isDeferred(tool, dialect) && !known.has(tool.name)
  const hidden = tools.filter(isHidden).map(({ name }) => name)
  const shown = tools.filter((tool) => !isHidden(tool))
  if (!shown.some(isSearch)) leftOut.add(...hidden)
  return { ...request, tools: shown.map((tool) => (isSearch(tool) ? withNames(tool, hidden) : tool)) }
}

/** Where the client searches, the model has to know what there is to be found. */
function withNames(search: Tool, hidden: readonly string[]): Tool {
  if (hidden.length === 0) return search
  return { ...search, description: `${search.description ?? ''}\n\nAmong them are: ${hidden.join(', ')}` }
}

function isDeferred({ extra }: Tool, dialect: DialectId): boolean {
  return extra !== undefined && extra.dialect !== dialect && extra.fields['defer_loading'] === true
}

function isSearchHosted(request: ChatRequest): boolean {
  return hostedTools(request).some((name) => name.includes('tool_search'))
}

/** By a reference, a call, the choice among the tools, or the definition itself in what a search has found. */
function referredTo({ messages, tools = [], toolChoice, allowedTools = [] }: ChatRequest): ReadonlySet<string> {
  const chosen = typeof toolChoice === 'object' ? [toolChoice.name] : []
  const found = tools.filter(isInInput).map(({ name }) => name)
  const said = messages.flatMap(({ content }) => content.flatMap(namesIn))
  return new Set([...chosen, ...allowedTools, ...found, ...said])
}

function namesIn(part: Part): readonly string[] {
  if (part.type === 'tool-call') return [part.name]
  if (part.type === 'tool-result') return part.content.flatMap(namesIn)
  if (part.type !== 'file' || part.extra?.dialect !== 'anthropic') return []
  const { fields } = part.extra
  const references = asArray(asRecord(fields['content'])?.['tool_references']) ?? []
  return [fields, ...references].flatMap((block) => asString(asRecord(block)?.['tool_name']) ?? [])
}
