import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeSuccess, makeTarget } from '../../../test/support/makeEvents.ts'
import type { Failure, FailureKind } from '../../domain/failure.ts'
import type { AttemptEvent, LiftEvent } from '../../domain/store.ts'
import type { Target } from '../../domain/target.ts'
import type { QuotaFacts } from './failureStreak.ts'
import { Parks } from './parks.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const NOW = Date.parse('2026-11-23T12:00:00Z')

const PROVIDERS: Record<string, QuotaFacts> = {
  google: { quotaScope: 'account+model', dayBoundary: 'America/Los_Angeles', keyCheck: {} },
  groq: { quotaScope: 'account+model', dayBoundary: 'rolling', keyCheck: {} },
  router: { quotaScope: 'account', dayBoundary: 'UTC', keyCheck: {} },
  cohere: { quotaScope: 'account', dayBoundary: 'unknown', keyCheck: 'call' },
  open: { quotaScope: 'ip', dayBoundary: 'unknown', keyCheck: 'none' },
  single: { quotaScope: 'key', dayBoundary: 'unknown', keyCheck: {} },
}

const newParks = () => new Parks({ facts: (provider) => PROVIDERS[provider] })

interface TargetChoice {
  provider?: string
  model?: string
  key?: number
  label?: string
  free?: boolean
}

function target({ provider = 'groq', model = 'm', key = 1, label, free = false }: TargetChoice = {}): Target {
  const made = makeTarget({ provider, model, keyIndex: key, profile: { free } })
  return label === undefined ? made : { ...made, account: `${provider}:${label}` }
}

let counter = 0

/** It takes no time: begun when it ended. */
const event = (where: Target, at: number, failure: Failure | null, facts: Partial<AttemptEvent> = {}): AttemptEvent =>
  makeSuccess(where, at, { startedAt: at, latencyMs: 0, firstTokenMs: null, ok: failure === null, failure, ...facts })

function failure(kind: FailureKind, facts: object = {}): Failure {
  // Every required field is present.
  return { kind, status: null, message: '', phase: 'idle', afterMs: 1, code: 'ECONNRESET', ...facts } as Failure
}

const fail = (where: Target, at: number, kind: FailureKind, facts: object = {}) =>
  event(where, at, failure(kind, facts))
const succeed = (where: Target, at: number, facts: Partial<AttemptEvent> = {}) => event(where, at, null, facts)
const lift = (where: Target | null, at: number, only?: FailureKind[]): LiftEvent => ({
  kind: 'lift',
  at,
  origin: 'here',
  id: `event-${counter++}`,
  target: where,
  only,
})

/** Lengths of the parks after each of `times` failures, each right after the previous park ended. */
function lengths(where: Target, kind: FailureKind, times: number, facts: object = {}): number[] {
  const parks = newParks()
  const found: number[] = []
  let at = NOW
  for (let time = 0; time < times; time++) {
    parks.fold(fail(where, at, kind, facts))
    const park = parks.blocking(where, at)
    found.push(park === undefined ? 0 : park.until - at)
    at = park?.until ?? at + SECOND
  }
  return found
}

/** Which of these targets are blocked. */
function blocked(parks: Parks, at: number, ...targets: Target[]): boolean[] {
  return targets.map((target) => parks.blocking(target, at) !== undefined)
}

