/** Refusals by limits: every form of a stated wait, none stated, days that end elsewhere, and nobody left. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { APIManager, type APIManagerOptions } from '../../src/manager/apiManager.ts'
import { startWebhook } from '../support/alertDoubles.ts'
import { askGateway, DIALECTS } from '../support/askGateway.ts'
import { openGateway, until } from '../support/gatewayWorld.ts'
import { httpUpstream, type Reply } from '../support/httpUpstream.ts'
import { own, told } from '../support/lab.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const NOON = Date.UTC(2026, 10, 23, 12)

/** One key at one upstream, on a clock that the test moves. */
async function open(provider: string, reply: (now: number) => Reply, at = NOON, options: APIManagerOptions = {}) {
  const time = { now: at }
  const upstream = await httpUpstream(() => reply(time.now))
  const dialect = { google: 'google', anthropic: 'anthropic' }[provider] ?? 'openai'
  const manager = new APIManager({
    config: {
      [provider]: { dialect, api_key: `fake-${'0'.repeat(24)}`, endpoint: upstream.endpoint, models: ['m'] },
      settings: { timeouts: { patience_ms: 0 }, routing: { probes: 'free' } },
    },
    env: {},
    logger: false,
    random: () => 0,
    sleep: () => Promise.resolve(),
    now: () => time.now,
    ...options,
  })
  onTestFinished(() => manager.close())
  return { time, upstream, manager, ask: () => told(manager, 'Say hi') }
}

const retryAtOf = (error: unknown) => Date.parse((error as { retryAt?: string } | null)?.retryAt ?? '')

const openai = (message = 'Rate limit reached', more: object = {}): Reply['body'] => ({
  error: { message, type: 'requests', param: null, code: 'rate_limit_exceeded', ...more },
})
const google = (details: readonly object[], message = 'Quota exceeded'): Reply['body'] => ({
  error: { code: 429, status: 'RESOURCE_EXHAUSTED', message, details },
})
const violation = (quotaId: string) => ({
  '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
  violations: [{ quotaMetric: 'generativelanguage.googleapis.com/generate_content_free_tier_requests', quotaId }],
})
const PER_MINUTE = violation('GenerateRequestsPerMinutePerProjectPerModel-FreeTier')
const PER_DAY = violation('GenerateRequestsPerDayPerProjectPerModel-FreeTier')
const retryInfo = (retryDelay: string) => ({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay })
const anthropic: Reply['body'] = {
  type: 'error',
  error: { type: 'rate_limit_error', message: 'This request would exceed your account’s rate limit.' },
}

interface Row {
  readonly name: string
  readonly provider?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Reply['body']
  readonly waitMs: number
}

const ROWS: readonly Row[] = [
  { name: 'retry-after in seconds', headers: { 'retry-after': '12' }, waitMs: 12 * SECOND },
  { name: 'retry-after in parts of a second', headers: { 'retry-after': '12.5' }, waitMs: 12.5 * SECOND },
  { name: 'retry-after as a date', headers: { 'retry-after': 'Mon, 23 Nov 2026 12:05:00 GMT' }, waitMs: 5 * MINUTE },
  {
    name: 'retry-after-ms, before retry-after (Azure)',
    headers: { 'retry-after-ms': '4500', 'retry-after': '5' },
    waitMs: 4.5 * SECOND,
  },
  {
    name: 'a reset in Go’s notation (OpenAI)',
    provider: 'openai',
    headers: {
      'x-ratelimit-limit-requests': '500',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '47.5854s',
    },
    waitMs: 47_585,
  },
  {
    name: 'the reset of the limit that is exhausted, not of the other (Groq)',
    provider: 'groq',
    headers: {
      'x-ratelimit-limit-requests': '1000',
      'x-ratelimit-remaining-requests': '900',
      'x-ratelimit-reset-requests': '21h36m0s',
      'x-ratelimit-limit-tokens': '6000',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '7.66s',
    },
    waitMs: 7660,
  },
  {
    name: 'a reset in RFC 3339 (Anthropic)',
    provider: 'anthropic',
    headers: {
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': '2026-11-23T12:00:40Z',
      'retry-after': '40',
    },
    body: anthropic,
    waitMs: 40 * SECOND,
  },
  {
    name: 'epoch milliseconds in headers (OpenRouter)',
    provider: 'openrouter',
    headers: {
      'x-ratelimit-limit': '20',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(NOON + 33 * SECOND),
    },
    waitMs: 33 * SECOND,
  },
  {
    name: 'the same in the body (OpenRouter)',
    provider: 'openrouter',
    body: openai('Rate limit exceeded: free-models-per-min', {
      code: 429,
      metadata: {
        headers: {
          'X-RateLimit-Limit': '20',
          'X-RateLimit-Remaining': '0',
          'X-RateLimit-Reset': String(NOON + 44 * SECOND),
        },
      },
    }),
    waitMs: 44 * SECOND,
  },
  { name: 'RetryInfo (Gemini)', provider: 'google', body: google([PER_MINUTE, retryInfo('34.4s')]), waitMs: 34_400 },
  {
    name: 'RetryInfo in nanoseconds (Gemini)',
    provider: 'google',
    body: google([PER_MINUTE, retryInfo('34.074824224s')]),
    waitMs: 34_075,
  },
  { name: 'RetryInfo in ms (Gemini)', provider: 'google', body: google([PER_MINUTE, retryInfo('900ms')]), waitMs: 900 },
  { name: 'words (Gemini)', provider: 'google', body: google([], 'Please retry in 20.04466179s.'), waitMs: 20_045 },
  {
    name: 'words (Groq)',
    provider: 'groq',
    body: openai(
      'Rate limit reached for model `m` in organization `o` on tokens per minute (TPM): Limit 12000, Used 4437, Requested 9854. Please try again in 11.455s.',
    ),
    waitMs: 11_455,
  },
  {
    name: 'seconds as a float (Cerebras)',
    provider: 'cerebras',
    headers: {
      'x-ratelimit-limit-tokens-minute': '60000',
      'x-ratelimit-remaining-tokens-minute': '0',
      'x-ratelimit-reset-tokens-minute': '31.382867',
    },
    waitMs: 31_383,
  },
  {
    name: 'epoch seconds (SambaNova)',
    provider: 'sambanova',
    headers: {
      'x-ratelimit-limit-requests': '20',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': String(NOON / 1000 + 50),
    },
    waitMs: 50 * SECOND,
  },
  {
    name: 'seconds (Together)',
    provider: 'together',
    headers: { 'x-ratelimit-limit': '60', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '25' },
    waitMs: 25 * SECOND,
  },
  { name: 'words of hours', body: openai('Please try again in 1h'), waitMs: HOUR },
]

