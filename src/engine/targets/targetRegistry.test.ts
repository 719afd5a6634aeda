import { describe, expect, test } from 'vitest'
import { openTestEngine } from '../../../test/support/openTestEngine.ts'
import { flat, type Price, type PriceLookup, Prices } from '../../money/price.ts'
import type { ProviderSpec } from '../../providers/provider.ts'
import type { ListedModel } from '../../upstream/discovery/modelsList.ts'
import { type Credential, hintAt, TargetRegistry } from './targetRegistry.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const key = (letter: string) => `gsk_${letter.repeat(20)}`

/** A registry of the configuration, with what the provider's list says. */
function registryOf(
  config: object,
  list: readonly ListedModel[] | null = null,
  more: { allModels?: boolean; isBilled?: boolean; lookup?: PriceLookup } = {},
) {
  const { registry } = openTestEngine({ config, now: () => NOW })
  return new TargetRegistry({
    config: registry.config,
    credentials: registry.credentials,
    listOf: () => list,
    prices: new Prices({ lookup: more.lookup ?? null }),
    now: NOW,
    ...(more.allModels !== undefined && { allModels: more.allModels }),
    isBilled: () => more.isBilled ?? false,
  })
}

const listed = (id: string, facts: Partial<ListedModel> = {}): ListedModel => ({
  id,
  chats: true,
  embeds: false,
  contextTokens: null,
  maxOutputTokens: null,
  abilities: {},
  price: null,
  retiresOn: null,
  ...facts,
})

const models = (registry: TargetRegistry) => registry.targets.map(({ model }) => model)
const groq = (more: object = {}) => ({ groq: { api_key: key('a'), ...more } })

describe('the models of a key', () => {
  test('are exactly those that are named, whatever the list says', () => {
    expect(models(registryOf(groq({ models: ['x', 'y'] }), [listed('z')]))).toEqual(['x', 'y'])
  })

  test('are a short list whole, without what neither chats nor embeds', () => {
    const list = [listed('x'), listed('speech', { chats: false }), listed('vectors', { chats: false, embeds: true })]
    expect(models(registryOf(groq(), list))).toEqual(['x', 'vectors'])
  })

  describe('with a long list', () => {
    const long = [
      ...Array.from({ length: 50 }, (_, index) => listed(`m${index}`)),
      listed('gift', { price: { input: 0, output: 0 } }),
      listed('other:free'),
    ]

    test('are the free ones and those of the catalogue that it has', () => {
      const { spec } = registryOf(groq()).credentials[0]!.provider
      const pick = spec.models.find((model) => model.pick === true && model.retired === undefined)!.id
      expect(models(registryOf(groq(), [...long, listed(pick)]))).toEqual(['gift', 'other:free', pick])
    })

    test.each([
      ['discover', groq({ models: 'discover' }), {}],
      ['all models are wanted', groq(), { allModels: true }],
    ])('are all when %s', (_, config, more) => {
      expect(models(registryOf(config, long, more))).toHaveLength(52)
    })
  })

  test('before the list is read are those of the catalogue, but for the retired', () => {
    const registry = registryOf(groq())
    const { spec } = registry.credentials[0]!.provider as { spec: ProviderSpec }
    const picks = spec.models.filter(({ pick, retired }) => pick && retired === undefined)
    expect(models(registry)).toEqual(picks.map(({ id }) => id))
    expect(picks.length).toBeGreaterThan(0)
  })

  test('are multiplied by the keys, in the order of the configuration', () => {
    const { targets } = registryOf(groq({ api_key: undefined, api_keys: [key('a'), key('b')], models: ['x', 'y'] }))
    expect(targets.map(({ id }) => id)).toEqual(['groq/x#1', 'groq/y#1', 'groq/x#2', 'groq/y#2'])
    expect(new Set(targets.map(({ stateId }) => stateId)).size).toBe(4)
  })
})

describe('what is known of a target', () => {
  const profileOf = (model: object, list: readonly ListedModel[] | null = null) =>
    registryOf(groq({ free: false, models: [{ id: 'x', ...model }] }), list).targets[0]!.profile

  const list = [
    listed('x', {
      contextTokens: 8000,
      maxOutputTokens: 400,
      abilities: { tools: true, images: true },
      price: { input: 1, output: 2 },
    }),
  ]

  test('is what the user says, then the list', () => {
    expect(profileOf({}, list)).toMatchObject({
      contextTokens: 8000,
      maxOutputTokens: 400,
      price: { input: 1, output: 2 },
    })
    const own = { context_tokens: 5, max_output_tokens: 6, price: { input: 7, output: 8 }, quality: 0.9 }
    expect(profileOf(own, list)).toMatchObject({
      contextTokens: 5,
      maxOutputTokens: 6,
      price: { input: 7, output: 8 },
      qualityPrior: 0.9,
      qualityPriorSource: 'configuration',
    })
  })

  test('of its abilities too, one by one', () => {
    const { abilities } = profileOf({ abilities: { tools: false, json_schema: true } }, list)
    expect(abilities).toMatchObject({ tools: false, images: true, jsonSchema: true })
  })

  test('stays unknown where nobody says', () => {
    expect(profileOf({})).toMatchObject({ contextTokens: null, maxOutputTokens: null, price: null, qualityPrior: null })
  })
})

