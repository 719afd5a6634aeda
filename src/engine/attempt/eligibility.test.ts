import { describe, expect, test } from 'vitest'
import { makeFailure, makeSuccess } from '../../../test/support/makeEvents.ts'
import { openTestEngine, prepare } from '../../../test/support/openTestEngine.ts'
import type { Failure, FailureKind, LimitFact } from '../../domain/failure.ts'
import type { Engine } from '../engine.ts'
import { prepareRequest, type RequestOptions } from '../prepareRequest.ts'
import { readContext } from '../request/readContext.ts'
import { freeAt, whyNot, whyNotChoose } from './eligibility.ts'
import { Trail } from './trail.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const KEY = `gsk_${'x'.repeat(20)}`
const PRICE = { input: 0, output: 1e5 }

interface Setup {
  /** Default groq, which trains on nothing. */
  readonly provider?: string
  readonly model?: object
  readonly key?: object
  readonly settings?: object
  readonly now?: () => number
}

function open({ provider = 'groq', model = {}, key = {}, settings = {}, now = () => NOW }: Setup = {}): Engine {
  const block = { api_key: KEY, free: false, ...key, models: [{ id: 'a', price: PRICE, ...model }] }
  return openTestEngine({ config: { [provider]: block, settings }, now })
}

const only = (engine: Engine) => engine.registry.targets[0]!

interface Asked {
  readonly prompt?: string
  readonly maxTokens?: number
  readonly needs?: RequestOptions['needs']
  readonly labels?: RequestOptions['labels']
  readonly token?: string
}

/** A request of the library, or of the gateway where it says whose it is or what it needs. */
function ask(engine: Engine, { prompt = '-', maxTokens, ...options }: Asked) {
  const context = { prompt, ...(maxTokens !== undefined && { maxTokens }) }
  return prepareRequest(engine, readContext(context, false).request, options)
}

const why = (engine: Engine, context: Asked = {}) =>
  whyNot(engine.eligibility, only(engine), ask(engine, context), null, engine.now)
const whenFree = (engine: Engine, context: Asked = {}) =>
  freeAt(engine.eligibility, only(engine), ask(engine, context), engine.now)

const park = (engine: Engine, kind: Exclude<FailureKind, 'timeout' | 'network'>, times = 1) => {
  for (let time = 0; time < times; time++) engine.learned.record(makeFailure(only(engine), engine.now, kind))
}

