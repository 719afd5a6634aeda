/** What every engine of the store promises; called by the test of each. */

import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { Usage } from '../../src/domain/chat.ts'
import type { Failure } from '../../src/domain/failure.ts'
import type { AttemptEvent, Store, StoredEvent, StoreEvent, TargetRef } from '../../src/domain/store.ts'
import { MOST_HOLDINGS } from '../../src/store/holdings.ts'
import {
  attemptEvent,
  failedAttempt,
  heldBy,
  importEvent,
  liftEvent,
  observationEvent,
  qualityEvent,
  TEN,
  targetRef,
} from './storeEvents.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** `open` gives a new, empty store each time. */
export function storeTests(name: string, open: () => Store): void {
  const opened: Store[] = []
  const fresh = () => {
    const store = open()
    opened.push(store)
    return store
  }
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close()
  })

  describe(`${name}: the log`, () => {
    test('gives every kind of event back exactly as it was appended, in order', () => {
      const store = fresh()
      const { trial } = observationEvent()
      const events = [
        attemptEvent(),
        failedAttempt({ trial }),
        qualityEvent(),
        liftEvent(),
        importEvent(),
        observationEvent(),
      ]
      for (const event of events) store.append(event)
      expect(withoutSeq(store.read(0))).toEqual(events)
    })

    test('finds an event by its id at once, the first of that id', () => {
      const store = fresh()
      const [attempt, observation] = [attemptEvent(), observationEvent()]
      expect(store.event(attempt.id)).toBeUndefined()
      for (const event of [attempt, observation, { ...observation, values: { success: 0 } }]) store.append(event)
      expect(store.event(attempt.id)).toMatchObject(attempt)
      expect(store.event(observation.id)).toMatchObject(observation)
      expect(store.event('of nothing')).toBeUndefined()
    })

    test('gives any event back exactly as it was appended', () => {
      const store = fresh()
      fc.assert(
        fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 5 }), (events) => {
          const before = store.lastSeq()
          // Ids of earlier runs are in the store already.
          const fresh = events.map((event, index) => ({ ...event, id: `${before}-${index}-${event.id}` }))
          for (const event of fresh) store.append(event)
          expect(withoutSeq(store.read(before))).toEqual(fresh)
        }),
        { numRuns: 150 },
      )
    })

    test('keeps an event that is appended twice once, and counts it once', () => {
      const store = fresh()
      const event = attemptEvent()
      store.append(event)
      store.append(event)
      store.flushNow()
      store.append(event)
      expect(store.read(0)).toHaveLength(1)
      expect(store.sums({}, [])[0]?.attempts).toBe(1)
    })

    test('reads on from any place, at most as many as asked', () => {
      const store = fresh()
      for (let index = 0; index < 10; index++) store.append(attemptEvent({ number: index }))
      const [first, second] = store.read(0, 2)
      expect(first?.seq).toBeLessThan(second?.seq ?? 0)
      expect(numbers(store.read(second?.seq ?? 0, 3))).toEqual([2, 3, 4])
      expect(store.read(store.lastSeq())).toEqual([])
    })

    test('gives events of one kind alone', () => {
      const store = fresh()
      const seen = [observationEvent(), observationEvent({ origin: 'another' })]
      for (const event of [attemptEvent(), seen[0]!, liftEvent(), seen[1]!, attemptEvent()]) store.append(event)
      expect(withoutSeq(store.read(0, 10, null, 'observation'))).toEqual(seen)
      expect(withoutSeq(store.read(0, 10, 'another', 'observation'))).toEqual([seen[0]])
      expect(withoutSeq(store.read(0, 1, null, 'observation'))).toEqual([seen[0]])
    })

    test('starts at place 0 and lastSeq() follows the newest event', () => {
      const store = fresh()
      expect(store.lastSeq()).toBe(0)
      store.append(attemptEvent())
      expect(store.lastSeq()).toBe(store.read(0).at(-1)?.seq)
    })

    test('says when what was appended is safe', async () => {
      const store = fresh()
      await store.flushed()
      store.append(attemptEvent())
      await store.flushed()
      expect(store.health()).toEqual({ state: 'ok', reason: null })
      expect(store.read(0)).toHaveLength(1)
    })

    test('reads on without what one origin wrote itself', () => {
      const store = fresh()
      for (let n = 0; n < 6; n++) store.append(attemptEvent({ id: `e${n}`, origin: n % 2 === 0 ? 'mine' : 'theirs' }))
      store.flushNow()
      expect(store.read(0, 10, 'mine').map(({ id }) => id)).toEqual(['e1', 'e3', 'e5'])
      expect(store.read(store.read(0, 2, 'mine').at(-1)!.seq, 10, 'mine').map(({ id }) => id)).toEqual(['e5'])
    })

    test('stamps every store with an origin of its own', () => {
      expect(fresh().origin).not.toBe(fresh().origin)
    })
  })

  describe(`${name}: what keys hold`, () => {
    test('is found by its id, before and after it is written, and the last holder counts', () => {
      const store = fresh()
      store.recordHolding(heldBy())
      expect([store.holding('held'), store.holding('other')]).toEqual([heldBy(), undefined])
      store.flushNow()
      expect([store.holding('held'), store.holding('other')]).toEqual([heldBy(), undefined])
      const moved = heldBy({ provider: 'google', model: 'm', fingerprint: 'f', account: 'google:work', at: TEN + 1 })
      store.recordHolding(moved)
      expect(store.holding('held')).toEqual(moved)
      store.flushNow()
      expect(store.holding('held')).toEqual(moved)
    })

    test('is forgotten a month after the key last answered for it', () => {
      const store = fresh()
      const hold = (id: string, days: number) => {
        store.recordHolding(heldBy({ id, at: TEN + days * DAY }))
        store.flushNow()
      }
      hold('old', 0)
      hold('used', 0)
      hold('used', 10)
      hold('new', 32)
      expect(['old', 'used', 'new'].map((id) => store.holding(id)?.at)).toEqual([
        undefined,
        TEN + 10 * DAY,
        TEN + 32 * DAY,
      ])
    })

    test('is of a bounded number, the oldest of which goes first', () => {
      const store = fresh()
      const count = MOST_HOLDINGS + 1000
      for (let number = 1; number <= count; number++)
        store.recordHolding(heldBy({ id: `held ${number}`, at: TEN + number }))
      store.flushNow()
      const isKept = (number: number) => store.holding(`held ${number}`) !== undefined
      expect([isKept(1), isKept(500), isKept(count - MOST_HOLDINGS + 1), isKept(count)]).toEqual([
        false,
        false,
        true,
        true,
      ])
    })
  })

  describe(`${name}: the snapshot`, () => {
    test('comes back as it was saved', () => {
      const store = fresh()
      expect(store.loadSnapshot()).toBeNull()
      const snapshot = { seq: 7, version: 2, state: { targets: [1, null, 'x'] } }
      store.saveSnapshot(snapshot)
      expect(store.loadSnapshot()).toEqual(snapshot)
    })

    test('is not replaced by one of an earlier place', () => {
      const store = fresh()
      store.saveSnapshot({ seq: 7, version: 1, state: 'late' })
      store.saveSnapshot({ seq: 6, version: 1, state: 'early' })
      expect(store.loadSnapshot()?.state).toBe('late')
      store.saveSnapshot({ seq: 7, version: 2, state: 'same place' })
      expect(store.loadSnapshot()).toEqual({ seq: 7, version: 2, state: 'same place' })
    })
  })

  describe(`${name}: documents`, () => {
    test('are kept by collection and key, and listed by key', () => {
      const store = fresh()
      store.setDoc('models', 'groq', ['a'])
      store.setDoc('models', 'google', { b: 1 })
      store.setDoc('tokens', 'groq', 'another')
      expect(store.getDoc('models', 'groq')).toEqual(['a'])
      expect(store.listDocs('models')).toEqual([
        ['google', { b: 1 }],
        ['groq', ['a']],
      ])
      store.deleteDoc('models', 'groq')
      expect(store.getDoc('models', 'groq')).toBeUndefined()
      expect(store.getDoc('tokens', 'groq')).toBe('another')
    })

    test('hold null and every other JSON value, under any name', () => {
      const store = fresh()
      fc.assert(
        fc.property(wellFormed, wellFormed, fc.jsonValue(), (collection, key, value) => {
          // JSON knows no -0; a document is what its JSON says.
          const json = JSON.parse(JSON.stringify(value))
          store.setDoc(collection, key, json)
          expect(store.getDoc(collection, key)).toEqual(json)
          expect(store.listDocs(collection)).toContainEqual([key, json])
        }),
        { numRuns: 60 },
      )
      store.setDoc('__proto__', '__proto__', { polluted: true })
      expect(store.getDoc('__proto__', '__proto__')).toEqual({ polluted: true })
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    })

    test('are nobody else’s objects', () => {
      const store = fresh()
      const value = { list: [1] }
      store.setDoc('settings', 'a', value)
      value.list.push(2)
      expect(store.getDoc('settings', 'a')).toEqual({ list: [1] })
    })

    test('are read, changed and written in one step', () => {
      const store = fresh()
      const add = (value: unknown) => (typeof value === 'number' ? value : 0) + 1
      expect(store.updateDoc('settings', 'n', add)).toBe(1)
      expect(store.updateDoc('settings', 'n', add)).toBe(2)
      expect(store.updateDoc('settings', 'n', () => undefined)).toBeUndefined()
      expect(store.getDoc('settings', 'n')).toBeUndefined()
    })

    test('stay as they were when the change throws, and the error is the caller’s own', () => {
      const store = fresh()
      store.setDoc('settings', 'n', 1)
      const refuse = () => {
        throw new TypeError('no')
      }
      expect(() => store.updateDoc('settings', 'n', refuse)).toThrow(TypeError)
      expect(store.getDoc('settings', 'n')).toBe(1)
      expect(store.health().state).toBe('ok')
    })
  })

  describe(`${name}: counters`, () => {
    test('add up and go back', () => {
      const store = fresh()
      expect(store.counter('spent')).toBe(0)
      expect(store.addToCounter('spent', 5)).toEqual({ granted: true, value: 5 })
      expect(store.addToCounter('spent', -2)).toEqual({ granted: true, value: 3 })
      store.deleteCounter('spent')
      expect(store.counter('spent')).toBe(0)
    })

    test('refuse what would be above the limit, also as the first addition, and stay unchanged', () => {
      const store = fresh()
      expect(store.addToCounter('spent', 11, 10)).toEqual({ granted: false, value: 0 })
      expect(store.addToCounter('spent', 10, 10)).toEqual({ granted: true, value: 10 })
      expect(store.addToCounter('spent', 1, 10)).toEqual({ granted: false, value: 10 })
      expect(store.addToCounter('spent', 1)).toEqual({ granted: true, value: 11 })
      expect(store.addToCounter('spent', Number.NaN)).toEqual({ granted: false, value: 11 })
    })

    test('are never above the limit, whatever is added in whatever order', () => {
      const store = fresh()
      let run = 0
      fc.assert(
        fc.property(fc.array(fc.integer({ min: -50, max: 100 }), { maxLength: 30 }), (amounts) => {
          const name = `run-${run++}`
          let expected = 0
          for (const amount of amounts) {
            const fits = expected + amount <= 200
            if (fits) expected += amount
            expect(store.addToCounter(name, amount, 200)).toEqual({ granted: fits, value: expected })
          }
          expect(store.counter(name)).toBe(expected)
        }),
        { numRuns: 50 },
      )
    })

    test('keep integers exactly up to 2^53 and are listed by prefix and name', () => {
      const store = fresh()
      store.addToCounter('lease:b', Number.MAX_SAFE_INTEGER - 1)
      store.addToCounter('lease:b', 1)
      store.addToCounter('lease:a', 1)
      store.addToCounter('leasf', 1)
      store.addToCounter('leas%:', 1)
      expect(store.listCounters('lease:')).toEqual([
        ['lease:a', 1],
        ['lease:b', Number.MAX_SAFE_INTEGER],
      ])
      expect(store.listCounters('')).toHaveLength(4)
    })
  })

  describe(`${name}: the ledger`, () => {
    test('gives attempts newest first, and only attempts', () => {
      const store = fresh()
      for (let index = 0; index < 4; index++) store.append(attemptEvent({ number: index }))
      store.append(liftEvent())
      expect(numbers(store.attempts({}))).toEqual([3, 2, 1, 0])
      expect(numbers(store.attempts({ limit: 2 }))).toEqual([3, 2])
      expect(numbers(store.attempts({ limit: 2, order: 'oldest' }))).toEqual([0, 1])
    })

    test('gives the ratings of one request, in the order in which they came, also when attempts are pruned', () => {
      const store = fresh()
      const rating = { requestId: 'r2', rater: 'token:x', raterName: 'app', shared: true } as const
      const first = qualityEvent(rating)
      const second = qualityEvent({ ...rating, turn: 2, replaces: { at: TEN, score: 0.9, shared: true } })
      const others = [attemptEvent({ requestId: 'r2' }), qualityEvent({ requestId: 'r1' }), qualityEvent()]
      for (const event of [first, ...others, second]) store.append(event)
      expect(store.ratings('r2')).toMatchObject([first, second])
      expect(store.attempts({ requestId: 'r2' })).toHaveLength(1)
      store.prune(Number.POSITIVE_INFINITY)
      expect(store.ratings('r2')).toMatchObject([first, second])
      expect(store.ratings('r3')).toEqual([])
    })

    test('filters by everything a filter can name', () => {
      const store = fresh()
      const other = targetRef({ provider: 'google', model: 'gemini', fingerprint: 'ff' })
      store.append(attemptEvent({ number: 1 }))
      store.append(
        attemptEvent({
          number: 2,
          at: TEN + HOUR,
          target: other,
          token: 'app',
          labels: { 'te."am': 'a', team: 'b' },
          requestId: 'r2',
          source: 'test',
        }),
      )
      const filters = [
        { since: TEN + 1 },
        { provider: 'google' },
        { model: 'gemini' },
        { fingerprint: 'ff' },
        { account: 'google@ff' },
        { token: 'app' },
        { label: { key: 'te."am', value: 'a' } },
        { requestId: 'r2' },
        { source: 'test' as const },
        { provider: 'google', label: { key: 'team', value: 'b' }, until: TEN + HOUR + 1 },
      ]
      for (const filter of filters) {
        expect(numbers(store.attempts(filter)), JSON.stringify(filter)).toEqual([2])
        expect(store.sums(filter, [])[0]?.attempts, JSON.stringify(filter)).toBe(1)
      }
      expect(numbers(store.attempts({ until: TEN + HOUR }))).toEqual([1])
      expect(store.attempts({ provider: 'google', token: 'other' })).toEqual([])
      expect(store.sums({ label: { key: 'toString', value: '' } }, [])).toEqual([])
    })

    test('keeps what is known of a cost that is unknown, and the parts of a usage', () => {
      const store = fresh()
      const usage: Usage = {
        inputTokens: 10,
        outputTokens: 4,
        totalTokens: 14,
        estimated: false,
        parts: { input: { audio: 6 }, serverTools: { web_search: 2 }, serviceTier: 'priority' },
      }
      const known = attemptEvent({ costNanoUsd: 100 })
      const partly = attemptEvent({
        usage,
        priceSource: 'list 2',
        costNanoUsd: null,
        costRange: { atLeast: 30, atMost: 90 },
      })
      for (const event of [known, partly]) store.append(event)
      expect(store.attempts({}).map(({ usage: kept, costRange }) => [kept?.parts, costRange])).toEqual([
        [usage.parts, { atLeast: 30, atMost: 90 }],
        [undefined, undefined],
      ])
      expect(store.sums({}, ['tier'])).toMatchObject([
        { group: [''], costNanoUsd: 100 },
        { group: ['priority'], costNanoUsd: 30, unpriced: 1 },
      ])
      expect(store.sums({}, ['price'])).toMatchObject([
        { group: ['config'], costNanoUsd: 100 },
        { group: ['list 2'], costNanoUsd: 30 },
      ])
      expect(store.sums({}, ['session', 'provider'])).toMatchObject([
        { group: [known.session ?? '', 'groq'], attempts: 2 },
      ])
      // By rows and by hours.
      for (const filter of [{}, { since: TEN - 1, until: TEN + HOUR / 2 }])
        expect(store.sums(filter, [])).toMatchObject([{ costNanoUsd: 130, unpriced: 1, unsureNanoUsd: 60 }])
    })

    test('gives what was consumed in the order in which attempts began', () => {
      const store = fresh()
      const parts = { serviceTier: 'flex', cacheWrite1hTokens: 2 }
      const usage: Usage = { inputTokens: 10, outputTokens: 4, totalTokens: 14, cachedInputTokens: 4, estimated: false }
      const long = attemptEvent({ startedAt: TEN, at: TEN + 9_000, usage: { ...usage, parts }, labels: { team: 'a' } })
      const short = attemptEvent({ startedAt: TEN + 1_000, at: TEN + 2_000, session: null, token: 'app' })
      const early = attemptEvent({ startedAt: TEN - 9_000, at: TEN - 8_000, costNanoUsd: null })
      for (const event of [early, failedAttempt(), short, long]) store.append(event)
      const rowOf = ({
        at,
        startedAt,
        source,
        target,
        costNanoUsd,
        session,
        token,
        labels,
        usage: used,
      }: AttemptEvent) =>
        expect.objectContaining({ at, startedAt, source, target, costNanoUsd, session, token, labels, usage: used })
      expect(store.usages({})).toEqual([early, long, short].map(rowOf))
      expect(store.usages({ since: TEN })).toEqual([long, short].map(rowOf))
      expect(store.usages({ limit: 2 })).toEqual([long, short].map(rowOf))
      expect(store.usages({ token: 'app' })).toEqual([short].map(rowOf))
      expect(store.usages({ label: { key: 'team', value: 'a' } })).toEqual([long].map(rowOf))
    })

    test('sums tokens, money and time by group, in order', () => {
      const store = fresh()
      store.append(attemptEvent({ costNanoUsd: null }))
      store.append(attemptEvent({ at: TEN + 24 * HOUR }))
      store.append(failedAttempt({ target: targetRef({ provider: 'google' }) }))
      const cached: Usage = {
        inputTokens: 10,
        outputTokens: 1,
        totalTokens: 11,
        cachedInputTokens: 4,
        estimated: false,
      }
      store.append(attemptEvent({ usage: cached, costNanoUsd: 7 }))
      expect(store.sums({}, ['provider', 'day'])).toEqual([
        { ...ZERO, group: ['google', '2026-11-23'], attempts: 1, totalLatencyMs: 1_000 },
        {
          group: ['groq', '2026-11-23'],
          attempts: 2,
          successes: 2,
          inputTokens: 110,
          outputTokens: 21,
          cachedInputTokens: 4,
          costNanoUsd: 7,
          unpriced: 1,
          unsureNanoUsd: 0,
          totalLatencyMs: 2_000,
        },
        {
          ...ZERO,
          group: ['groq', '2026-11-24'],
          attempts: 1,
          successes: 1,
          inputTokens: 100,
          outputTokens: 20,
          costNanoUsd: 5_000,
          totalLatencyMs: 1_000,
        },
      ])
    })

    test('groups by hour, key, account, token, source and label', () => {
      const store = fresh()
      store.append(attemptEvent({ at: TEN + 59 * 60_000, labels: { team: 'blue' }, token: 'app' }))
      store.append(attemptEvent({ at: TEN + HOUR, source: 'probe' }))
      const groups = (by: Parameters<Store['sums']>[1]) => store.sums({}, by).map((sum) => sum.group)
      expect(groups(['hour'])).toEqual([['2026-11-23T10:00Z'], ['2026-11-23T11:00Z']])
      expect(groups(['key', 'account'])).toEqual([['0123456789abcdef', 'groq@0123456789abcdef']])
      expect(groups(['target'])).toEqual([['groq/openai/gpt-oss-120b@0123456789abcdef']])
      expect(groups(['token'])).toEqual([[''], ['app']])
      expect(groups(['source'])).toEqual([['live'], ['probe']])
      expect(groups([{ label: 'team' }])).toEqual([[''], ['blue']])
      expect(groups([])).toEqual([[]])
    })

    test('sums of any span are the sums of its attempts', () => {
      const store = fresh()
      const times = fc.integer({ min: TEN, max: TEN + 5 * HOUR })
      fc.assert(
        fc.property(fc.array(times, { maxLength: 8 }), times, times, (ats, since, until) => {
          for (const at of ats) store.append(attemptEvent({ at }))
          const meant = store.attempts({ since, until }).length
          expect(store.sums({ since, until }, [])[0]?.attempts ?? 0).toBe(meant)
        }),
        { numRuns: 60 },
      )
    })

    test('prune() deletes old attempts; hourly sums and other events stay, and no place is given twice', () => {
      const store = fresh()
      store.append(qualityEvent())
      store.append(attemptEvent({ at: TEN }))
      store.append(attemptEvent({ at: TEN + 2 * HOUR }))
      const last = store.lastSeq()
      expect(store.prune(TEN + HOUR)).toBe(1)
      expect(store.attempts({})).toHaveLength(1)
      expect(store.prune(TEN + 9 * HOUR)).toBe(1)
      expect(store.prune(TEN + 9 * HOUR)).toBe(0)
      expect(store.attempts({})).toEqual([])
      expect(store.read(0).map((event) => event.kind)).toEqual(['quality'])
      expect(store.sums({}, ['hour']).map((sum) => [sum.group[0], sum.attempts])).toEqual([
        ['2026-11-23T10:00Z', 1],
        ['2026-11-23T12:00Z', 1],
      ])
      store.prune(TEN, TEN + HOUR)
      expect(store.sums({}, ['hour']).map((sum) => sum.group[0])).toEqual(['2026-11-23T12:00Z'])
      expect(store.lastSeq()).toBe(last)
      store.append(attemptEvent())
      expect(store.lastSeq()).toBe(last + 1)
      expect(store.read(last)).toHaveLength(1)
    })

    test('survives numbers that no honest upstream reports', () => {
      const store = fresh()
      const usage = { inputTokens: 2 ** 62, outputTokens: Number.MAX_VALUE, totalTokens: 1, estimated: false }
      store.append(attemptEvent({ usage, at: 8.7e15 }))
      store.append(attemptEvent({ latencyMs: Number.NaN }))
      expect(store.read(0)).toHaveLength(2)
      expect(store.sums({}, ['provider', 'hour', 'day'])).toHaveLength(2)
      expect(store.health().state).toBe('ok')
    })
  })

  test(`${name}: closing twice is fine, and what comes after is ignored`, async () => {
    const store = fresh()
    store.append(attemptEvent())
    await store.close()
    await store.close()
    store.append(attemptEvent())
    store.flushNow()
    await store.flushed()
  })
}

