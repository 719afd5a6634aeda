import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MoneyStore } from '../../test/support/moneyStore.ts'
import {
  ask,
  CENT,
  DAY,
  HOUR,
  held,
  NOW,
  other,
  row,
  spent,
  startProcess,
  target,
} from '../../test/support/moneyWorld.ts'
import { BUDGET_PERIODS, calendarPeriod } from './period.ts'
import { Shares } from './shares.ts'

const at = (text: string) => Date.parse(text)
const MINUTE = 60_000

describe('the shares of a paced budget', () => {
  for (const { per, timeZone = 'UTC', now, limit, allowed, until } of [
    { per: 'month', now: '2026-11-01T00:00Z', limit: 300, allowed: 10, until: '2026-11-02T00:00Z' },
    { per: 'month', now: '2026-11-10T23:59Z', limit: 300, allowed: 100, until: '2026-11-11T00:00Z' },
    { per: 'month', now: '2026-02-14T10:00Z', limit: 280, allowed: 140, until: '2026-02-15T00:00Z' },
    { per: 'month', now: '2026-01-31T10:00Z', limit: 310, allowed: 310, until: '2026-02-01T00:00Z' },
    { per: 'week', now: '2026-11-24T10:00Z', limit: 70, allowed: 20, until: '2026-11-25T00:00Z' },
    { per: 'day', now: '2026-11-24T10:30Z', limit: 240, allowed: 110, until: '2026-11-24T11:00Z' },
    { per: 'hour', now: '2026-11-24T10:31Z', limit: 120, allowed: 70, until: '2026-11-24T10:35Z' },
    { per: 'minute', now: '2026-11-24T10:31:02Z', limit: 120, allowed: 10, until: '2026-11-24T10:31:05Z' },
    // Few of something: one at once, the next when its time has come.
    { per: 'day', now: '2026-11-24T00:30Z', limit: 3, allowed: 1, until: '2026-11-24T01:00Z' },
    { per: 'day', now: '2026-11-24T07:30Z', limit: 3, allowed: 1, until: '2026-11-24T08:00Z' },
    { per: 'day', now: '2026-11-24T08:30Z', limit: 3, allowed: 2, until: '2026-11-24T09:00Z' },
    { per: 'day', now: '2026-11-24T08:30Z', limit: 0, allowed: 0, until: '2026-11-24T09:00Z' },
    // Days of 23 and 25 hours.
    {
      per: 'day',
      timeZone: 'Europe/Madrid',
      now: '2026-03-29T10:30Z',
      limit: 230,
      allowed: 120,
      until: '2026-03-29T11:00Z',
    },
    {
      per: 'day',
      timeZone: 'Europe/Madrid',
      now: '2026-10-25T10:30Z',
      limit: 250,
      allowed: 130,
      until: '2026-10-25T11:00Z',
    },
    {
      per: 'day',
      timeZone: 'Asia/Kolkata',
      now: '2026-11-23T18:40Z',
      limit: 240,
      allowed: 10,
      until: '2026-11-23T19:30Z',
    },
    // The clock is put forward by half an hour there.
    {
      per: 'day',
      timeZone: 'Australia/Lord_Howe',
      now: '2026-10-04T12:59Z',
      limit: 47,
      allowed: 47,
      until: '2026-10-04T13:00Z',
    },
  ] as const)
    test(`of ${limit} per ${per} at ${now} in ${timeZone} are ${allowed} until ${until}`, () => {
      expect(new Shares({ limit, per, timeZone }).at(at(now))).toMatchObject({ allowed, end: at(until) })
    })

  test('are there from the first moment, only grow, and are all of it in the end', () => {
    const periods = BUDGET_PERIODS.filter((per) => per !== 'total')
    const zone = fc.constantFrom('UTC', 'Europe/Madrid', 'Australia/Lord_Howe', 'America/Santiago', 'Asia/Kathmandu')
    const start = at('2026-01-01T00:00Z')
    fc.assert(
      fc.property(fc.constantFrom(...periods), zone, fc.nat(400 * DAY), fc.nat(1e15), (per, timeZone, ms, limit) => {
        const shares = new Shares({ limit, per, timeZone })
        const period = calendarPeriod(per, start + ms, timeZone)
        let before = { end: period.start, allowed: 0 }
        while (before.end < period.end) {
          const share = shares.at(before.end)
          expect(share.start).toBe(before.end)
          expect(share.allowed).toBeGreaterThanOrEqual(limit > 0 ? Math.max(1, before.allowed) : 0)
          before = share
        }
        expect(before).toMatchObject({ end: period.end, allowed: limit })
      }),
      { numRuns: 200 },
    )
  })
})

const monthly = [{ scope: 'all', usd: 10, per: 'month', pace: true, on_exceeded: 'reject' }]

