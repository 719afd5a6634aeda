import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeFailure, makeImport, makeQuality, makeSuccess, makeTarget } from '../../test/support/makeEvents.ts'
import type { StoreEvent } from '../domain/store.ts'
import { firstToken, perToken, quality, reliability, taskQuality } from './estimate.ts'
import { Knowledge } from './knowledge.ts'
import { knowledgeFromJson, knowledgeToJson } from './knowledgeJson.ts'
import { allTime } from './order.ts'
import { recency, speed } from './score.ts'
import { rebase, slot } from './sums.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const NOW = Date.UTC(2026, 10, 23, 12)
const target = makeTarget()
const sibling = makeTarget({ model: 'other' })

function learned(events: readonly StoreEvent[]): Knowledge {
  const knowledge = new Knowledge()
  for (const event of events) knowledge.fold(event, false)
  return knowledge
}

function termsOf(knowledge: Knowledge, now: number) {
  const { row, recent } = knowledge.target(target.stateId)
  return {
    reliability: reliability(row, knowledge.providers.get(target.provider), now).mean,
    speed: speed(firstToken(row, now).mean),
    quality: quality(row, null, now, recent).mean,
    recency: recency(row[slot.lastSuccessAt]!, now),
  }
}

const reliabilityOf = (knowledge: Knowledge, of = target, now = NOW) =>
  reliability(knowledge.target(of.stateId).row, knowledge.providers.get(of.provider), now).mean

const hundred = Array.from({ length: 100 }, (_, number) => number)

describe('reliability', () => {
  test('starts at the prior of 0.9, with high uncertainty', () => {
    const fresh = reliability(new Knowledge().target('x').row, undefined, NOW)
    expect(fresh.mean).toBeCloseTo(0.9, 12)
    expect(fresh.spread).toBeGreaterThan(0.15)
  })

  test('falls with every failure and rises with every success', () => {
    const knowledge = learned([])
    let before = reliabilityOf(knowledge)
    for (let number = 0; number < 5; number++) {
      knowledge.fold(makeFailure(target, NOW), false)
      expect(reliabilityOf(knowledge)).toBeLessThan(before)
      before = reliabilityOf(knowledge)
    }
    knowledge.fold(makeSuccess(target, NOW), false)
    expect(reliabilityOf(knowledge)).toBeGreaterThan(before)
  })

  test('yesterday’s hundred successes do not hide the last ten minutes', () => {
    const knowledge = learned(hundred.map((number) => makeSuccess(target, NOW - DAY + number * 1000)))
    expect(reliabilityOf(knowledge)).toBeGreaterThan(0.97)
    for (let number = 0; number < 8; number++) knowledge.fold(makeFailure(target, NOW - number * 1000), false)
    expect(reliabilityOf(knowledge)).toBeLessThan(0.6)
  })

  test('failures of an hour ago weigh less than failures of now', () => {
    const failures = (at: number) => learned([0, 1, 2].map(() => makeFailure(target, at)))
    expect(reliabilityOf(failures(NOW - HOUR))).toBeGreaterThan(reliabilityOf(failures(NOW)))
  })

  test('an untried target is estimated from its provider’s other targets', () => {
    const down = learned([0, 1, 2, 3, 4, 5].map((number) => makeFailure(sibling, NOW - number * 1000, 'overloaded')))
    expect(reliabilityOf(down)).toBeLessThan(0.4)
    const keyAtFault = learned([0, 1, 2, 3].map(() => makeFailure(sibling, NOW, 'auth_invalid')))
    expect(reliabilityOf(keyAtFault)).toBeCloseTo(0.9, 12)
  })

  test('a limit counts a quarter of a failure, the request’s own fault nothing', () => {
    const reliabilityAfter = (kind: 'rate_minute' | 'server' | 'bad_request' | 'client_gone' | 'slower') =>
      reliabilityOf(learned([makeFailure(target, NOW, kind)]))
    expect(reliabilityAfter('rate_minute')).toBeGreaterThan(reliabilityAfter('server'))
    expect(reliabilityAfter('rate_minute')).toBeLessThan(0.9)
    expect(reliabilityAfter('bad_request')).toBeCloseTo(0.9, 12)
    expect(reliabilityAfter('client_gone')).toBeCloseTo(0.9, 12)
    expect(reliabilityAfter('slower')).toBeCloseTo(0.9, 12)
  })

  test('no target is charged for failures of an offline host', () => {
    expect(reliabilityOf(learned([makeFailure(target, NOW, 'server', { notCharged: true })]))).toBeCloseTo(0.9, 12)
  })

  test('an outage counts once, however often it is looked at', () => {
    const probes = Array.from({ length: 9 }, (_, index) =>
      makeFailure(target, NOW + index, 'server', { known: index < 3 ? 'repeated' : 'expected' }),
    )
    const outage = [makeFailure(target, NOW, 'server'), ...probes]
    expect(reliabilityOf(learned(outage))).toBeCloseTo(reliabilityOf(learned(outage.slice(0, 1))), 5)
  })
})

