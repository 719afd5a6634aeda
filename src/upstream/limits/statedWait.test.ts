import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { statedWait, type WaitSources } from './statedWait.ts'
import { waitName } from './waitNames.ts'

const NOW = Date.parse('2026-11-23T06:00:00Z')
const nothing: WaitSources = { headers: {}, bodies: [], text: '', full: undefined, now: NOW, zone: undefined }
const seconds = (sources: Partial<WaitSources>) => {
  const wait = statedWait({ ...nothing, ...sources })
  return wait === undefined ? undefined : wait.ms / 1000
}

const fields: readonly [name: string, value: unknown, seconds: number][] = [
  ['retry_after', 600, 600],
  ['retryAfter', '600', 600],
  ['retry-after', '10m', 600],
  ['retry_after_ms', 1500, 1.5],
  ['retryAfterMs', '1500', 1.5],
  ['retry_after_seconds', 7, 7],
  ['retryDelay', '34.5s', 34.5],
  ['retry_delay', { seconds: '34', nanos: 5e8 }, 34.5],
  ['retry_in', 'PT2M', 120],
  ['retry_at', '2026-11-23T06:01:00Z', 60],
  ['resets_in_seconds', 7200, 7200],
  ['resets_in_ms', 7200, 7.2],
  ['resets_in_minutes', 2, 120],
  ['reset_seconds', 600, 600],
  ['reset_after', 0.5, 0.5],
  ['resets_at', NOW / 1000 + 60, 60],
  ['reset_at', NOW + 60_000, 60],
  ['reset_at_ms', NOW + 60_000, 60],
  ['resetsAt', 'Mon, 23 Nov 2026 06:01:00 GMT', 60],
  ['reset_time', '2026-11-23 06:01:00', 60],
  ['nextResetTime', NOW + 60_000, 60],
  ['next_flush_time', '2026-11-23 06:01:00', 60],
  ['quotaResetDelay', '1m0s', 60],
  ['quotaResetTimeStamp', '2026-11-23T06:01:00Z', 60],
  ['cooldown_seconds', 60, 60],
  ['wait', '60s', 60],
  ['seconds_to_wait', 60, 60],
  ['try_again_in', '60s', 60],
  ['next_available_at', '2026-11-23T06:01:00Z', 60],
  ['seconds_until_reset', 60, 60],
  ['rateLimitResetMs', 60_000, 60],
  ['remaining_seconds', 60, 60],
  ['quota_refresh_at', '2026-11-23T06:01:00Z', 60],
  ['wait_time', 60, 60],
  ['estimated_time', 20.5, 20.5],
  ['time_remaining', '60', 60],
  ['blocked_until', '2026-11-23T06:01:00Z', 60],
]

const strangers: readonly [name: string, value: unknown][] = [
  ['retry_count', 3],
  ['max_retries', 5],
  ['x-litellm-attempted-retries', 2],
  ['should_retry', true],
  ['retry_after', 'soon'],
  ['retry_after', -5],
  ['retry_after', null],
  ['reset_password_url', 'https://x.example/60'],
  ['preset', 30],
  ['created_at', NOW / 1000 + 60],
  ['remaining', 12],
  ['available', 3],
  ['refresh_token', '60'],
  ['x-ratelimit-remaining-tokens', '60'],
  ['limit_reset', 'monthly'],
]

describe('statedWait()', () => {
  for (const [name, value, expected] of fields)
    test(`reads ${name}: ${JSON.stringify(value)} in a body as ${expected} s`, () => {
      expect(seconds({ bodies: [{ error: { message: 'x', [name]: value } }] })).toBe(expected)
    })

  for (const [name, value] of strangers)
    test(`does not read ${name}: ${JSON.stringify(value)}`, () => {
      expect(seconds({ bodies: [{ error: { [name]: value } }], headers: { [name]: String(value) } })).toBeUndefined()
    })

  test('believes headers made for it, then the body, then the text, then what ran out, then any other reset', () => {
    const full = {
      unit: 'requests',
      window: 'minute',
      scope: 'model',
      limit: 5,
      remaining: 0,
      resetsAt: NOW + 50_000,
      source: 'header',
    } as const
    const all = {
      headers: {
        'retry-after-ms': '10000',
        'retry-after': '20',
        'x-retry-in': '25',
        'x-ratelimit-reset': '60',
      } as Record<string, string>,
      bodies: [{ retry_after: 30 }],
      text: 'Try again in 40s',
      full,
    }
    expect(seconds(all)).toBe(10)
    delete all.headers['retry-after-ms']
    expect(seconds(all)).toBe(20)
    delete all.headers['retry-after']
    expect(seconds(all)).toBe(25)
    delete all.headers['x-retry-in']
    expect(seconds(all)).toBe(30)
    expect(seconds({ ...all, bodies: [] })).toBe(40)
    expect(seconds({ ...all, bodies: [], text: '' })).toBe(50)
    expect(seconds({ headers: all.headers })).toBe(60)
  })

  test('prefers the field that speaks of a retry to one that speaks of a reset', () => {
    expect(seconds({ bodies: [{ reset_at: '2026-11-24T00:00:00Z', inner: { retry_after: 2 } }] })).toBe(2)
  })

  test('does not take the reset of a limit that has room for a wait', () => {
    expect(
      seconds({ headers: { 'x-ratelimit-reset-requests': '1s', 'x-ratelimit-remaining-requests': '5' } }),
    ).toBeUndefined()
    expect(
      seconds({ headers: { 'x-plan-primary-reset-at': '90', 'x-plan-primary-used-percent': '41' } }),
    ).toBeUndefined()
    expect(seconds({ headers: { 'x-plan-primary-reset-at': '90', 'x-plan-primary-used-percent': '100' } })).toBe(90)
    const bodies = [
      {
        limits: [
          { remaining: 4, resets_in_seconds: 5 },
          { remaining: 0, resets_in_seconds: 600 },
        ],
      },
    ]
    expect(seconds({ bodies })).toBe(600)
  })

  test('reads no wait out of what the client sent', () => {
    const echo = { retry_after: 5, resets_at: NOW + 5000 }
    for (const name of ['input', 'messages', 'request', 'body', 'params', 'tools'])
      expect(seconds({ bodies: [{ detail: [{ [name]: [echo] }] }] })).toBeUndefined()
  })

  test('ends on bodies made to be looked at for long', () => {
    let deep: unknown = { retry_after: 5 }
    for (let level = 0; level < 1000; level++) deep = { error: deep }
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`x${index}`, { y: {} }]))
    expect(seconds({ bodies: [deep, wide] })).toBeUndefined()
    fc.assert(fc.property(fc.jsonValue(), (body) => void statedWait({ ...nothing, bodies: [body] })))
    fc.assert(fc.property(fc.string(), (name) => void waitName(name)))
  })
})
