import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY, HOUR, MINUTE, NOON, SECOND } from '../../test/support/quotaFixtures.ts'
import { CountingWindow } from './window.ts'

describe('a rolling window', () => {
  test('counts what was used within its length, and drops it exactly afterwards', () => {
    const window = new CountingWindow('minute', 'rolling')
    window.add(NOON, 2)
    window.add(NOON + 10 * SECOND, 3)
    expect(window.total(NOON + 59_999)).toBe(5)
    expect(window.total(NOON + MINUTE)).toBe(3)
    expect(window.total(NOON + 70 * SECOND)).toBe(0)
  })

  test('says when enough has left it', () => {
    const window = new CountingWindow('minute', 'rolling')
    window.add(NOON, 2)
    window.add(NOON + 10 * SECOND, 3)
    expect(window.timeBelow(5, NOON + 11 * SECOND)).toBe(NOON + 11 * SECOND)
    expect(window.timeBelow(3, NOON + 11 * SECOND)).toBe(NOON + MINUTE)
    expect(window.timeBelow(0, NOON + 11 * SECOND)).toBe(NOON + 70 * SECOND)
  })

  test('sorts late events into their place', () => {
    const window = new CountingWindow('minute', 'rolling')
    window.add(NOON + 30 * SECOND, 1)
    window.add(NOON, 1)
    expect(window.total(NOON + 61 * SECOND)).toBe(1)
  })

  test('drops everything before a reset that became known', () => {
    const window = new CountingWindow('day', 'rolling')
    window.add(NOON, 7)
    window.add(NOON + 2 * HOUR, 2)
    window.forgetBefore(NOON + HOUR)
    expect(window.total(NOON + 3 * HOUR)).toBe(2)
  })

  test('keeps nothing longer than its length when the clock is set back', () => {
    const window = new CountingWindow('minute', 'rolling')
    window.add(NOON, 4)
    expect(window.total(NOON - HOUR)).toBe(4)
    expect(window.total(NOON - HOUR + MINUTE)).toBe(0)
  })

  test('moves nothing when it is asked about a moment ago', () => {
    const window = new CountingWindow('minute', 'rolling')
    window.add(NOON, 1)
    expect(window.total(NOON - 800)).toBe(1)
    window.remove(NOON, 1)
    expect(window.total(NOON)).toBe(0)
  })

  test('never counts too little, and counts nothing more than half a second too long', () => {
    const uses = fc.array(
      fc.record({ at: fc.integer({ min: 0, max: 200_000 }), amount: fc.integer({ min: 1, max: 9 }) }),
    )
    fc.assert(
      fc.property(uses, fc.integer({ min: 200_000, max: 300_000 }), (uses, now) => {
        const window = new CountingWindow('minute', 'rolling')
        for (const { at, amount } of uses) window.add(NOON + at, amount)
        const sum = (from: number) => uses.reduce((sum, use) => sum + (use.at > from ? use.amount : 0), 0)
        const total = window.total(NOON + now)
        expect(total).toBeGreaterThanOrEqual(sum(now - MINUTE))
        expect(total).toBeLessThanOrEqual(sum(now - MINUTE - 500))
      }),
    )
  })

  test('takes back what is removed', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50_000 }), { maxLength: 60 }), (times) => {
        const window = new CountingWindow('minute', 'rolling')
        for (const at of times) window.add(NOON + at, 3)
        for (const at of times) window.remove(NOON + at, 3)
        expect(window.total(NOON + 50_000)).toBe(0)
      }),
    )
  })

  test('stays small however much is used', () => {
    const window = new CountingWindow('day', 'rolling')
    for (let at = 0; at < 3 * DAY; at += 20 * SECOND) window.add(NOON + at, 1)
    window.total(NOON + 3 * DAY)
    expect(JSON.stringify(window.toJson()).length).toBeLessThan(6_000)
  })
})

describe('a calendar window', () => {
  const cases = [
    {
      name: 'a UTC day ends at midnight UTC',
      anchor: 'UTC',
      window: 'day',
      from: '2026-11-23T22:00Z',
      end: '2026-11-24T00:00Z',
    },
    {
      name: 'a Pacific day ends at 08:00 UTC in winter',
      anchor: 'America/Los_Angeles',
      window: 'day',
      from: '2026-11-23T22:00Z',
      end: '2026-11-24T08:00Z',
    },
    {
      name: 'a Pacific day ends at 07:00 UTC in summer',
      anchor: 'America/Los_Angeles',
      window: 'day',
      from: '2026-07-01T22:00Z',
      end: '2026-07-02T07:00Z',
    },
    {
      name: 'the day the clocks go back has 25 hours',
      anchor: 'America/Los_Angeles',
      window: 'day',
      from: '2026-11-01T07:00Z',
      end: '2026-11-02T08:00Z',
    },
    {
      name: 'the day the clocks go forward has 23 hours',
      anchor: 'America/Los_Angeles',
      window: 'day',
      from: '2026-03-08T08:00Z',
      end: '2026-03-09T07:00Z',
    },
    {
      name: 'February ends after its last day',
      anchor: 'UTC',
      window: 'month',
      from: '2028-02-29T12:00Z',
      end: '2028-03-01T00:00Z',
    },
    {
      name: 'December ends with the year',
      anchor: 'UTC',
      window: 'month',
      from: '2026-12-31T23:59Z',
      end: '2027-01-01T00:00Z',
    },
  ] as const
  for (const { name, anchor, window: length, from, end } of cases) {
    test(`${name}, and is empty then`, () => {
      const window = new CountingWindow(length, anchor)
      window.add(Date.parse(from), 5)
      expect(window.total(Date.parse(end) - 1)).toBe(5)
      expect(window.periodEnd(Date.parse(end) - 1)).toBe(Date.parse(end))
      expect(window.timeBelow(0, Date.parse(end) - 1)).toBe(Date.parse(end))
      expect(window.total(Date.parse(end))).toBe(0)
    })
  }

  test('counts the right day after the clock was set forward by days and back again', () => {
    const window = new CountingWindow('day', 'UTC')
    window.add(NOON, 5)
    expect(window.total(NOON + 40 * DAY)).toBe(0)
    window.add(NOON + HOUR, 2)
    expect(window.total(NOON + HOUR)).toBe(2)
    expect(window.periodEnd(NOON + HOUR)).toBe(Date.UTC(2026, 10, 24))
  })
})

test('a saved window goes on counting, and ignores a broken file', () => {
  const window = new CountingWindow('minute', 'rolling')
  window.add(NOON, 4)
  const restored = new CountingWindow('minute', 'rolling')
  restored.load(JSON.parse(JSON.stringify(window.toJson())))
  expect(restored.total(NOON + SECOND)).toBe(4)
  for (const broken of [null, 7, { entries: 3 }, { entries: [[1], ['a', 2], [NOON, -4], [NOON, Number.NaN], null] }]) {
    const empty = new CountingWindow('minute', 'rolling')
    empty.load(broken)
    expect(empty.total(NOON)).toBe(0)
  }
})
