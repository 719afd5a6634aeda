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
} from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import { addToExtra, extraBeyond } from '../fields/extra.ts'
import {
  bodyOf,
  type Fields,
  flag,
  list,
  number,
  object,
  objectAt,
  requiredText,
  text,
  texts,
  tokens,
  wrong,
} from '../fields/requestFields.ts'
import { type OptionNames, readSpelling } from '../fields/spelledNumbers.ts'
import { clientTool } from './clientTools.ts'
import { readBlocks } from './content.ts'

const REQUEST = new Set([
  ...['model', 'messages', 'system', 'tools', 'tool_choice', 'max_tokens', 'stop_sequences', 'temperature'],
  ...['top_p', 'top_k', 'thinking', 'metadata', 'output_config', 'output_format', 'stream'],
])
const OPTIONS: OptionNames = { maxTokens: 'max_tokens', temperature: 'temperature', topP: 'top_p', topK: 'top_k' }
const MESSAGE = new Set(['role', 'content'])
const TOOL = new Set(['type', 'name', 'description', 'input_schema', 'strict'])
const CLIENT_TOOL = new Set(['name', 'strict'])
const EFFORTS: ReadonlySet<string> = new Set(['low', 'medium', 'high', 'xhigh', 'max'] satisfies ReasoningEffort[])

/**
 * Throws InvalidRequestError that names the field. A missing `max_tokens` is allowed: the upstream's writer sets one.
 */
export function readAnthropicRequest(body: unknown): ChatRequest {
  const fields = bodyOf(body)
  const choice = object(fields, 'tool_choice')
  const isSerial = choice && flag(choice, 'disable_parallel_tool_use', 'tool_choice.disable_parallel_tool_use')
  return {
    model: requiredText(fields, 'model'),
    messages: readMessages(fields),
    tools: readTools(fields),
    toolChoice: choice && readToolChoice(choice),
    parallelToolCalls: isSerial === undefined ? undefined : !isSerial,
    responseFormat: readResponseFormat(fields),
    maxTokens: tokens(fields, 'max_tokens'),
    temperature: number(fields, 'temperature'),
    topP: number(fields, 'top_p'),
    topK: number(fields, 'top_k'),
    spelled: readSpelling(fields, OPTIONS),
    stop: texts(fields, 'stop_sequences'),
    reasoning: readReasoning(fields),
    user: text(object(fields, 'metadata') ?? {}, 'user_id', 'metadata.user_id'),
    stream: flag(fields, 'stream') ?? false,
    extra: readExtra(fields),
  }
}

function readMessages(fields: Fields): Message[] {
  const messages: Message[] = []
  if (fields['system'] != null) messages.push({ role: 'system', content: readContent(fields['system'], 'system') })
  const raws = asArray(fields['messages'])
  if (!raws) throw wrong('messages', 'must be an array')
  raws.forEach((raw, index) => {
    messages.push(...readMessage(raw, `messages.${index}`))
  })
  return messages
}

function readMessage(raw: unknown, path: string): readonly Message[] {
  const fields = objectAt(raw, path)
  const role = readRole(fields['role'], `${path}.role`)
  const content = readContent(fields['content'], `${path}.content`)
  const extra = extraBeyond('anthropic', fields, MESSAGE)
  return role === 'user' && content.some(isResult) ? splitResults(content, extra) : [{ role, content, extra }]
}

/** A user message that answers tool calls becomes two: the results, then what the user says. */
function splitResults(content: readonly Part[], extra: Extra | undefined): readonly Message[] {
  const results: Message = { role: 'tool', content: content.filter(isResult), extra }
  const said = content.filter((part) => !isResult(part))
  return said.length === 0 ? [results] : [results, { role: 'user', content: said }]
}

function isResult(part: Part): boolean {
  return part.type === 'tool-result'
}

function readRole(raw: unknown, path: string): Role {
  if (raw === 'user' || raw === 'assistant' || raw === 'system') return raw
  throw wrong(path, 'must be "user" or "assistant"')
}

function readContent(raw: unknown, path: string): readonly Part[] {
  if (typeof raw === 'string') return [{ type: 'text', text: raw }]
  const blocks = asArray(raw)
  if (!blocks) throw wrong(path, 'must be a string or an array of blocks')
  const { parts, badIndex } = readBlocks(blocks)
  if (badIndex >= 0) throw wrong(`${path}.${badIndex}`, 'must be a complete content block')
  return parts
}

