/** Anthropic's message threads through the gateway, as its SDK uses them by default. */

import Anthropic from '@anthropic-ai/sdk'
import { describe, expect, test } from 'vitest'
import { type GatewayWorld, openGateway, TOKEN } from './support/gatewayWorld.ts'

const THREADS = 'message-threads-2026-08-12'
const MODEL = 'claude-sonnet-5'
const keys = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`fake-own-${'0'.repeat(12)}${index}`, {}]))

/** `own` is Anthropic with two accounts, `chat` speaks another language; `calls`: the tool that each calls first. */
function open(calls = false): Promise<GatewayWorld> {
  const model = calls ? { calls: [{ tool: 'weather', arguments: { city: 'Oslo' } }] } : {}
  return openGateway(
    {
      providers: {
        own: { dialect: 'anthropic', strict: 'anthropic', keys: keys(2), models: { [MODEL]: model } },
        chat: { dialect: 'openai', models: { c: model } },
      },
    },
    { settings: { routing: { exploration: { rate: 0 } }, models: { both: [`own/${MODEL}`, 'chat/c'] } } },
  )
}

const clientOf = ({ origin }: GatewayWorld) =>
  new Anthropic({ authToken: TOKEN, apiKey: null, baseURL: origin, maxRetries: 0 })

async function ask(world: GatewayWorld, model: string, thread: object, text: string, more: object = {}) {
  const messages = [{ role: 'user', content: text }]
  const body = { model, max_tokens: 50, messages, thread, ...more }
  const response = await world.ask('/v1/messages', body, { 'anthropic-beta': THREADS })
  const answered = await response.text()
  return {
    status: response.status,
    text: answered,
    id: (/"id":"(msg_[^"]+)"/.exec(answered) ?? [])[1] ?? '',
    target: response.headers.get('x-keywise-target'),
    leftOut: response.headers.get('x-keywise-left-out'),
  }
}

const CREATE = { type: 'create' }
const from = (id: string) => ({ type: 'continue', previous_message_id: id })

const LOST = {
  type: 'error',
  error: { type: 'not_found_error', message: expect.any(String), details: { error_code: 'thread_not_found' } },
}

const parked = ({ gateway: { opened } }: GatewayWorld) => opened.engine.learned.parks.list(opened.engine.now)

