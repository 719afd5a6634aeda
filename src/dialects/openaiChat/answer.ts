/** A whole chat completion: https://platform.openai.com/docs/api-reference/chat/object */

import type {
  Blocked,
  ChatRequest,
  ChatResponse,
  FinishReason,
  OtherAnswer,
  ReasoningPart,
  TextPart,
  ToolCallPart,
} from '../../domain/chat.ts'
import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import type { AnswerFacts, ReadResponse } from '../dialect.ts'
import { insteadOfAnswer, pick } from '../fields/blocked.ts'
import { isUnspeakable, mediaText, UNSPEAKABLE } from '../fields/media.ts'
import { extraOf, type Fields, leftovers, ownFields } from '../fields/requestFields.ts'
import { namedTier } from '../fields/usageFields.ts'
import { secondsOf } from '../openai/fields.ts'
import { readLogprobs, writeLogprobs } from '../openai/logprobs.ts'
import { readChatUsage, writeChatUsage, writeServiceTier } from '../openai/usage.ts'
import { embeddedError } from '../stream/embeddedError.ts'
import {
  isAudio,
  readAnnotations,
  readImages,
  readRecording,
  writeAnnotation,
  writeImage,
  writeRecording,
} from './answerMedia.ts'
import { executedTools } from './executedTools.ts'
import { readReasoning, readToolCall, signatureFields, writeReasoning, writeToolCall } from './message.ts'

type ChatAnswerPart = ChatResponse['content'][number]

const KNOWN = new Set(['id', 'object', 'model', 'choices', 'usage'])
const KNOWN_OF_CHOICE = new Set(['index', 'message', 'finish_reason'])
const KNOWN_OF_MESSAGE = new Set([
  'role',
  'content',
  'refusal',
  'tool_calls',
  'reasoning_content',
  'reasoning',
  'reasoning_details',
  'images',
  'audio',
])

/** By the word in small letters, up to a colon: imitations of the wire use the words of what is behind them. */
const FINISH_REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ['stop', 'stop'],
  ['length', 'length'],
  // Mistral's word for the end of the context window.
  ['model_length', 'length'],
  ['max_tokens', 'length'],
  ['max_output_tokens', 'length'],
  ['tool_calls', 'tool_calls'],
  ['function_call', 'tool_calls'],
  ['content_filter', 'content_filter'],
  ['content_filtered', 'content_filter'],
  ['refusal', 'content_filter'],
  ['safety', 'content_filter'],
  ['recitation', 'content_filter'],
  ['prohibited_content', 'content_filter'],
  ['blocklist', 'content_filter'],
  ['spii', 'content_filter'],
  ['guardrail_intervened', 'content_filter'],
  // Z.ai and Cohere.
  ['sensitive', 'content_filter'],
  ['error_toxic', 'content_filter'],
  ['malformed_function_call', 'error'],
  ['unexpected_tool_call', 'error'],
  // vLLM and SGLang, of an answer that the server broke off.
  ['abort', 'error'],
])

/** An answer without `choices` is malformed; one without a choice or a message holds nothing. */
export function readChatResponse(body: unknown): ReadResponse {
  const error = embeddedError(body)
  if (error !== undefined) return { ok: false, ...error }
  const answer = asRecord(body)
  const choices = asArray(answer?.['choices'])
  if (answer === undefined || choices === undefined) return { ok: false, body, malformed: true }
  return { ok: true, response: readAnswer(answer, choices) }
}

function readAnswer(answer: Fields, choices: readonly unknown[]): ChatResponse {
  const choice = asRecord(choices[0]) ?? {}
  const message = asRecord(choice['message']) ?? {}
  const id = asString(answer['id'])
  const beside = { serviceTier: answer['service_tier'], serverTools: executedTools(message['executed_tools']) }
  const usage = readChatUsage(answer['usage'], beside) ?? readChatUsage(asRecord(answer['x_groq'])?.['usage'], beside)
  const isSeveral = choices.length > 1
  return {
    ...readChoice(choice, answer, id),
    id: id || undefined,
    model: asString(answer['model']) ?? '',
    others: isSeveral ? readOthers(choices, answer, id) : undefined,
    // Several answers are more than the one that is looked at.
    opaque: isSeveral || isOpaque(message) ? true : undefined,
    usage,
    serviceTier: namedTier(answer['service_tier']),
    extra: extraOf('openai', readExtra(answer, choice, message)).extra,
  }
}

