import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { waitInText } from '../reset.ts'
import { type TextContext, waitsIn } from './waitText.ts'

const NOW = Date.parse('2026-11-23T06:00:00Z')
const context: TextContext = { now: NOW, skewMs: 0 }

const lengths: readonly [text: string, seconds: number][] = [
  ['Please send your request again later, or try it again in 20s', 20],
  ['Limit hit. Resets in 1h 30m.', 5400],
  ['Resets in 108h48m29s.', 391_709],
  ['The quota of this plan will reset after 161h39m41s', 581_981],
  ['Upgrade or try again in 5 days 22 hours 11 minutes.', 511_860],
  ['This resets in 2 hours and 5 minutes', 7500],
  ['try again in 1 hour, 30 minutes', 5400],
  ['Try again in 01:30:00', 5400],
  ['cooling down, retry in ~12s', 12],
  ['You are blocked for 60 seconds', 60],
  ['Please wait another 45 seconds', 45],
  ['wait an hour', 3600],
  ['Try again after 45 more seconds', 45],
  ['next request allowed in 12 seconds', 12],
  ['come back in a minute', 60],
  ['Retry-After: 20', 20],
  ['Too many requests, retry after 30', 30],
  ['Too many requests, retry after 30. See the documentation.', 30],
  ['{"retry_after": 30, "id": 7}', 30],
  ['estimated time: 20 seconds', 20],
  ['请求太多，请 30 秒后重试', 30],
  ['请等待 2 分钟', 120],
  ['请在1小时30分钟后再试', 5400],
  ['30秒後に再試行してください', 30],
]

const dates: readonly [text: string, iso: string][] = [
  ['The limit will reset at 2026-11-23 17:00:00', '2026-11-23T17:00:00Z'],
  ['The limit will reset at 2026-11-23 17:00', '2026-11-23T17:00:00Z'],
  ['available again at 2026-11-23T08:00:00.250Z', '2026-11-23T08:00:00.250Z'],
  ['Please retry after 2026-11-23T08:00:00+01:00', '2026-11-23T07:00:00Z'],
  ['Limit resets at: 2026-11-23 06:15:18 UTC', '2026-11-23T06:15:18Z'],
  ['Reset time: 2026/11/23 17:00:00 (UTC+8)', '2026-11-23T09:00:00Z'],
  ['You will regain access on 2026-12-01 at 00:00 UTC.', '2026-12-01T00:00:00Z'],
  ['used up; resets 2026-11-24', '2026-11-24T00:00:00Z'],
  ['try again at Mon, 23 Nov 2026 17:00:00 GMT', '2026-11-23T17:00:00Z'],
  ['will be reset on November 23, 2026 at 5:00 PM PST', '2026-11-24T01:00:00Z'],
  ['or try again at Nov 23rd, 2026 5:00 PM.', '2026-11-23T17:00:00Z'],
  ['resets on 23 Nov 2026 17:00 UTC', '2026-11-23T17:00:00Z'],
  ['resets Dec 2, 5pm', '2026-12-02T17:00:00Z'],
  ['try again at 11/23/2026, 5:00:00 PM', '2026-11-23T17:00:00Z'],
  ['Access resets at 10:57 PM GMT-3.', '2026-11-24T01:57:00Z'],
  ['resets 7pm (America/New_York)', '2026-11-24T00:00:00Z'],
  ['resets 8pm', '2026-11-23T20:00:00Z'],
  ['resets 5am', '2026-11-24T05:00:00Z'],
  ['wait until 17:00 UTC', '2026-11-23T17:00:00Z'],
  ['it resets automatically at midnight Pacific', '2026-11-23T08:00:00Z'],
  ['resets at 1795449600', '2026-11-23T16:00:00Z'],
  ['usage limit reached|1795449600', '2026-11-23T16:00:00Z'],
  ['已达到 5 小时的使用上限。限额将在 2026-11-23 17:00:00 重置。', '2026-11-23T09:00:00Z'],
  ['将于2026年11月23日 17:00恢复', '2026-11-23T09:00:00Z'],
]

const nothing = [
  'Please try again later.',
  'try again in a few minutes',
  'retry after 3 attempts',
  'error 429 in 5 of 10 tries',
  'try again in 400 days',
  'resets every 5 hours',
  'the limit was reset on 2026-11-01 00:00:00',
  'reset at 2026-02-31 00:00:00',
  'the model is available in 2 regions',
  'messages[30].content: 2026-11-24 10:00:00 is no text',
  'context of 30 seconds of audio, 17:00 UTC',
  '已达到 5 小时的使用上限',
  '文件 2026-11-24 10:00:00 不存在',
]

describe('waitInText()', () => {
  for (const [text, seconds] of lengths)
    test(`finds ${seconds} s in "${text}"`, () => {
      expect(waitInText(text, context)).toEqual({ ms: seconds * 1000, isDate: false })
    })

  for (const [text, iso] of dates)
    test(`finds ${iso} in "${text}"`, () => {
      expect(waitInText(text, context)).toEqual({ ms: Date.parse(iso) - NOW, isDate: true })
    })

  for (const text of nothing)
    test(`finds nothing in "${text}"`, () => expect(waitInText(text, context)).toBeUndefined())

  test('reads a date without a zone in the provider’s', () => {
    const text = 'The limit will reset at 2026-11-23 17:00:00'
    for (const [zone, iso] of [
      ['Asia/Shanghai', '2026-11-23T09:00:00Z'],
      ['+08:00', '2026-11-23T09:00:00Z'],
      ['America/New_York', '2026-11-23T22:00:00Z'],
    ] as const)
      expect(waitInText(text, { ...context, zone })?.ms).toBe(Date.parse(iso) - NOW)
  })

  test('gives a time of day that is over today the next day, also where the clocks change', () => {
    const sunday = Date.parse('2026-11-01T07:00:00Z') // 00:00 in Los Angeles; the clocks go back at 02:00
    expect(waitInText('resets at 3am Pacific', { now: sunday, skewMs: 0 })?.ms).toBe(4 * 3_600_000)
  })

  test('corrects dates by the upstream’s clock, unless that cannot have written them', () => {
    const text = 'resets at 2026-11-24T07:00:00Z'
    expect(waitInText(text, { now: NOW, skewMs: 86_400_000 })?.ms).toBe(3_600_000)
    expect(waitInText('resets at 2026-11-23T09:00:00Z', { now: NOW, skewMs: 24 * 86_400_000 })?.ms).toBe(3 * 3_600_000)
  })

  test('reads every text in linear time, and never throws', () => {
    const parts = [
      'resets at ',
      'retry',
      '请',
      '秒后',
      '2026-11-',
      '12:',
      'nov 5, ',
      'in 1h ',
      ', ',
      '(',
      '/',
      'reset=',
      '1',
      ' a ',
      '重置 2026-11-24',
    ]
    for (const part of parts) expect([...waitsIn(part.repeat(1e6 / part.length), context)].length).toBeLessThan(1000)
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts, '3', 'pm', 'UTC', ' '), { maxLength: 12 }), (words) => {
        const wait = waitInText(words.join(''), context)
        if (wait !== undefined) expect(wait.ms).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})