describe('the table of parks', () => {
  const guesses: [kind: FailureKind, facts: object, lengths: number[]][] = [
    ['auth_invalid', {}, [15, 30, 60, 120, 240, 480, 960, 1440, 1440].map((minutes) => minutes * MINUTE)],
    ['auth_forbidden', {}, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440].map((minutes) => minutes * MINUTE)],
    ['auth_forbidden', { keyWide: true }, [5, 10, 20].map((minutes) => minutes * MINUTE)],
    ['auth_forbidden', { hostBlocked: true }, [5, 10, 20].map((minutes) => minutes * MINUTE)],
    ['billing', {}, [1, 2, 4, 8, 16, 24, 24].map((hours) => hours * HOUR)],
    ['quota_day', {}, [DAY, DAY]],
    [
      'rate_minute',
      {},
      [30, 60, 120, 240, 480, 960, 1920, 3840, 7680, 14_400, 14_400].map((seconds) => seconds * SECOND),
    ],
    ['zero_quota', {}, [DAY, DAY]],
    ['model_not_found', {}, [15, 30, 60, 120, 240, 480, 960, 1440, 1440].map((minutes) => minutes * MINUTE)],
    ['overloaded', {}, [0, 15, 30, 60, 120, 240, 480, 900, 900].map((seconds) => seconds * SECOND)],
    ['server', {}, [0, 15, 30].map((seconds) => seconds * SECOND)],
    ['timeout', {}, [0, 15, 30].map((seconds) => seconds * SECOND)],
    ['network', {}, [0, 15, 30, 60, 120, 240, 480, 900, 900].map((seconds) => seconds * SECOND)],
    ['timeout', { phase: 'connect' }, [0, 15, 30].map((seconds) => seconds * SECOND)],
    ...(
      [
        'too_large_for_limit',
        'context_too_long',
        'content_filter',
        'unsupported',
        'bad_request',
        'client_gone',
        'slower',
      ] as const
    ).map((kind): [FailureKind, object, number[]] => [kind, { retryAfterMs: HOUR }, [0, 0, 0]]),
  ]
  for (const [kind, facts, expected] of guesses) {
    test(`parks for ${kind} ${JSON.stringify(facts)} that repeats: ${expected.map((ms) => ms / SECOND).join(', ')} s`, () => {
      expect(lengths(target(), kind, expected.length, facts)).toEqual(expected)
    })
  }

  for (const kind of ['in_flight_budget', 'quota_day', 'rate_minute', 'overloaded', 'server', 'network'] as const) {
    test(`${kind} keeps a stated wait from the first occurrence, extended by at most a tenth`, () => {
      for (const wait of [1, 20 * SECOND, 90 * SECOND, 5 * HOUR]) {
        for (const length of lengths(target(), kind, 3, { retryAfterMs: wait })) {
          expect(length).toBeGreaterThanOrEqual(wait)
          expect(length).toBeLessThanOrEqual(wait * 1.1)
        }
      }
    })
  }

  test('a stated wait is believed for no longer than the window of its limit', () => {
    const [minute = 0] = lengths(target(), 'rate_minute', 1, { retryAfterMs: 3 * HOUR, window: 'minute' })
    expect(minute).toBeLessThanOrEqual(66 * SECOND)
    const [day = 0] = lengths(target(), 'quota_day', 1, { retryAfterMs: 20 * DAY })
    expect(day).toBeLessThanOrEqual(25 * HOUR + MINUTE)
  })

  const boundaries: [provider: string, at: string, facts: object, until: string, text: string][] = [
    [
      'google',
      '2026-11-23T12:00:00Z',
      {},
      '2026-11-24T08:00:00Z',
      'daily limit of google project-b for m until 08:00 UTC (Pacific midnight)',
    ],
    [
      'google',
      '2026-03-08T09:00:00Z',
      {},
      '2026-03-09T07:00:00Z',
      'daily limit of google project-b for m until 07:00 UTC (Pacific midnight)',
    ],
    [
      'google',
      '2026-11-01T07:30:00Z',
      {},
      '2026-11-02T08:00:00Z',
      'daily limit of google project-b for m until 2026-11-02 08:00 UTC (Pacific midnight)',
    ],
    [
      'router',
      '2026-11-23T12:00:00Z',
      {},
      '2026-11-24T00:00:00Z',
      'daily limit of router project-b until 00:00 UTC (midnight UTC)',
    ],
    [
      'cohere',
      '2026-11-23T12:00:00Z',
      { window: 'month' },
      '2026-12-01T00:00:00Z',
      'monthly limit of cohere project-b until 2026-12-01 00:00 UTC (end of the month)',
    ],
  ]
  for (const [provider, from, facts, until, text] of boundaries) {
    test(`quota_day of ${provider} at ${from} lasts until ${until}: the provider's own day or month`, () => {
      const at = Date.parse(from)
      const where = target({ provider, label: 'project-b' })
      const parks = newParks()
      parks.fold(fail(where, at, 'quota_day', facts))
      const park = parks.blocking(where, at)
      expect(park?.stated).toBe(true)
      expect(park?.until).toBeGreaterThanOrEqual(Date.parse(until))
      expect(park?.until).toBeLessThanOrEqual(Date.parse(until) + MINUTE)
      expect(park?.text).toBe(text)
    })
  }

  test('a stated reset takes precedence over the provider’s day', () => {
    const where = target({ provider: 'google' })
    const [length] = lengths(where, 'quota_day', 1, { retryAfterMs: HOUR })
    expect(length).toBeLessThanOrEqual(HOUR + MINUTE)
  })

  test('billing ends with the month where the upstream says so', () => {
    const [length = 0] = lengths(target(), 'billing', 1, { untilMonthEnd: true })
    const monthEnd = Date.parse('2026-12-01T00:00:00Z') - NOW
    expect(length).toBeGreaterThanOrEqual(monthEnd)
    expect(length).toBeLessThanOrEqual(monthEnd + MINUTE)
  })

  test('billing of a spend limit lasts until the date that the provider gives', () => {
    const [length = 0] = lengths(target(), 'billing', 1, { untilMonthEnd: true, retryAfterMs: 30 * MINUTE })
    expect(length).toBeGreaterThanOrEqual(30 * MINUTE)
    expect(length).toBeLessThanOrEqual(31 * MINUTE)
  })

  test('rate_minute without a wait never guesses past the next daily reset, from the third in a row', () => {
    const where = target({ provider: 'router' })
    const parks = newParks()
    const midnight = Date.parse('2026-11-24T00:00:00Z')
    for (const before of [3, 2, 1]) parks.fold(fail(where, midnight - before * MINUTE, 'rate_minute'))
    expect(parks.blocking(where, midnight - MINUTE)?.until).toBe(midnight)
  })
})

