/** What refusals and headers prove about a limit, and what they do not: a real manager over HTTP, on a clock that is set. */

import type { ServerResponse } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { APIManager } from '../src/manager/apiManager.ts'
import { statusView } from '../src/views/status.ts'
import { type Asked, httpUpstream, type Reply, refusal } from './support/httpUpstream.ts'
import { told } from './support/lab.ts'
import { fakeKey } from './support/labCall.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const NOON = Date.UTC(2026, 10, 23, 12)

interface World {
  readonly manager: APIManager
  readonly calls: readonly Asked[]
  now(): number
  pass(ms: number): void
  /** Whether a call was answered. */
  asks(model?: string): Promise<boolean>
}

/** One key of a provider of the user's own, whose clock is set and whose callers do not wait. */
async function world(reply: (asked: Asked, now: number) => Reply, block: object = {}): Promise<World> {
  let now = NOON
  const upstream = await httpUpstream((asked) => reply(asked, now))
  const provider = { dialect: 'openai', endpoint: upstream.endpoint, api_key: fakeKey('mine'), models: ['m'], ...block }
  const manager = new APIManager({
    config: {
      mine: provider,
      settings: {
        timeouts: { patience_ms: 0 },
        routing: { strategy: 'priority' },
        models: { ab: ['mine/a', 'mine/b'] },
      },
    },
    env: {},
    logger: false,
    now: () => now,
    random: () => 0.5,
  })
  onTestFinished(() => manager.close())
  await manager.ready()
  return {
    manager,
    calls: upstream.calls,
    now: () => now,
    pass: (ms) => {
      now += ms
    },
    asks: async (model = 'auto') => {
      const { error } = await told(manager, { prompt: 'hi', model })
      // Two calls never begin in the same millisecond here: what is newer counts.
      now++
      return error === null
    },
  }
}

const learned = ({ manager }: World) =>
  statusView(manager.engine, manager.getSessionSummary())
    .targets.flatMap(({ limits }) => limits)
    .filter(({ source }) => source === 'learned')

describe('a wait far shorter than the window', () => {
  test('stops nothing but the calls within it, at four calls a second', async () => {
    const at = await world(({ call }) => (call === 20 ? refusal(undefined, { 'retry-after': '1' }) : {}))
    let failed = 0
    for (let call = 0; call < 380; call++) {
      if (!(await at.asks())) failed++
      at.pass(250)
    }
    // The refused call and those of its second, which may be a tenth longer.
    expect(failed).toBeLessThanOrEqual(5)
    expect(at.calls.length).toBeGreaterThanOrEqual(375)
    expect(learned(at)).toEqual([])
  })

  for (const wait of [1, 2, 5])
    test(`is never told longer than it was: one call of fifty is refused for ${wait} s`, async () => {
      const at = await world(({ call }) => (call % 50 === 0 ? refusal(undefined, { 'retry-after': String(wait) }) : {}))
      let refused = 0
      for (let call = 0; call < 1_000; call++) {
        const { error } = await told(at.manager, 'hi')
        if (error !== null) {
          refused++
          const retryAt = Date.parse((error as unknown as { retryAt: string }).retryAt)
          expect(retryAt - at.now()).toBeLessThanOrEqual(wait * 1.1 * SECOND + 1)
        }
        at.pass(250)
      }
      const met = at.calls.filter(({ call }) => call % 50 === 0).length
      expect(refused).toBeLessThanOrEqual(met * (1 + Math.ceil((wait * 1.1) / 0.25)))
      expect(learned(at)).toEqual([])
    })

  test('is told, not the reset of a limit stated beside it', async () => {
    const at = await world(({ call }) =>
      call === 2
        ? refusal(undefined, {
            'retry-after': '2',
            'x-ratelimit-limit-requests': '60',
            'x-ratelimit-remaining-requests': '0',
            'x-ratelimit-reset-requests': '60s',
          })
        : {},
    )
    await at.asks()
    await at.asks()
    const { error } = await told(at.manager, 'hi')
    expect(Date.parse((error as unknown as { retryAt: string }).retryAt) - at.now()).toBeLessThanOrEqual(2_200)
    at.pass(2_300)
    expect(await at.asks()).toBe(true)
  })

  test('leaves eighteen models of six keys to serve while one answer of fifty is a refusal', async () => {
    const keys = [1, 2, 3, 4, 5, 6].map((key) => fakeKey('mine', key))
    const at = await world(({ call }) => (call % 50 === 0 ? refusal(undefined, { 'retry-after': '1' }) : {}), {
      api_key: undefined,
      api_keys: keys,
      models: ['a', 'b', 'c'],
    })
    for (let call = 0; call < 2_400; call++) {
      expect(await at.asks()).toBe(true)
      at.pass(50)
    }
  })
})

