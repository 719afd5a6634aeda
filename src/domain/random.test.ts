import { describe, expect, test } from 'vitest'
import { Dice, hash32, inverseNormal, word32 } from './random.ts'

describe('seeded random numbers', () => {
  test('the same seed gives the same numbers, another seed different ones', () => {
    const throws = (seed: number) =>
      Array.from(
        { length: 5 },
        (
          (dice) => () =>
            dice.bits()
        )(new Dice(seed)),
      )
    expect(throws(7)).toEqual(throws(7))
    expect(throws(7)).not.toEqual(throws(8))
  })

  test('uniform() stays in [0, 1) with mean one half, normal() has mean 0 and deviation 1', () => {
    const dice = new Dice(1)
    const uniform = Array.from({ length: 20_000 }, () => dice.uniform())
    const normal = Array.from({ length: 20_000 }, () => dice.normal())
    const mean = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...uniform)).toBeLessThan(1)
    expect(mean(uniform)).toBeCloseTo(0.5, 2)
    expect(Math.abs(mean(normal))).toBeLessThan(0.02)
    expect(mean(normal.map((z) => z * z))).toBeCloseTo(1, 1)
  })

  test('hash32() spreads similar texts apart and depends on the seed', () => {
    const hashes = new Set(Array.from({ length: 1000 }, (_, i) => hash32(`request-${i}`)))
    expect(hashes.size).toBe(1000)
    expect(hash32('a', 1)).not.toBe(hash32('a', 2))
  })

  test('word32() computes any word of a stream without those before it', () => {
    const dice = new Dice(42)
    dice.bits()
    expect(dice.bits()).toBe(word32(42, 2) >>> 0)
  })

  for (const [p, z] of [
    [0.5, 0],
    [0.975, 1.959964],
    [0.025, -1.959964],
    [0.001, -3.090232],
  ] as const)
    test(`inverseNormal(${p}) is ${z}`, () => expect(inverseNormal(p)).toBeCloseTo(z, 5))
})
