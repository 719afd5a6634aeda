import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { APIManager } from '../src/manager/apiManager.ts'
import { httpUpstream, type Reply } from './support/httpUpstream.ts'
import { told } from './support/lab.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

const NOON = Date.UTC(2026, 10, 23, 12)
const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** A manager with one key at the upstream, on a clock that the test moves. */
function managerOf(provider: string, block: object, now: () => number, store?: string): APIManager {
  const manager = new APIManager({
    ...(store !== undefined && { store }),
    config: { [provider]: block, settings: { timeouts: { patience_ms: 0 } } },
    env: {},
    logger: false,
    random: () => 0,
    // Pauses between two tries take no time.
    sleep: () => Promise.resolve(),
    now,
  })
  onTestFinished(() => manager.close())
  return manager
}

const relay = (endpoint: string) => ({ dialect: 'openai', api_key: `sk-${'0'.repeat(24)}`, endpoint, models: ['m'] })
const refused = (message: string, fields: object = {}): Reply => ({
  status: 429,
  body: { error: { message, ...fields } },
})
const beijing = (at: number) => new Date(at + 8 * HOUR).toISOString().slice(0, 19).replace('T', ' ')

interface Row {
  readonly name: string
  readonly answer: Reply
  readonly waitMs: number
  readonly provider?: string
}

const ROWS: readonly Row[] = [
  { name: 'a field in seconds', answer: refused('limit reached', { resets_in_seconds: 5400 }), waitMs: 90 * MINUTE },
  { name: 'a field with a date', answer: refused('limit reached', { reset_at: (NOON + HOUR) / 1000 }), waitMs: HOUR },
  {
    name: 'a field outside the error',
    answer: { status: 429, body: { detail: 'Too many requests', retryAfter: 900 } },
    waitMs: 15 * MINUTE,
  },
  {
    name: 'a header of its own',
    answer: { ...refused('slow down'), headers: { 'x-plan-reset-after-seconds': '1800' } },
    waitMs: 30 * MINUTE,
  },
  { name: 'a length in a sentence', answer: refused('Usage limit reached. Resets in 1h 15m.'), waitMs: 75 * MINUTE },
  {
    name: 'a date in a sentence',
    answer: refused(`Come back later; available again at ${new Date(NOON + 3 * HOUR).toISOString()}`),
    waitMs: 3 * HOUR,
  },
  {
    name: 'Z.ai’s date of a week',
    provider: 'zai',
    answer: refused(`Weekly/Monthly Limit Exhausted. Your limit will reset at ${beijing(NOON + 50 * HOUR)}`),
    waitMs: 50 * HOUR,
  },
  {
    name: 'Z.ai’s date in Chinese, behind a relay',
    answer: refused(`已达到 5 小时的使用上限。您的限额将在 ${beijing(NOON + 2 * HOUR)} 重置。`, { code: '1308' }),
    waitMs: 2 * HOUR,
  },
  {
    name: 'data that another gateway printed into its message',
    answer: refused("Error code: 429 - {'error': {'message': 'too many', 'code': None, 'retry_after': 600}}"),
    waitMs: 10 * MINUTE,
  },
]

describe('a wait that the upstream states', () => {
  for (const { name, answer, waitMs, provider = 'relay' } of ROWS)
    test(`is kept to the minute: ${name}`, async () => {
      let now = NOON
      const upstream = await httpUpstream(() => (now < NOON + waitMs ? answer : {}))
      const block = { ...relay(upstream.endpoint), ...(provider === 'zai' && { dialect: undefined }) }
      const manager = managerOf(provider, JSON.parse(JSON.stringify(block)), () => now)
      const { error } = await told(manager, 'Say hi')
      const retryAt = Date.parse((error as { retryAt?: string } | null)?.retryAt ?? '')
      expect(retryAt).toBeGreaterThanOrEqual(NOON + waitMs)
      expect(retryAt).toBeLessThanOrEqual(NOON + waitMs + 2 * MINUTE)
      now = NOON + waitMs - 1000
      await told(manager, 'Say hi')
      expect(upstream.calls).toHaveLength(1)
      now = NOON + waitMs + 2 * MINUTE
      expect((await told(manager, 'Say hi')).result?.content).toBe('hello')
    })
})

