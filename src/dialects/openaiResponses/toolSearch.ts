/**
 * A search for tools that the client runs: `{ "type": "tool_search", "execution": "client", "parameters": … }`, called
 * with an item of its own and answered by the tools that were found. Other dialects' models call it as a function.
 * https://developers.openai.com/api/docs/guides/tools-tool-search and the types of `openai` 7.57 (read 2026-11-30).
 * Without parameters of its own, what the model is to ask is not documented: then it counts as run by the provider.
 */

import type { ChatRequest, Extra, Tool, ToolCallPart, ToolResultPart } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import { type Fields, ownFields } from '../fields/requestFields.ts'
import { objectToText, textToObject } from '../fields/toolArguments.ts'
import { namesOfTools } from './namespaces.ts'

const DIALECT = 'openai-responses'
/** The type of the tool, and its name as a function. */
const NAME = 'tool_search'
/** Where `extra` has the item; not a field of the wire. */
const ITEM = 'keywise.search'

const noted = (item: Fields): { readonly extra: Extra } => ({ extra: { dialect: DIALECT, fields: { [ITEM]: item } } })

const itemOf = (extra: Extra | undefined): Fields | undefined => asRecord(ownFields(extra, DIALECT)[ITEM])

export function isClientSearch(value: unknown): boolean {
  const tool = asRecord(value)
  return tool?.['type'] === NAME && tool['execution'] === 'client' && asRecord(tool['parameters']) !== undefined
}

export function readClientSearch(tool: Fields): Tool {
  const description = asString(tool['description']) ?? 'Finds further tools, which can be called from then on.'
  const parameters = asRecord(tool['parameters'])
  return { name: NAME, description, ...(parameters && { parameters }), builtIn: true, ...noted(tool) }
}

/** The tool as its client said it; undefined for any other. */
export const writeClientSearch = ({ extra }: Pick<Tool, 'extra'>): Fields | undefined => itemOf(extra)

/** Whether a tool is such a search. */
export const isSearch = (tool: Tool): boolean => tool.builtIn === true && itemOf(tool.extra) !== undefined

/** Whether an item of the input is of a search that the client ran. */
export const isOfClientSearch = (item: Fields): boolean =>
  item['execution'] === 'client' && asString(item['call_id']) !== undefined

export function readSearchCall(item: Fields): ToolCallPart {
  const id = asString(item['call_id']) ?? ''
  return { type: 'tool-call', id, name: NAME, arguments: objectToText(item['arguments']), ...noted(item) }
}

export function readSearchOutput(item: Fields): ToolResultPart {
  const names = namesOfTools(asArray(item['tools']) ?? [])
  const text = names.length === 0 ? 'No tool was found.' : `These tools can be called now: ${names.join(', ')}.`
  return {
    type: 'tool-result',
    toolCallId: asString(item['call_id']) ?? '',
    content: [{ type: 'text', text }],
    ...noted(item),
  }
}

/** A call that another dialect's model made of the search. */
export function asSearchCall<C extends { readonly name: string; readonly extra?: Extra }>(
  call: C,
  { tools }: Pick<ChatRequest, 'tools'>,
): C {
  const isCalled = call.name === NAME && tools?.some((tool) => tool.name === NAME && isSearch(tool))
  return isCalled ? { ...call, ...noted({ type: 'tool_search_call', execution: 'client' }) } : call
}

export const isSearchCall = ({ extra }: Pick<ToolCallPart, 'extra'>): boolean => itemOf(extra) !== undefined

/** The item of a call of the search; undefined for any other call. */
export function writeSearchCall({ id, arguments: text, extra }: ToolCallPart): Fields | undefined {
  const item = itemOf(extra)
  return item && { arguments: textToObject(text), ...item, call_id: id }
}

export function writeSearchOutput({ toolCallId, extra }: ToolResultPart): Fields | undefined {
  const item = itemOf(extra)
  return item && { ...item, call_id: toolCallId }
}
