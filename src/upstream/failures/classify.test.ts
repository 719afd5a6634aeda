import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hasTestData, readTestData } from '../../../test/support/testData.ts'
import { FAILURE_KINDS, type FailureKind } from '../../domain/failure.ts'
import { redactShapes } from '../../domain/redact.ts'
import { defineProvider, type ProviderSpec } from '../../providers/provider.ts'
import { classify, type UpstreamAnswer } from './classify.ts'

const NOW = Date.parse('2026-11-23T00:00:00Z')

const provider: ProviderSpec = defineProvider({
  id: 'somebody',
  name: 'Somebody',
  dialect: 'openai',
  baseUrl: 'https://api.somebody.example/v1',
  auth: 'bearer',
  keyCheck: 'call',
  modelsList: null,
  quotaScope: 'account+model',
  dayBoundary: 'rolling',
  trainsOnFreePrompts: null,
  seedLimits: [],
  models: [],
  env: [],
  verified: false,
})

function failureOf(status: number, body: unknown, rest: Partial<UpstreamAnswer> = {}) {
  return classify({ status, headers: {}, body, provider, model: 'm', now: NOW, redact: redactShapes, ...rest })
}

const openai = (message: string, facts: object = {}) => ({
  error: { message, type: null, param: null, code: null, ...facts },
})
const google = (code: number, status: string, message: string, details: object[] = []) => ({
  error: { code, message, status, details },
})
const violation = (quotaId: string, quotaValue?: string) => ({
  '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
  violations: [
    { quotaId, quotaValue, quotaMetric: 'generate_content_free_tier_requests', quotaDimensions: { model: 'x' } },
  ],
})
const retryInfo = (retryDelay: string) => ({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay })
const anthropic = (type: string, message: string, facts: object = {}) => ({
  type: 'error',
  error: { type, message, ...facts },
})

const LITELLM = { 'x-litellm-call-id': 'c-1', 'x-litellm-version': '1.90.0' }
const KEYWISE = { 'x-keywise-request-id': 'kw_1', 'x-should-retry': 'false' }

type Case = [
  name: string,
  status: number,
  body: unknown,
  kind: FailureKind,
  facts?: object,
  rest?: Partial<UpstreamAnswer>,
]

