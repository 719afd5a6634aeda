import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeFailure, makeImport, makeSuccess, makeTarget } from '../../test/support/makeEvents.ts'
import { makeRoutingRequest } from '../../test/support/makeRoutingRequest.ts'
import type { AttemptEvent } from '../domain/store.ts'
import type { Target } from '../domain/target.ts'
import { Router, type RoutingRequest } from './choose.ts'
import type { Ineligible } from './eligible.ts'
import { CURIOSITY, ROUTING, type RoutingSettings, type Strategy } from './settings.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const STRATEGIES: readonly Strategy[] = ['learned', 'score', 'score-original', 'priority', 'round-robin']
const PARKED: Ineligible = { code: 'parked', reason: 'parked', until: null }

const old = makeTarget({ provider: 'groq', model: 'old' })
const fresh = makeTarget({ provider: 'google', model: 'fresh' })

/** A router that knows `old`: it answers in half a second, always. */
function seasoned(targets: readonly Target[] = [old, fresh], settings: Partial<RoutingSettings> = {}): Router {
  const router = new Router({ settings: { ...ROUTING, ...settings }, random: () => 0.42 })
  router.setTargets([old])
  for (let number = 0; number < 30; number++) router.fold(makeSuccess(old, NOW - 60_000, { latencyMs: 500 }))
  router.setTargets(targets)
  return router
}

const request = makeRoutingRequest

type Answering = (target: Target, number: number) => AttemptEvent | null

/** A new target is slow, so that it is not chosen for what was seen of it. */
const slowly: Answering = (target, number) =>
  makeSuccess(target, NOW + number, { latencyMs: target === old ? 500 : 9000, requestId: `r${number}` })

/** Sends requests one after another; what each called, and which pull it was. */
function send(router: Router, count: number, facts: Partial<RoutingRequest> = {}, answer = slowly, from = 0) {
  return Array.from({ length: count }, (_, offset) => {
    const number = from + offset
    const decision = router.decide(request({ id: `r${number}`, ...facts }), NOW + number)
    const { first, instead } = decision
    const { kind, pull } = decision.cause()
    if (instead !== null) expect(kind).toBe('new')
    const event = first === null ? null : answer(first, number)
    if (event !== null) router.fold(event)
    return { target: first, pull }
  })
}

/** The numbers of the requests that called the target. */
const callsOf = (target: Target, sent: ReturnType<typeof send>) =>
  sent.flatMap((one, number) => (one.target === target ? number : []))

