/** Providers that speak OpenAI's language but refuse in words of their own, as their documentation has them. */

import type { FakeRefusal, Wording } from './refusal.ts'

const openrouterError = (
  status: number,
  message: string,
  metadata?: Readonly<Record<string, unknown>>,
): FakeRefusal => ({
  status,
  body: { error: { message, code: status, ...(metadata !== undefined && { metadata }) } },
})

/** OpenRouter repeats its limit headers inside the body; the reset is epoch milliseconds. */
function openrouterLimit(message: string, limit: number, resetsAt: number | undefined): FakeRefusal {
  const headers = {
    'X-RateLimit-Limit': String(limit),
    'X-RateLimit-Remaining': '0',
    ...(resetsAt !== undefined && { 'X-RateLimit-Reset': String(resetsAt) }),
  }
  return { ...openrouterError(429, message, { headers }), headers }
}

// https://openrouter.ai/docs/api-reference/limits, https://openrouter.ai/docs/api-reference/errors
const openrouter: Wording = {
  rate_minute: ({ limit = 20, resetsAt }) =>
    openrouterLimit('Rate limit exceeded: free-models-per-min.', limit, resetsAt),
  quota_day: ({ limit = 50, resetsAt }) =>
    openrouterLimit('Rate limit exceeded: free-models-per-day. Add 10 credits to unlock more', limit, resetsAt),
  billing: () => openrouterError(402, 'Insufficient credits. Add more using https://openrouter.ai/credits'),
  // https://openrouter.ai/docs/api_reference/limits (read 2026-11-30)
  key_limit: () =>
    openrouterError(402, 'Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys', {
      limit_source: 'openrouter_key_limit',
      remedy_hint: "Raise the key's limit, or wait until it resets.",
    }),
  auth_invalid: () => openrouterError(401, 'User not found.'),
  server: () => openrouterError(502, 'Provider returned error', { error_type: 'server' }),
  content_filter: () =>
    openrouterError(403, 'The input was flagged', { reasons: ['violence'], flagged_input: 'an example' }),
}

const mistralError = (status: number, type: string, code: string, message: string): FakeRefusal => ({
  status,
  body: { object: 'error', message, type, param: null, code },
})

const mistral: Wording = {
  rate_minute: () => mistralError(429, 'rate_limited', '1300', 'Rate limit exceeded'),
  overloaded: () => mistralError(429, 'service_tier_capacity_exceeded', '3505', 'Service tier capacity exceeded'),
}

const cerebrasError = (status: number, type: string, param: string, code: string, message: string): FakeRefusal => ({
  status,
  body: { message, type, param, code },
})

const cerebras: Wording = {
  rate_minute: () =>
    cerebrasError(
      429,
      'too_many_requests_error',
      'quota',
      'request_quota_exceeded',
      'Requests per minute limit exceeded - too many requests sent.',
    ),
  auth_invalid: () => cerebrasError(401, 'invalid_request_error', 'api_key', 'wrong_api_key', 'Wrong API Key'),
}

const deepseek: Wording = {
  billing: () => ({
    status: 402,
    body: {
      error: { message: 'Insufficient Balance', type: 'unknown_error', param: null, code: 'invalid_request_error' },
    },
  }),
}

export const OWN_WORDS: Readonly<Record<string, Wording>> = { openrouter, mistral, cerebras, deepseek }
