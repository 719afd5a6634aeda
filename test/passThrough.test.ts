/** Moderations, rerank, images and audio, passed through to keys that serve them, by the official client and raw. */

import Groq from 'groq-sdk'
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { FakeScenario } from '../src/lab/fake/scenario.ts'
import { type GatewayWorld, openGateway, TOKEN, type WorldOptions } from './support/gatewayWorld.ts'

const UNITS: Readonly<Record<string, { kind: 'speech' | 'moderation' | 'rerank' | 'image'; ability: string }>> = {
  judge: { kind: 'moderation', ability: 'moderation' },
  ranker: { kind: 'rerank', ability: 'rerank' },
  painter: { kind: 'image', ability: 'image_generation' },
  voice: { kind: 'speech', ability: 'speech' },
  ear: { kind: 'speech', ability: 'transcription' },
  interpreter: { kind: 'speech', ability: 'translation' },
  retoucher: { kind: 'image', ability: 'image_edit' },
  copyist: { kind: 'image', ability: 'image_variation' },
}
const models = Object.fromEntries(Object.entries(UNITS).map(([id, { kind }]) => [id, { kind }]))
const named = Object.entries(UNITS).map(([id, { ability }]) => ({ id, abilities: { [ability]: true } }))

const open = (providers: FakeScenario['providers'], options: WorldOptions = {}) =>
  openGateway(
    { providers },
    {
      reconfigure: (config) =>
        Object.fromEntries(
          Object.entries(config).map(([id, block]) => [id, { ...block, models: [...named, 'talker'] }]),
        ),
      ...options,
    },
  )

let world: GatewayWorld
let client: OpenAI
beforeAll(async () => {
  world = await open(
    { own: { models: { ...models, talker: {} } }, other: { models: { ...models, talker: {} } } },
    { settings: { routing: { strategy: 'priority', exploration: { rate: 0 } }, timeouts: { patience_ms: 0 } } },
  )
  client = new OpenAI({ apiKey: TOKEN, baseURL: `${world.origin}/v1`, maxRetries: 0 })
})
afterAll(() => world.close())
beforeEach(() => {
  world.fakes.forget()
  world.fakes.clearFaults()
})

const audio = () => toFile(Buffer.from([1, 2, 3, 0, 255, 13, 10, 45, 45]), 'a.mp3', { type: 'audio/mpeg' })

const picture = () => toFile(Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), 'a.png', { type: 'image/png' })

/** The simulated voice: 3,000 bytes that are no text. */
const isVoice = (bytes: Buffer) => bytes.length === 3000 && bytes.every((byte, index) => byte === (index * 7) % 256)

