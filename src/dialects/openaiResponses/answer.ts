/** A whole Responses object: https://platform.openai.com/docs/api-reference/responses/object */

import type {
  Blocked,
  ChatRequest,
  ChatResponse,
  Citation,
  FinishReason,
  ReasoningPart,
  TextPart,
  ToolCallPart,
} from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import { present } from '../../domain/present.ts'
import type { AnswerFacts, ReadResponse } from '../dialect.ts'
import { insteadOfAnswer } from '../fields/blocked.ts'
import { isUnspeakable, mediaText, UNSPEAKABLE } from '../fields/media.ts'
import { extraOf, type Fields, leftovers, ownFields } from '../fields/requestFields.ts'
import { namedTier } from '../fields/usageFields.ts'
import { secondsOf } from '../openai/fields.ts'
import { readLogprobs, writeLogprobs } from '../openai/logprobs.ts'
import { readResponsesUsage, writeResponsesUsage, writeServiceTier } from '../openai/usage.ts'
import { type EmbeddedError, embeddedError } from '../stream/embeddedError.ts'
import { annotationsIn, imageItem, isDrawn, readImageItem, readMessageAnnotations } from './answerMedia.ts'
import {
  isRefusal,
  itemFields,
  readCallItem,
  readReasoningItem,
  reasoningSummaryOf,
  sealedContent,
  sealOf,
  textRun,
  writeCallItem,
} from './items.ts'
import { callInGroup } from './namespaces.ts'
import { textExtra, textFields } from './parts.ts'
import { besideUsage } from './serverTools.ts'
import { asSearchCall, isSearchCall } from './toolSearch.ts'
import { writeReasoningOptions, writeTextOptions, writeToolChoice, writeTools } from './writeRequest.ts'

export type ResponsesAnswerPart = ChatResponse['content'][number]

const DIALECT = 'openai-responses'
/** Read, or an echo of the request that we have ourselves. */
const KNOWN = new Set([
  'id',
  'object',
  'status',
  'model',
  'output',
  'usage',
  'error',
  'incomplete_details',
  'instructions',
  'input',
  'max_output_tokens',
  'parallel_tool_calls',
  'previous_response_id',
  'reasoning',
  'store',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_p',
  'truncation',
  'user',
])
const KNOWN_OF_MESSAGE = new Set(['type', 'role', 'content'])

/** An answer without `output` is malformed, and so is one that is still being made, unless it has an id. */
export function readResponsesResponse(body: unknown): ReadResponse {
  const error = answerError(body)
  if (error !== undefined) return { ok: false, ...error }
  const answer = asRecord(body)
  if (answer !== undefined && isUnderWay(answer))
    return { ok: true, response: readUnfinished(answer), unfinished: true }
  const reason = readStatus(answer)
  // An answer that ended early may hold no output at all.
  const output = asArray(answer?.['output']) ?? (answer?.['status'] === 'incomplete' ? [] : undefined)
  if (answer === undefined || output === undefined || reason === undefined) return { ok: false, body, malformed: true }
  const content = readOutput(output)
  const finishReason = finishReasonOf(reason, content)
  const citations = readCitations(output)
  const id = asString(answer['id'])
  const usage = readResponsesUsage(answer['usage'], besideUsage(answer, output))
  const serviceTier = namedTier(answer['service_tier'])
  return {
    ok: true,
    response: {
      ...(id && { id }),
      model: asString(answer['model']) ?? '',
      content,
      ...(citations.length > 0 && { citations }),
      finishReason,
      ...(finishReason === 'content_filter' && { blocked: readResponsesBlock(answer, refusalIn(content)) }),
      ...logprobsIn(output),
      ...(output.some(isOther) && { opaque: true }),
      ...(usage !== undefined && { usage }),
      ...(serviceTier !== undefined && { serviceTier }),
      ...extraOf(DIALECT, leftovers(answer, KNOWN)),
    },
  }
}

/** Of the texts of all items, one after another. */
export function logprobsIn(output: readonly unknown[]): Pick<ChatResponse, 'logprobs'> {
  const parts = output.flatMap((item) => asArray(asRecord(item)?.['content']) ?? [])
  const logprobs = parts.flatMap((part) => readLogprobs(asRecord(part)?.['logprobs']) ?? [])
  return logprobs.length > 0 ? { logprobs } : {}
}

