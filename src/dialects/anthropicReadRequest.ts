/** A client's Messages request: https://platform.claude.com/docs/en/api/messages */

import type {
  ChatRequest,
  Extra,
  Message,
  Part,
  ReasoningEffort,
  ReasoningOptions,
  ResponseFormat,
  Role,
  Tool,
  ToolChoice,
} from '../domain/chat.ts'
import { asArray, asRecord, asString } from '../domain/json.ts'
import { type ReadBlocks, readBlocks } from './anthropicContent.ts'
import { addToExtra, extraOf } from './extra.ts'
import {
  needArray,
  needRecord,
  needText,
  optionalArray,
  optionalBoolean,
  optionalCount,
  optionalNumber,
  optionalRecord,
  optionalString,
  optionalStrings,
  wrongField,
} from './requestFields.ts'

type Fields = Record<string, unknown>

const REQUEST = new Set([
  ...['model', 'messages', 'system', 'tools', 'tool_choice', 'max_tokens', 'stop_sequences', 'temperature'],
  ...['top_p', 'top_k', 'thinking', 'metadata', 'output_config', 'output_format', 'stream'],
])
const MESSAGE = new Set(['role', 'content'])
const TOOL = new Set(['type', 'name', 'description', 'input_schema', 'strict'])
const EFFORTS: ReadonlySet<string> = new Set(['low', 'medium', 'high', 'xhigh', 'max'] satisfies ReasoningEffort[])

/** Throws InvalidRequestError that names the field. A missing `max_tokens` is allowed: the upstream's writer sets one. */
export function readRequest(body: unknown): ChatRequest {
  const fields = needRecord(body, 'body')
  const choice = optionalRecord(fields['tool_choice'], 'tool_choice')
  const parallelDisabled = optionalBoolean(
    choice?.['disable_parallel_tool_use'],
    'tool_choice.disable_parallel_tool_use',
  )
  return {
    model: needText(fields['model'], 'model'),
    messages: readMessages(fields),
    tools: optionalArray(fields['tools'], 'tools')?.flatMap(readTool),
    toolChoice: choice && readToolChoice(choice),
    parallelToolCalls: parallelDisabled === undefined ? undefined : !parallelDisabled,
    responseFormat: readResponseFormat(fields),
    maxTokens: optionalCount(fields['max_tokens'], 'max_tokens', 1),
    temperature: optionalNumber(fields['temperature'], 'temperature'),
    topP: optionalNumber(fields['top_p'], 'top_p'),
    topK: optionalNumber(fields['top_k'], 'top_k'),
    stop: optionalStrings(fields['stop_sequences'], 'stop_sequences'),
    reasoning: readReasoning(fields),
    user: optionalString(optionalRecord(fields['metadata'], 'metadata')?.['user_id'], 'metadata.user_id'),
    stream: optionalBoolean(fields['stream'], 'stream') ?? false,
    extra: readExtra(fields),
  }
}

function readMessages(fields: Fields): Message[] {
  const messages: Message[] = []
  if (fields['system'] != null) messages.push(readSystem(fields['system']))
  needArray(fields['messages'], 'messages').forEach((raw, index) => {
    messages.push(...readMessage(raw, `messages.${index}`))
  })
  return messages
}

function readSystem(raw: unknown): Message {
  const { blocks, parts, unread } = readContent(raw, 'system')
  return { role: 'system', content: parts, extra: withUnread(undefined, blocks, unread) }
}

function readMessage(raw: unknown, path: string): readonly Message[] {
  const fields = needRecord(raw, path)
  const role = readRole(fields['role'], `${path}.role`)
  const content = readContent(fields['content'], `${path}.content`)
  const extra = extraOf('anthropic', fields, MESSAGE)
  if (role === 'user' && content.parts.some(isResult)) return splitResults(content, extra)
  return [{ role, content: content.parts, extra: withUnread(extra, content.blocks, content.unread) }]
}

/** A user message that answers tool calls becomes two: the results, then what the user says. */
function splitResults({ blocks, parts, unread }: Content, extra: Extra | undefined): readonly Message[] {
  const results: Message = { role: 'tool', content: parts.filter(isResult), extra }
  const said = parts.filter((part) => !isResult(part))
  if (said.length === 0 && unread.length === 0) return [results]
  const rest = blocks.filter((block) => asRecord(block)?.['type'] !== 'tool_result')
  return [results, { role: 'user', content: said, extra: withUnread(undefined, rest, unread) }]
}

function isResult(part: Part): boolean {
  return part.type === 'tool-result'
}

