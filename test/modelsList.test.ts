/** What the lists of models say, in three protocols: windows, limits and abilities for every name, page by page. */

import { createServer } from 'node:http'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { APIManager } from '../src/manager/apiManager.ts'
import { type GatewayWorld, openGateway } from './support/gatewayWorld.ts'
import { own } from './support/lab.ts'
import { fakeKey, until } from './support/labCall.ts'
import { listening } from './support/listening.ts'

const LARGE = {
  id: 'vendor/large',
  context_tokens: 200_000,
  max_output_tokens: 32_000,
  abilities: { tools: true, images: true, json_schema: true, reasoning: false },
  price: { input: 3, output: 15 },
}
const SMALL = { id: 'small', context_tokens: 8000, max_output_tokens: 4000, abilities: { tools: false, images: false } }
const BARE = { id: 'bare' }
const VECTORS = { id: 'vectors', abilities: { chat: false, embeddings: true } }
const PAINTER = { id: 'painter', abilities: { chat: false, image_generation: true } }

const SETTINGS = {
  models: {
    both: ['small', 'vendor/large'],
    'large-first': { from: ['*'], needs: ['chat'], order: ['*/large', '*'] },
    'claude-*': ['small'],
    small: ['small'],
  },
}

async function open(settings: object = SETTINGS): Promise<GatewayWorld> {
  const world = await openGateway(
    { providers: own('alpha', 1, ['vendor/large', 'small', 'bare', 'vectors', 'painter']) },
    {
      settings,
      reconfigure: ({ alpha }) => ({ alpha: { ...alpha, models: [LARGE, SMALL, BARE, VECTORS, PAINTER] } }),
    },
  )
  onTestFinished(() => world.close())
  return world
}

const CLIENTS = {
  openai: { list: '/v1/models', one: '/v1/models/', headers: {} },
  anthropic: { list: '/v1/models', one: '/v1/models/', headers: { 'anthropic-version': '2023-06-01' } },
  google: { list: '/v1beta/models', one: '/v1beta/models/', headers: {} },
} as const
type Client = keyof typeof CLIENTS

type Row = Readonly<Record<string, unknown>>
interface List {
  readonly data?: readonly Row[]
  readonly models?: readonly Row[]
  readonly has_more?: boolean
  readonly first_id?: string | null
  readonly last_id?: string | null
  readonly nextPageToken?: string
}

async function listOf(world: GatewayWorld, client: Client, query = ''): Promise<List> {
  const { list, headers } = CLIENTS[client]
  const response = await world.ask(`${list}${query}`, undefined, headers)
  expect(response.status).toBe(200)
  return (await response.json()) as List // the test looks into it
}
const idsOf = ({ data, models }: List) => (data ?? models ?? []).map(({ id, name }) => id ?? String(name).slice(7))

async function oneOf(world: GatewayWorld, client: Client, id: string) {
  const { one, headers } = CLIENTS[client]
  const response = await world.ask(one + id, undefined, headers)
  return {
    status: response.status,
    id: response.headers.get('x-keywise-request-id'),
    body: (await response.json()) as Row,
  }
}

