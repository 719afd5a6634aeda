/** Requests that are too long: who gets them, what is cut, and in which words a client hears of it. */

import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import type { DialectId } from '../src/domain/chat.ts'
import type { FakeModel } from '../src/lab/fake/scenario.ts'
import { type GatewayWorld, openGateway, TOKEN, type WorldOptions } from './support/gatewayWorld.ts'

const WINDOW = 4000
/** About this many tokens, for keywise as for the simulated providers. */
const prompt = (tokens: number) => 'word '.repeat(Math.round((tokens * 4) / 5))

/** Models of one provider each, `small/m` with a window of 4,000 tokens that keywise is told of, or not. */
function open(
  dialect: DialectId,
  isKnown: boolean,
  others: Record<string, FakeModel> = {},
  options: WorldOptions = {},
) {
  const rest = Object.fromEntries(Object.entries(others).map(([id, model]) => [id, { dialect, models: { m: model } }]))
  return openGateway(
    { providers: { small: { dialect, models: { m: { context_tokens: WINDOW, unlisted: !isKnown } } }, ...rest } },
    {
      ...options,
      settings: {
        routing: { strategy: 'priority' },
        models: { any: ['small/m', ...Object.keys(others).map((id) => `${id}/m`)] },
      },
      reconfigure: (config) => ({
        ...config,
        small: { ...config['small'], models: [{ id: 'm', ...(isKnown && { context_tokens: WINDOW }) }] },
      }),
    },
  )
}

interface Asked {
  readonly model?: string
  readonly maxTokens?: number | undefined
  readonly stream?: boolean
}

