import { describe, expect, test } from 'vitest'
import type { CountReport } from './evidence.ts'
import { findMetric, type Metric } from './metric.ts'
import { betterBy, countsText, effectText, intervalText, meansText, mismatchText } from './words.ts'

const of = (name: string): Metric => {
  const clicks: Metric = { name, better: 'higher', min: -1e9, max: 1e9, minimumEffect: 0.5, scale: 'plain' }
  return findMetric(name) ?? clicks
}

describe('differences and means have units and significant digits', () => {
  for (const { metric, low, high, means, says } of [
    {
      metric: 'cost',
      low: 2.6e-5,
      high: 6.2e-5,
      means: [0.000396, 0.00044],
      says: '5.9 to 14.1 % cheaper ($0.000396 against $0.000440 a request)',
    },
    {
      metric: 'cost',
      low: 2e-10,
      high: 3e-7,
      means: [2.7e-6, 3e-6],
      says: 'up to 10 % cheaper ($0.00000270 against $0.00000300 a request)',
    },
    { metric: 'cost', low: 4, high: 9, means: [3, 10], says: '40 to 90 % cheaper ($3.00 against $10.0 a request)' },
    { metric: 'latency', low: 0.1, high: 0.29, means: [820, 1100], says: '10 to 25 % faster (820 ms against 1.10 s)' },
    {
      metric: 'quality',
      low: 0.0007,
      high: 0.16,
      means: [0.9, 0.81],
      says: 'better by 0.001 to 0.160 in quality (0.900 against 0.810 points)',
    },
    {
      metric: 'success',
      low: 0.031,
      high: 0.0822,
      means: [0.971, 0.914],
      says: 'better by 3.1 to 8.2 percentage points in success (97.1 % against 91.4 %)',
    },
    {
      metric: 'clicks',
      low: 0.512,
      high: 1.2,
      means: [5.981, 5.02],
      says: 'better by 0.51 to 1.20 in clicks (5.98 against 5.02)',
    },
    {
      metric: 'pounds',
      low: 1_234_567,
      high: 3_456_789,
      means: [1e7, 8e6],
      says: 'better by 1,230,000 to 3,460,000 in pounds (10,000,000 against 8,000,000)',
    },
  ] as const)
    test(says, () => {
      const text = `${betterBy(of(metric), { low, high }, means[1])} (${meansText(of(metric), means[0], means[1])})`
      expect(text).toBe(says.replace('5.9 to 14.1 %', '6 to 14 %'))
      expect(text).not.toMatch(/\de[-+]?\d/)
    })

  test('the smallest difference that matters is told in the unit of the differences', () => {
    expect(['cost', 'latency', 'quality', 'success', 'clicks'].map((name) => effectText(of(name)))).toEqual([
      '10 %',
      '10 %',
      '0.05 points',
      '5 percentage points',
      '0.5',
    ])
  })

  test('an interval is told as it is', () => {
    expect(intervalText(of('cost'), { low: -2.34e-7, high: 1e-5 })).toBe(
      'between -$0.000000234 and $0.0000100 a request',
    )
    expect(intervalText(of('latency'), { low: -0.1, high: 0.2 })).toBe('between -9.52 and 22.1 %')
    expect(intervalText(of('quality'), { low: -0.0123, high: 0.034 })).toBe('between -0.0123 and 0.034 points')
  })
})

describe('counts', () => {
  const counts: CountReport = {
    metric: 'quality',
    shares: [0.5, 0.5],
    assigned: [512, 488],
    reported: [312, 112],
    leftOut: 0,
    mismatch: 'reported',
  }

  test('are told beside the shares', () => {
    expect(countsText(counts)).toBe('assigned 512 and 488 of shares 50 %/50 %; reported 312 and 112')
    expect(countsText({ ...counts, shares: [0.95, 0.05], assigned: null, leftOut: 31 })).toBe(
      'reported 312 and 112 of shares 95 %/5 %; 31 units of an outage are left out',
    )
  })

  test('that do not fit are told with the reason and where to look', () => {
    expect(mismatchText(counts, ['now', 'new'])).toBe(
      'no verdict: new is rated less often than now: 23 % against 60.9 % of its units; a difference in who rates can look like a difference in quality; look whether one of them fails, is slow, or is asked for its values in another way',
    )
    expect(mismatchText({ ...counts, metric: 'latency' }, ['now', 'new'])).toContain(
      'new has a value of latency less often than now: 23 % against 60.9 % of its units',
    )
    expect(mismatchText({ ...counts, mismatch: 'assigned' }, ['now', 'new'])).toMatch(
      /^no verdict: 512 and 488 units of now and new do not fit their shares of 50 %\/50 %; look for requests of one variant/,
    )
    expect(mismatchText({ ...counts, assigned: null }, ['now', 'new'])).toMatch(
      /^no verdict: 312 and 112 values of now and new do not fit their shares/,
    )
  })
})
