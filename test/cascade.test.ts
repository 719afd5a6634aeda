import { describe, expect, test } from 'vitest'
import type { FailureKind } from '../src/domain/failure.ts'
import type { FakeFault } from '../src/lab/fake/scenario.ts'
import { openLab, own } from './support/lab.ts'
import { until } from './support/labCall.ts'

const DIALECTS = ['openai', 'openai-responses', 'anthropic', 'google'] as const
type Dialect = (typeof DIALECTS)[number]

/** Which target follows when alpha/m#1 fails like this, and what is then parked, as scope and seconds. */
interface Row {
  readonly fault: FakeFault
  readonly kind: FailureKind
  readonly next: string | null
  readonly parks: readonly string[]
  readonly later: string
  readonly dialects?: readonly Dialect[]
}

const SECONDS = 1000
/** alpha: two keys with accounts of their own, models m and n; then beta. Tried in that order. */
const ROWS: readonly Row[] = [
  { fault: { do: 'auth_invalid' }, kind: 'auth_invalid', next: 'alpha/m#2', parks: ['key 900'], later: 'alpha/m#2' },
  {
    fault: { do: 'auth_forbidden' },
    kind: 'auth_forbidden',
    next: 'alpha/n#1',
    parks: ['target 300'],
    later: 'alpha/n#1',
  },
  { fault: { do: 'billing' }, kind: 'billing', next: 'alpha/m#2', parks: ['account 3600'], later: 'alpha/m#2' },
  {
    fault: { do: 'in_flight_budget', retry_after: 60 },
    kind: 'in_flight_budget',
    next: 'alpha/m#2',
    parks: ['key 60'],
    later: 'alpha/m#2',
  },
  { fault: { do: 'zero_quota' }, kind: 'zero_quota', next: 'alpha/n#1', parks: ['target 86400'], later: 'alpha/n#1' },
  {
    fault: { do: 'model_not_found' },
    kind: 'model_not_found',
    next: 'alpha/n#1',
    parks: ['target 900'],
    later: 'alpha/n#1',
  },
  {
    fault: { do: 'rate_minute', retry_after: 60 },
    kind: 'rate_minute',
    next: 'alpha/n#1',
    parks: ['account+model 60'],
    later: 'alpha/n#1',
    dialects: ['openai', 'openai-responses'],
  },
  {
    // It does not say whose limit it is, so no other model of the account is tried in vain.
    fault: { do: 'rate_minute', retry_after: 60 },
    kind: 'rate_minute',
    next: 'alpha/m#2',
    parks: ['account+model 60'],
    later: 'alpha/m#2',
    dialects: ['anthropic'],
  },
  {
    fault: { do: 'rate_minute', retry_after: 60 },
    kind: 'rate_minute',
    next: 'alpha/n#1',
    parks: ['account+model 60'],
    later: 'alpha/n#1',
    dialects: ['google'],
  },
  {
    fault: { do: 'quota_day' },
    kind: 'quota_day',
    next: 'alpha/n#1',
    parks: ['account+model 86400'],
    later: 'alpha/n#1',
    dialects: ['google'],
  },
  {
    // Whether it is the model's or the account's is not known until a second model is refused.
    fault: { do: 'quota_day', retry_after: 7200 },
    kind: 'quota_day',
    next: 'alpha/n#1',
    parks: ['account+model 7200'],
    later: 'alpha/n#1',
    dialects: ['openai', 'openai-responses'],
  },
  { fault: { do: 'overloaded' }, kind: 'overloaded', next: 'alpha/n#1', parks: [], later: 'alpha/m#1' },
  { fault: { do: 'server' }, kind: 'server', next: 'alpha/n#1', parks: [], later: 'alpha/m#1' },
  { fault: { do: 'html' }, kind: 'server', next: 'alpha/n#1', parks: [], later: 'alpha/m#1' },
  { fault: { do: 'empty' }, kind: 'server', next: 'alpha/n#1', parks: [], later: 'alpha/m#1' },
  { fault: { do: 'error_in_200' }, kind: 'overloaded', next: 'alpha/n#1', parks: [], later: 'alpha/m#1' },
  { fault: { do: 'redirect' }, kind: 'server', next: 'alpha/n#1', parks: [], later: 'alpha/m#1' },
  { fault: { do: 'reset' }, kind: 'network', next: 'beta/m#1', parks: [], later: 'alpha/m#1' },
  { fault: { do: 'context_too_long' }, kind: 'context_too_long', next: 'alpha/n#1', parks: [], later: 'alpha/m#1' },
  { fault: { do: 'unsupported' }, kind: 'unsupported', next: 'alpha/n#1', parks: [], later: 'alpha/m#1' },
  {
    fault: { do: 'too_large_for_limit' },
    kind: 'too_large_for_limit',
    next: 'alpha/n#1',
    parks: [],
    later: 'alpha/m#1',
  },
  { fault: { do: 'bad_request' }, kind: 'bad_request', next: null, parks: [], later: 'alpha/m#1' },
  {
    fault: { do: 'content_filter' },
    kind: 'content_filter',
    next: null,
    parks: [],
    later: 'alpha/m#1',
    // Gemini blocks with an answer, which is the caller's.
    dialects: DIALECTS.filter((dialect) => dialect !== 'google'),
  },
]

