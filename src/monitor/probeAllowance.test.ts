import { expect, test } from 'vitest'
import type { LimitView } from '../quota/limits/limitView.ts'
import { ProbeAllowance } from './probeAllowance.ts'

const NOON = Date.UTC(2026, 10, 23, 12)
const HOUR = 3_600_000
const target = (local = false) => ({ account: 'alpha:one', profile: { local } })
const aDay = (limit: number): readonly LimitView[] => [
  {
    window: 'day',
    unit: 'requests',
    scope: 'account',
    limit,
    remaining: null,
    resetsAt: null,
    source: 'header',
    checkedAt: 0,
    published: null,
  },
]

function takes(allowance: ProbeAllowance, at: number, limits: readonly LimitView[] = [], local = false): number {
  let taken = 0
  while (taken < 100 && allowance.take(target(local), limits, at)) taken++
  return taken
}

test('an account allows ten calls in a row, then six per hour', () => {
  const allowance = new ProbeAllowance()
  expect(takes(allowance, NOON)).toBe(10)
  for (let hour = 1; hour < 10; hour++) expect(takes(allowance, NOON + hour * HOUR)).toBe(6)
})

test('at most 2 % of a known daily limit are taken within 24 hours', () => {
  const allowance = new ProbeAllowance()
  expect(takes(allowance, NOON, aDay(49))).toBe(0)
  expect(takes(allowance, NOON, aDay(250))).toBe(5)
  expect(takes(allowance, NOON + 23 * HOUR, aDay(250))).toBe(0)
  expect(takes(allowance, NOON + 24 * HOUR, aDay(250))).toBe(5)
})

test("a server of one's own gives as many as are wanted, and a clock set back gives none for nothing", () => {
  expect(takes(new ProbeAllowance(), NOON, [], true)).toBe(100)
  const allowance = new ProbeAllowance()
  takes(allowance, NOON)
  expect(takes(allowance, NOON - HOUR)).toBe(0)
})
