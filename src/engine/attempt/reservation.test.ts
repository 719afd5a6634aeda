import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeFailure, makeSuccess, makeTarget } from '../../../test/support/makeEvents.ts'
import { openTestEngine, prepare } from '../../../test/support/openTestEngine.ts'
import { settingsSchema } from '../../config/settingsSchema.ts'
import type { LimitFact } from '../../domain/failure.ts'
import type { Target } from '../../domain/target.ts'
import { Budgets } from '../../money/budget.ts'
import { budgetFrom } from '../../money/budgetRule.ts'
import { FreeCounts } from '../../money/freeCount.ts'
import { QuotaTracker } from '../../quota/limits/quotaTracker.ts'
import { Parks } from '../../quota/parks/parks.ts'
import { createMemoryStore } from '../../store/memory.ts'
import type { Engine } from '../engine.ts'
import { type GrantedHold, reserve, reserveForTest, shortageText } from './reservation.ts'

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
  [{ limit: null, remaining: 1.7 }, '1 request left this minute (header), until 08:00:12 UTC'],
  [{ window: 'none' as const }, '0 of 30 requests left (header), until 08:00:12 UTC'],
  [{ isSlowStart: true, limit: 16 }, '16 first calls in progress, more follow as they are answered'],
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
    isSlowStart: false,
  } as const
  expect(shortageText({ ...shortage, until, tooLarge: false, source: 'header', ...facts })).toBe(text)
})

/** Quotas, budgets and parks by themselves: 500 tokens a day in all, of which one request needs what it says. */
function openSources() {
  const facts = { quotaScope: 'account+model', dayBoundary: 'UTC', seedLimits: [], keyCheck: 'call' } as const
  const rules = settingsSchema.parse({ budgets: [{ scope: 'all', tokens: 500, per: 'day' }] }).budgets
  const store = createMemoryStore()
  const budgets = new Budgets({
    budgets: rules.map((rule) => budgetFrom(rule)),
    counters: store,
    origin: 'p',
  })
  const quota = new QuotaTracker({ specOf: () => facts })
  const parks = new Parks({ facts: () => ({ ...facts, keyCheck: { method: 'GET', path: '/' } }) })
  const freeCounts = new FreeCounts({ counters: store, ledger: store, trouble: () => null })
  return { budgets, quota, parks, freeCounts }
}

type Sources = ReturnType<typeof openSources>
const NOBODY = { labels: {}, token: null }
const needing = (outputTokens: number) => ({
  quota: { requests: 1, inputTokens: 0, outputTokens },
  worstCase: { nanoUsd: 0, inputTokens: 0, outputTokens, answerTokens: outputTokens, boundedBy: 'request' as const },
})

/** A park for that failure whose time ended a moment ago. */
function endPark({ parks }: Sources, target: Target, kind: 'rate_minute' | 'auth_invalid'): void {
  const day = 24 * 60 * MINUTE
  parks.fold(makeFailure(target, NOW - day, kind))
  expect(parks.state(target, NOW)).toBe('half-open')
}

const stateRoom = ({ quota }: Sources, target: Target, requests: number) =>
  quota.fold(makeSuccess(target, NOW - 10, { limits: [roomFor(requests)] }))

describe('the probe of a park', () => {
  const target = makeTarget()

  test.each<{ name: string; room: number; tokens: number; code: string }>([
    { name: 'a limit', room: 0, tokens: 1, code: 'quota' },
    { name: 'a budget', room: 5, tokens: 1000, code: 'budget' },
  ])('is left to the next request when $name refuses this one', ({ room, tokens, code }) => {
    const sources = openSources()
    stateRoom(sources, target, room)
    endPark(sources, target, 'rate_minute')
    const hold = reserve(sources, target, NOBODY, needing(tokens), NOW)
    expect(hold).toMatchObject({ granted: false, why: { code } })
    expect(sources.parks.startProbe(target, NOW)).toBe(true)
  })

  test("of a refused key is not a user's request but a check", () => {
    const sources = openSources()
    endPark(sources, target, 'auth_invalid')
    expect(reserve(sources, target, NOBODY, needing(1), NOW)).toMatchObject({
      granted: false,
      why: { code: 'parked', until: null },
      rejectedBy: null,
    })
    expect(reserve(sources, target, NOBODY, needing(1), NOW, { prober: 'check' })).toMatchObject({
      granted: true,
      probe: true,
    })
  })

  test('may be a test run, of a refused key as well', () => {
    const sources = openSources()
    endPark(sources, target, 'auth_invalid')
    expect(reserveForTest(sources, target, NOBODY, needing(1), NOW)).toMatchObject({ granted: true, probe: true })
  })
})

