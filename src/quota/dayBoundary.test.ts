import { describe, expect, test } from 'vitest'
import type { DayBoundary } from '../domain/failure.ts'
import { nextDay, nextMonth } from './dayBoundary.ts'

describe('nextDay()', () => {
  const cases: [anchor: DayBoundary, at: string, expected: string, name: string][] = [
    ['UTC', '2026-11-23T10:00:00Z', '2026-11-24T00:00:00Z', 'ends at midnight'],
    ['UTC', '2026-11-23T00:00:00Z', '2026-11-24T00:00:00Z', 'begins at midnight itself'],
    ['America/Los_Angeles', '2026-11-23T07:59:59Z', '2026-11-23T08:00:00Z', 'ends at 08:00 UTC in winter'],
    ['America/Los_Angeles', '2026-11-23T08:00:00Z', '2026-11-24T08:00:00Z', 'begins at midnight itself'],
    ['America/Los_Angeles', '2026-07-01T12:00:00Z', '2026-07-02T07:00:00Z', 'ends at 07:00 UTC in summer'],
    ['America/Los_Angeles', '2026-03-07T20:00:00Z', '2026-03-08T08:00:00Z', 'ends in winter time before the change'],
    ['America/Los_Angeles', '2026-03-08T09:00:00Z', '2026-03-09T07:00:00Z', 'has 23 hours on 2026-03-08'],
    ['America/Los_Angeles', '2026-03-08T20:00:00Z', '2026-03-09T07:00:00Z', 'ends in summer time after the change'],
    ['America/Los_Angeles', '2026-10-31T20:00:00Z', '2026-11-01T07:00:00Z', 'ends in summer time before the change'],
    ['America/Los_Angeles', '2026-11-01T07:30:00Z', '2026-11-02T08:00:00Z', 'has 25 hours on 2026-11-01'],
    ['America/Los_Angeles', '2026-11-01T20:00:00Z', '2026-11-02T08:00:00Z', 'ends in winter time after the change'],
    ['rolling', '2026-11-23T10:00:00Z', '2026-11-24T10:00:00Z', 'ends 24 hours later'],
    ['unknown', '2026-11-23T10:00:00Z', '2026-11-24T10:00:00Z', 'ends 24 hours later'],
  ]
  for (const [anchor, at, expected, name] of cases) {
    test(`a day of ${anchor} at ${at} ${name}`, () => {
      expect(new Date(nextDay(anchor, Date.parse(at))).toISOString()).toBe(new Date(expected).toISOString())
    })
  }

  test('gives the same result whether or not the day was looked up before', () => {
    const times = ['2026-11-01T20:00:00Z', '2026-03-08T09:00:00Z', '2026-11-01T07:30:00Z', '2026-03-08T09:00:01Z']
    const there = times.map((time) => nextDay('America/Los_Angeles', Date.parse(time)))
    const back = times.toReversed().map((time) => nextDay('America/Los_Angeles', Date.parse(time)))
    expect(back.toReversed()).toEqual(there)
  })
})

test('nextMonth() is the first of the next month in UTC, also across the new year', () => {
  expect(new Date(nextMonth(Date.parse('2026-11-30T23:59:59Z'))).toISOString()).toBe('2026-12-01T00:00:00.000Z')
  expect(new Date(nextMonth(Date.parse('2026-12-01T00:00:00Z'))).toISOString()).toBe('2027-01-01T00:00:00.000Z')
})
