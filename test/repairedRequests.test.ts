/** What a service refuses of a request and can go without, over HTTP: the client gets its answer, and nobody else suffers. */

import { describe, expect, test } from 'vitest'
import { openGateway, type WorldOptions } from './support/gatewayWorld.ts'

const HI = { role: 'user', content: 'Hi' }
const SCHEMA = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false }
const TOOL = { type: 'function', function: { name: 'look', description: 'Looks', parameters: SCHEMA } }
const CHAT = '/v1/chat/completions'
const A = { 'user-agent': 'odd-client/2.1.0 (linux)' }
const B = { 'user-agent': 'OpenAI/Python 2.54.0' }

type Dialect = 'openai' | 'openai-responses' | 'anthropic' | 'google'

interface Service {
  readonly id: string
  readonly model: string
  readonly dialect?: Dialect
  readonly strict?: 'openai'
}

const OPENAI: Service = { id: 'openai', model: 'gpt-4o' }
/** A server of one's own that is as strict as OpenAI; nothing is known of it. */
const THINKING: Service = { id: 'own', model: 'gpt-5.6-luna', dialect: 'openai', strict: 'openai' }
const GROQ: Service = { id: 'groq', model: 'openai/gpt-oss-120b' }
const MISTRAL: Service = { id: 'mistral', model: 'mistral-large-latest' }
const CEREBRAS: Service = { id: 'cerebras', model: 'gpt-oss-120b' }
const DEEPSEEK: Service = { id: 'deepseek', model: 'deepseek-v4-flash' }
const XAI: Service = { id: 'xai', model: 'grok-4.3' }
const OWN: Service = { id: 'own', model: 'gpt-4o', dialect: 'openai', strict: 'openai' }
const RESPONSES: Service = { id: 'own', model: 'gpt-5.6-luna', dialect: 'openai-responses', strict: 'openai' }

async function openStrict(services: readonly Service[], options: WorldOptions = {}) {
  const providers = services.map(({ id, model, ...rest }) => [id, { models: { [model]: {} }, ...rest }])
  const modelOf = new Map(services.map(({ id, model }) => [id, model]))
  return openGateway(
    { providers: Object.fromEntries(providers) },
    {
      reconfigure: (config) =>
        Object.fromEntries(Object.entries(config).map(([id, block]) => [id, { ...block, models: [modelOf.get(id)] }])),
      ...options,
      settings: { routing: { strategy: 'priority' }, ...options.settings },
    },
  )
}

type World = Awaited<ReturnType<typeof openStrict>>

/** Asks, and says what came of it. */
async function ask(world: World, body: object, headers: Record<string, string> = A, path = CHAT) {
  world.fakes.forget()
  const text = JSON.stringify(body)
  const response = await world.ask(path, text, headers)
  const answer = await response.text()
  const statuses = world.fakes.calls.map(({ status }) => status)
  const last = world.fakes.calls.at(-1)
  return {
    status: response.status,
    answer,
    statuses,
    leftOut: response.headers.get('x-keywise-left-out'),
    sent: last?.body as Record<string, unknown>,
    isByteForByte: Number(last?.headers['content-length']) === Buffer.byteLength(text),
    trail: response.headers.get('x-keywise-trail'),
  }
}

const said = (fields: object) => ({ role: 'assistant', content: 'Hello', ...fields })

