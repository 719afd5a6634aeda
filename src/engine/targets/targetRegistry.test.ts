import { describe, expect, test } from 'vitest'
import { openTestEngine } from '../../../test/support/openTestEngine.ts'
import { flat, type Price, type PriceLookup } from '../../money/price.ts'
import { Prices } from '../../money/prices.ts'
import type { CatalogueModel, ProviderSpec } from '../../providers/provider.ts'
import type { ListedModel } from '../../upstream/discovery/modelsList.ts'
import { type Credential, hintAt, TargetRegistry } from './targetRegistry.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const key = (letter: string) => `gsk_${letter.repeat(20)}`

interface RegistryFacts {
  readonly allModels?: boolean
  readonly isBilled?: boolean
  readonly lookup?: PriceLookup
  /** Replaces the catalogue of every provider. */
  readonly catalogue?: readonly CatalogueModel[]
}

/** A registry of the configuration, with what the provider's list says. */
function registryOf(config: object, list: readonly ListedModel[] | null = null, more: RegistryFacts = {}) {
  const { registry } = openTestEngine({ config, now: () => NOW })
  const { catalogue } = more
  return new TargetRegistry({
    config: registry.config,
    credentials: catalogue === undefined ? registry.credentials : registry.credentials.map(withCatalogue(catalogue)),
    listOf: () => list,
    prices: new Prices({ lookup: more.lookup ?? null }),
    now: NOW,
    ...(more.allModels !== undefined && { allModels: more.allModels }),
    isBilled: () => more.isBilled ?? false,
  })
}

const withCatalogue =
  (models: readonly CatalogueModel[]) =>
  (credential: Credential): Credential => {
    const { provider } = credential
    return { ...credential, provider: { ...provider, spec: { ...provider.spec, models } } }
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

const many = (count: number) => Array.from({ length: count }, (_, index) => listed(`m${index}`))

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
      listed('half a gift', { price: { input: 0, output: 5 } }),
      listed('vectors', { chats: false, embeds: true }),
      listed('speech:free', { chats: false }),
    ]

    test('are the free ones, those of the catalogue that it has, and what embeds, which no request gets unasked', () => {
      const { spec } = registryOf(groq()).credentials[0]!.provider
      const pick = spec.models.find((model) => model.pick === true && model.retired === undefined)!.id
      expect(models(registryOf(groq(), [...long, listed(pick)]))).toEqual(['gift', 'other:free', 'vectors', pick])
    })

    test.each([
      ['discover', groq({ models: 'discover' }), {}],
      ['all models are wanted', groq(), { allModels: true }],
    ])('are all when %s', (_, config, more) => {
      expect(models(registryOf(config, long, more))).toHaveLength(54)
    })
  })

  test('before the list is read are those of the catalogue, but for the retired', () => {
    const registry = registryOf(groq())
    const { spec } = registry.credentials[0]!.provider as { spec: ProviderSpec }
    const picks = spec.models.filter(({ pick, retired }) => pick && retired === undefined)
    expect(models(registry)).toEqual(picks.map(({ id }) => id))
    expect(picks.length).toBeGreaterThan(0)
  })

  test('are all of a list that is long only by models that do not chat', () => {
    const vectors = Array.from({ length: 50 }, (_, index) => listed(`v${index}`, { chats: false, embeds: true }))
    expect(models(registryOf(groq(), [...vectors, listed('x')]))).toHaveLength(51)
  })

  test('can be named by an alias of the settings', () => {
    const settings = { models: { quick: ['y', 'x'] } }
    const { names, targets } = registryOf({ ...groq({ models: ['x', 'y', 'z'] }), settings })
    expect(names.select('quick').among).toEqual(new Set([targets[0]!.stateId, targets[1]!.stateId]))
  })

  test('before the list is read are those of the catalogue, even when all are wanted', () => {
    const picks = [{ id: 'x', pick: true }, { id: 'y' }]
    expect(models(registryOf(groq(), null, { catalogue: picks, allModels: true }))).toEqual(['x'])
  })

  test.each([
    { when: 'the list is short and has it', list: [listed('old'), listed('current')], used: ['old', 'current'] },
    { when: 'the list is short and lacks it', list: [listed('current')], used: ['current'] },
    { when: 'the list is long', list: [listed('old'), listed('current'), ...many(50)], used: ['current'] },
    { when: 'the list has not been read', list: null, used: ['current'] },
  ])('are those that the list has, retired by the catalogue or not, when $when', ({ list, used }) => {
    const catalogue = [
      { id: 'old', pick: true, retired: { on: '2026-06-01' } },
      { id: 'current', pick: true },
    ]
    const registry = registryOf(groq(), list, { catalogue })
    expect(models(registry)).toEqual(used)
    expect(registry.targets.map(({ profile }) => profile.retiredOn)).toEqual(
      used.map((model) => (model === 'old' ? '2026-06-01' : undefined)),
    )
  })

  test('are used though retired where they are named', () => {
    const catalogue = [{ id: 'old', retired: { on: '2026-06-01' } }]
    expect(models(registryOf(groq({ models: ['old'] }), [], { catalogue }))).toEqual(['old'])
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

  test('is what the catalogue says where neither the user nor the list does', () => {
    const catalogue = [
      {
        id: 'x',
        contextTokens: 3,
        maxOutputTokens: 2,
        abilities: { tools: true, images: false },
        price: { input: 5, output: 6 },
        quality: 0.4,
        qualitySource: 'a benchmark, 2026-11',
      },
    ]
    const known = {
      contextTokens: 3,
      maxOutputTokens: 2,
      qualityPrior: 0.4,
      qualityPriorSource: 'a benchmark, 2026-11',
    }
    const named = registryOf(groq({ free: false, models: ['x'] }), null, { catalogue }).targets[0]!.profile
    expect(named).toMatchObject({ ...known, price: { input: 5, output: 6 }, abilities: { tools: true, images: false } })
    const asListed = registryOf(groq({ free: false }), list, { catalogue }).targets[0]!.profile
    expect(asListed).toMatchObject({ contextTokens: 8000, maxOutputTokens: 400, price: { input: 1, output: 2 } })
    expect(asListed).toMatchObject({ qualityPrior: 0.4, abilities: { tools: true, images: true } })
  })

  test('says whether a model was named or found', () => {
    const found = (block: object) =>
      registryOf(groq(block), [listed('x')]).targets.map(({ profile }) => profile.discovered)
    expect(found({ models: ['x'] })).toEqual([false])
    expect(found({})).toEqual([true])
  })

  test('stays unknown where no source states it', () => {
    expect(profileOf({})).toMatchObject({ contextTokens: null, maxOutputTokens: null, price: null, qualityPrior: null })
  })
})

