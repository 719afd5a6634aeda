/**
 * What the gateway reports beside the answer: trail, sessions, aliases, feedback, metrics; and what it never reveals.
 */

import { createServer } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { FakeScenario } from '../src/lab/fake/scenario.ts'
import { ADMIN_TOKEN, type GatewayWorld, openGateway, TOKEN, type WorldOptions } from './support/gatewayWorld.ts'
import { listening } from './support/listening.ts'
import { rawRequest } from './support/rawHttp.ts'

const USER = { role: 'user', content: 'Hi' }
const chat = (model: string, messages: readonly object[] = [USER]) => ({ model, messages })

const TWO: FakeScenario = {
  providers: {
    alpha: { models: { 'model-a': { reply: 'A' } }, faults: [{ do: 'overloaded', to: 1 }] },
    beta: { models: { 'model-b': { reply: 'B' } } },
  },
}
const ORDERED: WorldOptions['settings'] = {
  routing: { strategy: 'priority' },
  models: { pair: ['model-a', 'model-b'], 'claude-*': ['model-b'], 'gpt-*-mini': ['auto:cheap'] },
}

function ask(world: GatewayWorld, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return world.ask('/v1/chat/completions', body, headers)
}

describe('the headers of an answer', () => {
  test.each([false, true])('name request, target, attempts and trail (streamed: %s)', async (stream) => {
    await using world = await openGateway(TWO, { settings: ORDERED })
    const { headers } = await ask(world, { ...chat('pair'), stream })
    expect(headers.get('x-keywise-request-id')).toMatch(/^kw_/)
    expect(headers.get('x-keywise-target')).toBe('beta/model-b#1')
    expect(headers.get('x-keywise-attempts')).toBe('2')
    expect(headers.get('x-keywise-trail')).toBe('alpha/model-a#1=overloaded; beta/model-b#1=ok')
  })

  test('name the cost where it is known', async () => {
    const scenario: FakeScenario = { providers: { own: { models: { priced: {} } } } }
    await using world = await openGateway(scenario, {
      reconfigure: ({ own }) => ({ own: { ...own, models: [{ id: 'priced', price: { input: 1, output: 2 } }] } }),
    })
    const response = await ask(world, chat('priced'))
    const { usage } = (await response.json()) as { usage: { prompt_tokens: number; completion_tokens: number } }
    const expected = (usage.prompt_tokens + 2 * usage.completion_tokens) / 1e6
    expect(Number(response.headers.get('x-keywise-cost-usd'))).toBeCloseTo(expected, 9)
  })

  test('tell a failure as well, and that trying again is of no use', async () => {
    const scenario: FakeScenario = { providers: { lone: { models: { m: {} }, faults: [{ do: 'billing' }] } } }
    await using world = await openGateway(scenario)
    const { status, headers } = await ask(world, chat('m'))
    expect(status).toBe(502)
    expect(headers.get('x-keywise-trail')).toBe('lone/m#1=billing')
    expect(headers.get('x-should-retry')).toBe('false')
  })

  test.each([
    ['billing', 502],
    ['auth_invalid', 502],
    ['rate_minute', 429],
  ] as const)('the status after %s is the same when the next request is not even tried', async (fault, expected) => {
    const scenario: FakeScenario = { providers: { lone: { models: { m: {} }, faults: [{ do: fault }] } } }
    await using world = await openGateway(scenario, { settings: { timeouts: { patience_ms: 0 }, max_attempts: 1 } })
    const statuses: number[] = []
    while (world.fakes.calls.length === statuses.length && statuses.length < 20)
      statuses.push((await ask(world, chat('m'))).status)
    expect(world.fakes.calls.length, 'the last request was tried').toBeLessThan(20)
    expect(new Set(statuses)).toEqual(new Set([expected]))
  })

  test.each([
    'billing',
    'auth_forbidden',
    'auth_invalid',
  ] as const)('and its body name no time to try again after %s, which only a person can mend', async (fault) => {
    const scenario: FakeScenario = { providers: { lone: { models: { m: {} }, faults: [{ do: fault }] } } }
    await using world = await openGateway(scenario)
    const contents = [{ role: 'user', parts: [{ text: 'Hi' }] }]
    for (const isTried of [true, false]) {
      const first = await ask(world, chat('m'))
      const second = await world.ask('/v1beta/models/m:generateContent', { contents })
      for (const { status, headers } of [first, second])
        expect([isTried, status, headers.get('retry-after')]).toEqual([isTried, 502, null])
      expect(await second.text()).not.toContain('retryDelay')
    }
  })

  test('never carry a line break of a model or a label', async () => {
    const scenario: FakeScenario = { providers: { lone: { models: { 'odd\r\nx-evil: 1': { reply: 'odd' } } } } }
    await using world = await openGateway(scenario)
    for (const model of ['odd\r\nx-evil: 1', 'lone/odd\r\nx-evil: 1', 'none\r\nx-evil: 1']) {
      const response = await ask(world, chat(model), { 'x-keywise-labels': 'a=b,c=d' })
      expect(response.headers.get('x-evil')).toBeNull()
      expect(response.status).toBeLessThan(500)
    }
    const raw = `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nx-keywise-task: a\rb\r\nContent-Length: 2\r\n\r\n{}`
    expect((await rawRequest(world.origin, raw))[0]?.status).toBe(400)
  })
})