describe('a field that a service does not know is left out', () => {
  test.each<[service: Service, fields: object, leftOut: string | null]>([
    [OPENAI, { usage: { include: true } }, 'usage'],
    [OPENAI, { safe_prompt: false }, 'safe_prompt'],
    [OPENAI, { messages: [HI, said({ prefix: false }), HI] }, 'messages[].prefix'],
    [
      OPENAI,
      { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } }] }] },
      'messages[].content[].cache_control',
    ],
    [THINKING, { temperature: 0.2 }, 'temperature'],
    [THINKING, { presence_penalty: 0.5 }, 'presence_penalty'],
    [THINKING, { prediction: { type: 'content', content: 'x' } }, 'prediction'],
    [GROQ, { store: true }, 'store'],
    [GROQ, { messages: [{ ...HI, name: 'ada' }] }, 'messages[].name'],
    [MISTRAL, { top_k: 4 }, 'top_k'],
    [MISTRAL, { messages: [{ ...HI, name: 'ada' }] }, 'messages[].user.name'],
    [CEREBRAS, { logit_bias: { 1: 1 } }, 'logit_bias'],
    [DEEPSEEK, { tools: [] }, null],
    [XAI, { presence_penalty: 0.5 }, 'presencePenalty'],
  ])('by $id: %o', async (service, fields, leftOut) => {
    await using world = await openStrict([service])
    const request = { model: service.model, messages: [HI], ...fields }
    const first = await ask(world, request)
    expect(first).toMatchObject({ status: 200, leftOut })
    expect(first.statuses).toHaveLength(2)
    // The same client need not be refused again.
    expect(await ask(world, request)).toMatchObject({ status: 200, statuses: [200], leftOut })
  })

  test.each<[service: Service, schema: object, sent: object]>([
    [OPENAI, { type: 'object' }, { type: 'object', properties: {} }],
    [OWN, { properties: { a: { type: 'string' } } }, { properties: { a: { type: 'string' } }, type: 'object' }],
    [
      OPENAI,
      { anyOf: [SCHEMA, { type: 'object', properties: { b: { type: 'number' } } }] },
      { type: 'object', properties: { a: { type: 'string' }, b: { type: 'number' } } },
    ],
  ])('and what a schema of arguments lacks is said: %o, %o', async (service, schema, sent) => {
    await using world = await openStrict([service])
    const lacking = { type: 'function', function: { name: 'now', parameters: schema } }
    const request = { model: service.model, messages: [HI], tools: [TOOL, lacking] }
    expect(await ask(world, request)).toMatchObject({ status: 200, statuses: [400, 200], leftOut: null })
    const again = await ask(world, request)
    expect(again).toMatchObject({ status: 200, statuses: [200], leftOut: null })
    expect(again.sent['tools']).toEqual([TOOL, { type: 'function', function: { name: 'now', parameters: sent } }])
    // Other clients are told of their own mistakes.
    expect(await ask(world, { ...request, tools: [TOOL] }, B)).toMatchObject({ statuses: [200] })
  })

  test('of Responses and Claude too, whose fields are elsewhere', async () => {
    const claude: Service = { id: 'anthropic', model: 'claude-haiku-4-5' }
    await using world = await openStrict([RESPONSES, claude])
    const responses = {
      model: RESPONSES.model,
      input: 'Hi',
      tools: [{ type: 'function', name: 'now', parameters: { type: 'object' } }],
    }
    expect(await ask(world, responses, A, '/v1/responses')).toMatchObject({ status: 200, statuses: [400, 200] })
    const messages = { model: claude.model, max_tokens: 9, messages: [HI], tools: [{ name: 'now', input_schema: {} }] }
    expect(await ask(world, messages, A, '/v1/messages')).toMatchObject({ status: 200, statuses: [400, 200] })
  })

  test('one after the other, as the service names them', async () => {
    await using world = await openStrict([OPENAI])
    const odd = { model: 'gpt-4o', messages: [HI, said({ prefix: false }), HI], usage: {}, safe_prompt: false }
    const first = await ask(world, odd)
    expect(first).toMatchObject({ status: 200, statuses: [400, 400, 400, 200] })
    expect(first.leftOut?.split(', ').toSorted()).toEqual(['messages[].prefix', 'safe_prompt', 'usage'])
    expect(first.sent).toMatchObject({ messages: [HI, { role: 'assistant', content: 'Hello' }, HI] })
    expect((await ask(world, odd)).statuses).toEqual([200])
  })

  test.each([
    MISTRAL,
    GROQ,
    CEREBRAS,
  ])('by $id with every other that it has no name for, so that many cost one refusal', async (service) => {
    await using world = await openStrict([service])
    const hints = { a_hint: 1, b_hint: 'b', c_hint: { c: 1 }, d_hint: [1], e_hint: true, f_hint: 1 }
    const odd = { model: service.model, messages: [HI], ...hints, temperature: 0.5 }
    const first = await ask(world, odd)
    expect(first).toMatchObject({ status: 200, leftOut: Object.keys(hints).join(', ') })
    expect(first.statuses).toHaveLength(2)
    expect(first.sent).toMatchObject({ temperature: 0.5, messages: [HI] })
    expect((await ask(world, odd)).statuses).toEqual([200])
  })

  test('by a service whose fields are not listed, one after the other', async () => {
    await using world = await openStrict([OPENAI])
    const hints = { a_hint: 1, b_hint: 1, c_hint: 1, d_hint: 1, e_hint: 1, f_hint: 1 }
    const first = await ask(world, { model: 'gpt-4o', messages: [HI], ...hints })
    expect(first).toMatchObject({ status: 200, leftOut: Object.keys(hints).join(', ') })
  })

  test('at most eight times for one target, and what was learned serves the next request', async () => {
    await using world = await openStrict([OPENAI])
    const hints = Object.fromEntries([...'abcdefghi'].map((letter) => [`${letter}_hint`, 1]))
    const odd = { model: 'gpt-4o', messages: [HI], ...hints }
    expect(await ask(world, odd)).toMatchObject({ status: 400, statuses: new Array(9).fill(400) })
    expect(await ask(world, odd)).toMatchObject({ status: 200, statuses: [200] })
  })

  test("and nothing else of a body in the service's own dialect changes", async () => {
    await using world = await openStrict([OWN])
    const odd = {
      messages: [{ content: 'Hi', role: 'user' }],
      user: null,
      a_hint: 1,
      temperature: 0.5,
      model: OWN.model,
    }
    const { a_hint: _hint, ...rest } = odd
    const answer = await ask(world, odd)
    expect(answer).toMatchObject({ status: 200, statuses: [400, 200], leftOut: 'a_hint' })
    expect(JSON.stringify(answer.sent)).toBe(JSON.stringify(rest))
  })

  test('of a stream, too', async () => {
    await using world = await openStrict([GROQ])
    const answer = await ask(world, { model: GROQ.model, messages: [HI], stream: true, verbosity: 'low' })
    expect(answer).toMatchObject({ status: 200, statuses: [400, 200], leftOut: 'verbosity' })
    expect(answer.answer).toContain('[DONE]')
  })
})

