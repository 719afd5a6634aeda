/** `POST /v1/completions`, the predecessor of chat, over upstreams that only chat. */

import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type GatewayWorld, openGateway, TOKEN } from './support/gatewayWorld.ts'

let world: GatewayWorld
let client: OpenAI
beforeAll(async () => {
  const models = { echoer: { reply: 'You said {prompt}' } }
  world = await openGateway(
    {
      providers: {
        openai1: { dialect: 'openai', models },
        claude1: { dialect: 'anthropic', models },
        gemini1: { dialect: 'google', models },
        responses1: { dialect: 'openai-responses', models },
        strict1: {
          dialect: 'openai',
          strict: 'openai',
          models: { echoer: { ...models.echoer, context_tokens: 8000 } },
        },
      },
    },
    { settings: { timeouts: { patience_ms: 0 } } },
  )
  client = new OpenAI({ apiKey: TOKEN, baseURL: `${world.origin}/v1`, maxRetries: 0 })
})
afterAll(() => world.close())
beforeEach(() => {
  world.fakes.forget()
  world.fakes.clearFaults()
})

const PROVIDERS = ['openai1', 'claude1', 'gemini1', 'responses1']
const model = 'openai1/echoer'

async function collect<T>(stream: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const one of stream) all.push(one)
  return all
}

/** The data of every event. */
const eventsOf = (text: string) =>
  text
    .split('\n\n')
    .filter((event) => event.startsWith('data: '))
    .map((event) => event.slice('data: '.length))

describe.each(PROVIDERS)('over %s', (provider) => {
  const asked = { model: `${provider}/echoer`, prompt: 'Once upon' }

  test('a prompt is one user message, and its answer a completion', async () => {
    const completion = await client.completions.create({ ...asked, max_tokens: 50, temperature: 0.5, stop: ['END'] })
    expect(completion).toMatchObject({
      object: 'text_completion',
      choices: [{ text: 'You said Once upon', index: 0, logprobs: null, finish_reason: 'stop' }],
      usage: { prompt_tokens: expect.any(Number), completion_tokens: expect.any(Number) },
    })
  })

  test('a stream of it ends with its reason, its usage and [DONE]', async () => {
    const stream = await client.completions.create({ ...asked, stream: true, stream_options: { include_usage: true } })
    const chunks = await collect(stream)
    expect(chunks.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe('You said Once upon')
    expect(chunks.every(({ object }) => object === 'text_completion')).toBe(true)
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop')
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } })
    const plain = await (await world.ask('/v1/completions', { ...asked, stream: true })).text()
    expect(eventsOf(plain).at(-1)).toBe('[DONE]')
    expect(plain).not.toContain('usage')
  })

  test('an answer that was cut says so, and a stream that broke off ends with an error', async () => {
    const long = { ...asked, prompt: 'word '.repeat(50), max_tokens: 16 }
    expect((await client.completions.create(long)).choices[0]?.finish_reason).toBe('length')
    world.fakes.fault(provider, { do: 'cut_clean', chunks: 1 })
    const broken = eventsOf(await (await world.ask('/v1/completions', { ...asked, stream: true })).text())
    expect(JSON.parse(broken.at(-1) ?? '')).toMatchObject({
      error: { message: expect.stringContaining('broke off'), code: expect.stringMatching(/^5\d\d$/) },
    })
  })
})

