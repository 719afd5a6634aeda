/** The order of the loop. What each failure leads to, row by row: test/cascade.test.ts. */

import { describe, expect, test } from 'vitest'
import { type Lab, openLab, openManager, own, trailOf } from '../../test/support/lab.ts'
import { openWorld, until } from '../../test/support/labCall.ts'
import { makeFailure } from '../../test/support/makeEvents.ts'
import { prepare } from '../../test/support/openTestEngine.ts'
import { VirtualClock } from '../../test/support/virtualClock.ts'
import { AbortedError, AllTargetsFailedError, BudgetExceededError, KeywiseError } from '../domain/errors.ts'
import type { FailureKind } from '../domain/failure.ts'
import type { FakeFault } from '../lab/fake/scenario.ts'
import { flat } from '../money/price.ts'
import { Prices } from '../money/prices.ts'
import { cascade } from './cascade.ts'
import type { Engine } from './engine.ts'
import { prepareRequest } from './prepareRequest.ts'
import { readContext } from './request/readContext.ts'
import { TargetRegistry } from './targets/targetRegistry.ts'

const alphaThenBeta = (faults: readonly FakeFault[] = [], more: object = {}) => ({
  providers: { ...own('alpha', 1, ['m'], { faults, ...more }), ...own('beta', 1, ['m']) },
})

const start = ({ manager }: Lab, context: object = {}) => prepare(manager.engine, { prompt: 'Say hi', ...context })

describe('a request that is answered', () => {
  test('at the second target has both attempts, and the winner is the one that answered', async () => {
    const lab = await openLab(alphaThenBeta([{ do: 'server' }]))
    const { trail, winner, report, call } = await cascade(lab.manager.engine, start(lab))
    expect(trailOf(trail.attempts)).toBe('alpha/m#1=server; beta/m#1=ok')
    expect(winner.target.id).toBe('beta/m#1')
    expect(report).toBe(trail.attempts.at(-1))
    expect(call.ended?.outcome.ok).toBe(true)
  })

  test('as a stream is handed over at its first content, and recorded at its end', async () => {
    const lab = await openLab(alphaThenBeta())
    const { engine } = lab.manager
    const pending = prepareRequest(engine, readContext('Say hi', true).request)
    const { trail, report, recorded, call } = await cascade(engine, pending)
    expect(report).toBeNull()
    expect(trail.attempts).toEqual([])
    call.attach({ onChunks: () => true, onEnd: () => {} })
    const last = await recorded
    expect(last).toMatchObject({ ok: true, target: 'alpha/m#1' })
    expect(trail.attempts).toEqual([last])
  })

  test('leaves no hold behind, whoever failed before', async () => {
    const budgets = [{ scope: 'all', tokens: 100_000, per: 'day' }]
    const lab = await openLab(alphaThenBeta([{ do: 'server' }]), { settings: { budgets } })
    const { engine } = lab.manager
    const { report } = await cascade(engine, start(lab))
    const [view] = engine.learned.budgets.view(engine.now)
    expect(view).toMatchObject({ spent: report!.usage!.totalTokens, reserved: 0 })
  })
})

describe('a request that goes on', () => {
  test('asks nobody again who failed it before', async () => {
    const lab = await openLab(alphaThenBeta([{ do: 'server', to: 1 }]))
    const { engine } = lab.manager
    const pending = start(lab)
    const { trail } = await cascade(engine, pending)
    expect(lab.asked()).toEqual(['alpha/m#1', 'beta/m#1'])
    await cascade(engine, pending, trail)
    expect(lab.asked()).toEqual(['beta/m#1'])
    expect(trailOf(trail.attempts)).toBe('alpha/m#1=server; beta/m#1=ok; beta/m#1=ok')
  })
})