describe('what a failure parks', () => {
  const first = target({ label: 'team', model: 'a', key: 1 })
  const sibling = target({ label: 'team', model: 'a', key: 2 })
  const otherModel = target({ label: 'team', model: 'b', key: 1 })
  const otherAccount = target({ label: 'else', model: 'a', key: 3 })
  const otherProvider = target({ provider: 'google', model: 'a', key: 1 })
  const everybody = [first, sibling, otherModel, otherAccount, otherProvider]

  const cases: [kind: FailureKind, facts: object, times: number, blocked: boolean[]][] = [
    ['auth_invalid', {}, 1, [true, false, true, false, false]],
    ['auth_forbidden', {}, 1, [true, false, false, false, false]],
    ['auth_forbidden', { keyWide: true }, 1, [true, false, true, false, false]],
    ['auth_forbidden', { hostBlocked: true }, 1, [true, true, true, true, false]],
    ['billing', {}, 1, [true, true, true, false, false]],
    ['in_flight_budget', { retryAfterMs: MINUTE }, 1, [true, false, true, false, false]],
    ['quota_day', {}, 1, [true, true, false, false, false]],
    ['quota_day', { scope: 'account' }, 1, [true, true, true, false, false]],
    ['rate_minute', {}, 1, [true, true, false, false, false]],
    ['rate_minute', { scope: 'account' }, 1, [true, true, true, false, false]],
    ['zero_quota', {}, 1, [true, false, false, false, false]],
    ['model_not_found', {}, 1, [true, false, false, false, false]],
    ['overloaded', {}, 2, [true, true, false, true, false]],
    ['server', {}, 2, [true, true, false, true, false]],
    ['timeout', {}, 2, [true, true, false, true, false]],
    ['timeout', { phase: 'connect' }, 2, [true, true, true, true, false]],
    ['network', {}, 2, [true, true, true, true, false]],
  ]
  for (const [kind, facts, times, expected] of cases) {
    test(`${kind} ${JSON.stringify(facts)} parks every target that shares its cause, and no other`, () => {
      const parks = newParks()
      for (let time = 0; time < times; time++) parks.fold(fail(first, NOW + time, kind, facts))
      expect(blocked(parks, NOW + times, ...everybody)).toEqual(expected)
    })
  }

  test('a daily limit parks the account where the provider counts by account', () => {
    const [one, other] = [target({ provider: 'router', model: 'a' }), target({ provider: 'router', model: 'b' })]
    const parks = newParks()
    parks.fold(fail(one, NOW, 'quota_day'))
    expect(blocked(parks, NOW, one, other)).toEqual([true, true])
    const perMinute = newParks()
    perMinute.fold(fail(one, NOW, 'rate_minute'))
    expect(blocked(perMinute, NOW, one, other)).toEqual([true, false])
  })

  test('a limit of the host parks every key of the provider, a limit of the key only that key', () => {
    const parks = newParks()
    parks.fold(fail(target({ provider: 'open', key: 1 }), NOW, 'rate_minute'))
    parks.fold(fail(target({ provider: 'single', key: 1, label: 'x' }), NOW, 'rate_minute'))
    expect(parks.blocking(target({ provider: 'open', key: 2 }), NOW)?.scope).toBe('provider')
    expect(parks.blocking(target({ provider: 'single', key: 1, label: 'x' }), NOW)?.scope).toBe('key')
    expect(parks.blocking(target({ provider: 'single', key: 2, label: 'x' }), NOW)).toBeUndefined()
  })

  test('three models that refuse a key park the whole key', () => {
    const parks = newParks()
    for (const model of ['a', 'b']) parks.fold(fail(target({ model }), NOW, 'auth_forbidden'))
    expect(blocked(parks, NOW, target({ model: 'd' }))).toEqual([false])
    parks.fold(fail(target({ model: 'c' }), NOW, 'auth_forbidden'))
    expect(parks.blocking(target({ model: 'd' }), NOW)?.scope).toBe('key')
  })

  test('refusals one after the other park the key as short as its first', () => {
    const parks = newParks()
    for (const [index, model] of ['a', 'b', 'c'].entries())
      parks.fold(fail(target({ model }), NOW + index * SECOND, 'auth_forbidden'))
    const park = parks.blocking(target({ model: 'd' }), NOW + 3 * SECOND)
    expect((park?.until ?? 0) - (park?.since ?? 0)).toBe(5 * MINUTE)
  })

  test('an empty balance does not park the account’s free models, unless they are refused for it', () => {
    const parks = newParks()
    const paid = target({ model: 'paid' })
    const free = target({ model: 'free', free: true })
    parks.fold(fail(paid, NOW, 'billing'))
    expect(blocked(parks, NOW, paid, free)).toEqual([true, false])
    parks.fold(succeed(free, NOW + SECOND, { costNanoUsd: 0 }))
    expect(blocked(parks, NOW + SECOND, paid, free)).toEqual([true, false])
    parks.fold(fail(free, NOW + 2 * SECOND, 'billing'))
    expect(blocked(parks, NOW + 2 * SECOND, paid, free)).toEqual([true, true])
  })

  test('a negative balance parks the free models too', () => {
    const parks = newParks()
    parks.fold(fail(target({ model: 'x:free', free: true }), NOW, 'billing', { coversFree: true }))
    expect(blocked(parks, NOW, target({ model: 'y:free', free: true }), target({ model: 'z' }))).toEqual([true, true])
  })

  test('a limit on free models does not park the account’s paid ones', () => {
    const parks = newParks()
    parks.fold(fail(target({ provider: 'router', model: 'x', free: true }), NOW, 'quota_day', { scope: 'free-models' }))
    const [free, paid] = [
      target({ provider: 'router', model: 'y', free: true }),
      target({ provider: 'router', model: 'z' }),
    ]
    expect(blocked(parks, NOW, free, paid)).toEqual([true, false])
  })
})

