/** Writes a Responses request to an upstream: https://platform.openai.com/docs/api-reference/responses/create */

import type { ChatRequest, ResponseFormat, Tool } from '../../domain/chat.ts'
import { asArray, asRecord } from '../../domain/json.ts'
import { type Fields, ownFields } from '../fields/requestFields.ts'
import { asSpelled } from '../fields/spelledNumbers.ts'
import { defined, isCustom, writeEffort, writeFunctionTool, writeJsonSchema } from '../openai/fields.ts'
import { splitInstructions, writeItems } from './items.ts'
import { writeGroups } from './namespaces.ts'
import { writeClientSearch } from './toolSearch.ts'

const DIALECT = 'openai-responses'
/** OpenAI refuses less: "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16". */
const LEAST_OUTPUT_TOKENS = 16

/** Sampling options that Responses does not have (`stop`, `seed`, penalties, `top_k`) are left out. */
export function writeResponsesRequest(request: ChatRequest, model: string): Record<string, unknown> {
  const own = ownFields(request.extra, DIALECT)
  const isOurs = request.extra?.dialect === DIALECT
  const { instructions, rest } = splitInstructions(request.messages)
  return defined({
    // A client of another dialect did not ask to be remembered by the upstream.
    ...(isOurs ? own : { store: false, ...writeShared(request), ...writeWanted(request) }),
    model,
    instructions,
    input: [...(asArray(own['input']) ?? []), ...writeItems(rest)],
    tools: writeTools(request),
    tool_choice: own['tool_choice'] ?? writeToolChoice(request),
    parallel_tool_calls: request.parallelToolCalls,
    text: writeTextOptions(request),
    max_output_tokens: isOurs ? asSpelled(request, 'maxTokens') : atLeast(LEAST_OUTPUT_TOKENS, request),
    temperature: asSpelled(request, 'temperature'),
    top_p: asSpelled(request, 'topP'),
    reasoning: writeReasoningOptions(request),
    user: request.user,
    stream: request.stream,
  })
}

/** https://platform.openai.com/docs/api-reference/responses/create#responses_create-top_logprobs (2026-11-30) */
function writeWanted({ logprobs }: ChatRequest): Fields {
  if (logprobs === undefined) return {}
  return { include: ['message.output_text.logprobs'], ...(logprobs.top > 0 && { top_logprobs: logprobs.top }) }
}

function writeShared({ shared = {} }: ChatRequest): Fields {
  const { verbosity: _, ...fields } = shared
  return fields
}

function atLeast(least: number, request: ChatRequest): unknown {
  const { maxTokens } = request
  return maxTokens !== undefined && maxTokens < least ? least : asSpelled(request, 'maxTokens')
}

/** Responses tools are strict unless they say otherwise; tools of other dialects are not. */
export function writeTools(request: ChatRequest): unknown[] | undefined {
  const strict = request.extra?.dialect === DIALECT ? undefined : false
  const own = writeGroups(request.tools ?? [], (tool) => {
    const search = writeClientSearch(tool)
    if (search !== undefined || tool.custom !== undefined) return search ?? writeCustomTool(tool)
    return defined({ strict, parameters: null, ...writeFunctionTool(tool, DIALECT), type: 'function' })
  })
  const tools = [...own, ...(asArray(ownFields(request.extra, DIALECT)['tools']) ?? [])]
  return tools.length > 0 ? tools : undefined
}

function writeCustomTool({ name, description, custom, extra }: Tool): Fields {
  const format = custom?.grammar && { type: 'grammar', ...custom.grammar }
  return defined({ ...ownFields(extra, DIALECT), type: 'custom', name, description, format })
}

export function writeToolChoice({ toolChoice, tools }: Pick<ChatRequest, 'toolChoice' | 'tools'>): unknown {
  if (typeof toolChoice !== 'object') return toolChoice
  return { type: isCustom(tools, toolChoice.name) ? 'custom' : 'function', name: toolChoice.name }
}

export function writeTextOptions({ responseFormat, shared, extra }: ChatRequest): Fields | undefined {
  const verbosity = shared?.['verbosity']
  const own = asRecord(ownFields(extra, DIALECT)['text']) ?? (verbosity === undefined ? undefined : { verbosity })
  if (responseFormat === undefined) return own
  return { ...own, format: writeFormat(responseFormat) }
}

function writeFormat(format: ResponseFormat): Fields {
  if (format.type === 'json-schema') return { type: 'json_schema', ...writeJsonSchema(format) }
  return { type: format.type === 'json' ? 'json_object' : 'text' }
}

export function writeReasoningOptions({ reasoning, extra }: ChatRequest): Fields | undefined {
  const own = asRecord(ownFields(extra, DIALECT)['reasoning'])
  const effort = writeEffort(reasoning?.effort)
  const summary = reasoning?.visible === true ? 'auto' : undefined
  if (own === undefined && effort === undefined && summary === undefined) return undefined
  return defined({ summary, effort, ...own })
}
