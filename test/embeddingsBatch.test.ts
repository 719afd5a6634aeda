/** Embeddings of more texts than a provider takes at once, in either protocol, and every form of vectors. */

import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import type { FakeScenario } from '../src/lab/fake/scenario.ts'
import { type GatewayWorld, openGateway, TOKEN, type WorldOptions } from './support/gatewayWorld.ts'

type Providers = FakeScenario['providers']

const embedder = { kind: 'embedding' } as const
const vectors = [{ id: 'vectors', abilities: { embeddings: true, chat: false } }]
const google = { own: { dialect: 'google', models: { vectors: embedder } } } as const
const openai = { own: { dialect: 'openai', models: { vectors: embedder } } } as const

/** A gateway over providers whose model `vectors` embeds. */
const open = (providers: Providers, options: WorldOptions = {}) =>
  openGateway(
    { providers },
    {
      ...options,
      reconfigure: (config) =>
        Object.fromEntries(Object.entries(config).map(([id, block]) => [id, { ...block, models: vectors }])),
    },
  )

/** Texts of 1, 2, 3 … characters: the simulated vectors tell their length. */
const texts = (count: number) => Array.from({ length: count }, (_, index) => 'x'.repeat(index + 1))
const lengthIn = (vector: readonly number[]) => Math.round((vector[2] ?? 0) * 1000)
const sizes = (world: GatewayWorld) =>
  world.fakes.calls.map(({ body }) => {
    const { input, requests } = body as { input?: unknown[]; requests?: unknown[] }
    return (input ?? requests)?.length
  })

interface Rows {
  readonly data: readonly { index: number; embedding: number[] }[]
  readonly usage: { prompt_tokens: number; total_tokens: number }
}

