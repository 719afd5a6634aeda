/**
 * One request and its answer in the client's own protocol. Disconnecting and slow clients: test/gatewayFlow.test.ts.
 */

import { createServer } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type GatewayWorld, openGateway, until, type WorldOptions } from '../../../test/support/gatewayWorld.ts'
import { fakeKey } from '../../../test/support/labCall.ts'
import { listening } from '../../../test/support/listening.ts'
import { bodySoFar, textSoFar } from '../../../test/support/textSoFar.ts'
import { Bag } from '../../domain/bag.ts'
import type { DialectId } from '../../domain/chat.ts'
import type { FakeFault } from '../../lab/fake/scenario.ts'
import { eventLoopStatus } from '../../views/eventLoops.ts'
import type { GatewayParts, ObservedRequest, RunningExchange } from '../handler.ts'
import { gatewayName } from '../loopGuard.ts'
import { Exchange } from './exchange.ts'

interface Client {
  readonly path: (stream: boolean) => string
  readonly body: object
  /** Extracts the text of a non-streamed answer. */
  readonly textOf: (answer: never) => unknown
  /** How a complete stream ends. */
  readonly streamEnds: RegExp
  /** The expected body of an error. */
  readonly error: (message: string) => object
}

const USER = { role: 'user', content: 'Hi' }
const CLIENTS: Readonly<Partial<Record<DialectId, Client>>> = {
  openai: {
    path: () => '/v1/chat/completions',
    body: { model: 'm', messages: [USER] },
    textOf: ({ choices }: { choices: { message: { content: string } }[] }) => choices[0]?.message.content,
    streamEnds: /data: \[DONE\]\n\n$/,
    error: (message) => ({ error: expect.objectContaining({ message: expect.stringContaining(message) }) }),
  },
  'openai-responses': {
    path: () => '/v1/responses',
    body: { model: 'm', input: 'Hi' },
    textOf: ({ output }: { output: { content: { text: string }[] }[] }) => output.at(-1)?.content[0]?.text,
    streamEnds: /event: response\.completed\n.*\n\n$/,
    error: (message) => ({ error: expect.objectContaining({ message: expect.stringContaining(message) }) }),
  },
  anthropic: {
    path: () => '/v1/messages',
    body: { model: 'm', max_tokens: 50, messages: [USER] },
    textOf: ({ content }: { content: { text: string }[] }) => content[0]?.text,
    streamEnds: /event: message_stop\n.*\n\n$/,
    error: (message) =>
      expect.objectContaining({
        type: 'error',
        error: expect.objectContaining({ message: expect.stringContaining(message) }),
      }),
  },
  google: {
    path: (stream) => `/v1beta/models/m:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    body: { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
    textOf: ({ candidates }: { candidates: { content: { parts: { text: string }[] } }[] }) =>
      candidates[0]?.content.parts[0]?.text,
    streamEnds: /"finishReason": ?"STOP"[^\n]*\r?\n\r?\n$/,
    error: (message) => ({
      error: expect.objectContaining({ message: expect.stringContaining(message), status: expect.any(String) }),
    }),
  },
}
const DIALECTS = Object.keys(CLIENTS) as (keyof typeof CLIENTS)[]
const PAIRS = DIALECTS.flatMap((client) => DIALECTS.map((upstream) => [client, upstream] as const))

const REPLY = 'An answer with "quotes", a\nline and ünïcode.'

async function open(
  upstream: DialectId,
  faults: readonly FakeFault[] = [],
  options: WorldOptions = {},
): Promise<GatewayWorld> {
  const alpha = { dialect: upstream, models: { m: { reply: REPLY } }, faults: [...faults] }
  const world = await openGateway({ providers: { alpha } }, options)
  onTestFinished(() => world.close())
  return world
}

function ask(world: GatewayWorld, client: DialectId, stream = false): Promise<Response> {
  const { path, body } = CLIENTS[client]!
  const sent = stream && client !== 'google' ? { ...body, stream: true } : body
  return world.ask(path(stream), sent, client === 'anthropic' ? { 'anthropic-version': '2023-06-01' } : {})
}

describe.each(PAIRS)('a client of %s with an upstream of %s', (client, upstream) => {
  const { textOf, streamEnds } = CLIENTS[client]!

  test('receives a non-streamed answer in its own protocol, with its length', async () => {
    const response = await ask(await open(upstream), client)
    const body = await response.text()
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(body)))
    expect(textOf(JSON.parse(body) as never)).toBe(REPLY)
  })

  test('receives a stream that ends as its protocol requires', async () => {
    const response = await ask(await open(upstream), client, true)
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    const text = await response.text()
    expect(text).toMatch(streamEnds)
    expect(response.headers.get('cache-control')).toBe('no-cache')
    expect(response.headers.get('x-keywise-target')).toBe('alpha/m#1')
  })
})

describe.each(DIALECTS)('a client of %s', (client) => {
  test('receives an error for a request that is not JSON', async () => {
    const world = await open('openai')
    const response = await world.ask(CLIENTS[client]!.path(false), '{"half":')
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual(CLIENTS[client]!.error('JSON'))
  })

  test('receives a failure in its own protocol, with the trail', async () => {
    const response = await ask(await open('openai', [{ do: 'billing' }]), client)
    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(response.headers.get('x-keywise-trail')).toBe('alpha/m#1=billing')
    expect(await response.json()).toEqual(CLIENTS[client]!.error(''))
  })

  test.each([
    ['openai', 'cut_reset'],
    ['openai', 'cut_clean'],
    ['anthropic', 'cut_reset'],
    ['anthropic', 'cut_error'],
  ] as const)('never sees a broken stream of %s (%s) as a complete one', async (upstream, cut) => {
    const world = await open(upstream, [{ do: cut, chunks: 2 }])
    const text = await textSoFar(await ask(world, client, true))
    expect(text).not.toMatch(CLIENTS[client]!.streamEnds)
    expect(text).toMatch(/error/i)
  })
})

test('the bytes of an upstream that speaks the same protocol pass through unchanged', async () => {
  const world = await open('openai')
  const [{ baseUrl, key }] = upstreamOf(world)
  const direct = await fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(CLIENTS.openai!.body),
  })
  const shape = (text: string) => text.replace(/"(?:id|created)":\s*("[^"]*"|\d+)/g, '')
  expect(shape(await (await ask(world, 'openai')).text())).toBe(shape(await direct.text()))
})

function upstreamOf(world: GatewayWorld): [{ readonly baseUrl: string; readonly key: string }] {
  const { alpha } = world.fakes.config() as Record<
    'alpha',
    { endpoint: string; api_key?: string; api_keys?: (string | { key: string })[] }
  >
  const first = alpha.api_key ?? alpha.api_keys?.[0]
  return [{ baseUrl: alpha.endpoint, key: typeof first === 'object' ? first.key : String(first) }]
}

test('a Gemini stream without alt=sse is one JSON array', async () => {
  const world = await open('openai')
  const response = await world.ask('/v1beta/models/m:streamGenerateContent', CLIENTS.google!.body)
  expect(response.headers.get('content-type')).toMatch(/^application\/json/)
  const parts = (await response.json()) as { candidates: { content: { parts: { text?: string }[] } }[] }[]
  const text = parts.flatMap(({ candidates }) => candidates[0]?.content?.parts ?? []).map((part) => part.text ?? '')
  expect(text.join('')).toBe(REPLY)
})

test('a long body is parsed in outline and forwarded whole', async () => {
  const world = await open('anthropic')
  const long = 'a long text '.repeat(20_000)
  const response = await world.ask('/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: long }] })
  expect(response.status).toBe(200)
  expect(JSON.stringify(world.fakes.calls.at(-1)?.body)).toContain(long)
})

test('every request has a unique id, which the ledger records', async () => {
  const world = await open('openai')
  const answers = await Promise.all([1, 2, 3].map(() => ask(world, 'openai')))
  const ids = answers.map(({ headers }) => headers.get('x-keywise-request-id'))
  expect(new Set(ids).size).toBe(3)
  const attempts = [...world.gateway.opened.engine.store.attempts({ limit: 10 })]
  expect(attempts.map(({ requestId }) => requestId).sort()).toEqual([...ids].sort())
})

/** The order of the targets is the configuration's. */
const IN_ORDER = { routing: { strategy: 'priority', exploration: { rate: 0 } } }

/** An upstream with one model and two keys, asked in this order. */
async function openTwoKeys(
  upstream: DialectId,
  faults: readonly FakeFault[] = [],
  settings: object = {},
): Promise<GatewayWorld> {
  const keys = { [fakeKey('alpha', 1)]: {}, [fakeKey('alpha', 2)]: {} }
  const alpha = { dialect: upstream, keys, models: { m: { reply: REPLY } }, faults: [...faults] }
  const world = await openGateway({ providers: { alpha } }, { settings: { ...IN_ORDER, ...settings } })
  onTestFinished(() => world.close())
  return world
}

const attemptsOf = (world: GatewayWorld) => world.gateway.opened.engine.store.attempts({ limit: 10, order: 'oldest' })

describe.each([false, true])('the headers of an answer (streamed: %s)', (stream) => {
  const headersOf = async (world: GatewayWorld, body: object = {}) => {
    const answer = await world.ask('/v1/chat/completions', { ...CLIENTS.openai!.body, ...body, stream })
    await answer.text()
    return (name: string) => answer.headers.get(`x-keywise-${name}`)
  }

  test.each<{ name: string; faults: readonly FakeFault[]; attempts: string; trail: string }>([
    { name: 'the only call', faults: [], attempts: '1', trail: 'alpha/m#1=ok' },
    {
      name: 'every call',
      faults: [{ do: 'auth_invalid', key: 1 }],
      attempts: '2',
      trail: 'alpha/m#1=auth_invalid; alpha/m#2=ok',
    },
  ])('name $name', async ({ faults, attempts, trail }) => {
    const header = await headersOf(await openTwoKeys('openai', faults))
    expect([header('attempts'), header('trail')]).toEqual([attempts, trail])
  })

  test('name the experiment, and the variant of a request that is compared', async () => {
    const variants = ['usual', 'new'].map((name) => ({ name, share: 0.5, model: 'm' }))
    const gone = variants.map((variant) => ({ ...variant, model: 'gone' }))
    const experiments = [
      { name: 'race', variants },
      { name: 'lost', variants: gone },
    ]
    const world = await openTwoKeys('openai', [], { experiments })
    expect((await headersOf(world, { model: 'experiment:race' }))('experiment')).toMatch(/^race@1\/(usual|new)$/)
    expect((await headersOf(world))('experiment')).toBeNull()
    const labels = { 'x-keywise-labels': 'experiment=lost' }
    const outside = await world.ask('/v1/chat/completions', { ...CLIENTS.openai!.body, stream }, labels)
    await outside.text()
    expect(outside.headers.get('x-keywise-experiment')).toBe('lost@1')
  })
})

test.each<{ name: string; price: object | undefined; cost: string | null }>([
  { name: 'what it cost', price: { input: 0, output: 0, request: 0.0025 }, cost: '0.0025' },
  { name: 'no cost where no price is known', price: undefined, cost: null },
])('the headers of a whole answer name $name', async ({ price, cost }) => {
  const models = [{ id: 'm', ...(price !== undefined && { price }) }]
  const reconfigure: WorldOptions['reconfigure'] = ({ alpha }) => ({ alpha: { ...alpha, free: false, models } })
  const answer = await ask(await open('openai', [], { reconfigure }), 'openai')
  expect(answer.headers.get('x-keywise-cost-usd')).toBe(cost)
})

test('a long body counts with what its outline leaves out', async () => {
  const models = [{ id: 'm', context_tokens: 8000 }]
  const reconfigure: WorldOptions['reconfigure'] = ({ alpha }) => ({ alpha: { ...alpha, models } })
  const world = await open('openai', [], { reconfigure })
  const content = 'a long text '.repeat(20_000)
  const answer = await world.ask('/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content }] })
  expect(answer.status).toBe(400)
  expect(await answer.json()).toEqual(CLIENTS.openai!.error('context'))
  expect(world.fakes.calls).toEqual([])
})

test.each<{ asked: string; options: object; usages: number }>([
  { asked: 'did not ask for it', options: {}, usages: 0 },
  { asked: 'asked for it', options: { stream_options: { include_usage: true } }, usages: 1 },
])('a client of openai that $asked receives the usage $usages times', async ({ options, usages }) => {
  const world = await open('openai')
  const answer = await world.ask('/v1/chat/completions', { ...CLIENTS.openai!.body, stream: true, ...options })
  const events = (await answer.text()).split('\n\n')
  expect(events.filter((event) => /"choices": ?\[\]/.test(event))).toHaveLength(usages)
  // The ledger has it either way.
  expect(attemptsOf(world)).toMatchObject([{ usage: { estimated: false } }])
})

test('a stream that broke off is continued in the same events where the user allows it', async () => {
  const faults: readonly FakeFault[] = [{ do: 'cut_reset', key: 1, chunks: 3 }]
  const text = await (
    await ask(await openTwoKeys('openai', faults, { streaming: { rescue: 'text' } }), 'openai', true)
  ).text()
  expect(text).toContain('\n: keywise: continued by alpha/m#2\n\n')
  expect(text).toMatch(CLIENTS.openai!.streamEnds)
  const parts = [...text.matchAll(/^data: (\{.*\})$/gm)].map(([, json]) => JSON.parse(json!))
  expect(parts.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(REPLY)
})

test('a Gemini stream without alt=sse stays one JSON array when it is continued', async () => {
  const faults: readonly FakeFault[] = [{ do: 'cut_reset', key: 1, chunks: 3 }]
  const world = await openTwoKeys('openai', faults, { streaming: { rescue: 'text' } })
  const response = await world.ask('/v1beta/models/m:streamGenerateContent', CLIENTS.google!.body)
  expect(response.headers.get('x-keywise-target')).toBe('alpha/m#1')
  expect(await response.json()).toBeInstanceOf(Array)
  expect(world.fakes.calls.map(({ key }) => key)).toEqual([1, 2])
})

test.each([
  ['anthropic', 'a-feature', null],
  ['openai', undefined, 'anthropic-beta'],
] as const)('headers of its protocol reach an upstream of %s as %s, or are named', async (upstream, expected, left) => {
  const world = await open(upstream)
  const response = await world.ask('/v1/messages', CLIENTS.anthropic!.body, { 'anthropic-beta': 'a-feature' })
  await response.text()
  expect(world.fakes.calls.at(-1)?.headers['anthropic-beta']).toBe(expected)
  expect(response.headers.get('x-keywise-left-out')).toBe(left)
})

test.each([false, true])('the next turn goes to the account that has the answer (streamed: %s)', async (stream) => {
  const world = await openTwoKeys('openai-responses', [{ do: 'auth_invalid', key: 1, to: 1 }])
  const first = await world.ask('/v1/responses', { model: 'm', input: 'Hi', stream })
  expect(first.headers.get('x-keywise-target')).toBe('alpha/m#2')
  const id = /"id": ?"(resp_[^"]+)"/.exec(await first.text())![1]!
  const { engine } = world.gateway.opened
  engine.lift(engine.registry.targets[0]!, ['auth_invalid'])
  // Only that account has the answer, so that no other is asked when it fails.
  world.fakes.fault('alpha', { do: 'billing', key: 2 })
  const next = await world.ask('/v1/responses', { model: 'm', input: 'And?', previous_response_id: id })
  expect(next.headers.get('x-keywise-trail')).toBe('alpha/m#2=billing')
})

describe('an exchange', () => {
  /** A server whose every request is an exchange with the engine of a gateway. */
  async function openExchanges(
    faults: readonly FakeFault[] = [],
    { dialect = 'openai', ...more }: Partial<GatewayParts> & { dialect?: DialectId } = {},
  ) {
    const world = await open('openai', faults)
    const { engine } = world.gateway.opened
    const seen: ObservedRequest[] = []
    const logged: string[] = []
    const underWay = new Bag<RunningExchange>()
    const parts: GatewayParts = {
      underWay,
      engine,
      logger: { info: () => {}, warn: () => {}, error: (line) => void logged.push(line) },
      maxBodyBytes: 1_000_000,
      name: gatewayName(),
      clientStallMs: 5000,
      onLongBody: () => {},
      ready: () => null,
      isShared: () => false,
      observe: (request) => void seen.push(request),
      eventLoop: { status: () => eventLoopStatus(1, { p50Ms: 0, p99Ms: 0, maxMs: 0, degraded: false }, 0) },
      ...more,
    }
    const token = { id: 'team-id', name: 'team', scope: 'inference', createdAt: null } as const
    const server = createServer((request, response) => {
      const model = dialect === 'google' ? { model: 'm', stream: true } : {}
      void new Exchange(parts, request, response, { dialect, ...model }, token).run()
    })
    const origin = await listening(server)
    const controller = new AbortController()
    const send = (stream: boolean, more: object = {}) =>
      fetch(origin, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...CLIENTS[dialect]!.body, ...(stream && { stream }), ...more }),
        signal: controller.signal,
      })
    const breakOff = () => {
      for (const one of [...underWay]) one.breakOff()
    }
    return { world, engine, seen, logged, underWay, send, leave: () => controller.abort(), breakOff }
  }

  test.each([
    false,
    true,
  ])('is observed once, with the attempt that answered and its token (streamed: %s)', async (stream) => {
    const { world, seen, send, underWay } = await openExchanges()
    const answer = await send(stream)
    await answer.text()
    await until(() => seen.length > 0 && underWay.size === 0, 'the end')
    const report = { target: 'alpha/m#1', ok: true }
    const id = answer.headers.get('x-keywise-request-id')
    expect(seen).toMatchObject([
      { id, dialect: 'openai', model: 'm', token: 'team', status: 200, report, attempts: [report] },
    ])
    expect(attemptsOf(world)).toMatchObject([{ requestId: id, token: 'team' }])
  })

  test('reports the length of a body of which it reads an outline only', async () => {
    const lengths: number[] = []
    const { world, send } = await openExchanges([], { onLongBody: (bytes) => void lengths.push(bytes) })
    await (await send(false)).text()
    expect(lengths).toEqual([])
    const messages = [{ role: 'user', content: 'a long text '.repeat(20_000) }]
    await (await send(false, { messages })).text()
    expect(lengths).toEqual([JSON.stringify({ ...CLIENTS.openai!.body, messages }).length])
    expect(world.fakes.calls).toHaveLength(2)
  })

  test('that every target failed is observed with its attempts', async () => {
    const { seen, send } = await openExchanges([{ do: 'billing' }])
    await (await send(false)).text()
    const attempt = { target: 'alpha/m#1', failureKind: 'billing' }
    expect(seen).toMatchObject([{ report: attempt, attempts: [attempt] }])
  })

  test('is under way until its answer is complete', async () => {
    const { send, underWay, leave } = await openExchanges([{ do: 'cut_stall', chunks: 2 }])
    await send(true)
    expect(underWay.size).toBe(1)
    leave()
    await until(() => underWay.size === 0, 'the end')
  })

  test.each([
    ['before the first word', { do: 'silence' }, false],
    ['in the middle of a stream', { do: 'cut_stall', chunks: 2 }, true],
  ] as const)('is cancelled when its client leaves, and recorded as 499: %s', async (_, fault, begun) => {
    const { world, seen, send, leave } = await openExchanges([fault])
    const answer = send(true)
    if (begun) await answer
    else await until(() => world.fakes.calls.length > 0, 'the call')
    leave()
    await answer.catch(() => undefined)
    await until(() => seen.length > 0 && world.fakes.inFlight() === 0, 'the end')
    expect(seen).toMatchObject([{ status: 499, report: { ok: false, failureKind: 'client_gone' } }])
  })

  test.each([
    ['openai', /"code":"503","metadata":\{"error_type":"provider_overloaded","failure":"shutting_down"/],
    ['google', /"code": ?503\b/],
  ] as const)('of %s that is broken off says so in its stream', async (dialect, expected) => {
    const { seen, send, breakOff } = await openExchanges([{ do: 'cut_stall', chunks: 2 }], { dialect })
    const answer = await send(true)
    breakOff()
    const text = await textSoFar(answer)
    expect(text).toMatch(expected)
    expect(text).toContain('keywise is shutting down')
    expect(text).not.toMatch(CLIENTS[dialect]!.streamEnds)
    expect(seen).toMatchObject([{ status: 503, report: { failureKind: 'client_gone' } }])
  })

  test('that is broken off before its answer began is refused for now', async () => {
    const { world, seen, send, breakOff } = await openExchanges([{ do: 'silence' }])
    const asked = send(false)
    await until(() => world.fakes.calls.length > 0, 'the call')
    breakOff()
    const answer = await asked
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await answer.json()).toMatchObject({ error: { code: 'shutting_down', message: 'keywise is shutting down' } })
    expect(seen).toMatchObject([{ status: 503 }])
  })

  test('whose stream broke off after a 200 is recorded as 502', async () => {
    const { seen, send } = await openExchanges([{ do: 'cut_clean', chunks: 2 }], { dialect: 'google' })
    const answer = await send(true)
    expect(answer.status).toBe(200)
    expect(await bodySoFar(answer)).toMatchObject({ reset: true, text: expect.stringMatching(/"error":\{"code":502,/) })
    expect(seen).toMatchObject([{ status: 502, report: { ok: false } }])
  })

  test('that fails unexpectedly logs the error, and hides it from its client', async () => {
    const ready = () => Promise.reject(new Error('a private matter'))
    const { seen, logged, send } = await openExchanges([], { ready })
    const answer = await send(false)
    const text = await answer.text()
    expect(answer.status).toBe(500)
    expect(text).not.toContain('private')
    const id = answer.headers.get('x-keywise-request-id')
    expect(logged).toEqual([expect.stringMatching(new RegExp(`^request ${id}: Error: a private matter\n`))])
    expect(seen).toMatchObject([{ id, status: 500, report: null, attempts: [] }])
  })

  test('whose client leaves while the models lists are read is observed as 499, and calls no upstream', async () => {
    let goOn = () => {}
    const ready = () =>
      new Promise<void>((resolve) => {
        goOn = resolve
      })
    const { world, seen, send, leave, underWay } = await openExchanges([], { ready })
    const answer = send(false).catch(() => null)
    await until(() => underWay.size === 1, 'the request')
    leave()
    await answer
    await until(() => underWay.size === 0, 'the end of its connection')
    goOn()
    await until(() => seen.length > 0, 'the observation')
    expect(seen).toMatchObject([{ status: 499, attempts: [] }])
    expect(world.fakes.calls).toEqual([])
  })

  test('whose request the upstream rejects logs no error', async () => {
    const { logged, send } = await openExchanges([{ do: 'bad_request' }])
    expect((await send(false)).status).toBe(400)
    expect(logged).toEqual([])
  })
})
