/** The Messages request to an upstream: https://platform.claude.com/docs/en/api/messages */

import type { ChatRequest, Message, ReasoningEffort, ReasoningOptions, Tool } from '../../domain/chat.ts'
import { asString } from '../../domain/json.ts'
import { restore } from '../fields/extra.ts'
import { formatInWords } from '../fields/formatInWords.ts'
import { asSpelled } from '../fields/spelledNumbers.ts'
import { closedSchema } from './closedSchema.ts'
import { type ContentBlock, writeAnthropicContent } from './content.ts'
import { defaultMaxTokens } from './defaultMaxTokens.ts'
import { acceptsSchema } from './schema.ts'

/** Least `thinking.budget_tokens`: https://platform.claude.com/docs/en/build-with-claude/extended-thinking */
const MIN_BUDGET_TOKENS = 1024

export function writeAnthropicRequest(
  request: ChatRequest,
  model: string,
): { path: string; body: Record<string, unknown> } {
  const maxTokens = request.maxTokens ?? defaultMaxTokens(request)
  const body: Record<string, unknown> = { model, max_tokens: asSpelled(request, 'maxTokens') ?? maxTokens }
  const system = writeSystem(request)
  if (system !== undefined) body['system'] = system
  body['messages'] = writeMessages(request.messages)
  writeSampling(body, request)
  writeTools(body, request)
  writeThinking(body, request, maxTokens)
  writeOutputConfig(body, request)
  if (request.user !== undefined) body['metadata'] = { user_id: request.user }
  if (request.stream) body['stream'] = true
  return { path: '/messages', body: restore('anthropic', body, request.extra) }
}

function writeSampling(body: Record<string, unknown>, request: ChatRequest): void {
  // 0 to 1 here, 0 to 2 elsewhere.
  if (request.temperature !== undefined)
    body['temperature'] = request.temperature > 1 ? 1 : asSpelled(request, 'temperature')
  if (request.topP !== undefined) body['top_p'] = asSpelled(request, 'topP')
  if (request.topK !== undefined) body['top_k'] = asSpelled(request, 'topK')
  // A sequence of white space alone is refused, and OpenAI clients like to send "\n".
  const stop = request.stop?.filter((sequence) => sequence.trim() !== '')
  if (stop && stop.length > 0) body['stop_sequences'] = stop
}

/** One string where that says it all, else blocks. System messages from the middle of the talk move to the top. */
function writeSystem(request: ChatRequest): unknown {
  const blocks: ContentBlock[] = []
  for (const message of request.messages) {
    if (message.role === 'system') blocks.push(...writeContent(message))
  }
  const instruction = formatInstruction(request)
  if (instruction !== undefined) blocks.push({ type: 'text', text: instruction })
  const [first] = blocks
  if (first === undefined) return undefined
  return blocks.length === 1 ? (plainText(first) ?? blocks) : blocks
}

function plainText(block: ContentBlock): string | undefined {
  return block['type'] === 'text' && Object.keys(block).length === 2 ? asString(block['text']) : undefined
}

/** JSON without a schema, and schemas that the wire refuses, can only be asked for in words. */
function formatInstruction({ responseFormat }: ChatRequest): string | undefined {
  if (responseFormat?.type === 'json-schema' && heldSchema(responseFormat.schema) !== undefined) return undefined
  return formatInWords(responseFormat)
}

interface WireMessage {
  readonly role: 'user' | 'assistant'
  readonly content: ContentBlock[]
}

/** Neighbours of one role become one message, with tool results first, as a `tool_use` demands of what follows it. */
function writeMessages(messages: readonly Message[]): Record<string, unknown>[] {
  const written: Record<string, unknown>[] = []
  let last: WireMessage | undefined
  for (const message of messages) {
    if (message.role === 'system') continue
    const role = message.role === 'assistant' ? 'assistant' : 'user'
    const content = writeContent(message)
    if (content.length === 0) continue
    if (last?.role === role) append(last.content, content, message.role === 'tool')
    else {
      last = { role, content: [...content] }
      written.push(restore('anthropic', { ...last }, message.extra))
    }
  }
  return written.map(shortened)
}

