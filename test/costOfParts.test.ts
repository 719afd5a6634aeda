/** What is billed apart from plain tokens: what answers, the log and budgets say of it. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { type GatewayWorld, openGateway } from './support/gatewayWorld.ts'
import { httpUpstream, type Reply } from './support/httpUpstream.ts'

const TOKENS = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 }
const message = { role: 'assistant', content: 'Hello' }
const answering =
  (usage: object, beside: object = {}): (() => Reply) =>
  () => ({ body: { id: '1', model: 'm', choices: [{ index: 0, message, finish_reason: 'stop' }], usage, ...beside } })
const CHAT = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }
const PRICE = { input: 1, output: 10 }

async function open(
  reply: () => Reply,
  price: object = PRICE,
  settings: object = {},
  { dialect = 'openai', sent = [], ...model }: { dialect?: string; sent?: unknown[] } & Record<string, unknown> = {},
): Promise<GatewayWorld> {
  const { endpoint } = await httpUpstream(({ text }) => {
    sent.push(JSON.parse(text))
    return reply()
  })
  const own = {
    dialect,
    endpoint,
    api_key: `fake-${'0'.repeat(16)}`,
    local: false,
    models: [{ id: 'm', price, ...model }],
  }
  const world = await openGateway({ providers: {} }, { providers: { own }, settings })
  onTestFinished(() => world.close())
  return world
}

const costsOf = ({ headers }: Response) => [
  headers.get('x-keywise-cost-usd'),
  headers.get('x-keywise-cost-at-least-usd'),
]

describe('an answer says what it cost', () => {
  for (const { of, usage = TOKENS, beside = {}, price = PRICE, costs } of [
    { of: 'in the usual tier', beside: { service_tier: 'default' }, costs: ['0.002', null] },
    {
      of: 'in a tier whose price nobody knows, at least',
      beside: { service_tier: 'priority' },
      costs: [null, '0.002'],
    },
    {
      of: 'in a tier of the price table',
      beside: { service_tier: 'priority' },
      price: { ...PRICE, tiers: { priority: 1.75 } },
      costs: ['0.0035', null],
    },
    {
      of: 'with audio that has no price, at least',
      usage: { ...TOKENS, completion_tokens_details: { audio_tokens: 60 } },
      costs: [null, '0.002'],
    },
    {
      of: 'with audio of the price table',
      usage: { ...TOKENS, completion_tokens_details: { audio_tokens: 60 } },
      price: { ...PRICE, output_audio: 20 },
      costs: ['0.0026', null],
    },
    {
      of: 'with the fee and what the service behind a router charges',
      usage: { ...TOKENS, cost: 0.001, is_byok: true, cost_details: { upstream_inference_cost: 0.036 } },
      costs: ['0.037', null],
    },
    {
      of: 'with the fee on top of the tokens where nobody says what that service charges',
      usage: { ...TOKENS, cost: 0.001, is_byok: true, cost_details: { upstream_inference_cost: null } },
      costs: ['0.003', null],
    },
    {
      of: 'by a router with its own key, where both stand',
      usage: { ...TOKENS, cost: 0.001, is_byok: false, cost_details: { upstream_inference_cost: 0.0009 } },
      costs: ['0.001', null],
    },
  ])
    test(of, async () => {
      const world = await open(answering(usage, beside), price)
      const answer = await world.ask('/v1/chat/completions', CHAT)
      expect(costsOf(answer)).toEqual(costs)
    })
})

test('the ledger keeps the parts, and sums say what was spent at least', async () => {
  const world = await open(answering(TOKENS, { service_tier: 'priority' }))
  await world.ask('/v1/chat/completions', CHAT)
  const { store } = world.gateway.opened.engine
  expect(store.attempts({})).toMatchObject([
    { usage: { parts: { serviceTier: 'priority' } }, costNanoUsd: null, costRange: { atLeast: 2e6, atMost: 12e6 } },
  ])
  expect(store.sums({}, [])).toMatchObject([{ costNanoUsd: 2e6, unpriced: 1, unsureNanoUsd: 10e6 }])
})

test('what was answered in a batch costs its share, and spending by tier shows it', async () => {
  const world = await open(answering(TOKENS, { service_tier: 'batch' }), { ...PRICE, tiers: { batch: 0.5 } })
  expect(costsOf(await world.ask('/v1/chat/completions', CHAT))).toEqual(['0.001', null])
  const spent = await fetch(`${world.origin}/api/spend?by=tier`, {
    headers: { authorization: `Bearer ${world.adminToken}` },
  })
  expect(await spent.json()).toMatchObject({
    spend: [{ group: { tier: 'batch' }, costUsd: 0.001, unpricedAttempts: 0 }],
  })
})

test('several completions say what they cost together, at least where a part of one is unknown', async () => {
  const tiers = ['priority', 'default', 'default']
  const world = await open(() => answering(TOKENS, { service_tier: tiers.shift() })())
  const ask = () => world.ask('/v1/completions', { model: 'm', prompt: ['One', 'Two'] })
  // 2 thousandths each, the first of them at least.
  expect(costsOf(await ask())).toEqual([null, '0.004'])
  tiers.push('default')
  expect(costsOf(await ask())).toEqual(['0.004', null])
})

describe('a tier that is named before the usage', () => {
  const head = { id: '1', object: 'chat.completion.chunk', created: 1, model: 'm' }
  const delta = { ...head, choices: [{ index: 0, delta: { content: 'Hello there' }, finish_reason: null }] }
  const events: Readonly<Record<string, readonly object[]>> = {
    openai: [{ ...delta, service_tier: 'flex' }],
    'openai, in a later chunk': [delta, { ...delta, service_tier: 'flex' }],
    'openai-responses': [
      {
        type: 'response.created',
        response: { id: 'r', model: 'm', status: 'in_progress', service_tier: 'flex', output: [] },
      },
      {
        type: 'response.output_item.added',
        output_index: 0,
        item: { type: 'message', id: 'i', role: 'assistant', status: 'in_progress', content: [] },
      },
      { type: 'response.output_text.delta', item_id: 'i', output_index: 0, content_index: 0, delta: 'Hello there' },
    ],
    google: [
      {
        candidates: [{ index: 0, content: { role: 'model', parts: [{ text: 'Hello there' }] } }],
        usageMetadata: { trafficType: 'ON_DEMAND_FLEX' },
        modelVersion: 'm',
        responseId: 'r',
      },
    ],
  }
  for (const [of, said] of Object.entries(events))
    test(`stays where the stream breaks off: ${of}`, async () => {
      const [dialect] = of.split(',')
      const { endpoint } = await httpUpstream((_asked, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        for (const event of said) response.write(`data: ${JSON.stringify(event)}\n\n`)
        setTimeout(() => response.destroy(), 50)
        return null
      })
      const price = { ...PRICE, tiers: { flex: 0.5 } }
      const base = dialect === 'google' ? endpoint.replace(/\/v1$/, '') : endpoint
      const own = {
        dialect,
        endpoint: base,
        api_key: `fake-${'0'.repeat(16)}`,
        local: false,
        models: [{ id: 'm', price }],
      }
      const world = await openGateway({ providers: {} }, { providers: { own } })
      onTestFinished(() => world.close())
      await (await world.ask('/v1/chat/completions', { ...CHAT, stream: true })).text()
      const [row] = world.gateway.opened.engine.store.attempts({})
      const { inputTokens = 0, outputTokens = 0 } = row?.usage ?? {}
      expect(row).toMatchObject({ ok: false, usage: { estimated: true, parts: { serviceTier: 'flex' } } })
      expect(outputTokens).toBeGreaterThan(0)
      expect(row?.costNanoUsd).toBe((inputTokens * 1000 + outputTokens * 10_000) / 2)
    })

  test('stays where a whole answer has no usage', async () => {
    const world = await open(
      () => ({ body: { ...head, service_tier: 'flex', choices: [{ index: 0, message, finish_reason: 'stop' }] } }),
      { ...PRICE, tiers: { flex: 0.5 } },
    )
    await world.ask('/v1/chat/completions', CHAT)
    const [row] = world.gateway.opened.engine.store.attempts({})
    expect(row?.usage).toMatchObject({ estimated: true, parts: { serviceTier: 'flex' } })
  })
})

describe('a hard budget', () => {
  const budgets = [{ scope: 'all', usd: 0.05, per: 'day' }]
  const ask = (world: GatewayWorld, beside: object) =>
    world.ask('/v1/chat/completions', { ...CHAT, max_tokens: 100, ...beside })

  test('takes the most that a tier of unknown price can cost, before the call and after it', async () => {
    const world = await open(answering(TOKENS, { service_tier: 'priority' }), PRICE, { budgets })
    const answered = []
    while (answered.length < 20) {
      const { status } = await ask(world, { service_tier: 'priority' })
      if (status !== 200) break
      answered.push(status)
    }
    // 12 thousandths of a dollar each, and 6 thousandths that must still fit before the call.
    expect(answered).toHaveLength(4)
    const [view] = world.gateway.opened.engine.learned.budgets.view(world.gateway.opened.engine.now)
    expect(view).toMatchObject({ spentUsd: 0.048, unpricedAttempts: 4 })
  })

  test('takes what a tier of the price table costs', async () => {
    const price = { ...PRICE, tiers: { priority: 2 } }
    const world = await open(answering(TOKENS, { service_tier: 'priority' }), price, { budgets })
    for (let call = 0; call < 10; call++) expect((await ask(world, { service_tier: 'priority' })).status).toBe(200)
    const [view] = world.gateway.opened.engine.learned.budgets.view(world.gateway.opened.engine.now)
    expect(view).toMatchObject({ spentUsd: 0.04, unpricedAttempts: 0 })
  })
})

describe('a hard budget puts aside', () => {
  const viewOf = ({ gateway }: GatewayWorld) => gateway.opened.engine.learned.budgets.view(gateway.opened.engine.now)[0]

  for (const { by, facts } of [
    { by: 'the window', facts: { context_tokens: 2000 } },
    { by: 'the longest answer of the model', facts: { max_output_tokens: 1500 } },
  ])
    test(`what is sent where a limit of the caller is cut by ${by}`, async () => {
      const sent: { max_tokens: number }[] = []
      const price = { input: 0, output: 1000 }
      const settings = { budgets: [{ scope: 'all', usd: 2, per: 'day' }] }
      const usage = { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11 }
      const world = await open(answering(usage), price, settings, { sent, ...facts })
      const { status } = await world.ask('/v1/chat/completions', { ...CHAT, max_tokens: 1_000_000 })
      // A million tokens would be $1000; 2000 are two.
      expect(status).toBe(200)
      expect(sent).toHaveLength(1)
      expect(sent[0]?.max_tokens).toBeGreaterThan(1000)
      expect(sent[0]?.max_tokens).toBeLessThanOrEqual(2000)
      const small = await open(answering(usage), price, { budgets: [{ scope: 'all', usd: 1, per: 'day' }] }, facts)
      const refused = await small.ask('/v1/chat/completions', { ...CHAT, max_tokens: 1_000_000 })
      expect(refused.status).toBe(429)
      const need = /this call may need \$(\d\.\d\d)/.exec(JSON.stringify(await refused.json()))?.[1]
      expect(Number(need)).toBeCloseTo((sent[0]?.max_tokens ?? 0) / 1000, 2)
    })

  const search = (more: object) => ({ type: 'web_search_20250305', name: 'web_search', ...more })
  const searching = (tools: readonly object[]) => ({ ...CHAT, max_tokens: 10, tools })
  const searched = (times: number) => () => ({
    body: {
      ...{ id: 'msg_1', type: 'message', role: 'assistant', model: 'm', stop_reason: 'end_turn', stop_sequence: null },
      content: [{ type: 'text', text: 'Found' }],
      usage: { input_tokens: 10, output_tokens: 10, server_tool_use: { web_search_requests: times } },
    },
  })
  const SEARCHES = { input: 0, output: 0, tools: { web_search: 10 } }
  const anthropic = { dialect: 'anthropic' }

  test('every search that a request allows, so that parallel ones do not pass it', async () => {
    const settings = { budgets: [{ scope: 'all', usd: 0.1, per: 'day' }] }
    const world = await open(searched(2), SEARCHES, settings, anthropic)
    const ask = () => world.ask('/v1/messages', searching([search({ max_uses: 2 })]))
    const statuses = (await Promise.all(Array.from({ length: 20 }, ask))).map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(5)
    expect(viewOf(world)).toMatchObject({ spentUsd: 0.1, reservedUsd: 0, unpricedAttempts: 0 })
  })

  test('ten searches where a request names no bound, and gives back what was not used', async () => {
    const settings = { budgets: [{ scope: 'all', usd: 0.15, per: 'day' }] }
    const world = await open(searched(1), SEARCHES, settings, anthropic)
    const ask = async () => (await world.ask('/v1/messages', searching([search({})]))).status
    for (const status of [200, 200, 200, 200, 200, 200, 429]) expect(await ask()).toBe(status)
    expect(viewOf(world)).toMatchObject({ spentUsd: 0.06, reservedUsd: 0 })
  })

  test('nothing for searches that the service is not told of', async () => {
    const settings = { budgets: [{ scope: 'all', usd: 0.05, per: 'day' }] }
    const world = await open(answering(TOKENS), SEARCHES, settings)
    const body = searching([search({}), { name: 'own', input_schema: { type: 'object' } }])
    expect((await world.ask('/v1/messages', { ...body, tool_choice: { type: 'auto' } })).status).toBe(200)
  })
})

test('a simulated service serves in the tier that was asked for', async () => {
  await using world = await openGateway(
    { providers: { own: { models: { m: {} } } } },
    {
      reconfigure: ({ own }) => ({
        own: { ...own, models: [{ id: 'm', price: { ...PRICE, tiers: { priority: 2 } } }] },
      }),
    },
  )
  const usual = costsOf(await world.ask('/v1/chat/completions', CHAT))[0]
  const first = costsOf(await world.ask('/v1/chat/completions', { ...CHAT, service_tier: 'priority' }))[0]
  expect(Number(first)).toBeCloseTo(2 * Number(usual), 9)
  expect(Number(usual)).toBeGreaterThan(0)
})
