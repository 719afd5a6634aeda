/**
 * The order and the roles of messages, and their text. Neighbours of one role are combined and the first message may be
 * the assistant's (https://platform.claude.com/docs/en/release-notes/overview, October 8th, 2024), so neither is
 * refused.
 */

import { asNumber } from '../../domain/json.ts'
import { claudeFacts } from './claudeModels.ts'
import {
  blocksOf,
  claudeMessagesOf,
  claudeRule,
  firstProblem,
  hasBeta,
  isCountOnly,
  placedBlocks,
} from './claudeWire.ts'
import type { Rule, StrictRequest } from './rule.ts'

const API = 'https://platform.claude.com/docs/en/api/messages'
const ERRORS = 'https://platform.claude.com/docs/en/api/errors'

const isBlank = (text: unknown) => typeof text === 'string' && text.trim() === ''

function* indexedMessages({ body }: StrictRequest) {
  yield* claudeMessagesOf(body).entries()
}

function emptyMessage(request: StrictRequest): string | null | undefined {
  const last = claudeMessagesOf(request.body).length - 1
  return firstProblem(indexedMessages(request), ([index, { role, content }]) => {
    const isEmpty = content === '' || (Array.isArray(content) && content.length === 0)
    if (!isEmpty || (role === 'assistant' && index === last)) return null
    return `messages.${index}: all messages must have non-empty content except for the optional final assistant message`
  })
}

/** Also beside other blocks: models like to answer `"\n\n"` before a call. Inside tool results nobody reported it. */
function blankText({ body }: StrictRequest): string | null {
  const hasBlank = (content: unknown) =>
    content !== '' && blocksOf(content).some((block) => block['type'] === 'text' && isBlank(block['text']))
  if (hasBlank(body['system'])) return 'system: text content blocks must contain non-whitespace text'
  return claudeMessagesOf(body).some(({ content }) => hasBlank(content))
    ? 'messages: text content blocks must contain non-whitespace text'
    : null
}

function emptyText({ body }: StrictRequest): string | null {
  if (blocksOf(body['system']).some((block) => block['text'] === '' && Array.isArray(body['system'])))
    return 'system: text content blocks must be non-empty'
  const isEmpty = [...placedBlocks(body)].some(({ block, type, place }) => {
    return type === 'text' && block['text'] === '' && !place.includes('tool_result')
  })
  return isEmpty ? 'messages: text content blocks must be non-empty' : null
}

/** Prefill: https://platform.claude.com/docs/en/api/errors#prefill-not-supported */
function refusedPrefill({ model, body }: StrictRequest): string | null {
  if (claudeMessagesOf(body).at(-1)?.['role'] !== 'assistant' || claudeFacts(model)?.hasPrefill !== false) return null
  return 'This model does not support assistant message prefill. The conversation must end with a user message.'
}

function trailingSpace({ body }: StrictRequest): string | null {
  const last = claudeMessagesOf(body).at(-1)
  const text = last?.['role'] === 'assistant' ? blocksOf(last['content']).at(-1)?.['text'] : undefined
  return typeof text === 'string' && /\s$/.test(text)
    ? 'messages: final assistant content cannot end with trailing whitespace'
    : null
}

function refusedRole(request: StrictRequest): string | null | undefined {
  return firstProblem(indexedMessages(request), ([index, { role }]) =>
    role === 'user' || role === 'assistant' || role === 'system'
      ? null
      : `messages.${index}.role: Input should be 'user' or 'assistant'`,
  )
}

function systemRole({ model, body }: StrictRequest): string | null {
  const roles = claudeMessagesOf(body).map((message) => message['role'])
  if (!roles.includes('system')) return null
  if (roles[0] === 'system') return "messages.0: use the top-level 'system' parameter for the initial system prompt"
  return claudeFacts(model)?.hasSystemTurns === false ? "role 'system' is not supported on this model" : null
}

function promptTooLong(request: StrictRequest): string | null {
  const window = windowOf(request)
  if (window === undefined) return null
  const tokens = tokensIn(request)
  return tokens > window ? `prompt is too long: ${tokens} tokens > ${window} maximum` : null
}

function answerTooLong(request: StrictRequest): string | null {
  const window = windowOf(request)
  const wanted = asNumber(request.body['max_tokens'])
  if (window === undefined || wanted === undefined || !claudeFacts(request.model)?.countsAnswer) return null
  const tokens = tokensIn(request)
  if (tokens + wanted <= window) return null
  return `input length and \`max_tokens\` exceed context limit: ${tokens} + ${wanted} > ${window}, decrease input length or \`max_tokens\` and try again`
}

function windowOf(request: StrictRequest): number | undefined {
  return hasBeta(request, 'context-1m-') ? 1_000_000 : claudeFacts(request.model)?.contextTokens
}

/** An estimate, four characters a token; the service counts. */
function tokensIn({ body: { messages, system, tools } }: StrictRequest): number {
  return Math.floor(JSON.stringify([textsOnly(messages), system, tools]).length / 4)
}

/** Without images and documents, whose tokens have nothing to do with their length. */
function textsOnly(messages: unknown): unknown {
  return JSON.parse(
    JSON.stringify(messages ?? [], (name, value) => (name === 'source' || name === 'signature' ? null : value)),
  )
}

function tooManyTokens(request: StrictRequest): string | null {
  const wanted = asNumber(request.body['max_tokens'])
  if (wanted === undefined) return isCountOnly(request) ? null : 'max_tokens: Field required'
  const limit = hasBeta(request, 'output-128k-') ? 128_000 : claudeFacts(request.model)?.maxOutputTokens
  if (limit === undefined || wanted <= limit) return null
  return `max_tokens: ${wanted} > ${limit}, which is the maximum allowed number of output tokens for ${request.model}`
}

export const claudeMessageRules: readonly Rule[] = [
  claudeRule('version-header', API, ({ headers }) =>
    headers['anthropic-version'] ? null : 'anthropic-version: header is required',
  ),
  claudeRule('messages-missing', 'https://github.com/BerriAI/litellm/issues/8247', ({ body }) =>
    claudeMessagesOf(body).length > 0 ? null : 'messages: at least one message is required',
  ),
  claudeRule('role-unknown', API, refusedRole),
  claudeRule('role-system', 'https://github.com/Seungwoo321/agent-devtools/pull/11', systemRole),
  claudeRule('message-empty', ERRORS, emptyMessage),
  claudeRule('text-empty', 'https://github.com/experientiallabs/experiential/pull/799', emptyText),
  claudeRule('text-blank', 'https://github.com/Zipstack/unstract/pull/2199', blankText),
  claudeRule('prefill', `${ERRORS}#prefill-not-supported`, refusedPrefill),
  claudeRule('prefill-trailing-space', 'https://github.com/tailcallhq/forgecode/issues/1872', trailingSpace),
  claudeRule('max-tokens', 'https://platform.claude.com/docs/en/about-claude/models/overview', tooManyTokens),
  claudeRule('prompt-too-long', 'https://platform.claude.com/docs/en/build-with-claude/context-windows', promptTooLong),
  claudeRule('answer-too-long', 'https://github.com/anthropics/claude-code/issues/476', answerTooLong),
  claudeRule('stop-sequence-blank', 'https://github.com/BerriAI/litellm/issues/3286', ({ body }) =>
    Array.isArray(body['stop_sequences']) && body['stop_sequences'].some(isBlank)
      ? 'stop_sequences: each stop sequence must contain non-whitespace'
      : null,
  ),
]
