import { expect, test } from 'vitest'
import { goneAt, pacePerHour } from './pace.ts'

const HOUR = 3_600_000
const NOW = 100 * HOUR

test.each([
  [{ spent: 24, firstAt: NOW - 24 * HOUR }, 1],
  [{ spent: 24, firstAt: NOW - 90 * HOUR }, 1],
  [{ spent: 24, firstAt: NOW - 6 * HOUR }, 4],
  [{ spent: 24, firstAt: NOW - 1 }, 24],
  [{ spent: 24, firstAt: NOW + HOUR }, 24],
  [{ spent: 0, firstAt: NOW - HOUR }, null],
  [{ spent: -1, firstAt: NOW - HOUR }, null],
  [{ spent: Number.NaN, firstAt: NOW - HOUR }, null],
])('%j is a pace of %d an hour', ({ spent, firstAt }, perHour) => {
  expect(pacePerHour(spent, firstAt, NOW)).toBe(perHour)
})

test('what is left is gone after as many hours as the pace needs for it', () => {
  expect(goneAt(12, 2, NOW)).toBe(NOW + 6 * HOUR)
  expect(goneAt(12, null, NOW)).toBeNull()
  expect(goneAt(0, null, NOW)).toBe(NOW)
  expect(goneAt(-3, 2, NOW)).toBe(NOW)
})
