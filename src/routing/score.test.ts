import { describe, expect, test } from 'vitest'
import { recency, score, speed } from './score.ts'
import { isUnreliable, termsOriginal } from './scoreOriginal.ts'
import { WEIGHTS } from './weights.ts'

const HOUR = 3_600_000
const NOW = Date.UTC(2026, 10, 23, 12)

describe('score()', () => {
  // The three examples in the original system's documentation, with the ages that match its numbers.
  for (const { name, reliability, ms, quality, hours, expected } of [
    { name: 'groq/llama-3.3', reliability: 0.95, ms: 1200, quality: 0.92, hours: 21, expected: 0.85 },
    { name: 'google/gemini-2.0', reliability: 1, ms: 1500, quality: 0.88, hours: 1.5, expected: 0.89 },
    { name: 'openrouter/claude-3.5', reliability: 0.85, ms: 2100, quality: 0.95, hours: 22, expected: 0.78 },
  ])
    test(`gives the documented ${expected} for ${name}`, () => {
      const terms = { reliability, speed: speed(ms), quality, recency: recency(NOW - hours * HOUR, NOW) }
      expect(Math.abs(score(terms) - expected)).toBeLessThan(0.005)
    })

  test('depends only on the proportions of the weights', () => {
    const terms = { reliability: 0.9, speed: 0.5, quality: 0.7, recency: 1 }
    const doubled = { reliability: 0.8, speed: 0.6, quality: 0.4, recency: 0.2 }
    expect(score(terms, doubled)).toBeCloseTo(score(terms, WEIGHTS), 12)
  })

  test('is the reliability when all weights are 0', () => {
    const terms = { reliability: 0.9, speed: 0.5, quality: 0.7, recency: 1 }
    expect(score(terms, { reliability: 0, speed: 0, quality: 0, recency: 0 })).toBe(0.9)
  })
})

describe('the terms', () => {
  for (const [ms, expected] of [
    [0, 1],
    [4000, 0.5],
    [1e12, 0],
  ] as const)
    test(`speed() of ${ms} ms is ${expected}`, () => expect(speed(ms)).toBeCloseTo(expected, 6))

  test('recency() halves every day, is 0 for never, and stays at most 1 when the clock goes backwards', () => {
    expect(recency(NOW - 24 * HOUR, NOW)).toBeCloseTo(0.5, 12)
    expect(recency(0, NOW)).toBe(0)
    expect(recency(NOW + HOUR, NOW)).toBe(1)
  })
})

describe('the original formulas', () => {
  const stats = { successes: 8, failures: 2, averageLatencyMs: 2500, quality: null, lastSuccessAt: NOW - 84 * HOUR }

  test('termsOriginal() is successes over attempts, 1 - ms/10000, 0.5 for unknown quality, a week of recency', () => {
    const terms = termsOriginal(stats, NOW)
    expect(terms.reliability).toBeCloseTo(0.8, 12)
    expect(terms.speed).toBeCloseTo(0.75, 12)
    expect(terms.quality).toBe(0.5)
    expect(terms.recency).toBeCloseTo(0.5, 12)
  })

  test('nothing is known about a target without attempts', () => {
    const fresh = { successes: 0, failures: 0, averageLatencyMs: 0, quality: null, lastSuccessAt: 0 }
    expect(termsOriginal(fresh, NOW)).toEqual({ reliability: 0, speed: 0, quality: 0.5, recency: 0 })
  })

  test('isUnreliable() after more than five attempts with under half successful', () => {
    expect(isUnreliable({ ...stats, successes: 2, failures: 4 })).toBe(true)
    expect(isUnreliable({ ...stats, successes: 2, failures: 3 })).toBe(false)
    expect(isUnreliable({ ...stats, successes: 3, failures: 3 })).toBe(false)
  })
})
