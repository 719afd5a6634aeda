import { describe, expect, test } from 'vitest'
import { bareFailure } from '../../test/support/bareFailure.ts'
import { makeFailure, makeSuccess } from '../../test/support/makeEvents.ts'
import { openTestEngine, prepare } from '../../test/support/openTestEngine.ts'
import type { AllTargetsFailedError, KeywiseError } from '../domain/errors.ts'
import type { Failure, FailureKind } from '../domain/failure.ts'
import { judge } from '../routing/judge.ts'
import { Trail } from './attempt/trail.ts'
import type { Engine } from './engine.ts'
import { exhausted } from './exhausted.ts'
import { attemptReport } from './record.ts'
import type { CallContext } from './request/readContext.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const KEY = `gsk_${'x'.repeat(20)}`
const FACTS = {
  alone: false,
  retried: false,
  spare: false,
  patienceMs: 0,
  confirmed: false,
  mayAnswerFiltered: false,
  random: 0,
}

const open = (settings: object = {}, model: object = {}) =>
  openTestEngine({
    config: {
      groq: {
        api_key: KEY,
        free: false,
        models: ['a', 'b'].map((id) => ({ id, price: { input: 0, output: 1e5 }, ...model })),
      },
      settings,
    },
    now: () => NOW,
  })

/** The error of a request whose targets failed like this, one after the other. */
function errorOf(engine: Engine, context: CallContext, ...failures: readonly Failure[]): KeywiseError {
  const pending = prepare(engine, context)
  const trail = new Trail(pending)
  failures.forEach((failure, index) => {
    const target = engine.registry.targets[index]!
    const event = { ...makeSuccess(target, NOW), ok: false, failure }
    trail.add(target, attemptReport(event, 1, null), failure, judge(failure, FACTS))
  })
  return exhausted(engine, pending, trail)
}

/** Of a budget; a call of 100 tokens may cost $10. */
const spend = (engine: Engine, usd: number) => {
  for (const target of engine.registry.targets) {
    const worstCase = { nanoUsd: usd * 1e9, inputTokens: 0, outputTokens: 0 }
    expect(engine.learned.budgets.reserve({ target, worstCase }, NOW).granted).toBe(true)
  }
}

type Bare = Exclude<FailureKind, 'timeout' | 'network'>
const parkAll = (engine: Engine, kind: Bare, facts: Partial<Failure> = {}) => {
  for (const target of engine.registry.targets) {
    const event = makeFailure(target, NOW, kind)
    engine.learned.record({ ...event, failure: { ...event.failure, ...facts } as Failure })
  }
}

test('a request for which there is room by now is not said to fit no target', () => {
  const { message } = errorOf(open(), 'hi')
  expect(message).toContain('no target had room in time; soonest: groq/a#1 at')
})

