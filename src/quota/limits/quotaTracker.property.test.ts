import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  DAY,
  dayIsOver,
  eventOf,
  factOf,
  MINUTE,
  NOON,
  rateLimited,
  specWith,
  targetOf,
} from '../../../test/support/quotaFixtures.ts'
import type { LimitFact } from '../../domain/failure.ts'
import type { AttemptEvent } from '../../domain/store.ts'
import { type QuotaHold, QuotaTracker } from './quotaTracker.ts'

const target = targetOf()
const spec = specWith()
const options = { specOf: () => spec }

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ act: fc.constant('reserve' as const), tokens: fc.integer({ min: 0, max: 900 }) }),
  },
  { weight: 3, arbitrary: fc.record({ act: fc.constantFrom('finish', 'fail', 'release'), pick: fc.nat(50) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 25_000 }) }) },
  { weight: 1, arbitrary: fc.constant({ act: 'restart' as const }) },
)

describe('reserving, settling, releasing and folding in any order', () => {
  /** The size is restated with every answer, so that it stays constant. */
  const stated = [factOf({ limit: 5 }), factOf({ limit: 9, window: 'day' }), factOf({ unit: 'tokens', limit: 2_000 })]

  test('never grants more than the limit in any window', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const granted = play(steps)
        for (const { at } of granted) {
          const inMinute = granted.filter((other) => other.at > at - MINUTE && other.at <= at)
          expect(inMinute.length).toBeLessThanOrEqual(5)
          expect(inMinute.reduce((sum, { tokens }) => sum + tokens, 0)).toBeLessThanOrEqual(2_000)
        }
        expect(granted.length).toBeLessThanOrEqual(9)
      }),
      { numRuns: 200 },
    )
  })

  function play(steps: readonly (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[]) {
    let tracker = new QuotaTracker(options)
    tracker.fold(eventOf(NOON - 2 * DAY, { limits: stated }))
    const granted: { at: number; tokens: number }[] = []
    const underWay: { hold: QuotaHold; call: { at: number; tokens: number } }[] = []
    let now = NOON
    for (const step of steps) {
      if ('ms' in step) now += step.ms
      else if ('tokens' in step) {
        const hold = tracker.reserve(target, { requests: 1, inputTokens: step.tokens, outputTokens: 0 }, now)
        if (!hold.granted) continue
        const call = { at: now, tokens: step.tokens }
        granted.push(call)
        underWay.push({ hold, call })
      } else if ('pick' in step) {
        const [ended] = underWay.splice(step.pick % Math.max(1, underWay.length), 1)
        if (ended === undefined) continue
        const { hold, call } = ended
        if (step.act !== 'finish') granted.splice(granted.indexOf(call), 1)
        if (step.act === 'release') tracker.release(hold)
        else {
          tracker.settle(hold, null, now)
          tracker.fold(ending(step.act === 'finish', call, now))
        }
      } else if (underWay.length === 0)
        tracker = QuotaTracker.fromJson(JSON.parse(JSON.stringify(tracker.toJson())), options)
    }
    return granted
  }

  function ending(ok: boolean, { at, tokens }: { at: number; tokens: number }, now: number): AttemptEvent {
    const usage = { inputTokens: tokens, outputTokens: 0, totalTokens: tokens, estimated: false }
    const failure = ok ? null : ({ kind: 'overloaded', status: 503, message: '' } as const)
    return eventOf(now, { startedAt: at, failure, usage: ok ? usage : null, limits: ok ? stated : [] })
  }

  test('returns exactly what was reserved', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 40 }), fc.boolean(), (gaps, settles) => {
        const tracker = new QuotaTracker(options)
        tracker.fold(
          eventOf(NOON, {
            limits: [
              factOf({ limit: 50, remaining: 40, resetsAt: NOON + MINUTE }),
              factOf({ unit: 'tokens', limit: 90_000 }),
            ],
          }),
        )
        let now = NOON
        const before = tracker.limitsOf(target, now)
        const holds: QuotaHold[] = []
        for (const gap of gaps) {
          now += Math.floor(gap / 60)
          const hold = tracker.reserve(target, { requests: 1, inputTokens: gap, outputTokens: 7 }, now)
          if (hold.granted) holds.push(hold)
        }
        for (const hold of holds) settles ? tracker.settle(hold, null, now) : tracker.release(hold)
        expect(tracker.limitsOf(target, now).map(({ remaining }) => remaining)).toEqual(
          before.map(({ remaining }) => remaining),
        )
      }),
      { numRuns: 200 },
    )
  })
})

