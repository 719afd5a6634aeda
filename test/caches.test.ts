/** Prompt caches: what hits saved and what misses cost, as services report them, worked out by hand. */

import { describe, expect, onTestFinished, test } from 'vitest'
import type { SpendView } from '../src/views/spend.ts'
import { chat, gemini, message } from './support/costCorpus/wire.ts'
import { type GatewayWorld, openGateway } from './support/gatewayWorld.ts'
import { httpUpstream } from './support/httpUpstream.ts'

/** A provider whose answers come one after another. */
async function answering(dialect: string, price: object | null, answers: readonly object[]): Promise<object> {
  const { endpoint } = await httpUpstream(({ call }) => ({ body: answers[call - 1] ?? expect.fail('no answer left') }))
  const model = price === null ? { id: 'm' } : { id: 'm', price }
  const base = dialect === 'openai' ? endpoint : endpoint.replace(/\/v1$/, '')
  return { dialect, endpoint: base, api_key: `fake-${'0'.repeat(16)}`, local: false, models: [model] }
}

async function open(providers: Readonly<Record<string, object>>): Promise<GatewayWorld> {
  let now = Date.UTC(2026, 10, 23, 10)
  const world = await openGateway({ providers: {} }, { providers, clock: () => now++ })
  onTestFinished(() => world.close())
  return world
}

/** One turn after another of a conversation, each at a target. */
async function converse(world: GatewayWorld, targets: readonly string[]): Promise<void> {
  const messages = [{ role: 'user', content: 'Hello' }]
  for (const model of targets) {
    const answer = await world.ask('/v1/chat/completions', { model, messages })
    expect(answer.status, await answer.clone().text()).toBe(200)
    messages.push({ role: 'assistant', content: 'Hi' }, { role: 'user', content: 'And?' })
  }
}

async function spend(world: GatewayWorld, by: string, caches = true): Promise<SpendView> {
  const answer = await fetch(`${world.origin}/api/spend?by=${by}${caches ? '&caches=true' : ''}`, {
    headers: { authorization: `Bearer ${world.adminToken}` },
  })
  expect(answer.status).toBe(200)
  return (await answer.json()) as SpendView
}

const CLAUDE = { input: 3, output: 15, cached_input: 0.3, cache_write: 3.75, cache_write_1h: 6 }
const GPT = { input: 2, output: 8, cached_input: 0.5 }

const written = (fresh: number, read: number, minutes: number, hour = 0) =>
  message({
    input_tokens: fresh,
    cache_read_input_tokens: read,
    cache_creation_input_tokens: minutes + hour,
    cache_creation: { ephemeral_5m_input_tokens: minutes, ephemeral_1h_input_tokens: hour },
    output_tokens: 10,
  })
const told = (prompt: number, cached: number) =>
  chat({ prompt_tokens: prompt, completion_tokens: 10, prompt_tokens_details: { cached_tokens: cached } })

/** Millionths of a dollar: tokens times USD per million. */
const micro = (amount: number) => expect.closeTo(amount / 1e6, 12)

test('a conversation over two targets: hits, writes, and misses with and without moving', async () => {
  const world = await open({
    one: await answering('anthropic', CLAUDE, [
      written(100, 0, 1500, 500),
      written(50, 2000, 300),
      written(50, 0, 2600),
    ]),
    two: await answering('openai', GPT, [told(2500, 0)]),
  })
  await converse(world, ['one/m', 'one/m', 'two/m', 'one/m'])
  const view = await spend(world, 'target')
  const one = {
    // 2000 of 2100 + 2350 + 2650.
    hitRate: 2000 / 7100,
    cacheableTokens: 7100,
    writtenTokens: 4400,
    writtenForHourTokens: 500,
    // Hits 2000*2.7; writes 4400*0.75 and 500*3 more than plain.
    savedUsd: micro(5400 - 3300 - 1500),
    // The second turn repeats 2100 and reads 2000; the fourth repeats the 2350 of the second. Written, not read: 3.75 - 0.3.
    missedTokens: 100 + 2350,
    missedUsd: micro(2450 * 3.45),
    // What the third turn had beyond the second was sent elsewhere.
    missedByMovingTokens: 150,
    missedByMovingUsd: micro(150 * 3.45),
    unpricedAttempts: 0,
  }
  const two = {
    hitRate: 0,
    cacheableTokens: 2500,
    writtenTokens: 0,
    writtenForHourTokens: 0,
    savedUsd: 0,
    missedTokens: 0,
    missedUsd: 0,
    missedByMovingTokens: 2350,
    missedByMovingUsd: micro(2350 * 1.5),
    unpricedAttempts: 0,
  }
  expect(Object.fromEntries(view.spend.map(({ group, caches }) => [group['target'], caches]))).toEqual({
    'one/m#1': one,
    'two/m#1': two,
  })
  expect(view.total.caches).toMatchObject({
    cacheableTokens: 9600,
    missedUsd: micro(2450 * 3.45),
    missedByMovingUsd: micro(150 * 3.45 + 3525),
  })

  const bySession = await spend(world, 'session,target')
  expect(new Set(bySession.spend.map(({ group }) => group['session'])).size).toBe(1)
  expect(bySession.spend.map(({ group }) => group['target']).toSorted()).toEqual(['one/m#1', 'two/m#1'])
  expect((await spend(world, 'target', false)).spend[0]).not.toHaveProperty('caches')
})

