/** What a simulated model answers: deterministic, shaped by the request (tools, format, limits), in canonical form. */

import type { ChatRequest, ChatResponse, DialectId, Part, Tool, ToolCallPart, Usage } from '../../domain/chat.ts'
import { signatureOf } from '../strict/signatures.ts'
import type { FakeModel } from './scenario.ts'

/** About four characters a token, as the original counted. */
export const tokensOf = (text: string) => Math.max(1, Math.ceil(text.length / 4))

/** What a prompt takes of a window: tools count like messages. Who has a window reports the same number. */
function windowTokens({ messages, tools = [] }: ChatRequest): number {
  return tokensOf(JSON.stringify(messages)) + (tools.length > 0 ? tokensOf(JSON.stringify(tools)) : 0)
}

export function fakeReply(request: ChatRequest, name: string, model: FakeModel, dialect: DialectId): ChatResponse {
  const prompt = lastUserText(request)
  const inputTokens = model.context_tokens === undefined ? tokensOf(allText(request)) : windowTokens(request)
  const thinks = request.reasoning?.effort === 'none' ? 0 : (model.thinks ?? 0)
  const thought = Math.min(thinks, request.maxTokens ?? thinks)
  const budget = (request.maxTokens ?? Number.POSITIVE_INFINITY) - thought
  const reasoning =
    thought > 0
      ? [
          {
            type: 'reasoning' as const,
            text: 'Let me think about it. '.repeat(Math.ceil(thought / 6)).slice(0, thought * 4),
            ...(dialect !== 'google' && seal(dialect)),
          },
        ]
      : []
  const calls = toolCalls(request, prompt, model).map((call, index) =>
    index === 0 && dialect === 'google' && model.thinks !== undefined ? { ...call, ...seal(dialect) } : call,
  )
  if (calls.length > 0) {
    const written = calls.map((call) => call.arguments).join('')
    return respond([...reasoning, ...calls], 'tool_calls', usage(inputTokens, tokensOf(written), thought), name)
  }
  const full = replyText(request, prompt, name, model)
  const text = budget <= 0 ? '' : full.slice(0, Math.min(full.length, budget * 4))
  const content = [...reasoning, ...(text === '' ? [] : [{ type: 'text' as const, text }])]
  const outputTokens = text === '' ? 0 : tokensOf(text)
  return respond(
    content,
    text.length < full.length ? 'length' : 'stop',
    usage(inputTokens, outputTokens, thought),
    name,
  )
}

function seal(dialect: DialectId): { signature?: string } {
  const signature = signatureOf(dialect)
  return signature === undefined ? {} : { signature: `${dialect}:${signature}` }
}

function respond(
  content: ChatResponse['content'],
  finishReason: ChatResponse['finishReason'],
  spent: Usage,
  model: string,
): ChatResponse {
  return { id: 'fake-answer', model, content, finishReason, usage: spent }
}

function usage(inputTokens: number, answered: number, thought: number): Usage {
  const outputTokens = answered + thought
  return {
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    ...(thought > 0 && { reasoningTokens: thought }),
    estimated: false,
  }
}

function replyText(request: ChatRequest, prompt: string, name: string, model: FakeModel): string {
  if (model.reply !== undefined) return model.reply.replaceAll('{prompt}', prompt).replaceAll('{model}', name)
  const format = request.responseFormat?.type ?? 'text'
  if (format !== 'text')
    return JSON.stringify(
      format === 'json-schema' ? exampleOf(request.responseFormat) : { answer: prompt.slice(0, 60) },
    )
  const result = lastToolResult(request)
  if (result !== null) return `The tool said: ${result}`
  // The picture of a test run is red; this is no eye.
  if (hasImage(request)) return 'It is red.'
  return `This is ${name}, answering "${prompt.slice(0, 200)}". All is well.`
}

/** A value that satisfies a simple JSON Schema. */
function exampleOf(format: ChatRequest['responseFormat']): unknown {
  return format?.type === 'json-schema' ? exampleValue(format.schema, 0) : {}
}