describe('a request that nobody answers', () => {
  test('ends with every attempt', async () => {
    const scenario = { providers: own('alpha', 3, ['m'], { faults: [{ do: 'auth_invalid' as const }] }) }
    const lab = await openLab(scenario)
    const error = await cascade(lab.manager.engine, start(lab)).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(AllTargetsFailedError)
    expect((error as AllTargetsFailedError).attempts.map(({ keyIndex }) => keyIndex)).toEqual([1, 2, 3])
  })

  test('calls nobody once the caller has left or the time is up', async () => {
    const lab = await openLab(alphaThenBeta())
    const { engine } = lab.manager
    const left = start(lab)
    left.cancellation.cancel()
    await expect(cascade(engine, left)).rejects.toThrow(AbortedError)
    const late = { ...start(lab), deadlineAt: engine.tools.monotonic() - 1 }
    await expect(cascade(engine, late)).rejects.toThrow(AllTargetsFailedError)
    expect(lab.asked()).toEqual([])
  })

  test('stops at a budget that says so, and goes elsewhere at one that does not', async () => {
    const settings = (onExceeded: string) => ({
      budgets: [{ scope: 'alpha', tokens: 1, per: 'day', on_exceeded: onExceeded }],
    })
    const strict = await openLab(alphaThenBeta(), { settings: settings('reject') })
    await expect(cascade(strict.manager.engine, start(strict))).rejects.toThrow(BudgetExceededError)
    expect(strict.asked()).toEqual([])
    const lenient = await openLab(alphaThenBeta(), { settings: settings('fallback') })
    expect((await cascade(lenient.manager.engine, start(lenient))).winner.target.id).toBe('beta/m#1')
  })

  test('judges and records each failure before the next call', async () => {
    const lab = await openLab(alphaThenBeta([{ do: 'billing' }]))
    const { engine } = lab.manager
    const parked: (string | undefined)[] = []
    engine.events.on('attempt', () => {
      const [alpha] = engine.registry.targets
      parked.push(engine.learned.parks.blocking(alpha!, engine.now)?.reason)
    })
    await cascade(engine, start(lab))
    expect(parked).toEqual(['billing', 'billing'])
    expect(lab.asked()).toEqual(['alpha/m#1', 'beta/m#1'])
  })
})

test('the only target is asked again after a pause, by a new decision', async () => {
  const pauses: number[] = []
  const sleep = (ms: number) => {
    pauses.push(ms)
    return Promise.resolve()
  }
  const lab = await openLab(
    { providers: own('alpha', 1, ['m'], { faults: [{ do: 'server', to: 1 }] }) },
    { manager: { sleep } },
  )
  const decided: (string | null)[] = []
  lab.manager.engine.events.on('decision', ({ chosen }) => void decided.push(chosen))
  const { trail } = await cascade(lab.manager.engine, start(lab))
  expect(trailOf(trail.attempts)).toBe('alpha/m#1=server; alpha/m#1=ok')
  expect(decided).toEqual(['alpha/m#1', 'alpha/m#1'])
  expect(pauses).toHaveLength(1)
})

/** What a simulated provider does so that its call fails with the kind. */
const FAULTS: { readonly [K in Exclude<FailureKind, 'timeout' | 'client_gone' | 'slower'>]: FakeFault } = {
  auth_invalid: { do: 'auth_invalid' },
  auth_forbidden: { do: 'auth_forbidden' },
  billing: { do: 'billing' },
  in_flight_budget: { do: 'in_flight_budget', retry_after: 60 },
  quota_day: { do: 'quota_day', retry_after: 7200 },
  rate_minute: { do: 'rate_minute', retry_after: 60 },
  zero_quota: { do: 'zero_quota' },
  too_large_for_limit: { do: 'too_large_for_limit' },
  overloaded: { do: 'overloaded' },
  server: { do: 'server' },
  network: { do: 'reset' },
  model_not_found: { do: 'model_not_found' },
  context_too_long: { do: 'context_too_long' },
  content_filter: { do: 'content_filter' },
  empty: { do: 'says_nothing' },
  malformed: { do: 'unknown_tool' },
  unsupported: { do: 'unsupported' },
  bad_request: { do: 'bad_request' },
}
const ENDS_THE_REQUEST: readonly string[] = ['content_filter', 'bad_request']

