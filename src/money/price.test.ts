import { readFileSync } from 'node:fs'
import { calcPrice, findProvider } from '@pydantic/genai-prices'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { costOf } from './cost.ts'
import { GENAI_PRICES, loadGenaiPrices } from './genaiPrices.ts'
import { NEWER_PRICES } from './newerPrices.ts'
import { flat, ratesAt } from './price.ts'
import { type PriceFacts, Prices } from './prices.ts'

const lookup = await loadGenaiPrices()
const tracker = new Prices({
  overrides: { 'groq/my-tune': { input: 1, output: 2 }, 'openai/gpt-5.1': { input: 9, output: 9 } },
  lookup,
})
const facts = (model: string, more: Partial<PriceFacts> = {}): PriceFacts => {
  const [provider = '', ...rest] = model.split('/')
  return { provider, model: rest.join('/'), free: false, local: false, ...more }
}
const AT = Date.parse('2026-11-23T12:00:00Z')

describe('Prices uses, in this order of precedence,', () => {
  for (const { name, of, source } of [
    {
      name: 'the price beside the model',
      of: facts('groq/x', { userPrice: { input: 1, output: 1 } }),
      source: /^config [0-9a-f]{8}$/,
    },
    {
      name: 'an override, also for a free key',
      of: facts('groq/my-tune', { free: true }),
      source: /^config [0-9a-f]{8}$/,
    },
    { name: 'an override over the list', of: facts('openai/gpt-5.1'), source: /^config [0-9a-f]{8}$/ },
    { name: 'a local server', of: facts('ollama/llama3', { local: true }), source: 'local' },
    { name: 'a free key', of: facts('groq/llama-3.3-70b-versatile', { free: true }), source: 'free' },
    { name: 'a :free model', of: facts('openrouter/meta-llama/llama-3.3-70b-instruct:free'), source: 'free' },
    { name: 'the dated list', of: facts('groq/llama-3.3-70b-versatile'), source: 'genai-prices 0.1.8 2026-09-23' },
    {
      name: 'our catalogue',
      of: facts('nvidia/x', { cataloguePrice: { input: 1, output: 1 } }),
      source: /^catalogue [0-9a-f]{8}$/,
    },
  ])
    test(name, () => expect(tracker.priceOf(of)?.source).toMatch(source))
})

for (const model of [
  'groq/no-such-model',
  'alibaba/qwen3-max',
  'my-openai-proxy/gpt-5.1',
  'mistral/mistral-ocr-latest',
])
  test(`Prices has no price for ${model}`, () => expect(tracker.priceOf(facts(model))).toBeNull())

for (const provider of ['xai/grok-3-mini', 'moonshot/kimi-k3'])
  test(`Prices finds ${provider} although the list spells the provider differently`, () =>
    expect(tracker.priceOf(facts(provider))).not.toBeNull())

test('Prices looks up each model once', () => {
  let asked = 0
  const counting = new Prices({
    lookup: () => {
      asked++
      return flat('list', { input: 1, output: 1 })
    },
  })
  for (let i = 0; i < 5; i++) counting.priceOf(facts('groq/a'))
  expect(asked).toBe(1)
})

test('a negative catalogue price is not a price', () => {
  expect(tracker.priceOf(facts('nvidia/x', { cataloguePrice: { input: -1, output: -1 } }))).toBeNull()
})