describe('whatever upstreams and clocks do', () => {
  const number = fc.oneof(
    fc.constant(null),
    fc.integer({ min: -5, max: 50 }),
    fc.constantFrom(-1, 0, 1e9, 1e300, Number.NaN, Number.POSITIVE_INFINITY),
  )
  const time = fc.oneof(
    fc.constant(null),
    fc.integer({ min: NOON - DAY, max: NOON + 400 * DAY }),
    fc.constantFrom(-1, 1e300, Number.NaN),
  )
  const fact: fc.Arbitrary<LimitFact> = fc.record({
    unit: fc.constantFrom('requests', 'tokens', 'input-tokens', 'output-tokens', 'neurons', 'concurrency', 'usd'),
    window: fc.constantFrom('second', 'minute', 'hour', 'day', 'week', 'month', 'none'),
    scope: fc.constantFrom('model', 'account'),
    limit: number,
    remaining: number,
    resetsAt: time,
    source: fc.constantFrom('header', 'body'),
  })
  const failure = fc.constantFrom(
    null,
    rateLimited(),
    rateLimited({ retryAfterMs: 1e12 }),
    rateLimited({ retryAfterMs: -5, window: 'none', unit: 'usd' }),
    dayIsOver({ limit: 0 }),
    dayIsOver({ window: 'month', retryAfterMs: Number.NaN }),
    { kind: 'too_large_for_limit', status: 413, message: '', limit: -3 } as const,
  )
  const happening = fc.record({
    facts: fc.array(fact, { maxLength: 3 }),
    failure,
    jump: fc.oneof(
      { weight: 4, arbitrary: fc.nat(90_000) },
      { weight: 1, arbitrary: fc.constantFrom(-60 * MINUTE, DAY, -DAY) },
    ),
  })

  test('every shortage ends by itself, no later than the longest window afterwards', () => {
    fc.assert(
      fc.property(
        fc.array(happening, { maxLength: 25 }),
        fc.constantFrom('UTC', 'America/Los_Angeles', 'rolling' as const),
        (happenings, dayBoundary) => {
          const provider = specWith({ dayBoundary })
          const tracker = new QuotaTracker({ specOf: () => provider })
          let now = NOON
          for (const { facts, failure, jump } of happenings) {
            now += jump
            const need = { requests: 1, inputTokens: 10, outputTokens: 10 }
            const hold = tracker.reserve(target, need, now)
            if (hold.granted) tracker.settle(hold, { inputTokens: 10, outputTokens: 0 }, now)
            tracker.fold(eventOf(now, { limits: facts, failure }))
          }
          const end = now + 32 * DAY
          for (let hops = 0; hops < 60; hops++) {
            const shortage = tracker.room(target, { requests: 1, inputTokens: 10, outputTokens: 10 }, now)
            if (shortage === null) return
            expect(shortage.until).toBeGreaterThan(now)
            expect(shortage.until).toBeLessThanOrEqual(end)
            now = shortage.until
          }
          expect.unreachable('a shortage that never ends')
        },
      ),
      { numRuns: 300 },
    )
  })
})

test('simulated Pacific days: a daily limit holds from midnight to midnight, across both clock changes', () => {
  const pacific = specWith({ dayBoundary: 'America/Los_Angeles' })
  for (const start of ['2026-03-06T08:00Z', '2026-10-30T07:00Z']) {
    const tracker = new QuotaTracker({ specOf: () => pacific })
    const first = Date.parse(start)
    const servedByDay = new Map<string, number>()
    tracker.fold(eventOf(first - DAY, { limits: [factOf({ window: 'day', limit: 20 })] }))
    const dayOf = new Intl.DateTimeFormat('en-CA', { timeZone: 'America/Los_Angeles' })
    for (let now = first; now < first + 5 * DAY; now += 30 * MINUTE) {
      const hold = tracker.reserve(target, { requests: 1, inputTokens: 0, outputTokens: 0 }, now)
      if (!hold.granted) continue
      tracker.settle(hold, null, now + 1)
      tracker.fold(eventOf(now + 1, { startedAt: now, limits: [factOf({ window: 'day', limit: 20 })] }))
      const day = dayOf.format(now)
      servedByDay.set(day, (servedByDay.get(day) ?? 0) + 1)
    }
    expect([...servedByDay.values()].slice(0, 5)).toEqual([20, 20, 20, 20, 20])
  }
})
