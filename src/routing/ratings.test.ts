import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeQuality, makeTarget } from '../../test/support/makeEvents.ts'
import type { QualityEvent } from '../domain/store.ts'
import { TargetTotals } from '../store/tally.ts'
import { quality, taskQuality } from './estimate.ts'
import { Knowledge } from './knowledge.ts'
import { knowledgeFromJson, knowledgeToJson } from './knowledgeJson.ts'
import { Ratings } from './ratings.ts'

const target = makeTarget()
const HOUR = 3_600_000
const NOON = Date.UTC(2026, 10, 23, 12)

/** What a process knows, and how it takes ratings in. */
class Process {
  ratings = new Ratings()
  knowledge = new Knowledge()
  readonly tally = new TargetTotals()

  take(events: readonly QualityEvent[]): this {
    for (const event of events) {
      const change = this.ratings.settle(event)
      if (change === null) continue
      this.knowledge.rate(change)
      this.tally.rate(change)
    }
    return this
  }

  restart(): void {
    this.ratings = Ratings.fromJson(JSON.parse(JSON.stringify(this.ratings.toJson())))
    this.knowledge = knowledgeFromJson(JSON.parse(JSON.stringify(knowledgeToJson(this.knowledge))))
  }

  quality(now: number): number {
    const { row, recent, shared } = this.knowledge.target(target.stateId)
    return quality(row, null, now, recent, shared).mean
  }

  ofTask(task: string, now: number): number {
    const { row, recent, shared, tasks } = this.knowledge.target(target.stateId)
    const whole = quality(row, null, now, recent, shared)
    const own = tasks?.get(task)
    return own === undefined ? whole.mean : taskQuality(whole, own, now).mean
  }

  /** Everything that is estimated or shown. */
  known(now: number) {
    const { qualitySum = 0, qualityCount = 0 } = this.tally.row(target.stateId) ?? {}
    return [this.quality(now), this.ofTask('a', now), this.ofTask('b', now), qualitySum, qualityCount]
  }
}

function expectAlike(one: Process, other: Process, now = NOON + 2 * HOUR): void {
  for (const at of [now, now + 5 * HOUR, now + 100 * HOUR]) {
    const [mine, theirs] = [one.known(at), other.known(at)]
    mine.forEach((number, index) => {
      expect(Math.abs(number - theirs[index]!)).toBeLessThan(1e-9)
    })
  }
}

interface Rating {
  readonly request: number
  readonly rater: 'library' | 'token:own' | 'token:shared' | 'token:other'
  readonly afterMs: number
  readonly score: number
}

const isShared = (rater: Rating['rater']) => rater === 'token:shared' || rater === 'token:other'
const taskOf = (request: number) => [null, 'a', 'b'][request % 3]!

/** The events of those ratings, as the raters' processes write them: each knows what was rated before. */
function eventsOf(ratings: readonly Rating[], from = NOON - 20 * HOUR): QualityEvent[] {
  const last = new Map<string, QualityEvent>()
  let at = from
  return ratings.map(({ request, rater, afterMs, score }) => {
    at += afterMs
    const key = `${request} ${rater}`
    const before = last.get(key)
    const event = makeQuality(target, at, score, {
      requestId: `request-${request}`,
      task: taskOf(request),
      rater,
      ...(isShared(rater) && { raterName: rater, shared: true }),
      ...(before !== undefined && {
        turn: (before.turn ?? 1) + 1,
        replaces: { at: before.at, score: before.score, ...(isShared(rater) && { shared: true }) },
      }),
    })
    last.set(key, event)
    return event
  })
}

/** Those of them that are the last of their rater and request, written as if they were the only ones. */
function lastOf(events: readonly QualityEvent[]): QualityEvent[] {
  const last = new Map(events.map((event) => [`${event.requestId} ${event.rater}`, event]))
  return [...last.values()].map(({ turn: _turn, replaces: _replaces, ...only }) => only)
}

const rating: fc.Arbitrary<Rating> = fc.record({
  request: fc.integer({ min: 0, max: 7 }),
  rater: fc.constantFrom('library', 'token:own', 'token:shared', 'token:other'),
  afterMs: fc.constantFrom(0, 1, 1000, 600_000, HOUR, 3 * HOUR),
  score: fc.oneof(fc.constantFrom(0, 1, 0.9), fc.double({ min: 0, max: 1, noNaN: true })),
})
const script = fc.array(rating, { minLength: 1, maxLength: 60 })