/** Undefined rather than empty, which other wires refuse. */
function readTools(fields: Fields): readonly Tool[] | undefined {
  const tools = list(fields, 'tools')?.flatMap(readTool)
  return tools && tools.length > 0 ? tools : undefined
}

/** None for a tool that runs at the provider: no other provider could serve it. */
function readTool(raw: unknown, index: number): readonly Tool[] {
  const path = `tools.${index}`
  const fields = objectAt(raw, path)
  if (isServerTool(raw)) return []
  const known = clientTool(fields['type'])
  if (known !== undefined) return [readClientTool(fields, known, path)]
  return [
    {
      name: requiredText(fields, 'name', `${path}.name`),
      description: text(fields, 'description', `${path}.description`),
      parameters: object(fields, 'input_schema', `${path}.input_schema`),
      strict: flag(fields, 'strict', `${path}.strict`),
      extra: extraBeyond('anthropic', fields, TOOL),
    },
  ]
}

function readClientTool(fields: Fields, known: Pick<Tool, 'description' | 'parameters'>, path: string): Tool {
  return {
    name: requiredText(fields, 'name', `${path}.name`),
    ...known,
    strict: flag(fields, 'strict', `${path}.strict`),
    builtIn: true,
    extra: extraBeyond('anthropic', fields, CLIENT_TOOL),
  }
}

function isServerTool(raw: unknown): boolean {
  const type = asRecord(raw)?.['type']
  return type != null && type !== 'custom' && clientTool(type) === undefined
}

function readToolChoice(choice: Fields): ToolChoice {
  switch (choice['type']) {
    case 'auto':
    case 'none':
      return choice['type']
    case 'any':
      return 'required'
    case 'tool':
      return { name: requiredText(choice, 'name', 'tool_choice.name') }
    default:
      throw wrong('tool_choice.type', 'must be "auto", "any", "tool" or "none"')
  }
}

/** `output_format` is where the format was before it moved into `output_config`; old clients still send it. */
function readResponseFormat(fields: Fields): ResponseFormat | undefined {
  const config = object(fields, 'output_config')
  const format = asRecord(config?.['format']) ?? asRecord(fields['output_format'])
  if (format?.['type'] !== 'json_schema') return undefined
  // Claude is held to it: https://platform.claude.com/docs/en/build-with-claude/structured-outputs (2026-11-30)
  return { type: 'json-schema', schema: objectAt(format['schema'], 'output_config.format.schema'), strict: true }
}

function readReasoning(fields: Fields): ReasoningOptions | undefined {
  const thinking = object(fields, 'thinking')
  const effort = readEffort(thinking, asString(asRecord(fields['output_config'])?.['effort']))
  const budgetTokens = thinking && tokens(thinking, 'budget_tokens', 'thinking.budget_tokens')
  const visible = readVisible(thinking?.['display'])
  const adaptive = thinking?.['type'] === 'adaptive' ? true : undefined
  if ([effort, budgetTokens, visible, adaptive].every((value) => value === undefined)) return undefined
  return { effort, budgetTokens, visible, ...(adaptive && { adaptive }) }
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
  let extra = extraBeyond('anthropic', fields, REQUEST)
  const keep = (name: string) => {
    extra = addToExtra('anthropic', extra, name, fields[name])
  }
  if (asArray(fields['tools'])?.some(isServerTool)) keep('tools')
  if (asRecord(fields['thinking'])?.['type'] === 'adaptive') keep('thinking')
  if (hasOther(fields['metadata'], ['user_id'])) keep('metadata')
  if (hasOther(fields['output_config'], ['effort', 'format']) || hasOtherFormat(fields)) keep('output_config')
  return extra
}

function hasOtherFormat(fields: Fields): boolean {
  return asRecord(fields['output_config'])?.['format'] != null && readResponseFormat(fields) === undefined
}

function hasOther(raw: unknown, names: readonly string[]): boolean {
  const record = asRecord(raw)
  return record !== undefined && Object.keys(record).some((name) => !names.includes(name))
}
