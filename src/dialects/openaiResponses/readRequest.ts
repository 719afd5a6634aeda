/** Reads a Responses request of a client: https://platform.openai.com/docs/api-reference/responses/create */

import type { ChatRequest, ReasoningOptions, ResponseFormat, Tool, ToolChoice } from '../../domain/chat.ts'
import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import {
  bodyOf,
  type Fields,
  flag,
  leftovers,
  list,
  number,
  object,
  objectAt,
  requiredText,
  text,
  tokens,
  wrong,
} from '../fields/requestFields.ts'
import { type OptionNames, readSpelling } from '../fields/spelledNumbers.ts'
import {
  readAllowedTools,
  readCustomTool,
  readEffort,
  readFunctionTool,
  readJsonSchema,
  readResponseFormat,
} from '../openai/fields.ts'
import { readInstructions, readItems } from './items.ts'
import { inInput, isOwnGroup, readGroup, toolsInInput } from './namespaces.ts'
import { isClientSearch, readClientSearch } from './toolSearch.ts'

const DIALECT = 'openai-responses'
const KNOWN = new Set([
  'model',
  'input',
  'instructions',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'text',
  'max_output_tokens',
  'temperature',
  'top_p',
  'reasoning',
  'user',
  'stream',
])
const OPTIONS: OptionNames = { maxTokens: 'max_output_tokens', temperature: 'temperature', topP: 'top_p' }
const KNOWN_OF_TOOL = new Set(['type', 'name', 'description', 'parameters', 'strict'])
const KNOWN_OF_TEXT = new Set(['format'])
const KNOWN_OF_REASONING = new Set(['effort'])
/** Where the conversation may come from when there is no input. */
const STORED_INPUT = ['previous_response_id', 'conversation', 'prompt']

/**
 * Throws InvalidRequestError naming the field that is wrong. `extra` is always set: it marks that the
 * request began in this dialect. `previous_response_id` stays in it; only the upstream that has it can serve it.
 */
export function readResponsesRequest(body: unknown): ChatRequest {
  const fields = bodyOf(body)
  const tools = list(fields, 'tools') ?? []
  const items = inputItems(fields)
  const { messages, leading } = readItems(items)
  const options = object(fields, 'text')
  return {
    model: requiredText(fields, 'model'),
    messages: [...readInstructions(fields), ...messages],
    tools: readTools(tools, toolsInInput(items)),
    toolChoice: readToolChoice(fields['tool_choice']),
    ...readAllowedTools(fields['tool_choice']),
    parallelToolCalls: flag(fields, 'parallel_tool_calls'),
    responseFormat: readTextFormat(options),
    maxTokens: tokens(fields, 'max_output_tokens'),
    temperature: number(fields, 'temperature'),
    topP: number(fields, 'top_p'),
    spelled: readSpelling(fields, OPTIONS),
    ...readWanted(fields),
    reasoning: readReasoningOptions(object(fields, 'reasoning')),
    user: text(fields, 'user'),
    stream: flag(fields, 'stream') ?? false,
    extra: { dialect: DIALECT, fields: readExtra(fields, tools, leading) },
  }
}

function inputItems(fields: Fields): readonly unknown[] {
  const input = fields['input']
  if (typeof input === 'string' && input !== '') return [{ role: 'user', content: input }]
  const items = typeof input === 'string' ? [] : (list(fields, 'input') ?? [])
  if (items.length === 0 && !STORED_INPUT.some((name) => fields[name] != null)) {
    throw wrong('input', 'must be a text or an array with at least one item')
  }
  return items
}

function readTools(tools: readonly unknown[], inItems: readonly unknown[]): Tool[] | undefined {
  const own = [...readList(tools, 'tools'), ...readList(inItems, 'input.tools').map(inInput)]
  return own.length > 0 ? own : undefined
}

function readList(tools: readonly unknown[], at: string): Tool[] {
  return tools.flatMap((value, index) => {
    const place = `${at}[${index}]`
    const tool = objectAt(value, place)
    if (isOwnGroup(tool, isOwnTool))
      return readGroup(tool, (inner, nth) => {
        const innerPlace = `${place}.tools[${nth}]`
        return readTool(objectAt(inner, innerPlace), innerPlace)
      })
    return readTool(tool, place) ?? []
  })
}

/** Undefined for a tool that runs at the provider. */
function readTool(tool: Fields, at: string): Tool | undefined {
  if (isClientSearch(tool)) return readClientSearch(tool)
  if (tool['type'] === 'function') return readFunctionTool(tool, DIALECT, KNOWN_OF_TOOL, at)
  return tool['type'] === 'custom' ? readCustomTool(tool, DIALECT, at) : undefined
}

const OWN_TOOLS: ReadonlySet<unknown> = new Set(['function', 'custom'])
const isOwnTool = (value: unknown) => OWN_TOOLS.has(asRecord(value)?.['type']) || isClientSearch(value)

function readToolChoice(value: unknown): ToolChoice | undefined {
  if (value === 'auto' || value === 'none' || value === 'required') return value
  const choice = asRecord(value)
  const name = isOwnTool(choice) ? asString(choice?.['name']) : undefined
  return name === undefined ? undefined : { name }
}

function readTextFormat(options: Fields | undefined): ResponseFormat | undefined {
  const format = options && object(options, 'format', 'text.format')
  return readResponseFormat(format, (given) => readJsonSchema(given, 'text.format'))
}

/** They stay among the client's own fields as well, which an upstream of this protocol gets as they are. */
function readWanted(fields: Fields): Pick<ChatRequest, 'logprobs'> {
  const top = asNumber(fields['top_logprobs']) ?? 0
  const isWanted = top > 0 || (asArray(fields['include'])?.includes(LOGPROBS) ?? false)
  return isWanted ? { logprobs: { top } } : {}
}

/** https://platform.openai.com/docs/api-reference/responses/create#responses_create-include */
const LOGPROBS = 'message.output_text.logprobs'

function readReasoningOptions(options: Fields | undefined): ReasoningOptions | undefined {
  if (options === undefined) return undefined
  const effort = readEffort(text(options, 'effort', 'reasoning.effort'))?.effort
  const visible = text(options, 'summary', 'reasoning.summary') === undefined ? undefined : true
  return effort === undefined && visible === undefined ? undefined : { effort, visible }
}

function readExtra(fields: Fields, tools: readonly unknown[], leading: readonly unknown[]): Fields {
  const extra: Record<string, unknown> = { ...leftovers(fields, KNOWN) }
  if (leading.length > 0) extra['input'] = leading
  const otherTools = tools.filter((tool) => !isOwnTool(tool) && !isOwnGroup(asRecord(tool), isOwnTool))
  if (otherTools.length > 0) extra['tools'] = otherTools
  const choice = fields['tool_choice'] ?? undefined
  if (choice !== undefined && readToolChoice(choice) === undefined) extra['tool_choice'] = choice
  const given = object(fields, 'text')
  const isRead = given?.['format'] == null || readTextFormat(given) !== undefined
  const options = leftovers(given ?? {}, isRead ? KNOWN_OF_TEXT : new Set())
  if (options !== undefined) extra['text'] = options
  const reasoning = object(fields, 'reasoning') ?? {}
  const rest = leftovers(reasoning, readEffort(asString(reasoning['effort'])) ? KNOWN_OF_REASONING : new Set())
  if (rest !== undefined) extra['reasoning'] = rest
  return extra
}
