import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Modality, Usage, UsageParts } from '../domain/chat.ts'
import { costOf, worstCase } from './cost.ts'
import { loadGenaiPrices } from './genaiPrices.ts'
import { flat, type UserPrice } from './price.ts'
import { Prices } from './prices.ts'

const FLEX = { flex: 0.5 }
const prices = new Prices({ lookup: await loadGenaiPrices() })
const NOON = Date.parse('2026-11-23T12:00:00Z')
const usageOf = (inputTokens: number, outputTokens: number, parts: UsageParts, more: Partial<Usage> = {}): Usage => ({
  inputTokens,
  outputTokens,
  totalTokens: inputTokens + outputTokens,
  estimated: false,
  ...more,
  parts,
})
const listed = (model: string) => {
  const [provider = '', ...name] = model.split('/')
  return prices.priceOf({ provider, model: name.join('/'), free: false, local: false })
}

/** The router's fee, and what the tokens cost at $1 and $10 per million. */
describe('a fee that comes on top of the tokens', () => {
  const price = flat('config', { input: 1, output: 10, tiers: { flex: 0.5 } })
  const usage = (parts: UsageParts) => usageOf(1_000, 100, parts)
  for (const { name, parts, nanoUsd } of [
    { name: 'is added', parts: { feeUsd: 0.00015 }, nanoUsd: 2_150_000 },
    { name: 'is rounded with them, not before', parts: { feeUsd: 0.0000000005 }, nanoUsd: 2_000_001 },
    { name: 'does not change with the tier', parts: { feeUsd: 0.00015, serviceTier: 'flex' }, nanoUsd: 1_150_000 },
    { name: 'may be as large as any cost', parts: { feeUsd: 9_999.123456789 }, nanoUsd: 9_999_125_456_789 },
  ] as { name: string; parts: UsageParts; nanoUsd: number }[])
    test(name, () => {
      expect(costOf(usage(parts), price, NOON)).toMatchObject({ nanoUsd, source: 'config + reported fee' })
    })

  test('is what a free model costs', () => {
    const free = new Prices().priceOf({ provider: 'openrouter', model: 'some/model:free', free: false, local: false })
    expect(costOf(usage({ feeUsd: 0.00015 }), free, NOON).nanoUsd).toBe(150_000)
  })

  test('is not taken off by a free quota or a discount', () => {
    const facts = { provider: 'openrouter', model: 'm', free: false, local: false, userPrice: { input: 1, output: 10 } }
    const half = new Prices().priceOf({ ...facts, contract: { times: 0.5 } })
    expect(costOf(usage({ feeUsd: 0.00015 }), half, NOON).nanoUsd).toBe(1_150_000)
  })

  test('counts for nothing beside the whole cost', () => {
    const told = { ...usage({ feeUsd: 0.5 }), reportedCostUsd: 0.25 }
    expect(costOf(told, price, NOON)).toMatchObject({ nanoUsd: 250_000_000, source: 'reported' })
  })
})

