import { describe, expect, test } from 'vitest'
import { makeFailure, makeImport, makeQuality, makeSuccess, makeTarget } from '../../test/support/makeEvents.ts'
import { makeRoutingRequest } from '../../test/support/makeRoutingRequest.ts'
import type { Target } from '../domain/target.ts'
import { Router, type RoutingRequest } from './choose.ts'
import type { Ineligible } from './eligible.ts'
import { ROUTING, type RoutingSettings } from './settings.ts'

const MINUTE = 60_000
const NOW = Date.UTC(2026, 10, 23, 12)
const NOBODY = () => false
const PARKED: Ineligible = { code: 'parked', reason: 'blocked: 429 until 08:00 UTC', until: NOW + MINUTE }

const fast = makeTarget({ provider: 'groq', model: 'fast' })
const slow = makeTarget({ provider: 'google', model: 'slow' })
const shaky = makeTarget({ provider: 'openrouter', model: 'shaky' })
const trio = [fast, slow, shaky]

const request = (facts: Partial<RoutingRequest> = {}) =>
  makeRoutingRequest({ id: 'request-1', inputTokens: 1000, ...facts })

function makeRouter(targets: readonly Target[], settings: Partial<RoutingSettings> = {}): Router {
  const router = new Router({ settings: { ...ROUTING, ...settings }, random: () => 0.42 })
  router.setTargets(targets)
  return router
}

/** Fast answers in 500 ms, slow in 2.5 s, shaky in 400 ms but only every other time. */
function seasoned(settings: Partial<RoutingSettings> = {}): Router {
  const router = makeRouter(trio, settings)
  for (let number = 0; number < 60; number++) {
    const at = NOW - 60_000 + number * 500
    router.fold(makeSuccess(fast, at, { latencyMs: 500 }))
    router.fold(makeSuccess(slow, at, { latencyMs: 2500 }))
    router.fold(number % 2 ? makeFailure(shaky, at) : makeSuccess(shaky, at, { latencyMs: 400 }))
  }
  return router
}

function firsts(router: Router, count: number, facts: Partial<RoutingRequest> = {}): readonly string[] {
  return Array.from(
    { length: count },
    (_, number) => router.decide(request({ id: `r${number}`, ...facts }), NOW).first?.model ?? 'none',
  )
}

describe('decide()', () => {
  test('takes the best target, then the next best, then nothing', () => {
    const decision = seasoned().decide(request({ mayExplore: false }), NOW)
    expect(decision.first).toBe(fast)
    expect(decision.next(NOBODY)).toBe(slow)
    expect(decision.next(NOBODY)).toBe(shaky)
    expect(decision.next(NOBODY)).toBeNull()
  })

  test('chooses nothing when there are no targets or none is eligible', () => {
    expect(makeRouter([]).decide(request(), NOW).first).toBeNull()
    expect(seasoned().decide(request({ ineligible: () => PARKED }), NOW).first).toBeNull()
  })

  test('skips ineligible targets and checks each target at most once', () => {
    const asked = new Map<string, number>()
    const decision = seasoned().decide(
      request({
        ineligible: (target) => {
          asked.set(target.id, (asked.get(target.id) ?? 0) + 1)
          return target === fast ? PARKED : null
        },
      }),
      NOW,
    )
    expect(decision.first).toBe(slow)
    expect(Math.max(...asked.values())).toBe(1)
  })

  test('next() skips what the caller excludes and notices what became ineligible meanwhile', () => {
    const out = new Set<string>()
    const decision = seasoned().decide(
      request({ mayExplore: false, ineligible: (target) => (out.has(target.id) ? PARKED : null) }),
      NOW,
    )
    out.add(slow.id)
    expect(decision.next(NOBODY)).toBe(shaky)
    expect(
      seasoned()
        .decide(request(), NOW)
        .next((target) => target.provider === 'google'),
    ).toBe(shaky)
  })

  test('a target that disappears while it is tried is not returned again', () => {
    const router = seasoned()
    const decision = router.decide(request({ mayExplore: false }), NOW)
    router.setTargets([shaky])
    router.fold(makeSuccess(fast, NOW))
    expect(decision.next(NOBODY)).toBe(shaky)
    expect(decision.next(NOBODY)).toBeNull()
  })

  test('what was learned about a target is kept while it is gone', () => {
    const router = seasoned()
    router.setTargets([slow, shaky])
    router.setTargets(trio)
    expect(router.decide(request({ mayExplore: false }), NOW).first).toBe(fast)
  })

  test('leaves a target that starts to fail, without waiting for the answers of others', () => {
    const router = seasoned()
    for (let number = 0; number < 12; number++) router.fold(makeFailure(fast, NOW))
    expect(firsts(router, 20, { mayExplore: false })).toEqual(Array(20).fill('slow'))
  })
})