/** A job that `background` has started: the client asks for its answer by the id. */
function isUnderWay(answer: Fields): boolean {
  const status = answer['status']
  return (status === 'queued' || status === 'in_progress') && Boolean(asString(answer['id']))
}

function readUnfinished(answer: Fields): ChatResponse {
  const usage = readResponsesUsage(answer['usage'])
  return {
    id: asString(answer['id']) ?? '',
    model: asString(answer['model']) ?? '',
    content: [],
    finishReason: 'other',
    opaque: true,
    ...(usage !== undefined && { usage }),
    ...extraOf(DIALECT, leftovers(answer, KNOWN)),
  }
}

/** The error of a failed or cancelled answer, or of a body that is an error. */
export function answerError(body: unknown): EmbeddedError | undefined {
  const error = embeddedError(body)
  if (error !== undefined) return error
  const status = asRecord(body)?.['status']
  if (status !== 'failed' && status !== 'cancelled') return undefined
  const message = `the upstream's answer has the status "${status}"`
  return { status: 502, body: { error: { message, type: 'server_error', param: null, code: status } } }
}

/** Undefined for an answer that is not finished. A server that states no status says with the answer that it is. */
export function readStatus(answer: Fields | undefined): FinishReason | undefined {
  const status = answer?.['status'] ?? 'completed'
  if (status === 'completed') return 'stop'
  if (status !== 'incomplete') return undefined
  const reason = asRecord(answer?.['incomplete_details'])?.['reason']
  // Whatever else cut it off, it is not whole, and clients of other dialects know this as `length` only.
  return reason === 'content_filter' ? 'content_filter' : 'length'
}

function finishReasonOf(reason: FinishReason, content: readonly ResponsesAnswerPart[]): FinishReason {
  if (reason !== 'stop') return reason
  if (content.some((part) => part.type === 'tool-call')) return 'tool_calls'
  return content.some((part) => part.type === 'text' && isRefusal(part)) ? 'content_filter' : 'stop'
}

/** An item that is neither message nor thoughts nor a call for the client: what ran at the provider. */
export function isOther(item: unknown): boolean {
  const fields = asRecord(item)
  const type = fields?.['type']
  if (type === 'image_generation_call') return readImageItem(fields ?? {}).length === 0
  return typeof type === 'string' && !READ_ITEMS.has(type)
}

const READ_ITEMS = new Set(['message', 'reasoning', 'function_call', 'custom_tool_call'])

function refusalIn(content: readonly ResponsesAnswerPart[]): string {
  return content.map((part) => (part.type === 'text' && isRefusal(part) ? part.text : '')).join('')
}

/** The model's refusal, or the filter that ended the answer. */
export function readResponsesBlock(answer: Fields | undefined, refusal: string): Blocked {
  if (refusal !== '') return { reason: 'refusal', details: { refusal } }
  return { reason: 'content_filter', details: asRecord(answer?.['incomplete_details']) ?? {} }
}

export function readOutput(output: readonly unknown[]): ResponsesAnswerPart[] {
  const content: ResponsesAnswerPart[] = []
  for (const value of output) {
    const item = asRecord(value)
    if (item !== undefined) content.push(...readItem(item))
  }
  return content
}

function readItem(item: Fields): ResponsesAnswerPart[] {
  switch (item['type']) {
    case 'message':
      return readMessageItem(item)
    case 'reasoning':
      return readThoughts(item)
    case 'function_call':
    case 'custom_tool_call': {
      const name = asString(item['name'])
      return name ? [readCallItem(item, name)] : []
    }
    case 'image_generation_call':
      return readImageItem(item)
    default:
      return []
  }
}

/** An item without text and without a signature says only that there was thinking. */
function readThoughts(item: Fields): ReasoningPart[] {
  const part = readReasoningItem(item)
  return part.text === '' && part.signature === undefined ? [] : [part]
}

function readMessageItem(message: Fields): TextPart[] {
  const item = leftovers(message, KNOWN_OF_MESSAGE)
  const parts: TextPart[] = []
  for (const value of asArray(message['content']) ?? []) {
    const part = asRecord(value)
    const refusal = asString(part?.['refusal'])
    const text = refusal || asString(part?.['text'])
    if (part === undefined || !text) continue
    const fields = { ...(refusal ? { refusal: true } : textExtra(part)), ...(item !== undefined && { item }) }
    parts.push({ type: 'text', text, ...extraOf(DIALECT, Object.keys(fields).length > 0 ? fields : undefined) })
  }
  return parts
}

