/** Embeddings through the gateway: a model that the user names is asked, whatever its provider's list says of it. */

import { createServer } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { FakeScenario } from '../src/lab/fake/scenario.ts'
import { openGateway, type WorldOptions } from './support/gatewayWorld.ts'
import { fakeKey } from './support/labCall.ts'
import { listening } from './support/listening.ts'

const CHAT = { model: 'own/talker', messages: [{ role: 'user', content: 'Hi' }] }

const embedder = { kind: 'embedding' } as const

interface Answer {
  readonly status: number
  readonly message: string
  readonly target: string | null
  /** `own/nomic-text`, every call of an upstream. */
  readonly asked: readonly string[]
}

interface Scene extends WorldOptions {
  readonly models: FakeScenario['providers'][string]['models']
  readonly named: unknown
  readonly dialect?: 'openai' | 'anthropic'
}

/** Asks once for embeddings, of a provider `own` with these models and this entry in `models`. */
async function embed(model: string, { models, named, dialect = 'openai', ...options }: Scene): Promise<Answer> {
  const reconfigure: WorldOptions['reconfigure'] = (config) => ({
    ...config,
    own: { ...config['own'], models: named },
  })
  await using world = await openGateway({ providers: { own: { dialect, models } } }, { ...options, reconfigure })
  const response = await world.ask('/v1/embeddings', { model, input: 'Hi' })
  const body = (await response.json()) as { error?: { message: string } }
  return {
    status: response.status,
    message: body.error?.message ?? '',
    target: response.headers.get('x-keywise-target'),
    asked: world.fakes.calls.map((call) => `${call.provider}/${call.model}`),
  }
}

const served = { status: 200, target: 'own/nomic-text#1' }

test('a model named in the configuration is asked, with a name that says nothing, and in no list', async () => {
  expect(await embed('nomic-text', { models: { 'nomic-text': embedder }, named: ['nomic-text'] })).toMatchObject(served)
  const unlisted = { ...embedder, unlisted: true }
  expect(
    await embed('nomic-text', { models: { 'nomic-text': unlisted, other: {} }, named: ['nomic-text'] }),
  ).toMatchObject(served)
})

test('a model that only the request names is asked, though its list seems to say that it chats', async () => {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    const rows = request.method === 'GET' ? [{ id: 'nomic-text' }] : [{ index: 0, embedding: [0.1] }]
    request.resume().on('end', () => response.end(JSON.stringify({ object: 'list', data: rows })))
  })
  const endpoint = `${await listening(server)}/v1`
  const block = { dialect: 'openai', endpoint, api_key: 'none', models: 'discover' }
  await using world = await openGateway({ providers: {} }, { providers: { listed: block } })
  for (const model of ['nomic-text', 'listed/nomic-text', 'listed/nomic-text#1']) {
    const response = await world.ask('/v1/embeddings', { model, input: 'Hi' })
    expect({ model, status: response.status, body: await response.json() }).toMatchObject({
      model,
      status: 200,
      body: { data: [{ embedding: [0.1] }] },
    })
  }
})

test('a model that cannot embed says so itself', async () => {
  const { status, asked, message } = await embed('talker', { models: { talker: {} }, named: ['talker'] })
  expect({ status, asked }).toEqual({ status: 400, asked: ['own/talker'] })
  expect(message).not.toContain('cannot do embeddings')
})

test('abilities of the configuration are obeyed, both ways', async () => {
  const models = { 'nomic-text': embedder, 'text-embedding-3': embedder }
  const entry = (id: string, embeddings: boolean) => [{ id, abilities: { embeddings } }]
  expect(await embed('nomic-text', { models, named: entry('nomic-text', true) })).toMatchObject(served)
  const refused = await embed('text-embedding-3', { models, named: entry('text-embedding-3', false) })
  expect(refused).toMatchObject({ status: 400, asked: [], message: expect.stringContaining('cannot do embeddings') })
})

test('an alias that covers chat models as well asks only what is known to embed, or was named', async () => {
  const models = { 'text-embedding-3': embedder, 'nomic-text': embedder, talker: {} }
  const settings = { models: { vectors: ['own/*'] }, routing: { strategy: 'priority' } }
  for (let time = 0; time < 3; time++)
    expect(await embed('vectors', { models, named: 'discover', settings })).toMatchObject({
      status: 200,
      asked: ['own/text-embedding-3'],
    })
  const named = { models: { vectors: ['nomic-text'] } }
  expect(await embed('vectors', { models, named: 'discover', settings: named })).toMatchObject(served)
})

test('a protocol without embeddings is never asked for any', async () => {
  const named = [{ id: 'nomic-text', abilities: { embeddings: true } }]
  const refused = await embed('nomic-text', { models: { 'nomic-text': {} }, named, dialect: 'anthropic' })
  expect(refused).toMatchObject({ status: 400, asked: [], message: expect.stringContaining('cannot do embeddings') })
})