/** A refusal that names the limit, as its provider words it, after as many calls as the limit has. */
interface NamedRow {
  readonly name: string
  readonly provider?: string
  /** Calls before the refusal, and how far apart they are. */
  readonly calls: number
  readonly everyMs?: number
  readonly answer: Reply
  readonly waitMs: number
}

const limitReached = (what: string, wait: string, seconds?: number): Reply => ({
  ...refused(`Rate limit reached for model \`m\` in organization \`o\` on ${what}. Please try again in ${wait}.`, {
    type: 'tokens',
    code: 'rate_limit_exceeded',
  }),
  ...(seconds !== undefined && { headers: { 'retry-after': String(seconds) } }),
})

function geminiMinute(limit: number, wait: string): Reply {
  const quotaMetric = 'generativelanguage.googleapis.com/generate_content_free_tier_requests'
  const quotaId = 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier'
  const details = [
    {
      '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
      violations: [{ quotaMetric, quotaId, quotaDimensions: { model: 'm' }, quotaValue: String(limit) }],
    },
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: wait },
  ]
  return {
    status: 429,
    body: { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'Quota exceeded', details } },
  }
}

const TOKENS_A_DAY = 'tokens per day (TPD): Limit 100000, Used 99990, Requested 400'
const NAMED: readonly NamedRow[] = [
  { name: 'tokens of a day', calls: 2, answer: limitReached(TOKENS_A_DAY, '5m36s', 336), waitMs: 336_000 },
  { name: 'tokens of a day, in words only', calls: 2, answer: limitReached(TOKENS_A_DAY, '5m36s'), waitMs: 336_000 },
  {
    name: 'tokens of a minute',
    calls: 2,
    answer: limitReached('tokens per minute (TPM): Limit 6000, Used 5990, Requested 400', '4.1s', 5),
    waitMs: 5_000,
  },
  {
    name: 'tokens of an hour',
    calls: 2,
    answer: limitReached('tokens per hour (TPH): Limit 30000, Used 29900, Requested 400', '36s', 36),
    waitMs: 36_000,
  },
  {
    name: 'requests of a minute, all of them ours',
    calls: 30,
    answer: limitReached('requests per minute (RPM): Limit 30, Used 30, Requested 1', '2s', 2),
    waitMs: 2_000,
  },
  {
    name: 'requests of a day, all of them ours',
    calls: 50,
    everyMs: MINUTE,
    answer: limitReached('requests per day (RPD): Limit 50, Used 50, Requested 1', '28m48s'),
    waitMs: 1_728_000,
  },
  {
    name: 'requests of a day, all of them ours, with a wait of seconds',
    calls: 50,
    answer: limitReached('requests per day (RPD): Limit 50, Used 50, Requested 1', '6s', 6),
    waitMs: 6_000,
  },
  {
    name: 'Gemini’s minute, all of it ours',
    provider: 'google',
    calls: 10,
    answer: geminiMinute(10, '17.3s'),
    waitMs: 17_300,
  },
  {
    name: 'tokens, with headers that reset later',
    calls: 2,
    answer: {
      ...limitReached('tokens per min (TPM): Limit 30000, Used 29999, Requested 500', '11s'),
      headers: {
        'x-ratelimit-limit-tokens': '30000',
        'x-ratelimit-remaining-tokens': '1',
        'x-ratelimit-reset-tokens': '59.8s',
      },
    },
    waitMs: 11_000,
  },
]