const WRITERS: { readonly [D in DialectId]: (text: string, asked: Required<Asked>) => [path: string, body: object] } = {
  openai: (text, { model, maxTokens, stream }) => [
    '/v1/chat/completions',
    { model, messages: [{ role: 'user', content: text }], max_tokens: maxTokens, stream },
  ],
  'openai-responses': (text, { model, maxTokens, stream }) => [
    '/v1/responses',
    { model, input: text, max_output_tokens: maxTokens, stream },
  ],
  anthropic: (text, { model, maxTokens, stream }) => [
    '/v1/messages',
    { model, messages: [{ role: 'user', content: text }], max_tokens: maxTokens ?? 10, stream },
  ],
  google: (text, { model, maxTokens, stream }) => [
    `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    { contents: [{ role: 'user', parts: [{ text }] }], generationConfig: { maxOutputTokens: maxTokens } },
  ],
}
const CLIENTS = Object.keys(WRITERS) as DialectId[]

async function ask(world: GatewayWorld, client: DialectId, tokens: number, asked: Asked = {}) {
  const whole = { model: asked.model ?? 'any', maxTokens: asked.maxTokens, stream: asked.stream ?? false }
  const [path, body] = WRITERS[client](prompt(tokens), whole as Required<Asked>)
  const response = await world.ask(path, body)
  const header = (name: string) => response.headers.get(`x-keywise-${name}`)
  return {
    status: response.status,
    trail: header('trail'),
    leftOut: header('left-out'),
    error: header('error'),
    text: await response.text(),
  }
}

/** The vendor's sentence at the beginning, and its numbers. */
const SENTENCES: { readonly [D in DialectId]: RegExp } = {
  openai:
    /^This model's maximum context length is (?<limit>\d+) tokens\. However, your messages resulted in (?<input>\d+) tokens\. Please reduce the length of the messages\./,
  'openai-responses':
    /^Your input exceeds the context window of this model\. Please adjust your input and try again\. \(keywise: (?<input>\d+) tokens > (?<limit>\d+)/,
  anthropic: /^prompt is too long: (?<input>\d+) tokens > (?<limit>\d+) maximum/,
  google: /^The input token count \((?<input>\d+)\) exceeds the maximum number of tokens allowed \((?<limit>\d+)\)\./,
}
const SHAPES: { readonly [D in DialectId]: object } = {
  openai: { error: { type: 'invalid_request_error', param: 'messages', code: 'context_length_exceeded' } },
  'openai-responses': { error: { type: 'invalid_request_error', param: 'input', code: 'context_length_exceeded' } },
  anthropic: { type: 'error', error: { type: 'invalid_request_error' } },
  google: { error: { code: 400, status: 'INVALID_ARGUMENT' } },
}

function messageIn(text: string): string {
  return (JSON.parse(text) as { error: { message: string } }).error.message
}

describe.each(CLIENTS)('a client of %s whose request is too long for every model', (client) => {
  test.each(
    CLIENTS,
  )('reads it in its vendor’s words, with the numbers of an upstream that speaks %s', async (spoken) => {
    await using world = await open(spoken, false)
    const { status, text, error } = await ask(world, client, 5000)
    expect([status, error]).toEqual([400, 'context_too_long'])
    expect(JSON.parse(text)).toMatchObject(SHAPES[client])
    const { limit, input } = SENTENCES[client].exec(messageIn(text))?.groups ?? {}
    expect(Number(limit)).toBe(WINDOW)
    // The upstream's own count, not ours.
    expect(world.fakes.calls[0]).toMatchObject({ status: 400 })
    expect(Number(input)).toBeGreaterThan(5000)
    expect(messageIn(text)).not.toContain('estimate')
  })

  test.each(CLIENTS)('reads once what it is about, whatever an upstream that speaks %s says', async (spoken) => {
    await using world = await open(spoken, false)
    const message = messageIn((await ask(world, client, 5000)).text)
    expect(message).toMatch(/ \(keywise: [^(]*no model that may answer it reads more\)$/)
    expect(message.match(new RegExp(`\\b${WINDOW}\\b`, 'g'))).toHaveLength(1)
  })

  test('reads a sentence without numbers once', async () => {
    await using world = await open('openai', false)
    const message = {
      openai: "This model's maximum context length is exceeded.",
      'openai-responses': 'Your input exceeds the context window of this model.',
      anthropic: 'prompt is too long',
      google: 'The input token count exceeds the maximum number of tokens allowed.',
    }[client]
    world.fakes.refuseIf(() => ({ status: 400, body: { error: { message, code: 'context_length_exceeded' } } }))
    const said = messageIn((await ask(world, client, 100)).text)
    expect(said.split(message)).toHaveLength(2)
    expect(said).toMatch(/\(keywise: [^()]*\)$/)
  })

  test('reads keywise’s own count, and that it is an estimate, where no provider was asked', async () => {
    await using world = await open('openai', true)
    const { status, text } = await ask(world, client, 5000)
    expect([status, world.fakes.calls.length]).toEqual([400, 0])
    expect(JSON.parse(text)).toMatchObject(SHAPES[client])
    expect(SENTENCES[client].exec(messageIn(text))?.groups).toMatchObject({
      limit: `${WINDOW}`,
      input: /500\d/.exec(text)?.[0],
    })
    expect(messageIn(text)).toContain('estimate')
  })

  test('reads no number where the provider states none', async () => {
    await using world = await open('openai', false)
    const message = 'Your input exceeds the context window of this model.'
    world.fakes.refuseIf(() => ({ status: 400, body: { error: { message, code: 'context_length_exceeded' } } }))
    const { status, text } = await ask(world, client, 100)
    expect(status).toBe(400)
    expect(JSON.parse(text)).toMatchObject(SHAPES[client])
    expect(messageIn(text)).toMatch(
      /^(?:prompt is too long|This model's maximum context length|Your input exceeds|The input token count exceeds)/,
    )
    expect(messageIn(text).replace(/\(keywise.*/, '')).not.toMatch(/\d/)
  })

  test('reads the same where the refusal came with HTTP 200', async () => {
    await using world = await open('openai', false)
    const message =
      "This model's maximum context length is 4000 tokens. However, your messages resulted in 4321 tokens."
    world.fakes.refuseIf(() => ({ status: 200, body: { error: { message, code: 'context_length_exceeded' } } }))
    const { status, text } = await ask(world, client, 100)
    expect(status).toBe(400)
    expect(JSON.parse(text)).toMatchObject(SHAPES[client])
    expect(SENTENCES[client].exec(messageIn(text))?.groups).toEqual({ input: '4321', limit: '4000' })
  })

  test('reads it inside a stream that had begun to answer', async () => {
    await using world = await openGateway({ providers: { own: { models: { m: {} } } } }, { instead: breaking })
    const { status, text } = await ask(world, client, 10, { model: 'own/m', stream: true })
    expect(status).toBe(200)
    const events = text.split('\n').flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6))] : []))
    const error = events.map((event) => event.response?.error ?? event.error).findLast((one) => one != null)
    expect(error.message).toMatch(SENTENCES[client])
    if (client.startsWith('openai')) expect(error.code).toBe('context_length_exceeded')
    if (client === 'anthropic') expect(error.type).toBe('invalid_request_error')
  })

  test('reads the largest window of several', async () => {
    await using world = await open('openai', true, { large: { context_tokens: 2 * WINDOW } })
    const { text, trail } = await ask(world, client, 9000)
    expect(trail).toBe('large/m#1=context_too_long')
    expect(Number(SENTENCES[client].exec(messageIn(text))?.groups?.['limit'])).toBe(2 * WINDOW)
  })
})

describe('a request that is too long for the first model', () => {
  test.each(CLIENTS)('of a client of %s goes to one that can read it', async (client) => {
    for (const isKnown of [true, false]) {
      await using world = await open('openai', isKnown, { large: {} })
      const { status, trail } = await ask(world, client, 5000)
      expect(status).toBe(200)
      expect(trail).toBe(isKnown ? 'large/m#1=ok' : 'small/m#1=context_too_long; large/m#1=ok')
    }
  })

  test('teaches its window, which holds for the next request', async () => {
    await using world = await open('openai', false, { large: {} })
    await ask(world, 'openai', 5000)
    expect((await ask(world, 'anthropic', 5000)).trail).toBe('large/m#1=ok')
    expect((await ask(world, 'openai', 3000)).trail).toBe('small/m#1=ok')
    expect((await ask(world, 'openai', 5000, { model: 'small/m' })).status).toBe(400)
    expect(await (await world.ask('/v1/models/small/m')).json()).toMatchObject({ context_window: WINDOW })
    expect(world.fakes.calls.filter(({ provider }) => provider === 'small')).toHaveLength(2)
  })

  test('and what it taught is forgotten after an hour, and when a person wants it tried again', async () => {
    let now = Date.parse('2026-11-29T12:00:00Z')
    await using world = await open('openai', false, { large: {} }, { clock: () => now })
    await ask(world, 'openai', 5000)
    const retest = await world.ask('/api/targets/retest', {}, { authorization: `Bearer ${world.adminToken}` })
    expect(retest.status).toBe(200)
    expect((await ask(world, 'openai', 5000)).trail).toMatch(/^small/)
    now += 3_600_001
    expect((await ask(world, 'openai', 5000)).trail).toMatch(/^small/)
  })

  test('goes there for the room that its answer needs', async () => {
    await using world = await open('openai', true, { large: { context_tokens: 90_000 } })
    expect(await ask(world, 'openai', 3000, { maxTokens: 2000 })).toMatchObject({
      trail: 'large/m#1=ok',
      leftOut: null,
    })
    expect((await ask(world, 'openai', 3000, { maxTokens: 500 })).trail).toBe('small/m#1=ok')
  })
})

/** The limit of the answer as the upstream got it. */
function limitOf({ fakes }: GatewayWorld): number | undefined {
  const body = fakes.calls.at(-1)?.body as Record<string, number | Record<string, number>>
  const config = body['generationConfig'] as Record<string, number> | undefined
  return (body['max_tokens'] ??
    body['max_completion_tokens'] ??
    body['max_output_tokens'] ??
    config?.['maxOutputTokens']) as number | undefined
}

describe('an answer that does not fit beside the prompt', () => {
  const spoken = CLIENTS.filter((id) => id !== 'google')

  test.each(CLIENTS)('is cut for a client of %s, and that is said', async (client) => {
    for (const dialect of spoken) {
      await using world = await open(dialect, true)
      const { status, leftOut } = await ask(world, client, 2000, { maxTokens: 3900 })
      expect([status, leftOut, world.fakes.calls.length]).toEqual([200, 'max_tokens', 1])
      expect(limitOf(world)).toBeGreaterThan(1800)
      expect(limitOf(world)).toBeLessThan(2001)
    }
  })

  test.each(CLIENTS)('is cut for a client of %s by what the refusal states', async (client) => {
    for (const dialect of spoken) {
      await using world = await open(dialect, false)
      const { status, leftOut, trail } = await ask(world, client, 2000, { maxTokens: 3900 })
      expect([status, leftOut]).toEqual([200, 'max_tokens'])
      expect(trail).toBe('small/m#1=context_too_long; small/m#1=ok')
      expect(limitOf(world)).toBeGreaterThan(1800)
      expect((await ask(world, client, 2000, { maxTokens: 3800 })).trail).toBe('small/m#1=ok')
    }
  })

  test.each(spoken)('that leaves no room worth a call is told a client of %s in its vendor’s words', async (client) => {
    for (const isKnown of [true, false]) {
      await using world = await open('anthropic', isKnown)
      const { status, text, leftOut } = await ask(world, client, 3900, { maxTokens: 2000 })
      expect([status, leftOut]).toEqual([400, null])
      const numbers =
        /(\d+) \+ 2000 (?:tokens )?> 4000|requested \d+ tokens \((\d+) in the messages, 2000 in the completion\)/
      expect(messageIn(text)).toMatch(numbers)
      if (client === 'anthropic')
        expect(messageIn(text)).toMatch(
          /^input length and `max_tokens` exceed context limit: \d+ \+ 2000 > 4000, decrease/,
        )
    }
  })

  test('is not cut where the window is the prompt’s alone', async () => {
    await using world = await openGateway({
      providers: { google: { models: { 'gemini-3.8-flash': { context_tokens: WINDOW } } } },
    })
    const { leftOut } = await ask(world, 'google', 3500, { model: 'gemini-3.8-flash', maxTokens: 3000 })
    expect([leftOut, limitOf(world)]).toEqual([null, 3000])
  })

  const MOST = [
    'max_tokens: 9000 > 1000, which is the maximum allowed number of output tokens for m',
    'max_tokens is too large: 9000. This model supports at most 1000 completion tokens, whereas you provided 9000.',
    '`max_tokens` must be less than or equal to `1000`, the maximum value for `max_tokens` is less than the `context_window` for this model',
  ]
  test.each(MOST)('or is longer than the model writes is cut: %s', async (message) => {
    await using world = await openGateway({ providers: { own: { models: { m: {} } } } })
    world.fakes.refuseIf((_, body) =>
      (body as { max_tokens: number }).max_tokens > 1000
        ? { status: 400, body: { error: { message, type: 'invalid_request_error', param: 'max_tokens', code: null } } }
        : null,
    )
    const first = await ask(world, 'openai', 10, { model: 'own/m', maxTokens: 9000 })
    expect(first).toMatchObject({ status: 200, leftOut: 'max_tokens', trail: 'own/m#1=unsupported; own/m#1=ok' })
    expect(limitOf(world)).toBe(1000)
    expect(await ask(world, 'openai', 10, { model: 'own/m', maxTokens: 9000 })).toMatchObject({
      leftOut: 'max_tokens',
      trail: 'own/m#1=ok',
    })
    expect(await ask(world, 'openai', 10, { model: 'own/m', maxTokens: 900 })).toMatchObject({ leftOut: null })
  })
})

describe('a stream', () => {
  test.each([
    'openai',
    'anthropic',
    'google',
  ] as const)('of %s that cannot begin is refused before it', async (client) => {
    await using world = await open('openai', false)
    const { status, text } = await ask(world, client, 5000, { stream: true })
    expect(status).toBe(400)
    expect(messageIn(text)).toMatch(SENTENCES[client])
  })

  test('of Responses fails inside, where codex looks for it', async () => {
    await using world = await open('openai', false)
    const { status, text, error } = await ask(world, 'openai-responses', 5000, { stream: true })
    expect([status, error]).toEqual([200, 'context_too_long'])
    const events = text.split('\n').flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6))] : []))
    expect(events.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'error',
      'response.failed',
    ])
    expect(events.at(-1)).toMatchObject({
      response: {
        status: 'failed',
        error: { code: 'context_length_exceeded', message: expect.stringMatching(SENTENCES['openai-responses']) },
      },
    })
  })

  test('of an upstream that fails inside goes to a model that can read it', async () => {
    await using world = await openGateway(
      { providers: { own: { dialect: 'openai-responses', models: { m: {} } }, other: { models: { m: {} } } } },
      { settings: { routing: { strategy: 'priority' }, models: { any: ['own/m', 'other/m'] } }, instead: failing },
    )
    const { status, trail } = await ask(world, 'openai', 10, { stream: true })
    expect([status, trail]).toEqual([200, 'own/m#1=context_too_long; other/m#1=ok'])
  })
})

describe('a prompt that is no conversation', () => {
  const WORDS =
    /^This model's maximum context length is 4000 tokens, however you requested (?<asked>\d+) tokens \((?<input>\d+) in your prompt; (?<output>\d+) for the completion\)\. Please reduce your prompt; or completion length\./
  const SHAPE = { type: 'invalid_request_error', param: null, code: 'context_length_exceeded' }

  test.each([true, false])('is too long in the words of completions; window known before: %s', async (isKnown) => {
    await using world = await open('openai', isKnown)
    for (const fields of [{}, { stream: true }, { n: 2 }, { prompt: ['Hi', prompt(5000)] }]) {
      const response = await world.ask('/v1/completions', { model: 'any', prompt: prompt(5000), ...fields })
      const { error } = (await response.json()) as { error: { message: string } }
      expect([response.status, error]).toMatchObject([400, SHAPE])
      const { asked, input, output } = WORDS.exec(error.message)?.groups ?? {}
      expect([Number(input) >= 5000, output, asked]).toEqual([true, '0', input])
    }
  })

  const embedder = (dialect: 'openai' | 'google') =>
    openGateway(
      {
        providers: {
          small: { dialect, models: { 'text-embedding-3-small': { kind: 'embedding', context_tokens: WINDOW } } },
        },
      },
      { discover: true },
    )
  const embed = (world: GatewayWorld, input: unknown) =>
    world.ask('/v1/embeddings', { model: 'small/text-embedding-3-small', input })

  test.each([
    'openai',
    'google',
  ] as const)('has the window for itself, however many are embedded: %s', async (dialect) => {
    await using world = await embedder(dialect)
    const response = await embed(world, Array(20).fill(prompt(3000)))
    expect([response.status, ((await response.json()) as { data: unknown[] }).data?.length]).toEqual([200, 20])
    const ids = dialect === 'google' ? 'Hi' : Array(3).fill(Array(3000).fill(7))
    expect((await embed(world, ids)).status).toBe(200)
  })

  test('is too long to embed in the same words, by our count and by the service’s', async () => {
    await using world = await embedder('openai')
    const unlisted = { kind: 'embedding', context_tokens: WINDOW, unlisted: true } as const
    await using unknown = await openGateway(
      { providers: { small: { models: { 'text-embedding-3-small': unlisted } } } },
      { reconfigure: (config) => ({ small: { ...config['small'], models: ['text-embedding-3-small'] } }) },
    )
    for (const one of [world, unknown]) {
      const response = await embed(one, ['Hi', prompt(5000), prompt(3000)])
      const { error } = (await response.json()) as { error: { message: string } }
      expect([response.status, error]).toMatchObject([400, SHAPE])
      const { input } = WORDS.exec(error.message)?.groups ?? {}
      expect(Number(input)).toBeLessThan(5100)
    }
    expect([world.fakes.calls.length, unknown.fakes.calls.length]).toEqual([0, 1])
  })
})

/** A chat that ends with an error after its first words. */
const breaking: NonNullable<WorldOptions['instead']> = (_, response) => {
  const message = "This model's maximum context length is 4000 tokens. However, your messages resulted in 4321 tokens."
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const event of [
    { id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content: 'Well, then' } }] },
    { error: { message, type: 'invalid_request_error', code: 'context_length_exceeded' } },
  ])
    response.write(`data: ${JSON.stringify(event)}\n\n`)
  response.end('data: [DONE]\n\n')
  return true
}

/** As the official service says it: the stream has begun, and then it counts. */
const failing: NonNullable<WorldOptions['instead']> = ({ provider }, response) => {
  if (provider !== 'own') return false
  const error = { code: 'context_length_exceeded', message: 'Your input exceeds the context window of this model.' }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const event of [
    { type: 'response.created', response: { id: 'resp_1', status: 'in_progress' } },
    { type: 'response.failed', response: { id: 'resp_1', status: 'failed', error } },
  ])
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  response.end()
  return true
}

describe('the official SDKs', () => {
  test('see the code and the words', async () => {
    await using world = await open('openai', false)
    const openai = new OpenAI({ apiKey: TOKEN, baseURL: `${world.origin}/v1`, maxRetries: 0 })
    const anthropic = new Anthropic({ authToken: TOKEN, apiKey: null, baseURL: world.origin, maxRetries: 0 })
    const content = prompt(5000)
    await expect(
      openai.chat.completions.create({ model: 'any', messages: [{ role: 'user', content }] }),
    ).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
      param: 'messages',
      type: 'invalid_request_error',
    })
    await expect(openai.responses.create({ model: 'any', input: content })).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    })
    const stream = await openai.responses.create({ model: 'any', input: content, stream: true })
    const read = async () => {
      for await (const _ of stream);
    }
    await expect(read()).rejects.toMatchObject({ code: 'context_length_exceeded' })
    await expect(
      anthropic.messages.create({ model: 'any', max_tokens: 100, messages: [{ role: 'user', content }] }),
    ).rejects.toMatchObject({
      status: 400,
      message: expect.stringMatching(/prompt is too long: \d+ tokens > 4000 maximum/),
    })
  })
})