function readCitations(output: readonly unknown[]): Citation[] {
  const citations: Citation[] = []
  let offset = 0
  for (const value of output) {
    const item = asRecord(value) ?? {}
    if (item['type'] !== 'message') continue
    citations.push(...readMessageAnnotations(item, offset))
    for (const part of readMessageItem(item)) offset += part.text.length
  }
  return citations
}

export function writeResponsesResponse(response: ChatResponse, request: ChatRequest, facts: AnswerFacts = {}): Fields {
  const id = responseId(response.id, facts)
  return {
    ...responseObject(request, { id, model: response.model || request.model, createdAt: secondsOf(facts.now) }),
    ...ownFields(response.extra, DIALECT),
    ...writeStatus(response.finishReason, secondsOf(facts.now)),
    output: weighed(writeOutput(withGroups(withRefusal(response), request), response.citations ?? [], id), response),
    ...writeServiceTier(response.usage),
    ...(response.usage !== undefined && { usage: writeResponsesUsage(response.usage) }),
  }
}

function withGroups(content: readonly ResponsesAnswerPart[], request: ChatRequest): readonly ResponsesAnswerPart[] {
  return content.map((part) => (part.type === 'tool-call' ? asSearchCall(callInGroup(part, request), request) : part))
}

/** An answer that was withheld, or has no words, says so in the place of the answer. */
function withRefusal(response: ChatResponse): readonly ResponsesAnswerPart[] {
  if (isUnspeakable(response)) return [...response.content, { type: 'text', text: UNSPEAKABLE }]
  const text = insteadOfAnswer(response)
  return text === null
    ? response.content
    : [...response.content, { type: 'text', text, ...extraOf(DIALECT, { refusal: true }) }]
}

/** Ids of other dialects get the prefix that this one's clients know. */
export function responseId(id: string | undefined, facts: AnswerFacts): string {
  const known = id ?? facts.id ?? '0'
  return known.startsWith('resp_') ? known : `resp_${known}`
}

/** An answer in which nothing has been said yet; the rest of the fields are the request's. */
export function responseObject(
  request: ChatRequest,
  answer: { readonly id: string; readonly model: string; readonly createdAt: number },
): Record<string, unknown> {
  const own = ownFields(request.extra, DIALECT)
  return {
    id: answer.id,
    object: 'response',
    created_at: answer.createdAt,
    status: 'in_progress',
    // In the official client's type since 7.5x.
    access_programs: null,
    background: false,
    completed_at: null,
    error: null,
    frequency_penalty: request.frequencyPenalty ?? 0,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: request.maxTokens ?? null,
    max_tool_calls: null,
    model: answer.model,
    output: [],
    parallel_tool_calls: request.parallelToolCalls ?? true,
    presence_penalty: request.presencePenalty ?? 0,
    previous_response_id: own['previous_response_id'] ?? null,
    prompt_cache_key: own['prompt_cache_key'] ?? null,
    reasoning: { effort: null, summary: null, ...writeReasoningOptions(request) },
    safety_identifier: own['safety_identifier'] ?? null,
    service_tier: null,
    // What keywise writes is kept nowhere, so that it cannot be asked for by its id.
    store: false,
    temperature: request.temperature ?? 1,
    text: { format: { type: 'text' }, ...writeTextOptions(request) },
    tool_choice: own['tool_choice'] ?? writeToolChoice(request) ?? 'auto',
    tools: (writeTools(request) ?? []).map(echoOfTool),
    top_logprobs: request.logprobs?.top ?? 0,
    top_p: request.topP ?? 1,
    truncation: own['truncation'] ?? 'disabled',
    ...(request.user !== undefined && { user: request.user }),
    metadata: asRecord(own['metadata']) ?? {},
  }
}

