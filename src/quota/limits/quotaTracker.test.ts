import { describe, expect, test } from 'vitest'
import {
  DAY,
  dayIsOver,
  eventOf,
  factOf,
  HOUR,
  MINUTE,
  NOON,
  one,
  rateLimited,
  SECOND,
  specWith,
  targetOf,
} from '../../../test/support/quotaFixtures.ts'
import type { LimitFact } from '../../domain/failure.ts'
import { defineProvider } from '../../providers/provider.ts'
import { type QuotaHold, QuotaTracker } from './quotaTracker.ts'
import type { QuotaSpec } from './spec.ts'

const target = targetOf()

function bookWith(fields: Partial<QuotaSpec> = {}): QuotaTracker {
  const spec = specWith(fields)
  return new QuotaTracker({ specOf: () => spec })
}

/** A tracker that learned a limit from a call at NOON. */
function trackerWith429(...facts: readonly Partial<LimitFact>[]): QuotaTracker {
  const tracker = bookWith()
  tracker.fold(eventOf(NOON, { limits: facts.map(factOf) }))
  return tracker
}

function reserved(tracker: QuotaTracker, now: number, who = target): QuotaHold {
  const hold = tracker.reserve(who, one, now)
  if (!hold.granted) throw new Error('expected room')
  return hold
}

test('a provider spec has everything the tracker needs', () => {
  const spec = defineProvider({
    id: 'prov',
    name: 'Prov',
    dialect: 'openai',
    baseUrl: null,
    auth: 'bearer',
    keyCheck: 'none',
    modelsList: null,
    quotaScope: 'key',
    dayBoundary: 'unknown',
    trainsOnFreePrompts: null,
    seedLimits: [],
    models: [],
    env: [],
    verified: false,
  })
  expect(new QuotaTracker({ specOf: () => spec }).room(target, one, NOON)).toBeNull()
})

describe('room', () => {
  test('an unknown limit never excludes, however much was used', () => {
    const tracker = bookWith()
    for (let call = 0; call < 5_000; call++) tracker.fold(eventOf(NOON + call))
    expect(tracker.room(target, one, NOON + 5_000)).toBeNull()
    expect(tracker.limitsOf(target, NOON + 5_000)).toEqual([])
  })

  test('a live header excludes, until its reset, before a call would be refused', () => {
    const tracker = trackerWith429({ limit: 30, remaining: 0, resetsAt: NOON + 20 * SECOND })
    expect(tracker.room(target, one, NOON + SECOND)).toMatchObject({
      granted: false,
      unit: 'requests',
      window: 'minute',
      scope: 'model',
      limit: 30,
      remaining: 0,
      until: NOON + 20 * SECOND,
      source: 'header',
      tooLarge: false,
    })
    expect(tracker.room(target, one, NOON + 20 * SECOND)).toBeNull()
  })

  test('what is left must cover the request at hand', () => {
    const tracker = trackerWith429({ unit: 'tokens', limit: 8_000, remaining: 500, resetsAt: NOON + 30 * SECOND })
    expect(tracker.room(target, { requests: 1, inputTokens: 300, outputTokens: 200 }, NOON)).toBeNull()
    expect(tracker.room(target, { requests: 1, inputTokens: 301, outputTokens: 200 }, NOON)?.unit).toBe('tokens')
  })

  test('reports the shortage that lasts longest', () => {
    const tracker = trackerWith429(
      { remaining: 0, resetsAt: NOON + 20 * SECOND },
      { window: 'day', remaining: 0, resetsAt: NOON + 5 * HOUR },
    )
    expect(tracker.room(target, one, NOON)).toMatchObject({ window: 'day', until: NOON + 5 * HOUR })
  })

  test('input and output are counted separately where the provider does so', () => {
    const tracker = trackerWith429({ unit: 'output-tokens', limit: 1_000, remaining: 99, resetsAt: NOON + MINUTE })
    expect(tracker.room(target, one, NOON)?.unit).toBe('output-tokens')
    expect(tracker.room(target, { ...one, outputTokens: 99 }, NOON)).toBeNull()
  })

  test('a credit that cannot be counted in advance excludes only when nothing is left', () => {
    expect(trackerWith429({ unit: 'neurons', window: 'day', remaining: 3 }).room(target, one, NOON)).toBeNull()
    expect(trackerWith429({ unit: 'neurons', window: 'day', remaining: 0 }).room(target, one, NOON)).not.toBeNull()
  })

  test('waiting does not help a request above the whole limit', () => {
    const tracker = trackerWith429({ unit: 'tokens', limit: 8_000, remaining: 8_000 })
    const large = { requests: 1, inputTokens: 9_000, outputTokens: 100 }
    expect(tracker.room(target, large, NOON)?.tooLarge).toBe(true)
    expect(tracker.freeAt(target, large, NOON)).toBeNull()
    expect(tracker.freeAt(target, one, NOON)).toBe(NOON)
  })
})