describe('a target that is refused for a while', () => {
  for (const seconds of [1, 5, 20])
    for (const minutes of [1, 5])
      test(`for ${minutes} min with waits of ${seconds} s: is out afterwards for no longer than it was refused`, async () => {
        let isFull = false
        const headers = { 'retry-after': String(seconds) }
        const at = await world(({ model }) => (model === 'a' && isFull ? refusal(undefined, headers) : {}), {
          models: ['a', 'b'],
        })
        const answered = async () => (await told(at.manager, { prompt: 'hi', model: 'ab' })).result?.model
        expect(await answered()).toBe('a')
        isFull = true
        for (let passed = 0; passed < minutes * MINUTE; passed += 2 * SECOND) {
          at.pass(2 * SECOND)
          expect(await answered()).toBe('b')
        }
        isFull = false
        const wellAt = at.now()
        while ((await answered()) !== 'a') {
          at.pass(2 * SECOND)
          expect(at.now() - wellAt).toBeLessThanOrEqual(minutes * MINUTE + 4 * SECOND)
        }
      })
})

describe('a size is learned', () => {
  /** A provider that admits `limit` calls in any rolling minute and tells nobody. */
  function rolling(limit: () => number, headers: Record<string, string> = {}) {
    let admitted: number[] = []
    return (_: Asked, now: number): Reply => {
      admitted = admitted.filter((at) => at > now - MINUTE)
      if (admitted.length >= limit()) return refusal(undefined, headers)
      admitted.push(now)
      return {}
    }
  }

  test('from one refusal after ten requests', async () => {
    const at = await world(rolling(() => 12))
    for (let call = 0; call < 13; call++) await at.asks()
    expect(learned(at)).toMatchObject([{ limit: 12, unit: 'requests', window: 'minute' }])
  })

  test('not from one refusal after fewer, but from the second at the same count in another window', async () => {
    const at = await world(rolling(() => 3))
    for (let call = 0; call < 4; call++) await at.asks()
    expect(learned(at)).toEqual([])
    at.pass(2 * MINUTE)
    for (let call = 0; call < 4; call++) await at.asks()
    expect(learned(at)).toMatchObject([{ limit: 3 }])
  })

  test('not from two refusals at different counts', async () => {
    const at = await world(({ call }) => (call === 3 || call === 10 ? refusal() : {}))
    for (let call = 0; call < 3; call++) await at.asks()
    at.pass(2 * MINUTE)
    for (let call = 0; call < 7; call++) await at.asks()
    expect(at.calls).toHaveLength(10)
    expect(learned(at)).toEqual([])
  })

  test('and one that turns out too small rises within two windows', async () => {
    let size = 10
    const at = await world(rolling(() => size))
    for (let second = 0; second < 300; second += 2) {
      await at.asks()
      at.pass(2 * SECOND)
    }
    expect(learned(at)).toMatchObject([{ limit: 10 }])
    size = 1_000
    for (let second = 0; second < 120; second += 2) {
      await at.asks()
      at.pass(2 * SECOND)
    }
    for (let second = 0; second < 120; second++) {
      expect(await at.asks()).toBe(true)
      at.pass(SECOND)
    }
  })

  for (const wait of [10, 20, 45])
    test(`and tried again as soon as a stated wait of ${wait} s is over`, async () => {
      const at = await world(({ call }) => (call === 20 ? refusal(undefined, { 'retry-after': String(wait) }) : {}))
      let failed = 0
      for (let call = 0; call < 400; call++) {
        if (!(await at.asks())) failed++
        at.pass(250)
      }
      expect(failed).toBeLessThanOrEqual(1 + Math.ceil((wait * 1.1) / 0.25))
    })
})

describe('a refusal of one model', () => {
  const models = { models: ['a', 'b', 'c'] }

  for (const [name, message, headers] of [
    ['bare', 'Rate limit reached for a.', {}],
    ['with a wait', 'Rate limit reached', { 'retry-after': '30' }],
    ['with headers', 'slow down', { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '40s' }],
    ['with a size', 'Rate limit reached for a on requests per minute: limit 1', {}],
    ['of a day', 'You have exceeded your daily limit of requests', {}],
  ] as const)
    test(`is not about the next model of an account whose scope nobody knows: ${name}`, async () => {
      const at = await world(({ model }) => (model === 'a' ? refusal(message, headers) : {}), models)
      expect(await at.asks('mine/b')).toBe(true)
      expect(await at.asks('mine/b')).toBe(true)
      expect((await told(at.manager, { prompt: 'hi', model: 'ab' })).result?.model).toBe('b')
      for (let call = 0; call < 100; call++) {
        expect(await at.asks('ab')).toBe(true)
        expect(await at.asks('mine/b')).toBe(true)
        at.pass(3 * SECOND)
      }
    })

  test('is about the account when a second model is refused too', async () => {
    const at = await world(() => refusal(undefined, { 'retry-after': '30' }), models)
    await at.asks('mine/a')
    expect(await at.asks('mine/b')).toBe(false)
    const asked = at.calls.length
    expect(await at.asks('mine/c')).toBe(false)
    expect(at.calls).toHaveLength(asked)
    at.pass(34 * SECOND)
    await at.asks('mine/c')
    expect(at.calls).toHaveLength(asked + 1)
  })
})