function append(blocks: ContentBlock[], more: readonly ContentBlock[], areResults: boolean): void {
  if (!areResults) {
    blocks.push(...more)
    return
  }
  let end = 0
  while (end < blocks.length && blocks[end]?.['type'] === 'tool_result') end++
  blocks.splice(end, 0, ...more)
}

/** A message of one plain text is sent as a string, which every imitation of the wire understands. */
function shortened(message: Record<string, unknown>): Record<string, unknown> {
  const content = message['content'] as ContentBlock[] // writeMessages put it there
  const [first] = content
  const text = content.length === 1 && first !== undefined ? plainText(first) : undefined
  if (text !== undefined) message['content'] = text
  return message
}

function writeContent(message: Message): readonly ContentBlock[] {
  return message.content.map(writeAnthropicContent).filter((block) => block !== undefined)
}

function writeTools(body: Record<string, unknown>, request: ChatRequest): void {
  const hasTools = request.tools !== undefined && request.tools.length > 0
  if (hasTools) body['tools'] = request.tools.map(writeTool)
  if (hasTools || request.extra?.fields['tools'] !== undefined) {
    const choice = writeToolChoice(request)
    if (choice) body['tool_choice'] = choice
  }
}

function writeTool(tool: Tool): Record<string, unknown> {
  const wire: Record<string, unknown> = { name: tool.name }
  if (!tool.builtIn || tool.extra?.dialect !== 'anthropic') {
    if (tool.description !== undefined) wire['description'] = tool.description
    wire['input_schema'] = tool.parameters ?? { type: 'object', properties: {} }
  }
  if (tool.strict !== undefined) wire['strict'] = tool.strict
  return restore('anthropic', wire, tool.extra)
}

function writeToolChoice({ toolChoice, parallelToolCalls }: ChatRequest): Record<string, unknown> | undefined {
  if (toolChoice === undefined && parallelToolCalls === undefined) return undefined
  if (toolChoice === 'none') return { type: 'none' }
  const choice: Record<string, unknown> =
    typeof toolChoice === 'object'
      ? { type: 'tool', name: toolChoice.name }
      : { type: toolChoice === 'required' ? 'any' : 'auto' }
  if (parallelToolCalls !== undefined) choice['disable_parallel_tool_use'] = !parallelToolCalls
  return choice
}

function writeThinking(body: Record<string, unknown>, request: ChatRequest, maxTokens: number): void {
  const { reasoning } = request
  if (reasoning === undefined) return
  const thinking = thinkingFor(reasoning, maxTokens)
  if (thinking === undefined) return
  if (thinking['type'] !== 'disabled' && reasoning.visible !== undefined) {
    thinking['display'] = reasoning.visible ? 'summarized' : 'omitted'
  }
  body['thinking'] = thinking
}

/** A budget where the caller gave one; an effort alone is what the adaptive models take. */
function thinkingFor(
  { budgetTokens, effort }: ReasoningOptions,
  maxTokens: number,
): Record<string, unknown> | undefined {
  if (budgetTokens === undefined) {
    if (effort === undefined) return undefined
    return { type: effort === 'none' ? 'disabled' : 'adaptive' }
  }
  // The answer needs room beside the thoughts: the budget must be below max_tokens.
  const budget = Math.min(Math.max(budgetTokens, MIN_BUDGET_TOKENS), maxTokens - 1)
  return budget < MIN_BUDGET_TOKENS ? undefined : { type: 'enabled', budget_tokens: budget }
}

/** https://platform.claude.com/docs/en/build-with-claude/structured-outputs and …/effort */
function writeOutputConfig(body: Record<string, unknown>, { responseFormat, reasoning }: ChatRequest): void {
  const config: Record<string, unknown> = {}
  const effort = reasoning?.effort && EFFORT[reasoning.effort]
  if (effort) config['effort'] = effort
  const schema = responseFormat?.type === 'json-schema' ? heldSchema(responseFormat.schema) : undefined
  if (schema !== undefined) config['format'] = { type: 'json_schema', schema }
  if (Object.keys(config).length > 0) body['output_config'] = config
}

/** The schema to which the wire can hold an answer: this one, or one that allows no more; undefined when there is none. */
function heldSchema(schema: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined {
  return [schema, closedSchema(schema)].find(acceptsSchema)
}

const EFFORT: { readonly [E in ReasoningEffort]: string | null } = {
  none: null,
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'xhigh',
  max: 'max',
}
