/** What the chat completions and the Responses dialects spell alike: tools, JSON schemas, effort, error envelopes. */

import type { DialectId, ReasoningEffort, ReasoningOptions, ResponseFormat, Tool } from '../../domain/chat.ts'
import type { ContextOverflow } from '../../domain/errors.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import type { ClientError } from '../dialect.ts'
import { withOwnWords } from '../fields/ownWords.ts'
import {
  extraOf,
  type Fields,
  flag,
  leftovers,
  object,
  ownFields,
  requiredText,
  text,
} from '../fields/requestFields.ts'

const EFFORTS: ReadonlySet<string> = new Set<ReasoningEffort>([
  'none',
  'minimal',
  'low',
  'medium',
  'high',
  'xhigh',
  'max',
])

/** Undefined for a word we do not know. */
export function readEffort(effort: string | undefined): ReasoningOptions | undefined {
  return effort !== undefined && EFFORTS.has(effort) ? { effort: effort as ReasoningEffort } : undefined // in the set
}

/** OpenAI-like upstreams end at `xhigh`: https://platform.openai.com/docs/api-reference/chat/create */
export function writeEffort(effort: ReasoningEffort | undefined): string | undefined {
  return effort === 'max' ? 'xhigh' : effort
}

/** `known` are the fields of the object that holds the name: flat in Responses, below `function` in chat. */
export function readFunctionTool(tool: Fields, dialect: DialectId, known: ReadonlySet<string>, at: string): Tool {
  return {
    name: requiredText(tool, 'name', `${at}.name`),
    description: text(tool, 'description', `${at}.description`),
    parameters: object(tool, 'parameters', `${at}.parameters`),
    strict: flag(tool, 'strict', `${at}.strict`),
    ...extraOf(dialect, leftovers(tool, known)),
  }
}

export function writeFunctionTool(tool: Tool, dialect: DialectId): Record<string, unknown> {
  return defined({
    ...ownFields(tool.extra, dialect),
    name: tool.name,
    description: tool.description,
    parameters: tool.parameters,
    strict: tool.strict,
  })
}

/**
 * A custom tool. Its grammar is flat in Responses and below `grammar` in chat:
 * https://platform.openai.com/docs/guides/function-calling#context-free-grammars
 */
export function readCustomTool(tool: Fields, dialect: DialectId, at: string): Tool {
  const format = object(tool, 'format', `${at}.format`)
  const grammar = asRecord(format?.['grammar']) ?? format
  const syntax = asString(grammar?.['syntax'])
  const definition = asString(grammar?.['definition'])
  return {
    name: requiredText(tool, 'name', `${at}.name`),
    description: text(tool, 'description', `${at}.description`),
    custom: syntax === undefined || definition === undefined ? {} : { grammar: { syntax, definition } },
    ...extraOf(dialect, leftovers(tool, KNOWN_OF_CUSTOM)),
  }
}

/** Whether the tool of this name is a custom one. */
export function isCustom(tools: readonly Tool[] | undefined, name: string): boolean {
  return tools?.some((tool) => tool.name === name && tool.custom !== undefined) ?? false
}

const KNOWN_OF_CUSTOM = new Set(['type', 'name', 'description', 'format'])

/**
 * The tools that `allowed_tools` names, and whether one of them must be called; undefined for every other choice. The
 * name is flat in Responses and below the type in chat:
 * https://platform.openai.com/docs/guides/function-calling#tool-choice
 */
export function readAllowedTools(
  choice: unknown,
): { readonly allowedTools: readonly string[]; readonly toolChoice: 'auto' | 'required' } | undefined {
  const fields = asRecord(choice)
  if (fields?.['type'] !== 'allowed_tools') return undefined
  const allowed = asRecord(fields['allowed_tools']) ?? fields
  const names = (asArray(allowed['tools']) ?? []).map(toolName).filter((name) => name !== undefined)
  if (names.length === 0) return undefined
  return { allowedTools: names, toolChoice: allowed['mode'] === 'required' ? 'required' : 'auto' }
}

function toolName(tool: unknown): string | undefined {
  const fields = asRecord(tool)
  return asString(fields?.['name'] ?? asRecord(fields?.[asString(fields['type']) ?? ''])?.['name'])
}

/** `schemaOf` finds the schema, which the two OpenAI dialects keep in different places. */
export function readResponseFormat(
  format: Fields | undefined,
  schemaOf: (format: Fields) => ResponseFormat,
): ResponseFormat | undefined {
  switch (format?.['type']) {
    case 'text':
      return { type: 'text' }
    case 'json_object':
      return { type: 'json' }
    case 'json_schema':
      return schemaOf(format)
    default:
      return undefined
  }
}

export function readJsonSchema(format: Fields, at: string): ResponseFormat {
  return {
    type: 'json-schema',
    name: text(format, 'name', `${at}.name`),
    schema: object(format, 'schema', `${at}.schema`) ?? {},
    strict: flag(format, 'strict', `${at}.strict`),
  }
}

/** The name is required by OpenAI although the model does not use it. */
export function writeJsonSchema(format: Extract<ResponseFormat, { type: 'json-schema' }>): Record<string, unknown> {
  return defined({ name: format.name ?? 'answer', schema: format.schema, strict: format.strict })
}

/** https://platform.openai.com/docs/guides/error-codes; `type` is what clients switch on after the status. */
export function errorEnvelope(error: ClientError): { readonly error: Record<string, unknown> } {
  return error.tooLong === undefined
    ? envelope(error)
    : envelope({ ...error, ...TOO_LONG, parameter: 'messages', message: chatTooLong(error.tooLong) })
}