const cases: readonly Case[] = [
  // Keys.
  [
    'a key OpenAI does not know',
    401,
    openai('Incorrect API key provided', { type: 'invalid_request_error', code: 'invalid_api_key' }),
    'auth_invalid',
  ],
  ['a missing key, by the status alone', 401, openai('no key', { type: 'invalid_request_error' }), 'auth_invalid'],
  ['an empty 401', 401, '', 'auth_invalid', { message: 'HTTP 401 without an explanation' }],
  ['an Anthropic key', 401, anthropic('authentication_error', 'invalid x-api-key'), 'auth_invalid'],
  [
    'a wrong Gemini key, which is a 400',
    400,
    google(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' },
    ]),
    'auth_invalid',
  ],
  [
    'a wrong Gemini key without its reason',
    400,
    google(400, 'INVALID_ARGUMENT', 'API key expired. Please renew the API key.'),
    'auth_invalid',
  ],
  [
    'a leaked key',
    403,
    google(403, 'PERMISSION_DENIED', 'Your API key was reported as leaked. Please use another API key.'),
    'auth_invalid',
    { leaked: true },
  ],
  [
    'NIM’s way of refusing a key',
    403,
    { status: 403, title: 'Forbidden', detail: 'Authorization failed' },
    'auth_invalid',
  ],
  [
    'xAI’s way of refusing a key',
    400,
    { code: 'Client specified an invalid argument', error: 'Incorrect API key provided: x' },
    'auth_invalid',
  ],
  [
    'Cloudflare’s way of refusing a key',
    403,
    { success: false, errors: [{ code: 10000, message: 'Authentication error' }] },
    'auth_invalid',
  ],
  // Permissions and places.
  ['a key without the permission', 403, anthropic('permission_error', 'not allowed'), 'auth_forbidden'],
  [
    'an API that is not switched on',
    403,
    google(403, 'PERMISSION_DENIED', 'Generative Language API has not been used', [{ reason: 'SERVICE_DISABLED' }]),
    'auth_forbidden',
  ],
  [
    'a country without a free tier',
    400,
    google(400, 'FAILED_PRECONDITION', 'Gemini API free tier is not available in your country.'),
    'auth_forbidden',
    { hostBlocked: true },
  ],
  [
    'a location that is not served',
    400,
    google(400, 'FAILED_PRECONDITION', 'User location is not supported for the API use.'),
    'auth_forbidden',
    { hostBlocked: true },
  ],
  [
    'a blocked network',
    403,
    openai('Access denied. Please check your network settings.'),
    'auth_forbidden',
    { hostBlocked: true },
  ],
  [
    'a region OpenAI does not serve',
    403,
    openai('Country, region, or territory not supported', { code: 'unsupported_country_region_territory' }),
    'auth_forbidden',
    { hostBlocked: true },
  ],
  ...['CONSUMER_SUSPENDED', 'SERVICE_DISABLED', 'API_KEY_SERVICE_BLOCKED', 'API_KEY_IP_ADDRESS_BLOCKED'].map(
    (reason): Case => [
      `Gemini refuses everything of the key: ${reason}`,
      403,
      {
        error: {
          code: 403,
          message: 'Permission denied: the project cannot be used.',
          status: 'PERMISSION_DENIED',
          details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'googleapis.com' }],
        },
      },
      'auth_forbidden',
      { keyWide: true },
    ],
  ),
  ['a 403 that names what is refused', 403, { message: 'Your plan does not include this model.' }, 'auth_forbidden'],
  ['a permission that is named in plain text', 403, 'You do not have permission to use this model', 'auth_forbidden'],
  [
    'a key without the scope of a route',
    401,
    openai('You have insufficient permissions for this operation. Missing scopes: api.model.read.', {
      type: 'invalid_request_error',
    }),
    'auth_forbidden',
    { routeOnly: true },
  ],
  ['a missing scope by its code', 403, openai('x', { code: 'missing_scope' }), 'auth_forbidden', { routeOnly: true }],
  [
    'a fine-grained token',
    401,
    openai('The `models` permission is required to access this endpoint', { code: 'unauthorized' }),
    'auth_forbidden',
    { routeOnly: true },
  ],
  ...[5016, 5018, 3041].map(
    (code): Case => [`Cloudflare ${code}`, 403, { success: false, errors: [{ code, message: 'x' }] }, 'auth_forbidden'],
  ),
  // Money.
  [
    'OpenAI out of money, which is a 429',
    429,
    openai('You exceeded your current quota, please check your plan and billing details.', {
      type: 'insufficient_quota',
      code: 'insufficient_quota',
    }),
    'billing',
  ],
  ...[
    'credit_balance_exhausted',
    'organization_spend_limit_exceeded',
    'project_spend_limit_exceeded',
    'organization_usage_limit_exceeded',
  ].map((code): Case => [code, 429, openai('x', { code }), 'billing']),
  [
    'Anthropic out of credit, which is a 400',
    400,
    anthropic('invalid_request_error', 'Your credit balance is too low to access the Anthropic API.'),
    'billing',
  ],
  [
    'Anthropic’s own spend limit',
    400,
    anthropic(
      'invalid_request_error',
      'You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.',
    ),
    'billing',
    { untilMonthEnd: true },
  ],
  [
    'Anthropic’s enforced spend limit, which is a 429',
    429,
    anthropic('rate_limit_error', 'x', { details: { error_code: 'enforced_spend_limit_reached' } }),
    'billing',
    { untilMonthEnd: true },
  ],
  ['Anthropic’s billing error', 402, anthropic('billing_error', 'x'), 'billing'],
  [
    'DeepSeek, whose code says bad request',
    402,
    openai('Insufficient Balance', { type: 'unknown_error', code: 'invalid_request_error' }),
    'billing',
  ],
  ['Gemini’s 402', 402, google(402, 'RESOURCE_EXHAUSTED', 'x'), 'billing'],
  [
    'xAI without credits',
    403,
    {
      code: 'The caller does not have permission',
      error: "Your newly created teams doesn't have any credits yet. You can purchase credits on x.",
    },
    'billing',
  ],
  [
    'xAI’s monthly spending limit, which is no daily limit',
    429,
    {
      code: 'Some resource has been exhausted',
      error: 'Your team has either used all available credits or reached its monthly spending limit.',
    },
    'billing',
  ],
  [
    'a negative balance, which stops free models too',
    402,
    openai('Insufficient credits', { code: 402 }),
    'billing',
    { coversFree: true },
    { model: 'x/y:free' },
  ],
  [
    'credit tied up in other requests',
    402,
    { error: { code: 402, message: 'x', metadata: { limit_source: 'openrouter_in_flight_budget' } } },
    'in_flight_budget',
    { retryAfterMs: 3000 },
    { headers: { 'retry-after': '3' } },
  ],
  [
    'the same without a wait',
    402,
    { error: { code: 402, message: 'x', metadata: { limit_source: 'openrouter_in_flight_budget' } } },
    'billing',
  ],
  ['a retired model that speaks of balance', 429, openai('insufficient balance (1008)'), 'model_not_found'],
  ...['insufficient_user_quota', 'pre_consume_token_quota_failed'].map(
    (code): Case => [`one-api’s ${code}`, 403, openai('用户额度不足', { type: 'new_api_error', code }), 'billing'],
  ),
  ['one-api’s quota in words', 403, openai('user quota is not enough', { type: 'one_api_error' }), 'billing'],
  ['a plan that has expired', 429, openai('Your Coding Plan package has expired.', { code: '1309' }), 'billing'],
  [
    'credit that is said to come back',
    429,
    openai('You have no credits left for this hour', { resets_in_seconds: 1200 }),
    'rate_minute',
    { retryAfterMs: 1_200_000 },
  ],
  // Money that is left, for less.
  [
    'an answer that could cost more than the credit',
    402,
    {
      error: {
        message:
          'This request requires more credits, or fewer max_tokens. You requested up to 48000 tokens, but can only afford 21500.',
        code: 402,
        metadata: { provider_name: null },
      },
    },
    'too_large_for_limit',
    { affordableTokens: 21_500, requested: 48_000, limit: undefined },
  ],
  [
    'the same without metadata',
    402,
    openai('Fewer max_tokens, please. You requested up to 8,000 tokens, but can only afford 1,024.', { code: 402 }),
    'too_large_for_limit',
    { affordableTokens: 1024 },
  ],
  [
    'the same, passed on by another gateway',
    500,
    openai(
      'litellm.APIError: APIError: OpenrouterException - {"error":{"message":"You requested up to 64000 tokens, but can only afford 2666.","code":402}}',
      { code: '500' },
    ),
    'too_large_for_limit',
    { affordableTokens: 2666 },
  ],
  [
    'the same as plain text',
    402,
    '402 This request requires more credits, or fewer max_tokens. You requested up to 8192 tokens, but can only afford 1775.',
    'too_large_for_limit',
    { affordableTokens: 1775, requested: 8192 },
  ],
  [
    'the same inside of HTTP 200',
    200,
    openai('This request requires more credits. You requested up to 4096 tokens, but can only afford 900.', {
      code: 402,
    }),
    'too_large_for_limit',
    { affordableTokens: 900 },
  ],
  [
    'the same after other providers of the router were tried',
    402,
    openai('You requested up to 65536 tokens, but can only afford 3395.', {
      code: 402,
      metadata: {
        provider_name: null,
        previous_errors: [{ code: 402, message: 'You requested up to 65536 tokens, but can only afford 5365.' }],
      },
    }),
    'too_large_for_limit',
    { affordableTokens: 3395 },
  ],
  // https://github.com/tailcallhq/forgecode/issues/571 (read 2026-11-30)
  [
    'the capacity that the credit has',
    402,
    {
      error: {
        error: {
          message: 'More credits are required to run this request. 128000 token capacity required, 19484 available.',
          code: 402,
        },
        code: 402,
      },
    },
    'too_large_for_limit',
    { affordableTokens: 19_484, requested: 128_000, limit: undefined },
  ],
  [
    'no capacity left',
    402,
    openai('More credits are required to run this request. 16,384 token capacity required, 0 available.'),
    'billing',
  ],
  // https://openrouter.ai/docs/api_reference/limits (read 2026-11-30)
  [
    'one request that could cost more than may be under way',
    402,
    openai('x', { code: 402, metadata: { reason: 'weight_exceeds_budget', limit_source: 'openrouter_credits' } }),
    'too_large_for_limit',
    { affordableTokens: undefined, limit: undefined },
  ],
  [
    'credit that cannot cover any request',
    402,
    openai('x', { code: 402, metadata: { limit_source: 'openrouter_credits' } }),
    'billing',
    { keyLimit: undefined },
  ],
  ['an account that can afford nothing', 402, openai('You requested 500 tokens, but can only afford 0.'), 'billing'],
  [
    'a prompt that costs more than the credit',
    402,
    openai('Prompt tokens limit exceeded: 25340 > 10229. Upgrade to a paid account', { code: 402 }),
    'too_large_for_limit',
    { affordableTokens: undefined, limit: undefined },
  ],
  [
    'the same with separators, as plain text',
    402,
    'Prompt tokens limit exceeded: 64,128 > 6,964. To increase, create a key with a higher monthly limit',
    'too_large_for_limit',
    { affordableTokens: undefined, limit: undefined },
  ],
  [
    'money that was paid to Gemini in advance',
    429,
    google(429, 'RESOURCE_EXHAUSTED', 'Your prepayment credits are depleted. Manage your billing at x.'),
    'billing',
  ],
  [
    'a cap of spending at Gemini',
    429,
    google(429, 'RESOURCE_EXHAUSTED', 'Your project has exceeded its monthly spending cap.'),
    'billing',
  ],
  ['Novita’s balance', 403, { code: 403, reason: 'NOT_ENOUGH_BALANCE', message: 'no balance' }, 'billing'],
  // Days.
  [
    'Moonshot’s day',
    429,
    openai('Your account org-x request reached organization TPD rate limit, current:1505241, limit:1500000', {
      type: 'rate_limit_reached_error',
    }),
    'quota_day',
    { unit: 'tokens', window: 'day', limit: 1_500_000 },
  ],
  [
    'ModelScope’s day',
    429,
    openai("We have to limit you: you exceeded today's quota for model x, please try again tomorrow"),
    'quota_day',
  ],
  [
    'ModelScope’s day in another envelope',
    429,
    { errors: { message: 'You have exceeded your daily request quota. Please try again tomorrow' }, request_id: 'x' },
    'quota_day',
  ],
  [
    'Gemini’s day, whatever short delay stands beside it',
    429,
    google(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota. Please retry in 34.4s.', [
      violation('GenerateRequestsPerDayPerProjectPerModel-FreeTier', '20'),
      retryInfo('34.4s'),
    ]),
    'quota_day',
    { unit: 'requests', window: 'day', limit: 20, scope: 'model', retryAfterMs: undefined },
  ],
  [
    'Groq’s requests of a day',
    429,
    openai(
      'Rate limit reached for model `x` on requests per day (RPD): Limit 1000, Used 1000, Requested 1. Please try again in 1m26.4s.',
      { type: 'requests', code: 'rate_limit_exceeded' },
    ),
    'quota_day',
    { unit: 'requests', window: 'day', limit: 1000, retryAfterMs: 86_400 },
  ],
  [
    'Groq’s tokens of a day',
    429,
    openai(
      'Rate limit reached on tokens per day (TPD): Limit 100000, Used 97050, Requested 3619. Please try again in 9m38.016s.',
      { type: 'tokens', code: 'rate_limit_exceeded' },
    ),
    'quota_day',
    { unit: 'tokens', window: 'day', limit: 100_000, retryAfterMs: 578_016 },
  ],
  [
    'OpenRouter’s free day, with its reset in the body',
    429,
    {
      error: {
        message: 'Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day',
        code: 429,
        metadata: {
          headers: {
            'X-RateLimit-Limit': '50',
            'X-RateLimit-Remaining': '0',
            'X-RateLimit-Reset': String(NOW + 7_200_000),
          },
        },
      },
    },
    'quota_day',
    { scope: 'free-models', window: 'day', retryAfterMs: 7_200_000 },
  ],
  [
    'OpenRouter’s free day by its source',
    429,
    { error: { code: 429, message: 'x', metadata: { limit_source: 'openrouter_free_tier_daily' } } },
    'quota_day',
  ],
  ['the Interactions API', 429, { error: { code: 'quota_exceeded', message: 'x' } }, 'quota_day'],
  [
    'GitHub’s header',
    429,
    null,
    'quota_day',
    { retryAfterMs: 24_367_000 },
    { headers: { 'x-ratelimit-type': 'UserByModelByDay', 'retry-after': '24367' } },
  ],
  [
    'Cloudflare’s neurons',
    429,
    {
      success: false,
      errors: [{ code: 3036, message: 'You have used up your daily free allocation of 10,000 neurons.' }],
    },
    'quota_day',
    { unit: 'neurons', limit: 10_000, scope: 'account' },
  ],
  [
    'Cohere’s month',
    429,
    { message: 'You are using a Trial key, which is limited to 1000 API calls / month.' },
    'quota_day',
    { window: 'month', limit: 1000 },
  ],
  [
    'a day that only the headers tell of',
    429,
    { message: 'Too Many Requests' },
    'quota_day',
    { window: 'day', unit: 'requests', retryAfterMs: 3_600_000 },
    { headers: { 'x-ratelimit-remaining-requests-day': '0', 'x-ratelimit-reset-requests-day': '3600' } },
  ],
  [
    'Gemini’s day where only its text is passed on',
    429,
    openai(
      'Error code: 429 - quotaId: GenerateRequestsPerDayPerProjectPerModel-FreeTier, quotaValue: 20. Please retry in 34s.',
    ),
    'quota_day',
    { retryAfterMs: undefined },
  ],
  [
    'a day in words beside a wait of seconds',
    429,
    openai('limit: 0 of 2 requests left this day; the daily limit of requests is used up'),
    'rate_minute',
    { retryAfterMs: 25_000, limit: undefined },
    { headers: { 'retry-after': '25' } },
  ],
  [
    'a day in words that ends later than any day',
    429,
    openai('Daily usage limit reached. It resets at 2026-11-25 16:00:00 UTC'),
    'rate_minute',
    { retryAfterMs: 64 * 3_600_000, window: undefined },
  ],
  ['Z.ai’s day', 429, openai('Daily call limit for this API reached.', { code: '1304' }), 'quota_day'],
  ['a month of unknown meaning', 429, openai('monthly limit exceeded'), 'rate_minute', { window: 'month' }],
  ['a limit of nothing in unknown words', 429, openai('limit: 0 requests'), 'rate_minute', { limit: undefined }],
  [
    'no quota at all, except where a header states a wait',
    429,
    google(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded, limit: 0, model: gemini-x'),
    'rate_minute',
    { retryAfterMs: 25_000 },
    { headers: { 'retry-after': '25' } },
  ],
  [
    'no quota at all',
    429,
    google(
      429,
      'RESOURCE_EXHAUSTED',
      'Quota exceeded for metric: generativelanguage.googleapis.com/x, limit: 0, model: gemini-x\nPlease retry in 20.04s.',
      [violation('GenerateRequestsPerDayPerProjectPerModel-FreeTier')],
    ),
    'zero_quota',
  ],
  // Dates.
  [
    'Z.ai’s week, whose words speak of a month as well',
    429,
    openai('Weekly/Monthly Limit Exhausted. Your limit will reset at 2026-11-24 22:00:00', { code: '1310' }),
    'rate_minute',
    { retryAfterMs: 38 * 3_600_000, window: undefined },
  ],
  [
    'the same by its other protocol',
    429,
    anthropic(
      'rate_limit_error',
      '[1310][Weekly/Monthly Limit Exhausted. It will reset at 2026-11-24 22:00:00][20261123]',
    ),
    'rate_minute',
    { retryAfterMs: 38 * 3_600_000 },
  ],
  [
    'five hours in Chinese',
    429,
    openai('已达到 5 小时的使用上限。您的限额将在 2026-11-23 11:00:00 重置。', { code: '1308' }),
    'rate_minute',
    { retryAfterMs: 3 * 3_600_000 },
  ],
  [
    'a date in the provider’s own zone',
    429,
    openai('It will reset at 2026-11-23 11:00:00'),
    'rate_minute',
    { retryAfterMs: 3 * 3_600_000 },
    { provider: { ...provider, dateZone: '+08:00' } },
  ],
  [
    'a plan’s usage limit',
    429,
    { error: { type: 'usage_limit_reached', message: 'x', resets_at: NOW / 1000 + 7200, resets_in_seconds: 7200 } },
    'rate_minute',
    { retryAfterMs: 7_200_000 },
  ],
  // Minutes.
  [
    'Dashscope’s minute under the code of an empty account',
    429,
    openai('Allocated quota exceeded, please increase your quota limit.', { code: 'insufficient_quota' }),
    'rate_minute',
  ],
  [
    'a limit that is a 403',
    403,
    openai('You have exceeded a secondary rate limit.'),
    'rate_minute',
    { retryAfterMs: 60_000 },
    { headers: { 'retry-after': '60' } },
  ],
  [
    'Groq’s tokens of a minute',
    429,
    openai(
      'Rate limit reached for model `x` on tokens per minute (TPM): Limit 12000, Used 4437, Requested 9854. Please try again in 11.455s. Need more tokens?',
      { type: 'tokens', code: 'rate_limit_exceeded' },
    ),
    'rate_minute',
    { unit: 'tokens', window: 'minute', limit: 12_000, retryAfterMs: 11_455 },
  ],
  [
    'Gemini’s minute',
    429,
    google(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota, please check your plan and billing details.', [
      violation('GenerateRequestsPerMinutePerProjectPerModel-FreeTier'),
      retryInfo('34.074824224s'),
    ]),
    'rate_minute',
    { unit: 'requests', window: 'minute', retryAfterMs: 34_075 },
  ],
  [
    'Gemini’s text alone',
    429,
    'You exceeded your current quota, please check your plan and billing details. Quota exceeded for metric: generativelanguage.googleapis.com/x, limit: 20 Please retry in 964.97ms.',
    'rate_minute',
    { retryAfterMs: 965 },
  ],
  [
    'Anthropic',
    429,
    anthropic('rate_limit_error', 'This request would exceed your account’s rate limit.'),
    'rate_minute',
    { retryAfterMs: 7000 },
    { headers: { 'retry-after': '7' } },
  ],
  [
    'Mistral',
    429,
    { object: 'error', message: 'Rate limit exceeded', type: 'rate_limited', param: null, code: '1300' },
    'rate_minute',
  ],
  [
    'Cerebras',
    429,
    {
      message: 'Requests per minute limit exceeded - too many requests sent.',
      type: 'too_many_requests_error',
      param: 'quota',
      code: 'request_quota_exceeded',
    },
    'rate_minute',
    { unit: 'requests', window: 'minute' },
  ],
  [
    'Cerebras’s day in the same clothes',
    429,
    {
      message: 'Tokens per day limit exceeded - too many tokens processed.',
      type: 'too_many_tokens_error',
      param: 'quota',
      code: 'token_quota_exceeded',
    },
    'quota_day',
    { unit: 'tokens' },
  ],
  ['NIM', 429, { status: 429, title: 'Too Many Requests' }, 'rate_minute'],
  [
    'Azure',
    429,
    openai('Requests have exceeded token rate limit of your current pricing tier. Please retry after 2 seconds.', {
      code: '429',
    }),
    'rate_minute',
    { retryAfterMs: 2000 },
  ],
  [
    'Cohere',
    429,
    { message: 'You are using a Trial key, which is limited to 40 API calls / minute.' },
    'rate_minute',
    { unit: 'requests', window: 'minute', limit: 40 },
  ],
  ['slow down', 429, openai('Slow down', { code: 'slow_down' }), 'rate_minute'],
  [
    'a busy provider behind a router',
    429,
    {
      error: {
        message: 'Provider returned error',
        code: 429,
        metadata: { provider_name: 'X', raw: '{"error":{"code":"insufficient_quota","message":"theirs"}}' },
      },
    },
    'rate_minute',
    { scope: 'model' },
  ],
  [
    'a refusal of the router’s own key',
    401,
    { error: { message: 'Provider returned error', code: 401, metadata: { provider_name: 'X', raw: 'bad key' } } },
    'server',
  ],
  [
    'OpenRouter’s free minute',
    429,
    { error: { message: 'Rate limit exceeded: free-models-per-min.', code: 429 } },
    'rate_minute',
    { scope: 'free-models', window: 'minute' },
  ],
  ['an empty 429', 429, '', 'rate_minute'],
  ['a web page with 429', 429, '<html><head><title>429 Too Many Requests</title></head></html>', 'rate_minute'],
  // Size.
  [
    'a request above the minute’s tokens',
    429,
    openai(
      'Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 30601. The input or output tokens must be reduced.',
      { type: 'tokens', code: 'rate_limit_exceeded' },
    ),
    'too_large_for_limit',
    { unit: 'tokens', window: 'minute', limit: 30_000, requested: 30_601 },
  ],
  [
    'Groq’s 413',
    413,
    openai('Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 7009', {
      type: 'tokens',
      code: 'rate_limit_exceeded',
    }),
    'too_large_for_limit',
    { limit: 6000, requested: 7009 },
  ],
  [
    'a request above the minute’s tokens, whatever wait stands beside it',
    429,
    openai('Rate limit reached (TPM): Limit 6000, Used 0, Requested 7009. Please try again in 10.09s'),
    'too_large_for_limit',
    { limit: 6000, requested: 7009, retryAfterMs: undefined },
  ],
  ...[
    'Request size 7009 tokens exceeds the limit of 6000 tokens per minute. Retry after 10 seconds.',
    'The limit is 6k tokens per minute; 7,009 tokens requested.',
    'Requested tokens: 7009. Limit: 6000 tokens / minute. Please try again in 2s.',
  ].map(
    (message): Case => [
      `"${message}"`,
      429,
      openai(message),
      'too_large_for_limit',
      { limit: 6000, requested: 7009, unit: 'tokens' },
      { headers: { 'retry-after': '10' } },
    ],
  ),
  [
    'a plain 413',
    413,
    '<html><h1>413 Request Entity Too Large</h1></html>',
    'bad_request',
    { about: 'size', byEdge: true },
  ],
  [
    'a 413 of the API itself',
    413,
    { success: false, errors: [{ code: 3006, message: 'AiError: Request is too large' }] },
    'bad_request',
    { about: 'size', byEdge: undefined },
  ],
  ['an empty 413', 413, '', 'bad_request', { about: 'size', byEdge: undefined }],
  [
    'a sum above Anthropic’s window, between two quoted names',
    400,
    anthropic(
      'invalid_request_error',
      'input length and `max_tokens` exceed context limit: 180000 + 30000 > 200000, decrease input length or `max_tokens`',
    ),
    'context_too_long',
    { limitTokens: 200_000 },
  ],
  [
    'Dashscope’s window',
    400,
    openai('<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 129024]'),
    'context_too_long',
    { limitTokens: 129_024 },
  ],
  [
    'more output than Dashscope’s model writes',
    400,
    openai('<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]'),
    'unsupported',
    { about: 'size', mostOutputTokens: 8192 },
  ],
  [
    'OpenAI’s window',
    400,
    openai("This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.", {
      code: 'context_length_exceeded',
    }),
    'context_too_long',
    { limitTokens: 8192, requestedTokens: 9000 },
  ],
  [
    'Anthropic’s window',
    400,
    anthropic('invalid_request_error', 'prompt is too long: 215000 tokens > 200000 maximum'),
    'context_too_long',
    { limitTokens: 200_000, requestedTokens: 215_000 },
  ],
  [
    'Gemini’s window',
    400,
    google(
      400,
      'INVALID_ARGUMENT',
      'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
    ),
    'context_too_long',
    { limitTokens: 1_048_576, requestedTokens: 1_200_000 },
  ],
  [
    'Cerebras’s window',
    400,
    { message: 'Please reduce the length. Current length is 9000 while limit is 8192', type: 'invalid_request_error' },
    'context_too_long',
    { limitTokens: 8192, requestedTokens: 9000 },
  ],
  ['Cohere’s window', 400, { message: 'too many tokens: size limit exceeded by 11 tokens' }, 'context_too_long'],
  // Capacity.
  ['Anthropic overloaded', 529, anthropic('overloaded_error', 'Overloaded'), 'overloaded'],
  [
    'Mistral’s capacity as a limit',
    429,
    {
      object: 'error',
      message: 'Service tier capacity exceeded for this model.',
      type: 'invalid_request_error',
      code: null,
    },
    'overloaded',
  ],
  [
    'Mistral’s capacity as a bad request',
    400,
    {
      object: 'error',
      message: 'Service tier capacity exceeded for this model.',
      type: 'invalid_request_error',
      code: '3505',
    },
    'overloaded',
  ],
  ['Groq’s 498', 498, openai('x'), 'overloaded'],
  ['Cloudflare 3040', 429, { success: false, errors: [{ code: 3040, message: 'No more data centers' }] }, 'overloaded'],
  ['Gemini unavailable', 503, google(503, 'UNAVAILABLE', 'The model is overloaded.'), 'overloaded'],
  [
    'OpenAI overloaded',
    503,
    openai('x', { code: 'server_is_overloaded' }),
    'overloaded',
    { retryAfterMs: 120 },
    { headers: { 'retry-after-ms': '120' } },
  ],
  ['Together’s 503', 503, '', 'overloaded'],
  [
    'a sick deployment at NIM',
    400,
    { status: 400, title: 'Bad Request', detail: "Function id 'x': DEGRADED function cannot be invoked" },
    'overloaded',
  ],
  // Servers.
  ...[500, 502, 504, 520, 524].map((status): Case => [`HTTP ${status}`, status, '', 'server']),
  [
    'a bot challenge, which says nothing about the key',
    403,
    '<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>',
    'server',
    { message: 'a web page instead of an answer: Just a moment...' },
  ],
  ...[1010, 1015, 1020, 1033].map(
    (code): Case => [`Cloudflare’s error ${code}`, code === 1015 ? 429 : 403, `error code: ${code}`, 'server'],
  ),
  [
    'Cloudflare’s error as JSON',
    429,
    { title: 'Error 1015: You are being rate limited', status: 429, cloudflare_error: true, retry_after: 30 },
    'server',
    { retryAfterMs: 30_000 },
  ],
  ...(
    [
      ['an empty 403', ''],
      ['a 403 with an empty object', {}],
      ['nginx in plain text', '403 Forbidden'],
      ['AWS’s word', { message: 'Forbidden' }],
      ['a word in the protocol', openai('Forbidden')],
      ['Envoy', 'RBAC: access denied'],
      ['CloudFront', 'Request blocked. We can’t connect to the server for this app or website at this time.'],
      ['Imperva', { errorCode: '15', description: 'Request unsuccessful. Incapsula incident ID: 443-2' }],
      ['Imperva in plain text', 'Request unsuccessful. Incapsula incident ID: 443000680013'],
      ['Akamai', openai('Access Denied. Reference #18.ef3a2f17.1619133194.15bcf105')],
      ['a site that uses Cloudflare', 'Access denied | api.x.example used Cloudflare to restrict access'],
    ] as const
  ).map(([name, body]): Case => [`${name}, which says nothing about the key`, 403, body, 'server']),
  ['a captcha of AWS', 405, '', 'server', {}, { headers: { 'x-amzn-waf-action': 'captcha' } }],
  ['ModSecurity', 406, 'Not Acceptable!', 'server'],
  ['a web page with 401', 401, '<html><body>login</body></html>', 'server'],
  ['a redirection', 302, '', 'server'],
  ['200 with a web page', 200, '<html></html>', 'server'],
  ['200 with nothing', 200, '', 'server'],
  ['200 with no answer', 200, { hello: 'world' }, 'server'],
  ...['', '404 page not found', { detail: 'Not Found' }, anthropic('not_found_error', 'Not Found')].map(
    (body, index): Case => [
      `a 404 that speaks of no model (${index})`,
      404,
      body,
      'model_not_found',
      { unexplained: true },
    ],
  ),
  ...[
    openai('The model `x` does not exist', { code: 'model_not_found' }),
    openai('gone', { param: 'model' }),
    anthropic('not_found_error', 'model: x'),
    { error: { message: 'No endpoints found for x/y.', code: 404 } },
  ].map(
    (body, index): Case => [
      `a 404 that speaks of a model (${index})`,
      404,
      body,
      'model_not_found',
      { unexplained: undefined },
    ],
  ),
  [
    'a gateway without a free channel, whatever its code says',
    503,
    openai('No available channel for model x', { code: 'model_not_found' }),
    'overloaded',
  ],
  // Models.
  [
    'a model OpenAI does not have',
    404,
    openai('The model `x` does not exist or you do not have access to it.', {
      type: 'invalid_request_error',
      code: 'model_not_found',
    }),
    'model_not_found',
  ],
  ['a model Anthropic does not have', 404, anthropic('not_found_error', 'model: x'), 'model_not_found'],
  [
    'a model Gemini does not have',
    404,
    google(404, 'NOT_FOUND', 'models/x is not found for API version v1beta, or is not supported for generateContent.'),
    'model_not_found',
  ],
  [
    'a model Ollama has not pulled',
    404,
    openai('model "gemma3:12b" not found, try pulling it first', { type: 'api_error' }),
    'model_not_found',
  ],
  [
    'a function NIM does not have',
    404,
    { status: 404, title: 'Not Found', detail: "Function 'x': Not found for account 'y'" },
    'model_not_found',
  ],
  ['a model nobody serves', 404, { error: { message: 'No endpoints found for x/y.', code: 404 } }, 'model_not_found'],
  ['an id that is none', 400, { error: { message: 'x/y is not a valid model ID', code: 400 } }, 'model_not_found'],
  [
    'a retired model that names its successor',
    400,
    openai('The model `a-1` has been decommissioned. Please use `openai/gpt-oss-120b` instead.', {
      code: 'model_decommissioned',
    }),
    'model_not_found',
    { successor: 'openai/gpt-oss-120b' },
  ],
  [
    'a retired model that only points to a page',
    400,
    openai(
      'The model `a-1` has been decommissioned. Refer to https://x.example/docs for a recommendation on which model to use instead.',
      { code: 'model_decommissioned' },
    ),
    'model_not_found',
    { successor: undefined },
  ],
  [
    'a deprecated model',
    410,
    { success: false, errors: [{ code: 5028, message: 'Model has been deprecated' }] },
    'model_not_found',
  ],
  ...[5007, 3042].map(
    (code): Case => [
      `Cloudflare ${code}`,
      400,
      { success: false, errors: [{ code, message: 'No such model' }] },
      'model_not_found',
    ],
  ),
  // Content.
  [
    'Azure’s filter',
    400,
    openai('The response was filtered', { param: 'prompt', code: 'content_filter', status: 400 }),
    'content_filter',
  ],
  [
    'Azure’s filter inside',
    400,
    openai('x', { innererror: { code: 'ResponsibleAIPolicyViolation' } }),
    'content_filter',
  ],
  ['OpenAI’s policy', 400, openai('x', { code: 'content_policy_violation' }), 'content_filter'],
  [
    'OpenRouter’s moderation',
    403,
    {
      error: {
        code: 403,
        message: 'Your chosen model requires moderation',
        metadata: { reasons: ['x'], flagged_input: 'y' },
      },
    },
    'content_filter',
  ],
  ['Gemini’s block, which is a 200', 200, { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } }, 'content_filter'],
  // Abilities.
  [
    'a parameter OpenAI does not take',
    400,
    openai(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      { param: 'max_tokens', code: 'unsupported_parameter' },
    ),
    'unsupported',
    { parameter: 'max_tokens' },
  ],
  [
    'tools Ollama’s model cannot use',
    400,
    { error: 'registry.ollama.ai/library/x does not support tools' },
    'unsupported',
    { ability: 'tools' },
  ],
  [
    'tools nobody offers',
    404,
    { error: { message: 'No endpoints found that support tool use.', code: 404 } },
    'unsupported',
    { ability: 'tools' },
  ],
  ['images', 400, openai('This model does not support image inputs'), 'unsupported', { ability: 'images' }],
  [
    'a schema',
    400,
    openai("Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model", {
      param: 'response_format',
    }),
    'unsupported',
    { parameter: 'response_format', ability: 'jsonSchema' },
  ],
  [
    'a field Mistral forbids',
    422,
    { detail: [{ type: 'extra_forbidden', loc: ['body', 'stream_options'], msg: 'Extra inputs are not permitted' }] },
    'unsupported',
    { parameter: 'stream_options', ability: undefined },
  ],
  [
    'a nested field Gemini does not have',
    400,
    google(
      400,
      'INVALID_ARGUMENT',
      'Invalid JSON payload received. Unknown name "thinkingConfig" at \'generation_config\': Cannot find field.',
    ),
    'unsupported',
    { parameter: 'thinkingConfig', ability: 'reasoning' },
  ],
  [
    'tools an old Gemini API does not have',
    400,
    google(400, 'INVALID_ARGUMENT', 'Invalid JSON payload received. Unknown name "tools": Cannot find field.'),
    'unsupported',
    { ability: 'tools' },
  ],
  [
    'a system role',
    400,
    google(400, 'INVALID_ARGUMENT', 'Developer instruction is not enabled for models/gemma-x'),
    'unsupported',
  ],
  // The caller.
  ['a malformed request', 400, openai('messages must not be empty', { type: 'invalid_request_error' }), 'bad_request'],
  [
    'a validation error',
    422,
    { detail: [{ loc: ['body', 'messages'], msg: 'field required', type: 'missing' }] },
    'bad_request',
  ],
  ...[409, 422].map((status): Case => [`HTTP ${status}`, status, '', 'bad_request']),
  // No call that keywise writes can be answered like this by the API itself.
  ...[405, 420, 421, 423, 424, 425, 426, 428, 431, 451].map((status): Case => [`HTTP ${status}`, status, '', 'server']),
  [
    'a prompt that speaks of limits, echoed',
    400,
    openai(
      'Invalid value: "error 429: rate limit exceeded, you have run out of credits and your API key not valid, daily quota" for messages[0]',
      { type: 'invalid_request_error' },
    ),
    'bad_request',
  ],
  [
    'a number in a message',
    400,
    openai('messages[429].content: 401 402 503 is invalid', { type: 'invalid_request_error' }),
    'bad_request',
  ],
  // Seen in the wild, beside the documented ones.
  [
    'Groq’s restricted organization',
    400,
    openai('Organization has been restricted.', { type: 'invalid_request_error', code: 'organization_restricted' }),
    'auth_invalid',
  ],
  [
    'a model that failed to write its tool call',
    400,
    openai('Failed to call a function.', { type: 'invalid_request_error', code: 'tool_use_failed' }),
    'server',
  ],
  [
    'Cerebras’s queue',
    429,
    {
      message: "We're experiencing high traffic right now!",
      type: 'too_many_requests_error',
      param: 'queue',
      code: 'queue_exceeded',
    },
    'overloaded',
  ],
  [
    'Mistral’s object for a message',
    422,
    {
      object: 'error',
      message: { detail: [{ type: 'extra_forbidden', loc: ['body', 'seed'], msg: 'Extra inputs are not permitted' }] },
      type: 'invalid_request_error',
    },
    'unsupported',
    { parameter: 'seed' },
  ],
  [
    'more output than the model can write',
    400,
    anthropic(
      'invalid_request_error',
      'max_tokens: 8192 > 4096, which is the maximum allowed number of output tokens for x',
    ),
    'unsupported',
    { parameter: 'max_tokens' },
  ],
  [
    'a key’s own spending limit at a router',
    403,
    { error: { code: 403, message: 'Key limit exceeded (total limit).' } },
    'billing',
    { keyLimit: true },
  ],
  [
    'the same as it says it since',
    402,
    openai('x', { code: 402, metadata: { limit_source: 'openrouter_key_limit' } }),
    'billing',
    { keyLimit: true },
  ],
  [
    'Anthropic, for a request longer than the plan covers',
    429,
    anthropic('rate_limit_error', 'Extra usage is required for long context requests.'),
    'too_large_for_limit',
  ],
  [
    'Z.ai’s concurrency',
    429,
    openai('High concurrency usage of this API, please reduce concurrency', { code: '1302' }),
    'rate_minute',
    { unit: 'concurrency', window: 'none' },
  ],
  [
    'too many parallel calls, with their number',
    429,
    openai('You have exceeded the limit of 5 concurrent requests'),
    'rate_minute',
    { unit: 'concurrency', window: 'none', limit: 5 },
  ],
  [
    'Moonshot’s concurrency',
    429,
    openai('request reached max organization concurrency: 1, please try again after 1 seconds', {
      type: 'rate_limit_reached_error',
    }),
    'rate_minute',
    { retryAfterMs: 1000, unit: 'concurrency', window: 'none', limit: 1 },
  ],
  [
    'Z.ai without a balance',
    429,
    openai('Insufficient balance or no resource package. Please recharge.', { code: '1113' }),
    'billing',
  ],
  [
    'a Vertex that is exhausted',
    429,
    google(429, 'RESOURCE_EXHAUSTED', 'Resource has been exhausted (e.g. check quota).'),
    'rate_minute',
  ],
  ['a limit per hour', 429, { error: "you've reached your hourly usage limit" }, 'rate_minute', { window: 'hour' }],
  [
    'a suspended account',
    412,
    openai('Account x is suspended, possibly due to reaching the monthly spending limit'),
    'billing',
  ],
  // Other gateways.
  [
    'LiteLLM without a deployment',
    429,
    openai(
      "No deployments available for selected model, Try again in 60 seconds. cooldown_list=[('b9', {'exception': 'insufficient_quota, limit: 0 requests per day', 'time': 1779097037.1})]",
      { type: 'None', code: '429' },
    ),
    'rate_minute',
    { retryAfterMs: 60_000, scope: 'model' },
    { headers: LITELLM },
  ],
  [
    'LiteLLM’s own limit',
    429,
    openai('Rate limit exceeded for api_key: b2. Limit resets at: 2026-11-23 00:15:18 UTC', { code: '429' }),
    'rate_minute',
    { retryAfterMs: 918_000 },
    { headers: { ...LITELLM, reset_at: '2026-11-23T00:15:18+00:00' } },
  ],
  ['LiteLLM and our token', 401, openai('Authentication Error', { type: 'token_not_found_in_db' }), 'auth_invalid'],
  [
    'LiteLLM and our permission',
    403,
    openai('x', { type: 'key_model_access_denied' }),
    'auth_forbidden',
    {},
    { headers: LITELLM },
  ],
  [
    'LiteLLM’s budget',
    429,
    openai('Budget has been exceeded!', { type: 'budget_exceeded' }),
    'billing',
    {},
    { headers: LITELLM },
  ],
  [
    'LiteLLM’s budget with its end',
    429,
    openai('Budget has been exceeded!', { type: 'budget_exceeded' }),
    'rate_minute',
    { retryAfterMs: 3_600_000 },
    { headers: { ...LITELLM, 'retry-after': '3600' } },
  ],
  ...[401, 402, 403].map(
    (status): Case => [
      `LiteLLM’s provider that refuses LiteLLM with ${status}`,
      status,
      openai('litellm.AuthenticationError: OpenAIException - Incorrect API key provided', { code: 'invalid_api_key' }),
      'server',
      {},
      { headers: LITELLM },
    ],
  ),
  [
    'the same by its words alone',
    401,
    openai('litellm.AuthenticationError: OpenAIException - Incorrect API key provided', { code: 'invalid_api_key' }),
    'server',
    { message: 'Incorrect API key provided' },
  ],
  [
    'an account of LiteLLM’s that is empty',
    400,
    openai(
      'litellm.BadRequestError: AnthropicException - {"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}',
    ),
    'server',
  ],
  [
    'a prompt that was too long behind LiteLLM',
    400,
    openai(
      "litellm.BadRequestError: OpenAIException - Error code: 400 - {'error': {'message': \"This model's maximum context length is 8192 tokens.\", 'param': None, 'code': 'context_length_exceeded'}}. Received Model Group=x",
      { code: '400' },
    ),
    'context_too_long',
    { limitTokens: 8192 },
    { headers: LITELLM },
  ],
  ['a channel of one-api that is refused', 401, openai('x', { type: 'upstream_error' }), 'server'],
  [
    'an account of Vercel’s that is empty',
    429,
    openai('Insufficient balance or no resource package.', { type: 'AI_APICallError' }),
    'rate_minute',
    { scope: 'model' },
  ],
  [
    'another keywise out of requests',
    429,
    openai('nothing can be called now: limit: 0 of 2 requests left this day (header); out of credits', {
      type: 'rate_limit_error',
      code: 'ALL_TARGETS_FAILED',
    }),
    'rate_minute',
    { retryAfterMs: 25_000, scope: 'model', window: undefined, unit: undefined },
    { headers: { ...KEYWISE, 'retry-after': '25' } },
  ],
  [
    'another keywise whose keys are refused',
    502,
    openai('x billing', { code: 'billing' }),
    'server',
    {},
    { headers: KEYWISE },
  ],
  [
    'another keywise that refuses our token',
    401,
    openai('no', { code: 'unauthorized' }),
    'auth_invalid',
    {},
    { headers: KEYWISE },
  ],
  [
    'another keywise with nobody left',
    503,
    openai('all 5 attempts failed (rate limit, insufficient_quota)', { code: 'server' }),
    'overloaded',
    { retryAfterMs: 9000 },
    { headers: { ...KEYWISE, 'retry-after': '9' } },
  ],
  [
    'another keywise that found the request too long',
    400,
    anthropic('invalid_request_error', 'the request is longer than any model that may answer it can read'),
    'context_too_long',
    {},
    { headers: { ...KEYWISE, 'x-keywise-error': 'context_too_long' } },
  ],
  [
    'another keywise that breaks off',
    200,
    anthropic('api_error', 'the answer broke off: rate limited'),
    'server',
    {},
    { headers: KEYWISE },
  ],
  [
    'another keywise that breaks off a stream with its provider’s refusal',
    200,
    openai('the answer broke off: refused', { code: 'invalid_value', metadata: { failure: 'bad_request' } }),
    'bad_request',
    {},
    { headers: KEYWISE },
  ],
  // Wrappings.
  [
    'Python’s notation in a message',
    429,
    openai("{'error': {'message': 'Too many', 'code': None, 'retry_after': 77}}"),
    'rate_minute',
    { retryAfterMs: 77_000, message: 'Too many' },
  ],
  [
    'JSON in JSON in JSON',
    429,
    openai(JSON.stringify(JSON.stringify(openai(JSON.stringify(openai('x', { code: 'insufficient_quota' })))))),
    'billing',
  ],
  [
    'Python’s notation in a sentence that may be an echo',
    400,
    openai("Invalid value: {'error': {'code': 'insufficient_quota'}}", { type: 'invalid_request_error' }),
    'bad_request',
  ],
  ['Gemini in a list', 503, [google(503, 'UNAVAILABLE', 'x')], 'overloaded'],
  [
    'JSON in a string',
    429,
    {
      error: {
        message: JSON.stringify(
          google(429, 'RESOURCE_EXHAUSTED', 'x', [violation('GenerateRequestsPerDayPerProjectPerModel-FreeTier')]),
          null,
          1,
        ),
        code: 429,
        status: 'Too Many Requests',
      },
    },
    'quota_day',
  ],
  [
    'JSON behind a status in a text',
    400,
    '400 {"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access"}}',
    'billing',
  ],
  ['JSON that came as text', 401, JSON.stringify(openai('x', { code: 'invalid_api_key' })), 'auth_invalid'],
]