function readOthers(choices: readonly unknown[], answer: Fields, id = ''): OtherAnswer[] {
  return choices.slice(1).map((other, index) => readChoice(asRecord(other) ?? {}, answer, `${id}_${index + 1}`))
}

/** `id`: what the ids of its calls are made of where they have none. */
function readChoice(choice: Fields, answer: Fields, id: string | undefined): OtherAnswer {
  const message = asRecord(choice['message']) ?? {}
  const content = readAnswerContent(message, id)
  const citations = readAnnotations(message['annotations'])
  const facts = {
    hasCalls: content.some((part) => part.type === 'tool-call'),
    refused: Boolean(asString(message['refusal'])),
  }
  const finishReason = finishReasonOf(choice['finish_reason'], facts)
  const logprobs = readLogprobs(asRecord(choice['logprobs'])?.['content'])
  return {
    content,
    citations: citations.length > 0 ? citations : undefined,
    finishReason,
    blocked:
      finishReason === 'content_filter' ? readChatBlock(asString(message['refusal']), choice, answer) : undefined,
    logprobs,
  }
}

/** Whether a message or a delta holds what we have no word for: the old form of a call, other parts. */
export function isOpaque(message: Fields): boolean {
  if (message['function_call'] != null) return true
  return asArray(message['content'])?.some(isUnread) ?? false
}

function isUnread(part: unknown): boolean {
  const type = asRecord(part)?.['type']
  return typeof type === 'string' && type !== 'text' && type !== 'thinking' && type !== 'image_url'
}

/** The model's refusal, or a filter's; Azure says which of its filters struck. */
export function readChatBlock(refusal: string | undefined, choice: Fields, answer: Fields | undefined): Blocked {
  const filters = { ...pick(choice, 'content_filter_results'), ...pick(answer, 'prompt_filter_results') }
  return refusal
    ? { reason: 'refusal', details: { refusal, ...filters } }
    : { reason: asString(choice['finish_reason']) ?? 'content_filter', details: filters }
}

/** A refusal is filtered content whatever the upstream calls it, and calls without their finish reason are calls. */
export function finishReasonOf(
  value: unknown,
  facts: { readonly hasCalls: boolean; readonly refused: boolean },
): FinishReason {
  const [name = ''] = (asString(value) ?? '').split(':', 1)
  const reason = FINISH_REASONS.get(name.toLowerCase()) ?? 'other'
  if (facts.refused && (reason === 'stop' || reason === 'other')) return 'content_filter'
  return facts.hasCalls && (reason === 'stop' || reason === 'other') ? 'tool_calls' : reason
}

function readAnswerContent(message: Fields, id: string | undefined): ChatAnswerPart[] {
  const content: ChatAnswerPart[] = [...readReasoning(message), ...readPieces(message['content'])]
  const refusal = asString(message['refusal'])
  if (refusal) content.push({ type: 'text', text: refusal, ...extraOf('openai', { refusal: true }) })
  const audio = asRecord(message['audio'])
  const transcript = asString(audio?.['transcript'])
  if (transcript) content.push({ type: 'text', text: transcript })
  const data = asString(audio?.['data'])
  content.push(...readImages(message), ...readRecording(data ? [data] : []))
  return [...content, ...readCalls(asArray(message['tool_calls']) ?? [], id)]
}

/** Two calls of the same id would be one to other clients. */
function readCalls(calls: readonly unknown[], id: string | undefined): ToolCallPart[] {
  const used = new Set<string>()
  return calls.flatMap((value, index) => {
    const call = readToolCall(asRecord(value) ?? {}, madeCallId(id, index))
    if (call === undefined) return []
    const own = used.has(call.id) ? { ...call, id: madeCallId(id, index) } : call
    used.add(own.id)
    return [own]
  })
}

/** An id for a call whose upstream gave none of its own; unlike those of earlier answers, because the answer's id is in it. */
export function madeCallId(answerId: string | undefined, index: number): string {
  return answerId ? `call_${answerId}_${index}` : `call_${index}`
}

