import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LimitFact } from '../../domain/failure.ts'
import { exhaustedLimit, readLimits } from './limits.ts'

const NOW = Date.parse('2026-11-23T00:00:00Z')

type Provider = Parameters<typeof readLimits>[2]
const perModel: Provider = { quotaScope: 'account+model' }
const perAccount: Provider = { quotaScope: 'account' }
const groqLike: Provider = { quotaScope: 'account+model', limitWindows: { requests: 'day', tokens: 'minute' } }

/** `requests/day model 14/1000 +5000`: unit, window, scope, what is left of what, and when it resets. */
function show({ unit, window, scope, limit, remaining, resetsAt, source }: LimitFact): string {
  const reset = resetsAt === null ? '' : ` +${Math.round(resetsAt - NOW)}`
  return `${unit}/${window} ${scope} ${remaining ?? '?'}/${limit ?? '?'}${reset}${source === 'body' ? ' body' : ''}`
}

const facts = (headers: Record<string, string>, provider = perModel, body?: unknown) =>
  readLimits(headers, body, provider, NOW).map(show)

type Case = [name: string, provider: Provider, headers: Record<string, string>, expected: string[]]

const six = (limitR: string, leftR: string, resetR: string, limitT: string, leftT: string, resetT: string) => ({
  'x-ratelimit-limit-requests': limitR,
  'x-ratelimit-remaining-requests': leftR,
  'x-ratelimit-reset-requests': resetR,
  'x-ratelimit-limit-tokens': limitT,
  'x-ratelimit-remaining-tokens': leftT,
  'x-ratelimit-reset-tokens': resetT,
})
const family = (unit: string, limit: string, left: string, reset: string) => ({
  [`anthropic-ratelimit-${unit}-limit`]: limit,
  [`anthropic-ratelimit-${unit}-remaining`]: left,
  [`anthropic-ratelimit-${unit}-reset`]: reset,
})