describe('what makes no park longer', () => {
  const expected = { known: 'expected' } as const

  test('a failure that was expected', () => {
    const parks = newParks()
    const where = target()
    parks.fold(fail(where, NOW, 'rate_minute'))
    parks.fold(fail(where, NOW + 31 * SECOND, 'rate_minute'))
    const before = parks.blocking(where, NOW + 32 * SECOND)
    for (let second = 32; second < 90; second++)
      parks.fold(event(where, NOW + second * SECOND, failure('rate_minute'), expected))
    expect(parks.blocking(where, NOW + 90 * SECOND)).toEqual(before)
    parks.fold(fail(where, NOW + 91 * SECOND, 'rate_minute'))
    expect(parks.blocking(where, NOW + 92 * SECOND)?.times).toBe(3)
  })

  test('an expected failure still counts for the wait that it states', () => {
    const parks = newParks()
    const where = target()
    parks.fold(fail(where, NOW, 'rate_minute'))
    parks.fold(event(where, NOW + SECOND, failure('rate_minute', { retryAfterMs: 5 * MINUTE }), expected))
    expect(parks.blocking(where, NOW + MINUTE)).toMatchObject({ stated: true, times: 1 })
  })

  test('thousands of expected failures do not crowd out those that count', () => {
    const parks = newParks()
    const where = target()
    let at = NOW
    for (let time = 0; time < 5; time++) {
      parks.fold(fail(where, at, 'rate_minute'))
      for (let try_ = 1; try_ < 100; try_++)
        parks.fold(event(where, at + try_ * 50, failure('rate_minute', { retryAfterMs: try_ }), expected))
      at = (parks.blocking(where, at)?.until ?? at) + 1
    }
    expect(parks.list(at - 2)).toMatchObject([{ times: 5 }])
  })

  test('a failure is expected while its own park is in force, and repeats an outage that has begun', () => {
    const parks = newParks()
    const where = target()
    const other = target({ model: 'other' })
    const [limited, broken] = [failure('rate_minute'), failure('server')]
    expect(parks.knows(where, limited, NOW)).toBeNull()
    parks.fold(fail(where, NOW, 'rate_minute'))
    parks.fold(fail(where, NOW, 'server'))
    for (const [failed, at, known] of [
      [limited, NOW - 1, null],
      [limited, NOW + SECOND, 'expected'],
      [limited, NOW + 30 * SECOND, null],
      [broken, NOW + SECOND, 'repeated'],
      [failure('auth_invalid'), NOW + SECOND, null],
    ] as const)
      expect(parks.knows(where, failed, at)).toBe(known)
    expect(parks.knows(other, limited, NOW + SECOND)).toBeNull()
    parks.fold(fail(where, NOW + SECOND, 'server'))
    expect(parks.knows(where, broken, NOW + 2 * SECOND)).toBe('expected')
    parks.fold(succeed(where, NOW + 3 * SECOND))
    expect(parks.knows(where, broken, NOW + 4 * SECOND)).toBeNull()
  })
})