for (const { fault, kind, next, parks, later, dialects = DIALECTS } of ROWS) {
  for (const dialect of dialects) {
    test(`${kind} (${fault.do}) of a ${dialect} provider: ${next ?? 'nobody'} is asked next, ${parks[0] ?? 'nobody'} is parked`, async () => {
      const faults = [{ ...fault, key: 1, model: 'm' }]
      const lab = await openLab({
        providers: { ...own('alpha', 2, ['m', 'n'], { dialect, faults }), ...own('beta', 1, ['m'], { dialect }) },
      })
      const { attempts, error } = await lab.call()
      const asked = lab.asked()
      expect(attempts[0]).toMatchObject({ target: 'alpha/m#1', ok: false, failureKind: kind, usage: null, costUsd: 0 })
      expect(attempts[0]?.message).toBeTruthy()
      expect(attempts[1]?.target ?? null).toBe(next)
      expect([...new Set(asked)]).toEqual(next === null ? ['alpha/m#1'] : ['alpha/m#1', next])
      expect(error?.code ?? null).toBe(next === null ? 'INVALID_REQUEST' : null)
      expect(parksOf(lab)).toEqual(parks)
      if (parks.length > 0) expect(attempts[0]?.retryAt).toMatch(/^20\d\d-/)
      await lab.call()
      expect(lab.asked()[0]).toBe(later)
    })
  }
}

function parksOf(lab: Awaited<ReturnType<typeof openLab>>): string[] {
  const { engine } = lab.manager
  return engine.learned.parks.list(engine.now).map(({ scope, until: end, since }) => {
    const seconds = (end - since) / SECONDS
    // Up to 10 % jitter is added to a stated wait.
    const round = [60, 300, 900, 3600, 7200, 86_400].find((one) => seconds >= one * 0.99 && seconds <= one * 1.11)
    return `${scope} ${round ?? seconds}`
  })
}