describe('a rating that replaces another', () => {
  test('leaves nothing of it: what is known is what the last ones alone would have taught', () => {
    fc.assert(
      fc.property(script, (ratings) => {
        const events = eventsOf(ratings)
        const now = events.at(-1)!.at
        expectAlike(new Process().take(events), new Process().take(lastOf(events)), now)
      }),
      { numRuns: 150 },
    )
  })

  test('leaves nothing of it where a score lies exactly at the mean of the others', () => {
    const first: Rating[] = [
      { request: 0, rater: 'library', afterMs: 0, score: 0.9 },
      { request: 1, rater: 'library', afterMs: 0, score: 0 },
      { request: 5, rater: 'token:own', afterMs: 2000, score: 0 },
    ]
    const events = eventsOf([...first, { request: 5, rater: 'token:own', afterMs: 1, score: 1 }])
    const now = events.at(-1)!.at
    expectAlike(new Process().take(events), new Process().take(lastOf(events)), now)
  })

  test('does so in whatever order two processes read of both', () => {
    fc.assert(
      fc.property(script, fc.infiniteStream(fc.nat()), (ratings, lots) => {
        const events = eventsOf(ratings)
        const shuffled = events
          .map((event) => ({ event, lot: lots.next().value as number }))
          .sort((a, b) => a.lot - b.lot)
          .map(({ event }) => event)
        const now = events.at(-1)!.at
        expectAlike(new Process().take(events), new Process().take(shuffled), now)
      }),
      { numRuns: 150 },
    )
  })

  test('does so across a restart at any place', () => {
    fc.assert(
      fc.property(script, fc.nat(60), (ratings, cut) => {
        const events = eventsOf(ratings)
        const [straight, restarted] = [new Process().take(events), new Process().take(events.slice(0, cut))]
        restarted.restart()
        restarted.take(events.slice(cut))
        const now = events.at(-1)!.at
        expectAlike(straight, restarted, now)
      }),
      { numRuns: 100 },
    )
  })

  test('is the same one for two processes that did not know of each other', () => {
    const [one] = eventsOf([{ request: 1, rater: 'library', afterMs: 0, score: 0 }])
    const [other] = eventsOf([{ request: 1, rater: 'library', afterMs: 5, score: 1 }])
    const only = new Process().take([other!])
    expectAlike(new Process().take([one!, other!]), only)
    expectAlike(new Process().take([other!, one!]), only)
  })

  test('may come long after it, when only the event itself still says what it was', () => {
    const first = { request: 0, rater: 'token:own', afterMs: 0, score: 0 } as const
    const others = Array.from({ length: 700 }, (_, at) => ({ ...first, request: at + 1, afterMs: 1000, score: 0.7 }))
    const events = eventsOf([first, ...others, { ...first, afterMs: 1000, score: 1 }])
    expectAlike(new Process().take(events), new Process().take(lastOf(events)))
  })
})

const attack = (rater: Rating['rater'], count: number, scoreOf: (index: number) => number, afterMs = 1) =>
  Array.from({ length: count }, (_, request) => ({ request, rater, afterMs, score: scoreOf(request) }))

describe('one rating', () => {
  test.each([0, 0.3, 1])('of %s alone changes nothing, before others and after them', (score) => {
    const fresh = new Process()
    fresh.take(eventsOf([{ request: 1, rater: 'library', afterMs: 0, score }]))
    expect(fresh.quality(NOON)).toBeCloseTo(0.8, 9)
    const known = new Process().take(eventsOf(attack('library', 40, () => 0.7)))
    const before = known.quality(NOON)
    known.take(eventsOf([{ request: 99, rater: 'library', afterMs: 0, score }], NOON))
    expect(Math.abs(known.quality(NOON) - before)).toBeLessThan(0.002)
  })

  test('counts with a second one like it, and neither takes a target away', () => {
    const process = new Process()
    process.take(eventsOf(attack('library', 2, () => 0)))
    expect(process.quality(NOON)).toBeLessThan(0.75)
    expect(process.quality(NOON)).toBeGreaterThan(0.7)
  })

  test('of a target as a whole counts at once', () => {
    const process = new Process().take([makeQuality(target, NOON, 0)])
    expect(process.quality(NOON)).toBeCloseTo(0.75, 9)
  })
})