describe('a stated wait that proves wrong', () => {
  for (const kind of ['rate_minute', 'in_flight_budget', 'overloaded', 'server'] as const) {
    for (const wait of [0, 50, SECOND]) {
      test(`three times running is not believed any more: ${kind} with ${wait} ms`, () => {
        const found = lengths(target(), kind, 7, { retryAfterMs: wait })
        for (const length of found.slice(0, 3)) expect(length).toBeLessThanOrEqual(wait * 1.1)
        const [fourth = 0, fifth = 0, sixth = 0] = found.slice(3)
        expect(fourth).toBe(kind === 'overloaded' || kind === 'server' ? 15 * SECOND : 30 * SECOND)
        expect(fifth).toBe(fourth * 2)
        expect(sixth).toBe(Math.min(fourth * 4, kind === 'in_flight_budget' ? 15 * MINUTE : DAY))
      })
    }
  }

  test('is followed by guesses that count what was guessed, not what was believed', () => {
    const where = target()
    const parks = newParks()
    let at = NOW
    const lengthsOf = (waits: readonly (number | undefined)[]) =>
      waits.map((retryAfterMs) => {
        parks.fold(fail(where, at, 'rate_minute', retryAfterMs === undefined ? {} : { retryAfterMs }))
        const length = (parks.blocking(where, at)?.until ?? at) - at
        at += Math.max(length, SECOND)
        return length / SECOND
      })
    expect(lengthsOf([undefined, 0, 0, undefined, undefined])).toEqual([30, 0, 0, 60, 120])
  })

  test('is a guess, but never shorter than what is stated', () => {
    const where = target()
    const parks = newParks()
    let at = NOW
    for (let time = 0; time < 5; time++) {
      parks.fold(fail(where, at, 'rate_minute', { retryAfterMs: HOUR }))
      const park = parks.blocking(where, at)
      expect(park?.stated).toBe(true)
      expect((park?.until ?? 0) - at).toBeGreaterThanOrEqual(HOUR)
      at = park?.until ?? at
    }
  })

  test('is believed again after a success', () => {
    const where = target()
    const parks = newParks()
    for (let time = 0; time < 5; time++)
      parks.fold(fail(where, NOW + time * HOUR, 'rate_minute', { retryAfterMs: SECOND }))
    expect(parks.blocking(where, NOW + 4 * HOUR + 10 * SECOND)?.stated).toBe(false)
    parks.fold(succeed(where, NOW + 5 * HOUR))
    parks.fold(fail(where, NOW + 6 * HOUR, 'rate_minute', { retryAfterMs: SECOND }))
    expect(parks.blocking(where, NOW + 6 * HOUR + 2 * SECOND)).toBeUndefined()
  })

  test('is not proved wrong by refusals of calls that began before its end', () => {
    const where = target()
    const parks = newParks()
    for (let time = 0; time < 10; time++)
      parks.fold(fail(where, NOW + time * SECOND, 'rate_minute', { retryAfterMs: MINUTE }))
    expect(parks.blocking(where, NOW + 10 * SECOND)?.stated).toBe(true)
  })

  test('of a daily quota gives way to the provider’s own day', () => {
    const where = target({ provider: 'router' })
    const parks = newParks()
    for (let time = 0; time < 4; time++)
      parks.fold(fail(where, NOW + time * MINUTE, 'quota_day', { retryAfterMs: SECOND }))
    expect(parks.blocking(where, NOW + 4 * MINUTE)?.until).toBe(Date.parse('2026-11-24T00:00:00Z'))
  })
})

