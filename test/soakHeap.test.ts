import { expect, test } from 'vitest'
import { heapGrowth } from './support/soak/heapGrowth.ts'

/** A sample every ten seconds of ten requests each; noise only adds. */
const samples = (size: (index: number) => number) =>
  Array.from({ length: 30 }, (_, index) => ({
    heapBytes: 40e6 + size(index) + (index % 3) * 200_000,
    seconds: 10 * index,
    requests: 1000 * index,
  }))

test('a heap that stays as it is does not grow, whatever its noise', () => {
  expect(heapGrowth(samples(() => 0))).toMatchObject({ mbPerHour: 0, bytesPerRequest: 0, from: 40e6, to: 40e6 })
})

test('a leak shows as what it is, by hour and by request', () => {
  const { mbPerHour, bytesPerRequest, resolutionMbPerHour } = heapGrowth(samples((index) => index * 50_000))
  // The least of a third is rarely its middle.
  expect(Math.abs(mbPerHour - 18)).toBeLessThan(1.8)
  expect(Math.abs(bytesPerRequest - 50)).toBeLessThan(5)
  expect(resolutionMbPerHour).toBeLessThan(mbPerHour)
})

test('the noisier the samples, the less a run can tell', () => {
  const quiet = heapGrowth(samples(() => 0)).resolutionMbPerHour
  const noisy = heapGrowth(samples((index) => (index % 5) * 1e6)).resolutionMbPerHour
  expect(quiet).toBeCloseTo(3.6, 5)
  expect(noisy).toBeGreaterThan(5 * quiet)
})

test('too few samples tell nothing', () => {
  expect(() => heapGrowth(samples(() => 0).slice(0, 5))).toThrow(RangeError)
})
