/** Answers with HTTP 200 in unusual shapes that are answers nevertheless. */

import { describe, expect, test } from 'vitest'
import { dialectOf } from '../src/dialects/dialects.ts'
import type { DialectId } from '../src/domain/chat.ts'
import { askGateway, DIALECTS, textOf } from './support/askGateway.ts'
import { type GatewayWorld, openGateway } from './support/gatewayWorld.ts'
import { type HttpUpstream, httpUpstream, type Reply } from './support/httpUpstream.ts'
import { fakeKey } from './support/labCall.ts'

interface Pair extends AsyncDisposable {
  readonly world: GatewayWorld
  readonly first: HttpUpstream
  readonly second: HttpUpstream
}

/** Two providers of the dialect in order of priority; the first says what the test says. */
async function openPair(dialect: DialectId, reply: Reply): Promise<Pair> {
  const first = await httpUpstream(() => reply)
  const second = await httpUpstream(() => reply)
  const block = ({ endpoint }: HttpUpstream, name: string) => ({
    dialect,
    endpoint,
    api_key: fakeKey(name),
    models: ['m'],
  })
  const world = await openGateway(
    { providers: {} },
    {
      providers: { first: block(first, 'first'), second: block(second, 'second') },
      settings: {
        routing: { strategy: 'priority', exploration: { rate: 0 } },
        models: { pair: ['first/m', 'second/m'] },
      },
    },
  )
  return { world, first, second, [Symbol.asyncDispose]: () => world.close() }
}

const USAGE = { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10 }
const completion = (message: object, more: object = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop', ...more }],
  usage: USAGE,
})
const sse = (...events: readonly object[]) => ({
  headers: { 'content-type': 'text/event-stream' },
  body: `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`,
})

describe('an answer that a stop sequence ended before its first text', () => {
  const chunk = (delta: object, reason: string | null) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: reason }],
  })
  const replies: readonly [string, boolean, Reply][] = [
    ['whole', false, { body: completion({ content: '' }) }],
    ['whole, with the word of vLLM', false, { body: completion({ content: '' }, { stop_reason: 'END' }) }],
    ['as a stream', true, sse(chunk({ role: 'assistant', content: '' }, null), chunk({}, 'stop'))],
  ]
  const asked = (stream: boolean, more: object) => ({
    model: 'pair',
    stream,
    messages: [{ role: 'user', content: 'Hi' }],
    ...more,
  })

  test.each(replies)('is whole: %s', async (_name, stream, reply) => {
    await using pair = await openPair('openai', reply)
    for (const stop of [['END'], 'END']) {
      const response = await pair.world.ask('/v1/chat/completions', asked(stream, { stop }))
      expect([response.status, response.headers.get('x-keywise-trail')]).toEqual([200, 'first/m#1=ok'])
      await response.text()
    }
    expect([pair.first.calls.length, pair.second.calls.length]).toEqual([2, 0])
  })

  test('is whole where JSON was demanded, and for a client of another dialect', async () => {
    await using pair = await openPair('openai', { body: completion({ content: '' }) })
    const format = { response_format: { type: 'json_object' } }
    const inJson = await pair.world.ask('/v1/chat/completions', asked(false, { stop: ['END'], ...format }))
    expect(inJson.headers.get('x-keywise-trail')).toBe('first/m#1=ok')
    const messages = [{ role: 'user', content: 'Hi' }]
    const body = { model: 'pair', max_tokens: 9, messages, stop_sequences: ['END'] }
    const other = await pair.world.ask('/v1/messages', body)
    expect([other.status, other.headers.get('x-keywise-trail')]).toEqual([200, 'first/m#1=ok'])
  })

  test('is empty where the caller set none', async () => {
    for (const stop of [undefined, null, []]) {
      await using pair = await openPair('openai', { body: completion({ content: '' }) })
      const response = await pair.world.ask('/v1/chat/completions', asked(false, { stop }))
      expect(response.headers.get('x-keywise-trail')).toMatch(/^first\/m#1=empty; first\/m#1=empty; second/)
    }
  })
})

describe('a background job of the Responses dialect', () => {
  const job = (status: string) => ({
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    status,
    background: true,
    model: 'm',
    output: [],
    usage: null,
  })

  test.each(['queued', 'in_progress'])('is the answer as it came when it is %s', async (status) => {
    const body = job(status)
    await using pair = await openPair('openai-responses', { body })
    const response = await pair.world.ask('/v1/responses', { model: 'pair', input: 'Hi', background: true })
    expect([response.status, response.headers.get('x-keywise-trail')]).toEqual([200, 'first/m#1=ok'])
    expect(await response.json()).toEqual(body)
    expect([pair.first.calls.length, pair.second.calls.length]).toEqual([1, 0])
  })

  test('that nobody asked for is no answer', async () => {
    await using pair = await openPair('openai-responses', { body: job('queued') })
    const response = await pair.world.ask('/v1/responses', { model: 'pair', input: 'Hi' })
    expect(response.status).toBe(503)
    expect(pair.second.calls.length).toBeGreaterThan(0)
  })

  test('is not given to another provider when its stream breaks', async () => {
    const queued = { type: 'response.queued', response: job('queued') }
    const created = { type: 'response.created', response: job('queued') }
    const headers = { 'content-type': 'text/event-stream' }
    const body = [created, queued].map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
    await using pair = await openPair('openai-responses', { headers, body })
    const response = await pair.world.ask('/v1/responses', {
      model: 'pair',
      input: 'Hi',
      background: true,
      stream: true,
    })
    expect(await response.text()).toContain('resp_1')
    expect(pair.second.calls.length).toBe(0)
  })
})