describe('pools', () => {
  const shared = { account: 'prov:team' }
  const keyOne = targetOf({ fingerprint: 'f1', ...shared })
  const keyTwo = targetOf({ fingerprint: 'f2', ...shared })
  const stranger = targetOf({ fingerprint: 'f3' })

  for (const { scope, fact, second, other } of [
    { scope: 'account+model', fact: 'model', second: true, other: false },
    { scope: 'account+model', fact: 'account', second: true, other: true },
    { scope: 'account', fact: 'account', second: true, other: true },
    { scope: 'key', fact: 'account', second: false, other: true },
  ] as const)
    test(`a limit of the ${fact} reached by one key of a provider that counts by ${scope} ${second ? 'applies' : 'does not apply'} to the account's second key`, () => {
      const tracker = bookWith({ quotaScope: scope })
      tracker.fold(eventOf(NOON, { target: keyOne, limits: [factOf({ scope: fact, remaining: 0 })] }))
      expect(tracker.room(keyTwo, one, NOON) !== null).toBe(second)
      expect(tracker.room(targetOf({ fingerprint: 'f1', ...shared, model: 'large' }), one, NOON) !== null).toBe(
        scope === 'key' ? true : other,
      )
      expect(tracker.room(stranger, one, NOON)).toBeNull()
    })

  test('a limit of the address applies to every key', () => {
    const tracker = bookWith({ quotaScope: 'ip' })
    tracker.fold(eventOf(NOON, { target: keyOne, limits: [factOf({ scope: 'account', remaining: 0 })] }))
    expect(tracker.room(stranger, one, NOON)).not.toBeNull()
  })
})