describe('every name has its window, limit and abilities', () => {
  test('in the words of the clients of OpenAI’s protocol', async () => {
    const { body } = await oneOf(await open(), 'openai', 'vendor/large')
    expect(body).toMatchObject({
      id: 'vendor/large',
      object: 'model',
      owned_by: 'alpha',
      context_window: 200_000,
      context_length: 200_000,
      max_context_length: 200_000,
      max_model_len: 200_000,
      max_input_tokens: 200_000,
      max_output_tokens: 32_000,
      max_completion_tokens: 32_000,
      supports_vision: true,
      supports_reasoning: false,
      type: 'base',
      capabilities: { completion_chat: true, function_calling: true, vision: true, reasoning: false },
      architecture: { input_modalities: ['text', 'image'], output_modalities: ['text'], modality: 'text+image->text' },
      top_provider: { context_length: 200_000, max_completion_tokens: 32_000 },
      pricing: { prompt: '0.000003', completion: '0.000015' },
      supported_parameters: expect.arrayContaining(['tools', 'tool_choice', 'response_format', 'structured_outputs']),
    })
  })

  test('in the words of Anthropic and Google', async () => {
    const world = await open()
    expect((await oneOf(world, 'anthropic', 'vendor/large')).body).toMatchObject({
      type: 'model',
      max_input_tokens: 200_000,
      max_tokens: 32_000,
      capabilities: { image_input: { supported: true }, structured_outputs: { supported: true } },
    })
    expect((await oneOf(world, 'google', 'vendor/large')).body).toMatchObject({
      name: 'models/vendor/large',
      inputTokenLimit: 200_000,
      outputTokenLimit: 32_000,
      thinking: false,
    })
  })

  test('abilities in the words of the configuration', async () => {
    const world = await open()
    for (const client of ['openai', 'anthropic', 'google'] as const)
      expect((await oneOf(world, client, 'vendor/large')).body['abilities']).toEqual({ chat: true, ...LARGE.abilities })
  })

  test('a model that only draws is said to chat by no field', async () => {
    const world = await open()
    const { body } = await oneOf(world, 'openai', 'painter')
    expect(body).toMatchObject({
      capabilities: { completion_chat: false },
      supported_parameters: [],
      abilities: PAINTER.abilities,
    })
    expect((await oneOf(world, 'google', 'painter')).body['supportedGenerationMethods']).toEqual([])
  })

  test('and what is not known is not invented', async () => {
    const world = await open()
    const { body } = await oneOf(world, 'openai', 'bare')
    expect(body).toMatchObject({
      context_length: null,
      top_provider: { context_length: null, max_completion_tokens: null },
      pricing: { prompt: '-1', completion: '-1' },
      capabilities: { completion_chat: true },
      abilities: {},
    })
    for (const name of ['context_window', 'max_model_len', 'max_output_tokens', 'supports_vision', 'input_price'])
      expect(body).not.toHaveProperty(name)
    expect(body['capabilities']).toEqual({ completion_chat: true })
    const ofAnthropic = (await oneOf(world, 'anthropic', 'bare')).body
    expect(ofAnthropic).toMatchObject({ max_input_tokens: null, max_tokens: null, capabilities: null })
    const ofGoogle = (await oneOf(world, 'google', 'bare')).body
    expect(ofGoogle).not.toHaveProperty('inputTokenLimit')
    expect(ofGoogle).not.toHaveProperty('outputTokenLimit')
    expect(ofGoogle).not.toHaveProperty('thinking')
  })

  test.each<[name: string, window: number | null, largest: number | null, output: number | null]>([
    ['auto', 8000, 200_000, 4000],
    ['auto:cheap', 8000, 200_000, 4000],
    ['auto:long', 200_000, 200_000, 32_000],
    ['auto:vision', 200_000, 200_000, 32_000],
    ['auto:free', null, null, null],
    ['both', 8000, 200_000, 4000],
    ['large-first', 200_000, 200_000, 32_000],
  ])('of %s the smallest among those that are asked first, and the largest of all', async (name, window, largest, output) => {
    const world = await open()
    const row = (await listOf(world, 'openai')).data?.find(({ id }) => id === name)
    expect(row).toMatchObject({ owned_by: 'keywise', context_length: window })
    expect([row?.['largest_context_window'] ?? null, row?.['max_output_tokens'] ?? null]).toEqual([largest, output])
    const { body } = await oneOf(world, 'google', name)
    expect([body['inputTokenLimit'] ?? null, body['largestInputTokenLimit'] ?? null]).toEqual([window, largest])
  })

  test('of a list under "priority" the first model’s', async () => {
    const world = await open({
      ...SETTINGS,
      models: { up: ['small', 'vendor/large'], down: ['vendor/large', 'small'] },
      routing: { strategy: 'priority' },
    })
    for (const [name, window] of [
      ['up', 8000],
      ['down', 200_000],
    ] as const)
      expect((await oneOf(world, 'openai', name)).body).toMatchObject({
        context_window: window,
        largest_context_window: 200_000,
      })
  })

  test('a group can do what any of it can, as a request goes to one that can', async () => {
    const world = await open()
    expect((await oneOf(world, 'openai', 'both')).body).toMatchObject({ abilities: { tools: true, images: true } })
    expect((await oneOf(world, 'openai', 'alpha/small')).body).toMatchObject({
      abilities: { tools: false, images: false },
    })
  })

  test('a request that is too long for the first goes to one that can', async () => {
    const world = await open()
    const messages = [{ role: 'user', content: 'word '.repeat(12_000) }]
    for (let turn = 0; turn < 3; turn++) {
      const response = await world.ask('/v1/chat/completions', { model: 'both', messages })
      expect(response.headers.get('x-keywise-target')).toBe('alpha/vendor/large#1')
    }
  })

  test('a model that embeds says so', async () => {
    const world = await open()
    expect((await oneOf(world, 'openai', 'vectors')).body).toMatchObject({
      capabilities: { completion_chat: false },
      architecture: { output_modalities: ['embeddings'] },
    })
  })
})

