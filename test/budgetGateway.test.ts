/** Budgets and costs as clients of the gateway meet them. */

import { expect, onTestFinished, test } from 'vitest'
import { type GatewayWorld, openGateway } from './support/gatewayWorld.ts'
import { own } from './support/lab.ts'
import { budget, FREE, priced, pricedConfig } from './support/spendWorld.ts'

async function open(
  settings: object,
  price: object = priced,
  dialect?: string,
  facts = {},
  clock?: () => number,
): Promise<GatewayWorld> {
  const more = { ...facts, ...(dialect !== undefined && { dialect }) }
  const providers = { ...own('paid', 1, ['m'], more), ...own('gratis', 1, ['m'], more) }
  const world = await openGateway(
    { providers },
    {
      settings,
      reconfigure: (config) => pricedConfig(config, { paid: price, gratis: FREE }),
      ...(clock !== undefined && { clock }),
    },
  )
  onTestFinished(() => world.close())
  return world
}

const chat = { model: 'paid/m', messages: [{ role: 'user', content: 'Say hi' }] }
const messageIn = (body: unknown) => (body as { error: { message: string } }).error.message
const REQUESTS = [
  ['/v1/chat/completions', chat],
  ['/v1/messages', { ...chat, max_tokens: 50 }],
  ['/v1beta/models/paid/m:generateContent', { contents: [{ parts: [{ text: 'Say hi' }] }] }],
  ['/v1/responses', { model: 'paid/m', input: 'Say hi' }],
] as const

test('a spent budget is a 429 in the client’s own words, with the time to come back, and is not to be retried', async () => {
  const world = await open({ budgets: [budget(0.001)] })
  expect((await world.ask('/v1/chat/completions', chat)).status).toBe(200)
  for (const [path, body] of REQUESTS) {
    const response = await world.ask(path, body)
    expect(response.status).toBe(429)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(messageIn(await response.json())).toMatch(/^no budget left: budget all: \$0\.001 per day, \$0\.001 spent/)
  }
  expect(world.fakes.calls).toHaveLength(1)
})

test('a budget that is too small for the request is a 429 that tells what to do, and no time', async () => {
  const world = await open({ budgets: [budget(0.0005)] })
  const response = await world.ask('/v1/chat/completions', chat)
  expect([response.status, response.headers.get('retry-after')]).toEqual([429, null])
  expect(response.headers.get('x-should-retry')).toBe('false')
  expect(messageIn(await response.json())).toBe(
    'no budget left: budget all: $0.0005 per day; this call may need $0.001, which is more than all of it: raise the budget, or lower "max_tokens"',
  )
  expect(world.fakes.calls).toEqual([])
})

test('a budget that is too small for the searches of a request says so', async () => {
  const world = await open({ budgets: [budget(0.1)] }, { ...priced, tools: { web_search: 50 } }, 'anthropic')
  const tools = [{ type: 'web_search_20250305', name: 'web_search' }]
  const response = await world.ask('/v1/messages', { ...chat, max_tokens: 1, tools })
  expect(response.status).toBe(429)
  expect(messageIn(await response.json())).toContain(
    'raise the budget, or bound the tools that run at the provider ("max_uses", "max_tool_calls")',
  )
  const bounded = [{ ...tools[0], max_uses: 1 }]
  expect((await world.ask('/v1/messages', { ...chat, max_tokens: 1, tools: bounded })).status).toBe(200)
})