function exampleValue(schema: Readonly<Record<string, unknown>>, depth: number): unknown {
  if (depth > 5) return null
  if (Array.isArray(schema['enum'])) return schema['enum'][0]
  const properties = schema['properties'] as Record<string, Record<string, unknown>> | undefined // a schema we only imitate
  if (schema['type'] === 'object' || properties !== undefined) {
    return Object.fromEntries(
      Object.entries(properties ?? {}).map(([name, inner]) => [name, exampleValue(inner, depth + 1)]),
    )
  }
  const examples: Readonly<Record<string, unknown>> = {
    string: 'text',
    number: 1.5,
    integer: 1,
    boolean: true,
    array: [],
    null: null,
  }
  return examples[String(schema['type'])] ?? null
}

/** The calls of a turn: those of the scenario, else one where the prompt asks for it; none after a tool's result. */
function toolCalls(request: ChatRequest, prompt: string, model: FakeModel): ToolCallPart[] {
  if (model.steps !== undefined) return nextStep(request, model.steps)
  if (model.calls === undefined) return [toolCall(request, prompt)].filter((call) => call !== null)
  if (request.toolChoice === 'none' || request.messages.some((message) => message.role === 'tool')) return []
  return model.calls
    .filter((call) => offeredTool(request, call) !== undefined)
    .map((call, index) => writtenCall(request, call, index + 1))
}

type Call = NonNullable<FakeModel['calls']>[number]

const offeredTool = ({ tools = [] }: ChatRequest, { tool }: Call): Tool | undefined =>
  tools.find(({ name }) => name === tool)

/** Steps that were taken are counted by their calls in the conversation. */
function nextStep(request: ChatRequest, steps: readonly (readonly Call[])[]): ToolCallPart[] {
  if (request.toolChoice === 'none') return []
  const names = new Set(steps.flat().map(({ tool }) => tool))
  const taken = request.messages
    .flatMap(({ content }) => content)
    .filter((part) => part.type === 'tool-call' && names.has(part.name)).length
  const call = steps[taken]?.find((one) => offeredTool(request, one) !== undefined)
  return call === undefined ? [] : [writtenCall(request, call, taken + 1)]
}

function writtenCall(request: ChatRequest, call: Call, count: number): ToolCallPart {
  const facts = { type: 'tool-call' as const, id: `call_${call.tool}_${count}`, name: call.tool }
  const { input } = call.arguments
  if (typeof input === 'string' && offeredTool(request, call)?.custom !== undefined)
    return { ...facts, arguments: input, custom: true }
  return { ...facts, arguments: JSON.stringify(call.arguments) }
}

/** Calls the first tool once, unless the conversation ends with a tool's result or tools are off. */
function toolCall(request: ChatRequest, prompt: string): ToolCallPart | null {
  const tools = request.tools ?? []
  const forced = typeof request.toolChoice === 'object' ? request.toolChoice.name : undefined
  const tool = forced === undefined ? tools[0] : tools.find((one) => one.name === forced)
  if (tool === undefined || request.toolChoice === 'none' || lastToolResult(request) !== null) return null
  const asked =
    request.toolChoice === 'required' || forced !== undefined || /\btools?\b|weather|read|look up/i.test(prompt)
  if (!asked) return null
  const args = tool.parameters === undefined ? {} : exampleValue(tool.parameters, 0)
  return { type: 'tool-call', id: `call_${tool.name}_1`, name: tool.name, arguments: JSON.stringify(args) }
}

function lastToolResult(request: ChatRequest): string | null {
  const part = request.messages.at(-1)?.content.find((one) => one.type === 'tool-result')
  return part?.type === 'tool-result' ? part.content.map(textOf).join('') : null
}

function lastUserText(request: ChatRequest): string {
  return (
    request.messages
      .findLast((message) => message.role === 'user')
      ?.content.map(textOf)
      .join('') ?? ''
  )
}

function allText(request: ChatRequest): string {
  return request.messages.map((message) => message.content.map(textOf).join('')).join('\n')
}

function hasImage(request: ChatRequest): boolean {
  return request.messages.findLast((message) => message.role === 'user')?.content.some(isImage) === true
}

const isImage = (part: Part) => part.type === 'image'
const textOf = (part: Part): string => (part.type === 'text' ? part.text : '')