describe('headers that lie', () => {
  const inAnHour = (now: number) => String(Math.floor((now + HOUR) / SECOND))
  const LIES: readonly (readonly [string, (now: number) => Record<string, string>])[] = [
    ['nothing left', () => ({ 'x-ratelimit-remaining-requests': '0' })],
    [
      'fewer and fewer, and then nothing left',
      (now) => ({
        'x-ratelimit-remaining-requests': String(Math.max(0, Math.floor(3 - (now - NOON) / (10 * SECOND)))),
      }),
    ],
    ['no tokens left', () => ({ 'x-ratelimit-remaining-tokens': '0' })],
    ['nothing left of 60', () => ({ 'x-ratelimit-limit-requests': '60', 'x-ratelimit-remaining-requests': '0' })],
    [
      'nothing left, with a reset in the past',
      () => ({ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '2020-01-01T00:00:00Z' }),
    ],
    [
      'nothing left, with a reset in an hour',
      (now) => ({ 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inAnHour(now) }),
    ],
    [
      'nothing left of the day',
      () => ({ 'x-ratelimit-remaining-requests-day': '0', 'x-ratelimit-reset-requests-day': '80000' }),
    ],
    [
      'no tokens left of fewer than a request needs',
      () => ({
        'x-ratelimit-limit-tokens': '1',
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '60s',
      }),
    ],
    ['a limit of nothing', () => ({ 'x-ratelimit-limit-requests': '0', 'x-ratelimit-remaining-requests': '0' })],
    ['negative numbers', () => ({ 'x-ratelimit-limit-requests': '-1', 'x-ratelimit-remaining-requests': '-1' })],
    [
      'neither requests nor tokens left',
      () => ({ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-remaining-tokens': '0' }),
    ],
  ]
  for (const [name, headers] of LIES)
    test(`are unlearned by successes: ${name}`, async () => {
      const at = await world((_, now) => ({ headers: headers(now) }))
      for (let call = 0; call < 12; call++) {
        expect(await at.asks()).toBe(true)
        at.pass(10 * SECOND)
      }
    })

  test('come after other targets, until a call in need shows that they lie', async () => {
    const at = await world(
      ({ model }) => (model === 'a' ? { headers: { 'x-ratelimit-remaining-requests': '0' } } : {}),
      {
        models: ['a', 'b'],
      },
    )
    const answered = async () => (await told(at.manager, { prompt: 'hi', model: 'ab' })).result?.model
    expect(await answered()).toBe('a')
    expect(await at.asks('mine/a')).toBe(true)
    expect(await answered()).toBe('a')
  })

  test('that are true are confirmed by one refusal a day', async () => {
    const headers = { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '60s' }
    let admittedAt = Number.NEGATIVE_INFINITY
    const at = await world((_, now) => {
      if (now - admittedAt < MINUTE) return { ...refusal(), headers: { ...headers, 'retry-after': '60' } }
      admittedAt = now
      return { headers }
    })
    for (let call = 0; call < 360; call++) {
      await at.asks()
      at.pass(10 * SECOND)
    }
    // In the hour, one call a minute is admitted; the first of the others finds out.
    expect(at.calls.length).toBeLessThanOrEqual(62)
    expect(at.calls.length).toBeGreaterThanOrEqual(50)
  })
})

describe('the slow start of an account nobody knows', () => {
  /** Streams whose first content comes at once and whose end comes when `all` of them have begun. */
  function streams(all: number) {
    const open: ServerResponse[] = []
    let most = 0
    return {
      most: () => most,
      reply: ({ inProgress }: Asked, response: ServerResponse) => {
        most = Math.max(most, inProgress)
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(event({ role: 'assistant', content: 'hel' }))
        open.push(response)
        if (open.length === all)
          for (const stream of open) stream.end(`${event({ content: 'lo' }, 'stop')}data: [DONE]\n\n`)
        return null
      },
    }
  }

  function event(delta: object, finish: string | null = null): string {
    const choices = [{ index: 0, delta, finish_reason: finish }]
    return `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices })}\n\n`
  }

  for (const count of [100, 300])
    test(`serves ${count} parallel streams that all go on until the last has begun`, async () => {
      const { reply, most } = streams(count)
      const { endpoint } = await httpUpstream(reply)
      const mine = { dialect: 'openai', endpoint, api_key: fakeKey('mine'), models: ['m'] }
      // A machine that is busy with something else takes its time.
      const settings = { timeouts: { patience_ms: 120_000, first_token_ms: 120_000 } }
      const manager = new APIManager({ config: { mine, settings }, env: {}, logger: false })
      onTestFinished(() => manager.close())
      await manager.ready()
      const all = Array.from({ length: count }, async () => (await manager.streamWithFallback('hi').result).content)
      expect((await Promise.all(all)).filter((text) => text === 'hello')).toHaveLength(count)
      expect(most()).toBe(count)
    }, 240_000)

  /** Answers, or streams that think before their first content, which all come when `all` calls have begun. */
  function slowAnswers(all: number, thinks: boolean) {
    let begun = 0
    let open = () => {}
    const after = new Promise<void>((resolve) => {
      open = resolve
    })
    return (_: Asked, response: ServerResponse): Reply | null => {
      if (++begun === all) open()
      if (!thinks) return { after }
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(event({ role: 'assistant', reasoning_content: 'hm' }))
      void after.then(() => response.end(`${event({ content: 'hello' }, 'stop')}data: [DONE]\n\n`))
      return null
    }
  }

  for (const { count, patience, thinks } of [
    { count: 200, patience: 0, thinks: false },
    { count: 200, patience: 1_500, thinks: false },
    { count: 100, patience: 500, thinks: true },
    { count: 1_000, patience: 1_000, thinks: false },
  ])
    test(`refuses none of ${count} parallel ${thinks ? 'streams that think' : 'plain calls'}, none of which is answered before all have begun, with a patience of ${patience} ms`, async () => {
      const { endpoint, calls } = await httpUpstream(slowAnswers(count, thinks))
      const mine = { dialect: 'openai', endpoint, api_key: fakeKey('mine'), models: ['m'] }
      const timeouts = { patience_ms: patience, first_token_ms: 180_000, total_ms: 240_000 }
      const manager = new APIManager({ config: { mine, settings: { timeouts } }, env: {}, logger: false })
      onTestFinished(() => manager.close())
      await manager.ready()
      const ask = async () =>
        thinks ? (await manager.streamWithFallback('hi').result).content : (await told(manager, 'hi')).result?.content
      const all = await Promise.all(Array.from({ length: count }, ask))
      expect(all.filter((text) => text === 'hello')).toHaveLength(count)
      expect(calls).toHaveLength(count)
    }, 240_000)
})

describe('a limit of parallel calls', () => {
  for (const message of [
    'High concurrency usage of this API, please reduce concurrency or contact customer service to increase limits',
    'Too many concurrent requests',
    'You have too many requests in flight',
    '您当前使用该API的并发数过高，请降低并发，或联系客服增加限额',
  ])
    test(`is learned as one: ${message.slice(0, 40)}`, async () => {
      let now = NOON
      const gates: (() => void)[] = []
      const upstream = await httpUpstream(({ inProgress }) => {
        if (inProgress > 2) return { status: 429, body: { error: { code: '1302', message } } }
        return { after: new Promise((resolve) => gates.push(resolve)) }
      })
      const manager = new APIManager({
        config: {
          mine: { dialect: 'openai', endpoint: upstream.endpoint, api_key: fakeKey('mine'), models: ['m'] },
          settings: { timeouts: { patience_ms: 0 } },
        },
        env: {},
        logger: false,
        now: () => now,
      })
      onTestFinished(() => manager.close())
      await manager.ready()
      const limits = () =>
        statusView(manager.engine, manager.getSessionSummary()).targets.flatMap((target) => target.limits)
      for (let round = 0; round < 2; round++) {
        const held = [told(manager, 'hi'), told(manager, 'hi')]
        while (gates.length < 2) await new Promise((resolve) => setImmediate(resolve))
        expect((await told(manager, 'hi')).error).not.toBeNull()
        for (const open of gates.splice(0)) open()
        for (const one of held) expect((await one).error).toBeNull()
        now += 10 * SECOND
      }
      expect(limits()).toMatchObject([{ unit: 'concurrency', window: 'none', limit: 2, source: 'learned' }])
      for (let call = 0; call < 40; call++) {
        const one = told(manager, 'hi')
        while (gates.length < 1) await new Promise((resolve) => setImmediate(resolve))
        gates.pop()?.()
        expect((await one).error).toBeNull()
      }
    })
})
