import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Usage } from '../domain/chat.ts'
import type { Contract } from './contract.ts'
import { costOf } from './cost.ts'
import { amountUsed, withFreeQuota } from './freeCost.ts'
import type { FreeAmount } from './freeCount.ts'
import type { FreeTerms } from './freeQuota.ts'
import type { Price, UserPrice } from './price.ts'
import { Prices } from './prices.ts'

const AT = Date.parse('2026-11-23T12:00:00Z')
const daily = { per: 'day', timezone: 'UTC' } as const
const usage = (inputTokens: number, outputTokens: number, more: Partial<Usage> = {}): Usage => ({
  inputTokens,
  outputTokens,
  totalTokens: inputTokens + outputTokens,
  estimated: false,
  ...more,
})

const usual: UserPrice = { input: 2, output: 8, request: 0.001, tools: { web_search: 10 } }

function priceWith(free: Partial<FreeTerms>, userPrice = usual, more: Contract = {}): Price {
  const contract = { ...more, free: [{ ...daily, ...free }] }
  return new Prices().priceOf({ provider: 'p', model: 'm', free: false, local: false, userPrice, contract })!
}

/** Of an attempt of which so much was free; without `free`, all that fits. */
function cost(price: Price, used: Usage, free?: FreeAmount) {
  const gross = costOf(used, price, AT)
  const quota = price.free!.quota
  const amount = amountUsed(quota, used, gross, 1)
  const share = free ?? { least: Math.min(amount.most, quota.limit), most: Math.min(amount.most, quota.limit) }
  return withFreeQuota(gross, used, price, AT, { used: amount, free: share })
}

const exactly = (amount: number) => ({ least: amount, most: amount })
const one = usage(1000, 500)

describe('a call within a free quota', () => {
  test('of tokens costs the request, and what is no token', () => {
    const price = priceWith({ tokens: 10_000 })
    expect(cost(price, one)).toEqual({ nanoUsd: 1_000_000, source: `${price.source} free quota`, reported: false })
    const searching = usage(1000, 500, { parts: { serverTools: { web_search: 2 } } })
    expect(cost(price, searching).nanoUsd).toBe(1_000_000 + 20_000_000)
  })

  test('of requests costs what is neither token nor request', () => {
    expect(cost(priceWith({ requests: 10 }), one).nanoUsd).toBe(0)
  })

  test('of a credit costs nothing, tools included', () => {
    const price = priceWith({ usd: 1 })
    const searching = usage(1000, 500, { parts: { serverTools: { web_search: 2 } } })
    expect(cost(price, searching)).toMatchObject({ nanoUsd: 0, source: `${price.source} free quota` })
  })
})

describe('a call beyond a free quota', () => {
  test('costs what it always does, and its source says nothing else', () => {
    const price = priceWith({ tokens: 10_000 })
    expect(cost(price, one, exactly(0))).toEqual(costOf(one, price, AT))
  })

  test('of which a part is free is known within bounds, because nobody says which tokens were free', () => {
    const price = priceWith({ tokens: 300 })
    const gross = 1_000_000 + 1000 * 2000 + 500 * 8000
    expect(cost(price, one)).toEqual({
      nanoUsd: null,
      range: { atLeast: gross - 300 * 8000, atMost: gross - 300 * 2000 },
      source: `${price.source} free quota in part`,
      reported: false,
    })
  })

  test('is known exactly where tokens cost the same, and where the quota is a credit', () => {
    const same = priceWith({ tokens: 300 }, { input: 2, output: 2 })
    expect(cost(same, one)).toMatchObject({ nanoUsd: 1200 * 2000, source: `${same.source} free quota in part` })
    expect(cost(priceWith({ usd: 0.005 }), one).nanoUsd).toBe(7_000_000 - 5_000_000)
  })

  test('may be free or not where that is not known', () => {
    const price = priceWith({ tokens: 10_000 })
    expect(cost(price, one, { least: 0, most: 1500 }).range).toEqual({ atLeast: 1_000_000, atMost: 7_000_000 })
  })
})

test('what the provider reports is not changed, and an unknown cost stays unknown', () => {
  const price = priceWith({ tokens: 10_000 })
  const reported = usage(1000, 500, { reportedCostUsd: 0.5 })
  expect(cost(price, reported)).toMatchObject({ nanoUsd: 0.5e9, source: 'reported' })
  expect(cost(price, usage(Number.NaN, 1))).toMatchObject({ nanoUsd: null })
})

test('what was only estimated may have used less of the quota', () => {
  const { quota } = priceWith({ tokens: 10_000 }).free!
  const estimated = usage(1000, 500, { estimated: true })
  expect(amountUsed(quota, estimated, costOf(estimated, null, AT), 1)).toEqual({ least: 0, most: 1500 })
})

test('of the entries of a contract the first that covers a model counts', () => {
  const free = [
    { ...daily, tokens: 1, models: ['x*'] },
    { ...daily, tokens: 2, models: ['m*'] },
    { ...daily, tokens: 3 },
  ]
  const facts = { provider: 'p', account: 'a', free: false, local: false, userPrice: usual, contract: { free } }
  const limits = ['xl', 'm', 'y'].map((model) => new Prices().priceOf({ ...facts, model })?.free?.quota.limit)
  expect(limits).toEqual([1, 2, 3])
})

test('whichever tokens were free, the cost is within what is told', () => {
  const rate = fc.integer({ min: 0, max: 50 })
  const rates = fc.record({ input: rate, output: rate, cachedInput: rate, cacheWrite: rate, reasoning: rate })
  const counts = fc.array(fc.noBias(fc.nat(1000)), { minLength: 5, maxLength: 5 })
  const shares = fc.array(fc.noBias(fc.nat(1000)), { minLength: 5, maxLength: 5 })
  fc.assert(
    fc.property(rates, counts, shares, fc.nat(500), fc.nat(500), (userPrice, all, free, less, more) => {
      const [fresh = 0, cachedInputTokens = 0, cacheWriteTokens = 0, text = 0, reasoningTokens = 0] = all
      const used = usage(fresh + cachedInputTokens + cacheWriteTokens, text + reasoningTokens, {
        cachedInputTokens,
        cacheWriteTokens,
        reasoningTokens,
      })
      const { input, output, cachedInput, cacheWrite, reasoning } = userPrice
      const ofKind = [input, cachedInput, cacheWrite, output, reasoning]
      const given = all.map((count, kind) => Math.min(count, free[kind]!))
      const billed = all.reduce((sum, count, kind) => sum + (count - given[kind]!) * ofKind[kind]! * 1000, 0)
      const total = given.reduce((sum, count) => sum + count, 0)
      const share = { least: Math.max(0, total - less), most: Math.min(used.totalTokens, total + more) }
      const { nanoUsd, range } = cost(priceWith({ tokens: 1e6 }, userPrice), used, share)
      expect(range?.atLeast ?? nanoUsd).toBeLessThanOrEqual(billed)
      expect(range?.atMost ?? nanoUsd).toBeGreaterThanOrEqual(billed)
    }),
    { numRuns: 500 },
  )
})