test('a paced budget is a 429 until its share has grown, and its rule decides whether others are asked', async () => {
  let now = Date.parse('2026-11-23T02:30:00Z')
  const paced = { scope: 'paid', usd: 0.024, per: 'day', pace: true }
  const aliases = { models: { mine: ['paid/m', 'gratis/m'] }, routing: { strategy: 'priority' } }
  for (const rule of ['fallback', 'reject']) {
    const settings = { ...aliases, budgets: [{ ...paced, on_exceeded: rule }] }
    const world = await open(settings, priced, undefined, {}, () => now)
    const ask = (model: string) => world.ask('/v1/chat/completions', { ...chat, model })
    // Until three o'clock, three hours have their share.
    for (const status of [200, 200, 200, 429]) expect((await ask('paid/m')).status).toBe(status)
    const refused = await ask('paid/m')
    expect(refused.headers.get('retry-after')).toBe('1800')
    expect(messageIn(await refused.json())).toBe(
      'no budget left: budget paid: $0.024 per day, paced: $0.003 until 2026-11-23 03:00 UTC, $0.003 spent; this call may need $0.001; there is room again at 2026-11-23T03:00:00.000Z',
    )
    expect((await ask('mine')).status).toBe(rule === 'reject' ? 429 : 200)
    now += 1_800_000
    for (const status of [200, 429]) expect((await ask('paid/m')).status).toBe(status)
    now -= 1_800_000
  }
})

test('a spent budget beside a key that was refused is a 429: there will be room again', async () => {
  const settings = { routing: { strategy: 'priority' }, models: { both: ['gratis/m', 'paid/m'] }, budgets: [budget(0)] }
  const world = await open(settings, priced, undefined, { faults: [{ do: 'billing' }] })
  const ask = async () => (await world.ask('/v1/chat/completions', { ...chat, model: 'both' })).status
  expect(await ask()).toBe(502)
  expect(await ask()).toBe(429)
  expect(world.fakes.calls).toHaveLength(1)
})

test('a budget moves requests on, or fails them at once, as its rule says', async () => {
  const aliases = { models: { mine: ['paid/m', 'gratis/m'] }, routing: { strategy: 'priority' } }
  const mine = { ...chat, model: 'mine' }
  const fallback = await open({ ...aliases, budgets: [budget(0)] })
  const answered = await fallback.ask('/v1/chat/completions', mine)
  expect(answered.headers.get('x-keywise-target')).toBe('gratis/m#1')
  expect(answered.headers.get('x-keywise-cost-usd')).toBe('0')
  const rejecting = await open({ ...aliases, budgets: [budget(0, { on_exceeded: 'reject' })] })
  const refused = await rejecting.ask('/v1/chat/completions', mine)
  expect(refused.status).toBe(429)
  expect(await refused.json()).toMatchObject({ error: { code: 'budget_exceeded' } })
  expect(rejecting.fakes.calls).toEqual([])
})

test('of 200 parallel requests only those are sent that fit', async () => {
  const world = await open({ budgets: [budget(0.01)] })
  const responses = await Promise.all(Array.from({ length: 200 }, () => world.ask('/v1/chat/completions', chat)))
  const statuses = responses.map(({ status }) => status)
  await Promise.all(responses.map((response) => response.text()))
  expect(world.fakes.calls).toHaveLength(10)
  expect(statuses.filter((status) => status === 200)).toHaveLength(10)
  expect(statuses.filter((status) => status === 429)).toHaveLength(190)
})

test('the price of an answer stands in a header, as an exact decimal', async () => {
  const world = await open({}, { input: 0, output: 0, request: 0.0000005 })
  const response = await world.ask('/v1/chat/completions', chat)
  expect(response.headers.get('x-keywise-cost-usd')).toBe('0.0000005')
})

test('a limit is put into the client’s own bytes where a hard budget needs one', async () => {
  for (const [path, body, dialect, field] of [
    ['/v1/chat/completions', chat, 'openai', 'max_tokens'],
    ['/v1/responses', { model: 'paid/m', input: 'Say hi' }, 'openai-responses', 'max_output_tokens'],
  ] as const) {
    const world = await open({ budgets: [budget(1)] }, { input: 1, output: 1 }, dialect)
    // What keywise does not know stays: the bytes were not rewritten.
    const sent = { ...body, custom: { spaces: 'kept' } }
    expect((await world.ask(path, sent)).status).toBe(200)
    expect(world.fakes.calls[0]?.body).toEqual({ ...sent, model: 'm', [field]: 16_384 })
    expect((await world.ask(path, { ...sent, [field]: null })).status).toBe(200)
    expect(world.fakes.calls[1]?.body).toMatchObject({ [field]: 16_384 })
  }
  const google = await open({ budgets: [budget(1)] }, { input: 1, output: 1 }, 'google')
  const contents = { contents: [{ role: 'user', parts: [{ text: 'Say hi' }] }] }
  expect((await google.ask('/v1beta/models/paid/m:generateContent', contents)).status).toBe(200)
  expect(google.fakes.calls[0]?.body).toMatchObject({ generationConfig: { maxOutputTokens: 16_384 } })
})