describe('hits as each service tells of them', () => {
  const hits = { cached_input: 0.2, input: 1, output: 4 }
  for (const { of, dialect, answers } of [
    { of: 'cached_tokens', dialect: 'openai', answers: [told(1500, 0), told(2000, 1408)] },
    {
      of: 'prompt_cache_hit_tokens',
      dialect: 'openai',
      answers: [
        [1500, 0],
        [2000, 1408],
      ].map(([prompt = 0, hit = 0]) =>
        chat({
          prompt_tokens: prompt,
          completion_tokens: 10,
          total_tokens: prompt + 10,
          prompt_cache_hit_tokens: hit,
          prompt_cache_miss_tokens: prompt - hit,
        }),
      ),
    },
    {
      of: 'cachedContentTokenCount',
      dialect: 'google',
      answers: [
        gemini({ promptTokenCount: 1500, candidatesTokenCount: 10, totalTokenCount: 1510 }),
        gemini({
          promptTokenCount: 2000,
          candidatesTokenCount: 10,
          totalTokenCount: 2010,
          cachedContentTokenCount: 1408,
        }),
      ],
    },
    {
      of: 'cache_read_input_tokens',
      dialect: 'anthropic',
      answers: [written(1500, 0, 0), written(592, 1408, 0)],
    },
  ])
    test(of, async () => {
      const world = await open({ own: await answering(dialect, hits, answers) })
      await converse(world, ['own/m', 'own/m'])
      expect((await spend(world, 'model')).total.caches).toMatchObject({
        hitRate: 1408 / 3500,
        savedUsd: micro(1408 * 0.8),
        missedTokens: 92,
        missedUsd: micro(92 * 0.8),
        missedByMovingTokens: 0,
      })
    })
})

describe('what is not known', () => {
  test('without a price the amounts are unknown, not 0', async () => {
    const world = await open({ own: await answering('openai', null, [told(1500, 0), told(2000, 1408)]) })
    await converse(world, ['own/m', 'own/m'])
    expect((await spend(world, 'target')).spend[0]?.caches).toMatchObject({
      hitRate: 1408 / 3500,
      savedUsd: null,
      missedTokens: 92,
      missedUsd: null,
      missedByMovingUsd: 0,
      unpricedAttempts: 1,
    })
  })

  test('a model without a price of hits could save nothing, and has no rate of hits', async () => {
    const price = { input: 1, output: 4 }
    const world = await open({ own: await answering('openai', price, [told(1500, 0), told(2000, 0)]) })
    await converse(world, ['own/m', 'own/m'])
    const expected = { hitRate: null, savedUsd: 0, missedTokens: 0, missedUsd: 0 }
    expect((await spend(world, 'target')).spend[0]?.caches).toMatchObject(expected)
  })

  test('what was free cost nothing for its misses', async () => {
    const price = { input: 0, output: 0 }
    const world = await open({ own: await answering('openai', price, [told(1500, 0), told(2000, 500)]) })
    await converse(world, ['own/m', 'own/m'])
    expect((await spend(world, 'target')).spend[0]?.caches).toMatchObject({
      hitRate: 500 / 3500,
      savedUsd: 0,
      missedTokens: 1000,
      missedUsd: 0,
    })
  })
})
