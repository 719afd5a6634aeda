import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Usage } from '../domain/chat.ts'
import { type CachedAttempt, Conversations, cacheUse } from './caches.ts'
import { costOf } from './cost.ts'
import { flat } from './price.ts'

const NOON = Date.UTC(2026, 10, 23, 12)

function usage(inputTokens: number, more: Partial<Usage> = {}): Usage {
  return { inputTokens, outputTokens: 10, totalTokens: inputTokens + 10, estimated: false, ...more }
}

describe('Conversations', () => {
  interface Turn {
    readonly place?: string
    readonly tokens: number
    /** Milliseconds. */
    readonly startedAt: number
    readonly at?: number
    readonly session?: string | null
  }
  const turn = ({ place = 'a', tokens, startedAt, at = startedAt, session = 's' }: Turn): CachedAttempt => ({
    place,
    startedAt,
    at,
    session,
    usage: usage(tokens),
  })
  const cases: readonly { of: string; turns: readonly Turn[]; here: number; anywhere: number }[] = [
    { of: 'its first turn', turns: [{ tokens: 10, startedAt: 0 }], here: 0, anywhere: 0 },
    {
      of: 'a turn at the same place',
      turns: [
        { tokens: 10, startedAt: 0 },
        { tokens: 30, startedAt: 1 },
      ],
      here: 10,
      anywhere: 10,
    },
    {
      of: 'a turn at another place',
      turns: [
        { tokens: 10, startedAt: 0 },
        { tokens: 30, startedAt: 1, place: 'b' },
      ],
      here: 0,
      anywhere: 10,
    },
    {
      of: 'a turn that comes back',
      turns: [
        { tokens: 10, startedAt: 0 },
        { tokens: 30, startedAt: 1, place: 'b' },
        { tokens: 50, startedAt: 2 },
      ],
      here: 10,
      anywhere: 30,
    },
    {
      of: 'a call beside one that is still running',
      turns: [
        { tokens: 10, startedAt: 0 },
        { tokens: 30, startedAt: 1, at: 9 },
        { tokens: 30, startedAt: 2 },
      ],
      here: 10,
      anywhere: 10,
    },
    {
      of: 'a turn after its client shortened it: the opening',
      turns: [
        { tokens: 10, startedAt: 0 },
        { tokens: 90, startedAt: 1 },
        { tokens: 40, startedAt: 2 },
      ],
      here: 10,
      anywhere: 10,
    },
    {
      of: 'something shorter than all before: nothing that is known',
      turns: [
        { tokens: 20, startedAt: 0 },
        { tokens: 90, startedAt: 1 },
        { tokens: 15, startedAt: 2 },
      ],
      here: 0,
      anywhere: 0,
    },
    {
      of: 'another conversation',
      turns: [
        { tokens: 10, startedAt: 0 },
        { tokens: 30, startedAt: 1, session: 'other' },
      ],
      here: 0,
      anywhere: 0,
    },
    {
      of: 'calls outside of any conversation',
      turns: [
        { tokens: 10, startedAt: 0, session: null },
        { tokens: 30, startedAt: 1, session: null },
      ],
      here: 0,
      anywhere: 0,
    },
  ]
  for (const { of, turns, here, anywhere } of cases)
    test(of, () => {
      const conversations = new Conversations()
      expect(turns.map((one) => conversations.sentBefore(turn(one))).at(-1)).toEqual({ here, anywhere })
    })
})

describe('cacheUse()', () => {
  const price = flat('config', { input: 3, output: 15, cachedInput: 0.3, cacheWrite: 3.75, cacheWrite1h: 6 })

  test('counts what was written for an hour first as the beginning of what was missed', () => {
    const told = usage(2000, { cacheWriteTokens: 1800, parts: { cacheWrite1hTokens: 500 } })
    const { missed, saved } = cacheUse(told, { here: 700, anywhere: 700 }, price, NOON)
    expect(missed).toEqual({ tokens: 700, nanoUsd: 500 * 5_700 + 200 * 3_450 })
    expect(saved).toEqual({ tokens: 1800, nanoUsd: -(500 * 3_000 + 1300 * 750) })
  })

  test('goes by the tier that was billed', () => {
    const { missed } = cacheUse(
      usage(2000, { cachedInputTokens: 0, parts: { serviceTier: 'batch' } }),
      { here: 1000, anywhere: 1000 },
      { ...price, tiers: { batch: 0.5 } },
      NOON,
    )
    expect(missed.nanoUsd).toBe(1000 * 1_350)
  })

  test('is not made unknown by parts that no cache holds, but by a tier of unknown price', () => {
    const parts = { serverTools: { web_search: 3 }, output: { audio: 5 } }
    const amounts = (told: Usage) => cacheUse(told, { here: 100, anywhere: 100 }, price, NOON).missed.nanoUsd
    expect(amounts(usage(200, { parts }))).toBe(270_000)
    expect(amounts(usage(200, { parts: { ...parts, serviceTier: 'scale' } }))).toBeNull()
  })

  test('goes by the price table where the provider reports its cost', () => {
    const told = usage(1000, { cachedInputTokens: 400, reportedCostUsd: 0.5 })
    expect(cacheUse(told, { here: 0, anywhere: 0 }, price, NOON).saved.nanoUsd).toBe(400 * 2_700)
  })

  test('adds up: what was paid, less all that was missed, is the price of a hit', () => {
    const sizes = fc.record({
      fresh: fc.integer({ min: 0, max: 5000 }),
      read: fc.integer({ min: 0, max: 5000 }),
      minutes: fc.integer({ min: 0, max: 5000 }),
      hour: fc.integer({ min: 0, max: 5000 }),
      here: fc.option(fc.integer({ min: 0, max: 1 << 14 }), { nil: 0 }),
      more: fc.integer({ min: 0, max: 5000 }),
      flex: fc.boolean(),
    })
    fc.assert(
      fc.property(sizes, ({ fresh, read, minutes, hour, here, more, flex }) => {
        const inputTokens = fresh + read + minutes + hour
        const before = { here: Math.min(here, inputTokens), anywhere: Math.min(here + more, inputTokens) }
        const parts = { cacheWrite1hTokens: hour, ...(flex && { serviceTier: 'flex' }) }
        const told = usage(inputTokens, { cachedInputTokens: read, cacheWriteTokens: minutes + hour, parts })
        const tiered = { ...price, tiers: { flex: 0.5 } }
        const { missed, moved, saved } = cacheUse(told, before, tiered, NOON)
        const cost = (of: Usage) => costOf(of, tiered, NOON).nanoUsd ?? expect.fail()
        expect(read + missed.tokens + moved.tokens).toBe(Math.max(read, before.anywhere))
        for (const { nanoUsd } of [missed, moved, saved]) expect(Number.isSafeInteger(nanoUsd)).toBe(true)
        expect(missed.nanoUsd).toBeGreaterThanOrEqual(0)
        expect(moved.nanoUsd).toBeGreaterThanOrEqual(0)
        const spared = (missed.nanoUsd ?? 0) + (moved.nanoUsd ?? 0)
        const allRead = usage(inputTokens, {
          cachedInputTokens: inputTokens,
          parts: flex ? { serviceTier: 'flex' } : {},
        })
        if (before.anywhere === inputTokens)
          expect(Math.abs(cost(told) - spared - cost(allRead))).toBeLessThanOrEqual(3)
        const uncached = usage(inputTokens, { parts: flex ? { serviceTier: 'flex' } : {} })
        expect(Math.abs((saved.nanoUsd ?? 0) + cost(told) - cost(uncached))).toBeLessThanOrEqual(1)
      }),
    )
  })
})