describe('a test run', () => {
  const target = makeTarget()

  test('takes from a limit where there is room, and goes ahead where there is none', () => {
    const sources = openSources()
    stateRoom(sources, target, 1)
    const [first, second] = [1, 2].map(() => reserveForTest(sources, target, NOBODY, needing(1), NOW))
    expect(first).toMatchObject({ granted: true, quota: { granted: true } })
    expect(second).toMatchObject({ granted: true, quota: null })
  })

  test('is bound by budgets like any request', () => {
    const hold = reserveForTest(openSources(), target, NOBODY, needing(501), NOW)
    expect(hold).toMatchObject({ granted: false, why: { code: 'budget' } })
  })
})

test.each([
  ['label:team=a', { labels: { team: 'a' }, token: null }],
  ['token:ci', { labels: {}, token: 'ci' }],
])('a budget of %s binds only requests that carry it', (scope, carrier) => {
  const { learned } = openTestEngine({
    config: { groq: { api_key: KEY, models: ['a'] }, settings: { budgets: [{ scope, tokens: 1, per: 'day' }] } },
  })
  const target = makeTarget()
  for (const take of [reserve, reserveForTest]) {
    expect(take(learned, target, carrier, needing(10), NOW)).toMatchObject({ granted: false, why: { code: 'budget' } })
    expect(take(learned, target, NOBODY, needing(10), NOW).granted).toBe(true)
  }
})

/** Two models of one account: the first with a stated limit, the second with a park whose time is over. */
const TARGETS = ['m', 'n'].map((model) => makeTarget({ model }))
const [limited, parked] = TARGETS

/** Calls under way, with what is set aside for them. */
class OpenCalls {
  readonly #sources = openSources()
  readonly #callsBefore: number
  readonly #open: { readonly target: Target; readonly tokens: number; readonly hold: GrantedHold }[] = []

  constructor(room: number) {
    stateRoom(this.#sources, limited!, room)
    endPark(this.#sources, parked!, 'rate_minute')
    this.#callsBefore = this.#sources.quota.load(limited!, NOW)
  }

  begin(take: typeof reserve | typeof reserveForTest, target: Target, tokens: number): void {
    const hold = take(this.#sources, target, NOBODY, needing(tokens), NOW)
    if (hold.granted) this.#open.push({ target, tokens, hold })
  }

  end(index: number, how: 'settle' | 'release'): void {
    const { budgets, quota, parks } = this.#sources
    for (const { target, hold } of this.#open.splice(index % Math.max(1, this.#open.length), 1)) {
      if (hold.quota !== null) quota[how](hold.quota, null, NOW)
      if (how === 'settle') budgets.settle(hold.budget, { nanoUsd: 0, tokens: 0 })
      else budgets.release(hold.budget)
      if (hold.probe) parks.endProbe(target)
    }
  }

  endAll(): void {
    while (this.#open.length > 0) this.end(0, 'settle')
  }

  /** What is held is what is under way, in budgets, limits and parks. */
  check(): void {
    const { budgets, quota } = this.#sources
    const reserved = this.#open.reduce((sum, { tokens }) => sum + tokens, 0)
    expect(budgets.view(NOW)[0]).toMatchObject({ spent: 0, reserved })
    const calls = this.#open.filter(({ hold }) => hold.quota !== null).length
    expect(quota.load(limited!, NOW) - this.#callsBefore).toBe(calls)
    const probes = this.#open.filter(({ hold }) => hold.probe).length
    expect(probes).toBeLessThanOrEqual(1)
  }

  get isProbeFree(): boolean {
    return this.#sources.parks.startProbe(parked!, NOW)
  }
}

const steps = fc.array(
  fc.oneof(
    fc.record({ take: fc.constantFrom(reserve, reserveForTest), target: fc.nat(1), tokens: fc.nat(300) }),
    fc.record({ end: fc.nat(9), how: fc.constantFrom('settle' as const, 'release' as const) }),
  ),
  { maxLength: 40 },
)

test('whatever calls begin and end, only those under way hold anything, and nothing is held after the last', () => {
  fc.assert(
    fc.property(steps, fc.nat(6), (sequence, room) => {
      const calls = new OpenCalls(room)
      for (const step of sequence) {
        if ('end' in step) calls.end(step.end, step.how)
        else calls.begin(step.take, TARGETS[step.target]!, step.tokens)
        calls.check()
      }
      calls.endAll()
      calls.check()
      expect(calls.isProbeFree).toBe(true)
    }),
    { numRuns: 200 },
  )
})
