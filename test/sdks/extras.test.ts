/** What only one kind of client asks for: models lists, token counts, embeddings, usage in streams. */

import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GatewayWorld, openGateway, TOKEN } from '../support/gatewayWorld.ts'
import { listening } from '../support/listening.ts'
import { anthropicClient } from './anthropicDriver.ts'
import { genaiClient } from './genaiDriver.ts'
import { groqClient, openaiClient } from './openaiDrivers.ts'
import { modelOf, REPLY, sdkScenario, UPSTREAMS } from './world.ts'

let world: GatewayWorld
const place = () => ({ origin: world.origin, token: TOKEN })
beforeAll(async () => {
  world = await openGateway(sdkScenario(), {
    discover: true,
    settings: { models: { house: ['openai-talks'], 'claude-*': ['auto'] } },
  })
})
afterAll(() => world.close())

describe('the list of models', () => {
  const expected = ['auto', 'auto:smart', 'house', ...UPSTREAMS.map((upstream) => modelOf(upstream))]

  test('is read by openai and groq-sdk', async () => {
    const ids = (await openaiClient(place()).models.list()).data.map((model) => model.id)
    expect(ids).toEqual(expect.arrayContaining(expected))
    expect(ids).not.toContain('claude-*')
    expect((await groqClient(place()).models.list()).data.map((model) => model.id)).toEqual(ids)
    expect((await openaiClient(place()).models.retrieve('house')).owned_by).toBe('keywise')
  })

  test('is read by @anthropic-ai/sdk', async () => {
    const ids = []
    for await (const model of anthropicClient(place()).models.list()) ids.push(model.id)
    expect(ids).toEqual(expect.arrayContaining(expected))
    expect((await anthropicClient(place()).models.retrieve(modelOf('google'))).display_name).toBe(modelOf('google'))
  })

  test.each([undefined, 'v1beta'])('is read by @google/genai (%s)', async (version) => {
    const names = []
    for await (const model of await genaiClient(place(), version).models.list()) names.push(model.name)
    expect(names).toEqual(expect.arrayContaining(expected.map((id) => `models/${id}`)))
    expect((await genaiClient(place(), version).models.get({ model: 'house' })).name).toBe('models/house')
  })
})

describe('tokens are counted without a call', () => {
  test('for @anthropic-ai/sdk', async () => {
    world.fakes.forget()
    const messages = [{ role: 'user' as const, content: 'a'.repeat(400) }]
    const { input_tokens } = await anthropicClient(place()).messages.countTokens({ model: 'auto', messages })
    expect(input_tokens).toBeGreaterThanOrEqual(100)
    expect(world.fakes.calls).toEqual([])
  })

  test.each([undefined, 'v1beta'])('for @google/genai (%s)', async (version) => {
    const { models } = genaiClient(place(), version)
    const { totalTokens } = await models.countTokens({ model: 'auto', contents: 'a'.repeat(400) })
    expect(totalTokens).toBeGreaterThanOrEqual(100)
  })
})

describe('usage in the streams of openai', () => {
  test.each(UPSTREAMS)('comes when it is asked for, and not when it is not (%s upstream)', async (upstream) => {
    const request = { model: modelOf(upstream), messages: [{ role: 'user' as const, content: 'Hi' }] }
    const client = openaiClient(place())
    let text = ''
    for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
      expect(chunk.choices).toHaveLength(1)
      text += chunk.choices[0]!.delta.content ?? ''
    }
    expect(text).toBe(REPLY)
    const usages = []
    const asked = { ...request, stream: true as const, stream_options: { include_usage: true } }
    for await (const chunk of await client.chat.completions.create(asked)) if (chunk.usage) usages.push(chunk.usage)
    expect(usages).toEqual([expect.objectContaining({ completion_tokens: Math.ceil(REPLY.length / 4) })])
  })
})

