import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { calendarPeriod, Slots } from './period.ts'

const HOUR = 3_600_000

describe('calendarPeriod()', () => {
  for (const [per, zone, at, start, end] of [
    ['minute', 'UTC', '2026-03-29T00:59:59.999Z', '2026-03-29T00:59:00Z', '2026-03-29T01:00:00Z'],
    ['hour', 'Asia/Kathmandu', '2026-11-23T10:20:00Z', '2026-11-23T10:15:00Z', '2026-11-23T11:15:00Z'],
    ['day', 'UTC', '2026-11-23T23:59:59.999Z', '2026-11-23T00:00:00Z', '2026-11-24T00:00:00Z'],
    ['day', 'Europe/Madrid', '2026-03-29T12:00:00Z', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z'],
    ['day', 'Europe/Madrid', '2026-10-25T12:00:00Z', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z'],
    ['day', 'America/Los_Angeles', '2026-11-23T07:59:59Z', '2026-11-22T08:00:00Z', '2026-11-23T08:00:00Z'],
    // In Cairo the clocks jump over midnight: 23 April 2026 ends when the 24th begins at 01:00.
    ['day', 'Africa/Cairo', '2026-04-24T12:00:00Z', '2026-04-23T22:00:00Z', '2026-04-24T21:00:00Z'],
    ['week', 'UTC', '2026-11-22T12:00:00Z', '2026-11-16T00:00:00Z', '2026-11-23T00:00:00Z'],
    ['week', 'Europe/Madrid', '2027-01-01T12:00:00Z', '2026-12-27T23:00:00Z', '2027-01-03T23:00:00Z'],
    ['month', 'Europe/Madrid', '2026-03-31T21:59:59Z', '2026-02-28T23:00:00Z', '2026-03-31T22:00:00Z'],
    ['month', 'UTC', '2028-02-29T23:00:00Z', '2028-02-01T00:00:00Z', '2028-03-01T00:00:00Z'],
    ['month', 'America/New_York', '2026-12-31T23:59:59Z', '2026-12-01T05:00:00Z', '2027-01-01T05:00:00Z'],
  ] as const)
    test(`the ${per} of ${at} in ${zone}`, () => {
      const period = calendarPeriod(per, Date.parse(at), zone)
      expect([new Date(period.start), new Date(period.end)]).toEqual([new Date(start), new Date(end)])
    })

  test('total has no end', () =>
    expect(calendarPeriod('total', 5, 'UTC')).toEqual({ start: 0, end: Number.POSITIVE_INFINITY }))

  test('periods follow each other without gap or overlap, in every zone and at every time', () => {
    const zones = [
      'UTC',
      'Europe/Madrid',
      'America/Sao_Paulo',
      'Africa/Cairo',
      'Australia/Lord_Howe',
      'Asia/Kolkata',
      'Pacific/Apia',
    ]
    const at = fc.integer({ min: Date.parse('2009-01-01'), max: Date.parse('2030-01-01') })
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.constantFrom('day', 'week', 'month'), at, (zone, per, time) => {
        const period = calendarPeriod(per, time, zone)
        expect(period.start).toBeLessThanOrEqual(time)
        expect(period.end).toBeGreaterThan(time)
        expect(calendarPeriod(per, period.start, zone)).toEqual(period)
        expect(calendarPeriod(per, period.end, zone).start).toBe(period.end)
        expect(calendarPeriod(per, period.start - 1, zone).end).toBe(period.start)
      }),
      { numRuns: 100 },
    )
  })
})

test('rolling slots count for at least the window and at most a thirtieth longer', () => {
  const slots = new Slots('hour', true, 'UTC')
  const slot = slots.at(10 * HOUR + 5)
  expect(slot.end - slot.start).toBe(HOUR / 30)
  expect(slots.expiry(slot) - slot.end).toBe(HOUR)
  expect(slots.windowStart(slots.at(slots.expiry(slot) - 1).start)).toBe(slot.start)
  expect(slots.windowStart(slots.at(slots.expiry(slot)).start)).toBeGreaterThan(slot.start)
})