test('the choice is never left to keywise', async () => {
  for (const model of ['auto', 'auto:smart'])
    expect(await embed(model, { models: { 'nomic-text': embedder }, named: ['nomic-text'] })).toMatchObject({
      status: 400,
      asked: [],
    })
})

test('abilities of the configuration are obeyed for chat as well, both ways', async () => {
  const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }]
  const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], tools }
  const models = { m: { lacks: ['tools' as const] } }
  const statusWith = async (abilities: object) => {
    const reconfigure: WorldOptions['reconfigure'] = (config) => ({
      own: { ...config['own'], models: [{ id: 'm', abilities }] },
    })
    await using world = await openGateway({ providers: { own: { models } } }, { reconfigure })
    const response = await world.ask('/v1/chat/completions', body)
    return { status: response.status, text: await response.text(), calls: world.fakes.calls.length }
  }
  expect(await statusWith({ tools: false })).toMatchObject({
    calls: 0,
    text: expect.stringContaining('cannot do tools'),
  })
  expect((await statusWith({ tools: true })).calls).toBeGreaterThan(0)
})

test('what a service refused and was not told again is named, and known for that kind of client alone', async () => {
  const models = { 'text-embedding-3-small': embedder }
  await using world = await openGateway({ providers: { own: { dialect: 'openai', strict: 'openai', models } } })
  const ask = async (agent: string) => {
    const body = { model: 'own/text-embedding-3-small', input: 'Hi', input_type: 'query' }
    const response = await world.ask('/v1/embeddings', body, { 'user-agent': agent })
    return [response.status, response.headers.get('x-keywise-left-out'), response.headers.get('x-keywise-attempts')]
  }
  expect(await ask('teller/1')).toEqual([200, 'input_type', '2'])
  expect(await ask('teller/2')).toEqual([200, 'input_type', '1'])
  expect(await ask('other/1')).toEqual([200, 'input_type', '2'])
})

describe('a model that chats and is asked for something else', () => {
  test.each([
    ['openai', 400, 'unsupported'],
    ['google', 404, 'model_not_found'],
  ] as const)('chats on, with every key: %s', async (dialect, status, code) => {
    const keys = { [fakeKey('own', 1)]: {}, [fakeKey('own', 2)]: {} }
    await using world = await openGateway({ providers: { own: { dialect, keys, models: { talker: {} } } } })
    for (const input of ['One', 'Two', 'Three']) {
      const response = await world.ask('/v1/embeddings', { model: 'own/talker', input })
      expect([response.status, response.headers.get('x-keywise-error')]).toEqual([status, code])
      expect(await response.text()).toMatch(/not allowed to generate embeddings|not supported for embedContent/)
    }
    expect((await world.ask('/v1/chat/completions', CHAT)).status).toBe(200)
  })

  test.each([
    [404, '404 page not found'],
    [405, { detail: 'Method Not Allowed' }],
    [501, { error: 'This server does not rerank' }],
    [404, { error: { message: 'The model `talker` does not exist', code: 'model_not_found' } }],
    [403, { error: { message: 'You may not rerank with this model' } }],
  ])('chats on at a server that answers %i %j', async (status, body) => {
    await using fakes = await openGateway(
      { providers: { own: { models: { talker: {} } } } },
      {
        instead: ({ body: asked }, response) => {
          if (!Object.hasOwn(asked as object, 'documents')) return false
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
          return true
        },
      },
    )
    for (const query of ['One', 'Two', 'Three']) {
      const response = await fakes.ask('/v1/rerank', { model: 'own/talker', query, documents: ['a'] })
      expect([400, 404]).toContain(response.status)
    }
    expect((await fakes.ask('/v1/chat/completions', CHAT)).status).toBe(200)
  })
})

test('a number of dimensions that is none is refused, and a format that an upstream does not write is named', async () => {
  const block = { dialect: 'google', models: { 'gemini-embedding-001': embedder } } as const
  await using world = await openGateway({ providers: { gem: block } }, { discover: true })
  const ask = (fields: object) =>
    world.ask('/v1/embeddings', { model: 'gem/gemini-embedding-001', input: 'Hi', ...fields })
  for (const dimensions of [0, -1, 1.5, '256']) {
    const response = await ask({ dimensions })
    expect([response.status, await response.json()]).toMatchObject([400, { error: { param: 'dimensions' } }])
  }
  const spelt = '{"model":"gem/gemini-embedding-001","input":"Hi","dimensions":256.0}'
  expect((await world.ask('/v1/embeddings', spelt)).status).toBe(200)
  for (const [encoding_format, leftOut] of [
    ['int8', 'encoding_format'],
    ['base64', null],
    ['float', null],
  ] as const) {
    const { status, headers } = await ask({ encoding_format, dimensions: 256 })
    expect([encoding_format, status, headers.get('x-keywise-left-out')]).toEqual([encoding_format, 200, leftOut])
  }
})