describe('ratesAt()', () => {
  const rates = (model: string, at: string, input = 1_000) =>
    ratesAt(tracker.priceOf(facts(model))!, Date.parse(at), input)

  for (const [time, input] of [
    ['Mon 2026-11-23T00:59:59.999', 150_000],
    ['Mon 2026-11-23T01:00:00', 300_000],
    ['Mon 2026-11-23T03:59:59', 300_000],
    ['Mon 2026-11-23T04:00:00', 150_000],
    ['Mon 2026-11-23T06:00:00', 300_000],
    ['Mon 2026-11-23T10:00:00', 150_000],
    ['Fri 2026-11-27T09:59:59', 300_000],
    ['Fri 2026-11-27T16:30:00', 150_000],
    ['Sat 2026-11-28T02:00:00', 150_000],
    ['Sun 2026-11-29T07:00:00', 150_000],
    ['Sun 2026-11-29T23:59:59', 150_000],
  ] as const)
    test(`uses DeepSeek's price of the hour on ${time} UTC`, () => {
      for (const model of ['deepseek/deepseek-flash', 'deepseek/deepseek-v4-flash'])
        expect(rates(model, `${time.slice(4)}Z`).input).toBe(input)
    })

  test("uses DeepSeek's price of the day on which V4.1 took the place of V4", () => {
    const prices = ['2026-08-16T15:59Z', '2026-08-18T05:00Z', '2026-08-18T02:00Z', '2026-09-10T05:00Z']
    expect(prices.map((at) => rates('deepseek/deepseek-v4-flash', at).output)).toEqual([
      280_000, 660_000, 1_320_000, 600_000,
    ])
    expect(rates('deepseek/deepseek-v4-pro', '2026-11-23T02:00Z')).toMatchObject({
      input: 1_320_000,
      output: 3_960_000,
    })
    expect(rates('deepseek/deepseek-v4-pro', '2026-11-28T02:00Z')).toMatchObject({ input: 660_000, output: 1_980_000 })
  })

  for (const { model, at, expected } of [
    { model: 'groq/qwen/qwen3.8-27b', at: '2026-11-23T12:00Z', expected: { input: 800_000, output: 4_000_000 } },
    { model: 'google/gemini-4-argon', at: '2026-11-30T23:59Z', expected: { input: 2_000_000, output: 10_000_000 } },
    { model: 'google/gemini-4-argon', at: '2026-12-01T00:00Z', expected: { input: 4_000_000, output: 20_000_000 } },
    { model: 'anthropic/claude-sonnet-5-5', at: '2026-11-23T12:00Z', expected: { cacheWrite: 2_500_000 } },
    { model: 'zai/glm-5.3-flash', at: '2026-11-23T12:00Z', expected: { input: 150_000, cachedInput: 30_000 } },
    { model: 'mistral/mistral-small-latest', at: '2026-11-23T12:00Z', expected: { input: 150_000, output: 600_000 } },
    { model: 'openai/gpt-6.1-sol', at: '2026-11-23T12:00Z', expected: { cacheWrite: 2_500_000, cachedInput: 100_000 } },
  ])
    test(`knows ${model}, whose price is newer than the release that npm has, at ${at}`, () => {
      expect(tracker.priceOf(facts(model))?.source).toBe('genai-prices 0.2.3 2026-11-10')
      expect(rates(model, at)).toMatchObject(expected)
    })

  test('uses the price that applied on the day', () => {
    expect(rates('openai/o3', '2025-06-09T23:59:59Z').output).toBe(40_000_000)
    expect(rates('openai/o3', '2025-06-10T00:00:00Z').output).toBe(8_000_000)
  })

  test('uses the higher tier above its input length, not at it', () => {
    expect(rates('google/gemini-3-pro-preview', '2026-11-23T12:00:00Z', 200_000).input).toBe(2_000_000)
    expect(rates('google/gemini-3-pro-preview', '2026-11-23T12:00:00Z', 200_001)).toMatchObject({
      input: 4_000_000,
      cachedInput: 400_000,
      output: 18_000_000,
    })
  })

  test('supports a daily window across midnight', () => {
    const day = 86_400_000
    const night = { from: null, daily: { start: 0.9 * day, end: 0.1 * day } }
    const plain = flat('x', { input: 1, output: 1 }).windows[0]!
    const dear = flat('x', { input: 2, output: 2 }).windows[0]!
    const price = { source: 'x', windows: [plain, { ...dear, ...night }] }
    expect([0.05, 0.5, 0.95].map((part) => ratesAt(price, AT - (AT % day) + part * day, 1).input)).toEqual([
      2_000_000, 1_000_000, 2_000_000,
    ])
  })
})

const PROVIDERS = [
  'openai',
  'anthropic',
  'google',
  'groq',
  'openrouter',
  'deepseek',
  'mistral',
  'cerebras',
  'cohere',
  'x-ai',
]
const SPARE = ['together', 'fireworks', 'azure', 'moonshotai', 'novita', 'cloudflare', 'zai', 'perplexity', 'aws']
const usages = fc
  .tuple(fc.nat(400_000), fc.nat(100_000), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(1))
  .map(([inputTokens, outputTokens, share, cached]) => ({
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    cachedInputTokens: Math.floor(inputTokens * share) * cached,
    cacheWriteTokens: Math.floor(inputTokens * share) * (1 - cached),
    reasoningTokens: Math.floor(outputTokens * share),
    estimated: false,
  }))

