/** Answers with HTTP 200 in unusual shapes that are answers nevertheless. */

import { describe, expect, test } from 'vitest'
import type { DialectId } from '../src/domain/chat.ts'
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
    await using pair = await openPair('openai', { body: completion({ content: '' }) })
    for (const stop of [undefined, null, []]) {
      const response = await pair.world.ask('/v1/chat/completions', asked(false, { stop }))
      expect(response.headers.get('x-keywise-trail')).toMatch(/^first\/m#1=empty; first\/m#1=empty; second/)
    }
  })
})