/** The probabilities belong to the whole text, and stand at its first part. */
function weighed(output: readonly Fields[], { logprobs }: ChatResponse): readonly Fields[] {
  const at = output.findIndex(({ type }) => type === 'message')
  const content = asArray(output[at]?.['content']) ?? []
  if (logprobs === undefined || at < 0 || logprobsIn(output).logprobs !== undefined) return output
  const [first, ...rest] = content.map((part) => asRecord(part) ?? {})
  if (first?.['type'] !== 'output_text') return output
  return output.with(at, { ...output[at], content: [{ ...first, logprobs: writeLogprobs(logprobs) }, ...rest] })
}

/** An answer's tools have what a request's may leave out. */
function echoOfTool(tool: unknown): unknown {
  const fields = asRecord(tool)
  return fields?.['type'] === 'function' ? { parameters: null, strict: null, ...fields } : tool
}

/** `at`: seconds since the epoch. */
export function writeStatus(reason: FinishReason, at: number): AnswerStatus {
  switch (reason) {
    case 'length':
      return { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }
    case 'content_filter':
      return { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }
    case 'error':
      return { status: 'failed', error: { code: 'server_error', message: 'the model gave up' } }
    default:
      return { status: 'completed', completed_at: at }
  }
}

function writeOutput(
  content: readonly ResponsesAnswerPart[],
  citations: readonly Citation[],
  responseId: string,
): Fields[] {
  const output: Fields[] = []
  const last = content.findLast((part) => part.type === 'text')
  let offset = 0
  const written = (part: TextPart): Fields => {
    const place = { start: offset, length: part.text.length, isLast: part === last }
    offset += part.text.length
    return outputPart(part, annotationsIn(citations, place))
  }
  for (let index = 0; index < content.length; index += 1) {
    const part = present(content[index])
    const id = (kind: ItemKind) => itemId(kind, responseId, output.length)
    const seal = part.type === 'tool-call' ? sealOf(part) : undefined
    if (seal !== undefined) output.push(reasoningItem(seal, id('rs')))
    if (part.type === 'tool-call') output.push(callItem(part, id(callKind(part))))
    else if (part.type === 'reasoning') output.push(reasoningItem(part, id('rs')))
    else if (part.type === 'image' || part.type === 'file') {
      if (isDrawn(part)) output.push(imageItem(part, id('ig')))
      else output.push(messageItem([outputPart({ type: 'text', text: mediaText(part) })], id('msg'), {}))
    } else {
      const run = textRun(content, index)
      output.push(messageItem(run.map(written), id('msg'), itemFields(run)))
      index += run.length - 1
    }
  }
  return output
}

interface AnswerStatus {
  readonly status: 'completed' | 'incomplete' | 'failed'
  readonly [field: string]: unknown
}

type ItemKind = 'msg' | 'rs' | 'fc' | 'ctc' | 'ig' | 'tsc'

/** "Invalid 'input[1].id': 'fc_1'. Expected an ID that begins with 'ctc'", when a call comes back. */
export function callKind(call: Pick<ToolCallPart, 'custom' | 'extra'>): ItemKind {
  if (isSearchCall(call)) return 'tsc'
  return call.custom ? 'ctc' : 'fc'
}

/** How the ids of thoughts begin that are kept nowhere, because another service's model had them. */
export const MADE_HERE = 'rs_kw_'

/** Made from the answer's id, so that it is unlike those of other answers. */
export function itemId(kind: ItemKind, responseId: string, index: number): string {
  return `${kind === 'rs' ? MADE_HERE : `${kind}_`}${responseId.slice('resp_'.length)}_${index}`
}

export function messageItem(content: readonly Fields[], id: string, own: Fields): Fields {
  return { id, status: 'completed', ...own, type: 'message', role: 'assistant', content }
}

export function outputPart(part: TextPart, annotations: readonly Fields[] = []): Fields {
  if (isRefusal(part)) return { type: 'refusal', refusal: part.text }
  return { annotations, logprobs: [], ...textFields(part), type: 'output_text', text: part.text }
}

export function reasoningItem(part: ReasoningPart, id: string): Fields {
  const encrypted = sealedContent(part)
  return {
    id,
    ...ownFields(part.extra, DIALECT),
    type: 'reasoning',
    summary: reasoningSummaryOf(part.text),
    ...(encrypted !== undefined && { encrypted_content: encrypted }),
  }
}

export function callItem(part: ToolCallPart, id: string): Fields {
  return { id, status: 'completed', ...writeCallItem(part) }
}