describe.each(['openai', 'anthropic', 'google'] as const)('the list of %s', (client) => {
  test('has each name once, keywise’s own and the aliases first', async () => {
    const ids = idsOf(await listOf(await open(), client))
    expect(ids.slice(0, 9)).toEqual([
      'auto',
      'auto:fast',
      'auto:cheap',
      'auto:smart',
      'auto:free',
      'auto:vision',
      'auto:long',
      'both',
      'large-first',
    ])
    expect(ids).toHaveLength(new Set(ids).size)
    expect(ids).toEqual(expect.arrayContaining(['small', 'vendor/large', 'bare', 'vectors']))
    expect(ids).not.toContain('claude-*')
  })

  test('has one model by every name that a request may have', async () => {
    const world = await open()
    for (const id of [
      'vendor/large',
      'vendor%2Flarge',
      'alpha/vendor/large',
      'alpha%2Fvendor%2Flarge',
      'alpha/vendor/large%231',
      'auto:long',
      'auto%3Along',
      'models/bare',
      'claude-9',
      'LARGE',
    ]) {
      const { status, body } = await oneOf(world, client, id)
      expect([id, status]).toEqual([id, 200])
      const name = String(body['id'] ?? body['name']).replace(/^models\//, '')
      expect(['models/bare', 'bare'].includes(name) ? id : name).toBe(decodeURIComponent(id))
    }
  })

  test('says 404 to another one, with the id of the request', async () => {
    const { status, id, body } = await oneOf(await open(), client, 'alpha/unheard-of')
    expect(status).toBe(404)
    expect(id).toMatch(/^kw_/)
    expect(JSON.stringify(body)).toContain('no key has a model')
    if (client === 'anthropic') expect(body['request_id']).toBe(id)
  })
})

describe('pages', () => {
  let world: GatewayWorld
  let all: readonly unknown[]
  beforeAll(async () => {
    world = await openGateway({ providers: own('alpha', 1, ['a', 'b', 'c', 'd', 'e']) })
    all = idsOf(await listOf(world, 'openai'))
    return () => world.close()
  })

  test('without a size are the whole list', async () => {
    expect(await listOf(world, 'anthropic')).toMatchObject({ has_more: false, first_id: all[0], last_id: all.at(-1) })
    expect(await listOf(world, 'google')).not.toHaveProperty('nextPageToken')
    expect(idsOf(await listOf(world, 'openai', '?limit=2'))).toEqual(all)
  })

  test.each([1, 5, 11, 12, 13, 1000])('of %i go through Anthropic’s list forwards and backwards', async (limit) => {
    const forwards: unknown[] = []
    for (let after = '', more = true; more; ) {
      const page = await listOf(world, 'anthropic', `?limit=${limit}${after}`)
      expect(idsOf(page).length).toBeLessThanOrEqual(limit)
      expect([page.first_id, page.last_id]).toEqual([idsOf(page)[0], idsOf(page).at(-1)])
      forwards.push(...idsOf(page))
      more = page.has_more === true
      after = `&after_id=${encodeURIComponent(String(page.last_id))}`
    }
    expect(forwards).toEqual(all)
    const backwards: unknown[] = []
    for (let before = all.at(-1), more = true; more; ) {
      const page = await listOf(world, 'anthropic', `?limit=${limit}&before_id=${encodeURIComponent(String(before))}`)
      backwards.unshift(...idsOf(page))
      more = page.has_more === true
      before = page.first_id
    }
    expect(backwards).toEqual(all.slice(0, -1))
  })

  test.each([
    'pageSize=5&pageToken=',
    'page_size=5&page_token=',
    'pageSize=1&pageToken=',
    'pageSize=12&pageToken=',
    'pageSize=5000&pageToken=',
  ])('of %s go through Google’s list', async (query) => {
    const seen: unknown[] = []
    for (let token: string | undefined = ''; token !== undefined; ) {
      const page: List = await listOf(world, 'google', `?${query}${token}`)
      seen.push(...idsOf(page))
      token = page.nextPageToken
    }
    expect(seen).toEqual(all)
  })

  test('of nothing after the last and before the first are empty', async () => {
    const last = encodeURIComponent(String(all.at(-1)))
    const first = encodeURIComponent(String(all[0]))
    for (const query of [`after_id=${last}`, `before_id=${first}`])
      expect(await listOf(world, 'anthropic', `?${query}`)).toEqual({
        data: [],
        has_more: false,
        first_id: null,
        last_id: null,
      })
  })

  test.each<[Client, string, RegExp]>([
    ['anthropic', 'limit=0', /limit.{0,3} must be a whole number from 1 to 1000/],
    ['anthropic', 'limit=1001', /from 1 to 1000/],
    ['anthropic', 'limit=many', /from 1 to 1000/],
    ['anthropic', 'after_id=gone', /after_id.{0,3} names no model of this list/],
    ['anthropic', 'after_id=a&before_id=b', /exclude each other/],
    ['google', 'pageSize=-1', /pageSize/],
    ['google', 'pageToken=zzz', /pageToken.{0,3} names no model/],
  ])('%s?%s is a mistake that is told in its protocol', async (client, query, words) => {
    const { list, headers } = CLIENTS[client]
    const response = await world.ask(`${list}?${query}`, undefined, headers)
    const body = (await response.json()) as { readonly error: { readonly message: string } } // in all three protocols
    expect(response.status).toBe(400)
    expect(body.error.message).toMatch(words)
    expect(response.headers.get('x-keywise-request-id')).toMatch(/^kw_/)
  })
})

test('another keywise reads from the list what this one knows, and no more', async () => {
  const world = await open()
  const block = { dialect: 'openai', endpoint: `${world.origin}/v1`, api_key: world.token, models: 'discover' }
  const manager = new APIManager({ config: { next: block }, env: {}, logger: false })
  onTestFinished(() => manager.close())
  await manager.ready()
  await until(() => manager.engine.registry.targets.length > 0)
  const profileOf = (id: string) => manager.engine.registry.targets.find(({ model }) => model === id)?.profile
  expect(profileOf('vendor/large')).toMatchObject({
    contextTokens: 200_000,
    maxOutputTokens: 32_000,
    abilities: { tools: true, images: true, jsonSchema: true, reasoning: false },
    price: { input: 3, output: 15 },
  })
  expect(profileOf('bare')?.abilities).toEqual({ chat: true })
  expect(profileOf('vectors')?.abilities).toMatchObject({ chat: false, embeddings: true })
})

test('keys are no part of any list', async () => {
  const world = await open()
  for (const client of ['openai', 'anthropic', 'google'] as const)
    expect(JSON.stringify(await listOf(world, client))).not.toContain(fakeKey('alpha'))
})

test('right after the start lists and rows wait for what the providers say of their windows', async () => {
  let release = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  const server = createServer(async (_request, response) => {
    await held
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ object: 'list', data: [{ id: 'm', object: 'model', context_window: 9000 }] }))
  })
  const endpoint = `${await listening(server)}/v1`
  const providers = { own: { dialect: 'openai', endpoint, api_key: 'none', models: ['m'] } }
  const world = await openGateway({ providers: {} }, { providers })
  onTestFinished(() => world.close())
  // By then both have been looked at.
  let asked = 0
  world.gateway.app.server.on('request', () => ++asked === 2 && setImmediate(release))
  const [list, row] = await Promise.all([world.ask('/v1/models'), world.ask('/v1/models/own/m')])
  const { data } = (await list.json()) as { data: Row[] }
  expect(data.find(({ id }) => id === 'm')).toMatchObject({ context_window: 9000 })
  expect(data.find(({ id }) => id === 'auto')).toMatchObject({ context_window: 9000 })
  expect(await row.json()).toMatchObject({ context_window: 9000 })
})
