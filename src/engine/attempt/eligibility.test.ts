import { describe, expect, test } from 'vitest'
import { makeFailure } from '../../../test/support/makeEvents.ts'
import { openTestEngine, prepare } from '../../../test/support/openTestEngine.ts'
import type { FailureKind } from '../../domain/failure.ts'
import type { Engine } from '../engine.ts'
import { freeAt, whyNot, whyNotChoose } from './eligibility.ts'
import { Trail } from './trail.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const KEY = `gsk_${'x'.repeat(20)}`
const PRICE = { input: 0, output: 1e5 }

interface Setup {
  readonly model?: object
  readonly settings?: object
  readonly now?: () => number
}

function open({ model = {}, settings = {}, now = () => NOW }: Setup = {}): Engine {
  const groq = { api_key: KEY, free: false, models: [{ id: 'a', price: PRICE, ...model }] }
  return openTestEngine({ config: { groq, settings }, now })
}

const only = (engine: Engine) => engine.registry.targets[0]!
const why = (engine: Engine, context: object = {}) =>
  whyNot(engine.eligibility, only(engine), prepare(engine, { prompt: '-', ...context }), null, engine.now)
const whenFree = (engine: Engine, context: object = {}) =>
  freeAt(engine.eligibility, only(engine), prepare(engine, { prompt: '-', ...context }), engine.now)

const park = (engine: Engine, kind: Exclude<FailureKind, 'timeout' | 'network'>, times = 1) => {
  for (let time = 0; time < times; time++) engine.learned.record(makeFailure(only(engine), engine.now, kind))
}

describe('what keeps a target from a request', () => {
  test('is nothing, when nothing is known against it', () => {
    expect(why(open())).toBeNull()
    expect(whenFree(open())).toBe(NOW)
  })

  test.each<{ name: string; setup: Setup; context?: object; code: string; reason: RegExp; until: number | null }>([
    {
      name: 'its window',
      setup: { model: { context_tokens: 10 } },
      context: { prompt: 'word '.repeat(100) },
      code: 'context',
      reason: /^context too small/,
      until: null,
    },
    {
      name: 'the hours',
      setup: { settings: { hours: { groq: '13-14 UTC' } } },
      code: 'hours',
      reason: /13/,
      until: NOW + 3_600_000,
    },
    {
      name: 'a budget',
      setup: { settings: { budgets: [{ scope: 'all', usd: 1, per: 'day' }] } },
      context: { maxTokens: 100 },
      code: 'budget',
      reason: /budget/,
      until: Date.UTC(2026, 10, 24),
    },
    {
      name: 'a rule of the user',
      setup: { settings: { free_only: true } },
      code: 'free_only',
      reason: /free/,
      until: null,
    },
  ])('$name, in words and with the time it ends', ({ setup, context, code, reason, until }) => {
    const engine = open(setup)
    expect(why(engine, context)).toMatchObject({ code, until })
    expect(why(engine, context)?.reason).toMatch(reason)
    expect(whenFree(engine, context)).toBe(until)
  })

  test('is a park, with the failure that caused it', () => {
    const engine = open()
    park(engine, 'billing')
    expect(why(engine)).toMatchObject({ code: 'parked', kind: 'billing' })
    expect(why(engine)?.reason).toMatch(/^parked: /)
    expect(whenFree(engine)).toBe(why(engine)?.until)
  })

  test('is what the request has tried, before anything else', () => {
    const engine = open()
    park(engine, 'billing')
    const pending = prepare(engine)
    const trail = new Trail(pending)
    const noBudget = { code: 'budget', reason: 'no room', until: null } as const
    trail.pass(only(engine), { granted: false, why: noBudget, rejectedBy: null }, false)
    const found = whyNot(engine.eligibility, only(engine), pending, trail, NOW)
    expect(found).toEqual({ code: 'skipped', reason: 'already tried by this request', until: null })
    // When it is free does not depend on the one request that tried it.
    expect(whenFree(engine)).toBeGreaterThan(NOW)
  })

  test('ends with the last of several reasons, and never when one of them has no end', () => {
    const engine = open({ settings: { hours: { groq: '13-14 UTC' } } })
    park(engine, 'billing')
    const parkEnds = engine.learned.parks.blocking(only(engine), NOW)!.until
    expect(whenFree(engine)).toBe(Math.max(parkEnds, NOW + 3_600_000))
    const small = open({ model: { context_tokens: 10 } })
    park(small, 'billing')
    expect(whenFree(small, { prompt: 'word '.repeat(100) })).toBeNull()
  })
})

describe('in need', () => {
  const inNeed = (engine: Engine) => whyNot(engine.eligibility, only(engine), prepare(engine), null, NOW, true)

  test.each<{ kind: 'rate_minute' | 'billing' | 'auth_invalid' | 'model_not_found'; tried: boolean }>([
    { kind: 'rate_minute', tried: true },
    { kind: 'billing', tried: false },
    { kind: 'auth_invalid', tried: false },
    { kind: 'model_not_found', tried: false },
  ])('a park for $kind is ignored: $tried', ({ kind, tried }) => {
    const engine = open()
    park(engine, kind, 5)
    expect(why(engine)?.code).toBe('parked')
    expect(inNeed(engine) === null).toBe(tried)
  })
})

test('a target that comes back takes a share of the requests, the same ones however often it is asked', () => {
  let now = NOW
  const engine = open({ now: () => now })
  park(engine, 'rate_minute', 3)
  now = engine.learned.parks.blocking(only(engine), now)!.until + 1
  const pending = prepare(engine)
  const hold = engine.reserve(only(engine), pending)
  expect(hold).toMatchObject({ granted: true, probe: true })
  const { stateId } = only(engine)
  engine.learned.record({
    ...makeFailure(only(engine), now),
    ok: true,
    failure: null,
    startedAt: now,
    target: { ...only(engine), stateId },
  })
  const share = engine.learned.parks.share(only(engine), now)
  expect(share).toBeGreaterThan(0)
  expect(share).toBeLessThan(1)
  const requests = Array.from({ length: 400 }, () => prepare(engine))
  const ask = () => requests.map((one) => whyNot(engine.eligibility, only(engine), one, null, now) === null)
  const taken = ask()
  expect(ask()).toEqual(taken)
  expect(taken.filter(Boolean).length / 400).toBeCloseTo(share, 0)
  expect(taken).toContain(true)
  expect(taken).toContain(false)
})

test.each([
  ['reject', true],
  ['fallback', false],
])('a target whose budget says %s stays in the ranking: %s', (onExceeded, stays) => {
  const engine = open({ settings: { budgets: [{ scope: 'all', usd: 1, per: 'day', on_exceeded: onExceeded }] } })
  const pending = prepare(engine, { prompt: '-', maxTokens: 100 })
  expect(whyNot(engine.eligibility, only(engine), pending, null, NOW)?.code).toBe('budget')
  expect(whyNotChoose(engine.eligibility, only(engine), pending, null, NOW) === null).toBe(stays)
})