describe('more texts than a provider takes at once', () => {
  test('go to Gemini a hundred at a time and come back in order', async () => {
    await using world = await open(google)
    const response = await world.ask('/v1/embeddings', { model: 'vectors', input: texts(250) })
    const { data } = (await response.json()) as Rows
    expect([response.status, sizes(world)]).toEqual([200, [100, 100, 50]])
    expect(data.map(({ index, embedding }) => [index, lengthIn(embedding)])).toEqual(
      texts(250).map((text, index) => [index, text.length]),
    )
    expect([response.headers.get('x-keywise-attempts'), response.headers.get('x-keywise-trail')]).toEqual([
      '1',
      'own/vectors#1=ok',
    ])
  })

  test('go to OpenAI 2,048 at a time, with the usage of all of them', async () => {
    await using world = await open(openai)
    const input = Array.from({ length: 2050 }, () => 'word')
    const response = await world.ask('/v1/embeddings', { model: 'vectors', input })
    const { data, usage } = (await response.json()) as Rows
    expect(sizes(world)).toEqual([2048, 2])
    expect([data.length, usage]).toEqual([2050, { prompt_tokens: 2050, total_tokens: 2050 }])
  })

  test('are cut by their tokens as well, and a list of token ids is one text', async () => {
    await using world = await open(openai)
    const large = Array.from({ length: 5 }, () => 'word '.repeat(80_000))
    expect((await world.ask('/v1/embeddings', { model: 'vectors', input: large })).status).toBe(200)
    expect(sizes(world)).toEqual([3, 2])
    world.fakes.forget()
    const ids = Array.from({ length: 3000 }, (_, id) => id)
    const response = await world.ask('/v1/embeddings', { model: 'vectors', input: ids })
    expect(((await response.json()) as Rows).data).toHaveLength(1)
    world.fakes.forget()
    const lists = await world.ask('/v1/embeddings', { model: 'vectors', input: [ids, [1, 2], [3]] })
    expect(((await lists.json()) as Rows).data).toHaveLength(3)
  })

  test('are one attempt: a failure of any part is the one failure, and another provider does all of it', async () => {
    const fault = { do: 'overloaded', from: 2 } as const
    await using world = await open(
      { own: { ...google.own, faults: [fault] }, other: google.own },
      { settings: { routing: { strategy: 'priority' } } },
    )
    const response = await world.ask('/v1/embeddings', { model: 'vectors', input: texts(150) })
    expect(((await response.json()) as Rows).data.map(({ embedding }) => lengthIn(embedding))).toEqual(
      texts(150).map(({ length }) => length),
    )
    expect(response.headers.get('x-keywise-trail')).toMatch(/^own\/vectors#1=overloaded; .*other\/vectors#1=ok$/)
    const rows = world.gateway.opened.engine.store.attempts({ limit: 10 })
    expect(rows.find(({ number }) => number === 1)).toMatchObject({ ok: false, calls: 2 })
    expect(rows.find(({ ok }) => ok)).toMatchObject({ calls: 2 })
  })

  test('take all they need of a quota, or none of it', async () => {
    const config: WorldOptions = {
      reconfigure: (blocks) => ({ groq: { ...blocks['groq'], models: vectors } }),
      settings: { timeouts: { patience_ms: 0 } },
      // One request of the day is left: https://console.groq.com/docs/rate-limits
      instead: ({ body }, response) => {
        const { input } = body as { input: string[] }
        const data = input.map((_, index) => ({ object: 'embedding', index, embedding: [1] }))
        response.writeHead(200, {
          'content-type': 'application/json',
          'x-ratelimit-limit-requests': '100',
          'x-ratelimit-remaining-requests': '1',
          'x-ratelimit-reset-requests': '2h0m0s',
        })
        response.end(JSON.stringify({ object: 'list', data }))
        asked++
        return true
      },
    }
    let asked = 0
    await using world = await openGateway({ providers: { groq: openai.own } }, config)
    const ask = async (count: number) => {
      const input = Array.from({ length: count }, () => 'word')
      return (await world.ask('/v1/embeddings', { model: 'vectors', input })).status
    }
    expect([await ask(1), asked]).toEqual([200, 1])
    expect([await ask(2049), asked]).toEqual([429, 1])
    expect([await ask(2), asked]).toEqual([200, 2])
  })

  test('never come back as less than all', async () => {
    await using world = await open(
      { ...openai, other: openai.own },
      {
        settings: { routing: { strategy: 'priority' } },
        instead: ({ provider, body }, response) => {
          if (provider !== 'own') return false
          const { input } = body as { input: string[] }
          const data = [{ object: 'embedding', index: 0, embedding: [input.length] }]
          response.setHeader('content-type', 'application/json')
          response.end(JSON.stringify({ object: 'list', data }))
          return true
        },
      },
    )
    const response = await world.ask('/v1/embeddings', { model: 'vectors', input: ['a', 'b'] })
    expect(((await response.json()) as Rows).data).toHaveLength(2)
    expect(response.headers.get('x-keywise-trail')).toMatch(/^own\/vectors#1=server; .*other\/vectors#1=ok$/)
  })
})

describe('vectors', () => {
  const answering = (embedding: unknown): WorldOptions => ({
    instead: (_, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ object: 'list', data: [{ object: 'embedding', index: 0, embedding }] }))
      return true
    },
  })
  const inBase64 = Buffer.from(Float32Array.from([0.5, -2]).buffer).toString('base64')

  test.each([
    ['float', [0.5, -2], [0.5, -2]],
    ['base64', [0.5, -2], inBase64],
    ['base64', inBase64, inBase64],
    ['float', inBase64, [0.5, -2]],
    [undefined, inBase64, [0.5, -2]],
  ])('asked as %s and sent as %j are given as %j', async (encoding_format, sent, given) => {
    await using world = await open(openai, answering(sent))
    const response = await world.ask('/v1/embeddings', { model: 'vectors', input: 'Hi', encoding_format })
    expect(await response.json()).toMatchObject({ data: [{ embedding: given }] })
  })

  test.each([
    ['Gemini', google],
    ['OpenAI', openai],
  ])('reach the official client of OpenAI from %s', async (_, providers) => {
    await using world = await open(providers)
    const client = new OpenAI({ apiKey: TOKEN, baseURL: `${world.origin}/v1`, maxRetries: 0 })
    const { data } = await client.embeddings.create({ model: 'vectors', input: ['a', 'bcd'], dimensions: 3 })
    expect(data.map(({ embedding }) => lengthIn(embedding))).toEqual([1, 3])
  })

  test.each([
    ['a number among texts', ['a', 1]],
    ['a list among texts', ['a', [1]]],
    ['nothing', []],
    ['an object', {}],
  ])('are refused for %s', async (_, input) => {
    await using world = await open(openai)
    const response = await world.ask('/v1/embeddings', { model: 'vectors', input })
    expect([response.status, await response.json()]).toMatchObject([400, { error: { param: 'input' } }])
    expect(world.fakes.calls).toEqual([])
  })

  test('of Gemini are asked for with what it has a word for, and the rest is said', async () => {
    await using world = await open(google)
    const fields = { encoding_format: 'float', user: 'u', task_type: 'RETRIEVAL_QUERY', input_type: 'query' }
    const response = await world.ask('/v1/embeddings', { model: 'vectors', input: 'Hi', dimensions: 3, ...fields })
    expect(response.headers.get('x-keywise-left-out')).toBe('user')
    expect(world.fakes.calls[0]?.body).toMatchObject({
      requests: [{ outputDimensionality: 3, taskType: 'RETRIEVAL_QUERY' }],
    })
  })

  test('of token ids are never asked of an upstream that knows only texts', async () => {
    await using world = await open(
      { ...openai, other: google.own },
      { settings: { routing: { strategy: 'priority' } } },
    )
    for (let time = 0; time < 3; time++) {
      const response = await world.ask('/v1/embeddings', { model: 'vectors', input: [1, 2, 3] })
      expect(response.headers.get('x-keywise-target')).toBe('own/vectors#1')
    }
    await using only = await open(google)
    expect((await only.ask('/v1/embeddings', { model: 'vectors', input: [1, 2, 3] })).status).toBe(400)
  })
})