test('the capital types that Gemini takes are told to others in small letters, in both fields', async () => {
  await using world = await openGateway(TWO, { settings: ORDERED })
  const schema = { type: 'OBJECT', properties: { city: { type: 'STRING' } }, required: ['city'] }
  for (const field of ['responseSchema', 'responseJsonSchema']) {
    const generationConfig = { responseMimeType: 'application/json', [field]: schema }
    const body = { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }], generationConfig }
    await (await world.ask('/v1beta/models/model-b:generateContent', body)).text()
    const told = { type: 'object', properties: { city: { type: 'string' } } }
    expect(world.fakes.calls.at(-1)?.body).toMatchObject({ response_format: { json_schema: { schema: told } } })
  }
})

describe('the headers of a request', () => {
  test.each([
    ['x-keywise-timeout-ms', 'soon'],
    ['x-keywise-timeout-ms', '0'],
    ['x-keywise-timeout-ms', '-5'],
    ['x-keywise-max-attempts', '1.5'],
    ['x-keywise-max-attempts', 'Infinity'],
    ['x-keywise-retry-filtered', 'yes'],
    ['x-keywise-labels', '=x'],
    ['x-keywise-labels', 'noequals'],
    ['x-keywise-labels', '__proto__=x'],
  ])('%s: %s is refused by name', async (name, value) => {
    await using world = await openGateway(TWO, { settings: ORDERED })
    const response = await ask(world, chat('pair'), { [name]: value })
    expect([response.status, await response.json()]).toMatchObject([400, { error: { param: name } }])
  })

  test('x-keywise-max-attempts bounds the upstream calls', async () => {
    await using world = await openGateway(TWO, { settings: ORDERED })
    expect((await ask(world, chat('pair'), { 'x-keywise-max-attempts': '1' })).status).toBe(503)
    expect(world.fakes.calls).toHaveLength(1)
  })

  test('x-keywise-timeout-ms bounds the wait', async () => {
    const scenario: FakeScenario = { providers: { lone: { models: { m: {} }, faults: [{ do: 'silence' }] } } }
    await using world = await openGateway(scenario)
    expect((await ask(world, chat('m'), { 'x-keywise-timeout-ms': '60' })).status).toBe(504)
  })

  test('task and labels reach the ledger', async () => {
    await using world = await openGateway(TWO, { settings: ORDERED })
    await (await ask(world, chat('model-b'), { 'x-keywise-task': 'sum', 'x-keywise-labels': 'team=a, env=b' })).text()
    expect(await ledger(world)).toMatchObject([{ task: 'sum', labels: { team: 'a', env: 'b' }, token: 'inference' }])
  })
})