describe('embeddings', () => {
  test.each([
    'openai',
    'google',
  ] as const)('are numbers for the openai client, from an upstream that speaks %s', async (upstream) => {
    const model = modelOf(upstream, 'embeds')
    const { data, usage } = await openaiClient(place()).embeddings.create({ model, input: ['one', 'two and three'] })
    expect(data.map((row) => row.index)).toEqual([0, 1])
    for (const { embedding } of data) {
      expect(embedding).toHaveLength(3)
      expect(embedding[0]).toBeCloseTo(0.1)
    }
    expect(usage.total_tokens).toBeGreaterThan(0)
  })

  test.each(['float', 'base64'])('have the encoding that was asked for (%s)', async (encoding_format) => {
    for (const upstream of ['openai', 'google'] as const) {
      const body = { model: modelOf(upstream, 'embeds'), input: 'one', encoding_format }
      const embedding = encoding_format === 'base64' ? expect.any(String) : expect.any(Array)
      expect(await (await world.ask('/v1/embeddings', body)).json()).toMatchObject({ data: [{ embedding }] })
    }
  })

  test('never leave the choice of the model to keywise', async () => {
    for (const model of ['auto', 'auto:cheap', 'claude-anything']) {
      const response = await world.ask('/v1/embeddings', { model, input: 'one' })
      expect([response.status, await response.json()]).toMatchObject([400, { error: { param: 'model' } }])
    }
  })

  test('of tokens instead of text are refused where only text is understood', async () => {
    const body = { input: [[1, 2, 3]], model: modelOf('google', 'embeds') }
    const response = await world.ask('/v1/embeddings', body)
    expect([response.status, await response.json()]).toMatchObject([400, { error: { param: 'input' } }])
    const understood = await world.ask('/v1/embeddings', { ...body, model: modelOf('openai', 'embeds') })
    expect(understood.status).toBe(200)
  })
})

describe('a Responses request that goes on with an answer the server remembers', () => {
  const body = (model: string) => ({ model, input: 'And then?', previous_response_id: 'resp_1' })

  test('reaches an upstream that speaks Responses as it is', async () => {
    world.fakes.forget()
    const answer = await openaiClient(place()).responses.create(body(modelOf('openai-responses')))
    expect(answer.output_text).toBe(REPLY)
    expect(world.fakes.calls.at(-1)?.body).toMatchObject({ previous_response_id: 'resp_1' })
  })

  test.each([
    'openai',
    'anthropic',
    'google',
  ] as const)('is refused for an upstream that speaks %s, with what to do', async (upstream) => {
    world.fakes.forget()
    const response = await world.ask('/v1/responses', body(modelOf(upstream)))
    const error = { param: 'previous_response_id', message: expect.stringContaining('"input"') }
    expect([response.status, await response.json()]).toMatchObject([400, { error }])
    expect(world.fakes.calls).toEqual([])
  })
})

test('a second answer of a remembered conversation is asked of the account that gave the first', async () => {
  const seen: string[] = []
  const server = createServer((request, response) => {
    if (request.method === 'GET') return void response.end('{"data":[]}')
    seen.push(String(request.headers.authorization))
    request.resume()
    request.on('end', () => {
      response.setHeader('content-type', 'application/json')
      const content = [{ type: 'output_text', text: 'ok', annotations: [] }]
      const output = [{ type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content }]
      response.end(
        JSON.stringify({ id: `resp_${seen.length}`, object: 'response', status: 'completed', model: 'm', output }),
      )
    })
  })
  const endpoint = `${await listening(server)}/v1`
  const keys = ['a', 'b', 'c', 'd'].map((letter) => `fake-${letter.repeat(16)}`)
  await using remembering = await openGateway(
    { providers: {} },
    {
      providers: { own: { dialect: 'openai-responses', endpoint, api_keys: keys, models: ['m'] } },
      settings: { routing: { strategy: 'round-robin' } },
    },
  )
  const client = openaiClient({ origin: remembering.origin, token: TOKEN })
  let previous: string | undefined
  for (let turn = 0; turn < 6; turn++) {
    const request = {
      model: 'm',
      input: `turn ${turn}`,
      ...(previous !== undefined && { previous_response_id: previous }),
    }
    previous = (await client.responses.create(request)).id
  }
  expect(new Set(seen).size).toBe(1)
})