/** Text and thoughts of `content`: a string, or Mistral's array of `text` and `thinking` parts. */
export function readPieces(content: unknown): (TextPart | ReasoningPart)[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  const pieces: (TextPart | ReasoningPart)[] = []
  for (const value of asArray(content) ?? []) {
    const part = asRecord(value)
    const thinking = part?.['type'] === 'thinking'
    const text = thinking ? thoughtOf(part['thinking']) : asString(part?.['text'])
    if (text) pieces.push({ type: thinking ? 'reasoning' : 'text', text })
  }
  return pieces
}

function thoughtOf(thinking: unknown): string {
  if (typeof thinking === 'string') return thinking
  let text = ''
  for (const part of asArray(thinking) ?? []) text += asString(asRecord(part)?.['text']) ?? ''
  return text
}

function readExtra(answer: Fields, choice: Fields, message: Fields): Fields | undefined {
  const ofChoice = leftovers(choice, KNOWN_OF_CHOICE)
  const ofMessage = leftovers(message, KNOWN_OF_MESSAGE)
  const ofAnswer = leftovers(answer, KNOWN)
  if (ofChoice === undefined && ofMessage === undefined) return ofAnswer
  return { ...ofAnswer, ...(ofChoice && { choice: ofChoice }), ...(ofMessage && { message: ofMessage }) }
}

export function writeChatResponse(response: ChatResponse, request: ChatRequest, facts: AnswerFacts = {}): Fields {
  const { choice, message, created, ...own } = ownFields(response.extra, 'openai')
  const id = response.id ?? facts.id ?? 'chatcmpl-0'
  const createdAt = asNumber(created) ?? secondsOf(facts.now)
  return {
    // OpenRouter's client demands it, and OpenAI's schema has it as a text: this one is the same for every answer.
    system_fingerprint: 'fp_keywise',
    // Groq's answers always have it, and what reads them counts on it.
    service_tier: null,
    ...own,
    id,
    object: 'chat.completion',
    created: createdAt,
    model: response.model || request.model,
    choices: [response, ...(response.others ?? [])].map((answer, index) => ({
      logprobs: writeChoiceLogprobs(answer),
      ...(index === 0 && asRecord(choice)),
      index,
      message: { ...(index === 0 && asRecord(message)), ...writeAnswerMessage(answer, id, createdAt) },
      finish_reason: writeChatFinishReason(answer.finishReason),
    })),
    ...writeServiceTier(response.usage),
    ...(response.usage !== undefined && { usage: writeChatUsage(response.usage) }),
  }
}

function writeChoiceLogprobs({ logprobs }: OtherAnswer): Fields | null {
  return logprobs === undefined ? null : { content: writeLogprobs(logprobs), refusal: null }
}

function writeAnswerMessage(response: OtherAnswer & Pick<ChatResponse, 'opaque'>, id: string, created: number): Fields {
  const { content, citations } = response
  let text = isUnspeakable(response) ? UNSPEAKABLE : ''
  let refusal = insteadOfAnswer(response) ?? ''
  const calls: Fields[] = []
  const images: Fields[] = []
  let audio: Fields | undefined
  for (const part of content) {
    if (part.type === 'tool-call') calls.push({ ...writeToolCall(part), ...signatureFields(part.signature) })
    else if (part.type === 'text' && ownFields(part.extra, 'openai')['refusal'] === true) refusal += part.text
    else if (part.type === 'text') text += part.text
    else if (part.type === 'image') images.push(writeImage(part, images.length))
    else if (part.type === 'file' && isAudio(part) && audio === undefined)
      audio = writeRecording(part.data, id, created)
    else if (part.type === 'file') text += mediaText(part)
  }
  return {
    role: 'assistant',
    content: text === '' && (calls.length > 0 || refusal !== '') ? null : text,
    refusal: refusal === '' ? null : refusal,
    ...writeReasoning(content, 'client'),
    ...(images.length > 0 && { images }),
    ...(audio !== undefined && { audio }),
    ...(citations !== undefined && { annotations: citations.map(writeAnnotation) }),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
}

/** `error` is OpenRouter's word; `other` is an answer that did end, in a way OpenAI has no word for. */
export function writeChatFinishReason(reason: FinishReason): string {
  return reason === 'other' ? 'stop' : reason
}
