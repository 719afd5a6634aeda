/** Bodies and answers that are large, deep or made of very many parts, through the whole gateway. */

import { createServer } from 'node:http'
import { zstdCompressSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { inTurns } from '../src/upstream/inTurns.ts'
import { type GatewayWorld, openGateway } from './support/gatewayWorld.ts'
import { type HttpUpstream, httpUpstream, type Reply } from './support/httpUpstream.ts'
import { listening } from './support/listening.ts'

const MIB = 1_048_576

async function openWith(endpoint: string): Promise<GatewayWorld> {
  const providers = { mine: { dialect: 'openai', endpoint, api_key: `fake-${'0'.repeat(16)}`, models: ['m'] } }
  const world = await openGateway({ providers: {} }, { providers, settings: { max_attempts: 1 } })
  onTestFinished(() => world.close())
  return world
}

async function open(reply: () => Reply = () => ({})): Promise<{ world: GatewayWorld; upstream: HttpUpstream }> {
  const upstream = await httpUpstream(reply)
  return { world: await openWith(upstream.endpoint), upstream }
}

const said = async (response: Response) => ({
  status: response.status,
  message: ((await response.json()) as { error?: { message?: string } }).error?.message,
})

describe('a body is refused before it is parsed', () => {
  test.each([
    ['for its depth', '['.repeat(4 * MIB), 'the body is nested more than 200 levels deep'],
    [
      'for its objects',
      `[${'{},'.repeat(600_000)}{}]`,
      'the body is made of more than 500000 objects, lists and fields',
    ],
    ['for its elements', `[${'1,'.repeat(4_100_000)}1]`, 'the body is made of more than 4000000 elements'],
    ['for what is no JSON', `{"model":"m","x":[${'1,'.repeat(MIB)}]}`, 'the body is not valid JSON: near character'],
  ])('%s', async (_what, body, message) => {
    const { world, upstream } = await open()
    const answer = await said(await world.ask('/v1/chat/completions', body))
    expect(answer.status).toBe(400)
    expect(answer.message).toContain(message)
    expect(upstream.calls).toHaveLength(0)
  })
})

test('a conversation of very many short messages reaches its upstream, as it is and in another dialect', async () => {
  const { world, upstream } = await open()
  const messages = Array.from({ length: 40_000 }, (_, at) => ({
    role: at % 2 ? 'assistant' : 'user',
    content: `n${at}`,
  }))
  const own = await world.ask('/v1/chat/completions', { model: 'mine/m', messages })
  const foreign = await world.ask('/v1/messages', { model: 'mine/m', max_tokens: 10, messages })
  expect([own.status, foreign.status]).toEqual([200, 200])
  const bodies = upstream.calls.map(({ text }) => JSON.parse(text) as { messages: unknown })
  expect(bodies.map((body) => body.messages)).toEqual([messages, messages])
})

test('an answer of many parts in its own place is passed on, and one of too many is a failure of its server', async () => {
  const list = (count: number) => Array.from({ length: count }, () => ({}))
  const answer = { choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }] }
  let count = 400_000
  const { world } = await open(() => ({ body: { ...answer, extra: list(count) } }))
  const ask = () => world.ask('/v1/chat/completions', { model: 'mine/m', messages: [{ role: 'user', content: 'hi' }] })
  const whole = (await (await ask()).json()) as { extra: unknown[] }
  expect(whole.extra).toHaveLength(count)
  count = 1_000_001
  expect((await ask()).status).toBe(503)
})

describe('a compressed answer', () => {
  const compressed = async (body: Buffer, type = 'application/json') => {
    const server = createServer((request, response) => {
      request.resume()
      if (request.method !== 'POST') return response.writeHead(404).end()
      response.writeHead(200, { 'content-type': type, 'content-encoding': 'zstd' }).end(zstdCompressSync(body))
    })
    return await openWith(`${await listening(server)}/v1`)
  }
  const CHAT = { model: 'mine/m', messages: [{ role: 'user', content: 'hi' }] }
  /** Not as easy to compress as what is made to fill memory. */
  const words = (count: number, from = 0) => Array.from({ length: count }, (_, at) => word(from * count + at)).join(' ')
  const word = (at: number) => (Math.imul(at + 1, 0x9e3779b1) >>> 0).toString(36)

  test('of several MiB is read whole', async () => {
    const content = words(300_000)
    const answer = { choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }] }
    const world = await compressed(Buffer.from(JSON.stringify(answer)))
    const read = (await (await world.ask('/v1/chat/completions', CHAT)).json()) as typeof answer
    expect(read.choices[0]?.message.content).toHaveLength(content.length)
  })

  test('that is a stream is passed on in its order', async () => {
    const event = (at: number) => `data: {"choices":[{"index":0,"delta":{"content":"${words(150, at)}"}}]}\n\n`
    const events = Array.from({ length: 1000 }, (_, at) => event(at)).join('')
    const end = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    const world = await compressed(Buffer.from(events + end), 'text/event-stream')
    const answer = await world.ask('/v1/chat/completions', { ...CHAT, stream: true })
    expect(await answer.text()).toBe(events + end)
  })

  test('of more than 64 MiB is a failure of its server', async () => {
    const world = await compressed(Buffer.alloc(65 * MIB))
    expect((await world.ask('/v1/chat/completions', CHAT)).status).toBe(503)
  })
})

test('others are served between the slices of long work', async () => {
  const order: string[] = []
  function* work(): Generator<undefined, string> {
    for (let slice = 0; slice < 3; slice++) {
      order.push('slice')
      yield
    }
    return 'done'
  }
  const serve = () => {
    order.push('other')
    if (order.length < 6) setImmediate(serve)
  }
  setImmediate(serve)
  expect(await inTurns(work())).toBe('done')
  expect(order).toEqual(['slice', 'other', 'slice', 'other', 'slice', 'other'])
})