test.each(
  Object.entries(FAULTS),
)('every attempt is recorded once and nothing stays reserved when the first to the fifth call fails with %s', async (kind, fault) => {
  const world = await openWorld({
    providers: Object.assign({}, ...[1, 2, 3, 4, 5, 6].map((place) => own(`p${place}`, 1, ['m']))),
  })
  for (const failing of [1, 2, 3, 4, 5]) {
    world.clearFaults()
    for (let place = 1; place < failing; place++) world.fault(`p${place}`, { do: 'server' })
    world.fault(`p${failing}`, fault)
    const { engine } = openManager(world, { settings: { budgets: [{ scope: 'all', tokens: 1e6, per: 'day' }] } })
    const told: unknown[] = []
    engine.events.on('attempt', ({ target, failureKind }) => void told.push([target, failureKind]))
    const pending = prepare(engine, { prompt: 'Say hi', maxAttempts: failing + 1 })
    const attempts = await attemptsOf(engine, pending)
    const kinds = [...Array<string>(failing - 1).fill('server'), kind]
    const expected = (ENDS_THE_REQUEST.includes(kind) ? kinds : [...kinds, null]).map((failed, index) => [
      `p${index + 1}/m#1`,
      failed,
    ])
    expect(attempts.map(({ target, failureKind }) => [target, failureKind])).toEqual(expected)
    expect(told).toEqual(expected)
    const rows = engine.store.attempts({ requestId: pending.id, order: 'oldest' })
    expect(rows.map(({ number }) => number)).toEqual(expected.map((_, index) => index + 1))
    expect(rows.map(({ failure }) => failure?.kind ?? null)).toEqual(expected.map(([, failed]) => failed))
    expect(engine.learned.budgets.view(engine.now)[0]?.reserved).toBe(0)
  }
})

async function attemptsOf(engine: Engine, pending: Parameters<typeof cascade>[1]) {
  try {
    return (await cascade(engine, pending)).trail.attempts
  } catch (error) {
    if (error instanceof KeywiseError) return error.attempts
    throw error
  }
}

describe('after a failed call', () => {
  test('nobody is called for a caller who has left meanwhile', async () => {
    const lab = await openLab(alphaThenBeta([{ do: 'server' }]))
    const { engine } = lab.manager
    const pending = start(lab)
    engine.events.on('attempt', () => pending.cancellation.cancel())
    const error = await cascade(engine, pending).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(AbortedError)
    expect(trailOf((error as AbortedError).attempts)).toBe('alpha/m#1=server')
    expect(lab.asked()).toEqual(['alpha/m#1'])
  })

  test('nobody is called when the time of the request ran out with it', async () => {
    let now = 0
    const lab = await openLab(alphaThenBeta([{ do: 'server' }]), { manager: { monotonic: () => now } })
    lab.manager.engine.events.on('attempt', () => {
      now += 1000
    })
    const pending = start(lab, { timeoutMs: 1000 })
    await expect(cascade(lab.manager.engine, pending)).rejects.toThrow(AllTargetsFailedError)
    expect(lab.asked()).toEqual(['alpha/m#1'])
  })

  test('nobody is called when all attempts are used up, and listeners hear when a retry can work', async () => {
    const lab = await openLab({ providers: own('alpha', 4, ['m'], { faults: [{ do: 'billing' }] }) })
    const { engine } = lab.manager
    const heard: (string | null)[] = []
    engine.events.on('exhausted', ({ retryAt }) => void heard.push(retryAt))
    const error = await cascade(engine, start(lab, { maxAttempts: 2 })).catch((thrown: unknown) => thrown)
    expect(lab.asked()).toEqual(['alpha/m#1', 'alpha/m#2'])
    expect(heard).toEqual([(error as AllTargetsFailedError).retryAt])
  })
})

test('a target is called in spite of its park when that is a guess and nobody else is left', async () => {
  const lab = await openLab({ providers: own('alpha', 1, ['m']) })
  const { engine } = lab.manager
  engine.learned.record(makeFailure(engine.registry.targets[0]!, engine.now, 'rate_minute'))
  expect((await cascade(engine, start(lab))).winner.target.id).toBe('alpha/m#1')
})