describe('a new target beside one that is known', () => {
  for (const strategy of STRATEGIES.filter((one) => one !== 'round-robin'))
    test(`${strategy}: gets three requests, never two in a row, and says so`, () => {
      const sent = send(seasoned([old, fresh], { strategy }), 200)
      expect(callsOf(fresh, sent).slice(0, 3)).toEqual([0, 2, 4])
      expect(sent.slice(0, 5).map(({ pull }) => pull)).toEqual([1, null, 2, null, 3])
      expect(sent.filter(({ pull }) => pull !== null)).toHaveLength(3)
    })

  test('round-robin: has its tries and its turns', () => {
    const calls = callsOf(fresh, send(seasoned([old, fresh], { strategy: 'round-robin' }), 12))
    expect(calls.slice(0, 3)).toEqual([0, 2, 4])
    expect(calls.length).toBeGreaterThanOrEqual(6)
  })

  test('that is better gets the requests from then on', () => {
    const sent = send(seasoned(), 150, {}, (target, number) =>
      makeSuccess(target, NOW + number, { latencyMs: target === old ? 500 : 40, requestId: `r${number}` }),
    )
    expect(callsOf(fresh, sent.slice(-50)).length).toBeGreaterThan(40)
  })

  test('with a weight of next to nothing is tried by a weighted round-robin all the same', () => {
    const light = makeTarget({ provider: 'google', model: 'light', profile: { weight: 0.0001 } })
    expect(callsOf(light, send(seasoned([old, light], { strategy: 'round-robin' }), 12))).toHaveLength(3)
  })

  test('is named by the reason of the decision', () => {
    const decision = seasoned().decide(request(), NOW)
    expect(decision).toMatchObject({ first: fresh, explored: true, instead: { target: old } })
    expect(decision.cause()).toMatchObject({
      kind: 'new',
      instead: old.id,
      pull: 1,
      pulls: 3,
      text: `new: pull 1 of 3, instead of ${old.id}`,
    })
  })

  for (const [name, settings] of Object.entries({
    'no exploration': { exploration: 0 },
    'no free tries': { curiosity: { ...CURIOSITY, freePulls: 0 } },
  }))
    test(`is not tried where the user wants ${name}`, () => {
      for (const strategy of ['score', 'priority'] as const)
        expect(callsOf(fresh, send(seasoned([old, fresh], { strategy, ...settings }), 50))).toEqual([])
    })

  for (const [name, facts] of Object.entries({
    'must not fail': { mustNotFail: true },
    'is not the first of its conversation': { firstTurn: false },
    'has called another target before': { mayExplore: false },
    'is bound to a target': { session: { stateId: old.stateId } },
    'has no time or money for it': { mayTry: () => false },
  } satisfies Record<string, Partial<RoutingRequest>>))
    test(`is not tried by a request that ${name}`, () => {
      const router = seasoned()
      expect(callsOf(fresh, send(router, 40, facts))).toEqual([])
      expect(callsOf(fresh, send(router, 6, {}, slowly, 40))).toEqual([0, 2, 4])
    })

  test('is not called by a request that must not fail, even where it looks better or an attempt is like another', () => {
    const router = seasoned()
    for (let number = 0; number < 40; number++) router.fold(makeSuccess(old, NOW, { latencyMs: 20_000 }))
    expect(callsOf(fresh, send(router, 40, { mustNotFail: true }))).toEqual([])
  })

  test('waits while it is not eligible, and loses nothing by that', () => {
    const router = seasoned()
    const ineligible = (target: Target) => (target === fresh ? PARKED : null)
    expect(callsOf(fresh, send(router, 50, { ineligible }))).toEqual([])
    expect(callsOf(fresh, send(router, 10, {}, slowly, 50))).toEqual([0, 2, 4])
  })

  for (const kind of ['client_gone', 'bad_request', 'content_filter', 'rate_minute', 'quota_day'] as const)
    test(`gets the try back that ended as ${kind}, and is left alone for longer each time`, () => {
      const router = seasoned()
      const failing: Answering = (target, number) =>
        target === old ? slowly(old, number) : makeFailure(fresh, NOW, kind, { requestId: `r${number}` })
      const vain = callsOf(fresh, send(router, 40, {}, failing))
      expect(vain.length).toBeGreaterThan(2)
      expect(vain.length).toBeLessThan(6)
      const later = send(router, 80, {}, slowly, 40)
      expect(later.flatMap(({ pull }) => pull ?? [])).toEqual([1, 2, 3])
    })

  test('that fails has had a try', () => {
    const failing: Answering = (target, number) =>
      target === old ? slowly(old, number) : makeFailure(fresh, NOW, 'server', { requestId: `r${number}` })
    expect(send(seasoned(), 200, {}, failing).filter(({ pull }) => pull !== null)).toHaveLength(3)
  })

  test('that another target beat in a race has had a try', () => {
    const beaten: Answering = (target, number) => {
      const facts = { requestId: `r${number}`, latencyMs: 2000 }
      return target === old ? slowly(old, number) : makeFailure(fresh, NOW, 'slower', facts)
    }
    expect(send(seasoned(), 200, {}, beaten).filter(({ pull }) => pull !== null)).toHaveLength(3)
  })

  for (const [name, event] of Object.entries({
    'a test': makeSuccess(fresh, NOW, { source: 'test', latencyMs: 9000 }),
    'imported statistics': makeImport(fresh, NOW, { successes: 4, averageLatencyMs: 9000 }),
  }))
    test(`needs no tries after ${name}`, () => {
      const router = seasoned()
      router.fold(event)
      expect(send(router, 100).filter(({ pull }) => pull !== null)).toEqual([])
    })

  test('needs as many fewer as other processes have tried it', () => {
    const router = seasoned()
    for (let time = 0; time < 2; time++) router.fold(makeSuccess(fresh, NOW, { latencyMs: 9000, origin: 'other' }))
    expect(send(router, 100).flatMap(({ pull }) => pull ?? [])).toEqual([3])
  })

  test('is not tried again after a restart', () => {
    const before = seasoned()
    expect(callsOf(fresh, send(before, 3))).toEqual([0, 2])
    const after = seasoned()
    after.fromJson(JSON.parse(JSON.stringify(before.toJson())))
    expect(callsOf(fresh, send(after, 10, {}, slowly, 3))).toEqual([1])
  })

  test('with another key is another target', () => {
    const rotated = { ...fresh, stateId: `${fresh.stateId}2`, fingerprint: 'f'.repeat(16) }
    const router = seasoned()
    send(router, 10)
    router.setTargets([old, rotated])
    expect(callsOf(rotated, send(router, 10, {}, slowly, 10))).toEqual([0, 2, 4])
  })

  test('gets one of fifty requests that come at once', () => {
    expect(
      callsOf(
        fresh,
        send(seasoned(), 50, {}, () => null),
      ),
    ).toEqual([0])
  })

  test('that its request did not call after all is tried by the next one', () => {
    const router = seasoned()
    router.decide(request({ id: 'r0' }), NOW)
    router.begins('r0', old.stateId)
    expect(callsOf(fresh, send(router, 3, {}, slowly, 1))).toEqual([1])
  })

  test('is not tried before a list that the user put in order is at its place', () => {
    const order = [old.stateId, fresh.stateId]
    const ordered = seasoned([old, fresh], { strategy: 'priority' })
    expect(callsOf(fresh, send(ordered, 20, { order }))).toEqual([])
    const groups = [new Set([old.stateId]), new Set([fresh.stateId])]
    expect(callsOf(fresh, send(seasoned(), 20, { groups }))).toEqual([])
  })
})

