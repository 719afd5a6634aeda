import { describe, expect, test } from 'vitest'
import { bareFailure } from '../../test/support/bareFailure.ts'
import { openLab, own } from '../../test/support/lab.ts'
import { makeFailure, makeSuccess } from '../../test/support/makeEvents.ts'
import { openTestEngine, prepare } from '../../test/support/openTestEngine.ts'
import { factOf } from '../../test/support/quotaFixtures.ts'
import { VirtualClock } from '../../test/support/virtualClock.ts'
import { AbortedError, AllTargetsFailedError, InvalidRequestError, type KeywiseError } from '../domain/errors.ts'
import type { Failure } from '../domain/failure.ts'
import type { Target } from '../domain/target.ts'
import type { FakeFault } from '../lab/fake/scenario.ts'
import { Prices } from '../money/prices.ts'
import { judge } from '../routing/judge.ts'
import type { CallEnd } from '../upstream/call.ts'
import type { GrantedHold } from './attempt/reservation.ts'
import { Trail } from './attempt/trail.ts'
import { cascade } from './cascade.ts'
import type { Engine } from './engine.ts'
import { attemptFacts, attemptReport } from './record.ts'
import type { PendingRequest } from './request/pendingRequest.ts'
import { TargetRegistry } from './targets/targetRegistry.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const key = (letter: string) => `gsk_${letter.repeat(20)}`
const FACTS = {
  alone: false,
  retried: false,
  spare: false,
  patienceMs: 0,
  confirmed: false,
  mayAnswerFiltered: false,
  random: 0,
}

/** Two models of groq and one of mistral, tried in that order. */
function open(now = () => NOW): Engine {
  const settings = { routing: { strategy: 'priority', exploration: { rate: 0 } } }
  const config = {
    groq: { api_key: key('a'), models: ['a', 'b'] },
    mistral: { api_key: key('b'), models: ['c'] },
    settings,
  }
  return openTestEngine({ config, now })
}

const one = (settings: object = {}): Engine =>
  openTestEngine({ config: { groq: { api_key: key('a'), models: ['a'] }, settings }, now: () => NOW })

function start(engine: Engine, context: object = {}) {
  const pending = prepare(engine, { prompt: 'Say hi', ...context })
  return { pending, trail: new Trail(pending) }
}

function granted(engine: Engine, target: Target, pending: PendingRequest): GrantedHold {
  const hold = engine.reserve(target, pending)
  if (!hold.granted) throw new Error(hold.why.reason)
  return hold
}

const RESPONSE = { model: 'a', content: [{ type: 'text', text: 'Hi' }], finishReason: 'stop' } as const

/** The end of a call: an answer, or what failed. */
const endOf = (failure: Failure | null): CallEnd => ({
  outcome: failure === null ? { ok: true, response: RESPONSE } : { ok: false, failure },
  usage: null,
  limits: [],
  status: failure === null ? 200 : failure.status,
  latencyMs: 10,
  firstTokenMs: null,
  hadContent: failure === null,
  raw: null,
  partial: null,
})

/** Records a call that was not made. */
function recordEnd(engine: Engine, target: Target, failure: Failure | null) {
  const { pending } = start(engine)
  const attempt = { target, startedAt: engine.now, hold: granted(engine, target, pending), price: null, number: 1 }
  return engine.recordAttempt(attemptFacts(pending, attempt, endOf(failure), 'live'))
}

/** Retries until no more are allowed at this moment; returns how many there were. */
function useUpRetries(engine: Engine): number {
  const { pending, trail } = start(engine)
  const verdict = () =>
    engine.judge({ ...bareFailure('bad_request'), status: 409 }, pending, trail, engine.registry.targets[0]!)
  for (let count = 0; count < 10_000; count++) if (verdict().next !== 'retry-once') return count
  throw new Error('retries without end')
}

function fail(trail: Trail, target: Target, failure: Failure): void {
  const event = { ...makeSuccess(target, NOW), ok: false, failure }
  trail.add(target, attemptReport(event, target.keyIndex, null), failure, judge(failure, FACTS))
}

const parkAll = (engine: Engine, kind: 'rate_minute' | 'billing', facts: Partial<Failure> = {}) => {
  for (const target of engine.registry.targets) {
    const event = makeFailure(target, engine.now, kind)
    engine.learned.record({ ...event, failure: { ...event.failure, ...facts } as Failure })
  }
}

