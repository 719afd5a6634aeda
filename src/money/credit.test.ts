import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { creditText, decimalCredit, outlookOf, type Sighting, spentBetween, withSighting } from './credit.ts'

const HOUR = 3_600_000
const NOW = Date.parse('2026-11-30T14:00:00Z')
const USD = 1_000_000_000

const seenAt = (...rows: readonly (readonly [hoursAgo: number, usd: number])[]): Sighting[] =>
  rows.map(([hoursAgo, usd]) => ({ at: NOW - hoursAgo * HOUR, left: usd * USD }))

describe('spentBetween()', () => {
  test.each([
    ['nothing without two reports', seenAt([1, 5]), 0, 0],
    ['what the amount fell by', seenAt([4, 10], [2, 9], [0, 7]), 3, 4],
    ['nothing of a payment', seenAt([4, 10], [3, 9], [2, 29], [0, 28]), 2, 4],
    ['nothing of what is longer ago than a day', seenAt([30, 90], [26, 50], [2, 9], [1, 8]), 1, 2],
    ['what was owed already', seenAt([2, 0], [0, -1]), 1, 2],
  ])('counts %s', (_, seen, usd, hours) => {
    expect(spentBetween(seen, NOW)).toEqual({ spent: usd * USD, firstAt: NOW - hours * HOUR })
  })
})

describe('outlookOf()', () => {
  const credit = (usd: number, resetsInHours?: number) => ({
    left: usd * USD,
    resetsAt: resetsInHours === undefined ? null : NOW + resetsInHours * HOUR,
  })
  const spent = (usd: number, hours: number) => ({ spent: usd * USD, firstAt: NOW - hours * HOUR })

  test.each([
    ['predicts nothing where nothing was spent', credit(5), [spent(0, 0)], null, null],
    ['divides what is left by the pace', credit(6), [spent(2, 2)], 1, 6],
    ['takes the fastest of several counts', credit(6), [spent(2, 2), spent(6, 2)], 3, 2],
    ['takes less than an hour for an hour', credit(6), [spent(2, 0.1)], 2, 3],
    ['has nothing left now', credit(0), [spent(2, 2)], 1, 0],
    ['owes now', credit(-3), [], null, 0],
    ['predicts nothing that is refilled before', credit(6, 5), [spent(2, 2)], 1, null],
    ['predicts what is refilled later', credit(6, 7), [spent(2, 2)], 1, 6],
    ['predicts nothing of a period that is over', credit(0, -1), [spent(2, 2)], 1, null],
    ['predicts nothing beyond a year', credit(9000), [spent(1, 1)], 1, null],
  ])('%s', (_, left, counts, perHour, hours) => {
    expect(outlookOf(left, counts, NOW)).toEqual({
      perHour: perHour === null ? null : perHour * USD,
      goneAt: hours === null ? null : NOW + hours * HOUR,
    })
  })

  test('always predicts a time that can be written, and none in the past', () => {
    const amount = fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })
    const count = fc.record({ spent: fc.maxSafeNat(), firstAt: fc.integer({ min: 0, max: NOW }) })
    fc.assert(
      fc.property(amount, fc.array(count, { maxLength: 3 }), (left, counts) => {
        const { perHour, goneAt } = outlookOf({ left, resetsAt: null }, counts, NOW)
        if (perHour !== null) expect(Number.isSafeInteger(perHour) && perHour > 0).toBe(true)
        if (goneAt === null) return
        expect(goneAt).toBeGreaterThanOrEqual(NOW)
        expect(() => new Date(goneAt).toISOString()).not.toThrow()
      }),
    )
  })
})

describe('withSighting()', () => {
  test('keeps a day, bounded, and begins anew when the clock was set back', () => {
    let seen: readonly Sighting[] = []
    for (let minute = 0; minute < 3000; minute++) seen = withSighting(seen, { at: NOW + minute * 60_000, left: 1 })
    expect(seen).toHaveLength(200)
    const later = NOW + 100 * HOUR
    expect(withSighting(seen, { at: later, left: 2 })).toEqual([{ at: later, left: 2 }])
    expect(withSighting(seen, { at: NOW, left: 2 })).toEqual([{ at: NOW, left: 2 }])
  })

  test('loses nothing that was spent, whatever the amounts', () => {
    const steps = fc.array(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 90 })
    fc.assert(
      fc.property(steps, (falls) => {
        let left = 1_000_000
        let seen: readonly Sighting[] = [{ at: NOW, left }]
        falls.forEach((fall, index) => {
          left -= fall
          seen = withSighting(seen, { at: NOW + (index + 1) * 900_000, left })
        })
        expect(spentBetween(seen, NOW + falls.length * 900_000).spent).toBe(1_000_000 - left)
      }),
    )
  })
})

test('amounts keep every digit and their currency', () => {
  expect([4_200_000_000, 0, -500_000_000, 4_898_435_524, 110 * USD].map(decimalCredit)).toEqual([
    '4.20',
    '0.00',
    '-0.50',
    '4.898435524',
    '110.00',
  ])
  expect(creditText(4_200_000_000, 'USD')).toBe('$4.20')
  expect(creditText(110 * USD, 'CNY')).toBe('110.00 CNY')
  expect(creditText(-500_000_000, 'CNY')).toBe('-0.50 CNY')
})