describe('what is chosen by price or by load', () => {
  const priced = (model: string, output: number) =>
    makeTarget({ provider: 'p', model, profile: { price: { input: output, output } } })

  test('does not move to a cheaper target before its tries are over', () => {
    const [dear, cheap] = [priced('dear', 10), priced('cheap', 1)]
    const router = new Router({ settings: ROUTING, random: () => 0.42 })
    router.setTargets([dear, cheap])
    // As good as what is assumed of a new target.
    for (let number = 0; number < 9; number++) router.fold(makeSuccess(dear, NOW, { latencyMs: 2600 }))
    const sent = send(router, 5, {}, (target, number) =>
      makeSuccess(target, NOW, { latencyMs: 2600, requestId: `r${number}` }),
    )
    expect(callsOf(cheap, sent)).toEqual([0, 2, 4])
  })

  test('does not move to another key of the model before its tries are over, and shares with it then', () => {
    const [one, two] = [1, 2].map((keyIndex) => makeTarget({ keyIndex })) as [Target, Target]
    const router = new Router({ settings: ROUTING, random: () => 0.42 })
    router.setTargets([one])
    const calls = new Map([[one, 0]])
    const answer: Answering = (target, number) => {
      calls.set(target, (calls.get(target) ?? 0) + 1)
      return makeSuccess(target, NOW + number, { latencyMs: 500, requestId: `r${number}` })
    }
    const load = (target: Target) => calls.get(target) ?? 0
    send(router, 20, { load }, answer)
    router.setTargets([one, two])
    expect(callsOf(two, send(router, 5, { load }, answer, 20))).toEqual([0, 2, 4])
    send(router, 100, { load }, answer, 25)
    expect(Math.abs(calls.get(one)! - calls.get(two)!)).toBeLessThan(10)
  })
})