describe('F22 a 429 with a stated wait', () => {
  for (const { name, provider = 'relay', headers = {}, body = openai(), waitMs } of ROWS)
    test(`F22 is kept and not exceeded: ${name}`, async () => {
      const { time, upstream, ask } = await open(provider, (now) =>
        now < NOON + waitMs ? { status: 429, headers, body } : said(provider),
      )
      const { error } = await ask()
      const retryAt = retryAtOf(error)
      // Never shorter; at most a tenth longer, and at most a minute.
      expect(retryAt - NOON).toBeGreaterThanOrEqual(Math.floor(waitMs))
      expect(retryAt - NOON).toBeLessThanOrEqual(waitMs + Math.min(0.11 * waitMs + 20, 61 * SECOND))
      time.now = NOON + Math.floor(waitMs * 0.98)
      await ask()
      expect(upstream.calls).toHaveLength(1)
      time.now = retryAt
      expect((await ask()).error).toBeNull()
    })

  test('F22 nonsense states no wait: seconds, not years', async () => {
    for (const wait of ['-5', 'NaN', 'soon', '99999999', 'Thu, 01 Jan 1970 00:00:00 GMT', '']) {
      const { ask } = await open('relay', () => ({ status: 429, headers: { 'retry-after': wait }, body: openai() }))
      const { error } = await ask()
      expect([wait, retryAtOf(error) - NOON <= MINUTE]).toEqual([wait, true])
    }
  })
})

/** A whole answer, as the provider's protocol has it. */
function said(provider: string): Reply {
  const content = [{ type: 'text', text: 'hello' }]
  const usage = { input_tokens: 3, output_tokens: 2 }
  if (provider === 'anthropic')
    return {
      body: { id: 'x', type: 'message', role: 'assistant', model: 'm', content, stop_reason: 'end_turn', usage },
    }
  const parts = [{ text: 'hello' }]
  if (provider === 'google')
    return { body: { candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }] } }
  return {}
}

test('F23 a 429 without a hint: 30 s, doubled by each that follows, up to 4 h', async () => {
  const { time, upstream, ask } = await open('relay', () => ({ status: 429, body: openai() }))
  const waits: number[] = []
  for (let call = 1; call <= 12; call++) {
    const retryAt = retryAtOf((await ask()).error)
    waits.push(retryAt - time.now)
    time.now = retryAt
  }
  expect(upstream.calls).toHaveLength(12)
  for (const [index, wait] of waits.entries()) {
    const base = Math.min(30 * SECOND * 2 ** index, 4 * HOUR)
    // From the third in a row on never past the next daily reset, which is unknown here.
    expect([index, wait]).toEqual([index, expect.toSatisfy((ms: number) => ms >= base && ms <= base * 1.11 + MINUTE)])
  }
})

