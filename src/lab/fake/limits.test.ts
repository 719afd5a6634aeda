import { describe, expect, test } from 'vitest'
import { callModel, connectionTo, fakeKey, openWorld } from '../../../test/support/labCall.ts'
import { goDuration } from './headers.ts'
import type { FakeLimit, FakeScenario } from './scenario.ts'

const NOON = Date.UTC(2026, 10, 23, 12)
type Limit = Partial<FakeLimit> & Pick<FakeLimit, 'unit' | 'window' | 'limit'>

const limited = (provider: string, ...limits: Limit[]): FakeScenario => ({
  providers: {
    [provider]: {
      keys: { [fakeKey(provider, 1)]: { account: 'shared' }, [fakeKey(provider, 2)]: { account: 'shared' } },
      models: { a: {}, b: {} },
      limits,
    },
  },
})

async function limitedWorld(provider: string, ...limits: Limit[]) {
  const clock = { now: NOON }
  const world = await openWorld(limited(provider, ...limits), { now: () => clock.now })
  const keys = [connectionTo(world, provider, 1), connectionTo(world, provider, 2)] as const
  const kindOf = async (model = 'a', key: 0 | 1 = 0) => {
    const { outcome } = await callModel(world, provider, model, { connection: keys[key] })
    return outcome.ok ? 'ok' : outcome.failure.kind
  }
  return { world, clock, kindOf, connection: keys[0] }
}

describe('limits of simulated providers', () => {
  test('count the requests of a minute, and begin anew after it', async () => {
    const { clock, kindOf } = await limitedWorld('groq', { unit: 'requests', window: 'minute', limit: 2 })
    expect([await kindOf(), await kindOf(), await kindOf()]).toEqual(['ok', 'ok', 'rate_minute'])
    clock.now += 59_999
    expect(await kindOf()).toBe('rate_minute')
    clock.now += 1
    expect(await kindOf()).toBe('ok')
  })

  test('are shared by the keys of an account and counted per model, unless the scope says otherwise', async () => {
    const perModel = await limitedWorld('groq', { unit: 'requests', window: 'minute', limit: 1 })
    expect([await perModel.kindOf('a', 0), await perModel.kindOf('a', 1), await perModel.kindOf('b', 1)]).toEqual([
      'ok',
      'rate_minute',
      'ok',
    ])
    const perKey = await limitedWorld('groq', { unit: 'requests', window: 'minute', limit: 1, scope: 'key' })
    expect([await perKey.kindOf('a', 0), await perKey.kindOf('b', 0), await perKey.kindOf('a', 1)]).toEqual([
      'ok',
      'rate_minute',
      'ok',
    ])
    const perAccount = await limitedWorld('groq', { unit: 'requests', window: 'day', limit: 1, scope: 'account' })
    expect([await perAccount.kindOf('a', 0), await perAccount.kindOf('b', 1)]).toEqual(['ok', 'quota_day'])
  })

  test('a day ends at midnight of its zone', async () => {
    const pacific = await limitedWorld('google', {
      unit: 'requests',
      window: 'day',
      limit: 1,
      zone: 'America/Los_Angeles',
    })
    expect([await pacific.kindOf(), await pacific.kindOf()]).toEqual(['ok', 'quota_day'])
    pacific.clock.now = Date.UTC(2026, 10, 24, 7, 59)
    expect(await pacific.kindOf()).toBe('quota_day')
    pacific.clock.now = Date.UTC(2026, 10, 24, 8)
    expect(await pacific.kindOf()).toBe('ok')
  })

  test('tokens are counted when they are spent', async () => {
    const { kindOf } = await limitedWorld('groq', { unit: 'tokens', window: 'minute', limit: 40 })
    expect([await kindOf(), await kindOf(), await kindOf()]).toEqual(['ok', 'ok', 'rate_minute'])
  })

  test('a limit that is not stated refuses without saying how long', async () => {
    const { world, connection } = await limitedWorld('groq', {
      unit: 'requests',
      window: 'minute',
      limit: 1,
      stated: false,
    })
    const first = await callModel(world, 'groq', 'a', { connection })
    const second = await callModel(world, 'groq', 'a', { connection })
    expect(first.limits).toEqual([])
    expect(second.outcome.ok ? null : second.outcome.failure).not.toHaveProperty('retryAfterMs')
  })
})

describe('limit headers', () => {
  const READ: readonly [string, Limit, object][] = [
    ['openai', { unit: 'requests', window: 'minute', limit: 5 }, { window: 'minute', limit: 5, remaining: 4 }],
    ['groq', { unit: 'requests', window: 'day', limit: 5 }, { window: 'day', limit: 5, remaining: 4 }],
    ['groq', { unit: 'tokens', window: 'minute', limit: 500 }, { unit: 'tokens', window: 'minute', limit: 500 }],
    ['anthropic', { unit: 'requests', window: 'minute', limit: 5 }, { window: 'minute', limit: 5, remaining: 4 }],
    ['cerebras', { unit: 'requests', window: 'day', limit: 5 }, { window: 'day', limit: 5, remaining: 4 }],
    ['mistral', { unit: 'requests', window: 'minute', limit: 5 }, { window: 'minute', limit: 5, remaining: 4 }],
    ['sambanova', { unit: 'requests', window: 'day', limit: 5 }, { window: 'day', limit: 5, remaining: 4 }],
    ['together', { unit: 'requests', window: 'minute', limit: 5 }, { limit: 5, remaining: 4 }],
  ]
  for (const [provider, limit, fact] of READ) {
    test(`${provider} tells its ${limit.unit} of a ${limit.window} so that they are read`, async () => {
      const world = await openWorld(limited(provider, limit))
      const { limits } = await callModel(world, provider, 'a')
      expect(limits).toContainEqual(expect.objectContaining(fact))
    })
  }

  for (const provider of ['google', 'openrouter', 'xai'])
    test(`${provider} tells nothing with an answer`, async () => {
      const world = await openWorld(limited(provider, { unit: 'requests', window: 'minute', limit: 5 }))
      expect((await callModel(world, provider, 'a')).limits).toEqual([])
    })

  test('a reset is told as Go prints durations', () => {
    expect([0.12, 7.66, 119.56, 360, 77_760].map(goDuration)).toEqual([
      '120ms',
      '7.66s',
      '1m59.56s',
      '6m0s',
      '21h36m0s',
    ])
  })
})
