/**
 * `free_only` and `privacy: no_training`: which targets are called, what is sent, and what the ledger proves
 * afterwards.
 */

import { expect, onTestFinished, test } from 'vitest'
import type { FakeWorld } from '../src/lab/fake/fakeProviders.ts'
import { APIManager } from '../src/manager/apiManager.ts'
import { openGateway } from './support/gatewayWorld.ts'
import { told } from './support/lab.ts'
import { fakeKey, openWorld, until } from './support/labCall.ts'

const MODELS = {
  groq: { 'openai/gpt-oss-20b': {} },
  google: { 'gemini-3.5-flash': {} },
  openrouter: {
    'small/one:free': { price: { input: 0, output: 0 } },
    'large/one': { price: { input: 3, output: 15 } },
  },
}

interface Setup {
  readonly settings: object
  /** Fields beside the key, by provider. */
  readonly keys?: Readonly<Record<string, object>>
  readonly charged?: boolean
  readonly faults?: object[]
}

async function open({ settings, keys = {}, charged = false, faults = [] }: Setup) {
  const providers = Object.entries(MODELS).map(([id, models]) => [
    id,
    { models, keys: { [fakeKey(id)]: { charged } }, ...(id === 'openrouter' && { faults }) },
  ])
  const world = await openWorld({ providers: Object.fromEntries(providers) })
  const config = Object.entries(world.config()).map(([id, block]) => [
    id,
    { ...block, api_keys: [{ key: fakeKey(id), ...keys[id] }] },
  ])
  const warnings: string[] = []
  const log = { info: () => {}, error: () => {}, warn: (line: string) => void warnings.push(line) }
  const manager = new APIManager({ config: { ...Object.fromEntries(config), settings }, env: {}, logger: log })
  onTestFinished(() => manager.close())
  await manager.ready()
  await until(() => new Set(manager.engine.registry.targets.map(({ provider }) => provider)).size === 3)
  return { world, manager, warnings }
}

const eligible = (manager: APIManager) =>
  manager
    .rankTargets()
    .filter((row) => row.eligible)
    .map(({ provider, model }) => `${provider}/${model}`)
    .sort()

const freeOnly = { free_only: true }
const FREE_MODEL = 'openrouter/small/one:free'

test('free_only calls only what is known to be free, whatever happens, and the ledger proves it', async () => {
  const faults = [{ do: 'server', from: 3, to: 5 }]
  const { world, manager } = await open({ settings: freeOnly, keys: { groq: { free: true } }, faults })
  expect(eligible(manager)).toEqual(['groq/openai/gpt-oss-20b', FREE_MODEL])
  const models = ['auto', 'auto:smart', FREE_MODEL, 'openai/gpt-oss-20b', 'large/one', 'gemini-3.5-flash']
  for (let round = 0; round < 5; round++)
    for (const model of models) await told(manager, { prompt: `Say ${round}`, model })
  expect((await told(manager, { prompt: 'Say hi', model: 'large/one' })).error?.message).toMatch(/may be billed/)
  const rows = manager.engine.store.attempts({})
  expect(rows.length).toBeGreaterThan(15)
  for (const { target, costNanoUsd } of rows) {
    expect(costNanoUsd).toBe(0)
    expect(manager.engine.registry.find(target.stateId)?.profile.free).toBe(true)
  }
  expect(new Set(world.calls.map(({ provider, model }) => `${provider}/${model}`))).toEqual(
    new Set(['groq/openai/gpt-oss-20b', FREE_MODEL]),
  )
})

const guards = (world: FakeWorld) => {
  const calls = world.calls.filter(({ provider }) => provider === 'openrouter')
  return calls.map(({ body }) => (body as { provider?: unknown }).provider)
}

test('free_only sends OpenRouter’s own guard along', async () => {
  const { world, manager } = await open({ settings: freeOnly })
  await told(manager, { prompt: 'Say hi', model: FREE_MODEL })
  expect(guards(world)).toEqual([{ max_price: { prompt: 0, completion: 0, request: 0, image: 0 } }])
})

test('the gateway puts the guards into what a client of the same dialect sends, and takes out what is billed apart', async () => {
  const world = await openGateway(
    { providers: { openrouter: { models: MODELS.openrouter } } },
    { settings: { ...freeOnly, privacy: 'no_training' }, discover: true },
  )
  onTestFinished(() => world.close())
  const search = { type: 'openrouter:web_search' }
  const own = { type: 'function', function: { name: 'read', parameters: { type: 'object', properties: {} } } }
  const response = await world.ask('/v1/chat/completions', {
    model: 'small/one:free',
    messages: [{ role: 'user', content: 'Say hi' }],
    provider: { order: ['acme'], max_price: { prompt: 99 } },
    plugins: [{ id: 'web' }],
    web_search_options: {},
    tools: [search, own],
  })
  expect(response.status).toBe(200)
  const sent = world.fakes.calls[0]?.body as Record<string, unknown>
  expect(sent['provider']).toEqual({
    order: ['acme'],
    max_price: { prompt: 0, completion: 0, request: 0, image: 0 },
    data_collection: 'deny',
  })
  expect(sent).not.toHaveProperty('plugins')
  expect(sent).not.toHaveProperty('web_search_options')
  expect(sent['tools']).toEqual([own])
})

test('a key that is called free keeps to models of price 0 when the provider says that its account has paid', async () => {
  const keys = { openrouter: { free: true } }
  const word = await open({ settings: freeOnly, keys })
  expect(eligible(word.manager)).toEqual(['openrouter/large/one', FREE_MODEL])
  expect(word.warnings).toEqual([])
  const charged = await open({ settings: freeOnly, keys, charged: true })
  expect(eligible(charged.manager)).toEqual([FREE_MODEL])
  expect(charged.warnings.join('\n')).toMatch(/openrouter key 1 has "free": true, but OpenRouter says/)
})

test('privacy: no_training asks only who does not train, and OpenRouter with its guard', async () => {
  const { world, manager } = await open({
    settings: { privacy: 'no_training' },
    keys: { google: { free: true }, groq: { free: true } },
  })
  const out = manager.rankTargets().filter(({ reason }) => reason?.includes('train'))
  expect(out.map(({ provider, reason }) => [provider, reason])).toEqual([['google', 'may train on prompts']])
  expect(eligible(manager)).toContain(FREE_MODEL)
  await told(manager, { prompt: 'Say hi', model: FREE_MODEL })
  expect(guards(world)).toEqual([{ data_collection: 'deny' }])
})