describe('the official client', () => {
  test('has a text judged, with a model or without', async () => {
    for (const model of ['judge', undefined, 'auto']) {
      const { results } = await client.moderations.create({ input: ['good', 'bad'], ...(model && { model }) })
      expect(results.map(({ flagged }) => flagged)).toEqual([false, true])
    }
    expect(world.fakes.calls.map(({ model }) => model)).toEqual(['judge', 'judge', 'judge'])
  })

  test('gets an image, and what the service counts', async () => {
    const { data, usage } = await client.images.generate({ model: 'painter', prompt: 'A box', size: '1024x1024' })
    expect([data?.[0]?.b64_json, usage?.total_tokens]).toEqual(['aW1hZ2U=', 43])
    expect(world.fakes.calls[0]?.body).toEqual({ model: 'painter', prompt: 'A box', size: '1024x1024' })
  })

  test('gets speech byte for byte, and as events', async () => {
    const speech = { model: 'own/voice', input: 'Hi', voice: 'alloy' }
    const { data: response } = { data: await client.audio.speech.create(speech) }
    expect(response.headers.get('content-type')).toBe('audio/mpeg')
    expect(isVoice(Buffer.from(await response.arrayBuffer()))).toBe(true)
    const events = await (await client.audio.speech.create({ ...speech, stream_format: 'sse' })).text()
    expect(events.match(/^data: /gm)).toHaveLength(4)
    expect(events).toContain('speech.audio.done')
  })

  test('has speech written down, in every form', async () => {
    const asked = { model: 'own/ear', language: 'de' } as const
    expect((await client.audio.transcriptions.create({ ...asked, file: await audio() })).text).toBe('9 bytes in de')
    const text = await client.audio.transcriptions.create({ ...asked, file: await audio(), response_format: 'text' })
    expect(text).toBe('9 bytes in de\n')
    const stream = await client.audio.transcriptions.create({ ...asked, file: await audio(), stream: true })
    const types: string[] = []
    for await (const { type } of stream) types.push(type)
    expect(types.at(-1)).toBe('transcript.text.done')
    expect(world.fakes.calls.map(({ model }) => model)).toEqual(['ear', 'ear', 'ear'])
  })

  test('has speech translated', async () => {
    const asked = { model: 'own/interpreter', file: await audio() }
    expect((await client.audio.translations.create(asked)).text).toBe('9 bytes in English')
    const text = await client.audio.translations.create({ ...asked, response_format: 'text' })
    expect(text).toBe('9 bytes in English\n')
    expect(world.fakes.calls.map(({ path }) => path)).toEqual(Array(2).fill('/own/v1/audio/translations'))
  })

  test('has pictures changed: one or several, with a mask, and as events', async () => {
    const asked = { model: 'own/retoucher', prompt: 'Blue' }
    const one = await client.images.edit({ ...asked, image: await picture(), mask: await picture() })
    expect(one.data?.[0]?.b64_json).toBe('aW1hZ2U=')
    expect(Object.keys(world.fakes.calls[0]?.body ?? {}).sort()).toEqual(['image', 'mask', 'model', 'prompt'])
    await client.images.edit({ ...asked, image: [await picture(), await picture()] })
    expect(Object.keys(world.fakes.calls[1]?.body ?? {}).sort()).toEqual(['image[]', 'model', 'prompt'])
    const types: string[] = []
    const stream = await client.images.edit({ ...asked, image: await picture(), stream: true })
    for await (const { type } of stream) types.push(type)
    expect(types).toEqual(['image_edit.partial_image', 'image_edit.completed'])
    expect(world.fakes.calls.map(({ model }) => model)).toEqual(Array(3).fill('retoucher'))
  })

  test('has a picture varied', async () => {
    const { data } = await client.images.createVariation({ model: 'auto', image: await picture() })
    expect([data?.[0]?.b64_json, world.fakes.calls[0]?.model]).toEqual(['aW1hZ2U=', 'copyist'])
  })

  test('of Groq does, too', async () => {
    const groq = new Groq({ apiKey: TOKEN, baseURL: world.origin, maxRetries: 0 })
    const { text } = await groq.audio.transcriptions.create({ model: 'ear', file: await audio() })
    expect(text).toBe('9 bytes in unknown')
    const speech = await groq.audio.speech.create({ model: 'voice', input: 'Hi', voice: 'a', response_format: 'wav' })
    expect(isVoice(Buffer.from(await speech.arrayBuffer()))).toBe(true)
  })
})

test('documents are ranked, in both versions of the path', async () => {
  const body = { model: 'own/ranker', query: 'What?', documents: ['a', 'b'], top_n: 2 }
  for (const path of ['/v1/rerank', '/v2/rerank', '/v2/rerank/', '/rerank']) {
    const response = await world.ask(path, body)
    expect(await response.json()).toMatchObject({ results: [{ index: 1, relevance_score: 1 }, { index: 0 }] })
    expect(response.headers.get('x-keywise-target')).toBe('own/ranker#1')
  }
  expect(world.fakes.calls[0]?.body).toEqual({ ...body, model: 'ranker' })
})