describe('the next target', () => {
  test("is the decision's first, then the best of the rest, each once", () => {
    const engine = open()
    const { pending, trail } = start(engine)
    const decision = engine.decide(pending, trail)
    const asked: string[] = []
    for (let target = trail.nextOf(decision); target !== null; target = trail.nextOf(decision)) {
      asked.push(target.id)
      fail(trail, target, bareFailure('model_not_found'))
    }
    expect(asked).toEqual(['groq/a#1', 'groq/b#1', 'mistral/c#1'])
  })

  test('of a provider that failed twice comes last, and still comes', () => {
    const engine = open()
    const { pending, trail } = start(engine)
    const decision = engine.decide(pending, trail)
    const first = trail.nextOf(decision)!
    expect(first.id).toBe('groq/a#1')
    fail(trail, first, bareFailure('server'))
    fail(trail, { ...first, stateId: 'another of groq' }, bareFailure('server'))
    const second = trail.nextOf(decision)!
    expect(second.id).toBe('mistral/c#1')
    fail(trail, second, bareFailure('server'))
    expect(trail.nextOf(decision)?.id).toBe('groq/b#1')
    expect(trail.nextOf(decision)).toBeNull()
  })
})

describe('the last resort', () => {
  test('is the target whose guessed park ends soonest, and no second one', () => {
    const engine = open()
    const [a, b, c] = engine.registry.targets
    for (const [target, secondsAgo] of [
      [a!, 10],
      [b!, 20],
      [c!, 15],
    ] as const)
      engine.learned.record(makeFailure(target, NOW - secondsAgo * 1000, 'rate_minute'))
    const { pending, trail } = start(engine)
    expect(engine.decide(pending, trail).first).toBeNull()
    expect(engine.lastResort(pending, trail)).toBe(b)
    fail(trail, b!, bareFailure('server'))
    expect(engine.lastResort(pending, trail)).toBeNull()
  })

  test.each<{ name: string; kind: 'rate_minute' | 'billing'; facts: Partial<Failure> }>([
    {
      name: 'a wait that the upstream stated',
      kind: 'rate_minute',
      facts: { retryAfterMs: 60_000 } as Partial<Failure>,
    },
    { name: 'an empty account', kind: 'billing', facts: {} },
  ])('does not break $name', ({ kind, facts }) => {
    const engine = open()
    parkAll(engine, kind, facts)
    const { pending, trail } = start(engine)
    expect(engine.lastResort(pending, trail)).toBeNull()
  })

  test('is not a target that this request found at its limit', () => {
    const engine = open()
    parkAll(engine, 'rate_minute')
    const { pending, trail } = start(engine)
    for (const target of engine.registry.targets) fail(trail, target, bareFailure('rate_minute'))
    trail.lookAgain()
    expect(engine.lastResort(pending, trail)).toBeNull()
  })

  test('is not a target that another request is probing', () => {
    const engine = one()
    const [target] = engine.registry.targets
    engine.learned.record(makeFailure(target!, NOW - 120_000, 'rate_minute'))
    const other = start(engine).pending
    expect(granted(engine, target!, other).probe).toBe(true)
    const { pending, trail } = start(engine)
    const hold = engine.reserve(target!, pending)
    if (hold.granted) throw new Error('two probes at once')
    expect(engine.lastResort(pending, trail)).toBe(target)
    trail.pass(target!, hold, false)
    expect(engine.lastResort(pending, trail)).toBeNull()
  })

  test('breaks no park while the retry budget is used up, and needs no retry without a park', () => {
    const engine = one()
    const [target] = engine.registry.targets
    engine.learned.record(makeFailure(target!, NOW, 'rate_minute'))
    const lastResort = () => {
      const { pending, trail } = start(engine)
      return engine.lastResort(pending, trail)
    }
    expect(lastResort()).toBe(target)
    useUpRetries(engine)
    expect(lastResort()).toBeNull()
    engine.lift(target!, ['rate_minute'])
    expect(lastResort()).toBe(target)
  })
})

