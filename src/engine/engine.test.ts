import { describe, expect, test } from 'vitest'
import { bareFailure } from '../../test/support/bareFailure.ts'
import { makeFailure, makeSuccess } from '../../test/support/makeEvents.ts'
import { openTestEngine, prepare } from '../../test/support/openTestEngine.ts'
import { AllTargetsFailedError, InvalidRequestError } from '../domain/errors.ts'
import type { Failure } from '../domain/failure.ts'
import type { Target } from '../domain/target.ts'
import { Prices } from '../money/price.ts'
import { judge } from '../routing/judge.ts'
import { Trail } from './attempt/trail.ts'
import type { Engine } from './engine.ts'
import { attemptReport } from './record.ts'
import { TargetRegistry } from './targets/targetRegistry.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const key = (letter: string) => `gsk_${letter.repeat(20)}`
const FACTS = { alone: false, retried: false, patienceMs: 0, confirmed: false, mayAnswerFiltered: false, random: 0 }

/** Two models of groq and one of mistral, tried in that order. */
function open(now = () => NOW): Engine {
  const settings = { routing: { strategy: 'priority', exploration: { share: 0 } } }
  const config = {
    groq: { api_key: key('a'), models: ['a', 'b'] },
    mistral: { api_key: key('b'), models: ['c'] },
    settings,
  }
  return openTestEngine({ config, now })
}

function start(engine: Engine) {
  const pending = prepare(engine)
  return { pending, trail: new Trail(pending) }
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
    for (
      let target = engine.nextTarget(decision, trail);
      target !== null;
      target = engine.nextTarget(decision, trail)
    ) {
      asked.push(target.id)
      fail(trail, target, bareFailure('model_not_found'))
    }
    expect(asked).toEqual(['groq/a#1', 'groq/b#1', 'mistral/c#1'])
  })

  test('of a provider that failed twice comes last, and still comes', () => {
    const engine = open()
    const { pending, trail } = start(engine)
    const decision = engine.decide(pending, trail)
    const first = engine.nextTarget(decision, trail)!
    expect(first.id).toBe('groq/a#1')
    fail(trail, first, bareFailure('server'))
    fail(trail, { ...first, stateId: 'another of groq' }, bareFailure('server'))
    const second = engine.nextTarget(decision, trail)!
    expect(second.id).toBe('mistral/c#1')
    fail(trail, second, bareFailure('server'))
    expect(engine.nextTarget(decision, trail)?.id).toBe('groq/b#1')
    expect(engine.nextTarget(decision, trail)).toBeNull()
  })
})

describe('the last resort', () => {
  test('is the target whose guessed park ends soonest', () => {
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
    fail(trail, b!, bareFailure('rate_minute'))
    expect(engine.lastResort(pending, trail)?.id).toBe('mistral/c#1')
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

  test('is now when something is free, and nobody when nothing ever is', () => {
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
  })
})

describe('who listens', () => {
  test('is told of a decision, and of a request that nobody answered with its time', () => {
    const engine = open()
    const told: [string, unknown][] = []
    engine.events.on('decision', (event) => void told.push(['decision', event]))
    engine.events.on('exhausted', (event) => void told.push(['exhausted', event]))
    const { pending, trail } = start(engine)
    engine.decide(pending, trail)
    const error = new AllTargetsFailedError('all failed', { retryAt: '2026-11-23T12:01:00.000Z' })
    expect(engine.gaveUp(pending, trail, error)).toBe(error)
    expect(told).toEqual([
      ['decision', { requestId: pending.id, model: 'auto', chosen: 'groq/a#1', explored: false }],
      ['exhausted', { requestId: pending.id, model: 'auto', attempts: [], retryAt: '2026-11-23T12:01:00.000Z' }],
    ])
  })

  test('is not told of a request that was itself at fault', () => {
    const engine = open()
    let told = 0
    engine.events.on('exhausted', () => void told++)
    const { pending, trail } = start(engine)
    engine.gaveUp(pending, trail, new InvalidRequestError('too long'))
    expect(told).toBe(0)
  })
})