/** Blocks that we have no word for keep all their neighbours beside them, so that their place is kept too. */
function withUnread(
  extra: Extra | undefined,
  blocks: readonly unknown[],
  unread: readonly unknown[],
): Extra | undefined {
  return unread.length === 0 ? extra : addToExtra('anthropic', extra, 'content', blocks)
}

function readRole(raw: unknown, path: string): Role {
  if (raw === 'user' || raw === 'assistant' || raw === 'system') return raw
  throw wrongField(path, '"user" or "assistant"')
}

interface Content extends ReadBlocks {
  readonly blocks: readonly unknown[]
}

function readContent(raw: unknown, path: string): Content {
  const blocks = typeof raw === 'string' ? [{ type: 'text', text: raw }] : asArray(raw)
  if (!blocks) throw wrongField(path, 'a string or an array of blocks')
  const content = readBlocks(blocks)
  for (const block of content.unread) checkUnread(block, `${path}.${blocks.indexOf(block)}`)
  return { blocks, ...content }
}

// A block of these types that could not be read is a mistake; of any other type it is news, and kept.
const CHECKED: ReadonlySet<string> = new Set(['text', 'thinking', 'tool_use', 'tool_result'])

function checkUnread(raw: unknown, path: string): void {
  const type = needText(needRecord(raw, path)['type'], `${path}.type`)
  if (CHECKED.has(type)) throw wrongField(path, `a complete ${type} block`)
}

/** None for a tool that runs at the provider: nobody else could serve it. */
function readTool(raw: unknown, index: number): readonly Tool[] {
  const path = `tools.${index}`
  const fields = needRecord(raw, path)
  if (isServerTool(raw)) return []
  return [
    {
      name: needText(fields['name'], `${path}.name`),
      description: optionalString(fields['description'], `${path}.description`),
      parameters: optionalRecord(fields['input_schema'], `${path}.input_schema`),
      strict: optionalBoolean(fields['strict'], `${path}.strict`),
      extra: extraOf('anthropic', fields, TOOL),
    },
  ]
}

function isServerTool(raw: unknown): boolean {
  const type = asRecord(raw)?.['type']
  return type != null && type !== 'custom'
}

function readToolChoice(choice: Fields): ToolChoice {
  switch (choice['type']) {
    case 'auto':
    case 'none':
      return choice['type']
    case 'any':
      return 'required'
    case 'tool':
      return { name: needText(choice['name'], 'tool_choice.name') }
    default:
      throw wrongField('tool_choice.type', '"auto", "any", "tool" or "none"')
  }
}

/** `output_format` is where the format was before it moved into `output_config`; old clients still send it. */
function readResponseFormat(fields: Fields): ResponseFormat | undefined {
  const config = optionalRecord(fields['output_config'], 'output_config')
  const format = asRecord(config?.['format']) ?? asRecord(fields['output_format'])
  if (format?.['type'] !== 'json_schema') return undefined
  return { type: 'json-schema', schema: needRecord(format['schema'], 'output_config.format.schema') }
}

function readReasoning(fields: Fields): ReasoningOptions | undefined {
  const thinking = optionalRecord(fields['thinking'], 'thinking')
  const effort = readEffort(thinking, asString(asRecord(fields['output_config'])?.['effort']))
  const budgetTokens = optionalCount(thinking?.['budget_tokens'], 'thinking.budget_tokens', 1)
  const visible = readVisible(thinking?.['display'])
  if (effort === undefined && budgetTokens === undefined && visible === undefined) return undefined
  return { effort, budgetTokens, visible }
}

function readEffort(thinking: Fields | undefined, effort: string | undefined): ReasoningEffort | undefined {
  if (thinking?.['type'] === 'disabled') return 'none'
  if (effort === undefined || !EFFORTS.has(effort)) return undefined
  return effort as ReasoningEffort // a member of EFFORTS, which the compiler cannot follow
}

function readVisible(display: unknown): boolean | undefined {
  if (display === 'omitted') return false
  return display === 'summarized' ? true : undefined
}

/** Unknown fields, and in their own form those fields that we can read only in part. */
function readExtra(fields: Fields): Extra | undefined {
  let extra = extraOf('anthropic', fields, REQUEST)
  const keep = (name: string) => {
    extra = addToExtra('anthropic', extra, name, fields[name])
  }
  if (asArray(fields['tools'])?.some(isServerTool)) keep('tools')
  if (asRecord(fields['thinking'])?.['type'] === 'adaptive') keep('thinking')
  if (hasOther(fields['metadata'], ['user_id'])) keep('metadata')
  if (hasOther(fields['output_config'], ['effort', 'format'])) keep('output_config')
  return extra
}

function hasOther(raw: unknown, names: readonly string[]): boolean {
  const record = asRecord(raw)
  return record !== undefined && Object.keys(record).some((name) => !names.includes(name))
}