describe('the soonest target', () => {
  test('is the one whose wait is over first, however it ranks', () => {
    const engine = open()
    const waits = [90_000, 60_000, 30_000]
    engine.registry.targets.forEach((target, index) => {
      const event = makeFailure(target, NOW, 'rate_minute')
      const failure = { ...event.failure, retryAfterMs: waits[index] } as Failure
      engine.learned.record({ ...event, failure })
    })
    const slot = engine.soonest(start(engine).pending, null)!
    expect(slot.target.id).toBe('mistral/c#1')
    expect(slot.at).toBeGreaterThanOrEqual(NOW + 30_000)
    expect(slot.at).toBeLessThan(NOW + 60_000)
  })

  describe('behind a park that is only a guess', () => {
    const openParked = () => {
      const engine = one()
      engine.learned.record(makeFailure(engine.registry.targets[0]!, NOW, 'rate_minute'))
      return engine
    }

    test('is there at once for a running request, later for one that has not begun', () => {
      const engine = openParked()
      const { pending, trail } = start(engine)
      expect(engine.soonest(pending, trail)?.at).toBe(NOW)
      expect(engine.soonest(pending, null)?.at).toBeGreaterThan(NOW)
    })

    test('comes later for a request that met the limit itself', () => {
      const engine = openParked()
      const { pending, trail } = start(engine)
      fail(trail, engine.registry.targets[0]!, bareFailure('rate_minute'))
      trail.lookAgain()
      expect(engine.soonest(pending, trail)?.at).toBeGreaterThan(NOW)
    })

    test('comes later while too many requests try again', () => {
      const engine = openParked()
      const { pending, trail } = start(engine)
      useUpRetries(engine)
      expect(engine.soonest(pending, trail)?.at).toBeGreaterThan(NOW)
    })
  })

  test.each<{ limit: string; fact: Parameters<typeof factOf>[0]; gate: object }>([
    {
      limit: 'of requests a minute',
      fact: { limit: 30, remaining: 0, resetsAt: NOW + 20_000 },
      gate: { limit: 30, windowMs: 60_000 },
    },
    {
      limit: 'of requests a day',
      fact: { window: 'day', limit: 50, remaining: 0, resetsAt: NOW + 20_000 },
      gate: { limit: 50, windowMs: 86_400_000 },
    },
    {
      limit: 'of tokens, which says nothing of how many may go',
      fact: { unit: 'tokens', limit: 1000, remaining: 0, resetsAt: NOW + 20_000 },
      gate: {},
    },
  ])('comes with the limit $limit', ({ fact, gate }) => {
    const engine = one()
    const [target] = engine.registry.targets
    engine.learned.record(makeSuccess(target!, NOW, { limits: [factOf(fact)] }))
    const { target: soonest, at, ...rest } = engine.soonest(start(engine).pending, null)!
    expect(soonest).toBe(target)
    expect(at).toBeGreaterThanOrEqual(NOW + 20_000)
    expect(rest).toEqual(gate)
  })

  test('is available now when something is free, and is null when nothing ever will be', () => {
    const engine = open()
    expect(engine.soonest(start(engine).pending, null)?.at).toBe(NOW)
    const { pending, trail } = start(engine)
    for (const target of engine.registry.targets) fail(trail, target, bareFailure('model_not_found'))
    expect(engine.soonest(pending, trail)).toBeNull()
  })
})

describe('a verdict', () => {
  const verdictOn = (engine: Engine, failure: Failure) => {
    const { pending, trail } = start(engine)
    return engine.judge(failure, pending, trail, engine.registry.targets[0]!)
  }

  test('tries the same target once more only when no other is eligible', () => {
    const engine = open()
    expect(verdictOn(engine, bareFailure('server')).next).toBe('next')
    for (const target of engine.registry.targets.slice(1)) engine.learned.record(makeFailure(target, NOW, 'billing'))
    expect(verdictOn(engine, bareFailure('server')).next).toBe('retry-once')
  })

  test('tries the same target no second time in one request', () => {
    const engine = one()
    const [target] = engine.registry.targets
    const { pending, trail } = start(engine)
    const failure = bareFailure('server')
    const first = engine.judge(failure, pending, trail, target!)
    expect(first).toMatchObject({ next: 'retry-once', waitMs: 625 })
    trail.add(target!, attemptReport(makeFailure(target!, NOW), 1, null), failure, first)
    expect(engine.judge(failure, pending, trail, target!)).toMatchObject({ next: 'next', waitMs: 0 })
  })

  test.each<{ name: string; waitMs: number; timeoutMs?: number; next: string }>([
    { name: 'within the patience', waitMs: 5000, next: 'retry-once' },
    { name: 'beyond the patience', waitMs: 15_000, next: 'next' },
    { name: "beyond the caller's time", waitMs: 5000, timeoutMs: 1000, next: 'next' },
  ])('on a stated wait $name is $next', ({ waitMs, timeoutMs, next }) => {
    const engine = one()
    const { pending, trail } = start(engine, { ...(timeoutMs !== undefined && { timeoutMs }) })
    const failure = { ...bareFailure('rate_minute'), retryAfterMs: waitMs } as Failure
    expect(engine.judge(failure, pending, trail, engine.registry.targets[0]!).next).toBe(next)
  })

  test.each<{ name: string; by: number; next: string }>([
    { name: 'that one of another dialect refused too', by: 2, next: 'give-up' },
    { name: 'that another of the same dialect refused too', by: 1, next: 'next' },
  ])('on an unsupported request $name is $next', ({ by, next }) => {
    const config = {
      groq: { api_key: key('a'), models: ['a'] },
      mistral: { api_key: key('b'), models: ['c'] },
      anthropic: { api_key: `sk-ant-${'c'.repeat(20)}`, models: ['d'] },
    }
    const engine = openTestEngine({ config, now: () => NOW })
    const { pending, trail } = start(engine)
    fail(trail, engine.registry.targets[by]!, bareFailure('unsupported'))
    expect(engine.judge(bareFailure('unsupported'), pending, trail, engine.registry.targets[0]!).next).toBe(next)
  })

  test.each([
    { retryFiltered: true, next: 'next' },
    { retryFiltered: false, next: 'give-up' },
  ])('on filtered content is $next where retryFiltered is $retryFiltered', ({ retryFiltered, next }) => {
    const engine = open()
    const { pending, trail } = start(engine, { retryFiltered })
    expect(engine.judge(bareFailure('content_filter'), pending, trail, engine.registry.targets[0]!).next).toBe(next)
  })

  test('on a field that can be written differently tries the same target again at once, but only one time', () => {
    const engine = open()
    const refused = (path: string) => {
      const { pending, trail } = start(engine, { maxTokens: 50, tools: [{ name: 'look' }] })
      const failure: Failure = { ...bareFailure('unsupported'), fields: [{ path, refused: 'field' }] } as Failure
      return engine.judge(failure, pending, trail, engine.registry.targets[0]!)
    }
    expect(refused('max_tokens')).toMatchObject({ next: 'retry-once', skip: 'none', waitMs: 0 })
    expect(refused('max_tokens')).toMatchObject({ next: 'next', skip: 'provider+model' })
    expect(refused('tools')).toMatchObject({ next: 'next', skip: 'provider+model' })
  })

  test('allows retries for a fifth of many requests, each request counted once', () => {
    const engine = one()
    const [target] = engine.registry.targets
    for (let count = 0; count < 1000; count++) {
      const { pending, trail } = start(engine)
      engine.decide(pending, trail)
      // It waited for room.
      trail.waitedMs = 5
      engine.decide(pending, trail)
      trail.add(
        target!,
        attemptReport(makeFailure(target!, NOW), 1, null),
        bareFailure('server'),
        judge(bareFailure('server'), FACTS),
      )
      engine.decide(pending, trail)
    }
    expect(useUpRetries(engine)).toBe(200)
  })

  test('stops trying again when too many requests do', () => {
    const engine = openTestEngine({ config: { groq: { api_key: key('a'), models: ['a'] } }, now: () => NOW })
    const next = Array.from({ length: 101 }, () => verdictOn(engine, bareFailure('server')).next)
    expect(next[0]).toBe('retry-once')
    expect(next.at(-1)).toBe('next')
  })

  test('on a request that is at fault ends it', () => {
    expect(verdictOn(open(), bareFailure('bad_request')).next).toBe('give-up')
  })
})

