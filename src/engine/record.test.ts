import { describe, expect, test } from 'vitest'
import { makeFailure, makeSuccess } from '../../test/support/makeEvents.ts'
import { openTestEngine, prepare } from '../../test/support/openTestEngine.ts'
import { openaiEmbeddings } from '../dialects/embeddings/client.ts'
import type { Usage } from '../domain/chat.ts'
import type { Failure, LimitFact } from '../domain/failure.ts'
import { flat, type Price } from '../money/price.ts'
import type { CallEnd } from '../upstream/call.ts'
import type { Engine } from './engine.ts'
import { prepareRequest } from './prepareRequest.ts'
import { attemptFacts } from './record.ts'
import { embeddingsOperation } from './request/embeddingsOperation.ts'
import type { PendingRequest } from './request/pendingRequest.ts'
import { readContext } from './request/readContext.ts'

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

test('the words of a refusal that are for its request only are not kept', () => {
  const engine = open()
  const failure: Failure = { kind: 'unsupported', status: 400, message: 'no' }
  const { event } = attempt(engine, endOf(failed({ ...failure, fields: [{ path: 'store', refused: 'field' }] })))
  expect(event.failure).toEqual(failure)
})

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

describe('what was set aside', () => {
  const LIMIT: LimitFact = {
    unit: 'requests',
    window: 'minute',
    scope: 'model',
    limit: 10,
    remaining: 1,
    resetsAt: NOW + 60_000,
    source: 'header',
  }
  const WRONG: Failure = { kind: 'bad_request', status: 400, message: 'no such field' }

  test('of a limit is free again after a call that took nothing of it', () => {
    const engine = open()
    const [target] = engine.registry.targets
    engine.learned.record(makeSuccess(target!, NOW - 10, { limits: [LIMIT] }))
    attempt(engine, endOf(failed(WRONG)))
    expect(engine.reserve(target!, ask(engine)).granted).toBe(true)
    expect(engine.reserve(target!, ask(engine))).toMatchObject({ granted: false, why: { code: 'quota' } })
  })

  test('of a budget in tokens is replaced by what was read and written, and by nothing after a refusal', () => {
    const budgets = [{ scope: 'all', tokens: 1000, per: 'day' }]
    const config = { groq: { api_key: KEY, models: ['a'] }, settings: { budgets } }
    const engine = openTestEngine({ config, now: () => NOW })
    attempt(engine, endOf(failed(REFUSED)))
    expect(spent(engine)).toMatchObject({ spent: 0, reserved: 0 })
    engine.learned.record({ kind: 'lift', at: NOW, origin: 'test', id: 'lift', target: null })
    attempt(engine, endOf())
    expect(spent(engine)).toMatchObject({ spent: 13, reserved: 0 })
  })

  test('lets the next request find out about a park that this one did not settle', () => {
    let now = NOW
    const engine = openTestEngine({ now: () => now })
    const [target] = engine.registry.targets
    for (const _ of [1, 2]) engine.learned.record(makeFailure(target!, NOW, 'rate_minute'))
    now = engine.learned.parks.blocking(target!, NOW)!.until
    attempt(engine, endOf(failed(WRONG)))
    expect(engine.reserve(target!, ask(engine))).toMatchObject({ granted: true, probe: true })
  })

  test('and spent is told when it reaches a threshold of the budget', () => {
    const engine = open()
    const heard: number[] = []
    engine.learned.onCrossings = (crossings) => heard.push(...crossings.map(({ percent }) => percent))
    attempt(engine, endOf({ usage: usageOf(20) }))
    expect(heard).toEqual([])
    attempt(engine, endOf({ usage: usageOf(80) }))
    expect(heard).toEqual([50])
  })
})

describe('an event', () => {
  test('is priced by the hour in which its call began', () => {
    const engine = open()
    const [before, after] = [1e5, 9e5].map((output) => flat('list', { input: 0, output }).windows[0]!)
    const price: Price = { source: 'list', windows: [before!, { ...after!, from: NOW - 10 }] }
    const [target] = engine.registry.targets
    const began = { target: target!, price, hold: engine.reserveForTest(target!, ask(engine)), number: 1 }
    if (!began.hold.granted) throw new TypeError('no room')
    const facts = attemptFacts(ask(engine), { ...began, hold: began.hold, startedAt: NOW - 20 }, endOf(), 'live')
    expect(engine.recordAttempt(facts).event).toMatchObject({ costNanoUsd: 1e9, priceSource: 'list' })
  })

  test('counts what no answer stated by the whole prompt and what was said', () => {
    const engine = open()
    engine.estimate = (prompt, answer) => ({ ...usageOf(answer.length), inputTokens: prompt.length, estimated: true })
    const { event } = attempt(engine, endOf({ usage: null }), 'live', ask(engine, { prompt: 'x'.repeat(500) }))
    expect(event.usage).toMatchObject({ inputTokens: 500, outputTokens: 'Hi'.length, estimated: true })
  })

  test('keeps what its answer said of limits, which are then known', () => {
    const engine = open()
    const limits: readonly LimitFact[] = [
      { unit: 'requests', window: 'day', scope: 'model', limit: 50, remaining: 7, resetsAt: null, source: 'header' },
    ]
    expect(attempt(engine, endOf({ limits })).event.limits).toEqual(limits)
    const known = engine.learned.quota.limitsOf(engine.registry.targets[0]!, NOW)
    expect(known.find(({ window }) => window === 'day')).toMatchObject({ limit: 50, remaining: 7 })
  })

  test('says whose token asked, whether it was streamed, and what for', () => {
    const engine = open()
    const { request } = readContext({ prompt: 'Hi', maxTokens: 100 }, true)
    const told: string[] = []
    engine.events.on('attempt', ({ operation }) => void told.push(operation))
    const chat = attempt(engine, endOf(), 'live', prepareRequest(engine, request, { token: 'ci' }))
    expect(chat.event).toMatchObject({ streamed: true, token: 'ci' })
    attempt(
      engine,
      endOf(),
      'live',
      prepareRequest(engine, request, {
        operation: embeddingsOperation(openaiEmbeddings.readRequest({ model: 'm', input: 'Hi' })),
      }),
    )
    expect(told).toEqual(['chat', 'embeddings'])
  })

  test('charges nobody who was given too little time, and parks nobody', () => {
    const engine = open()
    const late: Failure = { kind: 'timeout', phase: 'total', afterMs: 100, status: null, message: 'out of time' }
    const { event, report } = attempt(engine, endOf({ ...failed(late), status: null }))
    expect(event).toMatchObject({ ok: false, notCharged: true })
    expect(report.retryAt).toBeNull()
    expect(attempt(engine, endOf()).event).not.toHaveProperty('notCharged')
  })

  test('belongs to the variant of an experiment that its request was given', () => {
    const variants = ['one', 'two'].map((name) => ({ name, share: 0.5, parameters: { temperature: 0.5 } }))
    const settings = { experiments: [{ name: 'tone', variants }] }
    const engine = openTestEngine({ config: { groq: { api_key: KEY, models: ['a'] }, settings }, now: () => NOW })
    const pending = ask(engine, { experiment: 'tone' })
    const { event } = attempt(engine, endOf(), 'live', pending)
    expect(event.trial).toEqual(pending.enrolment!.trial)
    expect(event.trial).toMatchObject({ experiment: 'tone' })
    expect(attempt(engine, endOf()).event).not.toHaveProperty('trial')
  })
})
