/**
 * Thirty kinds of refusals that strike a healthy target once, in the words of real services, and how long after each the
 * target may stay unused at most.
 */

import type { ServerResponse } from 'node:http'
import type { DialectId } from '../../../src/domain/chat.ts'

export interface OneOff {
  readonly name: string
  /** `edge` to `rate`: back within a minute. `class`: within the time that is written for its class of failures. */
  readonly group: 'edge' | 'server' | 'timeout' | 'network' | 'rate' | 'request' | 'class'
  /** Answers the call in the target's place. */
  readonly strike: (response: ServerResponse, now: number) => void
  /** Milliseconds after the refusal at which the target is well, as stated in it. */
  readonly wellAfterMs: number
  /** Milliseconds that its class may rest a target of the provider, beyond `wellAfterMs`. */
  readonly restMs: (now: number, provider: string) => number
  /** Only targets of these languages speak so. Default: all. */
  readonly dialects?: readonly DialectId[]
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

type Facts = Pick<OneOff, 'group'> & Partial<Pick<OneOff, 'wellAfterMs' | 'restMs' | 'dialects'>>

function oneOff(name: string, facts: Facts, strike: OneOff['strike']): OneOff {
  return { name, wellAfterMs: 0, restMs: () => 0, ...facts, strike }
}

type Headers = Readonly<Record<string, string>>

function says(status: number, type: string, text: string, headers: Headers = {}): OneOff['strike'] {
  return (response) => {
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text), ...headers })
    response.end(text)
  }
}

const json = (status: number, body: unknown, headers: Headers = {}) =>
  says(status, 'application/json', JSON.stringify(body), headers)
const html = (status: number, title: string) =>
  says(status, 'text/html', `<!DOCTYPE html><html><head><title>${title}</title></head><body></body></html>`)

const openai = (status: number, message: string, type: string, code: string | null, headers: Headers = {}) =>
  json(status, { error: { message, type, param: null, code } }, headers)
const anthropic = (status: number, type: string, message: string, headers: Headers = {}) =>
  json(status, { type: 'error', error: { type, message } }, headers)
const google = (code: number, status: string, message: string, details: readonly object[] = []) =>
  json(code, { error: { code, message, status, details } })

const quota = (quotaId: string, retryDelay: string) => [
  { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ quotaId }] },
  { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay },
]
const EXHAUSTED = 'You exceeded your current quota, please check your plan and billing details.'

const OPENAI: readonly DialectId[] = ['openai']
const ANTHROPIC: readonly DialectId[] = ['anthropic']
const GOOGLE: readonly DialectId[] = ['google']

