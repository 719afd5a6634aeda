/** What a simulated model answers: deterministic, shaped by the request (tools, format, limits), in canonical form. */

import type { ChatRequest, ChatResponse, DialectId, OtherAnswer, Part, TokenLogprob, Usage } from '../../domain/chat.ts'
import { signatureOf } from '../strict/signatures.ts'
import { callId } from './answerIds.ts'
import { exampleValue } from './example.ts'
import type { FakeModel } from './scenario.ts'
import { scriptedCalls, type UnnamedCall } from './scriptedCalls.ts'

/** About four characters a token, as the original counted. */
export const tokensOf = (text: string) => Math.max(1, Math.ceil(text.length / 4))

/** What a prompt takes of a window: tools count like messages. Who has a window reports the same number. */
export function windowTokens({ messages, tools = [] }: ChatRequest): number {
  return tokensOf(JSON.stringify(messages)) + (tools.length > 0 ? tokensOf(JSON.stringify(tools)) : 0)
}

/** As many answers as were asked for, each a little different, with the probabilities of their tokens. */
export function fakeReply(request: ChatRequest, name: string, model: FakeModel, dialect: DialectId): ChatResponse {
  const whole = oneReply(request, name, model, dialect)
  const first = untilStop(whole, request)
  const answers = request.answers ?? 1
  const others = Array.from({ length: answers - 1 }, (_, index) =>
    weighed(untilStop(another(whole, index + 2), request), request),
  )
  return served({ ...first, ...weighed(first, request), ...(others.length > 0 && { others }) }, request)
}

/** In the tier that was asked for: https://platform.openai.com/docs/api-reference/chat/create (`service_tier`) */
function served(response: ChatResponse, { extra }: ChatRequest): ChatResponse {
  const serviceTier = extra?.fields['service_tier']
  if (response.usage === undefined || (serviceTier !== 'flex' && serviceTier !== 'priority')) return response
  return { ...response, usage: { ...response.usage, parts: { ...response.usage.parts, serviceTier } } }
}

function another({ content, finishReason }: ChatResponse, count: number): OtherAnswer {
  const numbered = content.map((part) => (part.type === 'text' ? { ...part, text: `${part.text} (${count})` } : part))
  return { content: numbered, finishReason }
}

/**
 * Ends before the stop sequence that is said first; what is not said is not paid:
 * https://platform.openai.com/docs/api-reference/chat/create#chat-create-stop,
 * https://platform.claude.com/docs/en/api/messages#body-stop-sequences,
 * https://ai.google.dev/api/generate-content#GenerationConfig (2026-11-30)
 */
function untilStop<Answer extends OtherAnswer & Partial<ChatResponse>>(answer: Answer, { stop }: ChatRequest): Answer {
  const said = answer.content.map(textOf).join('')
  const end = firstStop(said, stop ?? [])
  if (end === null) return answer
  const text = said.slice(0, end.at)
  const content = answer.content.filter(({ type }) => type !== 'text')
  return {
    ...answer,
    content: text === '' ? content : [...content, { type: 'text', text }],
    finishReason: 'stop',
    stopSequence: end.sequence,
    ...(answer.usage && { usage: usageWithout(answer.usage, tokensOf(said) - tokensOf(text)) }),
  }
}

/** The one whose last letter comes first. */
function firstStop(said: string, stop: readonly string[]): { readonly at: number; readonly sequence: string } | null {
  const found = stop
    .filter((sequence) => sequence !== '' && said.includes(sequence))
    .map((sequence) => ({ sequence, at: said.indexOf(sequence) }))
  return found.toSorted((a, b) => a.at + a.sequence.length - (b.at + b.sequence.length))[0] ?? null
}

const usageWithout = (spent: Usage, tokens: number): Usage => ({
  ...spent,
  outputTokens: (spent.outputTokens ?? 0) - tokens,
  totalTokens: (spent.totalTokens ?? 0) - tokens,
})

function weighed(answer: OtherAnswer, { logprobs }: ChatRequest): OtherAnswer {
  if (logprobs === undefined) return answer
  const tokens = answer.content.flatMap((part) => (part.type === 'text' ? fakeLogprobs(part.text, logprobs.top) : []))
  return { ...answer, logprobs: tokens }
}