describe('what ends a park', () => {
  test('a success clears guesses and their counts, but not stated waits', () => {
    const parks = newParks()
    const where = target()
    parks.fold(fail(where, NOW, 'model_not_found'))
    parks.fold(fail(where, NOW, 'rate_minute', { retryAfterMs: MINUTE }))
    parks.fold(succeed(where, NOW + SECOND))
    expect(parks.list(NOW + SECOND).map((park) => park.reason)).toEqual(['rate_minute'])
    parks.fold(fail(where, NOW + HOUR, 'model_not_found'))
    expect(parks.blocking(where, NOW + HOUR)?.times).toBe(1)
  })

  test('a success sent before a key was refused proves nothing', () => {
    const parks = newParks()
    const where = target()
    parks.fold(fail(where, NOW, 'auth_invalid'))
    parks.fold(succeed(where, NOW + SECOND, { startedAt: NOW - SECOND }))
    expect(parks.blocking(where, NOW + SECOND)?.reason).toBe('auth_invalid')
  })

  test('any answer ends a streak of failing answers', () => {
    const parks = newParks()
    const where = target()
    parks.fold(fail(where, NOW, 'server'))
    parks.fold(succeed(where, NOW + SECOND, { startedAt: NOW - SECOND }))
    parks.fold(fail(where, NOW + 2 * SECOND, 'server'))
    expect(parks.blocking(where, NOW + 2 * SECOND)).toBeUndefined()
  })

  test.each([
    { waits: [1, null], seconds: 30 },
    { waits: [60, null], seconds: 60 },
  ])('of parallel refusals that state the waits $waits the longest counts, ours where the last states none', ({
    waits,
    seconds,
  }) => {
    const parks = newParks()
    const at = (index: number) => NOW + 100 + index
    for (const [index, wait] of waits.entries()) {
      const facts = wait === null ? {} : { retryAfterMs: wait * SECOND }
      parks.fold({ ...fail(target(), at(index), 'rate_minute', facts), startedAt: NOW })
    }
    const [park] = parks.list(at(waits.length))
    expect((park!.until - NOW) / SECOND).toBeGreaterThanOrEqual(seconds)
    expect((park!.until - NOW) / SECOND).toBeLessThan(seconds * 1.11 + 1)
    expect(park!.times).toBe(1)
  })

  test('failures of parallel requests count once', () => {
    const parks = newParks()
    const where = target()
    for (let index = 0; index < 50; index++)
      parks.fold(event(where, NOW + index, failure('rate_minute'), { startedAt: NOW - SECOND }))
    expect(parks.blocking(where, NOW + 50)).toMatchObject({ times: 1 })
  })

  test('failures that are not charged park nothing', () => {
    const parks = newParks()
    const where = target()
    for (let index = 0; index < 9; index++)
      parks.fold(event(where, NOW + index, failure('network'), { notCharged: true }))
    expect(parks.list(NOW)).toEqual([])
  })

  test('a person or a test run lifts all parks, those of one target, or those of one reason', () => {
    const [one, other] = [target({ model: 'a' }), target({ model: 'b', key: 2 })]
    const build = () => {
      const parks = newParks()
      for (const where of [one, other]) {
        parks.fold(fail(where, NOW, 'quota_day', { retryAfterMs: HOUR }))
        parks.fold(fail(where, NOW, 'auth_invalid'))
      }
      return parks
    }
    const all = build()
    all.fold(lift(null, NOW + 1))
    expect(all.list(NOW + 1)).toEqual([])
    const single = build()
    single.fold(lift(one, NOW + 1))
    expect(blocked(single, NOW + 1, one, other)).toEqual([false, true])
    const checked = build()
    checked.fold(lift(one, NOW + 1, ['auth_invalid']))
    expect(
      checked
        .list(NOW + 1)
        .map((park) => park.reason)
        .sort(),
    ).toEqual(['auth_invalid', 'quota_day', 'quota_day'])
    checked.fold(fail(one, NOW, 'auth_invalid'))
    expect(checked.list(NOW + 1)).toHaveLength(3)
  })

  test('a clock that jumps back or a snapshot from the far future blocks no target for longer than a month', () => {
    const parks = newParks()
    parks.fold(fail(target(), NOW + 400 * DAY, 'auth_invalid'))
    expect(parks.blocking(target(), NOW)).toBeUndefined()
  })
})