describe('accounts', () => {
  test('a sibling key of an exhausted account is never asked', async () => {
    const keys = { a1: { account: 'a' }, a2: { account: 'a' }, b1: { account: 'b' } }
    const named = Object.fromEntries(Object.entries(keys).map(([key, facts]) => [`fake-alpha-000000${key}`, facts]))
    const lab = await openLab({
      providers: { alpha: { keys: named, models: { m: {}, n: {} }, faults: [{ do: 'billing', key: 1 }] } },
    })
    expect((await lab.call()).trail).toBe('alpha/m#1=billing; alpha/m#3=ok')
    expect((await lab.call()).trail).toBe('alpha/m#3=ok')
    expect(lab.asked()).toEqual(['alpha/m#1', 'alpha/m#3', 'alpha/m#3'])
  })

  test('three Google keys of two projects: the day of a project and model ends for both its keys, other models go on', async () => {
    const lab = await openLab(
      {
        providers: {
          google: {
            keys: {
              'fake-google-0000001': { account: 'one' },
              'fake-google-0000002': { account: 'one' },
              'fake-google-0000003': { account: 'two' },
            },
            models: { 'gemini-3.8-flash': {}, 'gemini-3.5-flash-lite': {} },
            limits: [{ unit: 'requests', window: 'day', limit: 1, zone: 'America/Los_Angeles' }],
          },
        },
      },
      { settings: { models: { flash: ['google/gemini-3.8-flash'] } } },
    )
    const flash = { prompt: 'hi', model: 'flash' }
    await lab.call(flash)
    expect((await lab.call(flash)).trail).toBe('google/gemini-3.8-flash#1=quota_day; google/gemini-3.8-flash#3=ok')
    const last = await lab.call(flash)
    expect(last.trail).toBe('google/gemini-3.8-flash#3=quota_day')
    expect(last.error).toMatchObject({ code: 'ALL_TARGETS_FAILED' })
    expect(Date.parse((last.error as unknown as { retryAt: string }).retryAt)).toBeGreaterThan(Date.now())
    lab.world.forget()
    expect((await lab.call({ prompt: 'hi', model: 'google/gemini-3.5-flash-lite' })).trail).toContain('#1=ok')
    expect((await lab.call(flash)).attempts).toEqual([])
    expect(lab.asked()).toEqual(['google/gemini-3.5-flash-lite#1'])
  })

  test('the same dead key is never asked twice in a row, however many requests come', async () => {
    const lab = await openLab({
      providers: {
        ...own('alpha', 3, ['m'], {
          faults: [
            { do: 'auth_invalid', key: 1 },
            { do: 'auth_invalid', key: 2 },
          ],
        }),
      },
    })
    for (let call = 0; call < 20; call++) expect((await lab.call()).result?.keyIndex).toBe(3)
    const counts = Object.groupBy(lab.asked(), (target) => target)
    expect(counts['alpha/m#1']).toHaveLength(1)
    expect(counts['alpha/m#2']).toHaveLength(1)
  })
})

describe('how many are asked', () => {
  test('at most five attempts, and two transient failures of one provider lead to the next', async () => {
    const lab = await openLab({
      providers: {
        ...own('alpha', 1, ['a', 'b', 'c', 'd'], { faults: [{ do: 'server' }] }),
        ...own('beta', 1, ['a', 'b', 'c', 'd'], { faults: [{ do: 'overloaded' }] }),
        ...own('gamma', 1, ['m'], { faults: [{ do: 'server' }] }),
      },
    })
    const { error, trail } = await lab.call()
    expect(error?.code).toBe('ALL_TARGETS_FAILED')
    expect(trail.split('; ')).toEqual([
      'alpha/a#1=server',
      'alpha/b#1=server',
      'beta/a#1=overloaded',
      'beta/b#1=overloaded',
      'gamma/m#1=server',
    ])
  })

  test('refused keys do not use up attempts, up to twenty tries in all', async () => {
    const lab = await openLab({ providers: own('alpha', 25, ['m'], { faults: [{ do: 'auth_invalid' }] }) })
    const first = await lab.call()
    expect(first.attempts).toHaveLength(20)
    expect(new Set(lab.asked()).size).toBe(20)
    expect((await lab.call()).attempts).toHaveLength(5)
  })

  test('max_attempts that the user wrote down caps every call; maxAttempts of a call does too', async () => {
    const scenario = { providers: own('alpha', 9, ['m'], { faults: [{ do: 'auth_invalid' as const }] }) }
    const settled = await openLab(scenario, { settings: { max_attempts: 3 } })
    expect((await settled.call()).attempts).toHaveLength(3)
    const asked = await openLab(scenario)
    expect((await asked.call({ prompt: 'hi', maxAttempts: 2 })).attempts).toHaveLength(2)
  })

  test('the only target there is gets a second try after a passing failure, and no third', async () => {
    const manager = { sleep: () => Promise.resolve() }
    for (const fault of ['server', 'overloaded'] as const) {
      const faults = (more: object) => ({ providers: own('alpha', 1, ['m'], { faults: [{ do: fault, ...more }] }) })
      const passing = await openLab(faults({ to: 1 }), { manager })
      expect((await passing.call()).trail).toBe(`alpha/m#1=${fault}; alpha/m#1=ok`)
      const lasting = await openLab(faults({}), { manager })
      expect((await lasting.call()).trail).toBe(`alpha/m#1=${fault}; alpha/m#1=${fault}`)
    }
  })

  test('a stated wait of the only target is waited for within the patience, and reported when it is longer', async () => {
    const faults = [{ do: 'rate_minute' as const, retry_after: 0.05, to: 1 }]
    const short = await openLab({ providers: own('alpha', 1, ['m'], { faults }) })
    expect((await short.call()).trail).toBe('alpha/m#1=rate_minute; alpha/m#1=ok')
    const long = await openLab({
      providers: own('alpha', 1, ['m'], { faults: [{ do: 'rate_minute', retry_after: 90 }] }),
    })
    const { error, trail } = await long.call()
    expect(trail).toBe('alpha/m#1=rate_minute')
    expect(error).toMatchObject({ code: 'ALL_TARGETS_FAILED' })
    const again = await long.call()
    expect(again.attempts).toEqual([])
    const waitMs = Date.parse((again.error as unknown as { retryAt: string }).retryAt) - Date.now()
    expect(waitMs).toBeGreaterThan(60_000)
    expect(waitMs).toBeLessThan(100_000)
  })

  test('when a guess of ours is all that keeps the last target out, it is tried', async () => {
    const lab = await openLab({
      providers: own('alpha', 1, ['m'], { dialect: 'anthropic', faults: [{ do: 'rate_minute', to: 1 }] }),
    })
    expect((await lab.call()).trail).toBe('alpha/m#1=rate_minute')
    expect((await lab.call()).trail).toBe('alpha/m#1=ok')
  })

  test('after a breaker opened, the only target comes back at once when it works again', async () => {
    const lab = await openLab({ providers: own('alpha', 1, ['m'], { faults: [{ do: 'server', to: 3 }] }) })
    await lab.call()
    // Parked now, so that it is asked once and not twice.
    expect((await lab.call()).trail).toBe('alpha/m#1=server')
    const trails: string[] = []
    for (let call = 0; call < 10; call++) trails.push((await lab.call()).trail)
    expect(trails).toEqual(Array(10).fill('alpha/m#1=ok'))
  })

  test('many at once behind one closed breaker all get their answer', async () => {
    const lab = await openLab({ providers: own('alpha', 1, ['m'], { faults: [{ do: 'server', to: 3 }] }) })
    await lab.call()
    await lab.call()
    const told = await Promise.all(Array.from({ length: 12 }, () => lab.call()))
    expect(told.map((one) => one.error?.message ?? 'ok')).toEqual(Array(12).fill('ok'))
  })
})