describe('long and short answers', () => {
  test('a target that gets the long answers does not look slow', () => {
    const router = makeRouter([fast, slow])
    const answered = (target: Target, tokens: number, perToken: number) =>
      makeSuccess(target, NOW - MINUTE, {
        latencyMs: 300 + tokens * perToken,
        firstTokenMs: 300,
        streamed: true,
        usage: { inputTokens: 1, outputTokens: tokens, totalTokens: tokens + 1, estimated: false },
      })
    for (let number = 0; number < 30; number++) {
      router.fold(answered(fast, 3000, 5))
      router.fold(answered(slow, 30, 25))
    }
    expect(firsts(router, 5, { mayExplore: false, expectedOutputTokens: 2000 })).toEqual(Array(5).fill('fast'))
    expect(firsts(router, 5, { mayExplore: false, expectedOutputTokens: 30 })).toEqual(Array(5).fill('fast'))
  })

  test('expectedOutputTokens() follows the answers, separately per task, and never exceeds the caller’s limit', () => {
    const router = makeRouter(trio)
    const long = { inputTokens: 1, outputTokens: 3000, totalTokens: 3001, estimated: false }
    for (let number = 0; number < 50; number++) {
      router.fold(makeSuccess(fast, NOW, { usage: { ...long, outputTokens: 20 } }))
      router.fold(makeSuccess(fast, NOW, { usage: long, task: 'essay' }))
    }
    expect(router.expectedOutputTokens('essay', null)).toBeGreaterThan(2000)
    expect(router.expectedOutputTokens('essay', 64)).toBe(64)
    expect(router.expectedOutputTokens(null, null)).toBeLessThan(1000)
  })
})

describe('exploring', () => {
  test('is bounded: at most one request in fifty, plus the initial tokens', () => {
    const router = seasoned()
    const explored = Array.from(
      { length: 1000 },
      (_, number) => router.decide(request({ id: `r${number}` }), NOW).explored,
    )
    expect(explored.filter(Boolean).length).toBeLessThanOrEqual(25)
  })

  test('a new target is tried soon, without spending a token', () => {
    const router = makeRouter([slow])
    for (let number = 0; number < 50; number++) router.fold(makeSuccess(slow, NOW - MINUTE, { latencyMs: 2500 }))
    router.setTargets([slow, fast])
    expect(firsts(router, 40)).toContain('fast')
  })

  test('never happens later in a conversation or when it is disabled', () => {
    const fresh = () => makeRouter(Array.from({ length: 20 }, (_, number) => makeTarget({ model: `m${number}` })))
    for (const facts of [{ firstTurn: false }, { mayExplore: false }])
      expect(new Set(firsts(fresh(), 50, facts)).size).toBe(1)
    const off = seasoned({ exploration: 0 })
    expect(Array.from({ length: 200 }, (_, i) => off.decide(request({ id: `${i}` }), NOW).explored)).not.toContain(true)
  })

  test('draws depend only on the state, the seed and the request', () => {
    const many = Array.from({ length: 30 }, (_, number) => makeTarget({ model: `m${number}` }))
    expect(firsts(makeRouter(many), 100)).toEqual(firsts(makeRouter(many), 100))
    expect(new Set(firsts(makeRouter(many), 100)).size).toBeGreaterThan(3)
  })
})

describe('conversations', () => {
  const later = { firstTurn: false, session: { stateId: slow.stateId } }

  test('stay on their target although another is better now', () => {
    expect(seasoned().decide(request(later), NOW).first).toBe(slow)
  })

  test('leave a target that is parked, gone, or fails more often than not', () => {
    const parked = request({ ...later, ineligible: (target) => (target === slow ? PARKED : null) })
    expect(seasoned().decide(parked, NOW).first).toBe(fast)
    const gone = seasoned()
    gone.setTargets([fast, shaky])
    expect(gone.decide(request(later), NOW).first).toBe(fast)
    const failing = seasoned()
    for (let number = 0; number < 100; number++) failing.fold(makeFailure(slow, NOW))
    expect(failing.decide(request(later), NOW).first).toBe(fast)
  })
})