describe('the cascade', () => {
  test('goes on to another key of the same model, with the same form', async () => {
    world.fakes.fault('own', { do: 'overloaded' })
    const form = { model: 'ear', file: await audio() }
    const { data, response } = await client.audio.transcriptions.create(form).withResponse()
    expect(data.text).toBe('9 bytes in unknown')
    expect(response.headers.get('x-keywise-trail')).toMatch(/^own\/ear#1=overloaded; .*other\/ear#1=ok$/)
  })

  test('ends with the refusal of a bad request', async () => {
    const response = await world.ask('/v1/images/generations', { model: 'own/painter' })
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { message: expect.stringContaining("'prompt'") } },
    ])
  })

  test.each([
    ['/v1/moderations', { model: 'nobody', input: 'Hi' }, 404],
    ['/v1/rerank', { model: 'judge', query: 'a', documents: ['b'] }, 400],
    ['/v1/rerank', [], 400],
    ['/v1/rerank', '{', 400],
  ])('%s with %j is an error in OpenAI’s words: %i', async (path, body, status) => {
    const response = await world.ask(path, body)
    expect([response.status, await response.json()]).toMatchObject([status, { error: { message: expect.any(String) } }])
  })

  test('never takes a model of units for a chat', async () => {
    const response = await world.ask('/v1/chat/completions', {
      model: 'own/voice',
      messages: [{ role: 'user', content: 'Hi' }],
    })
    expect(response.status).toBe(400)
    expect(world.fakes.calls).toEqual([])
  })
})