describe("the request's own fault", () => {
  test('a bad request stops at once and lowers nobody', async () => {
    const lab = await openLab({
      providers: { ...own('alpha', 1, ['m'], { faults: [{ do: 'bad_request' }] }), ...own('beta', 1, ['m']) },
    })
    const before = lab.manager.rankTargets().map(({ target, score, eligible }) => [target, score, eligible])
    const { error, attempts } = await lab.call()
    expect(error).toMatchObject({ code: 'INVALID_REQUEST', status: 400 })
    expect(attempts).toHaveLength(1)
    expect(lab.manager.rankTargets().map(({ target, score, eligible }) => [target, score, eligible])).toEqual(before)
  })

  test('an option that is unsupported moves on, and stops when a second dialect agrees', async () => {
    const lab = await openLab({
      providers: {
        ...own('alpha', 1, ['m', 'n']),
        ...own('beta', 1, ['m'], { dialect: 'anthropic' }),
        ...own('gamma', 1, ['m']),
      },
    })
    const message = 'This model does not support a message that ends with the assistant.'
    lab.world.refuseIf((provider) =>
      provider === 'gamma' ? null : { status: 400, body: { error: { message, type: 'invalid_request_error' } } },
    )
    const { error, trail } = await lab.call()
    expect(trail).toBe('alpha/m#1=unsupported; alpha/n#1=unsupported; beta/m#1=unsupported')
    expect(error?.code).toBe('INVALID_REQUEST')
    expect(error?.message).toContain(message)
    expect(lab.asked()).not.toContain('gamma/m#1')
  })

  test('an ability that is lacking moves on, however many lack it', async () => {
    const lacking = { faults: [{ do: 'unsupported' as const }] }
    const lab = await openLab({
      providers: {
        ...own('alpha', 1, ['m', 'n'], lacking),
        ...own('beta', 1, ['m'], lacking),
        ...own('gamma', 1, ['m']),
      },
    })
    const { trail } = await lab.call({ prompt: 'hi', tools: [{ name: 'f', parameters: { type: 'object' } }] })
    expect(trail).toBe('alpha/m#1=unsupported; alpha/n#1=unsupported; beta/m#1=unsupported; gamma/m#1=ok')
  })

  test('too long a prompt goes only to larger windows, or unknown ones', async () => {
    const models = { small: { context_tokens: 100 }, same: { context_tokens: 100 }, large: { context_tokens: 5000 } }
    const lab = await openLab(
      { providers: { alpha: { keys: { 'fake-alpha-0000001': {} }, models } } },
      {
        config: (config) => ({
          alpha: {
            ...config['alpha'],
            models: [{ id: 'small' }, { id: 'same', context_tokens: 100 }, { id: 'large', context_tokens: 5000 }],
          },
        }),
      },
    )
    const { trail } = await lab.call({ prompt: 'long words '.repeat(80) })
    expect(trail).toBe('alpha/small#1=context_too_long; alpha/large#1=ok')
    const { error } = await lab.call({ prompt: 'long words '.repeat(3000) })
    expect(error).toMatchObject({ code: 'INVALID_REQUEST' })
  })

  test('a filtered answer is final, unless the caller allows another provider', async () => {
    for (const dialect of DIALECTS) {
      const lab = await openLab({
        providers: {
          ...own('alpha', 1, ['m', 'n'], { dialect, faults: [{ do: 'content_filter' }] }),
          ...own('beta', 1, ['m']),
        },
      })
      expect((await lab.call()).trail).toBe('alpha/m#1=content_filter')
      const allowed = await lab.call({ prompt: 'hi', retryFiltered: true })
      expect(allowed.trail).toBe('alpha/m#1=content_filter; beta/m#1=ok')
    }
  })

  test('a model that nobody has any more is a 404 with the nearest names', async () => {
    const lab = await openLab({
      providers: { ...own('alpha', 1, ['gpt-x'], { models: { 'gpt-x': { retired: true }, 'gpt-y': {} } }) },
    })
    const { error } = await lab.call({ prompt: 'hi', model: 'gpt-x' })
    expect(error).toMatchObject({ code: 'MODEL_NOT_FOUND' })
    expect(error?.message).toContain('gpt-y')
  })
})