describe('parts with a rate of their own on the price list (by hand, in nano-USD)', () => {
  for (const { of, model, usage, nanoUsd, by } of [
    {
      of: 'an hour in the cache of Claude Sonnet 4.5',
      model: 'anthropic/claude-sonnet-4-5',
      usage: usageOf(100_000, 0, { cacheWrite1hTokens: 100_000 }, { cacheWriteTokens: 100_000 }),
      nanoUsd: 600_000_000,
      by: '100000*6',
    },
    {
      of: 'both lifetimes of Claude Haiku 4.5',
      model: 'anthropic/claude-haiku-4-5',
      usage: usageOf(1_000, 10, { cacheWrite1hTokens: 300 }, { cacheWriteTokens: 800, cachedInputTokens: 100 }),
      nanoUsd: 1_385_000,
      by: '100*1 + 100*0.1 + 500*1.25 + 300*2 + 10*5',
    },
    {
      of: 'Claude above 200,000 tokens',
      model: 'anthropic/claude-sonnet-4-5',
      usage: usageOf(250_000, 0, { cacheWrite1hTokens: 50_000 }, { cacheWriteTokens: 50_000 }),
      nanoUsd: 1_800_000_000,
      by: '200000*6 + 50000*12',
    },
    {
      of: 'searches of Claude',
      model: 'anthropic/claude-sonnet-4-5',
      usage: usageOf(1_000, 100, { serverTools: { web_search: 3 } }),
      nanoUsd: 34_500_000,
      by: '1000*3 + 100*15 + 3*10/1000 USD',
    },
    {
      of: 'audio that Gemini 2.5 Flash hears',
      model: 'google/gemini-2.5-flash',
      usage: usageOf(100_010, 0, { input: { audio: 100_000 } }),
      nanoUsd: 100_003_000,
      by: '10*0.3 + 100000*1',
    },
    {
      of: 'cached audio of Gemini 2.5 Flash',
      model: 'google/gemini-2.5-flash',
      usage: usageOf(1_000, 0, { input: { audio: 900 }, cached: { audio: 400 } }, { cachedInputTokens: 450 }),
      nanoUsd: 556_500,
      by: '50*0.3 + 500*1 + 50*0.03 + 400*0.1',
    },
    {
      of: 'audio that Gemini 2.5 Pro hears, which is billed as text',
      model: 'google/gemini-2.5-pro',
      usage: usageOf(1_000, 10, { input: { audio: 900 } }),
      nanoUsd: 1_350_000,
      by: '1000*1.25 + 10*10',
    },
    {
      of: 'pictures and films that Gemini sees',
      model: 'google/gemini-2.5-flash',
      usage: usageOf(1_000, 0, { input: { image: 258, video: 300 } }),
      nanoUsd: 300_000,
      by: '1000*0.3',
    },
    {
      of: 'a picture that Gemini draws',
      model: 'google/gemini-2.5-flash-image',
      usage: usageOf(10, 1_300, { output: { image: 1_290 } }),
      nanoUsd: 38_728_000,
      by: '10*0.3 + 10*2.5 + 1290*30',
    },
    {
      of: 'audio in and out of gpt-realtime',
      model: 'openai/gpt-realtime',
      usage: usageOf(100, 50, { input: { audio: 80 }, output: { audio: 40 } }),
      nanoUsd: 5_360_000,
      by: '20*4 + 80*32 + 10*16 + 40*64',
    },
    {
      of: 'searches of GPT in the web and in files',
      model: 'openai/gpt-5.1',
      usage: usageOf(1_000, 100, { serverTools: { web_search: 2, file_search: 4 } }),
      nanoUsd: 32_250_000,
      by: '1000*1.25 + 100*10 + 2*10/1000 USD + 4*2.5/1000 USD',
    },
  ])
    test(`${of}: ${by}`, () => {
      const cost = costOf(usage, listed(model), NOON)
      expect(cost).toEqual({ nanoUsd, source: 'genai-prices 0.1.8 2026-09-23', reported: false })
    })
})

describe('parts without a known rate make the cost unknown, from what is known of it to what it can be', () => {
  for (const { of, model, usage, atLeast, atMost } of [
    {
      of: 'audio said by a model whose list has a price of text only',
      model: 'openai/gpt-4o-audio-preview',
      usage: usageOf(17, 592, { output: { audio: 482 } }),
      atLeast: 5_962_500,
      atMost: 97_542_500,
    },
    {
      of: 'a tier that goes first',
      model: 'openai/gpt-5.4-mini',
      usage: usageOf(100_000, 10_000, { serviceTier: 'priority' }),
      atLeast: 120_000_000,
      atMost: 720_000_000,
    },
    {
      of: 'a tier that may wait',
      model: 'openai/gpt-5.4-mini',
      usage: usageOf(100_000, 10_000, { serviceTier: 'flex' }),
      atLeast: 60_000_000,
      atMost: 120_000_000,
    },
    {
      of: 'a tool nobody knows',
      model: 'openai/gpt-5.1',
      usage: usageOf(1_000, 0, { serverTools: { toString: 2 } }),
      atLeast: 1_250_000,
      atMost: 101_250_000,
    },
    {
      of: 'pictures that are counted one by one',
      model: 'openai/gpt-5.1',
      usage: usageOf(1_000, 0, { images: 2 }),
      atLeast: 1_250_000,
      atMost: 2_001_250_000,
    },
  ])
    test(of, () => {
      const { nanoUsd, range } = costOf(usage, listed(model), NOON)
      expect([nanoUsd, range]).toEqual([null, { atLeast, atMost }])
    })

  test('nothing of a model without a price', () => {
    const cost = costOf(usageOf(10, 10, { serviceTier: 'flex' }), null, NOON)
    expect(cost).toEqual({ nanoUsd: null, source: 'unknown', reported: false })
  })
})

test('a tier whose price the provider documents is priced', () => {
  const price = prices.priceOf({ provider: 'openai', model: 'gpt-5.4-mini', free: false, local: false, tiers: FLEX })
  expect(costOf(usageOf(100_000, 10_000, { serviceTier: 'flex' }), price, NOON).nanoUsd).toBe(60_000_000)
})

