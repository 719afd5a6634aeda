import { describe, expect, test } from 'vitest'
import { LogNormal } from './logNormal.ts'

const seen = (...times: readonly number[]) => {
  const distribution = new LogNormal()
  for (const ms of times) distribution.add(ms)
  return distribution
}
const repeated = (ms: number, count: number) => Array.from({ length: count }, () => ms)

describe('LogNormal', () => {
  test('has the observed time as its median from the first one', () => {
    expect(seen(1500).median).toBeCloseTo(1500, 6)
    expect(seen(1000, 4000).median).toBeCloseTo(2000, 6)
    expect(seen().median).toBe(0)
  })

  test('the first observation does not count as a deviation', () => {
    const { median } = seen(2000)
    expect(seen(2000).percentile(1) / median).toBeCloseTo(Math.exp(0.4), 6)
  })

  test('equal times leave little doubt, however many there are', () => {
    expect(seen(...repeated(1000, 200)).percentile(3.09)).toBeCloseTo(1000 * Math.exp(3.09 * 0.2), 3)
  })

  test('unequal times leave more', () => {
    const times = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? 500 : 8000))
    expect(seen(...times).percentile(1.645)).toBeGreaterThan(10_000)
  })

  test('forgets: what a target was like does not outweigh what it is like now', () => {
    const distribution = seen(...repeated(100, 1000), ...repeated(10_000, 600))
    expect(distribution.count).toBe(200)
    expect(distribution.median).toBeGreaterThan(7000)
  })
})