describe('a failed call', () => {
  test('is recorded, raises what a person has to fix, and keeps its request from the same account', async () => {
    const { engine } = (await openLab({ providers: { ...own('alpha', 1, ['m', 'n']), ...own('beta', 1, ['m']) } }))
      .manager
    const heard: unknown[] = []
    engine.events.on('attempt', ({ target, requestId, operation }) => void heard.push([target, requestId, operation]))
    const { pending, trail } = start(engine)
    const decision = engine.decide(pending, trail)
    const target = trail.nextOf(decision)!
    const attempt = engine.call(target, pending, trail, granted(engine, target, pending))
    await attempt.call.done
    const failure = { ...bareFailure('billing'), status: 402 }
    const verdict = engine.judge(failure, pending, trail, target)
    engine.record(pending, trail, attempt, { end: endOf(failure), failure, verdict })
    expect(trail.attempts).toMatchObject([{ target: 'alpha/m#1', failureKind: 'billing' }])
    expect(engine.monitor.alerts.open().map(({ alert }) => alert.event)).toEqual(['no_credit'])
    expect(heard).toEqual([['alpha/m#1', pending.id, 'chat']])
    const next = trail.nextOf(decision)!
    expect(next.id).toBe('beta/m#1')
    const second = engine.call(next, pending, trail, granted(engine, next, pending))
    await second.call.done
    expect([attempt.number, second.number]).toEqual([1, 2])
    engine.recordAnswer(pending, trail, second, second.call.ended!)
  })
})

describe('an experiment', () => {
  const gone: Failure = { kind: 'client_gone', status: null, message: 'left on purpose' }
  type Finish = (engine: Engine, pending: PendingRequest, trail: Trail) => Promise<unknown> | unknown

  const endsWith =
    (failure: Failure | null): Finish =>
    async (engine, pending, trail) => {
      const [target] = engine.registry.targets
      const attempt = engine.call(target!, pending, trail, granted(engine, target!, pending))
      await attempt.call.done
      engine.recordAnswer(pending, trail, attempt, endOf(failure))
    }
  const givesUp =
    (error: KeywiseError, failures = 0): Finish =>
    (engine, pending, trail) => {
      for (const target of engine.registry.targets.slice(0, failures)) fail(trail, target, bareFailure('bad_request'))
      engine.gaveUp(pending, trail, error)
    }

  test.each<{ request: string; finish: Finish; counted: number }>([
    { request: 'that was answered', finish: endsWith(null), counted: 1 },
    { request: 'whose answer broke off', finish: endsWith(bareFailure('server')), counted: 1 },
    { request: 'whose caller left the answer', finish: endsWith(gone), counted: 0 },
    {
      request: 'that every target failed',
      finish: givesUp(new AllTargetsFailedError('all', { retryAt: null })),
      counted: 1,
    },
    { request: 'that a target called invalid', finish: givesUp(new InvalidRequestError('bad'), 1), counted: 1 },
    { request: 'that was invalid before any call', finish: givesUp(new InvalidRequestError('bad')), counted: 0 },
    { request: 'whose caller left before an answer', finish: givesUp(new AbortedError()), counted: 0 },
  ])('counts $counted for a request $request', async ({ finish, counted }) => {
    const variants = ['usual', 'new'].map((name) => ({ name, share: 0.5, model: 'm' }))
    const settings = { experiments: [{ name: 'race', variants }] }
    const { manager } = await openLab({ providers: own('alpha', 1, ['m']) }, { settings })
    const { pending, trail } = start(manager.engine, { model: 'experiment:race' })
    await finish(manager.engine, pending, trail)
    const units = manager.experiment('race').variants.map(({ metrics }) => metrics['success']?.observations ?? 0)
    expect(units.reduce((sum, count) => sum + count, 0)).toBe(counted)
  })
})