describe('latency', () => {
  const msFor = (knowledge: Knowledge, tokens: number) => {
    const { row } = knowledge.target(target.stateId)
    return firstToken(row, NOW).mean + tokens * perToken(row, NOW).mean
  }
  const usage = (outputTokens: number) => ({
    inputTokens: 10,
    outputTokens,
    totalTokens: 10 + outputTokens,
    estimated: false,
  })

  test('is the mean of logs, so that one outlier does not decide', () => {
    const times = [...hundred.slice(1).map(() => 1000), 100_000]
    const knowledge = learned(times.map((latencyMs) => makeSuccess(target, NOW - MINUTE, { latencyMs })))
    expect(msFor(knowledge, 0)).toBeGreaterThan(950)
    expect(msFor(knowledge, 0)).toBeLessThan(1200)
  })

  test('a stream separates the first token from the tokens after it', () => {
    const facts = { latencyMs: 400 + 100 * 20, firstTokenMs: 400, streamed: true, usage: usage(100) }
    const knowledge = learned(hundred.map(() => makeSuccess(target, NOW - MINUTE, facts)))
    expect(msFor(knowledge, 0)).toBeCloseTo(400, -2)
    expect(msFor(knowledge, 1000)).toBeGreaterThan(19_000)
  })

  test('answers that are not streamed, short and long, separate into the same two times', () => {
    const events = hundred.map((number) => {
      const tokens = number % 2 === 0 ? 20 : 2000
      return makeSuccess(target, NOW - MINUTE, { latencyMs: 500 + tokens * 15, usage: usage(tokens) })
    })
    const knowledge = learned(events)
    expect(msFor(knowledge, 20)).toBeGreaterThan(600)
    expect(msFor(knowledge, 20)).toBeLessThan(1100)
    expect(msFor(knowledge, 2000)).toBeGreaterThan(27_000)
    expect(msFor(knowledge, 2000)).toBeLessThan(34_000)
  })

  test('a target that another one beat is slower by what its silence exceeded the expectation', () => {
    const usual = { latencyMs: 3000, firstTokenMs: 1000, streamed: true, usage: usage(100) }
    const events = hundred.map(() => makeSuccess(target, NOW - MINUTE, usual))
    const beaten = (latencyMs: number, streamed = true) =>
      msFor(learned([...events, makeFailure(target, NOW, 'slower', { latencyMs, streamed })]), 0)
    const before = msFor(learned(events), 0)
    expect(beaten(900)).toBeCloseTo(before, 9)
    expect(beaten(10_000)).toBeGreaterThan(before * 1.05)
    // A plain answer of the usual length would have taken longer than that.
    expect(beaten(2500, false)).toBeCloseTo(before, 9)
    expect(beaten(30_000, false)).toBeGreaterThan(before * 1.05)
  })

  test('tests and probes update the time to the first token only', () => {
    const facts = { source: 'test' as const, latencyMs: 3000, firstTokenMs: 300, streamed: true, usage: usage(50) }
    const { row } = learned([makeSuccess(target, NOW, facts)]).target(target.stateId)
    expect(row[slot.slowTokenCount]).toBe(0)
    expect(row[slot.slowCount]).toBe(1)
  })

  test('learns the slow hours of the day', () => {
    const days = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    const events = days.toReversed().flatMap((day) =>
      Array.from({ length: 24 }, (_, hour) => {
        const isPeak = hour >= 13 && hour < 20
        const at = Date.UTC(2026, 10, 23) - day * DAY + hour * HOUR
        return makeSuccess(target, at, { latencyMs: isPeak ? 6000 : 1000 })
      }),
    )
    const { row } = learned(events).target(target.stateId)
    const midnight = Date.UTC(2026, 10, 23)
    expect(firstToken(row, midnight + 15 * HOUR).mean).toBeGreaterThan(2 * firstToken(row, midnight + 5 * HOUR).mean)
  })

  test('a local server’s model loading is left out', () => {
    const knowledge = new Knowledge()
    for (let number = 0; number < 5; number++)
      knowledge.fold(makeSuccess(target, NOW - HOUR + number * 1000, { latencyMs: 500 }), true)
    const before = msFor(knowledge, 0)
    knowledge.fold(makeSuccess(target, NOW, { latencyMs: 45_000, startedAt: NOW - 45_000 }), true)
    expect(msFor(knowledge, 0)).toBeCloseTo(before, -2)
  })
})