export const ONE_OFFS: readonly OneOff[] = [
  oneOff('edge: 403 error code 1010', { group: 'edge' }, says(403, 'text/plain; charset=UTF-8', 'error code: 1010')),
  oneOff('edge: 403 without a body', { group: 'edge' }, says(403, 'text/plain', '')),
  oneOff('edge: 403 challenge page', { group: 'edge' }, html(403, 'Just a moment...')),
  oneOff('edge: 520 page', { group: 'edge' }, html(520, 'Web server is returning an unknown error')),

  oneOff('server: 500', { group: 'server' }, openai(500, 'The server had an error.', 'server_error', null)),
  oneOff('server: 502 page', { group: 'server' }, html(502, '502 Bad Gateway')),
  oneOff('server: 503', { group: 'server' }, openai(503, 'That model is overloaded.', 'server_error', null)),
  oneOff('server: 529', { group: 'server', dialects: ANTHROPIC }, anthropic(529, 'overloaded_error', 'Overloaded')),
  oneOff('server: 503 UNAVAILABLE', { group: 'server', dialects: GOOGLE }, google(503, 'UNAVAILABLE', 'Overloaded.')),
  oneOff('server: 200 without a body', { group: 'server' }, says(200, 'application/json', '')),
  oneOff('server: 200 cut JSON', { group: 'server' }, says(200, 'application/json', '{"id":"x","choices":[{"mess')),

  oneOff('timeout: silence', { group: 'timeout' }, () => {}),
  oneOff('timeout: headers, then nothing', { group: 'timeout' }, (response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
  }),

  oneOff('network: reset', { group: 'network' }, (response) => void response.socket?.resetAndDestroy()),
  oneOff('network: cut inside the body', { group: 'network' }, (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 400 })
    response.write('{"id":"x",')
    response.socket?.end()
  }),

  oneOff(
    'rate: retry-after 1',
    { group: 'rate', wellAfterMs: SECOND },
    openai(429, 'Too many requests.', 'rate_limit_error', 'rate_limit_exceeded', { 'retry-after': '1' }),
  ),
  oneOff(
    'rate: no wait stated',
    { group: 'rate' },
    openai(429, 'Rate limit reached.', 'rate_limit_error', 'rate_limit_exceeded'),
  ),
  oneOff(
    'rate: wait in the text',
    { group: 'rate', wellAfterMs: 2 * SECOND, dialects: OPENAI },
    openai(
      429,
      'Rate limit reached for model on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 2s.',
      'tokens',
      'rate_limit_exceeded',
    ),
  ),
  oneOff(
    'rate: RESOURCE_EXHAUSTED per minute',
    { group: 'rate', wellAfterMs: 7 * SECOND, dialects: GOOGLE },
    google(429, 'RESOURCE_EXHAUSTED', EXHAUSTED, quota('GenerateRequestsPerMinutePerProjectPerModel', '7s')),
  ),
  oneOff(
    'rate: rate_limit_error',
    { group: 'rate', wellAfterMs: 3 * SECOND, dialects: ANTHROPIC },
    anthropic(429, 'rate_limit_error', 'Number of requests has exceeded your rate limit.', { 'retry-after': '3' }),
  ),
  oneOff(
    'rate: concurrency',
    { group: 'rate', dialects: OPENAI },
    json(429, { error: { code: '1302', message: 'High concurrency usage, please reduce it.' } }),
  ),

  oneOff(
    'request: a value refused',
    { group: 'request', dialects: OPENAI },
    openai(400, "Invalid value for 'temperature': expected at most 1.", 'invalid_request_error', 'invalid_value'),
  ),
  oneOff(
    'request: a file not found',
    { group: 'request', dialects: OPENAI },
    openai(404, 'No such File object: file-abc', 'invalid_request_error', null),
  ),
  oneOff(
    'request: too large for the limit',
    { group: 'request', dialects: OPENAI },
    openai(
      413,
      'Request too large for model on tokens per minute (TPM): Limit 6000, Requested 7000.',
      'tokens',
      'rate_limit_exceeded',
    ),
  ),

  oneOff(
    'key: 401',
    { group: 'class', restMs: () => 15 * MINUTE, dialects: OPENAI },
    openai(401, 'Incorrect API key provided.', 'invalid_request_error', 'invalid_api_key'),
  ),
  oneOff(
    'key: API_KEY_INVALID',
    { group: 'class', restMs: () => 15 * MINUTE, dialects: GOOGLE },
    google(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com' },
    ]),
  ),
  oneOff(
    'key: 403 permission_error',
    { group: 'class', restMs: () => 5 * MINUTE, dialects: ANTHROPIC },
    anthropic(403, 'permission_error', 'Your API key does not have permission to use the model.'),
  ),
  oneOff(
    'account: insufficient_quota',
    { group: 'class', restMs: () => HOUR, dialects: OPENAI },
    openai(429, EXHAUSTED, 'insufficient_quota', 'insufficient_quota'),
  ),
  oneOff(
    'account: credit balance too low',
    { group: 'class', restMs: () => HOUR, dialects: ANTHROPIC },
    anthropic(400, 'invalid_request_error', 'Your credit balance is too low to access the API.'),
  ),
  oneOff(
    'model: not found',
    { group: 'class', restMs: () => 15 * MINUTE, dialects: OPENAI },
    openai(404, 'The model does not exist.', 'invalid_request_error', 'model_not_found'),
  ),
  oneOff(
    'day: requests per day, wait stated',
    { group: 'class', wellAfterMs: 7 * MINUTE, dialects: OPENAI },
    openai(
      429,
      'Rate limit reached for model on requests per day (RPD): Limit 1000, Used 1000, Requested 1. Please try again in 7m0s.',
      'requests',
      'rate_limit_exceeded',
    ),
  ),
  oneOff(
    'day: RESOURCE_EXHAUSTED per day',
    { group: 'class', restMs: untilDayEnds, dialects: GOOGLE },
    google(429, 'RESOURCE_EXHAUSTED', EXHAUSTED, quota('GenerateRequestsPerDayPerProjectPerModel', '34s')),
  ),
  oneOff(
    'model: limit 0',
    { group: 'class', restMs: () => DAY, dialects: GOOGLE },
    google(429, 'RESOURCE_EXHAUSTED', `${EXHAUSTED} * Quota exceeded for metric, limit: 0, model: m`),
  ),
]

/** Google's day begins at Pacific midnight, which is 08:00 UTC in winter; where the boundary is unknown, a whole day. */
function untilDayEnds(now: number, provider: string): number {
  if (provider !== 'google') return DAY
  const sinceMidnight = (now - 8 * HOUR) % DAY
  return DAY - sinceMidnight
}
