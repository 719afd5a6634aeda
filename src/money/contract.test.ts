import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Usage } from '../domain/chat.ts'
import type { Contract } from './contract.ts'
import { costOf, worstCase } from './cost.ts'
import { loadGenaiPrices } from './genaiPrices.ts'
import type { UserPrice } from './price.ts'
import { type PriceFacts, Prices } from './prices.ts'

const prices = new Prices({ lookup: await loadGenaiPrices() })
const MILLION = 1_000_000
const usage = (input: number, output: number, more: Partial<Usage> = {}): Usage => ({
  inputTokens: input,
  outputTokens: output,
  totalTokens: input + output,
  estimated: false,
  ...more,
})
const at = (iso: string) => Date.parse(iso)
const NOON = at('2026-11-23T12:00:00Z')
const usual: UserPrice = { input: 2, output: 8, cachedInput: 0.5, tools: { web_search: 10 } }

const priceUnder = (contract: Contract | undefined, more: Partial<PriceFacts> = {}) =>
  prices.priceOf({ provider: 'mine', model: 'm', free: false, local: false, userPrice: usual, contract, ...more })

/** USD for a million tokens in and a million out. */
function usd(contract: Contract, when = NOON, more: Partial<PriceFacts> = {}): number | null {
  const { nanoUsd } = costOf(usage(MILLION, MILLION), priceUnder(contract, more), when)
  return nanoUsd === null ? null : nanoUsd / 1e9
}

describe('under a contract a model costs', () => {
  for (const { name, contract, model = 'm', cost } of [
    { name: 'the usual where nothing is agreed', contract: {}, cost: 10 },
    { name: 'so many times the usual', contract: { times: 0.85 }, cost: 8.5 },
    { name: 'nothing at all', contract: { times: 0 }, cost: 0 },
    { name: 'what is agreed for it', contract: { times: 0.5, models: { m: { input: 1, output: 1 } } }, cost: 2 },
    { name: 'what is agreed for its kind', contract: { models: { 'm*': { times: 0.5 } } }, model: 'mini', cost: 5 },
    { name: 'what is agreed for all', contract: { times: 0.9, models: { n: { times: 0.5 } } }, cost: 9 },
    { name: 'what the first pattern says', contract: { models: { 'm*': { times: 0.5 }, m: { times: 2 } } }, cost: 5 },
    { name: 'the usual, where its own terms say nothing', contract: { times: 0.5, models: { m: {} } }, cost: 10 },
  ] satisfies { name: string; contract: Contract; model?: string; cost: number }[])
    test(name, () => expect(usd(contract, NOON, { model })).toBe(cost))

  test('in every part: what is cached, what a tool costs, and a tier that is agreed', () => {
    const price = priceUnder({ models: { m: { times: 0.5, tiers: { priority: 2 } } } })
    const parts = { serviceTier: 'priority', serverTools: { web_search: 3 } }
    const cost = costOf(usage(MILLION, 0, { cachedInputTokens: MILLION, parts }), price, NOON)
    // Half of 0.5, twice that for the tier; three searches at half of 10 USD a thousand.
    expect(cost.nanoUsd).toBe(0.5e9 + 0.015e9)
  })

  test('nothing known, where the usual price is not', () => {
    expect(usd({ times: 0.5 }, NOON, { userPrice: null })).toBeNull()
    expect(usd({ models: { m: { input: 1, output: 1 } } }, NOON, { userPrice: null })).toBe(2)
  })

  test('nothing, with a key that is never billed', () => {
    const own = { models: { m: { input: 1, output: 1 } } }
    expect(usd(own, NOON, { userPrice: null, free: true, neverBilled: true })).toBe(0)
    expect(usd(own, NOON, { userPrice: null, local: true })).toBe(0)
  })

  test('what the provider itself reports, and no part of that', () => {
    const cost = costOf(usage(1, 1, { reportedCostUsd: 0.5 }), priceUnder({ times: 0.5 }), NOON)
    expect(cost).toEqual({ nanoUsd: 0.5e9, source: 'reported', reported: true })
  })
})