describe('sessions', () => {
  const many = (): FakeScenario => ({
    providers: {
      own: { keys: { 'fake-key-one-000000': {}, 'fake-key-two-000000': {} }, models: { m: { reply: 'A' } } },
    },
  })
  const robin = { settings: { routing: { strategy: 'round-robin' } } }
  const targetsOf = async (world: GatewayWorld, bodies: readonly object[], headers: Record<string, string> = {}) => {
    const targets = new Set<string | null>()
    for (const body of bodies) targets.add((await ask(world, body, headers)).headers.get('x-keywise-target'))
    return targets.size
  }
  const later = chat('m', [USER, { role: 'assistant', content: 'A' }, USER])

  test('that are named stay on their target', async () => {
    await using world = await openGateway(many(), robin)
    expect(await targetsOf(world, Array(6).fill(chat('m')), { 'x-keywise-session': 'mine' })).toBe(1)
  })

  test('that are derived stay from the second turn on', async () => {
    await using world = await openGateway(many(), robin)
    expect(await targetsOf(world, [chat('m'), later, later, later, later])).toBe(1)
    expect(await targetsOf(world, Array(4).fill(chat('m')))).toBe(2)
  })
})

describe('names of models', () => {
  test.each([
    ['pair', 'B'],
    ['claude-sonnet-4-5', 'B'],
    ['gpt-5-mini', 'B'],
    ['alpha/model-a', 'A'],
    ['model-b', 'B'],
    ['beta/model-b#1', 'B'],
  ])('%s is answered by %s', async (model, expected) => {
    await using world = await openGateway(TWO, { settings: ORDERED })
    // The first call of alpha fails; a pinned model has nowhere else to go and is asked again.
    expect(await (await ask(world, chat(model))).json()).toMatchObject({
      choices: [{ message: { content: model === 'gpt-5-mini' ? expect.stringMatching(/[AB]/) : expected } }],
    })
  })

  test('that nobody has are a 404 that names the nearest and the alias to write', async () => {
    await using world = await openGateway(TWO, { settings: ORDERED })
    const response = await ask(world, chat('model-c'))
    const message = expect.stringMatching(/"model-c".*model-[ab].*settings\.models/)
    expect([response.status, await response.json()]).toMatchObject([
      404,
      { error: { code: 'model_not_found', message } },
    ])
  })
})

test('feedback rates the request it names, and nothing else', async () => {
  await using world = await openGateway(TWO, { settings: ORDERED })
  const id = (await ask(world, chat('model-b'))).headers.get('x-keywise-request-id')
  const rate = async (body: object) => (await world.ask('/v1/feedback', body)).status
  expect(await rate({ request_id: id, score: 0.9 })).toBe(200)
  expect(await rate({ request_id: id, score: 1.5 })).toBe(400)
  expect(await rate({ request_id: id })).toBe(400)
  expect(await rate({ request_id: 'kw_unknown', score: 0.5 })).toBeGreaterThanOrEqual(400)
})