describe('a paced hard budget', () => {
  const midnight = at('2026-11-01T00:00Z')

  test('lets a day spend its share at once, and says when there is room for the next call', () => {
    const tracker = startProcess(new MoneyStore(), monthly, { now: midnight })
    tracker.settle(held(tracker.reserve(ask(33 * CENT), midnight)), spent(33 * CENT))
    expect(tracker.reserve(ask(5 * CENT), midnight + HOUR)).toEqual({
      granted: false,
      scope: 'all',
      reason:
        'budget all: $10.00 per month, paced: $0.33 until 2026-11-02 00:00 UTC, $0.33 spent; this call may need $0.05',
      resetsAt: at('2026-11-02T00:00Z'),
      onExceeded: 'reject',
    })
    expect(tracker.peek(ask(5 * CENT), midnight + HOUR)?.resetsAt).toBe(at('2026-11-02T00:00Z'))
    expect(tracker.reserve(ask(5 * CENT), at('2026-11-02T00:00Z')).granted).toBe(true)
  })

  test('keeps for later what was not spent', () => {
    const tracker = startProcess(new MoneyStore(), monthly, { now: midnight })
    const tenth = at('2026-11-10T12:00Z')
    expect(tracker.reserve(ask(334 * CENT), tenth).granted).toBe(false)
    expect(tracker.reserve(ask(333 * CENT), tenth).granted).toBe(true)
  })

  test('says when the share has grown enough for a large call, in this period or the next', () => {
    const tracker = startProcess(new MoneyStore(), monthly, { now: midnight })
    // Three days allow a dollar.
    expect(tracker.reserve(ask(100 * CENT), midnight)).toMatchObject({ resetsAt: at('2026-11-03T00:00Z') })
    tracker.settle(held(tracker.reserve(ask(950 * CENT), at('2026-11-29T00:00Z'))), spent(950 * CENT))
    // 9.50 are spent and 1.00 does not fit into what is left, so it waits for the third day of December, of 31 days.
    expect(tracker.reserve(ask(100 * CENT), at('2026-11-29T01:00Z'))).toMatchObject({
      reason: 'budget all: $10.00 per month, $9.50 spent; this call may need $1.00',
      resetsAt: at('2026-12-04T00:00Z'),
    })
    expect(tracker.reserve(ask(100 * CENT), at('2026-12-03T23:59Z')).granted).toBe(false)
    expect(tracker.reserve(ask(100 * CENT), at('2026-12-04T00:00Z')).granted).toBe(true)
  })

  test('is right about the time for every amount', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.nat(29 * DAY),
        (used, cents, ms) => {
          const tracker = startProcess(new MoneyStore(), monthly, { now: midnight })
          const now = midnight + ms
          const first = tracker.reserve(ask(used * CENT), now)
          if (first.granted) tracker.settle(first, spent(used * CENT))
          const refusal = tracker.reserve(ask(cents * CENT), now)
          if (refusal.granted) return
          const { resetsAt } = refusal
          expect(resetsAt).toBeGreaterThan(now)
          expect(tracker.reserve(ask(cents * CENT), resetsAt! - 1).granted).toBe(false)
          expect(tracker.reserve(ask(cents * CENT), resetsAt!).granted).toBe(true)
        },
      ),
    )
  })

  test('lets one of few requests through at once, and the next when its time has come', () => {
    const tracker = startProcess(new MoneyStore(), [{ scope: 'all', requests: 4, per: 'day', pace: true }])
    const day = at('2026-11-24T00:00Z')
    const granted = (now: number) => tracker.reserve(ask(0), now).granted
    expect([granted(day), granted(day + 1), granted(day + 5 * HOUR), granted(day + 6 * HOUR)]).toEqual([
      true,
      false,
      false,
      true,
    ])
  })

  test('of an hour and of a minute is told with its seconds', () => {
    const tracker = startProcess(new MoneyStore(), [{ scope: 'all', usd: 1.2, per: 'minute', pace: true }])
    tracker.settle(held(tracker.reserve(ask(10 * CENT), NOW)), spent(10 * CENT))
    const refusal = tracker.reserve(ask(CENT), NOW + 4_000)
    expect(refusal).toMatchObject({
      reason:
        'budget all: $1.20 per minute, paced: $0.10 until 2026-11-23 12:00:05 UTC, $0.10 spent; this call may need $0.01',
      resetsAt: NOW + 5_000,
    })
  })

  test('shows what it allows so far', () => {
    const tracker = startProcess(new MoneyStore(), monthly)
    expect(tracker.view(at('2026-11-03T10:00Z'))[0]).toMatchObject({
      limitUsd: 10,
      share: { allowed: 100 * CENT, allowedUsd: 1, until: '2026-11-04T00:00:00.000Z' },
      resetsAt: '2026-12-01T00:00:00.000Z',
    })
    expect(startProcess(new MoneyStore(), [{ scope: 'all', usd: 1 }]).view(NOW)[0]?.share).toBeNull()
  })

  test('may be switched on within a period: what was spent counts', () => {
    const store = new MoneyStore()
    const before = startProcess(store, [{ scope: 'all', usd: 24, per: 'day' }])
    before.settle(held(before.reserve(ask(1400 * CENT), NOW)), spent(1400 * CENT))
    store.append(row(before.origin, NOW, 1400 * CENT))
    before.close()
    const tracker = startProcess(store, [{ scope: 'all', usd: 24, per: 'day', pace: true }])
    // Thirteen hours allow $13 at noon.
    expect(tracker.reserve(ask(CENT), NOW)).toMatchObject({ resetsAt: NOW + 2 * HOUR })
    expect(tracker.reserve(ask(CENT), NOW + 2 * HOUR).granted).toBe(true)
  })

  test('does not spend after the clock was set back what was leased before', () => {
    const tracker = startProcess(new MoneyStore(), [{ scope: 'all', usd: 24, per: 'day', pace: true }])
    for (let call = 0; call < 1210; call++) tracker.settle(held(tracker.reserve(ask(CENT), NOW)), spent(CENT))
    expect(tracker.reserve(ask(CENT), NOW - 2 * HOUR).granted).toBe(false)
    expect(tracker.reserve(ask(CENT), NOW).granted).toBe(true)
  })
})