describe('after a park', () => {
  test('the first caller is the only probe; after a success the share grows gradually', () => {
    const parks = newParks()
    const where = target()
    for (let index = 0; index < 6; index++) parks.fold(fail(where, NOW + index, 'server'))
    const end = parks.blocking(where, NOW + 6)?.until ?? 0
    expect(parks.state(where, NOW + 6)).toBe('open')
    expect(parks.startProbe(where, NOW + 6)).toBe(false)
    expect(parks.state(where, end)).toBe('half-open')
    expect(parks.share(where, end)).toBe(0)
    expect(parks.startProbe(where, end)).toBe(true)
    expect(parks.startProbe(where, end + 1)).toBe(false)
    parks.endProbe(where)
    parks.fold(succeed(where, end + 500, { startedAt: end }))
    expect(parks.state(where, end + 500)).toBe('closed')
    const shares = [500, 2_000, 10_000, 24_500, 30_000].map((ms) => parks.share(where, end + ms))
    expect(shares[0]).toBeLessThan(0.2)
    expect(shares.toSorted((one, other) => one - other)).toEqual(shares)
    expect(shares.at(-1)).toBe(1)
  })

  test('a failed probe parks again, for longer', () => {
    const parks = newParks()
    const where = target()
    parks.fold(fail(where, NOW, 'rate_minute'))
    parks.startProbe(where, NOW + 30 * SECOND)
    parks.fold(fail(where, NOW + 30 * SECOND, 'rate_minute'))
    parks.endProbe(where)
    expect(parks.blocking(where, NOW + 30 * SECOND)?.until).toBe(NOW + 90 * SECOND)
  })

  test('a probe without a result does not block the next one for ever', () => {
    const parks = newParks()
    const where = target()
    parks.fold(fail(where, NOW, 'rate_minute', { retryAfterMs: SECOND }))
    expect(parks.startProbe(where, NOW + 2 * SECOND)).toBe(true)
    expect(parks.startProbe(where, NOW + 60 * SECOND)).toBe(false)
    expect(parks.startProbe(where, NOW + 200 * SECOND)).toBe(true)
  })

  test('keys that share a limit share the probe', () => {
    const parks = newParks()
    const [one, other] = [target({ label: 'team', key: 1 }), target({ label: 'team', key: 2 })]
    parks.fold(fail(one, NOW, 'rate_minute', { retryAfterMs: SECOND }))
    expect(parks.startProbe(one, NOW + 2 * SECOND)).toBe(true)
    expect(parks.startProbe(other, NOW + 2 * SECOND)).toBe(false)
  })

  test('a refused key is verified by a free check where there is one, never by a user’s request', () => {
    const parks = newParks()
    const [checkable, other] = [target({ provider: 'google' }), target({ provider: 'cohere' })]
    parks.fold(fail(checkable, NOW, 'auth_invalid'))
    parks.fold(fail(other, NOW, 'auth_invalid'))
    const later = NOW + HOUR
    expect(parks.awaiting(later).map((park) => park.backBy)).toEqual(['traffic', 'key-check'])
    expect(parks.startProbe(checkable, later)).toBe(false)
    expect(parks.startProbe(checkable, later, 'check')).toBe(true)
    expect(parks.startProbe(other, later)).toBe(true)
    parks.fold(lift(checkable, later, ['auth_invalid']))
    expect(parks.state(checkable, later)).toBe('closed')
  })

  test('a target without failures is closed and gets its full share', () => {
    const parks = newParks()
    expect([parks.state(target(), NOW), parks.share(target(), NOW), parks.startProbe(target(), NOW)]).toEqual([
      'closed',
      1,
      true,
    ])
  })
})

