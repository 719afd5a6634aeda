/** Answers with HTTP 200 that are blocked, empty or malformed: what the client gets, and what is learned of them. */

import { describe, expect, test } from 'vitest'
import type { DialectId } from '../src/domain/chat.ts'
import type { FakeFault, FakeScenario } from '../src/lab/fake/scenario.ts'
import { type Answer, type Asked, askGateway, DIALECTS, textOf } from './support/askGateway.ts'
import { type GatewayWorld, openGateway } from './support/gatewayWorld.ts'
import { fakeKey } from './support/labCall.ts'

/** Every way from a client to an upstream. */
const WAYS = DIALECTS.flatMap((client) =>
  DIALECTS.flatMap((upstream) => [false, true].map((stream) => ({ client, upstream, stream }))),
)
const PRIORITY = {
  routing: { strategy: 'priority', exploration: { rate: 0 } },
  models: { pair: ['first/m', 'second/m'] },
}

/** The first of two providers speaks that dialect and does what the faults say; the second always answers. */
function scenario(dialect: DialectId, faults: readonly FakeFault[], reply = 'Paris.'): FakeScenario {
  return {
    providers: {
      first: { dialect, keys: { [fakeKey('first')]: {} }, models: { m: { reply: 'First.' } }, faults: [...faults] },
      second: { dialect: 'openai', keys: { [fakeKey('second')]: {} }, models: { m: { reply } } },
    },
  }
}

const open = (dialect: DialectId, faults: readonly FakeFault[], reply?: string) =>
  openGateway(scenario(dialect, faults, reply), { settings: PRIORITY })

const calls = (world: GatewayWorld) => world.fakes.calls.map(({ provider }) => provider)

/** Parks, and the share of successes that learning expects of the first target. */
function standing(world: GatewayWorld) {
  const { learned, now, registry } = world.gateway.opened.engine
  const target = registry.targets.find(({ provider }) => provider === 'first')
  if (target === undefined) throw new TypeError('there is no first target')
  return { parks: learned.parks.list(now), terms: learned.router.scoreOf(target, now)?.terms }
}

describe('an answer that the provider blocked', () => {
  test.each(WAYS)('reaches a client of $client from $upstream (streamed: $stream)', async ({
    client,
    upstream,
    stream,
  }) => {
    await using world = await open(upstream, [{ do: 'blocked' }])
    const before = standing(world)
    for (const _ of [1, 2, 3]) {
      const answer = await askGateway(world, client, { model: 'pair', stream })
      expect(answer).toMatchObject({
        status: 200,
        trail: 'first/m#1=content_filter',
        target: 'first/m#1',
        attempts: '1',
      })
      expect(answer.read?.finishReason).toBe('content_filter')
    }
    expect(calls(world)).toEqual(['first', 'first', 'first'])
    expect(standing(world)).toEqual(before)
  })

  const reasons: readonly [DialectId, string, RegExp][] = [
    ['google', 'SAFETY', /SAFETY/],
    ['google', 'RECITATION', /RECITATION/],
    ['google', 'PROHIBITED_CONTENT', /PROHIBITED_CONTENT/],
    ['google', 'BLOCKLIST', /BLOCKLIST/],
    ['google', 'SPII', /SPII/],
    ['google', 'prompt:PROHIBITED_CONTENT', /PROHIBITED_CONTENT/],
    ['anthropic', 'bio', /against the usage policy/],
    ['openai', 'content_filter', /content_filter/],
    ['openai', 'refusal', /I cannot help with that/],
    ['openai-responses', 'content_filter', /content_filter/],
    ['openai-responses', 'refusal', /I cannot help with that/],
  ]
  test.each(
    reasons.flatMap(([upstream, reason, said]) => DIALECTS.map((client) => ({ upstream, reason, said, client }))),
  )('says $reason of $upstream to a client of $client', async ({ upstream, reason, said, client }) => {
    await using world = await open(upstream, [{ do: 'blocked', reason }])
    for (const stream of [false, true]) {
      const answer = await askGateway(world, client, { model: 'first/m', stream })
      expect([answer.status, answer.read?.finishReason]).toEqual([200, 'content_filter'])
      expect(answer.text).toMatch(said)
    }
  })

  test.each(DIALECTS)('comes to a client of the same dialect byte by byte: %s', async (dialect) => {
    await using world = await open(dialect, [{ do: 'blocked' }])
    const whole = JSON.parse((await askGateway(world, dialect, { model: 'first/m', stream: false })).text)
    expect(whole).toMatchObject(WHOLE[dialect])
    const { text } = await askGateway(world, dialect, { model: 'first/m', stream: true })
    for (const word of STREAMED[dialect]) expect(text).toContain(word)
  })

  test.each([false, true])('whose text had begun ends as it is (streamed: %s)', async (stream) => {
    await using world = await open('openai', [{ do: 'blocked', reason: 'refusal' }])
    const answer = await askGateway(world, 'anthropic', { model: 'pair', stream })
    expect(textOf(answer.read)).toBe('I cannot help with that.')
    expect(calls(world)).toEqual(['first'])
  })

  test('is another provider’s to answer where the client says so', async () => {
    await using world = await open('google', [{ do: 'blocked' }])
    for (const [value, trail] of [
      ['true', 'first/m#1=content_filter; second/m#1=ok'],
      ['false', 'first/m#1=content_filter'],
    ] as const) {
      const headers = { 'x-keywise-retry-filtered': value }
      expect((await askGateway(world, 'openai', { model: 'pair', stream: false, headers })).trail).toBe(trail)
    }
  })

  test('is told as the metric of its own', async () => {
    await using world = await open('google', [{ do: 'blocked' }])
    await askGateway(world, 'openai', { model: 'pair', stream: false })
    const metrics = await (await world.ask('/metrics')).text()
    expect(metrics).toContain('keywise_attempts_total{provider="first",model="m",key="1",outcome="content_filter"} 1')
  })

  test('unlike a refusal of the request with its words, which stays an error', async () => {
    await using world = await open('openai', [{ do: 'content_filter' }])
    const answer = await askGateway(world, 'openai', { model: 'pair', stream: false })
    expect([answer.status, answer.trail]).toEqual([400, 'first/m#1=content_filter'])
    expect(answer.text).toContain('The response was filtered')
  })
})

