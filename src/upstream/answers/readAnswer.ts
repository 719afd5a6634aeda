/** Whether an answer is one: not blocked, not empty, and of the form that was asked for. */

import { blockedText } from '../../dialects/fields/blocked.ts'
import type { ChatRequest, ChatResponse, ResponseFormat, ToolCallPart } from '../../domain/chat.ts'
import { asRecord } from '../../domain/json.ts'
import { findJson, type JsonKind } from './findJson.ts'

/** What is demanded of an answer. */
export interface Demand {
  /** The texts may be cut; tools and format are whole. */
  readonly request: Pick<ChatRequest, 'tools' | 'responseFormat' | 'stop' | 'extra'>
  /** A test or a probe, which asks whether the target works: thoughts alone prove it, and forms are not demanded. */
  readonly anyAnswer: boolean
}

type ReadAnswer =
  | { readonly ok: true; readonly response: ChatResponse; readonly healed: boolean }
  | {
      readonly ok: false
      readonly kind: 'content_filter' | 'empty' | 'malformed'
      readonly message: string
      /** Not even an answer in the wrong form: the provider stopped it. */
      readonly gaveUp?: true
    }

/** An answer of which nothing has reached the client. */
export function readAnswer(response: ChatResponse, demand: Demand): ReadAnswer {
  const begun = readBegun(response, demand)
  if (!begun.ok || demand.anyAnswer || isCutOff(response) || mayBeStopped(response, demand)) return begun
  if (response.finishReason === 'error') return { ...malformed('the model gave up on it'), gaveUp: true }
  for (const part of response.content) {
    const fault = part.type === 'tool-call' ? faultOf(part, demand.request) : null
    if (fault !== null) return malformed(fault)
  }
  return demandsJson(demand.request) ? readJson(response, demand.request.responseFormat) : answered(response)
}

/** An answer that has begun to reach the client, in whatever form. */
export function readBegun(response: ChatResponse, demand: Demand): ReadAnswer {
  const { anyAnswer } = demand
  const { finishReason } = response
  const isNothing = holdsNothing(response)
  if (finishReason === 'content_filter') return isNothing || !anyAnswer ? blocked(response) : answered(response)
  if (!isNothing || finishReason === 'error' || isCutOff(response)) return answered(response)
  if (mayBeStopped(response, demand)) return answered(response)
  return anyAnswer && hasThought(response) ? answered(response) : EMPTY
}

/** By the caller's own limit or stop sequence, whatever there was by then. */
function isCutOff({ finishReason, stopSequence }: ChatResponse): boolean {
  return finishReason === 'length' || stopSequence !== undefined
}

/** Fields with which dialects ask for an end besides `stop`. */
const OTHER_STOPS = ['stop_token_ids', 'stop_regex', 'stop_token'] as const

/** Ended before any text by a stop sequence of the caller: most upstreams do not say which one, nor that it was one. */
function mayBeStopped(response: ChatResponse, { request: { stop, extra } }: Demand): boolean {
  if (response.finishReason !== 'stop' || !holdsNothing(response)) return false
  return (stop?.length ?? 0) > 0 || (extra !== undefined && OTHER_STOPS.some((field) => extra.fields[field] != null))
}

/** Neither text nor a call, a picture or anything else; thoughts and white space are nothing. */
function holdsNothing({ content, opaque }: ChatResponse): boolean {
  return (
    opaque !== true &&
    content.every((part) => part.type === 'reasoning' || (part.type === 'text' && isBlank(part.text)))
  )
}

export function isBlank(text: string): boolean {
  return !/\S/.test(text)
}

export function demandsJson({ responseFormat }: Demand['request']): boolean {
  return responseFormat !== undefined && responseFormat.type !== 'text'
}

/** Fields with which tools come from somewhere else than the request's own list, so that their names are unknown. */
const OTHER_TOOLS = [
  'tools',
  'functions',
  'mcp_servers',
  'plugins',
  'preset',
  'prompt',
  'previous_response_id',
  'conversation',
  'container',
  'cachedContent',
  'cached_content',
] as const

/** Whether the request offers a tool of that name, as far as can be known. */
export function isOffered(name: string, { tools, extra }: Demand['request']): boolean {
  if (tools?.some((tool) => tool.name === name)) return true
  return extra !== undefined && OTHER_TOOLS.some((field) => extra.fields[field] != null)
}

function faultOf(call: ToolCallPart, request: Demand['request']): string | null {
  if (!isOffered(call.name, request)) return `it calls the tool "${call.name.slice(0, 100)}", which was not offered`
  return call.custom || isArguments(call.arguments) ? null : `the arguments of its call of "${call.name}" are no JSON`
}

function isArguments(text: string): boolean {
  return isBlank(text) || parses(text)
}

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Calls are made before the JSON is written, and what is only passed on as bytes cannot be judged. */
function readJson(response: ChatResponse, format: ResponseFormat | undefined): ReadAnswer {
  const { content, opaque } = response
  if (opaque || content.some(isMoreThanText)) return answered(response)
  const found = findJson(textOf(response), kindOf(format))
  if (found === null) return malformed('JSON was asked for, and it says something else')
  return found.isHealed ? { ok: true, response: withText(response, found.text), healed: true } : answered(response)
}

const isMoreThanText = ({ type }: ChatResponse['content'][number]) => type !== 'text' && type !== 'reasoning'

function kindOf(format: ResponseFormat | undefined): JsonKind {
  if (format?.type !== 'json-schema') return 'object'
  const type = asRecord(format.schema)?.['type']
  return type === 'object' || type === 'array' ? type : 'any'
}

function textOf({ content }: ChatResponse): string {
  let text = ''
  for (const part of content) if (part.type === 'text') text += part.text
  return text
}

/** The answer with one text in the place of all. */
function withText(response: ChatResponse, text: string): ChatResponse {
  const first = response.content.findIndex((part) => part.type === 'text')
  const content = response.content.flatMap((part, index): ChatResponse['content'] => {
    if (index === first) return [{ type: 'text', text }]
    return part.type === 'text' ? [] : [part]
  })
  return { ...response, content }
}

function hasThought({ content, usage }: ChatResponse): boolean {
  return content.some((part) => part.type === 'reasoning') || (usage?.reasoningTokens ?? 0) > 0
}

const answered = (response: ChatResponse): ReadAnswer => ({ ok: true, response, healed: false })

const malformed = (fault: string): Extract<ReadAnswer, { ok: false }> => ({
  ok: false,
  kind: 'malformed',
  message: `the answer is malformed: ${fault}`,
})

const EMPTY: ReadAnswer = {
  ok: false,
  kind: 'empty',
  message: 'the answer holds no text, no tool call and nothing else',
}

function blocked(response: ChatResponse): ReadAnswer {
  const message = response.blocked === undefined ? 'the provider withheld the answer' : blockedText(response.blocked)
  return { ok: false, kind: 'content_filter', message }
}