describe('whether a call can be billed', () => {
  const isFree = (block: object, list: readonly ListedModel[] | null = null, isBilled = false) =>
    registryOf(groq(block), list, { isBilled }).targets[0]!.profile.free

  test.each<{ name: string; block: object; list?: readonly ListedModel[]; billed?: boolean; free: boolean }>([
    { name: 'nothing is said', block: { models: ['x'] }, free: false },
    { name: 'the key is marked free', block: { free: true, models: ['x'] }, free: true },
    { name: 'the provider has charged the free key', block: { free: true, models: ['x'] }, billed: true, free: false },
    { name: 'the model is called free', block: { models: ['x:free'] }, free: true },
    { name: 'the key is paid, the model free', block: { free: false, models: ['x:free'] }, free: false },
    { name: 'the price is 0', block: { models: [{ id: 'x', price: { input: 0, output: 0 } }] }, free: true },
    {
      name: 'only a request costs',
      block: { models: [{ id: 'x', price: { input: 0, output: 0, request: 0.01 } }] },
      free: false,
    },
    {
      name: 'the list gives no price to pay',
      block: {},
      list: [listed('x', { price: { input: 0, output: 0 } })],
      free: true,
    },
  ])('when $name: free is $free', ({ block, list, billed, free }) => {
    expect(isFree(block, list, billed)).toBe(free)
  })
})

describe('lookups', () => {
  function twoKeys() {
    const registry = registryOf(groq({ api_key: undefined, api_keys: [key('a'), key('b')], models: ['x'] }))
    const [first, second] = registry.targets
    return { registry, first: first!, second: second! }
  }

  test('find the target, its key and its price', () => {
    const { registry, first, second } = twoKeys()
    expect(registry.find(second.stateId)).toBe(second)
    expect(registry.credentialOf(second).key.index).toBe(2)
    expect(registry.findCredential('groq', first.fingerprint)?.key.index).toBe(1)
    expect(registry.priceOf(first)).toBeNull()
  })

  test('of a target whose key is gone find nothing, and say so', () => {
    const { registry, first } = twoKeys()
    const gone = { ...first, stateId: 'gone', fingerprint: 'gone' }
    expect(registry.find('gone')).toBeUndefined()
    expect(registry.credentialNow(gone)).toBeUndefined()
    expect(() => registry.credentialOf(gone)).toThrow('no key for groq')
  })

  test('of a model that is no longer served still find its key', () => {
    const { registry, first } = twoKeys()
    const earlier: Credential | undefined = registry.credentialNow({ ...first, stateId: 'earlier' })
    expect(earlier?.key.index).toBe(1)
  })
})

describe('a price that depends on the hour', () => {
  const DAY = 86_400_000
  const rates = (input: number, output: number) => flat('list', { input, output }).windows[0]!
  const nightly: Price = {
    source: 'list',
    windows: [rates(1, 2), { ...rates(3, 4), daily: { start: 0.75 * DAY, end: 0.25 * DAY } }],
  }
  const lookup = (_: string, model: string) => (model === 'x' ? nightly : flat('list', { input: 1, output: 2 }))

  test('is that of the hour the registry is made, and is noticed when it changes', () => {
    const registry = registryOf(groq({ free: false, models: ['x'] }), null, { lookup })
    expect(registry.targets[0]!.profile.price).toEqual({ input: 1, output: 2 })
    expect(hintAt(registry.priceOf(registry.targets[0]!)!, NOW + 0.4 * DAY)).toEqual({ input: 3, output: 4 })
    expect(registry.hasOldPrices(NOW)).toBe(false)
    expect(registry.hasOldPrices(NOW + 0.4 * DAY)).toBe(true)
  })

  test('is not looked for where it cannot change', () => {
    const registry = registryOf(groq({ free: false, models: ['y'] }), null, { lookup })
    for (let hour = 0; hour < 24; hour++) expect(registry.hasOldPrices(NOW + hour * 3_600_000)).toBe(false)
  })
})
