import { expect, test } from 'vitest'
import { diceOf } from '../../test/support/experimentCases.ts'
import { isMismatch, ratioEvidence, responseEvidence } from './ratio.ts'

const HALVES = [0.5, 0.5]

test('the evidence against the shares averages 1 over all samples that they can bring', () => {
  // A martingale: sum over k of binomial(n, k) p^k (1 - p)^(n - k) times the evidence.
  for (const share of [0.5, 0.9]) {
    let sum = 0
    let binomial = 1
    for (let k = 0; k <= 20; k++) {
      sum += binomial * share ** k * (1 - share) ** (20 - k) * Math.exp(ratioEvidence([k, 20 - k], [share, 1 - share]))
      binomial = (binomial * (20 - k)) / (k + 1)
    }
    expect(sum).toBeCloseTo(1, 9)
  }
})

test('shares that hold are doubted in at most one experiment in a thousand, checked after every unit', () => {
  let doubted = 0
  for (let seed = 0; seed < 1_000; seed++) {
    const dice = diceOf(seed)
    const counts = [0, 0]
    let isDoubted = false
    for (let unit = 0; unit < 500 && !isDoubted; unit++) {
      counts[dice() < 0.5 ? 0 : 1]!++
      isDoubted = isMismatch(ratioEvidence(counts, HALVES))
    }
    if (isDoubted) doubted++
  }
  expect(doubted).toBeLessThanOrEqual(3)
})

for (const { counts, shares, isDoubted } of [
  { counts: [512, 488], shares: HALVES, isDoubted: false },
  { counts: [600, 400], shares: HALVES, isDoubted: true },
  { counts: [821, 579], shares: HALVES, isDoubted: true },
  { counts: [950, 50], shares: [0.95, 0.05], isDoubted: false },
  { counts: [900, 100], shares: [0.95, 0.05], isDoubted: true },
  { counts: [20, 0], shares: HALVES, isDoubted: true },
  { counts: [0, 0], shares: HALVES, isDoubted: false },
])
  test(`${counts.join(' and ')} units ${isDoubted ? 'do not fit' : 'fit'} shares of ${shares.join(' and ')}`, () =>
    expect(isMismatch(ratioEvidence(counts, shares))).toBe(isDoubted))

test('an equal rate of reports is no reason for doubt, however low; an unequal one is, also close to all', () => {
  const doubted = (reported: readonly number[]) =>
    isMismatch(responseEvidence({ assigned: [1_000, 1_000], reported }, HALVES))
  expect([doubted([30, 28]), doubted([500, 490]), doubted([1_000, 1_000])]).toEqual([false, false, false])
  expect([doubted([120, 300]), doubted([580, 700]), doubted([1_000, 970])]).toEqual([true, true, true])
})