describe('a thread', () => {
  test.each([false, true])('is continued by the account that holds it (stream: %s)', async (stream) => {
    await using world = await open()
    const targets = new Set<string | null>()
    for (let round = 0; round < 8; round++) {
      let last = await ask(world, MODEL, CREATE, `My name is Ada ${round}`, { stream })
      targets.add(last.target)
      for (let turn = 0; turn < 3; turn++) {
        const next = await ask(world, MODEL, from(last.id), 'What is my name?', { stream })
        expect([next.status, next.target]).toEqual([200, last.target])
        last = next
      }
    }
    expect(targets.size).toBe(2)
    expect(world.fakes.calls.every(({ status }) => status === 200)).toBe(true)
  })

  test('that nobody here holds is not found at once, and nobody is asked or parked', async () => {
    await using world = await open()
    const other = world.gateway.tokens.add('other', 'inference')
    const { id } = await ask(world, MODEL, CREATE, 'Hi')
    const foreign = await ask(world, 'chat/c', CREATE, 'Hi')
    world.fakes.forget()
    for (const [model, previous] of [
      [MODEL, 'msg_never_existed'],
      ['auto', 'msg_never_existed'],
      ['chat/c', id],
      ['chat/c', foreign.id],
      [MODEL, ''],
    ] as const) {
      const lost = await ask(world, model, from(previous), 'What is my name?')
      expect(lost.status).toBe(404)
      expect(JSON.parse(lost.text)).toMatchObject(LOST)
    }
    const stolen = await world.ask(
      '/v1/messages',
      { model: MODEL, max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }], thread: from(id) },
      { authorization: `Bearer ${other}`, 'anthropic-beta': THREADS },
    )
    expect(stolen.status).toBe(404)
    expect([world.fakes.calls, parked(world)]).toEqual([[], []])
  })

  test('that the provider has lost is not found in its own words, and parks nobody', async () => {
    await using world = await open()
    const { id, target } = await ask(world, MODEL, CREATE, 'Hi')
    world.fakes.loseThreads()
    world.fakes.forget()
    const lost = await ask(world, MODEL, from(id), 'What is my name?')
    expect(lost.status).toBe(404)
    expect(JSON.parse(lost.text)).toMatchObject({
      error: {
        type: 'not_found_error',
        message: `No thread found for message ${id}.`,
        details: { error_code: 'thread_not_found' },
      },
    })
    // No other account can have it.
    expect(world.fakes.calls.map(({ key }) => `own/${MODEL}#${key}`)).toEqual([target])
    expect(parked(world)).toEqual([])
    expect((await ask(world, MODEL, CREATE, 'Hi')).status).toBe(200)
  })

  test('that was continued already is refused with the provider’s code', async () => {
    await using world = await open()
    const { id } = await ask(world, MODEL, CREATE, 'Hi')
    await ask(world, MODEL, from(id), 'And?')
    const again = await ask(world, MODEL, from(id), 'And?')
    expect(again.status).toBe(400)
    expect(JSON.parse(again.text)).toMatchObject({ error: { details: { error_code: 'thread_already_continued' } } })
    expect(parked(world)).toEqual([])
  })

  test('whose account cannot answer now is asked for whole, where another target can answer', async () => {
    await using world = await open()
    const { id, target } = await ask(world, 'both', CREATE, 'Hi')
    world.fakes.fault('own', { do: 'rate_minute', key: Number(target?.split('#')[1]), retry_after: 50 })
    const lost = await ask(world, 'both', from(id), 'What is my name?')
    expect(lost.status).toBe(404)
    expect(JSON.parse(lost.text)).toMatchObject(LOST)
    expect((await ask(world, 'both', CREATE, 'Hi')).status).toBe(200)
  })

  test('is left out, and that is said, where the target knows none', async () => {
    await using world = await open()
    expect(await ask(world, 'chat/c', CREATE, 'Hi')).toMatchObject({ status: 200, leftOut: 'thread, anthropic-beta' })
    expect(world.fakes.calls.at(-1)?.body).not.toHaveProperty('thread')
  })

  test('is not counted without what its account holds', async () => {
    await using world = await open()
    const messages = [{ role: 'user', content: 'Hi' }]
    const count = (thread: object) => world.ask('/v1/messages/count_tokens', { model: MODEL, messages, thread })
    expect((await count(from('msg_1'))).status).toBe(400)
    expect((await count(CREATE)).status).toBe(200)
  })
})

describe('the official tool runner', () => {
  const weather = (asked: string[]) => ({
    type: 'custom' as const,
    name: 'weather',
    description: 'The weather of a city',
    input_schema: { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] },
    parse: (input: unknown) => input as { city: string },
    run: ({ city }: { city: string }) => {
      asked.push(city)
      return `Rain in ${city}`
    },
  })
  const run = (world: GatewayWorld, model: string, asked: string[]) =>
    clientOf(world).beta.messages.toolRunner({
      model,
      max_tokens: 200,
      messages: [{ role: 'user', content: 'What is the weather in Oslo?' }],
      tools: [weather(asked)],
    })

  test.each([MODEL, 'chat/c', 'both'])('ends with %s, holding the conversation or sending it', async (model) => {
    await using world = await open(true)
    for (let time = 0; time < 4; time++) {
      const asked: string[] = []
      const message = await run(world, model, asked)
      expect(asked).toEqual(['Oslo'])
      expect(JSON.stringify(message.content)).toContain('Rain in Oslo')
    }
    expect(world.fakes.calls.every(({ status }) => status === 200)).toBe(true)
    const threads = world.fakes.calls.flatMap(({ body }) => (body as { thread?: { type: string } }).thread?.type ?? [])
    if (model === MODEL) expect(threads).toEqual(Array(4).fill(['create', 'continue']).flat())
  })

  test('goes on when the provider loses the conversation between two turns', async () => {
    await using world = await open(true)
    const asked: string[] = []
    const runner = run(world, MODEL, asked)
    for await (const _ of runner) world.fakes.loseThreads()
    expect(JSON.stringify((await runner.done()).content)).toContain('Rain in Oslo')
    expect(world.fakes.calls.map(({ status }) => status)).toEqual([200, 404, 200])
    expect(parked(world)).toEqual([])
  })
})
