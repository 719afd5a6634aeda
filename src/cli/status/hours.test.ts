import { expect, test } from 'vitest'
import type { HourRow, HoursView } from '../../views/hours.ts'
import { printer } from '../output.ts'
import { showHours } from './hours.ts'

/** Slow at 13 UTC only. */
const hours = Array.from(
  { length: 24 },
  (_, hour): HourRow => ({
    hour,
    observations: 9,
    factor: 1,
    expectedMs: hour === 13 ? 9000 : 1000,
    attempts: 0,
    successes: 0,
    successRate: null,
    open: true,
    price: null,
  }),
)

const view = (generatedAt: string, zone: string | null = null): HoursView => ({
  generatedAt,
  zone: 'UTC',
  targets: [{ target: 'groq/m#1', provider: 'groq', model: 'm', keyIndex: 1, rules: [], closed: null, zone, hours }],
})

function shown(of: HoursView, zone: string): readonly string[] {
  const written: string[] = []
  const stream = { isTTY: false, columns: 400, write: (part: string) => written.push(part) > 0 }
  showHours(of, printer(stream as unknown as NodeJS.WriteStream, {}), { zone, asJson: false, again: false }) // only these are used
  return written.join('').split('\n')
}

/** The heading, and the clock time of the slow hour. */
function slowAt(generatedAt: string, zone: string): readonly (string | undefined)[] {
  const [heading, , head = '', first = ''] = shown(view(generatedAt), zone)
  const at = first.trim().split(/\s+/).indexOf('9.0')
  return [heading, head.trim().split(/\s+/)[at - 1]]
}

test('shows the hours by the clock of a zone, as it stands on that day', () => {
  expect(slowAt('2026-01-15T12:00:00Z', 'UTC')).toEqual(['Hours by the clock of UTC', '13'])
  expect(slowAt('2026-01-15T12:00:00Z', 'Europe/Madrid')).toEqual([
    'Hours by the clock of Europe/Madrid, today UTC+1',
    '14',
  ])
  expect(slowAt('2026-07-15T12:00:00Z', 'Europe/Madrid')).toEqual([
    'Hours by the clock of Europe/Madrid, today UTC+2',
    '15',
  ])
  expect(slowAt('2026-07-15T12:00:00Z', 'America/New_York')).toEqual([
    'Hours by the clock of America/New_York, today UTC-4',
    '09',
  ])
  expect(slowAt('2026-07-15T12:00:00Z', 'Asia/Kolkata')).toEqual([
    'Hours by the clock of Asia/Kolkata, today UTC+5:30',
    '18:30',
  ])
})

test('says whose clock the hours of a target follow', () => {
  expect(shown(view('2026-07-15T12:00:00Z', 'Europe/Madrid'), 'UTC')).toContain(
    'groq/m#1: its hours follow the clock of Europe/Madrid',
  )
})