const cases: readonly Case[] = [
  [
    'OpenAI',
    perModel,
    six('500', '499', '120ms', '30000', '29000', '6m0s'),
    ['requests/minute model 499/500 +120', 'tokens/minute model 29000/30000 +360000'],
  ],
  [
    'OpenAI’s requests of a day, by their far reset',
    perModel,
    six('200', '150', '21h36m0s', '30000', '29000', '1s'),
    ['requests/day model 150/200 +77760000', 'tokens/minute model 29000/30000 +1000'],
  ],
  [
    'Groq',
    groqLike,
    six('14400', '14370', '2m59.56s', '18000', '17997', '7.66s'),
    ['requests/day model 14370/14400 +179560', 'tokens/minute model 17997/18000 +7660'],
  ],
  [
    'Anthropic',
    perModel,
    {
      ...family('requests', '50', '49', '2026-11-23T00:00:01Z'),
      ...family('tokens', '80000', '79000', '2026-11-23T00:01:00Z'),
      ...family('input-tokens', '40000', '39000', '2026-11-23T00:01:00Z'),
      ...family('output-tokens', '8000', '8000', '2026-11-23T00:00:00Z'),
    },
    [
      'requests/minute model 49/50 +1000',
      'tokens/minute model 79000/80000 +60000',
      'input-tokens/minute model 39000/40000 +60000',
      'output-tokens/minute model 8000/8000 +0',
    ],
  ],
  [
    'Anthropic’s priority and subscription headers, which are no limits of ours',
    perModel,
    {
      'anthropic-priority-input-tokens-limit': '5',
      'anthropic-ratelimit-unified-reset': '1764000000',
      'anthropic-ratelimit-unified-status': 'allowed',
    },
    [],
  ],
  [
    'OpenRouter',
    perAccount,
    { 'x-ratelimit-limit': '20', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW + 30_000) },
    ['requests/minute account 0/20 +30000'],
  ],
  [
    'Mistral',
    perAccount,
    {
      'x-ratelimit-limit-req-minute': '720',
      'x-ratelimit-remaining-req-minute': '717',
      'x-ratelimit-limit-tokens-minute': '5000000',
      'x-ratelimit-remaining-tokens-minute': '4999911',
      'x-ratelimit-tokens-query-cost': '52',
    },
    ['requests/minute account 717/720', 'tokens/minute account 4999911/5000000'],
  ],
  [
    'Cerebras',
    perModel,
    {
      'x-ratelimit-limit-requests-day': '14400',
      'x-ratelimit-remaining-requests-day': '14399',
      'x-ratelimit-reset-requests-day': '33011.382867',
      'x-ratelimit-limit-tokens-minute': '60000',
      'x-ratelimit-remaining-tokens-minute': '59000',
      'x-ratelimit-reset-tokens-minute': '11.38',
    },
    ['requests/day model 14399/14400 +33011383', 'tokens/minute model 59000/60000 +11380'],
  ],
  [
    'SambaNova',
    perModel,
    {
      'x-ratelimit-limit-requests': '20',
      'x-ratelimit-remaining-requests': '19',
      'x-ratelimit-reset-requests': String(NOW / 1000 + 60),
      'x-ratelimit-limit-requests-day': '20',
      'x-ratelimit-remaining-requests-day': '12',
      'x-ratelimit-reset-requests-day': String(NOW / 1000 + 3600),
    },
    ['requests/minute model 19/20 +60000', 'requests/day model 12/20 +3600000'],
  ],
  [
    'Together',
    perAccount,
    {
      'x-ratelimit-limit': '10',
      'x-ratelimit-remaining': '9',
      'x-ratelimit-reset': '5',
      'x-tokenlimit-limit': '3000',
      'x-tokenlimit-remaining': '2990',
    },
    ['requests/minute account 9/10 +5000', 'tokens/minute account 2990/3000'],
  ],
  [
    'ModelScope',
    { quotaScope: 'account', limitWindows: { requests: 'day' } },
    {
      'modelscope-ratelimit-requests-limit': '2000',
      'modelscope-ratelimit-requests-remaining': '1990',
      'modelscope-ratelimit-model-requests-limit': '200',
      'modelscope-ratelimit-model-requests-remaining': '190',
    },
    ['requests/day account 1990/2000', 'requests/day model 190/200'],
  ],
  [
    'Azure',
    perModel,
    { 'x-ratelimit-remaining-requests': '9', 'x-ratelimit-remaining-tokens': '9990' },
    ['requests/minute model 9/?', 'tokens/minute model 9990/?'],
  ],
  [
    'GitHub',
    perModel,
    { 'x-ratelimit-type': 'UserByModelByDay', 'x-ratelimit-timeremaining': '24367' },
    ['requests/day model 0/? +24367000'],
  ],
  [
    'GitHub’s minute with retry-after',
    perModel,
    { 'x-ratelimit-type': 'UserByModelByMinute', 'retry-after': '7' },
    ['requests/minute model 0/? +7000'],
  ],
  [
    'Cohere’s older keys',
    perAccount,
    { 'x-trial-endpoint-call-limit': '40', 'x-trial-endpoint-call-remaining': '38' },
    ['requests/minute account 38/40'],
  ],
  [
    'the IETF draft',
    perAccount,
    { ratelimit: '"default";r=50;t=30', 'ratelimit-policy': '"default";q=100;w=60' },
    ['requests/minute account 50/100 +30000'],
  ],
  [
    'the IETF draft with two policies',
    perAccount,
    { ratelimit: '"hour";r=5;t=30, "day";r=0;t=3000', 'ratelimit-policy': '"hour";q=10;w=3600, "day";q=100;w=86400' },
    ['requests/hour account 5/10 +30000', 'requests/day account 0/100 +3000000'],
  ],
  [
    'the IETF’s earlier single header',
    perAccount,
    { ratelimit: 'limit=100, remaining=50, reset=30' },
    ['requests/minute account 50/100 +30000'],
  ],
  [
    'the IETF’s earliest three headers',
    perAccount,
    { 'ratelimit-limit': '100, 100;w=60', 'ratelimit-remaining': '50', 'ratelimit-reset': '30' },
    ['requests/minute account 50/100 +30000'],
  ],
  [
    'other names with a limit in them',
    perModel,
    { 'x-content-limit': '5', 'limit-me': '7', 'x-ratelimit-bypass': '1' },
    [],
  ],
  // Hostile values.
  ['negative numbers', perModel, six('-1', '-1', '-5s', '-30000', '-1', '-1'), []],
  ['absurd numbers', perModel, six('1e400', '99999999999999999999', '9'.repeat(300), 'Infinity', 'NaN', ''), []],
  [
    'more left than there is',
    perModel,
    six('10', '11', '1s', '30000', '29000', '1s'),
    ['tokens/minute model 29000/30000 +1000'],
  ],
  [
    'a limit of nothing',
    perModel,
    six('0', '0', '1h', '30000', '29000', '1s'),
    ['tokens/minute model 29000/30000 +1000'],
  ],
  [
    'a reset in the past or years ahead',
    perModel,
    six('10', '0', '1000000000', '30000', '0', '4102444800'),
    ['requests/minute model 0/10', 'tokens/minute model 0/30000'],
  ],
  ['a reset alone', perModel, { 'x-ratelimit-reset-requests': '5s' }, []],
]

