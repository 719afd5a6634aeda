import { describe, expect, onTestFinished, test } from 'vitest'
import { APIManager } from '../src/manager/apiManager.ts'
import { httpUpstream, type Reply } from './support/httpUpstream.ts'
import { told } from './support/lab.ts'

const NOON = Date.UTC(2026, 10, 23, 12)
const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** A manager with one key at the upstream, on a clock that the test moves. */
function managerOf(provider: string, block: object, now: () => number): APIManager {
  const manager = new APIManager({
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