describe('F24 a day that is used up beside a short delay', () => {
  test.each([
    ['an ordinary day', '2026-11-23T12:00:00Z', '2026-11-24T08:00:00Z'],
    ['the day of 23 hours', '2026-03-08T08:30:00Z', '2026-03-09T07:00:00Z'],
    ['the day of 25 hours', '2026-11-01T07:30:00Z', '2026-11-02T08:00:00Z'],
    ['an hour before the clocks go back', '2026-11-01T08:30:00Z', '2026-11-02T08:00:00Z'],
    ['the last minute of a day', '2026-11-24T07:59:30Z', '2026-11-24T08:00:00Z'],
  ])('F24 ends at the midnight of the provider: %s', async (_, from, midnight) => {
    const end = Date.parse(midnight)
    const body = google([PER_DAY, retryInfo('34s')])
    const { time, upstream, ask } = await open(
      'google',
      (now) => (now < end ? { status: 429, body } : said('google')),
      Date.parse(from),
    )
    const retryAt = retryAtOf((await ask()).error)
    expect(retryAt).toBeGreaterThanOrEqual(end)
    expect(retryAt).toBeLessThanOrEqual(end + MINUTE)
    time.now = end - 1
    expect((await ask()).attempts).toEqual([])
    expect(upstream.calls).toHaveLength(1)
    time.now = retryAt
    expect((await ask()).error).toBeNull()
  })
})

describe('F25 nobody left', () => {
  const ERRORS = {
    openai: { error: { type: expect.any(String), message: expect.stringContaining('2026') } },
    'openai-responses': { error: { type: expect.any(String), message: expect.stringContaining('2026') } },
    anthropic: { type: 'error', error: { type: 'rate_limit_error' } },
    google: { error: { code: 429, status: 'RESOURCE_EXHAUSTED' } },
  } as const

  test.each(DIALECTS)('F25 is a 429 at once, with the soonest reset, in the words of %s', async (dialect) => {
    let now = NOON
    await using world = await openGateway(
      { providers: { ...own('alpha', 1, ['m']), ...own('beta', 1, ['m']) } },
      { clock: () => now, now: () => now, settings: { timeouts: { patience_ms: 0 }, routing: { probes: 'free' } } },
    )
    world.fakes.fault('alpha', { do: 'rate_minute', retry_after: 300 })
    world.fakes.fault('beta', { do: 'rate_minute', retry_after: 50 })
    for (const stream of [false, true]) await askGateway(world, dialect, { model: 'm', stream })
    world.fakes.forget()
    now += 10 * SECOND
    for (const stream of [false, true]) {
      const { status, text, headers } = await refused(world, dialect, stream)
      expect(status).toBe(429)
      expect(JSON.parse(text)).toMatchObject(ERRORS[dialect])
      const wait = Number(headers.get('retry-after'))
      expect(wait).toBeGreaterThanOrEqual(40)
      expect(wait).toBeLessThanOrEqual(46)
      expect(headers.get('x-should-retry')).toBe('false')
    }
    expect(world.fakes.calls).toEqual([])
  })

  test('F25 a wait within the patience is waited for', async () => {
    const slept: number[] = []
    const { time, manager } = await open(
      'relay',
      (now) => (now < NOON + 4 * SECOND ? { status: 429, headers: { 'retry-after': '4' }, body: openai() } : {}),
      NOON,
      {
        settings: { timeouts: { patience_ms: 10_000 } },
        sleep: async (ms) => {
          slept.push(ms)
          time.now += ms
        },
      },
    )
    expect((await told(manager, 'Say hi')).result?.content).toBe('hello')
    expect(slept.filter((ms) => ms >= 4 * SECOND && ms <= 5 * SECOND)).not.toEqual([])
  })

  test('F25 is told once per outage, however many requests meet it', async () => {
    let now = NOON
    const hook = await startWebhook()
    await using world = await openGateway(
      { providers: own('alpha', 1, ['m'], { faults: [{ do: 'rate_minute', retry_after: 3600 }] }) },
      {
        clock: () => now,
        now: () => now,
        settings: { timeouts: { patience_ms: 0 }, alerts: { webhook: { url: `${hook.origin}/hook` } } },
      },
    )
    for (let call = 0; call < 20; call++) {
      await askGateway(world, 'openai', { model: 'm', stream: false })
      now += SECOND
    }
    await until(() => hook.calls.length > 0, 'the alert')
    expect(hook.calls.length).toBe(1)
  })

  async function refused(
    world: Awaited<ReturnType<typeof openGateway>>,
    dialect: (typeof DIALECTS)[number],
    stream: boolean,
  ) {
    const asked = {
      openai: '/v1/chat/completions',
      'openai-responses': '/v1/responses',
      anthropic: '/v1/messages',
      google: `/v1beta/models/m:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    }[dialect]
    const messages = [{ role: 'user', content: 'Hi' }]
    const bodies = {
      openai: { model: 'm', messages, stream },
      'openai-responses': { model: 'm', input: 'Hi', stream },
      anthropic: { model: 'm', max_tokens: 9, messages, stream },
      google: { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
    }
    const response = await world.ask(asked, bodies[dialect])
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
})