describe('the one repair', () => {
  const refuses = (parameter: string) => ({
    status: 400,
    body: {
      error: {
        message: `Unsupported parameter: '${parameter}' is not supported with this model.`,
        type: 'invalid_request_error',
        param: parameter,
        code: 'unsupported_parameter',
      },
    },
  })

  test('a parameter that a provider knows under another name is renamed, and remembered', async () => {
    const lab = await openLab({ providers: own('alpha', 1, ['m'], { faults: [] }) })
    const bodies = refuseBodies(lab, (body) => ('max_tokens' in body ? refuses('max_tokens') : null))
    const first = await lab.call({ prompt: 'hi', maxTokens: 50 })
    expect(first.trail).toBe('alpha/m#1=unsupported; alpha/m#1=ok')
    expect((await lab.call({ prompt: 'hi', maxTokens: 50 })).trail).toBe('alpha/m#1=ok')
    expect(bodies().map((body) => [body['max_tokens'] ?? null, body['max_completion_tokens'] ?? null])).toEqual([
      [50, null],
      [null, 50],
      [null, 50],
    ])
  })

  test('what the caller asked for is never dropped', async () => {
    const lab = await openLab({ providers: { ...own('alpha', 1, ['m']), ...own('beta', 1, ['m']) } })
    refuseBodies(lab, (body, provider) => (provider === 'alpha' && 'stop' in body ? refuses('stop') : null))
    expect((await lab.call({ prompt: 'hi', stop: ['END'] })).trail).toBe('alpha/m#1=unsupported; beta/m#1=ok')
  })
})

/** Lets the world refuse by what is in a body. Returns the bodies seen so far. */
function refuseBodies(
  { world }: Awaited<ReturnType<typeof openLab>>,
  refuse: (body: Record<string, unknown>, provider: string) => { status: number; body: unknown } | null,
): () => Record<string, unknown>[] {
  world.refuseIf((provider, body) => refuse(body as Record<string, unknown>, provider)) // our own client writes objects
  return () => world.calls.map((call) => call.body as Record<string, unknown>)
}