describe('quality', () => {
  test('starts from the catalogue’s estimate and follows the reports', () => {
    const { row } = new Knowledge().target('x')
    expect(quality(row, 0.6, NOW).mean).toBeCloseTo(0.6, 12)
    expect(quality(row, null, NOW).mean).toBeCloseTo(0.8, 12)
  })

  test('a silent drop shows within a dozen reports after a thousand good ones', () => {
    const reports = Array.from({ length: 1000 }, (_, number) => makeQuality(target, NOW - DAY + number * 1000, 0.9))
    const knowledge = learned(reports)
    for (let number = 0; number < 12; number++) knowledge.fold(makeQuality(target, NOW, 0.4), false)
    const { row, recent } = knowledge.target(target.stateId)
    expect(quality(row, null, NOW, recent).mean).toBeLessThan(0.75)
  })

  test('a task has its own quality, shrunk towards the target’s', () => {
    const knowledge = learned([
      ...hundred.map(() => makeQuality(target, NOW, 0.9)),
      ...[0, 1, 2, 3].map(() => makeQuality(target, NOW, 0, { task: 'tools' })),
    ])
    const { row, recent, tasks } = knowledge.target(target.stateId)
    const whole = quality(row, null, NOW, recent)
    const tools = taskQuality(whole, tasks!.get('tools')!, NOW)
    expect(tools.mean).toBeLessThan(whole.mean - 0.19)
    expect(tools.mean).toBeGreaterThan(0.2)
  })

  test('keeps the eight latest tasks of a target and drops older ones', () => {
    const knowledge = learned(hundred.map((number) => makeQuality(target, NOW + number, 1, { task: `task-${number}` })))
    const { tasks } = knowledge.target(target.stateId)
    expect([...tasks!.keys()].sort()).toEqual([92, 93, 94, 95, 96, 97, 98, 99].map((number) => `task-${number}`))
  })
})

describe('imported statistics', () => {
  const old = makeImport(target, NOW, {
    successes: 900,
    failures: 100,
    averageLatencyMs: 1500,
    quality: 0.7,
    qualityCount: 50,
    lastSuccessAt: NOW - 5 * DAY,
  })

  test('are shown as they were', () => {
    const stats = allTime(learned([old]).target(target.stateId).row)
    expect(stats.successes).toBe(900)
    expect(stats.failures).toBe(100)
    expect(stats.averageLatencyMs).toBeCloseTo(1500, 6)
    expect(stats.quality).toBeCloseTo(0.7, 12)
    expect(stats.lastSuccessAt).toBe(NOW - 5 * DAY)
  })

  test('give way to what is observed today', () => {
    const knowledge = learned([old])
    for (let number = 0; number < 6; number++) knowledge.fold(makeFailure(target, NOW), false)
    expect(reliabilityOf(knowledge)).toBeLessThan(0.65)
  })
})

const odd = fc.oneof(
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 0, 1e300, 5e-324),
  fc.double({ min: 0, max: 1e6, noNaN: true }),
)
const oddEvent = fc
  .record({
    what: fc.constantFrom('success', 'stream', 'failure', 'quality', 'import'),
    at: fc.oneof(fc.integer({ min: NOW - 40 * DAY, max: NOW + DAY }), odd),
    a: odd,
    b: odd,
    c: odd,
  })
  .map(({ what, at, a, b, c }): StoreEvent => {
    const usage = { inputTokens: c, outputTokens: c, totalTokens: c, estimated: true }
    if (what === 'quality') return makeQuality(target, at, a)
    if (what === 'failure') return makeFailure(target, at, 'server', { latencyMs: a })
    if (what === 'success') return makeSuccess(target, at, { latencyMs: a, firstTokenMs: b, usage })
    if (what === 'stream') return makeSuccess(target, at, { latencyMs: a, firstTokenMs: b, streamed: true, usage })
    return makeImport(target, at, { successes: a, failures: b, averageLatencyMs: c, quality: a, qualityCount: b })
  })