describe("clients of Gemini's protocol", () => {
  const content = (text: string) => ({ parts: [{ text }] })

  test.each([
    ['Gemini', google],
    ['OpenAI', openai],
  ])('get embeddings from %s, one and many', async (_, providers) => {
    await using world = await open(providers)
    const one = await world.ask('/v1beta/models/vectors:embedContent', { content: content('abc') })
    expect(await one.json()).toMatchObject({ embedding: { values: [0.1, 0.2, 0.003] } })
    const requests = ['a', 'bc'].map((text) => ({ model: 'models/vectors', content: content(text) }))
    const many = await world.ask('/v1/models/vectors:batchEmbedContents', { requests })
    expect(await many.json()).toMatchObject({
      embeddings: [{ values: [0.1, 0.2, 0.001] }, { values: [0.1, 0.2, 0.002] }],
    })
  })

  test.each([
    ['Gemini', google, [100, 20]],
    ['OpenAI', openai, [120]],
  ])('reach %s by the official client, in batches', async (_, providers, calls) => {
    await using world = await open(providers)
    const client = new GoogleGenAI({ apiKey: TOKEN, httpOptions: { baseUrl: world.origin } })
    const { embeddings } = await client.models.embedContent({ model: 'vectors', contents: texts(120) })
    expect(embeddings?.map(({ values }) => lengthIn(values ?? []))).toEqual(texts(120).map(({ length }) => length))
    expect(sizes(world)).toEqual(calls)
  })

  const asked = { content: content('abc'), taskType: 'RETRIEVAL_DOCUMENT', title: 'A', outputDimensionality: 3 }

  test('have the task and the title passed on to Gemini', async () => {
    await using world = await open(google)
    const response = await world.ask('/v1beta/models/vectors:embedContent', asked)
    expect(response.headers.get('x-keywise-left-out')).toBeNull()
    expect(world.fakes.calls[0]?.body).toEqual({ requests: [{ ...asked, model: 'models/vectors' }] })
  })

  test('are told what means nothing to another upstream', async () => {
    await using world = await open(openai)
    const response = await world.ask('/v1beta/models/vectors:embedContent', asked)
    expect([response.status, response.headers.get('x-keywise-left-out')]).toEqual([200, 'taskType, title'])
    expect(world.fakes.calls[0]?.body).toEqual({ model: 'vectors', input: ['abc'], dimensions: 3 })
  })

  test('are refused in their own words', async () => {
    await using world = await open(openai)
    const picture = { content: { parts: [{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }] } }
    for (const [path, body, status] of [
      ['vectors:embedContent', {}, 400],
      ['vectors:batchEmbedContents', { requests: [] }, 400],
      ['vectors:embedContent', picture, 400],
      ['auto:embedContent', { content: content('a') }, 400],
      ['nobody:embedContent', { content: content('a') }, 404],
    ] as const) {
      const response = await world.ask(`/v1beta/models/${path}`, body)
      expect([path, response.status, await response.json()]).toMatchObject([path, status, { error: { code: status } }])
    }
  })
})