describe('at some hours it costs', () => {
  const night = { '16:30-00:30 UTC': 0.5, 'sat,sun 0-24 Europe/Madrid': 0.25 }
  for (const [when, cost] of [
    ['2026-11-23T16:29:59Z', 10],
    ['2026-11-23T16:30:00Z', 5],
    ['2026-11-24T00:29:59Z', 5],
    ['2026-11-24T00:30:00Z', 10],
    // Saturday has begun in Madrid, and of two rules the last counts.
    ['2026-11-27T22:59:59Z', 5],
    ['2026-11-27T23:00:00Z', 2.5],
    ['2026-11-29T22:59:59Z', 2.5],
    ['2026-11-29T23:00:00Z', 5],
  ] as const)
    test(`${cost} USD at ${when}`, () => expect(usd({ hours: night }, at(when))).toBe(cost))

  test('the same twice, in the hour that clocks repeat, and never in the one that they leave out', () => {
    const contract = { hours: { '02:00-03:00 Europe/Madrid': 0.5 } }
    const half = ['2026-10-25T00:00Z', '2026-10-25T00:59Z', '2026-10-25T01:00Z', '2026-10-25T01:59Z']
    expect(half.map((when) => usd(contract, at(when)))).toEqual([5, 5, 5, 5])
    expect(['2026-10-24T23:59Z', '2026-10-25T02:00Z'].map((when) => usd(contract, at(when)))).toEqual([10, 10])
    const spring = Array.from({ length: 180 }, (_, minute) => at('2026-03-28T23:30Z') + minute * 60_000)
    expect(new Set(spring.map((when) => usd(contract, when)))).toEqual(new Set([10]))
  })

  test('so many times what the list says for that hour', () => {
    const deepseek = { provider: 'deepseek', model: 'deepseek-v4-flash', userPrice: null }
    const cost = (when: string, contract: Contract) => usd(contract, at(when), deepseek) ?? 0
    for (const when of ['2026-11-28T02:00Z', '2026-11-28T05:00Z', '2026-11-27T02:00Z'])
      expect(cost(when, { hours: { 'sat,sun 1-4': 0.5 } })).toBe(
        cost(when, {}) * (when === '2026-11-28T02:00Z' ? 0.5 : 1),
      )
  })

  test('also by the price beside a model, and then so many times that by the contract', () => {
    const userPrice = { ...usual, hours: { '0-6': 0.5 } }
    const night = at('2026-11-23T03:00Z')
    expect(usd({ times: 0.9 }, night, { userPrice })).toBe(4.5)
    expect(usd({ hours: { '2-4': 0.5 } }, night, { userPrice })).toBe(2.5)
    expect(usd({ hours: { '2-4': 0.5 } }, at('2026-11-23T01:00Z'), { userPrice })).toBe(5)
  })
})

test('the worst case is the dearest hour in which an attempt could begin, however short it is', () => {
  const profile = { contextTokens: null, maxOutputTokens: null }
  const price = priceUnder({ hours: { '12:03-12:04 UTC': 7 } })
  const most = (when: string) =>
    worstCase({ inputTokens: 0, maxOutputTokens: MILLION }, price, profile, at(when)).nanoUsd
  expect(most('2026-11-23T11:50:00Z')).toBe(8e9)
  expect(most('2026-11-23T11:58:30Z')).toBe(56e9)
  expect(most('2026-11-23T12:03:59Z')).toBe(56e9)
  expect(most('2026-11-23T12:04:00Z')).toBe(8e9)
})

describe('the version of a price', () => {
  const version = (contract: Contract | undefined, more: Partial<PriceFacts> = {}) => priceUnder(contract, more)?.source
  const listed = { provider: 'openai', model: 'gpt-4.1', userPrice: null }

  test('is that of the list where the contract changes nothing', () => {
    expect(version({ models: { other: { times: 0.5 } } }, listed)).toBe('genai-prices 0.1.8 2026-09-23')
  })

  test('is a digest of the terms, and of what they change', () => {
    expect(version({ times: 0.85 }, listed)).toMatch(/^config [0-9a-f]{8}$/)
    expect(version({ times: 0.85 })).not.toBe(version({ times: 0.85 }, listed))
  })

  test('is the same for the same numbers, and another for others', () => {
    const price = fc.record({ input: fc.nat(1000), output: fc.nat(1000), times: fc.constantFrom(0.5, 0.85, 1, 2) })
    fc.assert(
      fc.property(fc.array(price, { minLength: 2, maxLength: 30 }), (list) => {
        const seen = new Map<string, number | null>()
        for (const { times, ...one } of list) {
          const userPrice = { input: one.input, output: one.output }
          const source = version({ times }, { userPrice }) ?? ''
          const cost = costOf(usage(1001, 1), priceUnder({ times }, { userPrice }), NOON).nanoUsd
          expect(seen.get(source) ?? cost).toBe(cost)
          seen.set(source, cost)
        }
      }),
      { numRuns: 50 },
    )
  })
})