describe('money', () => {
  const priced = (provider: string, price: { input: number; output: number } | null, free = false) =>
    makeTarget({ provider, profile: { price, free } })
  const dear = priced('a-dear', { input: 5, output: 15 })
  const cheap = priced('b-cheap', { input: 0.1, output: 0.4 })
  const unknown = priced('c-unknown', null)
  const free = priced('d-free', null, true)

  for (const { name, targets, expected } of [
    { name: 'the cheaper of two', targets: [dear, cheap], expected: cheap },
    { name: 'a known price before an unknown one', targets: [unknown, dear], expected: dear },
    { name: 'what costs nothing before all', targets: [dear, unknown, cheap, free], expected: free },
  ])
    test(`chooses ${name} among equals`, () => {
      expect(makeRouter(targets).decide(request({ mayExplore: false }), NOW).first).toBe(expected)
    })

  test('pays more for a clearly better target', () => {
    const router = makeRouter([dear, cheap])
    for (let number = 0; number < 30; number++) {
      router.fold(makeQuality(dear, NOW, 0.95))
      router.fold(makeQuality(cheap, NOW, 0.5))
    }
    expect(router.decide(request({ mayExplore: false }), NOW).first).toBe(dear)
    expect(router.decide(request({ mayExplore: false, profile: 'cheap' }), NOW).first).toBe(cheap)
  })

  test('budget pressure on a provider moves requests away from it', () => {
    const router = makeRouter([dear, cheap], { costMargin: 0 })
    for (let number = 0; number < 30; number++) router.fold(makeQuality(dear, NOW, 0.95))
    expect(router.decide(request({ mayExplore: false }), NOW).first).toBe(dear)
    router.setPressure(new Map([['a-dear', 0.5]]))
    expect(router.decide(request({ mayExplore: false }), NOW).first).toBe(cheap)
    router.setPressure(new Map())
    expect(router.decide(request({ mayExplore: false }), NOW).first).toBe(dear)
  })

  test('the key with the larger weight goes first among equals', () => {
    const light = makeTarget({ keyIndex: 1 })
    const heavy = makeTarget({ keyIndex: 2, profile: { weight: 2 } })
    expect(makeRouter([light, heavy]).decide(request({ mayExplore: false }), NOW).first).toBe(heavy)
  })

  test.each(
    (['learned', 'score', 'round-robin'] as const).flatMap((strategy) =>
      [
        [1, 1],
        [1, 3],
        [3, 1],
        [0.002, 0.006],
        [0.5, 1000],
      ].map(([one = 1, other = 1]) => ({ strategy, one, other })),
    ),
  )('$strategy: keys with the weights $one and $other share the calls like these', ({ strategy, one, other }) => {
    const keys = [one, other].map((weight, index) => makeTarget({ keyIndex: index + 1, profile: { weight } }))
    const router = makeRouter(keys, { strategy })
    const calls = new Map(keys.map((key) => [key, 0]))
    for (let number = 0; number < 400; number++) {
      const asked = request({ id: `r${number}`, firstTurn: number > 40, load: (target) => calls.get(target)! })
      const { first } = router.decide(asked, NOW + number)
      calls.set(first!, calls.get(first!)! + 1)
      router.fold(makeSuccess(first!, NOW + number))
    }
    expect(calls.get(keys[0]!)! / 400).toBeCloseTo(one / (one + other), 1)
  })
})

describe('tasks', () => {
  test('a model that is bad at one kind of work is avoided for that work only', () => {
    const router = makeRouter([fast, slow])
    for (let number = 0; number < 30; number++) {
      router.fold(makeSuccess(fast, NOW - MINUTE, { latencyMs: 900 }))
      router.fold(makeSuccess(slow, NOW - MINUTE, { latencyMs: 1100 }))
      router.fold(makeQuality(fast, NOW - MINUTE, 0.9))
      router.fold(makeQuality(slow, NOW - MINUTE, 0.8))
    }
    for (let number = 0; number < 6; number++) router.fold(makeQuality(fast, NOW - MINUTE, 0, { task: 'tools' }))
    for (let number = 0; number < 30; number++) router.fold(makeQuality(fast, NOW - MINUTE, 0.9))
    expect(router.decide(request({ mayExplore: false, task: 'tools' }), NOW).first).toBe(slow)
    expect(router.decide(request({ mayExplore: false, task: 'chat' }), NOW).first).toBe(fast)
  })
})