describe('a call larger than the budget', () => {
  for (const { budget, reason } of [
    {
      budget: { usd: 1, per: 'day' },
      reason:
        'budget all: $1.00 per day; this call may need $1.20, which is more than all of it: raise the budget, or lower "max_tokens"',
    },
    {
      budget: { usd: 1, per: 'day', pace: true },
      reason:
        'budget all: $1.00 per day; this call may need $1.20, which is more than all of it: raise the budget, or lower "max_tokens"',
    },
    {
      budget: { usd: 1, per: 'week', rolling: true },
      reason:
        'budget all: $1.00 per week; this call may need $1.20, which is more than all of it: raise the budget, or lower "max_tokens"',
    },
    {
      budget: { tokens: 20, per: 'day' },
      reason:
        'budget all: 20 tokens per day; this call may need 30 tokens, which is more than all of it: raise the budget, or lower "max_tokens"',
    },
    {
      budget: { tokens: 9, per: 'day' },
      reason:
        'budget all: 9 tokens per day; this call may need 30 tokens, which is more than all of it: raise the budget, or shorten the prompt',
    },
  ])
    test(`is not told to wait: ${JSON.stringify(budget)}`, () => {
      const tracker = startProcess(new MoneyStore(), [{ scope: 'all', ...budget }])
      expect(tracker.reserve(ask(120 * CENT), NOW)).toMatchObject({ granted: false, reason, resetsAt: null })
      expect(tracker.peek(ask(120 * CENT), NOW)).toMatchObject({ reason, resetsAt: null })
    })

  test('is told what it may need to the last digit where it looks like the budget', () => {
    const tracker = startProcess(new MoneyStore(), [{ scope: 'all', usd: 0.1, per: 'day' }])
    expect(tracker.reserve(ask(100_030_000), NOW)).toMatchObject({
      reason: expect.stringContaining(
        '$0.10 per day; this call may need $0.10 ($0.10003), which is more than all of it',
      ),
    })
  })

  test('that has no length is not told to lower it', () => {
    const tracker = startProcess(new MoneyStore(), [{ scope: 'all', usd: 0.1, per: 'day' }])
    const worstCase = { nanoUsd: 20 * CENT, inputTokens: 0, outputTokens: 0 }
    expect(tracker.reserve({ ...ask(0), worstCase }, NOW)).toMatchObject({
      reason: expect.stringMatching(/more than all of it: raise the budget, or ask for less at once$/),
    })
  })
})

test('a rolling budget tells when enough has left it for this call', () => {
  const tracker = startProcess(new MoneyStore(), [{ scope: 'all', usd: 1, per: 'hour', rolling: true }])
  for (const minute of [0, 10, 20])
    tracker.settle(held(tracker.reserve(ask(30 * CENT), NOW + minute * MINUTE)), spent(30 * CENT))
  const refusal = tracker.reserve(ask(50 * CENT), NOW + 30 * MINUTE)
  // Two of the three must have left: the second was spent at 12:10, and leaves after an hour and a slot.
  expect(refusal).toMatchObject({ granted: false, resetsAt: NOW + 10 * MINUTE + HOUR + HOUR / 30 })
})

test('a paced soft budget presses as soon as it is ahead of its shares', () => {
  const soft = (pace: boolean) => [{ scope: 'groq', usd: 24, per: 'day', hard: false, pace }]
  const early = at('2026-11-24T00:10Z')
  const pressure = (pace: boolean, cents: number) => {
    const tracker = startProcess(new MoneyStore(), soft(pace), { now: early })
    for (let call = 0; call < 10; call++)
      tracker.settle(held(tracker.reserve(ask(cents * CENT), early)), spent(cents * CENT))
    return [tracker.pressure({ target }), tracker.pressure({ target: other })]
  }
  expect(pressure(true, 10)).toEqual([0, 0])
  expect(pressure(true, 20)[0]).toBeGreaterThan(0)
})