const ZERO = {
  successes: 0,
  inputTokens: 0,
  outputTokens: 0,
  cachedInputTokens: 0,
  costNanoUsd: 0,
  unpriced: 0,
  unsureNanoUsd: 0,
}

function withoutSeq(events: readonly StoredEvent[]): unknown[] {
  return events.map(({ seq: _seq, ...event }) => event)
}

function numbers(events: readonly StoreEvent[]): unknown[] {
  return events.map((event) => event.kind === 'attempt' && event.number)
}

// Texts as they can be stored: no lone surrogates, which UTF-8 cannot write.
const wellFormed = fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => text.isWellFormed())
const whole = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const milliseconds = fc.oneof(fc.nat(100_000), fc.double({ min: 0.001, max: 1e6, noNaN: true }))
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })

const anyTarget: fc.Arbitrary<TargetRef> = fc.record({
  stateId: wellFormed,
  provider: wellFormed,
  model: wellFormed,
  fingerprint: wellFormed,
  keyIndex: fc.integer({ min: 1, max: 99 }),
  account: wellFormed,
})

const anyUsage: fc.Arbitrary<Usage> = fc
  .record({
    inputTokens: whole,
    outputTokens: whole,
    totalTokens: whole,
    cachedInputTokens: optional(whole),
    cacheWriteTokens: optional(whole),
    reasoningTokens: optional(whole),
    estimated: fc.boolean(),
    reportedCostUsd: optional(fc.double({ min: 0.001, max: 10, noNaN: true })),
  })
  .map((usage) => usage)