describe('a ranking', () => {
  test('shows a target over its budget as ineligible, although a decision chooses it so that the request is rejected', () => {
    const budgets = [{ scope: 'groq', tokens: 1, per: 'day', on_exceeded: 'reject' }]
    const engine = one({ budgets })
    const { pending, trail } = start(engine)
    expect(engine.rank(pending).map(({ eligible }) => eligible)).toEqual([false])
    expect(engine.decide(pending, trail).first).toBe(engine.registry.targets[0])
  })
})

describe('a decision', () => {
  test('stays with the target of its conversation', () => {
    const engine = open()
    const { pending, trail } = start(engine, { sessionId: 'a conversation' })
    const [, , c] = engine.registry.targets
    engine.learned.sessions.bind(pending.session.id, c!.stateId)
    expect(engine.decide(pending, trail).first).toBe(c)
    const other = start(engine, { sessionId: 'another' })
    expect(engine.decide(other.pending, other.trail).first?.id).toBe('groq/a#1')
  })

  test('follows the order of an alias', () => {
    const models = { pair: ['mistral/c', 'groq/b'] }
    const settings = { models, routing: { strategy: 'priority', exploration: { rate: 0 } } }
    const config = { groq: { api_key: key('a'), models: ['a', 'b'] }, mistral: { api_key: key('b'), models: ['c'] } }
    const engine = openTestEngine({ config: { ...config, settings }, now: () => NOW })
    const { pending, trail } = start(engine, { model: 'pair' })
    const decision = engine.decide(pending, trail)
    expect([trail.nextOf(decision), trail.nextOf(decision)]).toMatchObject([{ id: 'mistral/c#1' }, { id: 'groq/b#1' }])
  })

  test('can be looked up by its request', () => {
    const engine = open()
    const { pending, trail } = start(engine)
    engine.decide(pending, trail)
    expect(engine.decisions.find(pending.id)).toMatchObject({ requestId: pending.id })
  })

  test('explores for the first call of a request, never for a later one', () => {
    const routing = { strategy: 'score', exploration: { rate: 1, burst: 1000 } }
    const config = { groq: { api_key: key('a'), models: ['a', 'b', 'c'] }, settings: { routing } }
    const engine = openTestEngine({ config, now: () => NOW })
    // One target has a past; the others are there to be explored.
    for (let time = 0; time < 3; time++) engine.learned.record(makeSuccess(engine.registry.targets[0]!, NOW))
    const exploresAfter = (failures: number) => {
      const { pending, trail } = start(engine)
      for (const target of engine.registry.targets.slice(0, failures)) fail(trail, target, bareFailure('server'))
      return engine.decide(pending, trail).explored
    }
    const heard: boolean[] = []
    engine.events.on('decision', ({ explored }) => void heard.push(explored))
    expect([exploresAfter(0), exploresAfter(1)]).toEqual([true, false])
    expect(heard).toEqual([true, false])
  })

  test('does not count as passed over what comes after the target it chose', () => {
    const engine = open()
    engine.learned.record(makeFailure(engine.registry.targets[2]!, NOW, 'rate_minute'))
    const { pending } = start(engine)
    const trail = new Trail(pending, true)
    expect(engine.decide(pending, trail).first?.id).toBe('groq/a#1')
    expect(trail.passed).toEqual([])
  })

  test('collects the parks and limits it passed over if, and only if, the request is logged', () => {
    const engine = open()
    const [a, b] = engine.registry.targets
    engine.learned.record(makeFailure(a!, NOW, 'rate_minute'))
    engine.learned.record(
      makeSuccess(b!, NOW, { limits: [factOf({ limit: 30, remaining: 0, resetsAt: NOW + 20_000 })] }),
    )
    const passed = (isLogged: boolean) => {
      const { pending } = start(engine)
      const trail = new Trail(pending, isLogged)
      engine.decide(pending, trail)
      return trail.passed
    }
    expect(passed(false)).toEqual([])
    expect(passed(true)).toMatchObject([
      { before: 1, text: expect.stringMatching(/^parked: /) },
      { before: 1, text: expect.stringMatching(/^limit: 0 of 30 requests left/) },
    ])
  })
})