test('rows say who asked: the token, the labels, the session’s task', async () => {
  const world = await open({ budgets: [budget(0.002, { scope: 'token:inference' })] })
  const headers = { 'x-keywise-labels': 'team=a', 'x-keywise-task': 'review' }
  await world.ask('/v1/chat/completions', chat, headers)
  const [row] = world.gateway.opened.engine.store.attempts({})
  expect(row).toMatchObject({
    token: 'inference',
    labels: { team: 'a' },
    task: 'review',
    priceSource: expect.stringMatching(/^config [0-9a-f]{8}$/),
  })
  await world.ask('/v1/chat/completions', chat)
  expect((await world.ask('/v1/chat/completions', chat)).status).toBe(429)
})

test('the metrics tell when a budget will be spent, and what it will have spent in the end', async () => {
  const now = Date.parse('2026-11-23T22:00:00Z')
  const budgets = [budget(0.004), budget(1, { per: 'hour', scope: 'paid' })]
  const world = await open({ budgets }, priced, undefined, {}, () => now)
  for (let call = 0; call < 3; call++) await (await world.ask('/v1/chat/completions', chat)).text()
  const text = await (await world.ask('/metrics')).text()
  // Three calls, which count as those of an hour of the day and of a quarter of the hour: the fourth thousandth of a dollar is spent in 20 minutes, of the two hours left.
  expect(text).toContain(`keywise_budget_spent_at_seconds{scope="all",per="day",unit="usd"} ${now / 1000 + 1200}\n`)
  expect(text).toContain('keywise_budget_at_end_usd{scope="all",per="day"} 0.009\n')
  expect(text).toContain('keywise_budget_at_end_usd{scope="paid",per="hour"} 0.015\n')
  expect(text).not.toContain('keywise_budget_spent_at_seconds{scope="paid"')
})

test('GET /api/budgets and /api/spend tell what may be spent and what was, to who may know', async () => {
  const world = await open({ budgets: [budget(1)] })
  for (let call = 0; call < 3; call++)
    await world.ask('/v1/chat/completions', chat, { 'x-keywise-labels': call < 2 ? 'team=a' : 'team=b' })
  const admin = { authorization: `Bearer ${world.adminToken}` }
  const get = async (path: string) => (await fetch(world.origin + path, { headers: admin })).json()
  expect(await get('/api/budgets')).toMatchObject({
    generatedAt: expect.any(String),
    budgets: [
      {
        ...{ scope: 'all', per: 'day', limitUsd: 1, spentUsd: 0.003, reservedUsd: 0, hard: true, share: null },
        forecast: { perHour: 3_000_000, perHourUsd: 0.003, spentAt: null, atEnd: expect.any(Number) },
      },
    ],
  })
  expect(await get('/api/spend?by=provider,model,key&since=1d')).toMatchObject({
    spend: [{ group: { provider: 'paid', model: 'm', key: 'paid#1' }, attempts: 3, costUsd: 0.003 }],
    total: { attempts: 3, costUsd: 0.003 },
  })
  expect(await get('/api/spend?by=label:team')).toMatchObject({
    spend: [
      { group: { 'label:team': 'a' }, costUsd: 0.002 },
      { group: { 'label:team': 'b' }, costUsd: 0.001 },
    ],
  })
  for (const [path, message] of [
    ['/api/spend?by=colour', /spending cannot be told by "colour"/],
    ['/api/spend?since=yesterday', /"since" must be a time/],
  ] as const) {
    const response = await fetch(world.origin + path, { headers: admin })
    expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([
      400,
      expect.stringMatching(message),
    ])
  }
  expect((await world.ask('/api/spend')).status).toBe(403)
})
