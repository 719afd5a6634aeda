import { describe, expect, test } from 'vitest'
import { fixedSampleSize } from '../../test/support/fixedSampleSize.ts'
import { driftFor, horizonBound, mixtureRadius, mixtureRho2 } from './confidence.ts'
import { successInterval } from './guard.ts'
import { logFactorial, normalCdf, normalQuantile } from './normal.ts'

// R: pnorm(x).
for (const [x, p] of [
  [0, 0.5],
  [1.959963984540054, 0.975],
  [-3, 0.0013498980316300946],
  [-6, 9.865876450376946e-10],
  [-10, 7.619853024160527e-24],
  [40, 1],
] as const)
  test(`normalCdf(${x})`, () => expect(Math.abs(normalCdf(x) / p - 1)).toBeLessThan(1e-8))

test('normalQuantile() inverts normalCdf()', () => {
  for (const p of [1e-9, 0.0125, 0.3, 0.5, 0.8, 0.999]) expect(normalCdf(normalQuantile(p))).toBeCloseTo(p, 10)
})

test('logFactorial() joins Stirling’s series without a step', () => {
  expect(logFactorial(10)).toBeCloseTo(Math.log(3_628_800), 9)
  expect(logFactorial(20)).toBeCloseTo(Math.log(2_432_902_008_176_640_000), 9)
  expect(logFactorial(0)).toBe(0)
})

describe('boundaries', () => {
  test('the bound to the horizon of 5 % is 2.2414 standard errors', () =>
    expect(horizonBound(0.05)).toBeCloseTo(2.2414, 4))

  test('finding an effect in 80 % of cases needs little more than a single look does', () => {
    const inflation = (driftFor(0.8, horizonBound(0.05)) / (1.959964 + 0.841621)) ** 2
    expect(inflation).toBeGreaterThan(1)
    expect(inflation).toBeLessThan(1.07)
  })

  test('a single look needs 1,570 each to tell 50 % from 55 % (the textbook example, unpooled at 50 %)', () =>
    expect(fixedSampleSize(0.05, Math.SQRT1_2, 0.05, 0.8)).toBeCloseTo(1_569.8, 0))

  test('the mixture is tightest, relative to a single look, near the time it is tuned for', () => {
    const relative = (t: number) => mixtureRadius(t, 1, 0.05, mixtureRho2(1_000, 0.05)) * Math.sqrt(t)
    expect(relative(1_000)).toBeLessThan(relative(100))
    expect(relative(1_000)).toBeLessThan(relative(10_000))
    expect(relative(1_000)).toBeCloseTo(3.03, 1)
  })
})

describe('successInterval()', () => {
  test('after ten failures and no success the rate is at most 51 %', () => {
    // (1 - p)^10 = alpha / 11
    expect(successInterval(0, 10, 0.01).high).toBeCloseTo(1 - (0.01 / 11) ** 0.1, 9)
    expect(successInterval(0, 10, 0.01).low).toBe(0)
  })

  test('excludes nothing at first', () => expect(successInterval(0, 0, 0.01)).toEqual({ low: 0, high: 1 }))

  test('always contains the observed rate and shrinks', () => {
    let width = 1
    for (const n of [10, 100, 1_000, 100_000]) {
      const { low, high } = successInterval(0.9 * n, 0.1 * n, 0.05)
      expect(low < 0.9 && high > 0.9 && high - low < width).toBe(true)
      width = high - low
    }
  })
})