describe('what is known of the key of a target', () => {
  const targetsOf = (keys: readonly (string | object)[]) =>
    registryOf(groq({ api_key: undefined, api_keys: keys, models: ['x'] })).targets

  test('is its label and its weight', () => {
    const [named, plain] = targetsOf([{ key: key('a'), label: 'work', weight: 3 }, key('b')])
    expect([named!.label, named!.profile.weight]).toEqual(['work', 3])
    expect([plain!.label, plain!.profile.weight]).toEqual([undefined, 1])
  })

  test('is its account, which is its own unless the user says that keys share one', () => {
    const [first, second, third, fourth] = targetsOf([
      { key: key('a'), account: 'team' },
      { key: key('b'), account: 'team' },
      key('c'),
      key('d'),
    ])
    expect(first!.account).toBe(second!.account)
    expect(new Set([first!.account, third!.account, fourth!.account]).size).toBe(3)
  })

  test('is whether its server runs on this machine', () => {
    const { targets } = registryOf({ ...groq({ models: ['x'] }), ollama: { models: ['x'] } })
    expect(targets.map(({ provider, profile }) => [provider, profile.local])).toEqual([
      ['groq', false],
      ['ollama', true],
    ])
  })
})

describe('whether a provider may train on the prompts', () => {
  // Of these, Gemini and OpenRouter train on what is free, and only OpenRouter can be asked not to.
  test.each<{ name: string; config: object; billed?: boolean; trains: boolean | null }>([
    { name: 'free key of a provider that trains on them', config: { google: { free: true } }, trains: true },
    { name: 'key of it whose payment is unknown', config: { google: {} }, trains: true },
    { name: 'paid key of it', config: { google: { free: false } }, trains: false },
    { name: 'free key of a provider that does not', config: { groq: { free: true } }, trains: false },
    { name: 'free key of a provider that does not say', config: { cohere: { free: true } }, trains: null },
    { name: 'paid key of a provider that does not say', config: { cohere: { free: false } }, trains: false },
    { name: 'free key of a router that trains on them', config: { openrouter: { free: true } }, trains: true },
    { name: 'key of it for a paid model', config: { openrouter: {} }, trains: false },
    { name: 'free key of it that was charged', config: { openrouter: { free: true } }, billed: true, trains: false },
    {
      name: 'free key of it where the settings forbid it',
      config: { openrouter: { free: true }, settings: { privacy: 'no_training' } },
      trains: false,
    },
    {
      name: 'free key of a provider that cannot be asked, where the settings forbid it',
      config: { google: { free: true }, settings: { privacy: 'no_training' } },
      trains: true,
    },
    { name: 'server on this machine', config: { ollama: {} }, trains: false },
  ])('with a $name: $trains', ({ config, billed = false, trains }) => {
    const blocks = Object.entries(config).map(([id, block]) =>
      id === 'settings' ? [id, block] : [id, { api_key: key('a'), models: ['x'], ...block }],
    )
    const { targets } = registryOf(Object.fromEntries(blocks), null, { isBilled: billed })
    expect(targets.map(({ profile }) => profile.trainsOnPrompts)).toEqual([trains])
  })
})

describe('whether a call can be billed', () => {
  const isFree = (block: object, list: readonly ListedModel[] | null = null, isBilled = false) =>
    registryOf(groq(block), list, { isBilled }).targets[0]!.profile.free

  test.each([undefined, { input: 1, output: 2 }])('a server on this machine is free, priced or not: %o', (price) => {
    const block = { models: [{ id: 'x', ...(price !== undefined && { price }) }] }
    expect(registryOf({ ollama: block }).targets[0]!.profile).toMatchObject({ free: true, local: true })
  })

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

  test.each([
    { rate: 'input', evening: rates(3, 2) },
    { rate: 'output', evening: rates(1, 4) },
  ])('is noticed when it changes for the $rate alone', ({ evening }) => {
    const windows = [rates(1, 2), { ...evening, daily: { start: 0.75 * DAY, end: 0.25 * DAY } }]
    const config = groq({ free: false, models: ['x'] })
    const registry = registryOf(config, null, { lookup: () => ({ source: 'list', windows }) })
    expect([NOW, NOW + 0.4 * DAY].map((at) => registry.hasOldPrices(at))).toEqual([false, true])
  })

  test('is not looked for where it cannot change', () => {
    const registry = registryOf(groq({ free: false, models: ['y'] }), null, { lookup })
    for (let hour = 0; hour < 24; hour++) expect(registry.hasOldPrices(NOW + hour * 3_600_000)).toBe(false)
  })
})