describe('a token among several', () => {
  const isBad = { constant: () => 0, alternating: (at: number) => at % 2, random: (at: number) => (at * 0.618) % 1 }

  test.each(Object.entries(isBad))('moves nothing within an hour with a thousand ratings: %s', (_name, scoreOf) => {
    for (const before of [[], attack('library', 60, () => 0.9)]) {
      const process = new Process().take(eventsOf(before, NOON - HOUR))
      const was = process.quality(NOON)
      process.take(eventsOf(attack('token:shared', 1000, scoreOf), NOON))
      expect(Math.abs(process.quality(NOON + 2000) - was)).toBeLessThan(0.01)
      expect(process.ratings.ofHour(NOON + 2000)).toMatchObject([{ given: 1000, counted: 1 }])
    }
  })

  test('moves the estimate by at most 0.1 from hour to hour, whatever it rates and however often', () => {
    const burst = fc.record({
      hour: fc.integer({ min: 0, max: 30 }),
      count: fc.integer({ min: 1, max: 40 }),
      score: fc.constantFrom(0, 0, 0, 1, 0.5),
      // Of so many requests of that hour, some of them again and again.
      spread: fc.integer({ min: 1, max: 50 }),
    })
    const honest = fc.record({
      count: fc.integer({ min: 0, max: 60 }),
      score: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    fc.assert(
      fc.property(fc.array(burst, { minLength: 1, maxLength: 40 }), honest, (bursts, { count, score }) => {
        const start = NOON - 12 * HOUR
        const process = new Process().take(
          eventsOf(
            attack('library', count, () => score, 1000),
            start - HOUR,
          ),
        )
        for (let hour = 0; hour <= 30; hour++) {
          const rated = bursts
            .filter((one) => one.hour === hour)
            .flatMap((one) => attack('token:shared', one.count, () => one.score).map((rating) => ({ rating, one })))
            .map(({ rating, one }) => ({ ...rating, request: 100 * hour + (rating.request % one.spread) }))
          const until = start + (hour + 1) * HOUR - 1
          const was = process.quality(until)
          process.take(eventsOf(rated, start + hour * HOUR))
          expect(Math.abs(process.quality(until) - was)).toBeLessThan(0.1)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('does not make the ratings of others forgotten, nor their tasks by naming new ones', () => {
    const named = (task: string, at: number, facts: Partial<QualityEvent> = {}) =>
      makeQuality(target, at, 0.2, { requestId: `${task} ${at}`, rater: 'library', task, ...facts })
    const process = new Process().take([0, 1, 2, 3, 4].map((second) => named('a', NOON + second * 1000)))
    const was = process.ofTask('a', NOON + HOUR)
    const shared = { rater: 'token:shared', raterName: 'other', shared: true } as const
    for (let count = 0; count < 100; count++) process.take([named(`new ${count}`, NOON + 9000 + count, shared)])
    expect(Math.abs(process.ofTask('a', NOON + HOUR) - was)).toBeLessThan(0.05)
  })

  test('teaches in some hours all the same, and with others it goes faster', () => {
    const hours = (raters: readonly Rating['rater'][]) => {
      const process = new Process().take(
        eventsOf(
          attack('library', 60, () => 0.9),
          NOON - HOUR,
        ),
      )
      for (let hour = 0; hour < 24; hour++) {
        for (const rater of raters) {
          const rated = attack(rater, 10, () => 0.3, 1000).map((one) => ({ ...one, request: hour * 100 + one.request }))
          process.take(eventsOf(rated, NOON + hour * HOUR))
        }
        if (process.quality(NOON + (hour + 1) * HOUR) < 0.7) return hour + 1
      }
      return Number.POSITIVE_INFINITY
    }
    const alone = hours(['token:shared'])
    expect(alone).toBeGreaterThan(1)
    expect(alone).toBeLessThanOrEqual(12)
    expect(hours(['token:shared', 'token:other'])).toBeLessThan(alone)
  })
})

describe('the owner', () => {
  test.each(['library', 'token:own'] as const)('teaches a drop from 0.9 to 0.3 within 15 ratings: %s', (rater) => {
    const process = new Process().take(
      eventsOf(
        attack(rater, 100, () => 0.9, 1000),
        NOON - HOUR,
      ),
    )
    let rated = 0
    while (process.quality(NOON) > 0.7 && rated < 100) {
      process.take(eventsOf([{ request: 1000 + rated, rater, afterMs: 0, score: 0.3 }], NOON + rated))
      rated++
    }
    expect(rated).toBeLessThanOrEqual(15)
  })
})

test('what was kept by an older version, or damaged, starts empty', () => {
  for (const json of [
    undefined,
    null,
    7,
    'x',
    [],
    { scores: 3, cells: {} },
    { scores: [1, [2], ['a', 'x']], cells: [[]] },
  ])
    expect(Ratings.fromJson(json).toJson()).toEqual({ forgotten: [0, -1], scores: [], cells: [] })
})
