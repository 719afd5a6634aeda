/** Refusals of upstreams: status, headers and body in, a failure with its facts out. */

import { FAILURE_KINDS } from '../../../src/domain/failure.ts'
import { redactor } from '../../../src/domain/redact.ts'
import { SecretIndex } from '../../../src/domain/secretIndex.ts'
import { catalog } from '../../../src/providers/catalog.ts'
import { classify } from '../../../src/upstream/failures/classify.ts'
import { readLimits } from '../../../src/upstream/limits/limits.ts'
import { type FuzzTarget, promise, type Random } from '../driver.ts'
import { mutated, mutatedText } from '../mutate.ts'
import { noPollution, orRefusal } from '../promises.ts'
import { smallerJson } from './requests.ts'

interface Refused {
  readonly provider: number
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/** Obviously no real one, and put together here so that no scanner takes it for one. */
const PART = ['q7Rt', 'Zk2m', 'Xv9L', 'c4Wd', 'Hb8s', 'Ny3P', 'Jf6g', 'Te1A'].join('')
const KEY = `gsk_${PART}`
const SECRETS = new SecretIndex()
SECRETS.add(KEY)
/** Fewer characters may stay: enough to recognise a key by. */
const RUN = 8
const RUNS = Array.from({ length: PART.length - RUN + 1 }, (_, at) => PART.slice(at, at + RUN).toLowerCase())
const NOW = Date.UTC(2026, 10, 30, 12)

const BODIES: readonly unknown[] = [
  {
    error: {
      message: 'Rate limit reached for model `m`. Please try again in 7.5s.',
      type: 'requests',
      code: 'rate_limit_exceeded',
    },
  },
  {
    error: {
      message: `Incorrect API key provided: ${KEY}.`,
      type: 'invalid_request_error',
      param: null,
      code: 'invalid_api_key',
    },
  },
  {
    error: {
      message: "Unsupported parameter: 'max_tokens' is not supported with this model.",
      param: 'max_tokens',
      code: 'unsupported_parameter',
    },
  },
  {
    error: {
      message: "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
      code: 'context_length_exceeded',
    },
  },
  { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' }, request_id: 'req_1' },
  {
    type: 'error',
    error: { type: 'invalid_request_error', message: 'messages.1.content.0.tool_result: field required' },
  },
  {
    error: {
      code: 429,
      status: 'RESOURCE_EXHAUSTED',
      message: 'You exceeded your current quota. Please retry in 34.07s.',
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
          violations: [
            { quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier', quotaValue: '250', quotaMetric: 'x' },
          ],
        },
        { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34s' },
        { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' },
      ],
    },
  },
  [{ error: { code: 400, message: 'API key not valid.', status: 'INVALID_ARGUMENT' } }],
  {
    error: {
      message: 'Provider returned error',
      code: 429,
      metadata: {
        raw: '{"error":{"message":"slow down"}}',
        provider_name: 'X',
        headers: { 'X-RateLimit-Reset': '1796040000000' },
      },
    },
  },
  { detail: [{ loc: ['body', 'messages', 0, 'role'], msg: 'Input should be a valid string', type: 'string_type' }] },
  { success: false, errors: [{ code: 10000, message: 'Authentication error' }], result: null },
  { message: 'Limit Exhausted. It resets at 2026-12-01 00:00:00', code: '1308' },
  { error: 'model "m" not found, try pulling it first' },
  '<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>',
  'upstream connect error or disconnect/reset before headers',
]

const HEADERS: readonly (readonly [string, string])[] = [
  ['retry-after', '7'],
  ['retry-after', 'Mon, 30 Nov 2026 12:00:30 GMT'],
  ['retry-after-ms', '1500'],
  ['x-ratelimit-limit-requests', '14400'],
  ['x-ratelimit-remaining-requests', '0'],
  ['x-ratelimit-reset-requests', '6m0s'],
  ['x-ratelimit-remaining-tokens', '17992'],
  ['x-ratelimit-reset-tokens', '7.66s'],
  ['anthropic-ratelimit-requests-remaining', '0'],
  ['anthropic-ratelimit-requests-reset', '2026-11-30T12:01:00Z'],
  ['x-ratelimit-reset', '1796040000000'],
  ['ratelimit', '"default";r=0;t=30'],
  ['ratelimit-policy', '"default";q=100;w=60'],
  ['x-ratelimit-type', 'UserByModelByDay'],
  ['date', 'Mon, 30 Nov 2026 11:59:59 GMT'],
  ['content-type', 'application/json'],
  ['server', 'cloudflare'],
  ['cf-ray', '8f00'],
  ['x-litellm-version', '1.90.0'],
  ['x-keywise-request-id', 'kw_1'],
]
const VALUES = [
  '',
  '-1',
  '0',
  '1e9',
  '9'.repeat(300),
  'NaN',
  '1;w=',
  ',,,',
  'Infinity',
  '\t',
  'a'.repeat(5_000),
  '1m1h1s',
  '2026-99-99',
  '"x";r=1e99',
  '0x10',
]

const STATUSES = [
  200, 204, 301, 400, 400, 401, 402, 403, 404, 405, 408, 409, 413, 415, 422, 424, 429, 429, 429, 498, 500, 502, 503,
  504, 520, 524, 529, 599,
]

export const failures: FuzzTarget<Refused> = {
  name: 'failures',
  share: 8,
  make(random) {
    const body = mutated(random.of(BODIES), random)
    return {
      provider: random.below(catalog.length),
      status: random.of(STATUSES),
      headers: someHeaders(random),
      text: typeof body === 'string' && random.chance(0.7) ? body : mutatedText(body, random, 0.15),
    }
  },
  check({ provider: place, status, headers, text }) {
    const provider = catalog[place]
    if (provider === undefined) throw new TypeError('there is no such provider')
    const body =
      orRefusal<unknown>(
        () => JSON.parse(text),
        (error) => error instanceof SyntaxError,
      ) ?? text
    const redact = redactor(SECRETS)
    const failure = classify({ status, headers, body, provider, model: 'm', now: NOW, redact })
    promise(FAILURE_KINDS.includes(failure.kind), () => `there is no kind ${failure.kind}`)
    promise(failure.message.length <= 301, () => `its message has ${failure.message.length} characters`)
    promise(!/\p{Cc}/u.test(failure.message), 'its message holds control characters')
    const said = JSON.stringify(failure).toLowerCase()
    promise(!RUNS.some((run) => said.includes(run)), 'it holds eight characters of the key')
    const wait = 'retryAfterMs' in failure ? failure.retryAfterMs : undefined
    promise(wait === undefined || (Number.isFinite(wait) && wait >= 0), () => `its wait is ${wait}`)
    for (const { limit, remaining, resetsAt } of readLimits(headers, body, provider, NOW))
      for (const number of [limit, remaining, resetsAt])
        promise(number === null || (Number.isFinite(number) && number >= 0), () => `a limit of ${number}`)
    noPollution()
  },
  *smaller({ headers, text, ...rest }) {
    for (const name of Object.keys(headers)) {
      const { [name]: _, ...fewer } = headers
      yield { ...rest, headers: fewer, text }
    }
    yield* smallerJson(text, (smaller) => ({ ...rest, headers, text: smaller }))
  },
  show: ({ provider, status, headers, text }) =>
    `${catalog[provider]?.id} ${status} ${JSON.stringify(headers)} ${JSON.stringify(text)}`,
}

function someHeaders(random: Random): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let count = random.below(7); count > 0; count--) {
    const [name, value] = random.of(HEADERS)
    const [, other] = random.of(HEADERS)
    headers[name] = random.chance(0.5) ? value : random.of([other, random.of(VALUES), value + random.of(VALUES)])
  }
  return headers
}