/** Errors inside HTTP 200, as the readers of the dialects hand them on. */
const embedded: readonly Case[] = [
  [
    'OpenRouter’s chunk',
    200,
    {
      id: 'x',
      error: { code: 502, message: 'down', metadata: { error_type: 'provider_unavailable' } },
      choices: [{ finish_reason: 'error' }],
    },
    'overloaded',
    { status: 502 },
  ],
  [
    'OpenRouter’s error in a choice',
    200,
    { choices: [{ error: { code: 429, message: 'Rate limited' } }] },
    'rate_minute',
    { status: 429 },
  ],
  ...(
    [
      ['authentication', 'auth_invalid'],
      ['content_policy_violation', 'content_filter'],
      ['context_length_exceeded', 'context_too_long'],
      ['invalid_prompt', 'bad_request'],
      ['invalid_request', 'bad_request'],
      ['max_tokens_exceeded', 'unsupported'],
      ['not_found', 'model_not_found'],
      ['payload_too_large', 'bad_request'],
      ['payment_required', 'billing'],
      ['permission_denied', 'auth_forbidden'],
      ['precondition_failed', 'auth_forbidden'],
      ['provider_overloaded', 'overloaded'],
      ['provider_unavailable', 'overloaded'],
      ['rate_limit_exceeded', 'rate_minute'],
      ['refusal', 'content_filter'],
      ['server', 'server'],
      ['string_too_long', 'context_too_long'],
      ['timeout', 'server'],
      ['token_limit_exceeded', 'context_too_long'],
      ['unmapped', 'server'],
      ['unprocessable', 'bad_request'],
    ] as const
  ).map(
    ([type, kind]): Case => [
      `OpenRouter’s ${type}`,
      200,
      { error: { message: 'x', metadata: { error_type: type } } },
      kind,
    ],
  ),
  [
    'a refusal of the model, begun as an answer',
    200,
    openai('The model cannot be used with this API.', { type: 'invalid_request_error' }),
    'unsupported',
  ],
  [
    'a shut account, told inside an answer',
    200,
    anthropic('invalid_request_error', 'Your account has been suspended.'),
    'auth_forbidden',
    { keyWide: true },
  ],
  [
    'a model that is not ready, told inside an answer',
    200,
    anthropic('invalid_request_error', 'The model is currently being updated.'),
    'overloaded',
  ],
  ['OpenAI’s server error', 200, openai('x', { type: 'server_error' }), 'server'],
  ['vLLM', 200, { object: 'error', message: 'x', type: 'BadRequestError', code: 400 }, 'bad_request', { status: 400 }],
  [
    'Responses, wrapped',
    200,
    {
      type: 'error',
      sequence_number: 2,
      error: { type: 'insufficient_quota', code: 'insufficient_quota', message: 'x' },
    },
    'billing',
  ],
  ['Responses, flat', 200, { type: 'error', code: 'rate_limit_exceeded', message: 'x', param: null }, 'rate_minute'],
  [
    'response.failed',
    200,
    {
      type: 'response.failed',
      response: { status: 'failed', error: { code: 'context_length_exceeded', message: 'x' } },
    },
    'context_too_long',
  ],
  ['Anthropic’s event', 200, anthropic('overloaded_error', 'Overloaded'), 'overloaded', { status: 200 }],
  ['Anthropic’s api_error', 200, anthropic('api_error', 'Internal server error'), 'server'],
  ['Anthropic’s window as a stop reason', 200, { type: 'model_context_window_exceeded' }, 'context_too_long'],
  ['Gemini’s event', 200, google(503, 'UNAVAILABLE', 'x'), 'overloaded', { status: 503 }],
  ['Gemini’s internal error', 200, { error: { message: 'x', status: 'INTERNAL' } }, 'server'],
  ['Gemini’s exhaustion', 200, { error: { message: 'x', status: 'RESOURCE_EXHAUSTED' } }, 'rate_minute'],
  ['Gemini interactions', 200, { event_type: 'error', error: { code: 'quota_exceeded', message: 'x' } }, 'quota_day'],
  ...(
    [
      [1002, 'rate_minute'],
      [1004, 'auth_invalid'],
      [1008, 'billing'],
      [1013, 'server'],
      [1026, 'content_filter'],
      [1027, 'content_filter'],
      [1039, 'rate_minute'],
      [2013, 'bad_request'],
      [2056, 'rate_minute'],
    ] as const
  ).map(
    ([code, kind]): Case => [
      `MiniMax’s ${code}`,
      200,
      { base_resp: { status_code: code, status_msg: 'x' }, choices: null },
      kind,
    ],
  ),
  ['DeepSeek’s finish', 200, { choices: [{ finish_reason: 'insufficient_system_resource' }] }, 'overloaded'],
]