describe('a wait beside the numbers of the limit', () => {
  for (const { name, provider = 'relay', calls, everyMs = 300, answer, waitMs } of NAMED)
    for (const restarts of [false, true])
      test(`is when the target is tried again, and no longer one is told: ${name}${restarts ? ', through a restart' : ''}`, async () => {
        let now = NOON
        const upstream = await httpUpstream(({ call }) => (call === calls + 1 ? answer : {}))
        const block =
          provider === 'google'
            ? {
                api_key: `AIza${'0'.repeat(35)}`,
                endpoint: `${upstream.endpoint}/v1beta`,
                dialect: 'openai',
                models: ['m'],
              }
            : relay(upstream.endpoint)
        const store = restarts ? join(temporaryFolder(), 'store.db') : undefined
        const open = () => managerOf(provider, block, () => now, store)
        let manager = open()
        const ask = () => told(manager, { prompt: 'Say hi', model: `${provider}/m` })
        for (let call = 0; call < calls; call++) {
          expect((await ask()).error).toBeNull()
          now += everyMs
        }
        const refusedAt = now
        const jitter = Math.min(waitMs / 10, MINUTE) + 1
        for (const passed of [0, waitMs / 2, waitMs - 1]) {
          now = refusedAt + passed
          const retryAt = Date.parse(((await ask()).error as { retryAt?: string } | null)?.retryAt ?? '')
          expect(retryAt).toBeGreaterThanOrEqual(refusedAt + waitMs)
          expect(retryAt).toBeLessThanOrEqual(refusedAt + waitMs + jitter)
        }
        expect(upstream.calls).toHaveLength(calls + 1)
        if (restarts) {
          await manager.close()
          manager = open()
        }
        now = refusedAt + waitMs + jitter
        for (let call = 0; call < 5; call++) expect((await ask()).error).toBeNull()
      })
})

describe('a refusal that knows nothing of the key', () => {
  const EDGES: readonly Reply[] = [
    { status: 403, headers: { 'content-type': 'text/plain', server: 'cloudflare' }, body: 'error code: 1010' },
    { status: 429, headers: { 'content-type': 'text/plain', server: 'cloudflare' }, body: 'error code: 1015' },
    { status: 403, headers: { server: 'nginx' }, body: '' },
    { status: 403, headers: { server: 'CloudFront' }, body: { message: 'Forbidden' } },
    { status: 403, headers: { 'content-type': 'text/plain' }, body: 'RBAC: access denied' },
    { status: 405, headers: { 'x-amzn-waf-action': 'captcha' }, body: '' },
  ]
  for (const answer of EDGES)
    test(`rests nothing for more than minutes: ${answer.status} ${JSON.stringify(answer.body)}`, async () => {
      let now = NOON
      const upstream = await httpUpstream(() => (now < NOON + 10 * MINUTE ? answer : {}))
      const manager = managerOf('relay', { ...relay(upstream.endpoint), models: ['a', 'b', 'c'] }, () => now)
      for (let request = 0; request < 4; request++) {
        const { attempts } = await told(manager, 'Say hi')
        for (const { failureKind } of attempts) expect(failureKind).toBe('server')
        now += 20_000
      }
      now = NOON + 26 * MINUTE
      expect((await told(manager, 'Say hi')).result?.content).toBe('hello')
    })
})

test('words alone park nothing for longer than minutes', async () => {
  for (const words of ['limit: 0 requests left', 'monthly limit exceeded', 'not your month, no requests']) {
    let now = NOON
    const upstream = await httpUpstream(({ call }) => (call === 1 ? refused(words) : {}))
    const manager = managerOf('relay', relay(upstream.endpoint), () => now)
    await told(manager, 'Say hi')
    now += 2 * MINUTE
    expect((await told(manager, 'Say hi')).result?.content).toBe('hello')
  }
})

test('a stated wait is believed instead of words of a day or of money', async () => {
  for (const words of ['limit: 0, requests this month', 'the daily limit is used up', 'no credits left']) {
    let now = NOON
    const answer = { ...refused(words), headers: { 'retry-after': '25' } }
    const upstream = await httpUpstream(({ call }) => (call === 1 ? answer : {}))
    const manager = managerOf('relay', relay(upstream.endpoint), () => now)
    await told(manager, 'Say hi')
    now += 24_000
    await told(manager, 'Say hi')
    expect(upstream.calls).toHaveLength(1)
    now += 5_000
    expect((await told(manager, 'Say hi')).result?.content).toBe('hello')
  }
})