describe('invariants', () => {
  const states = [
    target({ provider: 'google', model: 'a', key: 1, label: 'p' }),
    target({ provider: 'google', model: 'b', key: 1, label: 'p', free: true }),
    target({ provider: 'router', model: 'a', key: 2 }),
    target({ provider: 'groq', model: 'a', key: 3, label: 'o' }),
    target({ provider: 'groq', model: 'a', key: 4, label: 'o' }),
  ]
  const kinds: FailureKind[] = [
    'auth_invalid',
    'auth_forbidden',
    'billing',
    'in_flight_budget',
    'quota_day',
    'rate_minute',
    'zero_quota',
    'overloaded',
    'server',
    'network',
    'model_not_found',
    'bad_request',
  ]
  const anyEvent = fc
    .record({
      state: fc.constantFrom(...states),
      at: fc.integer({ min: 0, max: 3 * HOUR }).map((ms) => NOW + ms),
      length: fc.integer({ min: 0, max: MINUTE }),
      what: fc.constantFrom<FailureKind | 'ok' | 'lift'>(...kinds, ...kinds, 'ok', 'ok', 'ok', 'lift'),
      wait: fc.option(fc.integer({ min: 0, max: 2 * DAY }), { nil: undefined }),
      cost: fc.constantFrom(0, 5, null),
      expected: fc.boolean(),
    })
    .map(({ state, at, length, what, wait, cost, expected }): AttemptEvent | LiftEvent => {
      if (what === 'lift') return lift(state, at)
      const facts = {
        startedAt: at - length,
        costNanoUsd: cost,
        ...(expected && what !== 'ok' && { known: 'expected' as const }),
      }
      return event(
        state,
        at,
        what === 'ok' ? null : failure(what, wait === undefined ? {} : { retryAfterMs: wait }),
        facts,
      )
    })
  const history = fc.array(anyEvent, { maxLength: 40 })
  const after = NOW + 3 * HOUR
  const seen = (parks: Parks) => [
    parks.list(after),
    parks.awaiting(after),
    states.map((state) => parks.blocking(state, after)),
  ]

  test('every order of the same events, with any repetition, gives the same parks', () => {
    fc.assert(
      fc.property(history, fc.infiniteStream(fc.nat()), (events, dice) => {
        const inOrder = newParks()
        for (const event of events) inOrder.fold(event)
        const shuffled = newParks()
        const keyed = events
          .map((event) => ({ event, key: dice.next().value ?? 0 }))
          .sort((one, other) => one.key - other.key)
        for (const { event } of keyed) shuffled.fold(event)
        for (const { event } of keyed) shuffled.fold(event)
        expect(seen(shuffled)).toEqual(seen(inOrder))
      }),
      { numRuns: 150 },
    )
  })

  test('a snapshot in the middle changes nothing', () => {
    fc.assert(
      fc.property(history, fc.nat(40), (events, cut) => {
        const whole = newParks()
        for (const event of events) whole.fold(event)
        const half = newParks()
        for (const event of events.slice(0, cut)) half.fold(event)
        const restored = Parks.fromJson(JSON.parse(JSON.stringify(half.toJson())), {
          facts: (provider) => PROVIDERS[provider],
        })
        expect(seen(restored)).toEqual(seen(half))
        for (const event of events.toSorted((one, other) => one.at - other.at)) restored.fold(event)
        expect(seen(restored)).toEqual(seen(whole))
      }),
      { numRuns: 100 },
    )
  })

  test('every park ends within 31 days', () => {
    fc.assert(
      fc.property(history, (events) => {
        const parks = newParks()
        for (const event of events) parks.fold(event)
        for (const state of states) {
          let now = after
          for (let park = parks.blocking(state, now); park !== undefined; park = parks.blocking(state, now)) {
            expect(park.until).toBeGreaterThan(now)
            now = park.until
          }
          expect(now - after).toBeLessThanOrEqual(31 * DAY)
        }
      }),
      { numRuns: 100 },
    )
  })

  test('only a person shortens a stated wait', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 4 * HOUR, max: 20 * DAY }), (events, wait) => {
        const parks = newParks()
        const where = states[3]!
        parks.fold(fail(where, NOW, 'rate_minute', { retryAfterMs: wait }))
        for (const event of events) if (event.kind === 'attempt') parks.fold(event)
        expect(parks.blocking(where, after)?.until).toBeGreaterThanOrEqual(NOW + wait)
      }),
      { numRuns: 100 },
    )
  })

  test('the headers of a successful answer never park its target', () => {
    const parks = newParks()
    const hostile = {
      unit: 'requests',
      window: 'day',
      scope: 'account',
      limit: 1,
      remaining: 0,
      resetsAt: after,
      source: 'header',
    } as const
    parks.fold(succeed(target(), NOW, { limits: [hostile] }))
    expect(parks.state(target(), NOW)).toBe('closed')
  })

  test('invalid parts of a hostile snapshot are dropped', () => {
    const options = { facts: (provider: string) => PROVIDERS[provider] }
    for (const json of [
      null,
      7,
      'x',
      [],
      {},
      { version: 2 },
      { version: 1, states: 'x' },
      {
        version: 1,
        states: [
          null,
          { scope: 'toString', first: 'a', second: 'b' },
          { scope: 'key', first: 'a', second: 'b', streaks: { billing: [{ id: 1 }], __proto__: [], nonsense: [{}] } },
        ],
      },
    ])
      expect(Parks.fromJson(json, options).list(NOW)).toEqual([])
    fc.assert(
      fc.property(fc.jsonValue(), (states) => void Parks.fromJson({ version: 1, states: [states] }, options).list(NOW)),
    )
  })

  test('a snapshot contains names and times only', () => {
    const parks = newParks()
    parks.fold(fail(target(), NOW, 'auth_invalid', { message: 'sensitive' }))
    expect(JSON.stringify(parks.toJson())).not.toMatch(/sensitive|profile/)
  })
})

test('of parallel refusals the one that states no wait is guessed, however short the wait of the other', () => {
  const parks = newParks()
  parks.fold(event(target(), NOW + 100, failure('rate_minute', { retryAfterMs: SECOND }), { startedAt: NOW }))
  parks.fold(event(target(), NOW + 200, failure('rate_minute'), { startedAt: NOW }))
  expect((parks.blocking(target(), NOW + 300)?.until ?? 0) - NOW).toBeGreaterThanOrEqual(30 * SECOND)
  expect(parks.blocking(target(), NOW + 300)?.times).toBe(1)
})