describe('lifting', () => {
  test('ends the parks for the reasons that were disproved, and no others', () => {
    const engine = open()
    const [a] = engine.registry.targets
    engine.learned.record(makeFailure(a!, NOW, 'billing'))
    const reason = () => engine.learned.parks.blocking(a!, NOW)?.reason
    engine.lift(a!, ['auth_invalid'])
    expect(reason()).toBe('billing')
    engine.lift(a!, ['billing'])
    expect(reason()).toBeUndefined()
  })
})

describe('new targets', () => {
  test('replace all at once, and keep what was learned of those that stay', () => {
    const engine = open()
    const { config, credentials } = engine.registry
    engine.learned.record(makeFailure(engine.registry.targets[0]!, NOW, 'billing'))
    const groq = credentials.filter(({ provider }) => provider.id === 'groq')
    engine.useTargets(
      new TargetRegistry({ config, credentials: groq, listOf: () => null, prices: new Prices(), now: NOW }),
    )
    const { pending, trail } = start(engine)
    expect(engine.rank(pending).map(({ target, eligible }) => [target.id, eligible])).toEqual(
      expect.arrayContaining([
        ['groq/a#1', false],
        ['groq/b#1', false],
      ]),
    )
    expect(engine.rank(pending)).toHaveLength(2)
    expect(engine.decide(pending, trail).first).toBeNull()
    expect(engine.registry.targets.map(({ id }) => id)).toEqual(['groq/a#1', 'groq/b#1'])
  })

  test('come with the rules of their configuration', () => {
    const engine = open()
    const { config, credentials } = engine.registry
    const strict = { ...config, settings: { ...config.settings, freeOnly: true } }
    engine.useTargets(
      new TargetRegistry({ config: strict, credentials, listOf: () => null, prices: new Prices(), now: NOW }),
    )
    expect(engine.rank(start(engine).pending).map(({ eligible }) => eligible)).toEqual([false, false, false])
  })
})

describe('listeners', () => {
  test('receive every decision, and every request without an answer with its next time', () => {
    const engine = open()
    const told: [string, unknown][] = []
    engine.events.on('decision', (event) => void told.push(['decision', event]))
    engine.events.on('exhausted', (event) => void told.push(['exhausted', event]))
    const { pending, trail } = start(engine)
    engine.decide(pending, trail)
    const error = new AllTargetsFailedError('all failed', { retryAt: '2026-11-23T12:01:00.000Z' })
    expect(engine.gaveUp(pending, trail, error)).toBe(error)
    expect(told).toEqual([
      [
        'decision',
        {
          requestId: pending.id,
          model: 'auto',
          chosen: 'groq/a#1',
          explored: false,
          cause: expect.objectContaining({ kind: 'priority' }),
        },
      ],
      ['exhausted', { requestId: pending.id, model: 'auto', attempts: [], retryAt: '2026-11-23T12:01:00.000Z' }],
    ])
  })

  test('receive nothing for a request that was itself at fault', () => {
    const engine = open()
    let told = 0
    engine.events.on('exhausted', () => void told++)
    const { pending, trail } = start(engine)
    engine.gaveUp(pending, trail, new InvalidRequestError('too long'))
    expect(told).toBe(0)
  })
})

const network: Failure = { kind: 'network', status: null, message: 'reset on purpose', code: 'ECONNRESET' }

describe('a connection that fails', () => {
  const openTwo = () => {
    const engine = open()
    const [groq, , mistral] = engine.registry.targets
    const rows = () =>
      engine.store
        .attempts({ order: 'oldest', limit: 10 })
        .map(({ target, ok, notCharged = false }) => [target.provider, ok, notCharged])
    const parked = () => engine.learned.parks.blocking(groq!, NOW)?.reason
    return { engine, groq: groq!, mistral: mistral!, rows, parked }
  }

  test('is kept back until another host shows whose fault it is', () => {
    const { engine, groq, rows, parked } = openTwo()
    expect(recordEnd(engine, groq, network).report).toMatchObject({ ok: false, failureKind: 'network' })
    expect([rows(), parked()]).toEqual([[], undefined])
  })

  test('is the fault of this host when another fails with it', () => {
    const { engine, groq, mistral, rows, parked } = openTwo()
    recordEnd(engine, groq, network)
    recordEnd(engine, mistral, network)
    expect(rows()).toEqual(
      expect.arrayContaining([
        ['groq', false, true],
        ['mistral', false, true],
      ]),
    )
    expect(parked()).toBeUndefined()
  })

  test('is the fault of the provider when another answers', () => {
    const { engine, groq, mistral, rows } = openTwo()
    recordEnd(engine, groq, network)
    recordEnd(engine, mistral, null)
    expect(rows()).toEqual(
      expect.arrayContaining([
        ['groq', false, false],
        ['mistral', true, false],
      ]),
    )
  })
})