/** The same where a prompt is sent and no messages: completions, embeddings and what is passed through. */
export function promptEnvelope(error: ClientError): { readonly error: Record<string, unknown> } {
  return error.tooLong === undefined
    ? envelope(error)
    : envelope({ ...error, ...TOO_LONG, parameter: null, message: promptTooLong(error.tooLong) })
}

/** The same in Responses, whose words for a request that is too long are others. */
export function responsesEnvelope(error: ClientError): { readonly error: Record<string, unknown> } {
  if (error.tooLong === undefined) return envelope(error)
  // https://github.com/openai/codex/issues/20866 (2026-11-29)
  const sentence = 'Your input exceeds the context window of this model. Please adjust your input and try again.'
  const { overflow, words } = error.tooLong
  const message = withOwnWords(sentence, `${numbersOf(overflow)}${words}`)
  return envelope({ ...error, ...TOO_LONG, parameter: 'input', message })
}

function envelope(error: ClientError): { readonly error: Record<string, unknown> } {
  const { status, code, vendorCode, vendorType } = error
  return {
    error: {
      message: error.message,
      type: vendorType != null && TYPES.has(vendorType) ? vendorType : errorType(status),
      param: error.parameter ?? null,
      ...(error.numericCode
        ? { code: status, metadata: { error_type: errorTypeOf(status), failure: code } }
        : codeOf(code, vendorCode)),
      ...(error.requestId !== undefined && { request_id: error.requestId }),
    },
  }
}

/** The vendor's code is what clients decide by; our own word stands where chat chunks have it too. */
function codeOf(code: string, vendorCode: string | null | undefined): Readonly<Record<string, unknown>> {
  return vendorCode == null ? { code } : { code: vendorCode, metadata: { failure: code } }
}

/**
 * Types of refused requests: https://platform.openai.com/docs/guides/error-codes, and that of pictures as in
 * https://github.com/Wei-Shaw/sub2api/pull/2399 (2026-11-29)
 */
const TYPES: ReadonlySet<string> = new Set(['invalid_request_error', 'image_generation_user_error'])

/** Where the upstream's own status is another, as inside a stream. */
const TOO_LONG = { code: 'context_length_exceeded', status: 400 } as const

type TooLong = NonNullable<ClientError['tooLong']>

/** LangChain, LiteLLM and others look for these words beside the code. */
function chatTooLong({ overflow, words }: TooLong): string {
  return withOwnWords(overflow === null ? `${EXCEEDED} ${SHORTER_CHAT}` : chatNumbers(overflow), words)
}

function chatNumbers({ inputTokens, outputTokens, limitTokens }: ContextOverflow): string {
  const limit = `This model's maximum context length is ${limitTokens} tokens.`
  return outputTokens === null
    ? `${limit} However, your messages resulted in ${inputTokens} tokens. ${SHORTER_CHAT}`
    : `${limit} However, you requested ${inputTokens + outputTokens} tokens (${inputTokens} in the messages, ${outputTokens} in the completion). Please reduce the length of the messages or completion.`
}

const EXCEEDED = "This model's maximum context length is exceeded."
const SHORTER_CHAT = 'Please reduce the length of the messages.'
const SHORTER_PROMPT = 'Please reduce your prompt; or completion length.'

/** As https://github.com/fierceX/Document_QA/issues/3 shows it for embeddings (read 2026-11-30). */
function promptTooLong({ overflow, words }: TooLong): string {
  return withOwnWords(overflow === null ? `${EXCEEDED} ${SHORTER_PROMPT}` : promptNumbers(overflow), words)
}

function promptNumbers({ inputTokens, outputTokens, limitTokens }: ContextOverflow): string {
  const asked = `${inputTokens} in your prompt; ${outputTokens ?? 0} for the completion`
  return `This model's maximum context length is ${limitTokens} tokens, however you requested ${inputTokens + (outputTokens ?? 0)} tokens (${asked}). ${SHORTER_PROMPT}`
}

/** In our own words, because the vendor gives no numbers there. */
function numbersOf(overflow: ContextOverflow | null): string {
  if (overflow === null) return ''
  const { inputTokens, outputTokens, limitTokens } = overflow
  const asked = outputTokens === null ? `${inputTokens}` : `${inputTokens} + ${outputTokens}`
  return `${asked} tokens > ${limitTokens}; `
}

function errorType(status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 403) return 'permission_error'
  if (status === 429) return 'rate_limit_error'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}

/** OpenRouter's word for a status: https://openrouter.ai/docs/api-reference/errors */
function errorTypeOf(status: number): string {
  return ERROR_TYPES.get(status) ?? (status < 500 ? 'invalid_request' : 'server')
}

const ERROR_TYPES: ReadonlyMap<number, string> = new Map([
  [401, 'authentication'],
  [402, 'payment_required'],
  [403, 'permission_denied'],
  [404, 'not_found'],
  [408, 'timeout'],
  [413, 'payload_too_large'],
  [429, 'rate_limit_exceeded'],
  [502, 'provider_unavailable'],
  [503, 'provider_overloaded'],
  [504, 'timeout'],
  [529, 'provider_overloaded'],
])

/** A copy without the fields that are undefined, so that `in` and Object.keys show what is sent. */
export function defined(fields: Fields): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const name of Object.keys(fields)) if (fields[name] !== undefined) copy[name] = fields[name]
  return copy
}

/** Seconds since the epoch, as both dialects date their answers. */
export function secondsOf(now: number | undefined): number {
  return Math.floor((now ?? 0) / 1000)
}