describe('what one client was refused', () => {
  test('changes nothing in the bodies of other kinds of clients, nor for other models', async () => {
    await using world = await openStrict([GROQ, OWN])
    await ask(world, { model: GROQ.model, messages: [HI], store: true })
    // In an order and with a field that no writer of ours would keep.
    const plain = { temperature: 0.5, messages: [{ content: 'Hi', role: 'user' }], user: null, model: GROQ.model }
    const other = await ask(world, plain, B)
    expect(other).toMatchObject({ status: 200, statuses: [200], isByteForByte: true, sent: plain })
    expect((await ask(world, { ...plain, model: OWN.model })).isByteForByte).toBe(true)
    // A kind of its own learns for itself.
    expect((await ask(world, { ...plain, store: true }, B)).statuses).toEqual([400, 200])
  })

  test('is the same for another version of the client', async () => {
    await using world = await openStrict([GROQ])
    const odd = { model: GROQ.model, messages: [HI], store: true }
    await ask(world, odd)
    expect((await ask(world, odd, { 'user-agent': 'odd-client/3.0' })).statuses).toEqual([200])
  })

  test('is sent again after a day, and the bodies pass as they are where it is taken', async () => {
    let at = Date.parse('2026-11-29T12:00:00Z')
    await using world = await openStrict([GROQ], { clock: () => at })
    const odd = { messages: [HI], store: true, model: GROQ.model }
    await ask(world, odd)
    at += 23 * 3_600_000
    expect((await ask(world, odd)).statuses).toEqual([200])
    at += 2 * 3_600_000
    expect((await ask(world, odd)).statuses).toEqual([400, 200])
    at += 25 * 3_600_000
    expect(await ask(world, { ...odd, store: undefined })).toMatchObject({ statuses: [200], isByteForByte: true })
  })

  test('is not held against the target, nor takes an ability from it', async () => {
    await using world = await openStrict([THINKING])
    const [thinking] = world.gateway.opened.engine.registry.targets
    for (const reasoning_effort of ['minimal', 'max', 'minimal'])
      expect(
        (await ask(world, { model: THINKING.model, messages: [HI], tools: [TOOL], reasoning_effort })).status,
      ).toBe(200)
    const { engine } = world.gateway.opened
    expect(engine.learned.parks.list(engine.now)).toEqual([])
    expect(thinking && engine.missingAbilities.missing(thinking, ['reasoning', 'tools', 'json'])).toBeUndefined()
    const answer = await ask(world, { model: THINKING.model, messages: [HI], tools: [TOOL] }, B)
    expect(answer).toMatchObject({ status: 200, statuses: [400, 200] })
  })

  test('does not use up the attempts that are for other targets', async () => {
    await using world = await openStrict([GROQ, CEREBRAS], { settings: { maxAttempts: 2 } })
    world.fakes.fault('groq', { do: 'server', from: 3 })
    const odd = { model: 'auto', messages: [{ ...HI, name: 'ada' }], store: true }
    const answer = await ask(world, odd)
    expect(answer.status).toBe(200)
    expect(answer.trail).toMatch(/^groq\S+=\w+; groq\S+=\w+; groq\S+=server; cerebras/)
  })
})