test('every model of the list costs what the list itself computes, to the nano-USD', () => {
  let compared = 0
  const at = fc.integer({ min: Date.parse('2025-01-01'), max: Date.parse('2027-06-01') })
  const samples = fc.sample(fc.tuple(usages, at), { numRuns: 3, seed: 7 })
  for (const provider of [...PROVIDERS, ...SPARE]) {
    for (const { id } of findProvider({ providerId: provider })!.models) {
      const price = lookup(provider, id)
      if (price === null || price.source.includes(NEWER_PRICES.version)) continue
      for (const [usage, time] of samples) {
        const theirs = calcPrice(theirUsage(usage), id, { providerId: provider, timestamp: new Date(time) })!
        expect(
          Math.abs(costOf(usage, price, time).nanoUsd! - theirs.total_price * 1e9),
          `${provider}/${id}`,
        ).toBeLessThan(1)
        compared++
      }
    }
  }
  expect(compared).toBeGreaterThan(3_000)
})

function theirUsage(usage: { [name: string]: number | boolean }): { [name: string]: number } {
  return {
    input_tokens: Number(usage['inputTokens']),
    output_tokens: Number(usage['outputTokens']),
    cache_read_tokens: Number(usage['cachedInputTokens']),
    cache_write_tokens: Number(usage['cacheWriteTokens']),
    output_reasoning_tokens: Number(usage['reasoningTokens']),
  }
}

test('the date of the price list belongs to the installed version', () => {
  const manifest = new URL('../../node_modules/@pydantic/genai-prices/package.json', import.meta.url)
  expect(JSON.parse(readFileSync(manifest, 'utf8')).version).toBe(GENAI_PRICES.version)
})

test('what is newer than the price list is newer than the installed version, or has to go', () => {
  const [older, newer] = [GENAI_PRICES, NEWER_PRICES].map(({ version }) => version.split('.').map(Number))
  const at = newer?.findIndex((part, index) => part !== older?.[index]) ?? -1
  expect(newer?.[at]).toBeGreaterThan(older?.[at] ?? Number.POSITIVE_INFINITY)
  expect(NEWER_PRICES.date > GENAI_PRICES.date).toBe(true)
})

describe('an installed price', () => {
  const listed = flat('list', { input: 1, output: 2 })
  const prices = new Prices({
    lookup: (_provider, model) => (model === 'known' ? listed : null),
    lookupDate: '2026-09-23',
  })
  const value = { input: 5, output: 6, tiers: { flex: 0.25 } }
  const facts = (model: string, checkedAt: string): PriceFacts => ({
    provider: 'p',
    model,
    free: false,
    local: false,
    installedPrice: { value, checkedAt, isAsOf: checkedAt < '2026-06-01' },
    tiers: { flex: 0.5 },
  })
  for (const { name, model, checkedAt, source } of [
    { name: 'newer than the list', model: 'known', checkedAt: '2026-11-30', source: 'facts 2026-11-30' },
    { name: 'of the same day as the list', model: 'known', checkedAt: '2026-09-23', source: 'facts 2026-09-23' },
    { name: 'older than the list', model: 'known', checkedAt: '2026-09-22', source: 'list' },
    {
      name: 'the only one, whose day is over',
      model: 'new',
      checkedAt: '2026-01-01',
      source: 'facts as of 2026-01-01',
    },
  ])
    test(`${name} gives ${source}`, () => {
      expect(prices.priceOf(facts(model, checkedAt))?.source).toMatch(new RegExp(`^${source}(?: [0-9a-f]{8})?$`))
    })

  test('keeps its own service tiers, and takes those of the documentation where it names none', () => {
    expect(prices.priceOf(facts('known', '2026-11-30'))?.tiers).toEqual({ flex: 0.25 })
    expect(prices.priceOf(facts('known', '2026-01-01'))?.tiers).toEqual({ flex: 0.5 })
  })

  test('is nothing to what is never billed', () => {
    expect(prices.priceOf({ ...facts('known', '2026-11-30'), neverBilled: true })?.isFree).toBe(true)
  })
})