test('the metrics have their published names, in the format of Prometheus', async () => {
  await using world = await openGateway(TWO, {
    settings: { ...ORDERED, budgets: [{ scope: 'all', usd: 1, per: 'day' }] },
  })
  await (await ask(world, chat('pair'))).text()
  await (await ask(world, { ...chat('pair'), stream: true })).text()
  const response = await fetch(`${world.origin}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
  const text = await response.text()
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(
      /^(?:# (?:HELP|TYPE) keywise_\w+ .+|keywise_\w+(?:\{\w+="[^"]*"(?:,\w+="[^"]*")*\})? [\d.eE+-]+)$/,
    )
  for (const row of [
    'keywise_requests_total{protocol="openai",outcome="ok"} 2',
    'keywise_attempts_total{provider="alpha",model="model-a",key="1",outcome="overloaded"} 1',
    'keywise_attempt_duration_seconds_count 3',
    'keywise_time_to_first_token_seconds_count 2',
    'keywise_tokens_total{provider="beta",model="model-b",direction="output"}',
    'keywise_target_score{provider="beta",model="model-b",key="1"}',
    'keywise_budget_remaining_usd{scope="all",per="day"} 1',
    'keywise_gateway_overhead_seconds_count',
  ])
    expect(text).toContain(row)
  for (const name of [
    'keywise_cost_usd_total',
    'keywise_target_parked',
    'keywise_budget_at_end_usd',
    'keywise_budget_spent_at_seconds',
  ])
    expect(text).toContain(`# TYPE ${name} `)
})

test('the log has a line a request and never its contents', async () => {
  await using world = await openGateway(TWO, { settings: ORDERED })
  await (await ask(world, chat('pair', [{ role: 'user', content: 'the-secret-question' }]))).text()
  await world.close()
  const lines = world.logged.join('\n')
  expect(lines).toMatch(/kw_\S+ inference openai pair 200 beta\/model-b#1 2x/)
  expect(lines).not.toContain('the-secret-question')
})

describe('a key that the upstream repeats', () => {
  const KEY = `fake-canary-${'k'.repeat(24)}`
  const error = {
    error: { message: `Bad key ${KEY} of org-abcdefgh1234`, type: 'server_error', code: KEY, param: KEY },
  }
  const echo = JSON.stringify(error)
  const said = (text: string) =>
    `data: {"choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":null}]}\n\n`
  const KINDS: Readonly<Record<string, readonly [number, string, string]>> = {
    'an error body': [401, 'application/json', echo],
    'an error of another kind': [400, 'application/json', echo],
    'a server error': [500, 'application/json', echo],
    'a page': [502, 'text/html', `<html><title>${KEY}</title></html>`],
    'plain text': [403, 'text/plain', KEY],
    'an error inside 200': [200, 'application/json', echo],
    'a stream that begins with an error': [200, 'text/event-stream', `data: ${echo}\n\n`],
    'a stream that ends with an error': [200, 'text/event-stream', `${said('Hel')}${said('lo')}data: ${echo}\n\n`],
    'a stream that ends with half an error': [200, 'text/event-stream', `${said('Hello')}data: ${echo.slice(0, 80)}`],
  }

  test.each(Object.entries(KINDS))('in %s reaches neither the client nor the log', async (_, [status, type, body]) => {
    const server = createServer((request, response) => {
      request.resume()
      response.writeHead(status, { 'content-type': type, 'x-request-id': KEY, 'x-echo': KEY })
      response.end(body)
    })
    const endpoint = `${await listening(server)}/v1`
    const own = { dialect: 'openai', endpoint, api_key: KEY, models: ['m'] }
    await using world = await openGateway({ providers: {} }, { providers: { own } })
    for (const stream of [false, true]) {
      for (const [path, asked] of [
        ['/v1/chat/completions', chat('m')],
        ['/v1/messages', { ...chat('m'), max_tokens: 10 }],
        ['/v1/responses', { model: 'm', input: 'Hi' }],
      ] as const) {
        world.gateway.opened.engine.learned.parks.lift(null, Date.now())
        const response = await world.ask(path, { ...asked, stream })
        const everything = `${JSON.stringify([...response.headers])}${await response.text()}`
        expect(everything).not.toContain('canary')
      }
    }
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` }
    for (const path of ['/metrics', '/api/requests', '/v1/models'])
      expect(await (await fetch(world.origin + path, { headers })).text()).not.toContain('canary')
    await world.close()
    expect(world.logged.join('\n')).not.toContain('canary')
  })
})

async function ledger(world: GatewayWorld): Promise<unknown> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` }
  const answer = (await (await fetch(`${world.origin}/api/requests`, { headers })).json()) as { requests: unknown }
  return answer.requests
}
