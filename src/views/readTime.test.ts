import { expect, test } from 'vitest'
import { readTime } from './readTime.ts'

const NOW = Date.parse('2026-11-23T12:00:00Z')
const iso = (text: string) => {
  const at = readTime(text, NOW)
  return at === null ? null : new Date(at).toISOString()
}

for (const [text, expected] of [
  ['2026-11-01', '2026-11-01T00:00:00.000Z'],
  ['2026-11', '2026-11-01T00:00:00.000Z'],
  ['2026-11-01T10:30', '2026-11-01T10:30:00.000Z'],
  ['2026-11-01T10:30:00+02:00', '2026-11-01T08:30:00.000Z'],
  ['24h', '2026-11-22T12:00:00.000Z'],
  ['7d', '2026-11-16T12:00:00.000Z'],
  ['90m', '2026-11-23T10:30:00.000Z'],
  ['2026-13-01', null],
  ['yesterday', null],
  ['7', null],
  ['', null],
] as const)
  test(`readTime() reads ${JSON.stringify(text)} as ${expected}`, () => expect(iso(text)).toBe(expected))
