/** A chat completion request, as clients send it: https://platform.openai.com/docs/api-reference/chat/create */

import type {
  ChatRequest,
  Message,
  Part,
  ResponseFormat,
  Role,
  Tool,
  ToolCallPart,
  ToolChoice,
} from '../../domain/chat.ts'
import { asNumber, asRecord, asString } from '../../domain/json.ts'
import {
  bodyOf,
  extraOf,
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
import { readImages } from './answerMedia.ts'
import { noteBeside } from './besideFunction.ts'
import { readReasoning, readToolCall } from './message.ts'
import { readChatContent } from './parts.ts'
import { readOtherForms } from './reasoningForms.ts'

const KNOWN = new Set([
  'model',
  'messages',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop',
  'seed',
  'frequency_penalty',
  'presence_penalty',
  'reasoning_effort',
  'user',
  'stream',
  'stream_options',
])
const OPTIONS: OptionNames = {
  maxTokens: 'max_tokens',
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  seed: 'seed',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
}
const NEWER_OPTIONS: OptionNames = { ...OPTIONS, maxTokens: 'max_completion_tokens' }
const KNOWN_OF_MESSAGE = new Set([
  'role',
  'content',
  'name',
  'tool_calls',
  'tool_call_id',
  'refusal',
  'reasoning_content',
  'reasoning',
  'reasoning_details',
  'images',
])
const KNOWN_OF_FUNCTION = new Set(['name', 'description', 'parameters', 'strict'])
const KNOWN_OF_STREAM = new Set(['include_usage'])
const ROLES: Readonly<Record<string, Role>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  tool: 'tool',
  // The predecessor of `tool`; its own role is kept beside it for an upstream that still knows it.
  function: 'user',
}
/** Throws InvalidRequestError naming the field that is wrong. */
export function readChatRequest(body: unknown): ChatRequest {
  const fields = bodyOf(body)
  const tools = list(fields, 'tools') ?? []
  const allowed = readAllowedTools(fields['tool_choice'])
  // Each field by its name, absent ones too: V8 makes such objects far faster than ones put together from parts.
  return {
    model: requiredText(fields, 'model'),
    messages: readMessages(fields),
    tools: readTools(tools),
    toolChoice: allowed?.toolChoice ?? readToolChoice(fields['tool_choice']),
    allowedTools: allowed?.allowedTools,
    parallelToolCalls: flag(fields, 'parallel_tool_calls'),
    responseFormat: readFormat(object(fields, 'response_format')),
    maxTokens: tokens(fields, 'max_completion_tokens') ?? tokens(fields, 'max_tokens'),
    temperature: number(fields, 'temperature'),
    topP: number(fields, 'top_p'),
    topK: number(fields, 'top_k'),
    stop: readStop(fields['stop']),
    seed: number(fields, 'seed'),
    frequencyPenalty: number(fields, 'frequency_penalty'),
    presencePenalty: number(fields, 'presence_penalty'),
    spelled: readSpelling(fields, fields['max_completion_tokens'] == null ? OPTIONS : NEWER_OPTIONS),
    answers: readAnswers(fields['n']),
    logprobs: readWantedLogprobs(fields),
    reasoning: readEffort(text(fields, 'reasoning_effort')) ?? readOtherForms(fields),
    user: text(fields, 'user'),
    stream: flag(fields, 'stream') ?? false,
    wantsUsage: wantsUsage(object(fields, 'stream_options')),
    extra: extraOf('openai', readExtra(fields, tools)).extra,
  }
}

function readMessages(fields: Fields): Message[] {
  const messages = list(fields, 'messages')
  if (messages === undefined || messages.length === 0) throw wrong('messages', 'must hold at least one message')
  return messages.map((message, index) => readMessage(objectAt(message, `messages[${index}]`), `messages[${index}]`))
}

function readMessage(message: Fields, at: string): Message {
  const wireRole = requiredText(message, 'role', `${at}.role`)
  const role = Object.hasOwn(ROLES, wireRole) ? ROLES[wireRole] : undefined
  if (role === undefined) throw wrong(`${at}.role`, `must be one of ${Object.keys(ROLES).join(', ')}`)
  const rest = leftovers(message, KNOWN_OF_MESSAGE)
  return {
    role,
    content: readMessageContent(message, role, at),
    ...(asString(message['name']) !== undefined && { name: asString(message['name']) }),
    ...extraOf('openai', wireRole === 'function' ? { ...rest, role: 'function' } : rest),
  }
}

function readMessageContent(message: Fields, role: Role, at: string): Part[] {
  const content = readChatContent(message['content'], `${at}.content`)
  if (role === 'assistant') {
    const images = readImages({ images: message['images'] })
    return [...readReasoning(message), ...content, ...readRefusal(message), ...images, ...readToolCalls(message, at)]
  }
  if (role !== 'tool') return content
  const isNamed = message['tool_call_id'] !== undefined
  const path = `${at}.tool_call_id`
  const id = isNamed ? text(message, 'tool_call_id', path) : requiredText(message, 'tool_call_id', path)
  return [{ type: 'tool-result', toolCallId: id ?? '', content }]
}

