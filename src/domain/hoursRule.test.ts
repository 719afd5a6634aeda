import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type HoursRule, holdsAt, opensAt, readHours } from './hoursRule.ts'

const MINUTE = 60_000
const rule = (text: string): HoursRule => readHours(text)! // a rule, or the test fails
const at = (iso: string) => Date.parse(iso)
const iso = (moment: number | null) => (moment === null ? null : new Date(moment).toISOString().slice(0, 16))

describe('holdsAt()', () => {
  for (const { text, moment, holds, because } of [
    { text: '9-17', moment: '2026-11-23T09:00Z', holds: true, because: 'UTC is meant where no zone is named' },
    { text: '9-17', moment: '2026-11-23T17:00Z', holds: false, because: 'the end is not part of it' },
    { text: '09:30-18:30 UTC', moment: '2026-11-23T09:29Z', holds: false, because: 'minutes count' },
    {
      text: '22-06 Europe/Madrid',
      moment: '2026-11-23T21:00Z',
      holds: true,
      because: 'Madrid is an hour ahead in winter',
    },
    { text: '22-06 Europe/Madrid', moment: '2026-07-23T20:00Z', holds: true, because: 'and two in summer' },
    {
      text: '22-06 Europe/Madrid',
      moment: '2026-07-24T04:00Z',
      holds: false,
      because: 'the morning ends two hours earlier',
    },
    {
      text: 'fri 22-06',
      moment: '2026-11-28T05:59Z',
      holds: true,
      because: 'Saturday morning belongs to Friday night',
    },
    { text: 'fri 22-06', moment: '2026-11-27T05:59Z', holds: false, because: 'and Friday morning to Thursday’s' },
    { text: 'sat-sun 0-24', moment: '2026-11-29T23:59Z', holds: true, because: '24 is the end of the day' },
    { text: 'sat-mon,wed 0-24', moment: '2026-11-25T12:00Z', holds: true, because: 'days are listed and ranged' },
    {
      text: 'sat-mon,wed 0-24',
      moment: '2026-11-24T12:00Z',
      holds: false,
      because: 'a range goes over the week’s end',
    },
    {
      text: 'MON-FRI 9-17 Asia/Tokyo',
      moment: '2026-11-23T00:00Z',
      holds: true,
      because: 'days are those of the zone',
    },
    { text: 'tue 8-8', moment: '2026-11-24T03:00Z', holds: true, because: 'the same hour twice is the whole day' },
    {
      text: '02:30-05 Europe/Madrid',
      moment: '2026-03-29T01:00Z',
      holds: true,
      because: 'the hour that clocks leave out is over',
    },
    {
      text: '01-02:30 Europe/Madrid',
      moment: '2026-10-25T01:10Z',
      holds: true,
      because: 'the hour that comes twice holds twice',
    },
  ])
    test(`${text} ${holds ? 'holds' : 'does not hold'} at ${moment}: ${because}`, () => {
      expect(holdsAt(rule(text), at(moment))).toBe(holds)
    })
})

describe('opensAt()', () => {
  for (const { groups, from, opens } of [
    { groups: [['22-06 Europe/Madrid']], from: '2026-11-23T12:34Z', opens: '2026-11-23T21:00' },
    { groups: [['22-06 Europe/Madrid']], from: '2026-07-23T12:34Z', opens: '2026-07-23T20:00' },
    { groups: [['mon-fri 09:00-18:30 UTC']], from: '2026-11-27T18:30Z', opens: '2026-11-30T09:00' },
    { groups: [['sat 10-11', 'thu 12-12:05']], from: '2026-11-23T12:00Z', opens: '2026-11-26T12:00' },
    { groups: [['mon 9-10']], from: '2026-11-23T10:00Z', opens: '2026-11-30T09:00' },
    // Both must be kept.
    { groups: [['9-18'], ['16-22 America/New_York']], from: '2026-11-23T12:00Z', opens: null },
    { groups: [['9-22'], ['16-22 America/New_York']], from: '2026-11-23T12:00Z', opens: '2026-11-23T21:00' },
    { groups: [['mon 9-10'], ['tue 9-10']], from: '2026-11-23T12:00Z', opens: null },
    // Clocks go forward from 02:00 to 03:00 in Madrid.
    { groups: [['02:30-05 Europe/Madrid']], from: '2026-03-29T00:30Z', opens: '2026-03-29T01:00' },
    // They go back from 03:00 to 02:00: the rule ends at 00:30 and holds again for the second half hour after two.
    { groups: [['01-02:30 Europe/Madrid']], from: '2026-10-25T00:45Z', opens: '2026-10-25T01:00' },
  ])
    test(`${groups.map((group) => group.join(' or ')).join(' and ')} opens ${opens ?? 'never'} after ${from}`, () => {
      expect(
        iso(
          opensAt(
            groups.map((group) => group.map(rule)),
            at(from),
          ),
        ),
      ).toBe(opens)
    })

  test('finds the first minute at which the rule holds, in any zone and season', () => {
    const zones = ['UTC', 'Europe/Madrid', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu']
    const minuteOfDay = fc
      .nat(1439)
      .map((minute) => `${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, '0')}`)
    const year = fc.integer({ min: at('2026-01-01'), max: at('2027-01-01') })
    fc.assert(
      fc.property(minuteOfDay, minuteOfDay, fc.constantFrom(...zones), year, (from, to, zone, moment) => {
        const one = rule(`${from}-${to} ${zone}`)
        const start = Math.floor(moment / MINUTE) * MINUTE
        let first = start
        while (!holdsAt(one, first)) first += MINUTE
        expect(opensAt([[one]], start)).toBe(first)
      }),
      { numRuns: 60 },
    )
  })
})

test('the local time is that of the clock on the wall, around every change of the clocks', () => {
  const zones = ['Europe/Madrid', 'America/St_Johns', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'America/New_York']
  const year = fc.integer({ min: at('2026-01-01T00:00Z') / MINUTE, max: at('2027-12-31T00:00Z') / MINUTE })
  fc.assert(
    fc.property(fc.constantFrom(...zones), year, (timeZone, minute) => {
      const wall = new Intl.DateTimeFormat('en-US', {
        timeZone,
        weekday: 'short',
        hour: '2-digit',
        minute: '2-digit',
        hourCycle: 'h23',
      })
      const shown = wall.formatToParts(minute * MINUTE)
      const part = (type: string) => shown.find((one) => one.type === type)?.value ?? ''
      const now = `${part('hour')}:${part('minute')}`
      const [hour = '', minutes = ''] = now.split(':')
      const next = `${(Number(hour) + (minutes === '59' ? 1 : 0)) % 24}:${String((Number(minutes) + 1) % 60).padStart(2, '0')}`
      const to = next === '0:00' ? '24:00' : next
      expect(holdsAt(rule(`${part('weekday').toLowerCase()} ${now}-${to} ${timeZone}`), minute * MINUTE)).toBe(true)
    }),
    { numRuns: 300 },
  )
})
