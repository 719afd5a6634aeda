import { describe, expect, test } from 'vitest'
import { makeFailure, makeSuccess } from '../../../test/support/makeEvents.ts'
import { openTestEngine, prepare } from '../../../test/support/openTestEngine.ts'
import type { LimitFact } from '../../domain/failure.ts'
import type { Engine } from '../engine.ts'
import { shortageText } from './reservation.ts'

const NOW = 1_795_000_000_000
const MINUTE = 60_000
const KEY = `gsk_${'x'.repeat(20)}`

/** One model and a daily budget. An answer of 100 tokens costs 10 USD. */
function open(usd: number, more: object = {}): Engine {
  const groq = { api_key: KEY, free: false, models: [{ id: 'a', price: { input: 0, output: 1e5 } }] }
  const budgets = [{ scope: 'all', usd, per: 'day', ...more }]
  return openTestEngine({ config: { groq, settings: { budgets } } })
}

const ask = (engine: Engine, maxTokens = 100) => prepare(engine, { prompt: '-', maxTokens })
const only = (engine: Engine) => engine.registry.targets[0]!

const roomFor = (requests: number): LimitFact => ({
  unit: 'requests',
  window: 'minute',
  scope: 'model',
  limit: 10,
  remaining: requests,
  resetsAt: NOW + MINUTE,
  source: 'body',
})

/** As if an answer had just stated how many requests are left this minute. */
const state = (engine: Engine, requests: number) =>
  engine.learned.record({ ...makeSuccess(only(engine), NOW - 10), limits: [roomFor(requests)] })

describe('a reservation', () => {
  test('holds the worst case in the budget until it is released', () => {
    const engine = open(15)
    const hold = engine.reserve(only(engine), ask(engine))
    expect(hold.granted).toBe(true)
    expect(engine.reserve(only(engine), ask(engine))).toMatchObject({ granted: false, why: { code: 'budget' } })
    if (hold.granted) engine.learned.budgets.release(hold.budget)
    expect(engine.reserve(only(engine), ask(engine)).granted).toBe(true)
  })

  test('that the budget refuses leaves the quota as it was', () => {
    const engine = open(15)
    state(engine, 1)
    expect(engine.reserve(only(engine), ask(engine, 200)).granted).toBe(false)
    expect(engine.reserve(only(engine), ask(engine)).granted).toBe(true)
  })

  test('that the quota refuses leaves the budget as it was, and says when there is room', () => {
    const engine = open(15)
    state(engine, 0)
    const hold = engine.reserve(only(engine), ask(engine))
    if (hold.granted) throw new TypeError('there was room')
    expect(hold).toMatchObject({ why: { code: 'quota' }, rejectedBy: null })
    expect(hold.why.until).toBeGreaterThan(NOW)
    expect(hold.why.until).toBeLessThanOrEqual(NOW + MINUTE)
    expect(engine.reserveForTest(only(engine), ask(engine)).granted).toBe(true)
  })

  test.each([
    ['reject', true],
    ['fallback', false],
  ])('with a budget that says %s: ends the request is %s', (onExceeded, ends) => {
    const engine = open(5, { on_exceeded: onExceeded })
    const hold = engine.reserve(only(engine), ask(engine))
    expect(hold).toMatchObject({ granted: false, why: { code: 'budget' } })
    expect(!hold.granted && hold.rejectedBy !== null).toBe(ends)
  })

  test('bounds the answer only where nothing else does and a budget binds its length', () => {
    const bound = (engine: Engine, maxTokens?: number) => {
      const hold = engine.reserve(only(engine), prepare(engine, { prompt: '-', ...(maxTokens && { maxTokens }) }))
      return hold.granted ? hold.mostOutputTokens : 'refused'
    }
    expect(bound(open(1e5))).toBe(16_384)
    expect(bound(open(1e5), 7)).toBeNull()
    expect(bound(open(1e5, { hard: false }))).toBeNull()
  })
})

describe('a target whose park is over', () => {
  /** Parked half a minute ago by a rate limit that stated nothing. */
  function halfOpen() {
    let now = NOW
    const engine = openTestEngine({ now: () => now })
    const target = only(engine)
    for (let count = 0; count < 2; count++) engine.learned.record(makeFailure(target, now, 'rate_minute'))
    now = engine.learned.parks.blocking(target, now)!.until + 1
    expect(engine.learned.parks.state(target, now)).toBe('half-open')
    return { engine, target }
  }

  test('is found out about by one request at a time', () => {
    const { engine, target } = halfOpen()
    expect(engine.reserve(target, prepare(engine))).toMatchObject({ granted: true, probe: true })
    expect(engine.reserve(target, prepare(engine))).toMatchObject({ granted: false, why: { code: 'parked' } })
  })

  test('may be tested meanwhile', () => {
    const { engine, target } = halfOpen()
    engine.reserve(target, prepare(engine))
    expect(engine.reserveForTest(target, prepare(engine)).granted).toBe(true)
  })
})

test.each([
  [{}, '0 of 30 requests left this minute (header), until 08:00:12 UTC'],
  [{ limit: null, remaining: 1.7 }, '1 requests left this minute (header), until 08:00:12 UTC'],
  [{ window: 'none' as const }, '0 of 30 requests left (header), until 08:00:12 UTC'],
  [{ tooLarge: true }, 'the request is larger than the limit of 30 requests a minute'],
])('a shortage with %j is told as "%s"', (facts, text) => {
  const until = Date.UTC(2026, 10, 23, 8, 0, 12)
  const shortage = {
    granted: false,
    unit: 'requests',
    window: 'minute',
    scope: 'model',
    limit: 30,
    remaining: 0,
  } as const
  expect(shortageText({ ...shortage, until, tooLarge: false, source: 'header', ...facts })).toBe(text)
})