describe('a whole answer in the place of a stream', () => {
  const text = 'Paris, as "ever".\nIn France.'
  const usage = { inputTokens: 9, outputTokens: 4, totalTokens: 13, estimated: false } as const
  const response = {
    id: 'answer-1',
    model: 'm',
    content: [{ type: 'text', text }],
    finishReason: 'stop',
    usage,
  } as const
  const request = { model: 'm', messages: [], stream: false }
  const ways = DIALECTS.filter((dialect) => dialect !== 'google').flatMap((upstream) =>
    DIALECTS.map((client) => ({ upstream, client })),
  )

  test.each(ways)('is read: $upstream for $client', async ({ upstream, client }) => {
    const body = dialectOf(upstream).client.writeResponse(response, request) as object
    await using pair = await openPair(upstream, { body })
    const answer = await askGateway(pair.world, client, { model: 'pair', stream: true })
    expect(answer).toMatchObject({ status: 200, trail: 'first/m#1=ok' })
    expect(answer.read).toMatchObject({ finishReason: 'stop', usage: { outputTokens: 4 } })
    expect(textOf(answer.read)).toBe(text)
  })

  test.each([
    ['application/json; charset=utf-8', completion({ content: text })],
    ['text/event-stream', completion({ content: text })],
    ['text/plain', completion({ content: text })],
  ])('is read as %s', async (type, body) => {
    await using pair = await openPair('openai', { headers: { 'content-type': type }, body })
    const answer = await askGateway(pair.world, 'openai', { model: 'pair', stream: true })
    expect([answer.trail, textOf(answer.read)]).toEqual(['first/m#1=ok', text])
  })

  test('keeps its calls, and is judged like any answer', async () => {
    const call = { id: 'call_1', type: 'function', function: { name: 'lookup', arguments: '{"city":"Rome"}' } }
    const calls = {
      choices: [{ index: 0, message: { content: null, tool_calls: [call] }, finish_reason: 'tool_calls' }],
    }
    await using pair = await openPair('openai', { body: { ...completion({}), ...calls } })
    const answer = await askGateway(pair.world, 'openai', { model: 'pair', stream: true, tools: true })
    expect(answer.read?.content).toMatchObject([{ type: 'tool-call', name: 'lookup', arguments: '{"city":"Rome"}' }])
    await using nothing = await openPair('openai', { body: completion({ content: '' }) })
    const empty = await askGateway(nothing.world, 'openai', { model: 'first/m', stream: true })
    expect(empty.trail).toBe('first/m#1=empty; first/m#1=empty')
  })

  test('is read at any length', async () => {
    const long = 'word '.repeat(40_000)
    await using pair = await openPair('openai', { body: completion({ content: long }) })
    const answer = await askGateway(pair.world, 'openai', { model: 'pair', stream: true })
    expect([answer.trail, textOf(answer.read)]).toEqual(['first/m#1=ok', long])
  })

  test('is an error where it says one', async () => {
    await using pair = await openPair('openai', {
      body: { error: { message: 'gone', type: 'server_error', code: 500 } },
    })
    const answer = await askGateway(pair.world, 'openai', { model: 'first/m', stream: true })
    expect([answer.status, answer.trail]).toEqual([503, expect.stringContaining('first/m#1=server')])
  })
})

describe('a stream whose type says that it is JSON', () => {
  test('is read as it comes', async () => {
    const said = sse({ id: 'x', model: 'm', choices: [{ index: 0, delta: { content: 'Hi.' }, finish_reason: 'stop' }] })
    await using pair = await openPair('openai', { body: said.body })
    const answer = await askGateway(pair.world, 'openai', { model: 'pair', stream: true })
    expect([answer.trail, textOf(answer.read)]).toEqual(['first/m#1=ok', 'Hi.'])
  })
})

describe('a stream with `message` in the place of `delta`', () => {
  const event = (choice: object) => ({
    id: 'x',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [choice],
  })
  const whole = { index: 0, message: { role: 'assistant', content: 'Rome.' }, finish_reason: 'stop' }

  test.each(DIALECTS)('is read and written anew for a client of %s', async (client) => {
    await using pair = await openPair('openai', sse(event(whole)))
    const answer = await askGateway(pair.world, client, { model: 'pair', stream: true })
    expect([answer.trail, textOf(answer.read)]).toEqual(['first/m#1=ok', 'Rome.'])
    expect(answer.text).not.toContain('"message":{"role":"assistant","content":"Rome."')
  })

  test('does not repeat what deltas said', async () => {
    const delta = { index: 0, delta: { content: 'Rome.' }, finish_reason: null }
    await using pair = await openPair('openai', sse(event(delta), event(whole)))
    const answer = await askGateway(pair.world, 'anthropic', { model: 'pair', stream: true })
    expect(textOf(answer.read)).toBe('Rome.')
  })
})
