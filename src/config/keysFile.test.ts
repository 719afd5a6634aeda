import { expect, test } from 'vitest'
import { loadConfig } from './config.ts'

const key = (name: string) => `key-${name}-${'x'.repeat(12)}`

const load = (config: object, env: Record<string, string> = {}) =>
  loadConfig({ config, env, cwd: '/nowhere', home: '/nowhere', platform: 'linux' })

/** Provider ids with their keys and models: what every dialect must convey. */
const outline = (config: object, env?: Record<string, string>) =>
  load(config, env).providers.map(({ id, keys, models }) => ({
    id,
    keys: keys.map(({ index, secret }) => `${index} ${secret.reveal()}`),
    models: typeof models === 'string' ? models : models.map((model) => model.id),
  }))

const dialects = [
  {
    name: 'the flat dialect',
    config: {
      sambanova: { api_key: key('samba'), models: { production: ['llama-a'], preview: ['deep-b'] } },
      openrouter: { api_key: key('router') },
      groq: { api_key: key('groq'), model: 'model-g' },
      google: { api_keys: [key('g1'), key('g2'), key('g3')] },
      settings: { default_provider: 'auto', cycle_delay_ms: 30_000, max_cycles: 1000 },
    },
    expected: [
      { id: 'sambanova', keys: [`1 ${key('samba')}`], models: ['llama-a', 'deep-b'] },
      { id: 'openrouter', keys: [`1 ${key('router')}`], models: 'default' },
      { id: 'groq', keys: [`1 ${key('groq')}`], models: ['model-g'] },
      { id: 'google', keys: [`1 ${key('g1')}`, `2 ${key('g2')}`, `3 ${key('g3')}`], models: 'default' },
    ],
  },
  {
    name: 'the nested dialect of version 1.0.0',
    config: {
      version: '1.0.0',
      lastValidated: null,
      providers: {
        groq: {
          api_key: key('groq'),
          model: 'a',
          models: ['a', 'b'],
          endpoint: 'https://api.groq.com/openai/v1/chat/completions',
          status: 'not_validated',
          lastTested: null,
          responseTime: null,
          workingModels: [],
        },
        openrouter: { api_key: key('router'), free_models: ['f:free'], models: ['p'], avgResponseTime: 12 },
        sambanova: { api_key: key('samba'), production_models: ['x'], preview_models: ['y'] },
        google: { api_keys: [key('g1')], models: ['models/gemini-a', 'gemini-b'] },
      },
      settings: {
        auto_validate_on_change: true,
        generate_reports: true,
        notification_on_failure: false,
        test_timeout_ms: 30_000,
        test_message: 'Say hi',
      },
    },
    expected: [
      { id: 'groq', keys: [`1 ${key('groq')}`], models: ['a', 'b'] },
      { id: 'openrouter', keys: [`1 ${key('router')}`], models: ['p', 'f:free'] },
      { id: 'sambanova', keys: [`1 ${key('samba')}`], models: ['x', 'y'] },
      { id: 'google', keys: [`1 ${key('g1')}`], models: ['gemini-a', 'gemini-b'] },
    ],
  },
  {
    name: 'what a tester wrote back',
    config: {
      groq: {
        api_key: key('groq'),
        status: 'validated',
        lastTested: '2025-11-01T10:00:00.000Z',
        workingModels: ['a'],
        avgResponseTime: 900,
      },
    },
    expected: [{ id: 'groq', keys: [`1 ${key('groq')}`], models: 'default' }],
  },
  {
    name: 'a mixture, with one provider in both places and under both its names',
    config: {
      google: { api_key: key('g1') },
      providers: { gemini: { api_keys: [key('g2')], models: ['gemini-a'] }, groq: { keys: [{ key: key('groq') }] } },
      settings: {},
    },
    expected: [
      { id: 'google', keys: [`1 ${key('g1')}`, `2 ${key('g2')}`], models: ['gemini-a'] },
      { id: 'groq', keys: [`1 ${key('groq')}`], models: 'default' },
    ],
  },
  {
    name: 'a list under api_key, and the whole list of models asked for',
    config: { groq: { api_key: [key('a'), key('b')], models: 'discover' } },
    expected: [{ id: 'groq', keys: [`1 ${key('a')}`, `2 ${key('b')}`], models: 'discover' }],
  },
]

for (const { name, config, expected } of dialects) {
  test(`${name} loads unchanged and without a warning`, () => {
    expect(outline(config)).toEqual(expected)
    expect(load(config).warnings).toEqual([])
  })
}