test('a tool whose price the provider documents is priced', () => {
  const facts = {
    provider: 'anthropic',
    model: 'claude-sonnet-4-5',
    free: false,
    local: false,
    tools: { web_fetch: 0 },
  }
  const usage = usageOf(1_000, 0, { serverTools: { web_fetch: 3, web_search: 1 } })
  expect(costOf(usage, prices.priceOf(facts), NOON).nanoUsd).toBe(13_000_000)
})

describe("the user's own prices", () => {
  const own = (more: Partial<UserPrice>) => flat('config', { input: 2, output: 8, ...more })

  test('of parts, tools and tiers', () => {
    const price = own({ inputAudio: 10, outputAudio: 20, tools: { web_search: 25 }, tiers: { priority: 1.75 } })
    const parts = {
      input: { audio: 50 },
      output: { audio: 5 },
      serverTools: { web_search: 1 },
      serviceTier: 'priority',
    }
    // 1.75 * (50*2 + 50*10 + 5*8 + 5*20) USD per million, and a search.
    expect(costOf(usageOf(100, 10, parts), price, NOON).nanoUsd).toBe(26_295_000)
  })

  test("a server of one's own costs nothing, whatever is used", () => {
    const local = prices.priceOf({ provider: 'mine', model: 'm', free: false, local: true })
    const usage = usageOf(10, 10, { serviceTier: 'priority', serverTools: { web_search: 1 }, output: { audio: 3 } })
    expect(costOf(usage, local, NOON).nanoUsd).toBe(0)
  })

  test('a free model bills no token, and may bill a search', () => {
    const free = prices.priceOf({ provider: 'openrouter', model: 'x:free', free: false, local: false })
    expect(costOf(usageOf(10, 10, { output: { audio: 3 } }), free, NOON).nanoUsd).toBe(0)
    expect(costOf(usageOf(10, 10, { serverTools: { web_search: 1 } }), free, NOON).nanoUsd).toBeNull()
  })
})

const count = fc.integer({ min: 0, max: 100_000 })
const kinds = fc.record({ audio: count, image: count, video: count }, { requiredKeys: [] })
const anyParts = fc.record(
  {
    cacheWrite1hTokens: count,
    input: kinds,
    cached: kinds,
    output: kinds,
    serverTools: fc.dictionary(fc.constantFrom('web_search', 'file_search', 'other'), fc.integer({ min: 0, max: 9 })),
    serviceTier: fc.constantFrom('flex', 'batch', 'priority', 'fast', 'nobody-knows'),
  },
  { requiredKeys: [] },
)
const anyModel = fc.constantFrom(
  'openai/gpt-5.1',
  'openai/gpt-realtime',
  'openai/gpt-4o-audio-preview',
  'anthropic/claude-sonnet-4-5',
  'google/gemini-2.5-flash',
)

describe('properties of any usage', () => {
  test('what is known is never above what it can be, and parts beyond their whole change nothing twice', () => {
    fc.assert(
      fc.property(count, count, anyParts, anyModel, (inputTokens, outputTokens, parts, model) => {
        const cached = Math.floor(inputTokens / 3)
        const usage = usageOf(inputTokens, outputTokens, parts, { cachedInputTokens: cached, cacheWriteTokens: cached })
        const { nanoUsd, range } = costOf(usage, listed(model), NOON)
        const [least, most] = range === undefined ? [nanoUsd, nanoUsd] : [range.atLeast, range.atMost]
        expect(least).toBeGreaterThanOrEqual(0)
        expect(most).toBeGreaterThanOrEqual(least ?? Number.NaN)
      }),
    )
  })

  test('the worst case that was put aside is never below what tokens of the announced kinds and tier, and tools, can cost', () => {
    fc.assert(
      fc.property(count, count, anyParts, anyModel, (inputTokens, outputTokens, parts, model) => {
        const usage = usageOf(inputTokens, outputTokens, parts, { cacheWriteTokens: Math.floor(inputTokens / 2) })
        const kindsIn = (of: object | undefined) => new Set(Object.keys(of ?? {}) as Modality[]) // of the record above
        const need = {
          inputTokens,
          maxOutputTokens: outputTokens,
          parts: {
            serviceTier: parts.serviceTier,
            input: new Set([...kindsIn(parts.input), ...kindsIn(parts.cached)]),
            output: kindsIn(parts.output),
            cachesLong: parts.cacheWrite1hTokens !== undefined,
            serverTools: parts.serverTools,
          },
        }
        const profile = { contextTokens: null, maxOutputTokens: null }
        const { nanoUsd, range } = costOf(usage, listed(model), NOON)
        const aside = worstCase(need, listed(model), profile, NOON).nanoUsd
        expect(aside).toBeGreaterThanOrEqual(range?.atMost ?? nanoUsd ?? Number.NaN)
      }),
    )
  })
})
