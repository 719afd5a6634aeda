import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Purse } from './purse.ts'

const calls = fc.array(fc.record({ worst: fc.nat(2000), actual: fc.nat(2000), overlaps: fc.boolean() }), {
  maxLength: 40,
})

test('Purse lets nobody spend more than the limit, however calls overlap', () => {
  fc.assert(
    fc.property(calls, fc.nat(5000), (all, limit) => {
      const purse = new Purse(limit / 1e9)
      const open: (() => void)[] = []
      for (const { worst, actual, overlaps } of all) {
        const reserved = purse.reserve(worst)
        if (reserved !== null) open.push(() => purse.settle(reserved, Math.min(worst, actual)))
        if (!overlaps) for (const end of open.splice(0)) end()
        expect(purse.spentNanoUsd).toBeLessThanOrEqual(limit)
      }
      for (const end of open) end()
      expect(purse.spentNanoUsd).toBeLessThanOrEqual(limit)
    }),
  )
})

test('Purse takes what was put aside when nobody knows the cost', () => {
  const purse = new Purse(1e-6)
  purse.settle(purse.reserve(400)!, null)
  expect(purse.spentNanoUsd).toBe(400)
})

test('Purse lets calls of unknown price pass unless nothing may be spent', () => {
  expect(new Purse(0.05).reserve(null)).toEqual({ amount: 0 })
  expect(new Purse(0).reserve(null)).toBeNull()
  expect(new Purse(0).reserve(0)).toEqual({ amount: 0 })
})