describe('strategies', () => {
  test('round-robin alternates and continues where it stopped', () => {
    const router = seasoned({ strategy: 'round-robin' })
    expect(firsts(router, 4)).toEqual(['fast', 'slow', 'shaky', 'fast'])
    expect(router.decide(request(), NOW).next(NOBODY)).toBe(shaky)
  })

  test('priority follows the given order, otherwise that of the configuration', () => {
    const router = seasoned({ strategy: 'priority' })
    expect(router.decide(request(), NOW).first).toBe(fast)
    const decision = router.decide(request({ order: [shaky.stateId, 'gone', fast.stateId] }), NOW)
    expect([decision.first, decision.next(NOBODY), decision.next(NOBODY)]).toEqual([shaky, fast, slow])
  })

  test('score tries each new target, then stays with the best score', () => {
    const router = makeRouter(trio, { strategy: 'score' })
    expect(new Set(firsts(router, 3))).toEqual(new Set(['fast', 'slow', 'shaky']))
    for (let time = 0; time < 3; time++)
      for (const target of trio) router.fold(makeSuccess(target, NOW, { latencyMs: target === slow ? 500 : 900 }))
    expect(firsts(router, 3)).toEqual(['slow', 'slow', 'slow'])
  })

  test('score prefers the other provider on the day after a limit', () => {
    const router = makeRouter([fast, slow], { strategy: 'score' })
    for (let number = 0; number < 60; number++) {
      router.fold(makeSuccess(fast, NOW - number * MINUTE, { latencyMs: 1200 }))
      router.fold(makeSuccess(slow, NOW - number * MINUTE, { latencyMs: 1500 }))
    }
    expect(router.decide(request(), NOW).first).toBe(fast)
    for (let number = 0; number < 30; number++) router.fold(makeFailure(fast, NOW + 8 * 60 * MINUTE, 'quota_day'))
    router.fold(makeSuccess(slow, NOW + 20 * 60 * MINUTE, { latencyMs: 1500 }))
    expect(router.decide(request(), NOW + 24 * 60 * MINUTE).first).toBe(slow)
  })

  test('score-original reproduces the order of an imported statistics file, unreliable rows last', () => {
    const router = makeRouter(trio, { strategy: 'score-original' })
    const week = { lastSuccessAt: NOW - 60 * MINUTE, averageLatencyMs: 1000 }
    router.fold(makeImport(fast, NOW, { ...week, successes: 3, failures: 9 }))
    router.fold(makeImport(slow, NOW, { ...week, successes: 8, failures: 4, averageLatencyMs: 6000 }))
    router.fold(makeImport(shaky, NOW, { ...week, successes: 10, failures: 2, averageLatencyMs: 9000 }))
    const decision = router.decide(request(), NOW)
    expect([decision.first, decision.next(NOBODY), decision.next(NOBODY)]).toEqual([slow, shaky, fast])
  })

  test('user weights change the choice', () => {
    const router = makeRouter([fast, slow], { weights: { reliability: 0.4, speed: 0, quality: 0.9, recency: 0 } })
    for (let number = 0; number < 30; number++) {
      router.fold(makeSuccess(fast, NOW, { latencyMs: 300 }))
      router.fold(makeSuccess(slow, NOW, { latencyMs: 9000 }))
      router.fold(makeQuality(slow, NOW, 0.95))
    }
    expect(router.decide(request({ mayExplore: false }), NOW).first).toBe(slow)
    router.setSettings(ROUTING)
    expect(router.decide(request({ mayExplore: false }), NOW).first).toBe(fast)
  })
})

describe('a restart', () => {
  test('the number of decisions within a second changes no estimate', () => {
    const [asked, quiet] = [seasoned(), seasoned()]
    for (let number = 0; number < 9; number++) asked.decide(request({ mayExplore: false }), NOW + 100 * number)
    const values = (router: Router) => router.rank(request(), NOW + 950).map(({ value }) => value)
    expect(values(asked)).toEqual(values(quiet))
  })

  test('continues the same sequence of decisions', () => {
    const many = Array.from({ length: 30 }, (_, number) =>
      makeTarget({ provider: `p${number % 5}`, model: `m${number}` }),
    )
    const before = makeRouter(many)
    firsts(before, 57)
    for (const [number, target] of many.entries())
      for (let time = 0; time < 3; time++)
        before.fold(makeSuccess(target, NOW - number, { latencyMs: 400 + 70 * number }))
    const after = new Router({ settings: ROUTING, random: () => 0.999 })
    after.setTargets(many)
    after.fromJson(JSON.parse(JSON.stringify(before.toJson())))
    expect(firsts(after, 200)).toEqual(firsts(before, 200))
  })

  for (const json of [
    null,
    [],
    'x',
    { tokens: 'many', turns: -3, seed: 1e99, knowledge: { version: 1, targets: [[1]] } },
  ])
    test(`survives the snapshot ${JSON.stringify(json)}`, () => {
      const router = seasoned()
      router.fromJson(json)
      expect(trio).toContain(router.decide(request(), NOW).first)
    })

  test('merge() adds what another process learned', () => {
    const mine = makeRouter(trio)
    mine.merge(seasoned().toJson())
    expect(mine.decide(request({ mayExplore: false }), NOW).first).toBe(fast)
  })
})

test('deciding among ten thousand targets checks the eligibility of few', () => {
  const many = Array.from({ length: 10_000 }, (_, number) =>
    makeTarget({ provider: `p${number % 50}`, model: `m${number}` }),
  )
  const router = makeRouter(many)
  for (const [number, target] of many.entries()) router.fold(makeSuccess(target, NOW, { latencyMs: 200 + number }))
  let asked = 0
  const decision = router.decide(
    request({
      ineligible: () => {
        asked++
        return null
      },
    }),
    NOW,
  )
  expect(decision.first).not.toBeNull()
  expect(asked).toBeLessThan(200)
})