describe('classify()', () => {
  for (const [name, status, body, kind, facts = {}, rest = {}] of [...cases, ...embedded]) {
    test(`calls ${name} ${kind}`, () => {
      const failure = failureOf(status, body, rest)
      expect(failure.kind).toBe(kind)
      expect(failure).toMatchObject(JSON.parse(JSON.stringify(facts)))
      for (const [fact, value] of Object.entries(facts))
        if (value === undefined) expect(failure).not.toHaveProperty(fact)
    })
  }

  test.each([
    { success: false, errors: [{ code: { toString: 1 }, message: 'No.' }] },
    { base_resp: { status_code: { toString: 1 }, status_msg: 'No.' } },
    { message: 'No.', detail: { loc: ['body', { toString: 1 }], type: 'extra_forbidden' } },
    google(429, 'RESOURCE_EXHAUSTED', 'No.', [
      { '@type': 'QuotaFailure', violations: [{ quotaId: 'PerDay', quotaValue: { valueOf: 1, toString: 1 } }] },
    ]),
  ])('takes an object in the place of a code or a number for none: %j', (body) => {
    expect(failureOf(500, body).message).toBe('No.')
  })

  test('shows a message without keys and without line breaks, in 300 characters', () => {
    const key = `sk-${'x'.repeat(24)}`
    const { message } = failureOf(401, openai(`Incorrect API key provided:\n ${key}. ${'very '.repeat(200)}`))
    expect(message).not.toContain(key)
    expect(message).not.toContain('\n')
    expect(message.length).toBeLessThanOrEqual(300)
  })

  test('believes a wait in the order header in ms, header, body, text, exhausted limit', () => {
    const body = google(429, 'RESOURCE_EXHAUSTED', 'Please retry in 40s.', [retryInfo('30s')])
    const wait = (headers: Record<string, string>, from: unknown = body) =>
      failureOf(429, from, { headers }).retryAfterMs
    expect(wait({ 'retry-after-ms': '10000', 'retry-after': '20' })).toBe(10_000)
    expect(wait({ 'retry-after-ms': 'soon', 'retry-after': '20' })).toBe(20_000)
    expect(wait({ 'retry-after': '-1' })).toBe(30_000)
    expect(wait({}, openai('Please retry in 40s.'))).toBe(40_000)
    const headers = {
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '50s',
      'x-ratelimit-remaining-tokens': '9',
      'x-ratelimit-reset-tokens': '1h',
    }
    expect(wait(headers, openai('slow'))).toBe(50_000)
    expect(wait({}, openai('slow'))).toBeUndefined()
  })

  test('reads a date by the upstream’s clock', () => {
    const headers = { date: 'Tue, 24 Nov 2026 00:00:00 GMT', 'retry-after': 'Tue, 24 Nov 2026 00:01:00 GMT' }
    expect(failureOf(429, '', { headers }).retryAfterMs).toBe(60_000)
  })

  test('believes hours beside a daily violation, since only seconds are known to be wrong', () => {
    const day = violation('GenerateRequestsPerDayPerProjectPerModel-FreeTier')
    expect(failureOf(429, google(429, 'RESOURCE_EXHAUSTED', 'x', [day, retryInfo('7200s')])).retryAfterMs).toBe(
      7_200_000,
    )
  })

  test('survives every body JSON can hold, at every status', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 200, max: 599 }), (body, status) => {
        const failure = failureOf(status, body)
        expect(FAILURE_KINDS).toContain(failure.kind)
        expect(failureOf(status, JSON.stringify(body)).status).toBe(failure.status)
      }),
      { numRuns: 200 },
    )
  })

  test('survives bodies with the right names and the wrong things in them', () => {
    const name = fc.constantFrom(
      'error',
      'message',
      'code',
      'type',
      'status',
      'details',
      'metadata',
      'choices',
      'headers',
      'raw',
      'response',
      '__proto__',
      'violations',
      'retryDelay',
    )
    const leaf = fc.constantFrom(0, -1, 429, '429', '', null, true, 'x', 1e308)
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        leaf,
        fc.dictionary(name, tie('tree'), { maxKeys: 6 }),
        fc.array(tie('tree'), { maxLength: 3 }),
      ),
    }))
    fc.assert(
      fc.property(tree, fc.constantFrom(200, 400, 429, 503), (body, status) => {
        expect(FAILURE_KINDS).toContain(failureOf(status, body).kind)
      }),
      { numRuns: 200 },
    )
    expect(Object.prototype).not.toHaveProperty('message')
  })

  test('survives a body nested deeper than any stack', () => {
    let body: unknown = 'x'
    for (let depth = 0; depth < 100_000; depth++)
      body = depth % 2 ? [body] : { error: body, choices: [{ error: body }] }
    expect(failureOf(500, body).kind).toBe('server')
  })

  test('comes to an end on long texts made to be looked at for long', () => {
    const parts = [
      'a',
      'rate limit ',
      'model ',
      '"',
      "'",
      '`',
      'limit: 1',
      'try again in ',
      'resets at ',
      '2026-11-',
      "{'error':",
      'litellm.xError: ',
      'requested 1 ',
      '请',
      '{"error":',
      '[',
      '<',
      '1,',
      'use ',
      'context length ',
      '\n',
      ' ',
      'not ',
    ]
    for (const part of parts) {
      const long = part.repeat(1e6 / part.length)
      for (const status of [200, 400, 404, 429]) failureOf(status, long)
      failureOf(400, openai(long, { code: long, param: long }))
    }
  })
})