describe('what keeps a target from a request', () => {
  test('is nothing, when nothing is known against it', () => {
    expect(why(open())).toBeNull()
    expect(whenFree(open())).toBe(NOW)
  })

  test.each<{ name: string; setup: Setup; context?: Asked; code: string; reason: RegExp; until: number | null }>([
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
      name: 'a budget that is smaller than the request',
      setup: { settings: { budgets: [{ scope: 'all', usd: 1, per: 'day' }] } },
      context: { maxTokens: 100 },
      code: 'budget',
      reason: /more than all of it: raise the budget, or lower "max_tokens"$/,
      until: null,
    },
    {
      name: 'the pace of a budget',
      setup: { settings: { budgets: [{ scope: 'all', usd: 24, per: 'day', pace: true }] } },
      context: { maxTokens: 200 },
      code: 'budget',
      reason:
        /^budget all: \$24\.00 per day, paced: \$13\.00 until 2026-11-23 13:00 UTC, \$0\.00 spent; this call may need \$20\.00$/,
      until: Date.UTC(2026, 10, 23, 19),
    },
    {
      name: 'a rule of the user',
      setup: { settings: { free_only: true } },
      code: 'free_only',
      reason: /free/,
      until: null,
    },
    {
      name: 'that another provider is wanted',
      setup: {},
      context: { needs: { provider: 'mistral' } },
      code: 'provider',
      reason: /^only mistral was/,
      until: null,
    },
    {
      name: 'that another model is wanted',
      setup: {},
      context: { needs: { among: new Set(['another']) } },
      code: 'model',
      reason: /^not among the models/,
      until: null,
    },
    {
      name: 'what the provider does with prompts',
      setup: { provider: 'mistral', key: { free: true }, settings: { privacy: 'no_training' } },
      code: 'privacy',
      reason: /^may train on prompts$/,
      until: null,
    },
    {
      name: 'a price that nobody knows',
      setup: { model: { price: undefined }, settings: { unknown_price: 'block' } },
      code: 'price',
      reason: /^price unknown$/,
      until: null,
    },
    {
      name: 'an ability that it lacks',
      setup: { model: { abilities: { tools: false } } },
      context: { needs: { abilities: ['tools'] } },
      code: 'ability',
      reason: /^cannot do tools$/,
      until: null,
    },
    {
      name: 'its quality',
      setup: { model: { quality: 0.2 }, settings: { routing: { quality_floor: 0.6 } } },
      code: 'quality',
      reason: /^quality 0\.\d\d is below the floor of 0\.6$/,
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

  test.each<{ kind: Exclude<FailureKind, 'timeout' | 'network'>; tried: boolean }>([
    { kind: 'rate_minute', tried: true },
    { kind: 'billing', tried: false },
    { kind: 'auth_invalid', tried: false },
    { kind: 'auth_forbidden', tried: false },
    { kind: 'zero_quota', tried: false },
    { kind: 'model_not_found', tried: false },
  ])('a park for $kind is ignored: $tried', ({ kind, tried }) => {
    const engine = open()
    park(engine, kind, 5)
    expect(why(engine)?.code).toBe('parked')
    expect(inNeed(engine) === null).toBe(tried)
  })

  test('a wait that the upstream stated holds', () => {
    const engine = open()
    const failure: Failure = { kind: 'rate_minute', status: 429, message: 'slow down', retryAfterMs: 60_000 }
    engine.learned.record(makeFailure(only(engine), NOW, 'rate_minute', { failure }))
    expect(inNeed(engine)).toMatchObject({ code: 'parked', kind: 'rate_minute' })
  })
})

describe('a limit', () => {
  const DAY_OVER: LimitFact = {
    unit: 'requests',
    window: 'day',
    scope: 'model',
    limit: 30,
    remaining: 0,
    resetsAt: NOW + 3_600_000,
    source: 'header',
  }

  test('without room keeps a target out until it resets, as the refusal that a call would meet', () => {
    const engine = open()
    engine.learned.record(makeSuccess(only(engine), NOW - 10, { limits: [DAY_OVER] }))
    const found = why(engine)
    expect(found).toMatchObject({ code: 'quota', kind: 'rate_minute' })
    expect(found?.reason).toMatch(/^limit: 0 of 30 requests left this day \(header\), until 13:0\d:\d\d UTC$/)
    expect(found?.until).toBeGreaterThanOrEqual(NOW + 3_600_000)
    expect(whenFree(engine)).toBe(found?.until)
  })
})

describe('an ability that a call showed to be missing', () => {
  test('keeps the model out of requests that need it, and of no others', () => {
    const engine = open({ model: { abilities: { tools: true } } })
    for (const request of ['one', 'another']) engine.missingAbilities.refused(only(engine), 'tools', request)
    const needing = { needs: { abilities: ['tools'] } } as const
    expect(why(engine, needing)).toEqual({
      code: 'ability',
      reason: 'cannot do tools, as calls showed; "keywise keys retest" has it tried again',
      until: null,
    })
    expect(whenFree(engine, needing)).toBeNull()
    expect(why(engine)).toBeNull()
  })
})

describe('a park of a model that its provider withdrew', () => {
  const RETIRED = 'llama-3.3-70b-versatile'

  test.each<{ id: string; kind: 'model_not_found' | 'zero_quota'; advised: boolean }>([
    { id: RETIRED, kind: 'model_not_found', advised: true },
    { id: RETIRED, kind: 'zero_quota', advised: false },
    { id: 'a', kind: 'model_not_found', advised: false },
  ])('names the successor: $id after $kind: $advised', ({ id, kind, advised }) => {
    const engine = open({ model: { id } })
    park(engine, kind)
    expect(/; use openai\/gpt-oss-120b$/.test(why(engine)?.reason ?? '')).toBe(advised)
  })
})

test.each<{ scope: string; carrier: Asked }>([
  { scope: 'label:team=a', carrier: { labels: { team: 'a' } } },
  { scope: 'token:ci', carrier: { token: 'ci' } },
])('a budget of $scope keeps a target only from requests that carry it', ({ scope, carrier }) => {
  const engine = open({ settings: { budgets: [{ scope, usd: 1, per: 'day' }] } })
  expect(why(engine, { maxTokens: 100, ...carrier })).toMatchObject({ code: 'budget', budget: { scope } })
  expect(why(engine, { maxTokens: 100 })).toBeNull()
})

test('a target that comes back takes a share of the requests, the same ones however often it is asked', () => {
  let now = NOW
  const engine = open({ now: () => now })
  park(engine, 'rate_minute', 3)
  now = engine.learned.parks.blocking(only(engine), now)!.until + 1
  const pending = prepare(engine)
  // The share is nothing yet, and one may find out.
  expect(whyNot(engine.eligibility, only(engine), pending, null, now)).toBeNull()
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
  // Those that are kept out are told when the share will have grown to them, and get through in need.
  const kept = requests[taken.indexOf(false)]!
  const until = freeAt(engine.eligibility, only(engine), kept, now)!
  expect(whyNot(engine.eligibility, only(engine), kept, null, now)).toMatchObject({
    reason: `coming back: gets ${Math.round(share * 100)} % of the requests for now`,
    until,
  })
  expect(whyNot(engine.eligibility, only(engine), kept, null, until - 1)).not.toBeNull()
  expect(whyNot(engine.eligibility, only(engine), kept, null, until)).toBeNull()
  expect(whyNot(engine.eligibility, only(engine), kept, null, now, true)).toBeNull()
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