describe('a stream that breaks off', () => {
  test('ends with an error event where it is of events, and with a broken connection where it is not', async () => {
    world.fakes.fault('own', { do: 'cut_reset' })
    const speech = { model: 'own/voice', input: 'Hi', voice: 'alloy' }
    const events = await (await world.ask('/v1/audio/speech', { ...speech, stream_format: 'sse' })).text()
    expect(events.trimEnd().split('\n\n').at(-1)).toMatch(/^data: \{"error":.*broke off/)
    const response = await world.ask('/v1/audio/speech', speech)
    await expect(response.arrayBuffer()).rejects.toThrow()
  })
})

describe('a form', () => {
  const boundary = 'xxBOUNDARYxx'
  const part = (head: string, value: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${value}\r\n`
  const file = part('name="file"; filename="a.mp3"\r\nContent-Type: audio/mpeg', `x\r\n--${boundary.slice(0, 4)} y`)
  const ask = (body: string, type = `multipart/form-data; boundary=${boundary}`, path = '/v1/audio/transcriptions') =>
    world.ask(path, body, { 'content-type': type })

  test.each([
    ['before the file', part('name="model"', 'own/ear') + file],
    ['behind the file', file + part('name="model"', 'own/ear')],
    ['without quotes', part('name=model', 'own/ear') + file],
    ['twice, the last one counts', part('name="model"', 'nobody') + file + part('name="model"', 'own/ear')],
  ])('has its model replaced %s, and nothing else', async (_, parts) => {
    const response = await ask(`${parts}--${boundary}--\r\n`)
    expect(await response.json()).toMatchObject({ text: '11 bytes in unknown' })
    expect(world.fakes.calls[0]).toMatchObject({ model: 'ear' })
  })

  test('takes the model of an Azure path', async () => {
    const path = '/openai/deployments/ear/audio/transcriptions?api-version=2024-10-21'
    expect((await ask(`${file}--${boundary}--\r\n`, undefined, path)).status).toBe(200)
    expect(world.fakes.calls[0]).toMatchObject({ model: 'ear' })
  })

  test.each([
    ['no boundary', file, 'multipart/form-data', 400],
    ['JSON', '{"model":"ear"}', 'application/json', 415],
    ['no end', part('name="model"', 'ear') + file.slice(0, -4), undefined, 400],
    ['another boundary', `${file}--${boundary}--`, 'multipart/form-data; boundary=other', 400],
    ['no file', `${part('name="model"', 'ear')}--${boundary}--\r\n`, undefined, 400],
    ['nothing', '', undefined, 400],
  ])('with %s is refused', async (_, body, type, status) => {
    const response = await ask(body, type)
    expect([response.status, await response.json()]).toMatchObject([status, { error: {} }])
    expect(world.fakes.calls).toEqual([])
  })

  const image = part('name="image"; filename="a.png"\r\nContent-Type: image/png', 'x')
  test.each([
    ['/v1/audio/translations', 'interpreter', image, 'file'],
    ['/v1/images/edits', 'retoucher', file + part('name="prompt"', 'Blue'), 'image'],
    ['/v1/images/variations', 'copyist', file, 'image'],
  ])('for %s without what it is about is refused here', async (path, model, parts, parameter) => {
    const response = await ask(`${part('name="model"', model)}${parts}--${boundary}--\r\n`, undefined, path)
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { param: parameter, message: expect.stringMatching(`^"${parameter}" is missing`) } },
    ])
    expect((await world.ask(path, { model })).status).toBe(415)
    expect(world.fakes.calls).toEqual([])
  })

  test('that the service refuses ends with its words and codes', async () => {
    const body = `${part('name="model"', 'own/retoucher')}${image}--${boundary}--\r\n`
    const response = await ask(body, undefined, '/v1/images/edits')
    expect([response.status, await response.json()]).toMatchObject([
      400,
      {
        error: {
          message: expect.stringContaining("Missing required parameter: 'prompt'."),
          param: 'prompt',
          code: 'missing_required_parameter',
        },
      },
    ])
  })

  test('with a picture takes the model of an Azure path', async () => {
    const path = '/openai/deployments/retoucher/images/edits?api-version=2025-04-01-preview'
    const body = `${image}${part('name="prompt"', 'Blue')}--${boundary}--\r\n`
    expect((await ask(body, undefined, path)).status).toBe(200)
    expect(world.fakes.calls[0]).toMatchObject({ model: 'retoucher' })
  })

  test('larger than the body may be is refused with 413', async () => {
    await using small = await open({ own: { models } }, { settings: { gateway: { max_body_mb: 0.01 } } })
    const body = `${part('name="model"', 'ear')}${part('name="file"; filename="a"', 'x'.repeat(20_000))}--${boundary}--\r\n`
    const response = await small.ask('/v1/audio/transcriptions', body, {
      'content-type': `multipart/form-data; boundary=${boundary}`,
    })
    expect(response.status).toBe(413)
  })
})

describe('money', () => {
  const priced = (price: object, ability: string, settings: object = {}) =>
    open(
      { own: { models: { ...models, 'tts-x': { kind: 'speech' } } } },
      {
        settings,
        reconfigure: (config) => ({
          own: { ...config['own'], models: [{ id: modelOf(ability), price, abilities: { [ability]: true } }] },
        }),
      },
    )
  const modelOf = (ability: string) => Object.keys(UNITS).find((id) => UNITS[id]?.ability === ability) ?? ''
  const costOf = ({ headers }: Response) => [
    headers.get('x-keywise-cost-usd'),
    headers.get('x-keywise-cost-at-least-usd'),
  ]
  const speech = { model: 'voice', input: 'Grüße 🙂', voice: 'coral' }
  const boundary = 'b0undary'
  const recording = (bytes: number) =>
    `--${boundary}\r\ncontent-disposition: form-data; name="model"\r\n\r\near\r\n--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n${'x'.repeat(bytes)}\r\n--${boundary}--\r\n`
  const asForm = { 'content-type': `multipart/form-data; boundary=${boundary}` }

  test('what counts tokens costs its tokens', async () => {
    await using own = await priced({ input: 1, output: 2 }, 'image_generation')
    const response = await own.ask('/v1/images/generations', { model: 'painter', prompt: 'A box' })
    expect([response.status, ...costOf(response)]).toEqual([200, '0.000083', null])
  })

  test('a price per token is no price of what counts none: the cost stays unknown', async () => {
    await using own = await priced({ input: 1, output: 2 }, 'speech')
    const response = await own.ask('/v1/audio/speech', speech)
    await response.arrayBuffer()
    expect([response.status, ...costOf(response)]).toEqual([200, null, null])
    expect(own.gateway.opened.engine.store.attempts({ limit: 1 })).toMatchObject([{ ok: true, costNanoUsd: null }])
  })

  test('speech costs its characters', async () => {
    await using own = await priced({ input: 0, output: 0, characters: 15 }, 'speech')
    await (await own.ask('/v1/audio/speech', speech)).arrayBuffer()
    const [row] = own.gateway.opened.engine.store.attempts({ limit: 1 })
    // Seven characters, of which one is two of JavaScript's.
    expect(row).toMatchObject({ ok: true, costNanoUsd: 7 * 15_000, usage: { parts: { characters: 7 } } })
  })

  test('pictures cost what each does, however the answer counts', async () => {
    await using own = await priced({ input: 0, output: 0, image: 0.04 }, 'image_generation')
    const response = await own.ask('/v1/images/generations', { model: 'painter', prompt: 'A box', n: 2 })
    expect(costOf(response)).toEqual(['0.08', null])
  })

  test('a transcription costs its seconds, a ranking its searches', async () => {
    await using ear = await priced({ input: 0, output: 0, audio_hour: 0.36 }, 'transcription')
    expect(costOf(await ear.ask('/v1/audio/transcriptions', recording(10), asForm))).toEqual(['0.0001', null])
    await using ranker = await priced({ input: 0, output: 0, tools: { search_units: 2 } }, 'rerank')
    const asked = { model: 'ranker', query: 'a', documents: ['b', 'c'] }
    expect(costOf(await ranker.ask('/v1/rerank', asked))).toEqual(['0.002', null])
  })

  describe('a hard budget puts the most aside that units can cost', () => {
    const budgets = [{ scope: 'all', usd: 0.001, per: 'day' }]
    for (const { of, price, ability, fits, isTooMuch } of [
      {
        of: 'characters',
        price: { input: 0, output: 0, characters: 15 },
        ability: 'speech',
        fits: ['/v1/audio/speech', { ...speech, input: 'x'.repeat(60) }],
        isTooMuch: ['/v1/audio/speech', { ...speech, input: 'x'.repeat(67) }],
      },
      {
        of: 'pictures',
        price: { input: 0, output: 0, image: 0.0004 },
        ability: 'image_generation',
        fits: ['/v1/images/generations', { model: 'painter', prompt: 'A', n: 2 }],
        isTooMuch: ['/v1/images/generations', { model: 'painter', prompt: 'A', n: 3 }],
      },
      {
        of: 'searches, by all pieces that the documents may be cut into',
        price: { input: 0, output: 0, tools: { search_units: 0.4 } },
        ability: 'rerank',
        fits: ['/v1/rerank', { model: 'ranker', query: 'a', documents: Array(150).fill('b') }],
        isTooMuch: ['/v1/rerank', { model: 'ranker', query: 'a', documents: Array(250).fill('b') }],
      },
      {
        of: 'seconds, by the bytes of the recording',
        price: { input: 0, output: 0, audio_hour: 0.36 },
        ability: 'transcription',
        // Ten seconds of 750 bytes, and no more.
        fits: ['/v1/audio/transcriptions', recording(7_000)],
        isTooMuch: ['/v1/audio/transcriptions', recording(8_000)],
      },
    ] as const)
      test(of, async () => {
        // Characters are worth 15 millionths of a dollar each, so that 66 fit.
        await using own = await priced(price, ability, { budgets })
        const ask = ([path, body]: readonly [string, unknown]) =>
          own.ask(path, body, typeof body === 'string' ? asForm : {})
        const refused = await ask(isTooMuch)
        expect([refused.status, own.fakes.calls.length]).toEqual([429, 0])
        expect(await refused.text()).toContain('budget_exceeded')
        expect((await ask(fits)).status).toBe(200)
      })
  })

  test('what a service documents as free costs nothing, also where an unknown price is forbidden', async () => {
    const id = 'omni-moderation-latest'
    await using openai = await open(
      { openai: { models: { [id]: { kind: 'moderation' } } } },
      {
        settings: { unknown_price: 'block' },
        reconfigure: (config) => ({
          openai: { ...config['openai'], models: [{ id, abilities: { moderation: true } }] },
        }),
      },
    )
    const answer = await openai.ask('/v1/moderations', { model: id, input: 'good' })
    expect([answer.status, ...costOf(answer)]).toEqual([200, '0', null])
  })

  test('is spent at a known price of units where an unknown one is forbidden', async () => {
    const settings = { unknown_price: 'block' }
    await using own = await priced({ input: 0, output: 0, image: 0.04 }, 'image_generation', settings)
    expect((await own.ask('/v1/images/generations', { model: 'painter', prompt: 'A box' })).status).toBe(200)
  })

  test('is not spent at an unknown price where that is forbidden', async () => {
    await using strict = await open({ own: { models } }, { settings: { unknown_price: 'block' } })
    const response = await strict.ask('/v1/images/generations', { model: 'painter', prompt: 'A box' })
    expect(response.status).not.toBe(200)
    expect(strict.fakes.calls).toEqual([])
  })

  test('a key that is never billed costs nothing', async () => {
    await using free = await open(
      { own: { models } },
      { reconfigure: (config) => ({ own: { ...config['own'], models: named, free: true } }) },
    )
    await free.ask('/v1/rerank', { model: 'ranker', query: 'a', documents: ['b'] })
    expect(free.gateway.opened.engine.store.attempts({ limit: 1 })[0]).toMatchObject({ costNanoUsd: 0 })
  })
})

test('models of a list are found where their provider serves them, and asked only there', async () => {
  const listed = {
    'whisper-large-v3': { kind: 'speech' },
    'rerank-v3.5': { kind: 'rerank', context_tokens: 4096 },
    'llama-3.3-70b-versatile': {},
  } as const
  await using lists = await openGateway({ providers: { groq: { models: listed }, cohere: { models: listed } } }, {})
  const openai = new OpenAI({ apiKey: TOKEN, baseURL: `${lists.origin}/v1`, maxRetries: 0 })
  const { response } = await openai.audio.transcriptions
    .create({ model: 'whisper-large-v3', file: await audio() })
    .withResponse()
  expect(response.headers.get('x-keywise-target')).toBe('groq/whisper-large-v3#1')
  const ranked = await lists.ask('/v1/rerank', {
    model: 'rerank-v3.5',
    query: 'a',
    // Each is read by itself, so all of them together may be longer than what the model reads.
    documents: Array(20).fill('word '.repeat(1000)),
  })
  expect([ranked.status, ranked.headers.get('x-keywise-target')]).toEqual([200, 'cohere/rerank-v3.5#1'])
  expect(lists.fakes.calls.at(-1)?.path).toBe('/cohere/v2/rerank')
})

test('who translates and who changes pictures is known from the lists of those who serve it', async () => {
  const speech = { kind: 'speech' } as const
  const image = { kind: 'image' } as const
  await using lists = await openGateway({
    providers: {
      groq: { models: { 'whisper-large-v3-turbo': speech, 'whisper-large-v3': speech } },
      openai: { models: { 'gpt-4o-transcribe': speech, 'gpt-image-2': image } },
      xai: { models: { 'grok-imagine-image': image } },
    },
  })
  const openai = new OpenAI({ apiKey: TOKEN, baseURL: `${lists.origin}/v1`, maxRetries: 0 })
  const file = await audio()
  const translated = await openai.audio.translations.create({ model: 'auto', file }).withResponse()
  expect(translated.response.headers.get('x-keywise-target')).toBe('groq/whisper-large-v3#1')
  const changed = await openai.images.edit({ model: 'auto', image: await picture(), prompt: 'Blue' }).withResponse()
  expect(changed.response.headers.get('x-keywise-target')).toBe('openai/gpt-image-2#1')
  const elsewhere = openai.images.edit({ model: 'grok-imagine-image', image: await picture(), prompt: 'Blue' })
  await expect(elsewhere).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining('cannot do image_edit'),
  })
  const varied = openai.images.createVariation({ image: await picture() })
  await expect(varied).rejects.toMatchObject({ status: 400, param: 'model' })
})