describe('a choice', () => {
  test('comes for each prompt, in order, with the usage of all', async () => {
    const prompt = ['one', 'two', 'three', 'four', 'five', 'six']
    const { choices, usage } = await client.completions.create({ model, prompt })
    expect(choices.map(({ index, text }) => [index, text])).toEqual(
      prompt.map((text, index) => [index, `You said ${text}`]),
    )
    const single = await client.completions.create({ model, prompt: 'one' })
    expect(usage?.completion_tokens).toBeGreaterThan((single.usage?.completion_tokens ?? 0) * 5)
  })

  test('comes n times, and after its prompt where that is to be repeated', async () => {
    const { choices } = await client.completions.create({ model, prompt: ['a', 'b'], n: 2, echo: true, best_of: 2 })
    expect(choices.map(({ text }) => text)).toEqual(['aYou said a', 'aYou said a', 'bYou said b', 'bYou said b'])
    const stream = await client.completions.create({ model, prompt: 'a', echo: true, stream: true })
    const chunks = await collect(stream)
    expect(chunks.map(({ choices }) => choices[0]?.text).join('')).toBe('aYou said a')
  })

  test('of several streams under its index', async () => {
    const stream = await client.completions.create({
      model,
      prompt: ['one', 'two', 'three'],
      stream: true,
      stream_options: { include_usage: true },
    })
    const texts = ['', '', '']
    const ids = new Set<string>()
    for await (const { id, choices } of stream) {
      ids.add(id)
      for (const { index, text } of choices) texts[index] += text
    }
    expect([texts, ids.size]).toEqual([['You said one', 'You said two', 'You said three'], 1])
  })
})

describe('what no chat can do', () => {
  test.each([
    ['suffix', { suffix: 'the end' }],
    ['logprobs', { logprobs: 3 }],
    ['logprobs', { logprobs: 0 }],
    ['best_of', { best_of: 4 }],
    ['prompt', { prompt: [1, 2, 3] }],
    ['prompt', { prompt: [[1], [2]] }],
    ['prompt', { prompt: ['a', 1] }],
    ['prompt', { prompt: [] }],
    ['prompt', { prompt: null }],
    ['prompt', { prompt: ['a', 'b'], n: 100 }],
    ['n', { n: 0 }],
    ['max_tokens', { max_tokens: 0 }],
    ['model', { model: undefined }],
    ['tools', { tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }] }],
    ['functions', { functions: [{ name: 'f', parameters: { type: 'object' } }] }],
    ['messages', { messages: [{ role: 'user', content: 'Hello' }] }],
    ['modalities', { modalities: ['text', 'audio'] }],
    ['top_logprobs', { top_logprobs: 2 }],
  ])('is refused by its name: %s %j', async (parameter, fields) => {
    const response = await world.ask('/v1/completions', { model, prompt: 'Hi', ...fields })
    expect([response.status, await response.json()]).toMatchObject([400, { error: { param: parameter } }])
    expect(world.fakes.calls).toEqual([])
  })

  test('counts as absent where it asks for nothing', async () => {
    const nothing = { suffix: '', logprobs: null, best_of: 1, n: 1, echo: false, user: null }
    expect((await world.ask('/v1/completions', { model, prompt: ['Hi'], ...nothing })).status).toBe(200)
    expect(world.fakes.calls[0]?.body).toEqual({
      model: 'echoer',
      messages: [{ role: 'user', content: 'Hi' }],
      stream: false,
    })
  })
})

test('fields that are the same for chats reach the upstream', async () => {
  const fields = {
    max_tokens: 7,
    top_p: 0.5,
    seed: 3,
    frequency_penalty: 0.1,
    logit_bias: { '50256': -100 },
    user: 'u',
  }
  await world.ask('/v1/completions', { model, prompt: 'Hi', ...fields })
  expect(world.fakes.calls[0]?.body).toMatchObject(fields)
})

test('a long prompt, another spelling of the path, an unknown model', async () => {
  const prompt = 'word '.repeat(20_000)
  const long = await client.completions.create({ model, prompt })
  expect(long.choices[0]?.text).toBe(`You said ${prompt}`)
  const azure = await world.ask('/openai/deployments/echoer/completions?api-version=1', { prompt: 'Hi' })
  expect(azure.status).toBe(200)
  const unknown = await world.ask('/completions', { model: 'nobody', prompt: 'Hi' })
  expect([unknown.status, await unknown.json()]).toMatchObject([404, { error: { code: 'model_not_found' } }])
})