function readRefusal(message: Fields): Part[] {
  const refusal = asString(message['refusal'])
  return refusal ? [{ type: 'text', text: refusal, ...extraOf('openai', { refusal: true }) }] : []
}

/** Some servers give their calls no ids, or empty ones, and clients hand them back so: results then come in their order. */
function readToolCalls(message: Fields, at: string): ToolCallPart[] {
  const calls = list(message, 'tool_calls', `${at}.tool_calls`) ?? []
  return calls.map((value, index) => {
    const path = `${at}.tool_calls[${index}]`
    const call = objectAt(value, path)
    text(call, 'id', `${path}.id`)
    const part = readToolCall(call, '')
    if (part === undefined) throw wrong(`${path}.function`, 'must be an object with a name')
    return part
  })
}

function readTools(tools: readonly unknown[]): Tool[] | undefined {
  const read = tools.map((tool, index) => readTool(objectAt(tool, `tools[${index}]`), `tools[${index}]`))
  const own = read.filter((tool) => tool !== undefined)
  return own.length > 0 ? own : undefined
}

/** Undefined for a tool that runs at the provider. */
function readTool(tool: Fields, at: string): Tool | undefined {
  switch (typeOf(tool)) {
    case 'function': {
      const path = `${at}.function`
      return noteBeside(readFunctionTool(objectAt(tool['function'], path), 'openai', KNOWN_OF_FUNCTION, path), tool)
    }
    case 'custom':
      return readCustomTool(objectAt(tool['custom'], `${at}.custom`), 'openai', `${at}.custom`)
    default:
      return undefined
  }
}

const typeOf = (tool: unknown) => asRecord(tool)?.['type'] ?? 'function'
const OWN_TOOLS: ReadonlySet<unknown> = new Set(['function', 'custom'])

function readToolChoice(value: unknown): ToolChoice | undefined {
  if (value === 'auto' || value === 'none' || value === 'required') return value
  // Mistral's word for it.
  if (value === 'any') return 'required'
  const choice = asRecord(value)
  const own = asRecord(choice?.['function']) ?? asRecord(choice?.['custom'])
  // As Responses and Anthropic say it.
  const name = asString(own?.['name']) ?? (FLAT.has(choice?.['type']) ? asString(choice?.['name']) : undefined)
  return name === undefined ? undefined : { name }
}

const FLAT: ReadonlySet<unknown> = new Set(['function', 'custom', 'tool'])

function readFormat(format: Fields | undefined): ResponseFormat | undefined {
  return readResponseFormat(format, ({ json_schema: schema }) =>
    readJsonSchema(objectAt(schema, 'response_format.json_schema'), 'response_format.json_schema'),
  )
}

/** They stay among the client's own fields as well, which an upstream of OpenAI's protocol gets as they are. */
function readAnswers(n: unknown): number | undefined {
  const answers = asNumber(n)
  return answers !== undefined && answers > 1 ? answers : undefined
}

function readWantedLogprobs(fields: Fields): ChatRequest['logprobs'] {
  const top = asNumber(fields['top_logprobs'])
  return fields['logprobs'] === true || top !== undefined ? { top: top ?? 0 } : undefined
}

function readStop(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return [value]
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw wrong('stop', 'must be a string or an array of strings')
}

function wantsUsage(options: Fields | undefined): boolean | undefined {
  return options && flag(options, 'include_usage', 'stream_options.include_usage')
}

/** What only an OpenAI upstream can make something of: unknown fields, and unknown values of known ones. */
function readExtra(fields: Fields, tools: readonly unknown[]): Fields | undefined {
  const extra: Record<string, unknown> = { ...leftovers(fields, KNOWN) }
  const otherTools = tools.filter((tool) => !OWN_TOOLS.has(typeOf(tool)))
  if (otherTools.length > 0) extra['tools'] = otherTools
  const choice = fields['tool_choice'] ?? undefined
  if (choice !== undefined && readToolChoice(choice) === undefined) extra['tool_choice'] = choice
  const format = object(fields, 'response_format')
  if (format !== undefined && readFormat(format) === undefined) extra['response_format'] = format
  const effort = text(fields, 'reasoning_effort')
  if (effort !== undefined && readEffort(effort) === undefined) extra['reasoning_effort'] = effort
  const streamOptions = leftovers(object(fields, 'stream_options') ?? {}, KNOWN_OF_STREAM)
  if (streamOptions !== undefined) extra['stream_options'] = streamOptions
  return Object.keys(extra).length > 0 ? extra : undefined
}