test('everything the full form states about a key and a model is read', () => {
  const [google] = load({
    google: {
      account: 'shared',
      hours: '22-06 Europe/Madrid',
      api_keys: [
        { key: key('a'), label: 'work', account: 'b', free: true, weight: 2, budget: { usd: 5, per: 'day' } },
        key('b'),
      ],
      models: [
        'gemini-a',
        {
          id: 'gemini-b',
          price: { input: 1, output: 2 },
          context_tokens: 1000,
          abilities: { tools: true, json_schema: false },
        },
      ],
    },
  }).providers
  expect(google?.keys[0]).toMatchObject({
    index: 1,
    label: 'work',
    account: 'b',
    free: true,
    weight: 2,
    budget: { usd: 5, per: 'day', hard: true, timezone: 'UTC', onExceeded: 'fallback' },
    hours: ['22-06 Europe/Madrid'],
    source: 'config google.api_keys[0].key',
  })
  expect(google?.keys[1]).toMatchObject({ index: 2, account: 'shared', weight: 1 })
  expect(google?.models).toEqual([
    { id: 'gemini-a' },
    {
      id: 'gemini-b',
      price: { input: 1, output: 2 },
      contextTokens: 1000,
      abilities: { tools: true, jsonSchema: false },
    },
  ])
})

test('default_provider leaves only that provider, by any of its names', () => {
  const config = { groq: { api_key: key('a') }, google: { api_key: key('b') } }
  expect(outline({ ...config, settings: { default_provider: 'gemini' } }).map(({ id }) => id)).toEqual(['google'])
  expect(() => load({ ...config, settings: { default_provider: 'grok4' } })).toThrow(
    /"grok4", which has no key here.*groq, google/,
  )
})

const endpoints = [
  {
    name: "a server of one's own without a key",
    block: { endpoint: 'http://127.0.0.1:8000/v1' },
    spec: { baseUrl: 'http://127.0.0.1:8000/v1', dialect: 'openai', auth: 'none', local: true, keyCheck: 'none' },
  },
  {
    name: 'a server of one\'s own with the key "none"',
    block: { base_url: 'http://localhost:8000/v1/models', api_key: 'none' },
    spec: { baseUrl: 'http://localhost:8000/v1', auth: 'none', local: true },
  },
  {
    name: 'a server with a key, which may bill',
    block: { endpoint: 'http://127.0.0.1:8000/v1', api_key: key('a') },
    spec: { baseUrl: 'http://127.0.0.1:8000/v1', auth: 'bearer', local: false },
  },
  {
    name: 'a server without a key that has a price',
    block: { endpoint: 'http://127.0.0.1:8000/v1', models: [{ id: 'm', price: { input: 1, output: 1 } }] },
    spec: { auth: 'none', local: false },
  },
  {
    name: 'a server that speaks Anthropic',
    block: { endpoint: 'https://example.com/v1/messages', api_key: key('a'), dialect: 'anthropic' },
    spec: {
      baseUrl: 'https://example.com/v1',
      auth: 'x-api-key',
      headers: { 'anthropic-version': '2023-06-01' },
      modelsList: { path: '/models', shape: 'anthropic', public: true },
    },
  },
  {
    name: 'a server that speaks Gemini',
    block: { endpoint: 'https://example.com/v1beta', api_key: key('a'), dialect: 'gemini' },
    spec: { dialect: 'google', auth: 'x-goog-api-key', modelsList: { path: '/models', shape: 'google', public: true } },
  },
]

for (const { name, block, spec } of endpoints) {
  test(`a provider of the user's own: ${name}`, () => {
    expect(load({ mine: block }).providers[0]?.spec).toMatchObject(spec)
  })
}

test('a known provider at another address keeps its quirks, and its key goes nowhere else', () => {
  const [moved] = load({ huggingface: { api_key: key('a'), endpoint: 'https://proxy.example.com/v1' } }).providers
  expect(moved?.spec).toMatchObject({ name: 'Hugging Face', baseUrl: 'https://proxy.example.com/v1', keyCheck: 'call' })
  const [cohere] = load({ cohere: { api_key: key('a'), endpoint: 'https://proxy.example.com/v1' } }).providers
  expect(cohere?.spec).toMatchObject({ keyCheck: 'call', modelsList: { path: '/models', shape: 'openai' } })
})

test("Gemini's OpenAI-compatible address is called in that dialect", () => {
  const endpoint = 'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions'
  const [google] = load({ google: { api_key: key('a'), endpoint } }).providers
  expect(google?.spec).toMatchObject({
    dialect: 'openai',
    auth: 'bearer',
    baseUrl: endpoint.replace('/chat/completions', ''),
  })
})

test("a provider's usual address, pasted with its suffix, changes nothing", () => {
  const plain = load({ groq: { api_key: key('a') } }).providers[0]?.spec
  const pasted = load({ groq: { api_key: key('a'), endpoint: 'https://api.groq.com/openai/v1/chat/completions' } })
  expect(pasted.providers[0]?.spec).toBe(plain)
})