describe('parallel calls', () => {
  test('4 keys of 6 per minute serve 24 parallel requests, and the time for the 25th is known', () => {
    const tracker = bookWith()
    const keys = [1, 2, 3, 4].map((key) => targetOf({ fingerprint: `f${key}` }))
    for (const key of keys)
      tracker.fold(eventOf(NOON - 2 * MINUTE, { target: key, limits: [factOf({ limit: 6, remaining: 5 })] }))
    const holds = Array.from({ length: 25 }, () => keys.find((key) => tracker.reserve(key, one, NOON).granted))
    expect(holds.filter((key) => key !== undefined)).toHaveLength(24)
    expect(holds[24]).toBeUndefined()
    expect(Math.min(...keys.map((key) => tracker.freeAt(key, one, NOON) ?? 0))).toBe(NOON + MINUTE)
  })

  test('a header with 3 left while 3 later calls are in progress means none', () => {
    const tracker = bookWith()
    const [first] = [reserved(tracker, NOON), reserved(tracker, NOON), reserved(tracker, NOON), reserved(tracker, NOON)]
    tracker.settle(first!, null, NOON + 100)
    tracker.fold(eventOf(NOON + 100, { limits: [factOf({ limit: 10, remaining: 3 })] }))
    expect(tracker.room(target, one, NOON + 100)).toMatchObject({ remaining: 0 })
  })

  test('what the headers of a stream state is known while it goes on, and counted once when it ends', () => {
    const tracker = bookWith()
    const stated = (remaining: number) => [factOf({ limit: 30, remaining, resetsAt: NOON + MINUTE })]
    const stream = reserved(tracker, NOON)
    tracker.hear(stream, stated(2), NOON + SECOND)
    const later = [reserved(tracker, NOON + 5 * SECOND)]
    expect(tracker.room(target, one, NOON + 6 * SECOND)).toMatchObject({ granted: false, unit: 'requests' })
    tracker.settle(stream, one, NOON + 7 * SECOND)
    tracker.fold(eventOf(NOON, { at: NOON + 7 * SECOND, limits: stated(2) }))
    later.push(reserved(tracker, NOON + 8 * SECOND))
    expect(tracker.room(target, one, NOON + 9 * SECOND)).toMatchObject({ granted: false, unit: 'requests' })
    for (const hold of later) tracker.release(hold)
    expect(tracker.room(target, one, NOON + 9 * SECOND)).toBeNull()
  })

  test('headers that arrive out of order lead to the same result', () => {
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
    ]) {
      const tracker = bookWith()
      const holds = [0, 1, 2, 3].map((call) => reserved(tracker, NOON + call))
      order.forEach((call, place) => {
        tracker.settle(holds[call]!, null, NOON + 500 + place)
        const limits = [factOf({ limit: 30, remaining: 29 - call, resetsAt: NOON + MINUTE })]
        tracker.fold(eventOf(NOON + 500 + place, { startedAt: NOON + call, limits }))
      })
      expect(tracker.limitsOf(target, NOON + SECOND)).toMatchObject([{ remaining: 26, limit: 30 }])
    }
  })

  test('settling and folding counts a call once', () => {
    const tracker = trackerWith429({ unit: 'tokens', limit: 8_000 })
    const hold = reserved(tracker, NOON)
    expect(tracker.limitsOf(target, NOON)).toMatchObject([{ remaining: 7_800 }])
    tracker.settle(hold, { inputTokens: 90, outputTokens: 10 }, NOON + 100)
    tracker.fold(
      eventOf(NOON + 100, { usage: { inputTokens: 90, outputTokens: 10, totalTokens: 100, estimated: false } }),
    )
    expect(tracker.limitsOf(target, NOON + 100)).toMatchObject([{ remaining: 7_900 }])
  })

  test('a provider that charges what was requested also charges what was not produced', () => {
    const tracker = bookWith({ chargesMaxTokens: true })
    tracker.fold(eventOf(NOON, { limits: [factOf({ unit: 'tokens', limit: 8_000 })] }))
    const hold = reserved(tracker, NOON)
    tracker.settle(hold, { inputTokens: 100, outputTokens: 10 }, NOON + 100)
    tracker.fold(
      eventOf(NOON + 100, { usage: { inputTokens: 100, outputTokens: 10, totalTokens: 110, estimated: false } }),
    )
    expect(tracker.limitsOf(target, NOON + 100)).toMatchObject([{ remaining: 7_800 }])
  })

  test('a released call leaves nothing behind, and a second release changes nothing', () => {
    const tracker = trackerWith429({ limit: 10 })
    const hold = reserved(tracker, NOON)
    tracker.release(hold)
    tracker.release(hold)
    tracker.settle(hold, null, NOON)
    expect(tracker.limitsOf(target, NOON)).toMatchObject([{ remaining: 9 }])
  })

  test('a concurrency limit counts calls in progress and nothing else', () => {
    const tracker = trackerWith429({ unit: 'concurrency', window: 'none', limit: 2 })
    const holds = [reserved(tracker, NOON), reserved(tracker, NOON)]
    const shortage = tracker.reserve(target, one, NOON)
    expect(shortage).toMatchObject({ granted: false, unit: 'concurrency' })
    tracker.release(holds[0]!)
    expect(tracker.room(target, one, NOON)).toBeNull()
  })

  test('a long stream does not block the minute for longer than a minute', () => {
    const tracker = trackerWith429({ limit: 2 })
    reserved(tracker, NOON)
    expect(tracker.room(target, one, NOON)).not.toBeNull()
    expect(tracker.room(target, one, NOON + MINUTE + SECOND)).toBeNull()
  })

  test('the quota of a call that was never settled is returned eventually', () => {
    const tracker = trackerWith429({ unit: 'concurrency', window: 'none', limit: 1 })
    reserved(tracker, NOON)
    tracker.reserve(targetOf({ model: 'other' }), one, NOON + 3 * HOUR)
    expect(tracker.room(target, one, NOON + 3 * HOUR)).toBeNull()
  })
})