describe('invariants', () => {
  test('every term stays between 0 and 1, whatever the events contain', () => {
    fc.assert(
      fc.property(
        fc.array(oddEvent, { maxLength: 40 }),
        fc.integer({ min: NOW - DAY, max: NOW + DAY }),
        (events, now) => {
          const terms = termsOf(learned(events), now)
          for (const term of Object.values(terms)) {
            expect(term).toBeGreaterThanOrEqual(0)
            expect(term).toBeLessThanOrEqual(1)
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  const sane = fc
    .record({
      what: fc.constantFrom('success', 'failure', 'quality'),
      of: fc.constantFrom(target, sibling),
      age: fc.integer({ min: 0, max: 2 * DAY }),
      ms: fc.integer({ min: 100, max: 20_000 }),
      score: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    .map(({ what, of, age, ms, score }) => {
      if (what === 'quality') return makeQuality(of, NOW - age, score)
      return what === 'success' ? makeSuccess(of, NOW - age, { latencyMs: ms }) : makeFailure(of, NOW - age)
    })
  const close = (a: Knowledge, b: Knowledge) => {
    const [mine, theirs] = [termsOf(a, NOW), termsOf(b, NOW)]
    expect(mine.reliability).toBeCloseTo(theirs.reliability, 9)
    expect(mine.recency).toBeCloseTo(theirs.recency, 9)
    expect(Math.abs(mine.speed - theirs.speed)).toBeLessThan(0.1)
    expect(Math.abs(mine.quality - theirs.quality)).toBeLessThan(0.1)
  }

  test('the order in which events arrive hardly matters', () => {
    fc.assert(
      fc.property(fc.array(sane, { maxLength: 12 }), (events) => close(learned(events), learned(events.toReversed()))),
      { numRuns: 200 },
    )
  })

  test('the merged state of two processes is what one would have learned', () => {
    fc.assert(
      fc.property(fc.array(sane, { maxLength: 12 }), fc.integer({ min: 0, max: 12 }), (events, cut) => {
        const both = learned(events.slice(0, cut))
        both.merge(learned(events.slice(cut)))
        close(both, learned(events))
      }),
      { numRuns: 200 },
    )
  })

  test('a clock that was ahead and is set back does not stop learning', () => {
    const knowledge = learned(hundred.map(() => makeSuccess(target, NOW + 365 * DAY)))
    const { row } = knowledge.target(target.stateId)
    rebase(row, NOW)
    for (let number = 0; number < 20; number++) knowledge.fold(makeFailure(target, NOW + number), false)
    expect(reliabilityOf(knowledge)).toBeLessThan(0.9)
    for (let number = 0; number < 200; number++) knowledge.fold(makeFailure(target, NOW + number), false)
    expect(reliabilityOf(knowledge)).toBeLessThan(0.5)
  })
})

describe('the state as JSON', () => {
  test('round-trips', () => {
    const knowledge = learned([
      ...hundred.map((number) => makeSuccess(target, NOW - number * MINUTE, { latencyMs: 900 + number })),
      makeFailure(sibling, NOW),
      makeQuality(target, NOW, 0.7, { task: 'code' }),
    ])
    const json = knowledgeToJson(knowledge)
    const back = knowledgeFromJson(JSON.parse(JSON.stringify(json)))
    expect(knowledgeToJson(back)).toEqual(json)
    expect(termsOf(back, NOW)).toEqual(termsOf(knowledge, NOW))
  })

  test('takes less than a kilobyte per target', () => {
    const row = new Knowledge().target('x').row
    expect(row.byteLength).toBeLessThan(640)
  })

  test('targets unseen for three months are dropped', () => {
    const knowledge = learned([makeSuccess(sibling, NOW - 100 * DAY), makeSuccess(target, NOW)])
    const back = knowledgeFromJson(knowledgeToJson(knowledge))
    expect([...back.targets.keys()]).toEqual([target.stateId])
  })

  const hostile = fc.oneof(
    fc.json().map((text) => JSON.parse(text)),
    fc.record({
      version: fc.constant(1),
      targets: fc.array(fc.tuple(fc.string(), fc.array(odd), fc.anything())),
      providers: fc.array(fc.tuple(fc.constantFrom('groq', '__proto__'), odd, odd, odd)),
      answers: fc.anything(),
    }),
  )
  test('hostile or foreign JSON never throws, and estimates stay in their range', () => {
    fc.assert(
      fc.property(hostile, (json) => {
        const terms = termsOf(knowledgeFromJson(json), NOW)
        for (const term of Object.values(terms)) expect(term >= 0 && term <= 1).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  test('a state of another version is dropped, not misread', () => {
    const json = knowledgeToJson(learned([makeSuccess(target, NOW)])) as Record<string, unknown>
    expect(knowledgeFromJson({ ...json, version: 0 }).targets.size).toBe(0)
  })
})