const WHOLE: { readonly [D in DialectId]: object } = {
  openai: { id: 'chatcmpl-odd', choices: [{ message: { content: null }, finish_reason: 'content_filter' }] },
  'openai-responses': { id: 'resp_odd', status: 'incomplete', incomplete_details: { reason: 'content_filter' } },
  anthropic: {
    id: 'msg_odd',
    content: [],
    stop_reason: 'refusal',
    stop_details: { type: 'refusal', category: 'cyber' },
  },
  google: { responseId: 'odd', candidates: [{ finishReason: 'SAFETY', safetyRatings: [{ blocked: true }] }] },
}
const STREAMED: { readonly [D in DialectId]: readonly string[] } = {
  openai: ['"finish_reason":"content_filter"', 'chatcmpl-odd', '[DONE]'],
  'openai-responses': ['response.incomplete', 'resp_odd'],
  anthropic: ['"stop_details":{"type":"refusal","category":"cyber"', 'message_stop'],
  google: ['"safetyRatings"', '"finishReason":"SAFETY"'],
}

describe('an answer that holds nothing', () => {
  test.each(
    WAYS,
  )('is asked for once more and then of another target: $upstream for $client (streamed: $stream)', async ({
    client,
    upstream,
    stream,
  }) => {
    await using world = await open(upstream, [{ do: 'says_nothing' }])
    const answer = await askGateway(world, client, { model: 'pair', stream })
    expect(answer).toMatchObject({
      status: 200,
      trail: 'first/m#1=empty; first/m#1=empty; second/m#1=ok',
      attempts: '3',
    })
    expect(textOf(answer.read)).toBe('Paris.')
    expect(standing(world).parks).toEqual([])
  })

  test.each(WAYS)('counts thoughts as nothing: $upstream for $client (streamed: $stream)', async ({
    client,
    upstream,
    stream,
  }) => {
    await using world = await open(upstream, [{ do: 'only_thinks' }])
    const answer = await askGateway(world, client, { model: 'pair', stream })
    expect(answer.trail).toBe('first/m#1=empty; first/m#1=empty; second/m#1=ok')
    expect(textOf(answer.read)).toBe('Paris.')
  })

  test.each(WAYS)('is usually mended by the second try: $upstream for $client (streamed: $stream)', async ({
    client,
    upstream,
    stream,
  }) => {
    await using world = await open(upstream, [{ do: 'says_nothing', to: 1 }])
    const answer = await askGateway(world, client, { model: 'pair', stream })
    expect(answer.trail).toBe('first/m#1=empty; first/m#1=ok')
    expect(textOf(answer.read)).toBe('First.')
  })

  test.each(WAYS)('is passed on when there is no other: $upstream for $client (streamed: $stream)', async ({
    client,
    upstream,
    stream,
  }) => {
    await using world = await open(upstream, [{ do: 'only_thinks' }])
    const answer = await askGateway(world, client, { model: 'first/m', stream })
    expect(answer).toMatchObject({ status: 200, trail: 'first/m#1=empty; first/m#1=empty', attempts: '2' })
    expect(answer.read).toMatchObject({ finishReason: 'stop', usage: { outputTokens: 4 } })
    expect(textOf(answer.read)).toBe('')
    if (client === upstream) expect(answer.text).toContain('odd')
  })

  test.each(WAYS)('that used up its tokens thinking is whole: $upstream for $client (streamed: $stream)', async ({
    client,
    upstream,
    stream,
  }) => {
    await using world = await open(upstream, [{ do: 'thinks_too_long' }])
    const answer = await askGateway(world, client, { model: 'pair', stream })
    expect([answer.trail, answer.read?.finishReason]).toEqual(['first/m#1=ok', 'length'])
  })

  test('does not take the last attempt from another target', async () => {
    await using world = await open('openai', [{ do: 'says_nothing' }])
    const headers = { 'x-keywise-max-attempts': '2' }
    const answer = await askGateway(world, 'openai', { model: 'pair', stream: false, headers })
    expect(answer.trail).toBe('first/m#1=empty; second/m#1=ok')
  })

  test('is better than the error of another target, and worse than any answer', async () => {
    await using world = await open('openai', [{ do: 'says_nothing' }])
    world.fakes.fault('second', { do: 'server' })
    const answer = await askGateway(world, 'openai', { model: 'pair', stream: false })
    expect([answer.status, answer.target]).toEqual([200, 'first/m#1'])
    expect(answer.trail).toMatch(/^first\/m#1=empty; first\/m#1=empty; second\/m#1=server/)
  })

  test('is billed, and counts against the target but not against its key', async () => {
    await using world = await open('openai', [{ do: 'says_nothing' }])
    const before = standing(world).terms?.reliability ?? 0
    await askGateway(world, 'openai', { model: 'pair', stream: false })
    const rows = world.gateway.opened.engine.store.attempts({ order: 'oldest' })
    expect(rows.map(({ failure, usage }) => [failure?.kind ?? null, usage?.outputTokens])).toMatchObject([
      ['empty', 4],
      ['empty', 4],
      [null, expect.any(Number)],
    ])
    expect(standing(world).terms?.reliability).toBeLessThan(before)
    expect(standing(world).parks).toEqual([])
  })

  test('of an embedding is asked for again as well', async () => {
    const models = { e: { kind: 'embedding' as const } }
    const world = await openGateway(
      {
        providers: {
          first: {
            dialect: 'openai',
            keys: { [fakeKey('first')]: {} },
            models,
            faults: [{ do: 'says_nothing', to: 1 }],
          },
        },
      },
      { discover: true },
    )
    await using _closing = world
    const response = await world.ask('/v1/embeddings', { model: 'e', input: 'Hi' })
    expect(response.headers.get('x-keywise-trail')).toBe('first/e#1=empty; first/e#1=ok')
    expect(((await response.json()) as { data: unknown[] }).data).toHaveLength(1)
  })
})

describe('a model that answers request after request with nothing', () => {
  let now = 1_800_000_000_000
  const openAged = (faults: readonly FakeFault[], settings: object = PRIORITY) =>
    openGateway(scenario('openai', faults), { settings, clock: () => now })
  const trails = async (world: GatewayWorld, requests: number, more: Partial<Asked> = {}) => {
    const found: (string | null)[] = []
    for (let request = 0; request < requests; request++)
      found.push((await askGateway(world, 'openai', { model: 'pair', stream: false, ...more })).trail)
    return found
  }
  const TWICE = 'first/m#1=empty; first/m#1=empty; second/m#1=ok'

  test.each([false, true])('is not asked twice any more, and then after others (streamed: %s)', async (stream) => {
    await using world = await openAged([{ do: 'says_nothing' }])
    const found = await trails(world, 20, { stream })
    expect(found.slice(0, 4)).toEqual([TWICE, TWICE, 'first/m#1=empty; second/m#1=ok', 'second/m#1=ok'])
    expect(new Set(found.slice(3))).toEqual(new Set(['second/m#1=ok']))
    expect(standing(world).parks).toEqual([])
    now += 15_000
    expect(await trails(world, 2, { stream })).toEqual(['first/m#1=empty; second/m#1=ok', 'second/m#1=ok'])
  })

  test('is asked first again once it has answered', async () => {
    await using world = await openAged([{ do: 'says_nothing', to: 5 }])
    await trails(world, 10)
    now += 15_000
    expect(await trails(world, 3)).toEqual(['first/m#1=ok', 'first/m#1=ok', 'first/m#1=ok'])
  })

  test('is still asked where there is no other', async () => {
    await using world = await openAged([{ do: 'says_nothing' }])
    const found = await trails(world, 6, { model: 'first/m' })
    expect(found.slice(2)).toEqual(Array(4).fill('first/m#1=empty'))
  })

  test('is nothing to come last for as long as it also answers', async () => {
    const faults = [1, 2, 4, 5, 7, 8, 10, 11].map((call) => ({ do: 'says_nothing', from: call, to: call }) as const)
    await using world = await openAged(faults)
    const found = await trails(world, 8)
    expect(found.filter((trail) => trail === TWICE)).toHaveLength(4)
    expect(found.filter((trail) => trail === 'first/m#1=ok')).toHaveLength(4)
  })

  test('comes last with all of its keys, while other models of the same key do not', async () => {
    const models = { m: {}, n: { reply: '{"from":"n"}' } }
    const keys = { [fakeKey('one')]: {}, [fakeKey('two')]: {} }
    const faults = [{ do: 'prose', model: 'm' }] as const
    const providers = { first: { dialect: 'openai' as const, keys, models, faults: [...faults] } }
    const settings = { ...PRIORITY, models: { pair: ['first/m', 'first/n'] } }
    await using world = await openGateway({ providers }, { settings, clock: () => now })
    const found = await trails(world, 4, { json: true })
    expect(found[0]).toBe('first/m#1=malformed; first/m#2=malformed; first/n#1=ok')
    expect(found[3]).toBe('first/n#1=ok')
    expect((await askGateway(world, 'openai', { model: 'first/n', stream: false })).trail).toBe('first/n#1=ok')
  })
})

describe('an answer in the wrong form', () => {
  const JSON_REPLY = '{"city":"Rome"}'

  async function asked(world: GatewayWorld, client: DialectId, more: Partial<Asked>): Promise<Answer> {
    return askGateway(world, client, { model: 'pair', stream: false, ...more })
  }

  test.each(WAYS)('prose for JSON, is replaced: $upstream for $client (streamed: $stream)', async ({
    client,
    upstream,
    stream,
  }) => {
    await using world = await open(upstream, [{ do: 'prose' }], JSON_REPLY)
    const answer = await asked(world, client, { stream, json: true })
    expect(answer).toMatchObject({ status: 200, trail: 'first/m#1=malformed; second/m#1=ok' })
    expect(textOf(answer.read)).toBe(JSON_REPLY)
    expect(standing(world).parks).toEqual([])
  })

  test.each(WAYS)('JSON in a fence, is unwrapped: $upstream for $client (streamed: $stream)', async ({
    client,
    upstream,
    stream,
  }) => {
    await using world = await open(upstream, [{ do: 'fenced' }], JSON_REPLY)
    const answer = await asked(world, client, { stream, json: true })
    expect(answer).toMatchObject({ status: 200, trail: 'first/m#1=healed' })
    expect(answer.read).toMatchObject({ finishReason: 'stop' })
    expect(textOf(answer.read)).toBe('{"city":"Paris"}')
  })

  test.each(WAYS)('an unknown tool, is replaced: $upstream for $client (streamed: $stream)', async ({
    client,
    upstream,
    stream,
  }) => {
    await using world = await open(upstream, [{ do: 'unknown_tool' }])
    const answer = await asked(world, client, { stream, tools: true })
    expect(answer.trail).toBe('first/m#1=malformed; second/m#1=ok')
    expect(textOf(answer.read)).toBe('Paris.')
  })

  // Anthropic sends the input of a call as JSON, so that only a stream can break it, after its first content.
  test.each(
    WAYS.filter(({ upstream, stream }) => upstream === 'google' || (!stream && upstream !== 'anthropic')),
  )('a broken call, is replaced: $upstream for $client (streamed: $stream)', async ({ client, upstream, stream }) => {
    await using world = await open(upstream, [{ do: 'broken_call' }])
    const answer = await asked(world, client, { stream, tools: true })
    expect(answer.trail).toBe('first/m#1=malformed; second/m#1=ok')
    expect(textOf(answer.read)).toBe('Paris.')
  })

  test.each([false, true])('of which the model gave up is no answer at all (streamed: %s)', async (stream) => {
    await using world = await open('google', [{ do: 'broken_call' }])
    const answer = await askGateway(world, 'google', { model: 'first/m', stream, tools: true })
    expect([answer.status, answer.trail]).toEqual([503, 'first/m#1=malformed; first/m#1=malformed'])
    expect(standing(world).parks).toEqual([])
  })

  test.each([false, true])('is passed on when there is no other (streamed: %s)', async (stream) => {
    await using world = await open('openai', [{ do: 'prose' }])
    const answer = await askGateway(world, 'anthropic', { model: 'first/m', stream, json: true })
    expect([answer.status, answer.trail]).toEqual([200, 'first/m#1=malformed'])
    expect(textOf(answer.read)).toMatch(/^Of course!/)
  })

  test('is nobody’s where nothing was demanded', async () => {
    await using world = await open('openai', [{ do: 'fenced' }])
    const answer = await askGateway(world, 'openai', { model: 'pair', stream: false })
    expect(answer.trail).toBe('first/m#1=ok')
    expect(textOf(answer.read)).toContain('```json')
  })
})