interface Observed {
  readonly id: string
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body: unknown
  readonly expect_class: FailureKind
}

test('words of a service steer no terminal on which they are shown', () => {
  const { message } = failureOf(500, { error: { message: 'a\u001b[2Jb\u009bc\u202ed\ne' } })
  expect(message).toBe('a\ufffd[2Jb\ufffdc\ufffdd e')
})

describe.runIf(hasTestData)('recorded errors', () => {
  const recorded = hasTestData
    ? JSON.parse(readTestData('fixtures', 'observed-errors', 'observed-errors.json')).errors
    : []
  for (const { id, status, headers, body, expect_class } of recorded as readonly Observed[]) {
    test(`${id} is ${expect_class}`, () => {
      expect(failureOf(status, body, { headers: headers ?? {} }).kind).toBe(expect_class)
    })
    test(`${id} is ${expect_class} as text, and inside a list`, () => {
      expect(failureOf(status, JSON.stringify(body), { headers: headers ?? {} }).kind).toBe(expect_class)
      expect(failureOf(status, [body], { headers: headers ?? {} }).kind).toBe(expect_class)
    })
  }

  test('Gemini’s 429 of a minute states its wait', () => {
    const body = JSON.parse(readTestData('fixtures', 'google', 'google-429-retry-info.json'))
    expect(failureOf(429, body)).toMatchObject({ kind: 'rate_minute', window: 'minute', retryAfterMs: 34_400 })
  })

  test('an unsupported parameter and an empty account, as OpenAI recorded them', () => {
    const parameter = JSON.parse(readTestData('fixtures', 'openai-chat', 'reasoning-model-legacy-parameter-error.json'))
    expect(failureOf(400, parameter)).toMatchObject({ kind: 'unsupported', parameter: 'max_tokens' })
    expect(failureOf(429, JSON.parse(readTestData('fixtures', 'openai-responses', 'openai-error.1.json'))).kind).toBe(
      'billing',
    )
  })
})
