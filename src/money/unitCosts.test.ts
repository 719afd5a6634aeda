import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Usage } from '../domain/chat.ts'
import { costOf } from './cost.ts'
import { flat } from './price.ts'
import { SEARCHES, worstOfUnits } from './unitCosts.ts'

const NOON = Date.UTC(2026, 10, 23, 12)
const NO_TOKENS: Usage = { inputTokens: 0, outputTokens: 0, totalTokens: 0, estimated: false }

const someUnits = fc.record({
  characters: fc.nat(10_000),
  images: fc.nat(100),
  searches: fc.nat(100),
  audioSeconds: fc.double({ min: 0, max: 40_000, noNaN: true }),
})
const somePrice = fc.record({
  input: fc.constant(0),
  output: fc.constant(0),
  request: fc.constantFrom(0, 0.001),
  characters: fc.integer({ min: 1, max: 300 }),
  image: fc.constantFrom(0.0001, 0.04, 1),
  audioHour: fc.constantFrom(0.04, 0.111, 0.36, 4.8),
  leastAudioSeconds: fc.constantFrom(0, 10),
  tools: fc.record({ [SEARCHES]: fc.constantFrom(0.025, 2, 2.5) }),
})

test('nothing that was used of what was asked for costs more than the worst case', () => {
  fc.assert(
    fc.property(someUnits, somePrice, fc.double({ min: 0, max: 1, noNaN: true }), (asked, price, share) => {
      const { searches, ...rest } = asked
      const parts = {
        characters: Math.floor(rest.characters * share),
        images: Math.floor(rest.images * share),
        audioSeconds: rest.audioSeconds * share,
        serverTools: { [SEARCHES]: Math.floor(searches * share) },
      }
      const known = flat('config', price)
      const { nanoUsd } = worstOfUnits({ ...asked, characters: Math.max(1, asked.characters) }, known, NOON)
      const cost = costOf({ ...NO_TOKENS, parts }, known, NOON).nanoUsd
      expect(cost).not.toBeNull()
      expect(cost ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(nanoUsd ?? -1)
    }),
  )
})

for (const { of, need, price } of [
  { of: 'pictures without a price', need: { images: 1 }, price: { input: 0, output: 0, characters: 1 } },
  { of: 'pictures that are counted in tokens', need: { images: 1 }, price: { input: 5, output: 40 } },
  {
    of: 'a recording of any length',
    need: { audioSeconds: Number.POSITIVE_INFINITY },
    price: { input: 0, output: 0, audioHour: 1 },
  },
  { of: 'what has no units at all', need: {}, price: { input: 1, output: 1 } },
])
  test(`the most is unknown of ${of}`, () => {
    expect(worstOfUnits(need, flat('config', price), NOON).nanoUsd).toBeNull()
  })

test('what is free costs nothing, however much of it', () => {
  const free = flat('free', { input: 0, output: 0 })
  expect(worstOfUnits({ images: 9 }, free, NOON).nanoUsd).toBe(0)
  expect(worstOfUnits({ images: 9 }, null, NOON).nanoUsd).toBeNull()
})
