/** The refusals of the simulated providers: status, headers and body in each dialect's words. */

import type { DialectId } from '../../domain/chat.ts'
import { refusalOfModel } from '../strict/openaiKinds.ts'
import { OWN_WORDS } from './ownWords.ts'
import type { FakeRefusal, RefusalFacts, Wording } from './refusal.ts'
import type { FakeFault, FakeModel } from './scenario.ts'

const openaiError = (
  status: number,
  message: string,
  type: string,
  code: string | null,
  param: string | null = null,
): FakeRefusal => ({
  status,
  body: { error: { message, type, param, code } },
})

const retryAfter = (facts: RefusalFacts): Record<string, string> =>
  facts.retryAfter === undefined ? {} : { 'retry-after': String(facts.retryAfter) }

function tooLongText(facts: RefusalFacts): string {
  const { limit = 8192, inputTokens, isPrompt } = facts
  // As https://github.com/fierceX/Document_QA/issues/3 shows it for embeddings (read 2026-11-30).
  return isPrompt
    ? `This model's maximum context length is ${limit} tokens, however you requested ${inputTokens} tokens (${inputTokens} in your prompt; 0 for the completion). Please reduce your prompt; or completion length.`
    : `This model's maximum context length is ${limit} tokens. ${requestedText(facts)}`
}

function requestedText({ inputTokens, outputTokens }: RefusalFacts): string {
  if (inputTokens === undefined) return 'Please reduce the length of the messages.'
  return outputTokens === undefined
    ? `However, your messages resulted in ${inputTokens} tokens. Please reduce the length of the messages.`
    : `However, you requested ${inputTokens + outputTokens} tokens (${inputTokens} in the messages, ${outputTokens} in the completion). Please reduce the length of the messages or completion.`
}

const OPENAI: Wording = {
  rate_minute: (facts) => ({
    ...openaiError(
      429,
      facts.isUnstated
        ? 'Too many requests. Please slow down.'
        : `Rate limit reached for model \`${facts.model}\` on requests per minute (RPM): Limit ${facts.limit ?? 30}, Used ${facts.limit ?? 30}, Requested 1.`,
      'requests',
      'rate_limit_exceeded',
    ),
    headers: retryAfter(facts),
  }),
  quota_day: (facts) => ({
    ...openaiError(
      429,
      facts.isUnstated
        ? 'You have reached your daily limit of requests.'
        : `Rate limit reached for model \`${facts.model}\` on requests per day (RPD): Limit ${facts.limit ?? 1000}, Used ${facts.limit ?? 1000}, Requested 1.`,
      'requests',
      'rate_limit_exceeded',
    ),
    headers: retryAfter(facts),
  }),
  billing: () =>
    openaiError(
      429,
      'You exceeded your current quota, please check your plan and billing details.',
      'insufficient_quota',
      'insufficient_quota',
    ),
  auth_invalid: () => openaiError(401, 'Incorrect API key provided.', 'invalid_request_error', 'invalid_api_key'),
  auth_forbidden: () =>
    openaiError(
      403,
      'Your organization does not have access to this resource.',
      'permission_error',
      'permission_denied',
    ),
  overloaded: (facts) => ({
    ...openaiError(503, 'The server is overloaded.', 'server_error', 'server_is_overloaded'),
    headers: retryAfter(facts),
  }),
  server: () => openaiError(500, 'The server had an error while processing your request.', 'server_error', null),
  model_not_found: (facts) =>
    openaiError(
      404,
      `The model \`${facts.model}\` does not exist or you do not have access to it.`,
      'invalid_request_error',
      'model_not_found',
    ),
  context_too_long: (facts) =>
    openaiError(
      400,
      tooLongText(facts),
      'invalid_request_error',
      facts.isPrompt ? null : 'context_length_exceeded',
      facts.isPrompt ? null : 'messages',
    ),
  content_filter: () =>
    openaiError(400, 'The response was filtered', 'invalid_request_error', 'content_filter', 'prompt'),
  unsupported: (facts) =>
    openaiError(
      400,
      `\`tools\` is not supported with the model ${facts.model}`,
      'invalid_request_error',
      'unsupported_parameter',
      'tools',
    ),
  bad_request: () =>
    openaiError(
      400,
      "Invalid type for 'messages[0].content'.",
      'invalid_request_error',
      'invalid_type',
      'messages[0].content',
    ),
  too_large_for_limit: (facts) =>
    openaiError(
      413,
      `Request too large for model \`${facts.model}\` on tokens per minute (TPM): Limit ${facts.limit ?? 6000}, Requested 9000.`,
      'tokens',
      'rate_limit_exceeded',
    ),
  in_flight_budget: (facts) => ({
    status: 402,
    body: {
      error: {
        code: 402,
        message: 'The requests in flight would exceed the credit that is left.',
        metadata: { limit_source: 'openrouter_in_flight_budget' },
      },
    },
    headers: { 'retry-after': String(facts.retryAfter ?? 5) },
  }),
  zero_quota: (facts) =>
    openaiError(
      429,
      `Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 0, model: ${facts.model}`,
      'requests',
      'rate_limit_exceeded',
    ),
}

const anthropicError = (status: number, type: string, message: string): FakeRefusal => ({
  status,
  body: { type: 'error', error: { type, message }, request_id: 'req_fake' },
})