describe('several new targets', () => {
  const many = (count: number, provider = 'google') =>
    Array.from({ length: count }, (_, number) => makeTarget({ provider, model: `m${number}` }))

  test('take turns, at every second request', () => {
    const [one, two, three] = many(3) as [Target, Target, Target]
    const sent = send(seasoned([old, one, two, three]), 18)
    expect(sent.map(({ target }) => target)).toEqual(
      [one, two, three, one, two, three, one, two, three].flatMap((target) => [target, old]),
    )
  })

  for (const strategy of STRATEGIES)
    test(`${strategy}: all are tried where nothing else is there`, () => {
      const pool = many(4)
      const router = new Router({ settings: { ...ROUTING, strategy }, random: () => 0.42 })
      router.setTargets(pool)
      const sent = send(router, 30)
      for (const target of pool) expect(callsOf(target, sent).length).toBeGreaterThanOrEqual(3)
    })

  test('two equal ones that nobody tested share the first requests', () => {
    const [one, two] = many(2) as [Target, Target]
    const router = new Router({ settings: ROUTING, random: () => 0.42 })
    router.setTargets([one, two])
    const sent = send(router, 6)
    expect(callsOf(one, sent)).toHaveLength(3)
    for (const [number, { target }] of sent.entries()) expect(target).not.toBe(sent[number - 1]?.target)
  })

  test('those that were named come before those of a models list', () => {
    const listed = makeTarget({ provider: 'a', model: 'listed', profile: { discovered: true } })
    expect(send(seasoned([old, listed, fresh]), 1)[0]!.target).toBe(fresh)
  })

  test('a request that names one finds it among two thousand', () => {
    const pool = [old, ...many(2000)]
    const wanted = pool[1777]!
    const named = new Set([old.stateId, wanted.stateId])
    const ineligible = (target: Target) => (named.has(target.stateId) ? null : PARKED)
    expect(callsOf(wanted, send(seasoned(pool), 6, { named, ineligible }))).toEqual([0, 2, 4])
  })

  test('among ten thousand of them few are looked at for one request, and a tenth of the requests is theirs', () => {
    const router = seasoned([old, ...many(10_000)])
    let asked = 0
    let most = 0
    const ineligible = (target: Target) => {
      asked++
      return target.model.endsWith('7') ? PARKED : null
    }
    const sent = Array.from({ length: 40 }, (_, number) => {
      asked = 0
      const { first } = router.decide(request({ id: `r${number}`, ineligible }), NOW)
      most = Math.max(most, asked)
      return first
    })
    expect(sent.filter((target) => target !== old)).toHaveLength(4)
    expect(most).toBeLessThan(40)
  })
})

test('whatever comes: up to three pulls each, never two in a row, never by a request that must not fail', () => {
  const kinds = ['ok', 'server', 'client_gone', 'rate_minute', 'pending'] as const
  const asked = fc.record({
    protectedOne: fc.boolean(),
    later: fc.boolean(),
    parked: fc.integer({ min: 0, max: 63 }),
    ends: fc.constantFrom(...kinds),
    ms: fc.integer({ min: 20, max: 20_000 }),
  })
  fc.assert(
    fc.property(
      fc.constantFrom(...STRATEGIES),
      fc.integer({ min: 1, max: 5 }),
      fc.array(asked, { minLength: 10, maxLength: 60 }),
      (strategy, count, requests) => {
        const pool = Array.from({ length: count }, (_, number) => makeTarget({ provider: `p${number}`, model: 'm' }))
        const router = seasoned([old, ...pool], { strategy })
        const pulls = new Map<Target, number>()
        let before: Target | null = null
        requests.forEach(({ protectedOne, later, parked, ends, ms }, number) => {
          const id = `r${number}`
          const ineligible = (target: Target) =>
            target !== old && parked & (1 << (pool.indexOf(target) + 1)) ? PARKED : null
          const facts = { id, mustNotFail: protectedOne, firstTurn: !later, ineligible }
          const { first, instead } = router.decide(request(facts), NOW + number)
          if (first === null) throw new Error('the known target is always eligible')
          if (instead !== null) {
            expect(protectedOne || later).toBe(false)
            expect(first).not.toBe(before)
            expect(ineligible(first)).toBeNull()
          }
          if (ends !== 'pending') router.fold(eventOf(first, ends, { requestId: id, latencyMs: ms }, NOW + number))
          if (instead !== null && (ends === 'ok' || ends === 'server')) pulls.set(first, (pulls.get(first) ?? 0) + 1)
          before = first
        })
        for (const times of pulls.values()) expect(times).toBeLessThanOrEqual(3)
      },
    ),
    { numRuns: 80 },
  )
})

function eventOf(target: Target, ends: 'ok' | 'server' | 'client_gone' | 'rate_minute', facts: object, at: number) {
  return ends === 'ok' ? makeSuccess(target, at, facts) : makeFailure(target, at, ends, facts)
}