describe('time and leaving', () => {
  test("the caller's deadline ends the cascade, and nobody is charged for it", async () => {
    const lab = await openLab({
      providers: {
        ...own('alpha', 1, ['m', 'n'], { faults: [{ do: 'silence' }] }),
        ...own('beta', 1, ['m'], { faults: [{ do: 'silence' }] }),
      },
    })
    const { error, attempts } = await lab.call({ prompt: 'hi', timeoutMs: 120 })
    expect(error).toMatchObject({ code: 'ALL_TARGETS_FAILED' })
    // Others may have been asked beside the first: its time is shared.
    expect(attempts[0]?.target).toBe('alpha/m#1')
    for (const attempt of attempts) expect(attempt.failureKind).toBe('timeout')
    await lab.call({ prompt: 'hi', timeoutMs: 120 })
    await lab.call({ prompt: 'hi', timeoutMs: 120 })
    expect(lab.manager.rankTargets().every((row) => row.eligible)).toBe(true)
    await until(() => lab.world.inFlight() === 0)
  })

  test('a silent target costs its own allowance only, and the next one answers', async () => {
    const lab = await openLab(
      { providers: { ...own('alpha', 1, ['m'], { faults: [{ do: 'silence' }] }), ...own('beta', 1, ['m']) } },
      { settings: { timeouts: { first_token_ms: 300 } } },
    )
    const stream = lab.manager.streamWithFallback('hi')
    const result = await stream.result
    expect(result.attempts.map((attempt) => [attempt.target, attempt.failureKind])).toEqual([
      ['alpha/m#1', 'timeout'],
      ['beta/m#1', null],
    ])
    await until(() => lab.world.inFlight() === 0)
  })

  test('an abort ends the running call, and nothing else is asked', async () => {
    const lab = await openLab({
      providers: { ...own('alpha', 1, ['m'], { faults: [{ do: 'silence' }] }), ...own('beta', 1, ['m']) },
    })
    const controller = new AbortController()
    const calling = lab.call({ prompt: 'hi', signal: controller.signal })
    await until(() => lab.world.inFlight() === 1)
    controller.abort()
    const { error } = await calling
    expect(error).toMatchObject({ code: 'ABORTED', name: 'AbortError' })
    await until(() => lab.world.inFlight() === 0)
    expect(lab.asked()).toEqual(['alpha/m#1'])
    expect(lab.manager.rankTargets().every((row) => row.eligible)).toBe(true)
  })

  test('who has left before it began asks nobody', async () => {
    const lab = await openLab({ providers: own('alpha', 1, ['m']) })
    expect((await lab.call({ prompt: 'hi', signal: AbortSignal.abort() })).error?.code).toBe('ABORTED')
    expect(lab.asked()).toEqual([])
  })

  test('closing the manager leaves no socket open', async () => {
    const lab = await openLab({ providers: own('alpha', 1, ['m']) })
    await lab.call()
    await lab.manager.close()
    await until(() => lab.world.openSockets() === 0)
  })
})

describe('what listeners are told', () => {
  test('decisions, attempts, the outage of all targets and its end', async () => {
    const lab = await openLab({ providers: own('alpha', 2, ['m'], { faults: [{ do: 'server', to: 2 }] }) })
    const news: string[] = []
    lab.manager
      .on('decision', ({ chosen }) => news.push(`decision ${chosen}`))
      .on('attempt', ({ target, failureKind }) => news.push(`attempt ${target} ${failureKind ?? 'ok'}`))
      .on('exhausted', ({ model, attempts }) => news.push(`exhausted ${model} ${attempts.length}`))
      .on('recovered', ({ model, target }) => news.push(`recovered ${model} ${target}`))
    await lab.call({ prompt: 'hi', maxAttempts: 1 })
    await lab.call({ prompt: 'hi', maxAttempts: 1 })
    await lab.call()
    expect(news).toEqual([
      'decision alpha/m#1',
      'attempt alpha/m#1 server',
      'exhausted auto 1',
      'decision alpha/m#1',
      'attempt alpha/m#1 server',
      'exhausted auto 1',
      expect.stringMatching(/^decision /),
      expect.stringMatching(/^attempt alpha\/m#\d ok/),
      expect.stringMatching(/^recovered auto/),
    ])
  })
})