const anyFailure: fc.Arbitrary<Failure> = fc.oneof(
  fc.record({ kind: fc.constant('overloaded' as const), status: orNull(fc.nat(599)), message: wellFormed }),
  fc.record({
    kind: fc.constant('timeout' as const),
    status: fc.constant(null),
    message: wellFormed,
    phase: fc.constantFrom('connect', 'first-token', 'idle', 'total'),
    afterMs: fc.nat(),
  }),
)

export const anyAttempt: fc.Arbitrary<AttemptEvent> = fc.record({
  kind: fc.constant('attempt' as const),
  at: whole,
  origin: wellFormed,
  id: wellFormed,
  requestId: wellFormed,
  number: fc.nat(9),
  source: fc.constantFrom('live', 'test', 'probe'),
  target: anyTarget,
  startedAt: whole,
  latencyMs: milliseconds,
  firstTokenMs: orNull(milliseconds),
  streamed: fc.boolean(),
  ok: fc.boolean(),
  failure: orNull(anyFailure),
  notCharged: optional(fc.boolean()),
  known: optional(fc.constantFrom('expected', 'repeated')),
  tokenId: optional(fc.string({ minLength: 1 })),
  usage: orNull(anyUsage),
  costNanoUsd: orNull(whole),
  priceSource: orNull(wellFormed),
  limits: fc.array(
    fc.record({
      unit: fc.constantFrom('requests', 'tokens'),
      window: fc.constantFrom('minute', 'day'),
      scope: fc.constantFrom('model', 'account'),
      limit: orNull(whole),
      remaining: orNull(whole),
      resetsAt: orNull(whole),
      source: fc.constantFrom('header', 'body'),
    }),
    { maxLength: 2 },
  ),
  task: orNull(wellFormed),
  session: orNull(wellFormed),
  token: orNull(wellFormed),
  labels: fc.dictionary(wellFormed, wellFormed, { maxKeys: 2, noNullPrototype: true }),
})

const anyEvent: fc.Arbitrary<StoreEvent> = fc.oneof(
  { weight: 3, arbitrary: anyAttempt },
  fc
    .record({ score: fc.double({ min: 0.01, max: 1, noNaN: true }), target: anyTarget })
    .map((part) => qualityEvent(part)),
  fc.record({ target: orNull(anyTarget) }).map((part) => liftEvent(part)),
  fc.record({ target: anyTarget, quality: orNull(fc.constant(0.5)) }).map((part) => importEvent(part)),
)