describe('what counts', () => {
  const overloaded = { kind: 'overloaded', status: 503, message: 'busy' } as const
  for (const { name, fields, spec, counted } of [
    { name: 'a test call', fields: { source: 'test' }, spec: {}, counted: 1 },
    { name: 'a probe', fields: { source: 'probe' }, spec: {}, counted: 1 },
    { name: 'a refusal by a limit', fields: { failure: rateLimited() }, spec: { countsFailures: true }, counted: 0 },
    { name: 'an overloaded upstream', fields: { failure: overloaded }, spec: {}, counted: 0 },
    {
      name: 'a failure, where the provider counts failures',
      fields: { failure: overloaded },
      spec: { countsFailures: true },
      counted: 1,
    },
    {
      name: 'a client that left',
      fields: { failure: { kind: 'client_gone', status: null, message: '' } },
      spec: {},
      counted: 1,
    },
    {
      name: 'a target that another one beat',
      fields: { failure: { kind: 'slower', status: null, message: '' } },
      spec: {},
      counted: 1,
    },
    {
      name: 'a connection that never stood',
      fields: { failure: { kind: 'network', code: 'ECONNREFUSED', status: null, message: '' } },
      spec: { countsFailures: true },
      counted: 0,
    },
    {
      name: 'a timeout of the first token',
      fields: { failure: { kind: 'timeout', phase: 'first-token', afterMs: 9, status: null, message: '' } },
      spec: {},
      counted: 1,
    },
    {
      name: 'a timeout of the connection',
      fields: { failure: { kind: 'timeout', phase: 'connect', afterMs: 9, status: null, message: '' } },
      spec: {},
      counted: 0,
    },
  ] as const)
    test(`${name} uses ${counted} of the requests`, () => {
      const tracker = bookWith(spec)
      tracker.fold(eventOf(NOON, { limits: [factOf({ limit: 100 })] }))
      tracker.fold(eventOf(NOON + SECOND, fields))
      expect(tracker.limitsOf(target, NOON + SECOND)).toMatchObject([{ remaining: 99 - counted }])
    })
})