test('Cloudflare takes its account from the key or account_id, or needs none where an endpoint is given', () => {
  const account = '0123456789abcdef'.repeat(2)
  const secretOf = (block: object) => load({ cloudflare: block }).providers[0]?.keys[0]?.secret.reveal()
  expect(secretOf({ api_key: `${account}:token` })).toBe(`${account}:token`)
  expect(secretOf({ api_key: 'token', account_id: account })).toBe(`${account}:token`)
  expect(() => load({ cloudflare: { api_key: 'token' } })).toThrow(/does not say the account/)
  const [moved] = load({
    cloudflare: { api_key: `${account}:token`, endpoint: 'https://gate.example.com/v1' },
  }).providers
  expect(moved?.spec.quirks?.credential?.(`${account}:token`)).toEqual({ key: 'token' })
})

test("ollama is the user's own server, at an address written as in OLLAMA_HOST", () => {
  expect(load({ ollama: {} }).providers[0]?.spec).toMatchObject({
    baseUrl: 'http://127.0.0.1:11434/v1',
    auth: 'none',
    local: true,
  })
  expect(load({ ollama: { endpoint: '192.168.1.5:11434' } }).providers[0]?.spec.baseUrl).toBe(
    'http://192.168.1.5:11434/v1',
  )
})

test('a block without a key takes those of the environment, but never for an address the user gave', () => {
  const env = { GROQ_API_KEY: key('env') }
  expect(outline({ groq: { models: ['m'] } }, env)).toEqual([{ id: 'groq', keys: [`1 ${key('env')}`], models: ['m'] }])
  const [moved] = load({ groq: { endpoint: 'http://127.0.0.1:1/v1' } }, env).providers
  expect(moved?.keys.map(({ secret }) => secret.reveal())).toEqual([''])
  expect(load({ groq: {}, google: { api_key: key('a') } }).warnings).toEqual([
    'config: "groq" has no key and is left out; add "api_key" or set GROQ_API_KEY',
  ])
})

test('a key that appears twice is used once, and the warning names both locations', () => {
  const twice = load({ google: { api_key: key('a'), api_keys: [key('b'), key('a')] } })
  expect(twice.providers[0]?.keys.map(({ index }) => index)).toEqual([1, 2])
  expect(twice.warnings).toEqual(['config: "google.api_keys[1]" is the same key as google.api_key; it is left out'])
})

test('unknown fields are reported once, with the nearest name, and break nothing', () => {
  const { warnings, providers } = load({
    groq: { api_keys: [{ key: key('a'), lable: 'x' }], modles: ['m'] },
    setings: {},
    settings: { max_attemts: 3, routing: { stratgy: 'score' } },
  })
  expect(providers).toHaveLength(1)
  expect(warnings).toHaveLength(5)
  expect(warnings.join('\n')).toMatch(/groq\.api_keys\[0\]\.lable".*"label"/)
  expect(warnings.join('\n')).toMatch(/groq\.modles".*"models"/)
  expect(warnings.join('\n')).toMatch(/"setings".*"settings"/)
  expect(warnings.join('\n')).toMatch(/settings\.max_attemts".*"max_attempts"/)
  expect(warnings.join('\n')).toMatch(/settings\.routing\.stratgy".*"strategy"/)
})

test('notes and comments among the providers are ignored', () => {
  const config = { _note: 'mine', $schema: './keywise.schema.json', '//': 'x', groq: { api_key: key('a') } }
  expect(load(config).warnings).toEqual([])
})

test('a retired provider loads with a warning', () => {
  expect(load({ github: { api_key: key('a') } }).warnings.join()).toMatch(/retired since 2026-07-30/)
})

test('a provider declared by the program is used like a known one', () => {
  const spec = load({ groq: { api_key: key('a') } }).providers[0]!.spec
  const config = loadConfig({
    config: { acme: { api_key: key('b') } },
    env: {},
    cwd: '/nowhere',
    home: '/nowhere',
    platform: 'linux',
    providers: [{ ...spec, id: 'acme', name: 'Acme', baseUrl: 'https://acme.example.com/v1' }],
  })
  expect(config.providers[0]?.spec.name).toBe('Acme')
})

test('a budget of 0 and a placeholder instead of a key cause a remark', () => {
  const { warnings } = load({
    groq: { api_key: 'your-groq-key-here' },
    settings: { budgets: [{ scope: 'all', usd: 0 }] },
  })
  expect(warnings).toEqual([
    expect.stringMatching(/"groq\.api_key" looks like a placeholder/),
    expect.stringMatching(/"settings\.budgets\[0\]" is 0: nothing/),
  ])
})

test('a key that would travel unencrypted to a public address causes a remark', () => {
  const endpoint = 'http://api.example.com/v1'
  expect(load({ mine: { api_key: key('a'), endpoint } }).warnings.join()).toMatch(
    /sends the key unencrypted; use https/,
  )
  expect(load({ mine: { endpoint } }).warnings).toEqual([])
})
