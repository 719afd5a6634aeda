import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clockSkewMs, LONGEST_WAIT_MS, parseWait, waitInText } from './reset.ts'

const NOW = Date.parse('2026-11-23T00:00:00Z')
const at = (iso: string) => Date.parse(iso) - NOW

describe('parseWait()', () => {
  const cases: [value: string | number, ms: number | undefined][] = [
    ['12', 12_000],
    ['12.5', 12_500],
    ['"2"', 2_000],
    ['0', 0],
    [30, 30_000],
    ['120ms', 120],
    ['7.66s', 7_660],
    ['1s', 1_000],
    ['1m47.5854s', 107_585.4],
    ['2m59.56s', 179_560],
    ['6m0s', 360_000],
    ['1h', 3_600_000],
    ['1h2m3s', 3_723_000],
    ['21h36m0s', 77_760_000],
    ['1d', 86_400_000],
    ['34.074824224s', 34_074.824224],
    ['33011.382867', 33_011_382.867],
    ['86400', 86_400_000],
    ['2026-11-23T01:02:03Z', at('2026-11-23T01:02:03Z')],
    ['2026-11-23T01:02:03.250+01:00', at('2026-11-23T00:02:03.250Z')],
    ['Mon, 23 Nov 2026 00:01:00 GMT', 60_000],
    [String(NOW / 1000 + 90), 90_000],
    [String(NOW + 90_000), 90_000],
    [NOW + 90_000, 90_000],
    [' 5s ', 5_000],
    ['1h 30m', 5_400_000],
    ['PT1M30S', 90_000],
    ['2026-11-23 01:02:03', at('2026-11-23T01:02:03Z')],
    ['2026-11-23T01:02:03', at('2026-11-23T01:02:03Z')],
    ['2026-11-23 01:02:03 UTC', at('2026-11-23T01:02:03Z')],
    ['Nov 23, 2026 5:00 PM', at('2026-11-23T17:00:00Z')],
    ['2 seconds', 2_000],
    ['-5', undefined],
    ['-5s', undefined],
    [-1, undefined],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    ['NaN', undefined],
    ['', undefined],
    ['soon', undefined],
    ['5 parsecs', undefined],
    ['5s and more', undefined],
    ['0x10', undefined],
    ['1e3', undefined],
    ['32d', undefined],
    ['2678401', undefined],
    ['99999999999999999999', undefined],
    ['Sun, 06 Nov 1994 08:49:37 GMT', undefined],
    ['2026-13-45T99:99:99Z', undefined],
    ['1'.repeat(100_000), undefined],
    ['1h'.repeat(100_000), undefined],
  ]
  for (const [value, expected] of cases) {
    test(`reads ${JSON.stringify(value).slice(0, 40)} as ${expected} ms`, () => {
      const wait = parseWait(value, NOW)
      if (expected === undefined) expect(wait).toBeUndefined()
      else expect(wait).toBeCloseTo(expected, 3)
    })
  }

  test('corrects dates, and only dates, by the skew of the upstream clock', () => {
    const skew = 86_400_000
    expect(parseWait('2026-11-24T00:00:30Z', NOW, skew)).toBe(30_000)
    expect(parseWait(String((NOW + skew) / 1000 + 30), NOW, skew)).toBe(30_000)
    expect(parseWait('30', NOW, skew)).toBe(30_000)
  })

  test('reads a date without a zone in the given one', () => {
    expect(parseWait('2026-11-23 17:00:00', NOW, 0, 'Asia/Shanghai')).toBe(at('2026-11-23T09:00:00Z'))
    expect(parseWait('2026-11-23T17:00:00Z', NOW, 0, 'Asia/Shanghai')).toBe(at('2026-11-23T17:00:00Z'))
  })

  test('never returns anything outside 0 to 31 days, whatever the input', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double(), fc.integer().map(String)), (value) => {
        const wait = parseWait(value, NOW)
        expect(wait === undefined || (wait >= 0 && wait <= LONGEST_WAIT_MS)).toBe(true)
      }),
    )
  })
})

describe('waitInText()', () => {
  const cases: [text: string, ms: number | undefined][] = [
    ['Please try again in 7m12.5s.', 432_500],
    ['Please try again in 11.455s. Need more tokens?', 11_455],
    ['Please try again in 9m38.016s. Need', 578_016],
    ['Please retry in 37.8s', 37_800],
    ['Please retry in 964.97ms.', 964.97],
    ['Please retry after 2 seconds. Please contact', 2_000],
    ['retry again in 1 minute', 60_000],
    ['wait for 5 seconds', 5_000],
    ['Please try again later.', undefined],
    ['retry after 3 attempts', undefined],
    ['error 429 in 5 of 10 tries', undefined],
    ['try again in 400 days', undefined],
  ]
  for (const [text, expected] of cases) {
    test(`finds ${expected} ms in "${text}"`, () => {
      const wait = waitInText(text, { now: NOW, skewMs: 0 })?.ms
      if (expected === undefined) expect(wait).toBeUndefined()
      else expect(wait).toBeCloseTo(expected, 3)
    })
  }

  test('ends on a million characters of nearly matching text', () => {
    for (const part of ['try again in ', 'retry in 1', 'wait 9', 'in in in ', '1m'])
      waitInText(part.repeat(1e6 / part.length), { now: NOW, skewMs: 0 })
  })
})

describe('clockSkewMs()', () => {
  test('returns how far the upstream clock is ahead, and 0 for nonsense', () => {
    expect(clockSkewMs('Tue, 24 Nov 2026 00:00:00 GMT', NOW)).toBe(86_400_000)
    expect(clockSkewMs('Sun, 22 Nov 2026 00:00:00 GMT', NOW)).toBe(-86_400_000)
    expect(clockSkewMs('Mon, 23 Nov 2026 00:00:01 GMT', NOW)).toBe(0)
    expect(clockSkewMs('Mon, 23 Nov 1926 00:00:01 GMT', NOW)).toBe(0)
    expect(clockSkewMs('yesterday', NOW)).toBe(0)
    expect(clockSkewMs(undefined, NOW)).toBe(0)
  })
})
