/**
 * One request and its answer in the client's own protocol. Disconnecting and slow clients: test/gatewayFlow.test.ts.
 */

import { describe, expect, onTestFinished, test } from 'vitest'
import { type GatewayWorld, openGateway, type WorldOptions } from '../../../test/support/gatewayWorld.ts'
import type { DialectId } from '../../domain/chat.ts'
import type { FakeFault } from '../../lab/fake/scenario.ts'

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
    const text = await (await ask(world, client, true)).text()
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