describe('a value that is refused', () => {
  test.each<[name: string, service: Service, fields: object, sent: object]>([
    ['is the nearest of the scale', GROQ, { reasoning_effort: 'minimal' }, { reasoning_effort: 'low' }],
    ['is the nearest of another scale', THINKING, { reasoning_effort: 'minimal' }, { reasoning_effort: 'low' }],
    [
      'switches the thinking off beside tools',
      THINKING,
      { tools: [TOOL] },
      { reasoning_effort: 'none', tools: [TOOL] },
    ],
  ])('%s', async (_name, service, fields, sent) => {
    await using world = await openStrict([service])
    const request = { model: service.model, messages: [HI], ...fields }
    expect(await ask(world, request)).toMatchObject({ status: 200, statuses: [400, 200], sent })
    expect(await ask(world, request)).toMatchObject({ status: 200, statuses: [200], sent })
  })

  test('of the Responses dialect is the nearest as well', async () => {
    await using world = await openStrict([RESPONSES])
    const request = { model: RESPONSES.model, input: 'Hi', reasoning: { effort: 'minimal' } }
    const answer = await ask(world, request, A, '/v1/responses')
    expect(answer).toMatchObject({ status: 200, statuses: [400, 200], sent: { reasoning: { effort: 'low' } } })
  })

  test.each<[name: string, model: string, fields: object, sent: object, leftOut: string | null]>([
    [
      'effort becomes the nearest level',
      'claude-opus-4-5',
      { output_config: { effort: 'max' } },
      { output_config: { effort: 'high' } },
      null,
    ],
  ])('of a Claude client: %s', async (_name, model, fields, sent, leftOut) => {
    await using world = await openStrict([{ id: 'anthropic', model }])
    const request = { model, max_tokens: 2048, messages: [HI], ...fields }
    const first = await ask(world, request, A, '/v1/messages')
    expect(first).toMatchObject({ status: 200, statuses: [400, 200], sent, leftOut })
    expect((await ask(world, request, A, '/v1/messages')).statuses).toEqual([200])
  })

  test.each<[name: string, model: string, fields: object, sent: object, leftOut: string]>([
    [
      'sampling beside thinking',
      'claude-sonnet-4-5',
      { thinking: { type: 'enabled', budget_tokens: 1024 }, temperature: 0.5 },
      { thinking: { type: 'enabled', budget_tokens: 1024 } },
      'temperature',
    ],
    ['one of two', 'claude-sonnet-4-5', { temperature: 0.5, top_p: 0.5 }, { temperature: 0.5 }, 'top_p'],
    ['sampling', 'claude-opus-4-7', { top_k: 5 }, {}, 'top_k'],
  ])('of a Claude client is left out before the call where the model is known: %s', async (...row) => {
    const [, model, fields, sent, leftOut] = row
    await using world = await openStrict([{ id: 'anthropic', model }])
    const request = { model, max_tokens: 2048, messages: [HI], ...fields }
    const first = await ask(world, request, A, '/v1/messages')
    expect(first).toMatchObject({ status: 200, statuses: [200], sent, leftOut })
  })

  test('for its length is cut, the same for the same user', async () => {
    await using world = await openStrict([OPENAI])
    const request = (user: string) => ({ model: 'gpt-4o', messages: [HI], user })
    const first = await ask(world, request('a'.repeat(100)))
    expect(first.statuses).toEqual([400, 200])
    expect(first.sent['user']).toMatch(/^[\da-f]{64}$/)
    expect((await ask(world, request('a'.repeat(100)))).sent['user']).toBe(first.sent['user'])
    expect((await ask(world, request('b'.repeat(100)))).sent['user']).not.toBe(first.sent['user'])
    expect((await ask(world, request('short'))).sent['user']).toBe('short')
  })

  test('for its length changes the id of a call and that of its result alike', async () => {
    await using world = await openStrict([OPENAI])
    const id = 'call_'.repeat(12)
    const call = { id, type: 'function', function: { name: 'look', arguments: '{"a":"b"}' } }
    const messages = [HI, said({ content: null, tool_calls: [call] }), { role: 'tool', tool_call_id: id, content: 'x' }]
    const answer = await ask(world, { model: 'gpt-4o', tools: [TOOL], messages })
    expect(answer).toMatchObject({ status: 200, statuses: [400, 200] })
  })
})