describe('readLimits()', () => {
  for (const [name, provider, headers, expected] of cases) {
    test(`reads ${name}`, () => expect(facts(headers, provider)).toEqual(expected))
  }

  test('says nothing, and the same nothing, when no header speaks of limits', () => {
    const headers = { 'content-type': 'application/json', date: 'Mon, 23 Nov 2026 00:00:00 GMT' }
    expect(readLimits(headers, undefined, perModel, NOW)).toHaveLength(0)
    expect(readLimits(headers, undefined, perModel, NOW)).toBe(readLimits({}, undefined, perModel, NOW))
  })

  test('puts resets on our own clock', () => {
    const headers = { ...family('requests', '50', '49', '2026-11-24T00:00:10Z'), date: 'Tue, 24 Nov 2026 00:00:00 GMT' }
    expect(facts(headers)).toEqual(['requests/minute model 49/50 +10000'])
  })

  test('reads Gemini’s violations', () => {
    const violations = [
      {
        quotaId: 'GenerateContentInputTokensPerModelPerMinute-FreeTier',
        quotaMetric: 'x/generate_content_free_tier_input_token_count',
        quotaValue: '250000',
      },
      { quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier', quotaValue: '20' },
      { quotaId: 'GenerateRequestsPerMinutePerProject', quotaValue: '-3' },
      { quotaId: 7 },
      null,
    ]
    const body = {
      error: { code: 429, details: [{ '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations }] },
    }
    expect(facts({}, perModel, body)).toEqual([
      'input-tokens/minute model ?/250000 body',
      'requests/day model 0/20 body',
    ])
  })

  test('reads Groq’s sentence', () => {
    const message =
      'Rate limit reached on tokens per day (TPD): Limit 100,000, Used 97050, Requested 3619. Please try again in 9m38s.'
    expect(facts({}, perModel, { error: { message } })).toEqual(['tokens/day model 2950/100000 body'])
  })

  test('reads the headers OpenRouter puts into its body', () => {
    const headers = {
      'X-RateLimit-Limit': '50',
      'X-RateLimit-Remaining': '0',
      'X-RateLimit-Reset': String(NOW + 600_000),
    }
    const body = { error: { message: 'Rate limit exceeded: free-models-per-day', code: 429, metadata: { headers } } }
    expect(facts({}, perAccount, body)).toEqual(['requests/day account 0/50 +600000 body'])
  })

  test('believes the headers when the body speaks of the same limit', () => {
    const body = { error: { message: 'tokens per minute (TPM): Limit 6000, Used 1, Requested 2' } }
    const headers = { 'x-ratelimit-limit-tokens': '6000', 'x-ratelimit-remaining-tokens': '0' }
    expect(facts(headers, perModel, body)).toEqual(['tokens/minute model 0/6000'])
  })

  test('never throws and never speaks of the past or of more than a month, whatever the headers are', () => {
    const name = fc.constantFrom(
      ...Object.keys(six('', '', '', '', '', '')),
      'ratelimit',
      'ratelimit-policy',
      'x-ratelimit-type',
      'retry-after',
      'date',
      'x-ratelimit-reset',
      '__proto__',
    )
    const value = fc.oneof(
      fc.string(),
      fc.double().map(String),
      fc.constantFrom('-1', '0', '1e9', '"a";r=1;t=-1', ';;;', ',,,', '=', 'UserByDay'),
    )
    fc.assert(
      fc.property(fc.dictionary(name, value), fc.jsonValue(), (headers, body) => {
        for (const { limit, remaining, resetsAt } of readLimits(headers, body, perModel, NOW)) {
          expect(limit === null || limit > 0).toBe(true)
          expect(remaining === null || (remaining >= 0 && (limit === null || remaining <= limit))).toBe(true)
          expect(resetsAt === null || (resetsAt >= NOW && resetsAt <= NOW + 31 * 86_400_000)).toBe(true)
        }
      }),
      { numRuns: 200 },
    )
  })
})

test('exhausted() finds the limit of which nothing is left and that comes back last', () => {
  const limits = readLimits({ ...six('10', '0', '5s', '1000', '0', '50s') }, undefined, perModel, NOW)
  expect(exhaustedLimit(limits)?.unit).toBe('tokens')
  expect(
    exhaustedLimit(readLimits({ ...six('10', '1', '5s', '1000', '9', '50s') }, undefined, perModel, NOW)),
  ).toBeUndefined()
})