describe('an alert', () => {
  const openAlerts = (engine: Engine) => engine.monitor.alerts.open().map(({ alert }) => alert.event)

  test('is raised when every target failed a request, and is over with the next answer', () => {
    const engine = open()
    parkAll(engine, 'billing')
    const { pending, trail } = start(engine)
    engine.decide(pending, trail)
    engine.gaveUp(pending, trail, new InvalidRequestError('too long'))
    expect(openAlerts(engine)).toEqual([])
    engine.gaveUp(pending, trail, new AllTargetsFailedError('all failed', { retryAt: null }))
    expect(openAlerts(engine)).toEqual(['all_failed'])
    const [target] = engine.registry.targets
    engine.lift(target!, ['billing'])
    recordEnd(engine, target!, null)
    expect(openAlerts(engine)).toEqual([])
  })

  test('is raised when an answer broke off for something that a person has to fix', async () => {
    const { engine } = (await openLab({ providers: own('alpha', 1, ['m']) })).manager
    const [target] = engine.registry.targets
    const { pending, trail } = start(engine)
    const attempt = engine.call(target!, pending, trail, granted(engine, target!, pending))
    await attempt.call.done
    const report = engine.recordAnswer(pending, trail, attempt, endOf({ ...bareFailure('billing'), status: 402 }))
    expect(trail.attempts).toEqual([report])
    expect(openAlerts(engine)).toEqual(['no_credit'])
  })
})

describe('a running call', () => {
  const openSilent = (manager: object = {}) =>
    openLab({ providers: own('alpha', 1, ['m'], { faults: [{ do: 'silence' }] }) }, { manager })

  test('ends when its caller leaves', async () => {
    const { engine } = (await openSilent()).manager
    const { pending, trail } = start(engine)
    const [target] = engine.registry.targets
    const { call } = engine.call(target!, pending, trail, granted(engine, target!, pending))
    pending.cancellation.cancel()
    expect((await call.done).outcome).toMatchObject({ ok: false, failure: { kind: 'client_gone' } })
  })

  test.each([
    { of: 'a cascade ends when its target is slow', isTest: false, phase: 'first-token' },
    { of: "a test has all of its caller's time", isTest: true, phase: 'total' },
  ])('of $of', async ({ isTest, phase }) => {
    let now = 0
    const { engine } = (await openSilent({ monotonic: () => now })).manager
    const { pending, trail } = start(engine, { timeoutMs: 300_000 })
    const [target] = engine.registry.targets
    const hold = granted(engine, target!, pending)
    const { call } = isTest ? engine.callForTest(target!, pending, hold, 1) : engine.call(target!, pending, trail, hold)
    now = 400_000
    expect((await call.done).outcome).toMatchObject({ ok: false, failure: { kind: 'timeout', phase } })
  })
})

describe('the time of a request', () => {
  test('is over at its deadline', async () => {
    let now = 0
    const { engine } = (await openLab({ providers: own('alpha', 1, ['m']) }, { manager: { monotonic: () => now } }))
      .manager
    const { pending } = start(engine, { timeoutMs: 1000 })
    now = 999
    expect(engine.isLate(pending)).toBe(false)
    now = 1000
    expect(engine.isLate(pending)).toBe(true)
  })
})

describe('a pause between two tries', () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve))

  test('takes its time', async () => {
    const clock = new VirtualClock(NOW)
    const { engine } = (await openLab({ providers: own('alpha', 1, ['m']) }, { manager: { sleep: clock.sleep } }))
      .manager
    clock.at(NOW, () => engine.pause(start(engine).pending, 700))
    await clock.run(() => 0)
    expect(clock.now() - NOW).toBe(700)
  })

  test('ends when the caller leaves', async () => {
    const engine = open()
    const { pending } = start(engine)
    const over: string[] = []
    void engine.pause(pending, 60_000).then(() => over.push('first'))
    await turn()
    expect(over).toEqual([])
    pending.cancellation.cancel()
    await turn()
    expect(over).toEqual(['first'])
  })

  test('is not begun for a caller who has left', async () => {
    const clock = new VirtualClock(NOW)
    const { engine } = (await openLab({ providers: own('alpha', 1, ['m']) }, { manager: { sleep: clock.sleep } }))
      .manager
    const { pending } = start(engine)
    pending.cancellation.cancel()
    clock.at(NOW, () => engine.pause(pending, 700))
    await clock.run(() => 0)
    expect(clock.now()).toBe(NOW)
  })
})

test('what a call may consume is computed once for one time, and anew for a later one', () => {
  const engine = open()
  const [target] = engine.registry.targets
  const pending = prepare(engine)
  const reserved = (at: number) => engine.eligibility.needOf(target!, pending, at).quota.outputTokens
  const before = reserved(NOW)
  const usage = { inputTokens: 1, outputTokens: 4000, totalTokens: 4001, estimated: false }
  for (let count = 0; count < 20; count++) engine.learned.record(makeSuccess(target!, NOW, { usage }))
  expect(reserved(NOW)).toBe(before)
  expect(reserved(NOW + 1)).toBeGreaterThan(before)
})

