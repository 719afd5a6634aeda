/** The caller's other options: who asks, how long the answer may be, and what only the caller's dialect knows. */

import { createHash } from 'node:crypto'
import type { ChatRequest, DialectId, Message, ResponseFormat } from '../../domain/chat.ts'
import { defaultMaxTokens } from '../anthropic/defaultMaxTokens.ts'
import { formatInWords } from '../fields/formatInWords.ts'
import type { AnswerChanges } from './answerChanges.ts'
import type { LeftOut } from './leftOut.ts'
import { objectSchema } from './objectSchema.ts'
import type { Recipient } from './recipient.ts'
import { strictForm } from './strictSchema.ts'
import { validSchema } from './validSchema.ts'
import { ANSWER, wrappedSchema } from './wrappedSchema.ts'

/** Characters of the end user's id: the vendors' references of `user` and `metadata.user_id`. */
const USER_LENGTH: { readonly [D in DialectId]: number } = {
  openai: 64,
  'openai-responses': 64,
  anthropic: 256,
  google: 0,
}

export function fitOptions(request: ChatRequest, recipient: Recipient, leftOut: LeftOut): FittedOptions {
  if (recipient.dialect === 'google' && request.parallelToolCalls === false) leftOut.add('parallel_tool_calls')
  const form = wrapFormat(request, recipient)
  const formed = fitFormat(form.request, recipient)
  return { ...form, request: fitLength(fitUser(formed, recipient, leftOut), recipient, leftOut) }
}

interface FittedOptions {
  readonly request: ChatRequest
  readonly answer?: AnswerChanges
}

/** What is no object is asked for inside one. */
function wrapFormat(request: ChatRequest, { dialect }: Recipient): FittedOptions {
  const format = request.responseFormat
  if (format?.type !== 'json-schema' || !dialect.startsWith('openai')) return { request }
  const schema = wrappedSchema(format.schema)
  if (schema === undefined) return { request }
  return { request: { ...request, responseFormat: { ...format, schema } }, answer: { jsonIn: ANSWER } }
}

/** A form that the service cannot hold the answer to, or not beside tools, is asked for in words. */
export function fitFormat(request: ChatRequest, { dialect, wire }: Pick<Recipient, 'dialect' | 'wire'>): ChatRequest {
  const format = request.responseFormat
  const words = formatInWords(format)
  if (format === undefined || words === undefined) return request
  if (wire.jsonMode === false) return inWords(request, words)
  if (wire.formatBesideTools === false && request.tools !== undefined) return inWords(request, words)
  if (format.type === 'json-schema') {
    if (wire.jsonSchema === false) return inWords(request, words, { type: 'json' })
    return dialect.startsWith('openai') ? { ...request, responseFormat: openable(format) } : request
  }
  // "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'"
  const lacksWord = dialect.startsWith('openai') && !saysJson(request.messages, dialect)
  return lacksWord ? inWords(request, words, format) : request
}

/** Last, since Responses does not look for the word "json" in its instructions, where a first one goes. */
function inWords(request: ChatRequest, words: string, responseFormat?: ResponseFormat): ChatRequest {
  const instruction: Message = { role: 'system', content: [{ type: 'text', text: words }] }
  return { ...request, responseFormat, messages: [...request.messages, instruction] }
}

/** Strict only where strict mode takes it, and always with the properties that OpenAI demands. */
function openable(format: Extract<ResponseFormat, { type: 'json-schema' }>): ResponseFormat {
  const schema = objectSchema(validSchema(format.schema))
  const strict = format.strict ? strictForm(schema) : undefined
  return {
    ...format,
    name: format.name && legalName(format.name),
    schema: strict ?? schema,
    strict: format.strict && strict !== undefined,
  }
}

/** "Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'", of at most 64 characters. */
const legalName = (name: string) => name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64)

function saysJson(messages: readonly Message[], dialect: DialectId): boolean {
  const input = dialect === 'openai' || messages[0]?.role !== 'system' ? messages : messages.slice(1)
  return input.some(({ content }) => content.some((part) => part.type === 'text' && /json/i.test(part.text)))
}

/**
 * No more than the model can say and its window has room for, which is refused; Anthropic demands a limit, and without
 * the caller's it is that.
 */
function fitLength(request: ChatRequest, recipient: Recipient, leftOut: LeftOut): ChatRequest {
  const { dialect, maxOutputTokens, roomTokens } = recipient
  if (request.maxTokens !== undefined) return cutLength(request, recipient, leftOut)
  if (dialect !== 'anthropic') return request
  const most = maxOutputTokens ?? defaultMaxTokens(request)
  const maxTokens = Math.min(most, roomTokens ?? most)
  return maxOutputTokens === null && maxTokens === most ? request : { ...request, maxTokens }
}

/** Gemini's is an int32: https://generativelanguage.googleapis.com/$discovery/rest?version=v1beta (2026-11-30). */
const MOST_TOKENS: { readonly [D in DialectId]: number } = {
  openai: Number.POSITIVE_INFINITY,
  'openai-responses': Number.POSITIVE_INFINITY,
  anthropic: Number.POSITIVE_INFINITY,
  google: 2 ** 31 - 1,
}

/** The caller's own limit, no higher than what the model can say and its window has room for. */
export function cutLength(request: ChatRequest, recipient: Recipient, leftOut: LeftOut): ChatRequest {
  const { maxTokens } = request
  const { dialect, maxOutputTokens, roomTokens } = recipient
  const most = Math.min(maxOutputTokens ?? MOST_TOKENS[dialect], roomTokens ?? MOST_TOKENS[dialect])
  if (maxTokens === undefined || maxTokens <= most) return request
  leftOut.add('max_tokens')
  return { ...request, maxTokens: most }
}

/**
 * What Anthropic does not want as an id: e-mail addresses, which it refuses, and phone numbers.
 * https://platform.claude.com/docs/en/api/messages (`metadata.user_id`, 2026-11-30)
 */
const PERSONAL = /@|^(?:tel:)?\+[\d\s().-]{6,20}$/

/** An id that is too long, or too personal for Anthropic, becomes a hash: one user stays one user. */
function fitUser(request: ChatRequest, { dialect, wire }: Recipient, leftOut: LeftOut): ChatRequest {
  const { user } = request
  if (user === undefined) return request
  const most = wire.userLength ?? USER_LENGTH[dialect]
  if (most === 0) leftOut.add('user')
  else if (user.length <= most && !(dialect === 'anthropic' && PERSONAL.test(user))) return request
  return { ...request, user: most === 0 ? undefined : hashOf(user).slice(0, most) }
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')