describe('several choices', () => {
  const leftOut = (response: Response) => response.headers.get('x-keywise-left-out')

  test.each([false, true])('name what no target could be told, streamed: %s', async (stream) => {
    const many = { prompt: 'Hi', n: 3, seed: 1, frequency_penalty: 0.5, stream }
    const response = await world.ask('/v1/completions', { model: 'claude1/echoer', ...many })
    expect(leftOut(response)).toBe('seed, frequency_penalty')
    await response.text()
    const long = { model: 'strict1/echoer', prompt: ['word '.repeat(2000), 'word '.repeat(2000)], max_tokens: 100_000 }
    const cut = await world.ask('/v1/completions', { ...long, stream })
    expect([cut.status, leftOut(cut)]).toEqual([200, 'max_tokens'])
    await cut.text()
  })

  test('are asked for as refusals of the same kind of client have taught', async () => {
    const asked = { model: 'strict1/echoer', prompt: 'Hi', top_k: 3 }
    await (await world.ask('/v1/completions', asked, { 'user-agent': 'teller/1.0' })).text()
    world.fakes.forget()
    const response = await world.ask('/v1/completions', { ...asked, n: 2 }, { 'user-agent': 'teller/2.0' })
    expect([response.status, leftOut(response), response.headers.get('x-keywise-attempts')]).toEqual([
      200,
      'top_k',
      '2',
    ])
    expect(world.fakes.calls.map(({ body }) => body)).toEqual(Array(2).fill(expect.not.objectContaining({ top_k: 3 })))
  })

  test('state what they cost together, where the price is known', async () => {
    const price = { input: 1000, output: 1000 }
    await using priced = await openGateway(
      { providers: { own: { models: { echoer: { reply: 'Well' } } } } },
      { reconfigure: (config) => ({ own: { ...config['own'], models: [{ id: 'echoer', price }] } }) },
    )
    const costOf = async (fields: object) => {
      const response = await priced.ask('/v1/completions', { model: 'own/echoer', prompt: 'Hi', ...fields })
      await response.text()
      return response.headers.get('x-keywise-cost-usd')
    }
    const one = Number(await costOf({}))
    expect(one).toBeGreaterThan(0)
    expect(Number(await costOf({ n: 3 }))).toBeCloseTo(3 * one)
    expect(await costOf({ n: 3, stream: true })).toBeNull()
  })

  test('say of their tokens what each of them says, and nothing more', async () => {
    const usageOf = async (n: number, provider: string) => {
      const response = await world.ask('/v1/completions', { model: `${provider}/echoer`, prompt: 'Hi', n })
      return ((await response.json()) as { usage: Record<string, unknown> }).usage
    }
    expect(Object.keys(await usageOf(2, 'openai1'))).toEqual(Object.keys(await usageOf(1, 'openai1')))
    const details = { cached_tokens: 0, cache_write_tokens: 0 }
    expect(await usageOf(1, 'claude1')).toMatchObject({ prompt_tokens_details: details })
    expect(await usageOf(2, 'claude1')).toMatchObject({ prompt_tokens_details: details })
  })
})

test('what is refused has the id of its request', async () => {
  for (const fields of [{ prompt: 1 }, { prompt: ['a', 'b'], n: 0 }]) {
    const response = await world.ask('/v1/completions', { model, ...fields })
    const { error } = (await response.json()) as { error: { request_id: string } }
    expect(error.request_id).toMatch(/^kw_/)
    expect(response.headers.get('x-keywise-request-id')).toBe(error.request_id)
  }
})

// Last, because the calls beside the failed one may still be on their way when it ends.
test('a choice that fails fails the answer, once, and a begun stream ends with an error', async () => {
  world.fakes.fault('openai1', { do: 'bad_request', from: 3 })
  const prompt = ['1', '2', '3', '4', '5', '6', '7', '8']
  const plain = await world.ask('/v1/completions', { model, prompt })
  expect([plain.status, await plain.json()]).toMatchObject([400, { error: { code: 'bad_request' } }])
  world.fakes.clearFaults()
  world.fakes.fault('openai1', { do: 'bad_request', from: 5 })
  const text = await (await world.ask('/v1/completions', { model, prompt, stream: true })).text()
  expect(text).not.toContain('[DONE]')
  expect(text).toContain('"error"')
})