describe('options of what is not asked for', () => {
  test.each<[fields: object]>([
    [{ tool_choice: 'auto' }],
    [{ parallel_tool_calls: true }],
    [{ top_logprobs: 2 }],
  ])('%o go, and stay beside it', async (fields) => {
    await using world = await openStrict([OPENAI])
    expect(await ask(world, { model: 'gpt-4o', messages: [HI], ...fields })).toMatchObject({ statuses: [400, 200] })
    const both = { model: 'gpt-4o', messages: [HI], tools: [TOOL], logprobs: true, ...fields }
    expect(await ask(world, both)).toMatchObject({ statuses: [200], sent: fields, leftOut: null })
  })
})

describe('what carries meaning is never left out', () => {
  test.each<[name: string, service: Service, fields: object]>([
    ['several answers', GROQ, { n: 2 }],
    ['probabilities', GROQ, { logprobs: true }],
  ])('%s: the client is told without a call, where the service is known to refuse', async (_name, service, fields) => {
    await using world = await openStrict([service])
    const answer = await ask(world, { model: service.model, messages: [HI], ...fields })
    expect(answer).toMatchObject({ status: 400, statuses: [], leftOut: null })
  })

  test.each<[name: string, service: Service, fields: object]>([
    ['words to stop at', THINKING, { stop: ['END'] }],
    ['a tool that must be called', OPENAI, { tool_choice: 'required' }],
    [
      'a part of unknown type',
      OPENAI,
      { messages: [{ role: 'user', content: [{ type: 'video_url', video_url: {} }] }] },
    ],
  ])('%s: the client is told', async (_name, service, fields) => {
    await using world = await openStrict([service])
    const answer = await ask(world, { model: service.model, messages: [HI], ...fields })
    expect(answer).toMatchObject({ status: 400, statuses: [400], leftOut: null })
  })

  test('but another target may take it', async () => {
    await using world = await openStrict([GROQ, OPENAI])
    const answer = await ask(world, { model: 'auto', messages: [HI], logprobs: true })
    expect(answer).toMatchObject({ status: 200, statuses: [200], sent: { logprobs: true } })
  })
})