const ANTHROPIC: Wording = {
  rate_minute: (facts) => ({
    ...anthropicError(429, 'rate_limit_error', "This request would exceed your account's rate limit."),
    headers: retryAfter(facts),
  }),
  billing: () =>
    anthropicError(400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API.'),
  auth_invalid: () => anthropicError(401, 'authentication_error', 'invalid x-api-key'),
  auth_forbidden: () =>
    anthropicError(403, 'permission_error', 'Your API key does not have permission to use the specified resource.'),
  overloaded: () => anthropicError(529, 'overloaded_error', 'Overloaded'),
  server: () => anthropicError(500, 'api_error', 'Internal server error'),
  model_not_found: (facts) => anthropicError(404, 'not_found_error', `model: ${facts.model}`),
  context_too_long: (facts) =>
    anthropicError(
      400,
      'invalid_request_error',
      facts.outputTokens === undefined
        ? `prompt is too long: ${facts.inputTokens ?? 300_000} tokens > ${facts.limit ?? 200_000} maximum`
        : `input length and \`max_tokens\` exceed context limit: ${facts.inputTokens} + ${facts.outputTokens} > ${facts.limit}, decrease input length or \`max_tokens\` and try again`,
    ),
  bad_request: () => anthropicError(400, 'invalid_request_error', 'messages.0.content: Field required'),
  unsupported: () => anthropicError(400, 'invalid_request_error', 'tools: this model does not support tools'),
  content_filter: () => anthropicError(400, 'invalid_request_error', 'Output blocked by content filtering policy'),
}

const googleError = (status: number, code: string, message: string, details: readonly unknown[] = []): FakeRefusal => ({
  status,
  body: { error: { code: status, message, status: code, details } },
})

const quotaFailure = (quotaId: string, facts: RefusalFacts, retryDelay: string) => [
  {
    '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
    violations: [
      {
        quotaId,
        quotaDimensions: { location: 'global', model: facts.model },
        ...(facts.limit !== undefined && { quotaValue: String(facts.limit) }),
      },
    ],
  },
  { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay },
]

const EXHAUSTED = 'You exceeded your current quota, please check your plan and billing details.'

const GOOGLE: Wording = {
  rate_minute: (facts) =>
    googleError(
      429,
      'RESOURCE_EXHAUSTED',
      EXHAUSTED,
      quotaFailure('GenerateRequestsPerMinutePerProjectPerModel-FreeTier', facts, `${facts.retryAfter ?? 30}s`),
    ),
  quota_day: (facts) =>
    googleError(
      429,
      'RESOURCE_EXHAUSTED',
      EXHAUSTED,
      quotaFailure('GenerateRequestsPerDayPerProjectPerModel-FreeTier', facts, '34s'),
    ),
  zero_quota: (facts) =>
    googleError(429, 'RESOURCE_EXHAUSTED', `${EXHAUSTED} * Quota exceeded, limit: 0, model: ${facts.model}`),
  billing: () => googleError(402, 'RESOURCE_EXHAUSTED', 'Your prepayment credits are depleted.'),
  auth_invalid: () =>
    googleError(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com' },
    ]),
  auth_forbidden: () => googleError(403, 'PERMISSION_DENIED', 'The caller does not have permission'),
  overloaded: () => googleError(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.'),
  server: () => googleError(500, 'INTERNAL', 'An internal error has occurred.'),
  model_not_found: (facts) =>
    googleError(
      404,
      'NOT_FOUND',
      `models/${facts.model} is not found for API version v1beta, or is not supported for generateContent.`,
    ),
  context_too_long: (facts) =>
    googleError(
      400,
      'INVALID_ARGUMENT',
      `The input token count (${facts.inputTokens ?? (facts.limit ?? 8192) * 2}) exceeds the maximum number of tokens allowed (${facts.limit ?? 8192}).`,
    ),
  bad_request: () => googleError(400, 'INVALID_ARGUMENT', 'Invalid value at contents[0].role'),
  unsupported: () =>
    googleError(400, 'INVALID_ARGUMENT', 'Invalid JSON payload received. Unknown name "tools": Cannot find field.'),
  // Gemini withholds with HTTP 200: https://ai.google.dev/gemini-api/docs/safety-settings
  content_filter: () => ({ status: 200, body: { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } } }),
}

const BY_DIALECT: Readonly<Record<DialectId, Wording>> = {
  openai: OPENAI,
  'openai-responses': OPENAI,
  anthropic: ANTHROPIC,
  google: GOOGLE,
}

/**
 * A model that is asked for what only another kind of model does; null where its service is not known to have words of
 * its own for that. Gemini's are seen at https://github.com/feyninc/chonkie/issues/529, read 2026-11-30. `path`: of an
 * endpoint other than chats and embeddings, as `audio/speech`.
 */
export function refusalOfKind(
  dialect: DialectId,
  kind: NonNullable<FakeModel['kind']>,
  model: string,
  path: string | undefined,
): FakeRefusal | null {
  if (path !== undefined) return refusalOfModel(`/${path}`, model)
  if (kind !== 'chat' && kind !== 'embedding') return null
  if (dialect === 'google')
    return googleError(
      404,
      'NOT_FOUND',
      `models/${model} is not found for API version v1beta, or is not supported for ${kind === 'chat' ? 'generateContent' : 'embedContent'}. Call ListModels to see the list of available models and their supported methods.`,
    )
  if (dialect !== 'openai') return null
  return refusalOfModel(kind === 'chat' ? '/chat/completions' : '/embeddings', model)
}

/**
 * The refusal of that name in the provider's own words, else in its dialect's; null for faults that are no refusal.
 * A dialect that lacks the words borrows those of OpenAI, as compatible endpoints do.
 */
export function refusal(
  provider: string,
  dialect: DialectId,
  fault: FakeFault['do'],
  facts: RefusalFacts,
): FakeRefusal | null {
  const own = Object.hasOwn(OWN_WORDS, provider) && dialect === 'openai' ? OWN_WORDS[provider] : undefined
  const writer = own?.[fault] ?? BY_DIALECT[dialect][fault] ?? OPENAI[fault]
  return writer?.(facts) ?? null
}