describe('waiting for room', () => {
  const NOON = Date.UTC(2026, 10, 23, 12)

  /** A provider with one model on a clock that moves only when everything waits. */
  async function openWaiting(keys = 1, faults: readonly FakeFault[] = []) {
    const clock = new VirtualClock(NOON)
    const manager = { now: clock.now, monotonic: clock.now, sleep: clock.sleep }
    const lab = await openLab(
      { providers: own('alpha', keys, ['m'], { faults }) },
      { manager, world: { now: clock.now, sleep: clock.rest } },
    )
    const { engine } = lab.manager
    const park = (retryAfterMs: number) => {
      const failure = { kind: 'rate_minute', status: 429, message: 'slow down', retryAfterMs } as const
      engine.learned.record(makeFailure(engine.registry.targets[0]!, NOON, 'rate_minute', { failure }))
    }
    /** One request from beginning to end: what it came to, and the time it took. */
    const call = async (context: object = {}, leavesAfterMs: number | null = null) => {
      const pending = start(lab, context)
      let outcome: Awaited<ReturnType<typeof cascade>> | KeywiseError | undefined
      clock.at(NOON, async () => {
        outcome = await cascade(engine, pending).catch((error: KeywiseError) => error)
      })
      if (leavesAfterMs !== null) clock.at(NOON + leavesAfterMs, async () => pending.cancellation.cancel())
      await clock.run(() => engine.waiting.size)
      return { outcome, tookMs: clock.now() - NOON }
    }
    return { lab, park, call }
  }

  test('ends with an answer as soon as a stated park is over', async () => {
    const { lab, park, call } = await openWaiting()
    park(3000)
    const { outcome, tookMs } = await call()
    expect(outcome).toMatchObject({ winner: { target: { id: 'alpha/m#1' } }, trail: { waitedMs: tookMs } })
    expect(lab.asked()).toEqual(['alpha/m#1'])
    // Up to a tenth is added to a stated wait, so that not all come back at once.
    expect(tookMs).toBeGreaterThanOrEqual(3000)
    expect(tookMs).toBeLessThanOrEqual(3310)
  })

  test.each([
    ['the patience', 30_000, {}],
    ["the caller's own time", 3000, { timeoutMs: 1000 }],
  ])('is not begun when it would be longer than %s', async (_, waitMs, context) => {
    const { lab, park, call } = await openWaiting()
    park(waitMs)
    const { outcome, tookMs } = await call(context)
    expect(outcome).toBeInstanceOf(AllTargetsFailedError)
    expect(Date.parse((outcome as AllTargetsFailedError).retryAt!)).toBeGreaterThanOrEqual(NOON + waitMs)
    expect(lab.asked()).toEqual([])
    expect(tookMs).toBe(0)
  })

  test('ends at once when the caller leaves', async () => {
    const { lab, park, call } = await openWaiting()
    park(5000)
    const { outcome, tookMs } = await call({}, 1000)
    expect(outcome).toBeInstanceOf(AbortedError)
    expect(lab.asked()).toEqual([])
    expect(tookMs).toBe(1000)
  })

  test('lets a target be called again that was only at its limit', async () => {
    const { call } = await openWaiting(2, [
      { do: 'rate_minute', key: 1, retry_after: 3, to: 1 },
      { do: 'rate_minute', key: 2, retry_after: 6 },
    ])
    const { outcome } = await call()
    if (outcome === undefined || outcome instanceof KeywiseError) throw new TypeError('nobody answered')
    expect(trailOf(outcome.trail.attempts)).toBe('alpha/m#1=rate_minute; alpha/m#2=rate_minute; alpha/m#1=ok')
  })

  test('is not begun again once the patience is used up', async () => {
    const { lab, park, call } = await openWaiting(1, [{ do: 'rate_minute', retry_after: 8 }])
    park(8000)
    const { outcome } = await call()
    expect(outcome).toBeInstanceOf(AllTargetsFailedError)
    // After the wait, and once more after the pause that the refusal asks for.
    expect(lab.asked()).toEqual(['alpha/m#1', 'alpha/m#1'])
  })
})

test('what a target may cost is computed anew after a failed call, by the price of that hour', async () => {
  const NOON = Date.UTC(2026, 10, 23, 12)
  let now = NOON - 6 * 3_600_000
  const lab = await openLab(alphaThenBeta([{ do: 'server' }]), {
    manager: { now: () => now },
    settings: { budgets: [{ scope: 'beta', usd: 0.0005, per: 'total' }] },
  })
  const { engine } = lab.manager
  const window = (output: number) => flat('list', { input: 0, output }).windows[0]!
  // 100 tokens cost 0.0001 USD in the morning and 0.001 USD from noon on.
  const price = { source: 'list', windows: [window(1), { ...window(10), from: NOON }] }
  const { config, credentials } = engine.registry
  // The lists that are read at the start replace the targets.
  await until(() => credentials.every((credential) => engine.lists.of(credential) !== null))
  const prices = new Prices({ lookup: () => price })
  engine.useTargets(new TargetRegistry({ config, credentials, listOf: () => null, prices, now }))
  engine.events.on('attempt', () => {
    now = NOON
  })
  const error = await cascade(engine, start(lab, { maxTokens: 100 })).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(AllTargetsFailedError)
  expect(lab.asked()).toEqual(['alpha/m#1'])
})