describe('whose fault it was when calls were made', () => {
  test.each<{ failure: Failure; code: string; status: number | undefined }>([
    { failure: { ...bareFailure('bad_request'), status: 422 }, code: 'INVALID_REQUEST', status: 422 },
    { failure: bareFailure('bad_request'), code: 'INVALID_REQUEST', status: 400 },
    // A refusal inside an answer of 200 is not passed on as a success.
    { failure: { ...bareFailure('bad_request'), status: 200 }, code: 'INVALID_REQUEST', status: 400 },
    { failure: { ...bareFailure('content_filter'), status: 403 }, code: 'INVALID_REQUEST', status: 400 },
    { failure: bareFailure('unsupported'), code: 'INVALID_REQUEST', status: 400 },
    { failure: bareFailure('context_too_long'), code: 'INVALID_REQUEST', status: 400 },
    { failure: bareFailure('too_large_for_limit'), code: 'INVALID_REQUEST', status: 413 },
    { failure: bareFailure('auth_invalid'), code: 'ALL_TARGETS_FAILED', status: undefined },
    { failure: bareFailure('server'), code: 'ALL_TARGETS_FAILED', status: undefined },
    { failure: bareFailure('rate_minute'), code: 'ALL_TARGETS_FAILED', status: undefined },
  ])('$failure.kind with status $failure.status becomes $code $status', ({ failure, code, status }) => {
    const error = errorOf(open(), 'Hi', failure)
    expect({ code: error.code, status: (error as { status?: number }).status }).toEqual({ code, status })
    expect(error.attempts).toHaveLength(1)
    if (code === 'INVALID_REQUEST') expect(error.message).toContain(failure.message)
  })

  test('the last failure decides', () => {
    expect(errorOf(open(), 'Hi', bareFailure('server'), bareFailure('bad_request')).code).toBe('INVALID_REQUEST')
    expect(errorOf(open(), 'Hi', bareFailure('content_filter'), bareFailure('server')).code).toBe('ALL_TARGETS_FAILED')
  })

  test('a model is not found when the caller named it and nobody serves it', () => {
    const [gone, server] = [bareFailure('model_not_found'), bareFailure('server')]
    const named = { prompt: 'Hi', model: 'a' }
    expect(errorOf(open(), named, gone)).toMatchObject({ code: 'MODEL_NOT_FOUND', model: 'a' })
    expect(errorOf(open(), named, server, gone).code).toBe('ALL_TARGETS_FAILED')
    expect(errorOf(open(), { prompt: 'Hi', model: 'auto' }, gone).code).toBe('ALL_TARGETS_FAILED')
  })

  test('a caller who left is told nothing else', () => {
    const engine = open()
    const pending = prepare(engine)
    pending.cancellation.cancel()
    expect(exhausted(engine, pending, new Trail(pending)).code).toBe('ABORTED')
  })

  test('every attempt is named, with the soonest time for a retry', () => {
    const engine = open()
    parkAll(engine, 'quota_day')
    const error = errorOf(engine, 'Hi', bareFailure('server'), bareFailure('quota_day'))
    expect(error).toMatchObject({ retryAt: expect.stringMatching(/^2026-11-2[34]T/), parkedFor: [] })
    expect(error.message).toMatch(
      /^all 2 attempts failed \(groq\/a#1 server, groq\/b#1 quota_day\); soonest retry: groq\//,
    )
  })
})

test('a budget that forbids going elsewhere ends the request with it, whatever was tried before', () => {
  const engine = open()
  const pending = prepare(engine, 'Hi')
  const trail = new Trail(pending)
  const [first, second] = engine.registry.targets
  const failure = bareFailure('bad_request')
  const event = { ...makeSuccess(first!, NOW), ok: false, failure }
  trail.add(first!, attemptReport(event, 1, null), failure, judge(failure, FACTS))
  const why = { code: 'budget', reason: 'budget groq is used up', until: NOW } as const
  const rejectedBy = { ...why, granted: false, scope: 'groq', resetsAt: NOW, onExceeded: 'reject' } as const
  trail.pass(second!, { granted: false, why, rejectedBy }, false)
  const error = exhausted(engine, pending, trail)
  expect(error).toMatchObject({ code: 'BUDGET_EXCEEDED', scope: 'groq', resetsAt: new Date(NOW).toISOString() })
  expect(error.attempts).toHaveLength(1)
})

test('a request that was called and failed is not blamed for the windows and abilities of others', () => {
  for (const facts of [{ context_tokens: 10 }, { abilities: { chat: false } }])
    expect(errorOf(open({}, facts), 'word '.repeat(100), bareFailure('server')).code).toBe('ALL_TARGETS_FAILED')
})

describe('when nothing could be called', () => {
  test('because the request is too long, it is told so', () => {
    const error = errorOf(open({}, { context_tokens: 10 }), 'word '.repeat(100))
    expect(error).toMatchObject({ code: 'INVALID_REQUEST', status: 400, attempts: [] })
    expect(error.message).toMatch(/longer than any model/)
  })

  test('because the named models lack an ability, it is told which', () => {
    const engine = open({}, { abilities: { tools: false } })
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }]
    const messages = [{ role: 'user', content: 'Hi' }]
    const error = errorOf(engine, { messages, tools, model: 'a' })
    expect(error.code).toBe('INVALID_REQUEST')
    expect(error.message).toMatch(/^"a" cannot serve this: .*tools/)
  })

  test('because every budget is used up, it is told when there is room', () => {
    const engine = open({ budgets: [{ scope: 'all', usd: 12, per: 'day' }] })
    spend(engine, 2)
    const error = errorOf(engine, { prompt: 'Hi', maxTokens: 100 })
    expect(error).toMatchObject({ code: 'BUDGET_EXCEEDED', scope: 'all', resetsAt: '2026-11-24T00:00:00.000Z' })
  })

  test('because it is larger than the budget, it is told what to do and not to wait', () => {
    const error = errorOf(open({ budgets: [{ scope: 'all', usd: 1, per: 'day' }] }), { prompt: 'Hi', maxTokens: 100 })
    expect(error).toMatchObject({ code: 'BUDGET_EXCEEDED', scope: 'all', resetsAt: null })
    expect(error.message).toMatch(
      /^no budget left: .* which is more than all of it: raise the budget, or lower "max_tokens"$/,
    )
  })

  test('because a budget is paced, it is told when its share has grown enough', () => {
    const engine = open({ budgets: [{ scope: 'all', usd: 24, per: 'day', pace: true }] })
    const error = errorOf(engine, { prompt: 'Hi', maxTokens: 200 })
    expect(error).toMatchObject({ code: 'BUDGET_EXCEEDED', scope: 'all', resetsAt: '2026-11-23T19:00:00.000Z' })
  })

  test('a budget alone is not blamed for what parks cause as well', () => {
    const engine = open({ budgets: [{ scope: 'groq/a', usd: 1, per: 'day' }] })
    for (const target of engine.registry.targets)
      if (target.model === 'b') engine.learned.record(makeFailure(target, NOW, 'zero_quota'))
    const error = errorOf(engine, { prompt: 'Hi', maxTokens: 100 })
    expect(error).toMatchObject({ code: 'ALL_TARGETS_FAILED', parkedFor: [] })
    expect(error.message).toMatch(/budget/)
    expect(error.message).toMatch(/parked/)
  })

  test('because all are parked, it is told for what, and when the first is back', () => {
    const engine = open()
    parkAll(engine, 'rate_minute', { retryAfterMs: 60_000 })
    const error = errorOf(engine, 'Hi')
    expect(error).toMatchObject({
      code: 'ALL_TARGETS_FAILED',
      parkedFor: ['rate_minute', 'rate_minute'],
      retryAt: expect.stringMatching(/^2026-11-23T12:01:0/),
      attempts: [],
    })
    expect(error.message).toMatch(
      /^nothing can be called now: parked: .* \(and 1 more\); soonest: groq\/[ab]#1 at 2026/,
    )
  })

  test('because some windows are too small and the rest lacks an ability, it is told to send less', () => {
    const [a, b] = [
      { id: 'a', context_tokens: 10 },
      { id: 'b', abilities: { tools: false } },
    ]
    const engine = openTestEngine({ config: { groq: { api_key: KEY, models: [a, b] } }, now: () => NOW })
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }]
    const error = errorOf(engine, { messages: [{ role: 'user', content: 'word '.repeat(100) }], tools })
    expect(error.code).toBe('INVALID_REQUEST')
    expect(error).toMatchObject({
      isTooLong: true,
      overflow: { inputTokens: expect.any(Number), outputTokens: null, limitTokens: 10, isEstimated: true },
      message: expect.stringMatching(
        /^the request is longer than any model that may answer it can read .*: context too small: 10/,
      ),
    })
  })

  test('a long name of a model is cut', () => {
    const engine = open({ models: { 'x*': ['groq/a'] } }, { abilities: { chat: false } })
    const error = errorOf(engine, { prompt: 'Hi', model: 'x'.repeat(300) })
    expect(error.message).toMatch(/^"x{200}" cannot serve this/)
  })

  test('of several budgets that are used up the first to have room again counts', () => {
    const budgets = [
      { scope: 'groq/a', usd: 11, per: 'month' },
      { scope: 'groq/b', usd: 11, per: 'day' },
    ]
    const engine = open({ budgets })
    spend(engine, 2)
    const error = errorOf(engine, { prompt: 'Hi', maxTokens: 100 })
    expect(error).toMatchObject({ code: 'BUDGET_EXCEEDED', resetsAt: '2026-11-24T00:00:00.000Z', attempts: [] })
    expect(error.message).toMatch(/^no budget left: .*; there is room again at 2026-11-24T00:00:00.000Z$/)
  })

  test('who could not answer in any case neither hides a budget nor counts among the parked', () => {
    const models = [
      { id: 'a', price: { input: 0, output: 1e5 } },
      { id: 'b', price: { input: 0, output: 1e5 }, abilities: { chat: false } },
    ]
    const budgets = [{ scope: 'groq/a', usd: 1, per: 'day' }]
    const config = { groq: { api_key: KEY, free: false, models } }
    const poor = openTestEngine({ config: { ...config, settings: { budgets } }, now: () => NOW })
    expect(errorOf(poor, { prompt: 'Hi', maxTokens: 100 })).toMatchObject({ code: 'BUDGET_EXCEEDED', scope: 'groq/a' })
    const parked = openTestEngine({ config, now: () => NOW })
    parkAll(parked, 'billing')
    expect(errorOf(parked, 'Hi')).toMatchObject({ code: 'ALL_TARGETS_FAILED', parkedFor: ['billing'] })
  })

  test('a time for a retry is never too early, and never over', () => {
    const engine = open()
    parkAll(engine, 'rate_minute', { retryAfterMs: 60_000.5 })
    const ends = engine.registry.targets.map((target) => engine.learned.parks.blocking(target, NOW)!.until)
    const { retryAt } = errorOf(engine, 'Hi') as AllTargetsFailedError
    expect(Date.parse(retryAt!)).toBe(Math.ceil(Math.min(...ends)))
  })

  test('an unknown time stays unknown', () => {
    const error = errorOf(open({ free_only: true }), 'Hi')
    expect(error).toMatchObject({ code: 'ALL_TARGETS_FAILED', retryAt: null })
  })
})
