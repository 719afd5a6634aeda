/** The generateContent request to an upstream: https://ai.google.dev/api/generate-content */

import type { ChatRequest, Message, ReasoningEffort, ReasoningOptions, Tool } from '../../domain/chat.ts'
import { asRecord } from '../../domain/json.ts'
import { restore } from '../fields/extra.ts'
import { asSpelled } from '../fields/spelledNumbers.ts'
import { UNSIGNED } from '../fit/ownThoughts.ts'
import { type WirePart, writeGoogleContent } from './content.ts'
import { isEmptyObject, isOpenApi, withoutDeclaration } from './schema.ts'

export function writeGoogleRequest(
  request: ChatRequest,
  model: string,
): { path: string; body: Record<string, unknown> } {
  const body: WirePart = {}
  const system = writeSystem(request.messages)
  if (system) body['systemInstruction'] = { parts: system }
  body['contents'] = writeContents(request.messages, model)
  writeTools(body, request)
  const config = writeConfig(request, model)
  restore('google', body, request.extra)
  const rest = request.extra?.dialect === 'google' ? asRecord(request.extra.fields['generationConfig']) : undefined
  if (rest) Object.assign(config, rest)
  if (Object.keys(config).length > 0) body['generationConfig'] = config
  return { path: pathOf(model, request.stream), body }
}

/** Without `alt=sse` a stream would be one JSON array. The key is never here: it travels as a header. */
function pathOf(model: string, stream: boolean): string {
  const name = model
    .replace(/^models\//, '')
    .toWellFormed()
    .split('/')
    .map(encodeURIComponent)
    .join('/')
  return `/models/${name}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`
}

function writeSystem(messages: readonly Message[]): readonly unknown[] | undefined {
  const parts = messages
    .filter((message) => message.role === 'system')
    .flatMap((message) => writeParts(message, NO_NAMES))
  return parts.length > 0 ? parts : undefined
}

const NO_NAMES: ReadonlyMap<string, string> = new Map()

interface GoogleContent {
  /** Ours, not the wire's: results are not merged with what the user says, calls and results must pair up. */
  readonly role: Message['role']
  readonly parts: unknown[]
}

function writeContents(messages: readonly Message[], model: string): WirePart[] {
  const names = namesOfCalls(messages)
  const written: WirePart[] = []
  let last: GoogleContent | undefined
  for (const message of messages) {
    if (message.role === 'system') continue
    const parts = writeParts(message, names)
    if (parts.length === 0) continue
    if (message.role === 'assistant' && demandsSignatures(model)) signFirstCall(parts)
    if (last?.role === message.role) {
      last.parts.push(...parts)
      continue
    }
    last = { role: message.role, parts: [...parts] }
    const wire: WirePart = { role: message.role === 'assistant' ? 'model' : 'user' }
    written.push({ ...restore('google', wire, message.extra), parts: last.parts })
  }
  return written
}

function writeParts(message: Message, names: ReadonlyMap<string, string>): WirePart[] {
  return message.content.map((part) => writeGoogleContent(part, names)).filter((part) => part !== undefined)
}

/** `functionResponse` names its function, which other dialects know by the id of the call alone. */
function namesOfCalls(messages: readonly Message[]): ReadonlyMap<string, string> {
  if (!messages.some((message) => message.role === 'tool')) return NO_NAMES
  const names = new Map<string, string>()
  for (const message of messages) {
    for (const part of message.content) if (part.type === 'tool-call') names.set(part.id, part.name)
  }
  return names
}

/**
 * Up to 2.5 neither signatures are demanded nor levels of thinking known; newer ones, and the `-latest` names, have
 * both.
 */
function demandsSignatures(model: string): boolean {
  return /gemini-(?![12][.-])/.test(model)
}

function signFirstCall(parts: readonly unknown[]): void {
  const first = parts.map(asRecord).find((part) => part?.['functionCall'] !== undefined)
  if (first) first['thoughtSignature'] ??= UNSIGNED
}

function writeTools(body: WirePart, { tools, toolChoice, extra }: ChatRequest): void {
  if (tools && tools.length > 0) body['tools'] = [{ functionDeclarations: tools.map(writeTool) }]
  else if (extra?.fields['tools'] === undefined) return
  if (toolChoice !== undefined) body['toolConfig'] = { functionCallingConfig: writeToolChoice(toolChoice) }
}

function writeTool(tool: Tool): WirePart {
  const wire: WirePart = { name: tool.name }
  if (tool.description !== undefined) wire['description'] = tool.description
  const parameters = tool.parameters && withoutDeclaration(tool.parameters)
  if (parameters && !isEmptyObject(parameters)) {
    wire[isOpenApi(parameters) ? 'parameters' : 'parametersJsonSchema'] = parameters
  }
  return restore('google', wire, tool.extra)
}

function writeToolChoice(choice: NonNullable<ChatRequest['toolChoice']>): WirePart {
  if (typeof choice === 'object') return { mode: 'ANY', allowedFunctionNames: [choice.name] }
  return { mode: choice === 'required' ? 'ANY' : choice.toUpperCase() }
}

function writeConfig(request: ChatRequest, model: string): WirePart {
  const config: WirePart = {}
  const set = (name: string, value: unknown) => {
    if (value !== undefined) config[name] = value
  }
  set('maxOutputTokens', asSpelled(request, 'maxTokens'))
  set('temperature', asSpelled(request, 'temperature'))
  set('topP', asSpelled(request, 'topP'))
  set('topK', asSpelled(request, 'topK'))
  set('stopSequences', request.stop && request.stop.length > 0 ? request.stop : undefined)
  set('seed', asSpelled(request, 'seed'))
  set('frequencyPenalty', asSpelled(request, 'frequencyPenalty'))
  set('presencePenalty', asSpelled(request, 'presencePenalty'))
  set('candidateCount', request.answers)
  set('responseLogprobs', request.logprobs && true)
  set('logprobs', request.logprobs?.top || undefined)
  writeFormat(config, request)
  set('thinkingConfig', request.reasoning && writeThinking(request.reasoning, model))
  return config
}

function writeFormat(config: WirePart, { responseFormat }: ChatRequest): void {
  if (!responseFormat) return
  config['responseMimeType'] = responseFormat.type === 'text' ? 'text/plain' : 'application/json'
  if (responseFormat.type !== 'json-schema') return
  const schema = withoutDeclaration(responseFormat.schema)
  config[isOpenApi(schema) ? 'responseSchema' : 'responseJsonSchema'] = schema
}

/** Budget and level exclude each other: https://ai.google.dev/gemini-api/docs/thinking */
function writeThinking({ budgetTokens, effort, visible }: ReasoningOptions, model: string): WirePart | undefined {
  const thinking: WirePart = {}
  if (budgetTokens !== undefined) thinking['thinkingBudget'] = budgetTokens
  else if (effort !== undefined && demandsSignatures(model)) thinking['thinkingLevel'] = LEVEL[effort]
  else if (effort !== undefined) thinking['thinkingBudget'] = BUDGET[effort]
  if (visible !== undefined) thinking['includeThoughts'] = visible
  return Object.keys(thinking).length > 0 ? thinking : undefined
}

/** Thinking cannot be switched off in these models; `low` is the least that all of them know. */
const LEVEL: { readonly [E in ReasoningEffort]: string } = {
  none: 'low',
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
}

/** Google's own translation of an effort: https://ai.google.dev/gemini-api/docs/openai#thinking */
const BUDGET: { readonly [E in ReasoningEffort]: number } = {
  none: 0,
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
}
