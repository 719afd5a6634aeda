import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TestBudget } from './testBudget.ts'

const calls = fc.array(fc.record({ worst: fc.nat(2000), actual: fc.nat(2000), overlaps: fc.boolean() }), {
  maxLength: 40,
})

test('TestBudget never spends more than the limit, however calls overlap', () => {
  fc.assert(
    fc.property(calls, fc.nat(5000), (all, limit) => {
      const budget = new TestBudget(limit / 1e9)
      const open: (() => void)[] = []
      for (const { worst, actual, overlaps } of all) {
        const reserved = budget.reserve(worst)
        if (reserved !== null) open.push(() => budget.settle(reserved, Math.min(worst, actual)))
        if (!overlaps) for (const end of open.splice(0)) end()
        expect(budget.spentNanoUsd).toBeLessThanOrEqual(limit)
      }
      for (const end of open) end()
      expect(budget.spentNanoUsd).toBeLessThanOrEqual(limit)
    }),
  )
})

test('TestBudget charges the reserved amount when the cost is unknown', () => {
  const budget = new TestBudget(1e-6)
  budget.settle(budget.reserve(400)!, null)
  expect(budget.spentNanoUsd).toBe(400)
})

test('TestBudget lets calls of unknown price pass unless nothing may be spent', () => {
  expect(new TestBudget(0.05).reserve(null)).toEqual({ amount: 0 })
  expect(new TestBudget(0).reserve(null)).toBeNull()
  expect(new TestBudget(0).reserve(0)).toEqual({ amount: 0 })
})