describe('waiting for room', () => {
  /** A provider with one model on a clock that moves only when everything waits. */
  async function openWaiting(faults: readonly FakeFault[] = []) {
    const clock = new VirtualClock(NOW)
    const manager = { now: clock.now, monotonic: clock.now, sleep: clock.sleep }
    const { engine } = (
      await openLab(
        { providers: own('alpha', 1, ['m'], { faults }) },
        { manager, world: { now: clock.now, sleep: clock.rest } },
      )
    ).manager
    const park = (retryAfterMs: number) => {
      const failure = { kind: 'rate_minute', status: 429, message: 'slow down', retryAfterMs } as const
      engine.learned.record(makeFailure(engine.registry.targets[0]!, clock.now(), 'rate_minute', { failure }))
    }
    /** Waits to the end: whether there is room, and the time it took. */
    const wait = async (pending: PendingRequest, trail: Trail, leavesAfterMs: number | null = null) => {
      const began = clock.now()
      let room: boolean | undefined
      clock.at(began, async () => {
        room = await engine.waitForRoom(pending, trail)
      })
      if (leavesAfterMs !== null) clock.at(began + leavesAfterMs, async () => pending.cancellation.cancel())
      await clock.run(() => engine.waiting.size)
      return { room, tookMs: clock.now() - began }
    }
    return { engine, clock, park, wait }
  }

  test('adds up over a request, and is not begun beyond the patience', async () => {
    const { engine, park, wait } = await openWaiting()
    const { pending, trail } = start(engine)
    park(6000)
    const first = await wait(pending, trail)
    expect(first.room).toBe(true)
    expect(first.tookMs).toBeGreaterThanOrEqual(6000)
    expect(trail.waitedMs).toBe(first.tookMs)
    park(6000)
    expect(await wait(pending, trail)).toEqual({ room: false, tookMs: 0 })
    expect(await wait(pending, start(engine).trail)).toMatchObject({ room: true })
  })

  test('fails when it lasted longer than the patience after all', async () => {
    let now = 0
    // The machine stands still for six seconds at every look at the clock.
    const monotonic = () => (now += 6000)
    const clock = new VirtualClock(NOW)
    const manager = { now: clock.now, monotonic, sleep: clock.sleep }
    const { engine } = (await openLab({ providers: own('alpha', 1, ['m']) }, { manager })).manager
    const { pending, trail } = start(engine)
    const rooms: boolean[] = []
    clock.at(NOW, async () => {
      for (const _ of [1, 2]) rooms.push(await engine.waitForRoom(pending, trail))
    })
    await clock.run(() => engine.waiting.size)
    expect(rooms).toEqual([true, false])
  })

  test("is not begun beyond the caller's own time", async () => {
    const { engine, park, wait } = await openWaiting()
    park(3000)
    const { pending, trail } = start(engine, { timeoutMs: 1000 })
    expect(await wait(pending, trail)).toEqual({ room: false, tookMs: 0 })
  })

  test('ends when the caller leaves', async () => {
    const { engine, park, wait } = await openWaiting()
    park(5000)
    const { pending, trail } = start(engine)
    expect(await wait(pending, trail, 1000)).toEqual({ room: false, tookMs: 1000 })
  })

  test('makes targets at their limit eligible again', async () => {
    const engine = one()
    const [target] = engine.registry.targets
    const { pending, trail } = start(engine)
    fail(trail, target!, bareFailure('rate_minute'))
    expect(trail.nextOf(engine.decide(pending, trail))).toBeNull()
    expect(await engine.waitForRoom(pending, trail)).toBe(true)
    expect(trail.nextOf(engine.decide(pending, trail))).toBe(target)
  })

  test('lets the request go first that arrived first, whenever it began to wait', async () => {
    const { engine, clock, park } = await openWaiting()
    park(1000)
    const answered: string[] = []
    for (const [name, arrivedAt] of [
      ['later', NOW],
      ['earlier', NOW - 5000],
    ] as const) {
      const pending = { ...start(engine).pending, arrivedAt }
      clock.at(NOW, async () => {
        await cascade(engine, pending)
        answered.push(name)
      })
    }
    await clock.run(() => engine.waiting.size)
    expect(answered).toEqual(['earlier', 'later'])
  })

  test('lets the next request go as soon as the call of the first has ended', async () => {
    const { engine, clock, park } = await openWaiting()
    park(1000)
    const answeredAt: number[] = []
    for (let count = 0; count < 2; count++) {
      const { pending, trail } = start(engine)
      clock.at(NOW, async () => {
        await cascade(engine, pending, trail)
        answeredAt.push(clock.now())
      })
    }
    await clock.run(() => engine.waiting.size)
    expect(answeredAt).toHaveLength(2)
    expect(answeredAt[1]! - answeredAt[0]!).toBeLessThan(500)
  })
})
