import { describe, expect, test } from 'vitest'
import { openTestEngine, prepare } from '../../test/support/openTestEngine.ts'
import type { Usage } from '../domain/chat.ts'
import type { Failure } from '../domain/failure.ts'
import type { CallEnd } from '../upstream/call.ts'
import type { Engine } from './engine.ts'
import { attemptFacts } from './record.ts'
import type { PendingRequest } from './request/pendingRequest.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const KEY = `gsk_${'x'.repeat(20)}`
const LIMIT_USD = 15

/** One model at 0.1 USD an output token, and 15 USD a day: room for one answer of at most 100 tokens. */
function open(price: object | null = { input: 0, output: 1e5 }): Engine {
  const models = [{ id: 'a', ...(price !== null && { price }) }]
  const budgets = [{ scope: 'all', usd: LIMIT_USD, per: 'day' }]
  const settings = price === null ? {} : { budgets }
  return openTestEngine({ config: { groq: { api_key: KEY, free: false, models }, settings }, now: () => NOW })
}

const usageOf = (outputTokens: number): Usage => ({
  inputTokens: 3,
  outputTokens,
  totalTokens: 3 + outputTokens,
  estimated: false,
})

const RESPONSE = { id: 'r', model: 'a', content: [{ type: 'text', text: 'Hi' }], stop: 'end', usage: null } as never

const endOf = (facts: Partial<CallEnd> = {}): CallEnd => ({
  outcome: { ok: true, response: RESPONSE },
  usage: usageOf(10),
  limits: [],
  status: 200,
  latencyMs: 12.345_678,
  firstTokenMs: 4.000_04,
  hadContent: true,
  raw: null,
  partial: RESPONSE,
  ...facts,
})

const failed = (failure: Failure): Partial<CallEnd> => ({
  outcome: { ok: false, failure },
  usage: null,
  firstTokenMs: null,
  hadContent: false,
  partial: null,
})

const REFUSED: Failure = { kind: 'rate_minute', status: 429, message: 'slow down', retryAfterMs: 60_000 }

/** Reserves, and records the end of the call. */
function attempt(engine: Engine, end: CallEnd, source: 'live' | 'test' = 'live', pending = ask(engine)) {
  const target = engine.registry.targets[0]!
  const hold = engine.reserve(target, pending)
  if (!hold.granted) throw new Error(hold.why.reason)
  const price = engine.registry.priceOf(target)
  const facts = attemptFacts(pending, { target, startedAt: NOW - 20, hold, price, number: 1 }, end, source)
  return engine.recordAttempt(facts)
}

const ask = (engine: Engine, context: object = {}): PendingRequest =>
  prepare(engine, { prompt: 'Hi', maxTokens: 100, ...context })

const spent = (engine: Engine) => engine.learned.budgets.view(NOW)[0]

describe('an attempt that answered', () => {
  test('becomes an event with its usage, cost and times, and a report that says the same', () => {
    const engine = open()
    const { event, report } = attempt(engine, endOf())
    expect(event).toMatchObject({
      kind: 'attempt',
      at: NOW,
      startedAt: NOW - 20,
      source: 'live',
      ok: true,
      failure: null,
      usage: usageOf(10),
      costNanoUsd: 1e9,
      latencyMs: 12.346,
      firstTokenMs: 4,
    })
    expect(event.target).not.toHaveProperty('profile')
    expect(report).toMatchObject({
      target: 'groq/a#1',
      ok: true,
      failureKind: null,
      startedAt: '2026-11-23T11:59:59.980Z',
      latencyMs: 12,
      firstTokenMs: 4,
      costUsd: 1,
      retryAt: null,
    })
  })

  test('leaves in the budget what it cost, not what was held for it', () => {
    const engine = open()
    attempt(engine, endOf())
    expect(spent(engine)).toMatchObject({ spentUsd: 1 })
    // 15 - 1 is room for another one at 10 USD.
    attempt(engine, endOf())
    expect(spent(engine)).toMatchObject({ spentUsd: 2 })
  })

  test('has no cost where the price is unknown, rather than none', () => {
    const { event, report } = attempt(open(null), endOf())
    expect(event).toMatchObject({ costNanoUsd: null, priceSource: 'unknown' })
    expect(report.costUsd).toBeNull()
  })

  test('is estimated and marked when the answer states no usage', () => {
    const { event } = attempt(open(), endOf({ usage: null }))
    expect(event.usage).toMatchObject({ estimated: true })
    expect(event.usage!.outputTokens).toBeGreaterThan(0)
  })
})

describe('an attempt that failed', () => {
  test('costs nothing when it was refused, and gives the budget back', () => {
    const engine = open()
    const { event } = attempt(engine, endOf(failed(REFUSED)))
    expect(event).toMatchObject({ ok: false, usage: null, costNanoUsd: 0, failure: REFUSED })
    expect(spent(engine)).toMatchObject({ spentUsd: 0 })
  })

  test('is reported with the end of the park it caused', () => {
    const { report } = attempt(open(), endOf(failed(REFUSED)))
    expect(report).toMatchObject({
      ok: false,
      failureKind: 'rate_minute',
      status: 429,
      message: 'slow down',
      // A little later than stated, so that not all come back at once.
      retryAt: expect.stringMatching(/^2026-11-23T12:01:0/),
    })
  })

  test('is paid for what had been said before it broke off', () => {
    const engine = open()
    const broken = failed({ kind: 'server', status: 500, message: 'reset' })
    const { event } = attempt(engine, endOf({ ...broken, hadContent: true, partial: RESPONSE }))
    expect(event.usage).toMatchObject({ estimated: true })
    expect(event.costNanoUsd).toBeGreaterThan(0)
  })
})

test('only a live request belongs to a session; labels and task are kept in any case', () => {
  const engine = open()
  const context = { sessionId: 's', task: 'greet', labels: { team: 'a' } }
  const [live, check] = (['live', 'test'] as const).map((source) =>
    attempt(engine, endOf(), source, ask(engine, context)),
  )
  expect(live!.event).toMatchObject({ source: 'live', task: 'greet', labels: { team: 'a' } })
  expect(live!.event.session).toMatch(/./)
  expect(check!.event).toMatchObject({ source: 'test', session: null, task: 'greet', labels: { team: 'a' } })
})

test('the attempt is told to who listens', () => {
  const engine = open()
  const told: object[] = []
  engine.events.on('attempt', (event) => void told.push(event))
  const { report, event } = attempt(engine, endOf())
  expect(told).toEqual([{ ...report, requestId: event.requestId, operation: 'chat' }])
})
