import { describe, expect, test } from 'vitest'
import { amountOf } from './quotaNeed.ts'

describe('amountOf()', () => {
  const inParts = { requests: 3, inputTokens: 10, outputTokens: 5 }

  test.each([
    ['requests', 3],
    ['tokens', 15],
    ['input-tokens', 10],
    ['output-tokens', 5],
    // One after the other.
    ['concurrency', 1],
    ['usd', 0],
  ] as const)('of a request in three parts takes of %s: %i', (unit, amount) => {
    expect(amountOf(inParts, unit)).toBe(amount)
  })

  test('of nothing takes nothing', () => {
    expect(amountOf({ requests: 0, inputTokens: 0, outputTokens: 0 }, 'concurrency')).toBe(0)
  })
})