/** Of tokens of four characters. */
function fakeLogprobs(text: string, top: number): readonly TokenLogprob[] {
  return (text.match(/[\s\S]{1,4}/g) ?? []).map((token, at) => {
    const logprob = -(at + 1) / 8
    const likely = [
      { token, logprob },
      { token: `${token}?`, logprob: logprob - 1 },
    ]
    return { token, logprob, top: likely.slice(0, top) }
  })
}

function oneReply(request: ChatRequest, name: string, model: FakeModel, dialect: DialectId): ChatResponse {
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
  const summary = model.summary !== undefined && prompt.includes(model.summary.asked_by) ? model.summary.reply : null
  const called = summary === null ? toolCalls(request, prompt, model) : []
  const calls = called.map((call, index) => ({
    ...call,
    id: callId(dialect),
    ...(index === 0 && dialect === 'google' && model.thinks !== undefined && seal(dialect)),
  }))
  if (calls.length > 0) {
    const written = calls.map((call) => call.arguments).join('')
    return respond([...reasoning, ...calls], 'tool_calls', usage(inputTokens, tokensOf(written), thought), name)
  }
  const full = summary ?? replyText(request, prompt, name, model)
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
  return { model, content, finishReason, usage: spent }
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
  if (model.reply !== undefined)
    return model.reply
      .replaceAll('{prompt}', prompt)
      .replaceAll('{model}', name)
      .replaceAll('{results}', toolResults(request).join(' | '))
  const format = request.responseFormat?.type ?? 'text'
  if (format !== 'text')
    return JSON.stringify(
      format === 'json-schema' ? exampleOf(request.responseFormat) : { answer: prompt.slice(0, 60) },
    )
  const result = lastToolResult(request)
  if (result !== null) return `The tool said: ${result}`
  // The picture of a test run is red; this is no eye.
  if (isAskedOfPicture(request, prompt)) return 'It is red.'
  return `This is ${name}, answering "${prompt.slice(0, 200)}". All is well.`
}

function exampleOf(format: ChatRequest['responseFormat']): unknown {
  return format?.type === 'json-schema' ? exampleValue(format.schema) : {}
}

/** The calls of a turn: those of the scenario, else one where the prompt asks for it; none after a tool's result. */
function toolCalls(request: ChatRequest, prompt: string, model: FakeModel): UnnamedCall[] {
  if (request.toolChoice === 'none') return []
  return scriptedCalls(request, model) ?? [toolCall(request, prompt)].filter((call) => call !== null)
}

/** Calls the first tool once, unless the conversation ends with a tool's result or tools are off. */
function toolCall(request: ChatRequest, prompt: string): UnnamedCall | null {
  const tools = request.tools ?? []
  const forced = typeof request.toolChoice === 'object' ? request.toolChoice.name : undefined
  const tool = forced === undefined ? tools[0] : tools.find((one) => one.name === forced)
  if (tool === undefined || request.toolChoice === 'none' || lastToolResult(request) !== null) return null
  const asked =
    request.toolChoice === 'required' || forced !== undefined || /\btools?\b|weather|read|look up/i.test(prompt)
  if (!asked) return null
  if (tool.custom !== undefined) return { type: 'tool-call', name: tool.name, arguments: 'example', custom: true }
  const args = tool.parameters === undefined ? {} : exampleValue(tool.parameters)
  return { type: 'tool-call', name: tool.name, arguments: JSON.stringify(args) }
}

function lastToolResult(request: ChatRequest): string | null {
  const part = request.messages.at(-1)?.content.find((one) => one.type === 'tool-result')
  return part?.type === 'tool-result' ? part.content.map(textOf).join('') : null
}

function toolResults(request: ChatRequest): string[] {
  return request.messages.flatMap((message) =>
    message.content.flatMap((part) => (part.type === 'tool-result' ? [part.content.map(textOf).join('')] : [])),
  )
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

/** The picture is beside the question, or the question is about one that was shown before. */
function isAskedOfPicture({ messages }: ChatRequest, prompt: string): boolean {
  const isShown = ({ content }: ChatRequest['messages'][number]) => content.some(isImage)
  const last = messages.findLast((message) => message.role === 'user')
  return (last !== undefined && isShown(last)) || (/\bcolou?r\b/i.test(prompt) && messages.some(isShown))
}

const isImage = (part: Part) => part.type === 'image'
const textOf = (part: Part): string => (part.type === 'text' ? part.text : '')