describe('unstated limits are learned', () => {
  function refusedAfter(uses: number, spec: Partial<QuotaSpec> = {}, failure = rateLimited()): QuotaTracker {
    const tracker = bookWith(spec)
    for (let use = 0; use < uses; use++) tracker.fold(eventOf(NOON + use * 100))
    tracker.fold(eventOf(NOON + uses * 100, { failure }))
    return tracker
  }

  test('a refusal after ten requests sets the size to what was used in the window', () => {
    const tracker = refusedAfter(10)
    expect(tracker.room(target, one, NOON + SECOND)).toMatchObject({ limit: 10, window: 'minute', source: 'learned' })
    expect(tracker.room(target, one, NOON + MINUTE + SECOND)).toBeNull()
  })

  /** What the refusal after so many uses in a window teaches. */
  const sizeAfter = (uses: number, failure = rateLimited()) =>
    refusedAfter(uses, { dayBoundary: 'rolling' }, failure).limitsOf(target, NOON + 2 * SECOND)[0]?.limit ?? null

  test('a refusal after fewer sets none', () => {
    for (const uses of [1, 2, 6, 9]) expect(sizeAfter(uses)).toBeNull()
  })

  for (const { wait, window, size } of [
    { wait: SECOND, window: 'minute', size: null },
    { wait: 9 * SECOND, window: 'minute', size: null },
    { wait: 10 * SECOND, window: 'minute', size: 12 },
    { wait: 40 * SECOND, window: 'minute', size: 12 },
    { wait: 2 * MINUTE, window: 'hour', size: null },
    { wait: 30 * MINUTE, window: 'hour', size: 12 },
  ] as const)
    test(`a wait of ${wait / SECOND} s shows ${size === null ? 'nothing' : 'the size'} of ${window === 'hour' ? 'an hour' : 'a minute'}`, () => {
      expect(sizeAfter(12, rateLimited({ window, unit: 'requests', retryAfterMs: wait }))).toBe(size)
    })

  for (const { counts, size } of [
    { counts: [4, 4], size: 4 },
    { counts: [4, 5], size: 4 },
    { counts: [8, 6], size: 6 },
    { counts: [2, 7], size: null },
    { counts: [2, 7, 7], size: 7 },
  ])
    test(`refusals after ${counts.join(', ')} requests of their windows show ${size ?? 'no size'}`, () => {
      const tracker = bookWith()
      let at = NOON
      for (const uses of counts) {
        for (let use = 0; use < uses; use++) tracker.fold(eventOf(at + use * SECOND))
        tracker.fold(eventOf(at + uses * SECOND, { failure: rateLimited() }))
        at += 2 * MINUTE
      }
      expect(tracker.limitsOf(target, at)[0]?.limit ?? null).toBe(size)
    })

  test('the served calls of a burst are the size, in whatever order the answers come', () => {
    const tracker = bookWith()
    for (let call = 0; call < 8; call++) tracker.fold(eventOf(NOON - 2 * MINUTE))
    const holds = Array.from({ length: 24 }, () => reserved(tracker, NOON))
    holds.forEach((hold, call) => {
      tracker.settle(hold, null, NOON + call)
      tracker.fold(eventOf(NOON + 200 + call, { startedAt: NOON, ...(call < 18 ? { failure: rateLimited() } : {}) }))
    })
    expect(tracker.limitsOf(target, NOON + 300)).toMatchObject([{ limit: 6, remaining: 0, source: 'learned' }])
  })

  test('a daily refusal lasts until the provider’s next known day', () => {
    const tracker = refusedAfter(20, { dayBoundary: 'America/Los_Angeles' }, dayIsOver({ retryAfterMs: 964 }))
    expect(tracker.room(target, one, NOON + HOUR)).toMatchObject({ window: 'day', until: Date.UTC(2026, 10, 24, 8) })
    expect(tracker.room(target, one, Date.UTC(2026, 10, 24, 8))).toBeNull()
  })

  test('a refusal of a rolling day lasts for the stated wait', () => {
    const tracker = refusedAfter(0, { dayBoundary: 'rolling' }, dayIsOver({ retryAfterMs: 9 * MINUTE }))
    expect(tracker.freeAt(target, one, NOON)).toBe(NOON + 9 * MINUTE)
    expect(tracker.room(target, one, NOON + 9 * MINUTE)).toBeNull()
  })

  test('a refusal with nothing used sets no size, because others share the address', () => {
    expect(refusedAfter(0).room(target, one, NOON + 1)).toBeNull()
  })

  test('a size mentioned in passing is accepted', () => {
    const tracker = refusedAfter(0, {}, dayIsOver({ unit: 'requests', limit: 20, window: 'day' }))
    expect(tracker.limitsOf(target, NOON)).toMatchObject([{ window: 'day', limit: 20, source: 'body' }])
  })

  test('headers that show the exhausted limit explain a refusal, so nothing is guessed', () => {
    const tracker = bookWith()
    tracker.fold(eventOf(NOON))
    const limits = [factOf({ unit: 'tokens', limit: 8_000, remaining: 0, resetsAt: NOON + 9 * SECOND })]
    tracker.fold(eventOf(NOON + SECOND, { failure: rateLimited(), limits }))
    expect(tracker.limitsOf(target, NOON + SECOND)).toMatchObject([{ unit: 'tokens', remaining: 0 }])
  })

  test('a request too large for the limit sets its size, and smaller ones go on', () => {
    const tracker = bookWith()
    const failure = { kind: 'too_large_for_limit', status: 413, message: '', limit: 8_000, requested: 9_000 } as const
    tracker.fold(eventOf(NOON, { failure }))
    expect(tracker.room(target, one, NOON)).toBeNull()
    expect(tracker.room(target, { ...one, inputTokens: 9_000 }, NOON)).toMatchObject({ tooLarge: true, limit: 8_000 })
  })

  /** Half a call a second for `minutes`, from one target alone or with others to call; the refusals of each minute. */
  function pressed(tracker: QuotaTracker, from: number, minutes: number, allowed: number, inNeed: boolean): number[] {
    return Array.from({ length: minutes }, (_, minute) => {
      let refused = 0
      let served = 0
      for (let second = 0; second < 60; second += 2) {
        const at = from + minute * MINUTE + second * SECOND
        if (!inNeed && tracker.room(target, one, at) !== null) continue
        const hold = tracker.reserve(target, one, at)
        if (!hold.granted) continue
        const failure = served >= allowed ? rateLimited() : null
        if (failure === null) served++
        else refused++
        tracker.settle(hold, null, at)
        tracker.fold(eventOf(at, { latencyMs: 0, failure }))
      }
      return refused
    })
  }

  for (const inNeed of [true, false])
    test(`a learned size is tried ${inNeed ? 'about every second window in need' : 'ever more seldom while others can be called'}, and rises at once when it is too small`, () => {
      const tracker = bookWith()
      const refusals = pressed(tracker, NOON, 240, 10, inNeed)
      expect(refusals[0]).toBeGreaterThanOrEqual(1)
      expect(refusals.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(inNeed ? 160 : 40)
      const later = NOON + 240 * MINUTE
      pressed(tracker, later, inNeed ? 2 : 18, 1_000, inNeed)
      const served = pressed(tracker, later + 18 * MINUTE, 3, 1_000, inNeed)
      expect(served).toEqual([0, 0, 0])
      expect(tracker.limitsOf(target, later + 21 * MINUTE)[0]?.limit).toBeGreaterThan(20)
    })

  test('of parallel calls one tries a learned size, and more with every success', () => {
    const tracker = refusedAfter(10)
    const at = NOON + 32 * SECOND
    const first = tracker.reserve(target, one, at)
    expect(first.granted).toBe(true)
    expect(tracker.reserve(target, one, at).granted).toBe(false)
    if (first.granted) tracker.settle(first, null, at + 100)
    tracker.fold(eventOf(at + 100))
    const granted = Array.from({ length: 5 }, () => tracker.reserve(target, one, at + 200).granted)
    expect(granted).toEqual([true, true, false, false, false])
  })

  test('a stated wait that no rolling window explains ends a fixed one: all of it is there again', () => {
    const roomAfter = (waitMs: number) => {
      const tracker = refusedAfter(12, {}, rateLimited({ retryAfterMs: waitMs }))
      const at = NOON + 2 * SECOND + waitMs
      return Array.from({ length: 12 }, () => tracker.room(target, one, at) === null && reserved(tracker, at)).filter(
        (hold) => hold !== false,
      ).length
    }
    expect(roomAfter(25 * SECOND)).toBe(12)
    // A rolling window has room for the first of the calls then, and for one that tries it.
    expect(roomAfter(57.5 * SECOND)).toBeLessThanOrEqual(2)
  })

  test('nothing learned is told to last longer than the wait that was stated', () => {
    const tracker = refusedAfter(20, {}, rateLimited({ retryAfterMs: 20 * SECOND }))
    for (let second = 3; second < 60; second++) {
      const at = NOON + second * SECOND
      const free = tracker.freeAt(target, one, at) ?? Number.POSITIVE_INFINITY
      expect(free - at).toBeLessThanOrEqual(20 * SECOND)
    }
  })

  test('a size is learned again the same way when the events are folded from a snapshot in between', () => {
    const events = [
      ...Array.from({ length: 12 }, (_, use) => eventOf(NOON + use * SECOND)),
      eventOf(NOON + 13 * SECOND, { failure: rateLimited() }),
      eventOf(NOON + 90 * SECOND),
      eventOf(NOON + 91 * SECOND, { failure: rateLimited({ retryAfterMs: 15 * SECOND }) }),
    ]
    const whole = bookWith()
    for (const event of events) whole.fold(event)
    for (let cut = 0; cut < events.length; cut++) {
      let tracker = bookWith()
      for (const event of events.slice(0, cut)) tracker.fold(event)
      const spec = specWith()
      tracker = QuotaTracker.fromJson(JSON.parse(JSON.stringify(tracker.toJson())), { specOf: () => spec })
      for (const event of events.slice(cut)) tracker.fold(event)
      expect(tracker.toJson()).toEqual(whole.toJson())
    }
  })
})

describe('hostile statements exclude no target for longer than their window', () => {
  const cases: { name: string; facts: Partial<LimitFact>[]; at?: number }[] = [
    { name: 'negative numbers', facts: [{ limit: -1, remaining: -1, resetsAt: -1 }] },
    { name: 'absurd numbers', facts: [{ limit: 1e300, remaining: 1e300, resetsAt: 1e300 }] },
    { name: 'no numbers at all', facts: [{}] },
    { name: 'not a number', facts: [{ limit: Number.NaN, remaining: Number.NaN, resetsAt: Number.NaN }] },
    { name: 'more left than there is', facts: [{ limit: 5, remaining: 500 }] },
    { name: 'a reset in the past', facts: [{ remaining: 0, resetsAt: NOON - DAY }] },
    { name: 'a limit of 0 beside a success', facts: [{ limit: 0, remaining: 0 }] },
  ]
  for (const { name, facts } of cases)
    test(`${name} change nothing`, () => {
      expect(trackerWith429(...facts).room(target, one, NOON + 1)).toBeNull()
    })

  test('a reset years away is believed for one window', () => {
    const tracker = trackerWith429({ remaining: 0, resetsAt: NOON + 1_000 * DAY })
    expect(tracker.room(target, one, NOON + 59 * SECOND)?.until).toBe(NOON + MINUTE)
    expect(tracker.room(target, one, NOON + MINUTE)).toBeNull()
  })

  test('the stricter of two statements about one limit in one answer counts', () => {
    const tracker = trackerWith429(
      { remaining: 50, resetsAt: NOON + MINUTE },
      { remaining: 0, resetsAt: NOON + 9 * SECOND },
    )
    expect(tracker.freeAt(target, one, NOON)).toBe(NOON + 9 * SECOND)
  })

  test('a limit of 0 in a refusal is tried again after its time, and one success ends it', () => {
    const tracker = bookWith()
    tracker.fold(eventOf(NOON, { failure: rateLimited(), limits: [factOf({ limit: 0 })] }))
    expect(tracker.freeAt(target, one, NOON + SECOND)).toBe(NOON + 10 * MINUTE)
    expect(tracker.room(target, one, NOON + 10 * MINUTE)).toBeNull()
    tracker.fold(eventOf(NOON + 11 * MINUTE))
    expect(tracker.limitsOf(target, NOON + 11 * MINUTE)).toEqual([])
  })

  test('a token limit stated far too low is tried again after its time', () => {
    const tracker = trackerWith429({ unit: 'tokens', limit: 3 })
    expect(tracker.room(target, one, NOON + MINUTE)?.tooLarge).toBe(true)
    expect(tracker.room(target, one, NOON + 10 * MINUTE)).toBeNull()
    reserved(tracker, NOON + 10 * MINUTE)
    expect(tracker.room(target, one, NOON + 10 * MINUTE)).not.toBeNull()
  })

  test('numbers that change with every answer are followed', () => {
    const tracker = bookWith()
    for (const [call, limit] of [5, 5_000, 1, 70].entries())
      tracker.fold(eventOf(NOON + call * 5 * SECOND, { limits: [factOf({ limit, remaining: limit - 1 })] }))
    expect(tracker.limitsOf(target, NOON + 16 * SECOND)).toMatchObject([{ limit: 70, remaining: 69 }])
  })

  for (const [name, jump] of [
    ['back an hour', -HOUR],
    ['forward a day', DAY],
    ['back a day', -DAY],
  ] as const)
    test(`a clock set ${name} ends a shortage no later than one window from there`, () => {
      const tracker = trackerWith429({ limit: 1, remaining: 0, resetsAt: NOON + 50 * SECOND })
      const shortage = tracker.room(target, one, NOON + jump)
      expect(shortage === null || shortage.until <= NOON + jump + MINUTE).toBe(true)
      expect(tracker.room(target, one, NOON + jump + 2 * MINUTE)).toBeNull()
    })
})

test('a stream that ends after midnight does not carry yesterday’s remainder into today', () => {
  const tracker = bookWith()
  const midnight = Date.UTC(2026, 10, 24)
  const limits = [factOf({ window: 'day', limit: 20, remaining: 0 })]
  tracker.fold(eventOf(midnight + 30 * SECOND, { startedAt: midnight - 30 * SECOND, limits }))
  expect(tracker.room(target, one, midnight + 31 * SECOND)).toBeNull()
})

test('an event from a clock that is years ahead drops no state and excludes no target for longer than a window', () => {
  const tracker = trackerWith429({ limit: 30, remaining: 9, resetsAt: NOON + 50 * SECOND })
  tracker.fold(eventOf(NOON + 9_000 * DAY, { limits: [factOf({ limit: 30, remaining: 0 })] }))
  expect(tracker.freeAt(target, one, NOON + SECOND)).toBeLessThanOrEqual(NOON + SECOND + MINUTE)
  expect(tracker.limitsOf(target, NOON + SECOND)).toMatchObject([{ limit: 30 }])
})

describe('what users see', () => {
  const seed = {
    model: '*',
    unit: 'requests',
    window: 'day',
    limit: 1_000,
    scope: 'account+model',
    checkedAt: '2026-09-18',
  } as const

  test('a published limit is shown with its date and never excludes', () => {
    const tracker = bookWith({ seedLimits: [{ ...seed, limit: 0 }] })
    expect(tracker.room(target, one, NOON)).toBeNull()
    expect(tracker.limitsOf(target, NOON)).toEqual([
      {
        window: 'day',
        unit: 'requests',
        scope: 'model',
        limit: 0,
        remaining: null,
        resetsAt: null,
        source: 'seed',
        checkedAt: Date.UTC(2026, 8, 18),
        published: { limit: 0, source: null, checkedAt: '2026-09-18', asOf: false },
      },
    ])
    expect(tracker.shareLeft(target, 'requests', NOON)).toBeNull()
  })

  test('a live number replaces a published one', () => {
    const tracker = bookWith({ seedLimits: [seed] })
    tracker.fold(eventOf(NOON, { limits: [factOf({ window: 'day', limit: 250, remaining: 100 })] }))
    expect(tracker.limitsOf(target, NOON)).toEqual([
      {
        window: 'day',
        unit: 'requests',
        scope: 'model',
        limit: 250,
        remaining: 100,
        resetsAt: Date.UTC(2026, 10, 24),
        source: 'header',
        checkedAt: NOON,
        published: { limit: 1_000, source: null, checkedAt: '2026-09-18', asOf: false },
      },
    ])
    expect(tracker.shareLeft(target, 'requests', NOON)).toBe(0.4)
  })

  test('a header without a window counts what the provider is known to count', () => {
    const tracker = bookWith({ limitWindows: { requests: 'day', tokens: 'minute' } })
    const unnamed = [factOf({ window: 'none', remaining: 5 }), factOf({ window: 'none', unit: 'tokens', remaining: 5 })]
    tracker.fold(eventOf(NOON, { limits: unnamed }))
    expect(tracker.limitsOf(target, NOON).map(({ unit, window }) => `${unit}/${window}`)).toEqual([
      'requests/day',
      'tokens/minute',
    ])
  })

  test('lifting drops every reason to refuse but no use', () => {
    const tracker = trackerWith429({ limit: 9, remaining: 0 })
    tracker.lift(targetOf({ model: 'other' }))
    expect(tracker.room(target, one, NOON)).not.toBeNull()
    tracker.lift(null)
    expect(tracker.room(target, one, NOON)).toBeNull()
    tracker.fold(eventOf(NOON + SECOND, { limits: [factOf({ limit: 9 })] }))
    expect(tracker.limitsOf(target, NOON + SECOND)).toMatchObject([{ remaining: 7 }])
  })
})

describe('a restart', () => {
  const spec = specWith()

  test('keeps what was known, except calls in progress', () => {
    const tracker = trackerWith429(
      { limit: 30, remaining: 10, resetsAt: NOON + 50 * SECOND },
      { window: 'day', limit: 100 },
    )
    tracker.fold(eventOf(NOON + 100))
    reserved(tracker, NOON + 200)
    const saved = JSON.parse(JSON.stringify(tracker.toJson()))
    const restored = QuotaTracker.fromJson(saved, { specOf: () => spec })
    expect(restored.limitsOf(target, NOON + 300)).toMatchObject([
      { window: 'minute', remaining: 9, resetsAt: NOON + 50 * SECOND },
      { window: 'day', remaining: 98 },
    ])
  })

  test('ignores a state it does not understand, and never fails', () => {
    const saved = JSON.stringify(trackerWith429({ limit: 30, remaining: 10 }).toJson())
    const broken: unknown[] = [null, 1, 'x', [], {}, { version: 9, pools: [] }, { version: 1, pools: [{}, null, 3] }]
    for (const word of ['[', '"requests"', '30', '10', '"rolling"', '"UTC"', '"header"', 'reading', 'cap'])
      broken.push(tryParse(saved.replaceAll(word, 'null')), tryParse(saved.replaceAll(word, '{"a":-1}')))
    for (const state of broken) {
      const tracker = QuotaTracker.fromJson(state, { specOf: () => spec })
      tracker.limitsOf(target, NOON)
      expect(tracker.room(target, one, NOON + 32 * DAY)).toBeNull()
    }
  })

  test('pools unused for 40 days are dropped', () => {
    const tracker = trackerWith429({ limit: 30 })
    tracker.prune(NOON + 39 * DAY)
    expect(JSON.stringify(tracker.toJson())).toContain('small')
    tracker.prune(NOON + 41 * DAY)
    expect(tracker.toJson()).toEqual({ version: 1, pools: [] })
  })
})

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

test('what a test run found in the models list uses nothing, not even where failures count', () => {
  const tracker = bookWith({ countsFailures: true })
  tracker.fold(eventOf(NOON, { limits: [factOf({ limit: 30, remaining: 20, resetsAt: NOON + MINUTE })] }))
  const refused = (status: number | null) => ({
    ok: false,
    failure: { kind: 'model_not_found' as const, status, message: 'not in the list' },
  })
  tracker.fold(eventOf(NOON + SECOND, refused(null)))
  expect(tracker.limitsOf(target, NOON + 2 * SECOND)[0]?.remaining).toBe(20)
  tracker.fold(eventOf(NOON + 2 * SECOND, refused(404)))
  expect(tracker.limitsOf(target, NOON + 3 * SECOND)[0]?.remaining).toBe(19)
})
