/** The caller's time is shared among targets: one that is silent cannot use it up while another could answer. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CallContext } from '../src/engine/request/readContext.ts'
import type { FakeFault, FakeScenario } from '../src/lab/fake/scenario.ts'
import { openGateway, until } from './support/gatewayWorld.ts'
import { HandClock } from './support/handClock.ts'
import { type Lab, type LabOptions, openLab, own, type Told, trailOf } from './support/lab.ts'

const SILENT: readonly FakeFault[] = [{ do: 'silence' }]
const slow = (ms: number): readonly FakeFault[] => [{ do: 'slow', ms }]

interface TimedLab extends Lab {
  readonly clock: HandClock
  /** Waits until so many calls are in flight. */
  flying(calls: number): Promise<void>
}

async function openTimed(providers: FakeScenario['providers'], options: LabOptions = {}): Promise<TimedLab> {
  const clock = new HandClock()
  const lab = await openLab(
    { providers },
    { ...options, manager: { monotonic: clock.monotonic, ...options.manager }, world: { sleep: clock.sleep } },
  )
  const flying = (calls: number) => until(() => lab.world.inFlight() === calls && lab.world.calls.length >= calls)
  return { ...lab, clock, flying }
}

const pair = (alpha: readonly FakeFault[], beta: readonly FakeFault[] = [], more: object = {}) => ({
  ...own('alpha', 1, ['m'], { faults: alpha, ...more }),
  ...own('beta', 1, ['m'], { faults: beta, ...more }),
})

/** Plain or streamed, with what it came to. */
async function ask({ manager, call }: Lab, stream: boolean, context: CallContext): Promise<Told> {
  if (!stream) return call(context)
  try {
    const result = await manager.streamWithFallback(context).result
    return { result, error: null, attempts: result.attempts, trail: trailOf(result.attempts) }
  } catch (thrown) {
    const error = thrown as NonNullable<Told['error']> // what the library throws
    return { result: null, error, attempts: error.attempts, trail: trailOf(error.attempts) }
  }
}

/** The ids of the targets that were asked so far, without forgetting them. */
const seen = ({ world }: Lab) => world.calls.map(({ provider, model, key }) => `${provider}/${model}#${key}`)

const askedOf = ({ world }: Lab, provider: string) => world.calls.filter((call) => call.provider === provider).length

/** A request of the pair, of which alpha is silent in its first calls: that is waited for until half of the time. */
async function askInTime(lab: TimedLab, stream: boolean, silentCalls: number, timeoutMs = 20_000): Promise<Told> {
  const before = lab.world.calls.length
  const calling = ask(lab, stream, { prompt: 'hi', model: 'both', timeoutMs })
  await until(() => lab.world.calls.length > before)
  const isSilent = lab.world.calls[before]?.provider === 'alpha' && askedOf(lab, 'alpha') <= silentCalls
  if (isSilent) lab.clock.pass(timeoutMs / 2)
  return calling
}

describe.each([
  ['priority', false],
  ['priority', true],
  ['round-robin', false],
  ['round-robin', true],
] as const)('a target that keeps silent, by %s (streamed: %s)', (strategy, stream) => {
  const settings = { routing: { strategy, exploration: { rate: 0 } }, models: { both: ['alpha/m', 'beta/m'] } }
  const open = async (silentCalls: number) => {
    const clock = new HandClock()
    const lab = await openLab(
      { providers: pair([{ do: 'silence', to: silentCalls }]) },
      { settings, manager: { monotonic: clock.monotonic, now: () => 1_800_000_000_000 + clock.monotonic() } },
    )
    return { ...lab, clock, flying: async () => {} }
  }

  test('comes after others once three requests waited for it in vain', async () => {
    const lab = await open(100)
    for (let request = 0; request < 20; request++)
      expect((await askInTime(lab, stream, 100)).result?.provider).toBe('beta')
    expect(lab.world.calls.length).toBeLessThanOrEqual(24)
    const { engine } = lab.manager
    expect(engine.learned.parks.list(engine.now)).toEqual([])
  })

  test('is still asked first by requests that can wait longer', async () => {
    const lab = await open(100)
    for (let request = 0; request < 8; request++) await askInTime(lab, stream, 100)
    expect(askedOf(lab, 'alpha')).toBe(3)
    for (const _ of [1, 2]) await askInTime(lab, stream, 100, 60_000)
    expect(askedOf(lab, 'alpha')).toBeGreaterThan(3)
  })

  test('is found to answer again', async () => {
    const lab = await open(4)
    const providers: (string | undefined)[] = []
    for (let request = 0; request < 50; request++) {
      lab.clock.pass(5000)
      providers.push((await askInTime(lab, stream, 4)).result?.provider)
    }
    expect(providers.slice(-4).filter((provider) => provider === 'alpha').length).toBe(strategy === 'priority' ? 4 : 2)
  })
})

describe.each([
  ['a plain call', false],
  ['a stream', true],
] as const)('with a deadline, %s', (_, stream) => {
  const context = { prompt: 'hi', timeoutMs: 20_000 }

  test('that is silent at half of it gets the next target beside it, whose content wins', async () => {
    const lab = await openTimed(pair(SILENT))
    const calling = ask(lab, stream, context)
    await lab.flying(1)
    lab.clock.pass(9000)
    await someTicks()
    expect(seen(lab)).toEqual(['alpha/m#1'])
    lab.clock.pass(1000)
    const { result, trail, attempts } = await calling
    expect(result?.provider).toBe('beta')
    expect(trail).toBe('alpha/m#1=slower; beta/m#1=ok')
    expect(attempts[0]).toMatchObject({ ok: false, status: null, latencyMs: 10_000, firstTokenMs: null, retryAt: null })
    await until(() => lab.world.inFlight() === 0)
  })

  test('is answered by the first target when that is sooner', async () => {
    const lab = await openTimed(pair(slow(12_000), slow(5000)))
    const calling = ask(lab, stream, context)
    await until(() => lab.clock.asleep === 1)
    lab.clock.pass(10_000)
    await until(() => lab.clock.asleep === 2)
    lab.clock.pass(2000)
    const { trail, attempts } = await calling
    expect(trail).toBe('beta/m#1=slower; alpha/m#1=ok')
    expect(attempts.map(({ latencyMs }) => latencyMs)).toEqual([2000, 12_000])
    await until(() => lab.world.inFlight() === 0)
  })

  test('is still answered by the first when the second fails, and every other one', async () => {
    const lab = await openTimed({
      ...pair(slow(12_000), [{ do: 'server' }]),
      ...own('gamma', 1, ['m'], { faults: [{ do: 'billing' }] }),
    })
    const calling = ask(lab, stream, context)
    await until(() => lab.clock.asleep === 1)
    lab.clock.pass(10_000)
    await until(() => seen(lab).length === 3)
    lab.clock.pass(2000)
    expect((await calling).trail).toBe('beta/m#1=server; gamma/m#1=billing; alpha/m#1=ok')
  })

  test('goes on with the second when the first fails', async () => {
    const settings = { timeouts: { first_token_ms: 12_000 } }
    const lab = await openTimed(pair(SILENT, slow(5000)), { settings })
    const calling = ask(lab, stream, context)
    await lab.flying(1)
    lab.clock.pass(10_000)
    await until(() => lab.clock.asleep === 1)
    lab.clock.pass(2000)
    await until(() => lab.world.inFlight() === 1)
    lab.clock.pass(3000)
    expect((await calling).trail).toBe('alpha/m#1=timeout; beta/m#1=ok')
  })

  test('asks a third at three quarters when two are silent', async () => {
    const lab = await openTimed({ ...pair(SILENT, SILENT), ...own('gamma', 1, ['m']) })
    const calling = ask(lab, stream, context)
    await lab.flying(1)
    lab.clock.pass(10_000)
    await lab.flying(2)
    lab.clock.pass(5000)
    expect((await calling).trail).toBe('alpha/m#1=slower; beta/m#1=slower; gamma/m#1=ok')
    await until(() => lab.world.inFlight() === 0)
  })

  test('fails at its end when all are silent, and leaves nothing behind', async () => {
    const budgets = [{ scope: 'all', tokens: 1_000_000, per: 'day' }]
    const lab = await openTimed(pair(SILENT, SILENT), { settings: { budgets } })
    const calling = ask(lab, stream, context)
    await lab.flying(1)
    lab.clock.pass(10_000)
    await lab.flying(2)
    lab.clock.pass(10_000)
    const { error, trail } = await calling
    expect(error?.code).toBe('ALL_TARGETS_FAILED')
    expect(trail).toBe('alpha/m#1=timeout; beta/m#1=timeout')
    await until(() => lab.world.inFlight() === 0)
    const { engine } = lab.manager
    expect(engine.learned.budgets.view(engine.now)[0]?.reserved).toBe(0)
  })

  test('asks no more targets than it may', async () => {
    const lab = await openTimed({ ...pair(SILENT, SILENT), ...own('gamma', 1, ['m']) })
    const calling = ask(lab, stream, { ...context, maxAttempts: 2 })
    await lab.flying(1)
    for (let half = 10_000; half > 100; half /= 2) {
      lab.clock.pass(half)
      await someTicks()
    }
    lab.clock.pass(1000)
    expect((await calling).trail).toBe('alpha/m#1=timeout; beta/m#1=timeout')
  })

  test('prefers another provider to another key or model of the silent one', async () => {
    const lab = await openTimed({
      ...own('alpha', 2, ['m', 'n'], { faults: SILENT }),
      ...own('beta', 1, ['m']),
    })
    const calling = ask(lab, stream, context)
    await lab.flying(1)
    lab.clock.pass(10_000)
    expect((await calling).trail).toBe('alpha/m#1=slower; beta/m#1=ok')
  })

  test('ends both calls when the caller leaves', async () => {
    const lab = await openTimed(pair(SILENT, SILENT))
    const controller = new AbortController()
    const calling = ask(lab, stream, { ...context, signal: controller.signal })
    await lab.flying(1)
    lab.clock.pass(10_000)
    await lab.flying(2)
    controller.abort()
    const { error, trail } = await calling
    expect(error?.code).toBe('ABORTED')
    expect(trail.split('; ').toSorted()).toEqual(['alpha/m#1=client_gone', 'beta/m#1=client_gone'])
    await until(() => lab.world.inFlight() === 0)
  })

  test('keeps the only target until the end', async () => {
    const lab = await openTimed(own('alpha', 1, ['m'], { faults: slow(19_000) }))
    const calling = ask(lab, stream, context)
    await until(() => lab.clock.asleep === 1)
    for (const ms of [10_000, 5000, 4000]) {
      await someTicks()
      lab.clock.pass(ms)
    }
    expect((await calling).trail).toBe('alpha/m#1=ok')
  })

  test('never asks a second one whose cost a hard budget does not hold', async () => {
    const budgets = [{ scope: 'all', tokens: 300, per: 'day', hard: true }]
    const lab = await openTimed(pair(slow(12_000)), { settings: { budgets } })
    const calling = ask(lab, stream, { ...context, maxTokens: 150 })
    await until(() => lab.clock.asleep === 1)
    lab.clock.pass(10_000)
    await someTicks()
    expect(seen(lab)).toEqual(['alpha/m#1'])
    lab.clock.pass(2000)
    expect((await calling).trail).toBe('alpha/m#1=ok')
  })

  test('looks again for a target that had no room at half of it', async () => {
    let now = Date.UTC(2026, 10, 23, 12)
    const budgets = [{ scope: 'beta', requests: 1, per: 'minute' }]
    const lab = await openTimed(pair(SILENT), { settings: { budgets }, manager: { now: () => now } })
    expect((await lab.call({ prompt: 'hi', model: 'beta/m' })).trail).toBe('beta/m#1=ok')
    lab.asked()
    const calling = ask(lab, stream, context)
    await lab.flying(1)
    lab.clock.pass(10_000)
    await someTicks()
    expect(seen(lab)).toEqual(['alpha/m#1'])
    now += 60_000
    lab.clock.pass(5000)
    expect((await calling).trail).toBe('alpha/m#1=slower; beta/m#1=ok')
  })

  test('charges nothing to the slower one but what it cost', async () => {
    const prices = (config: Record<string, Record<string, unknown>>) =>
      Object.fromEntries(
        Object.entries(config).map(([id, block]) => [
          id,
          { ...block, models: [{ id: 'm', price: { input: 1000, output: 1000 } }] },
        ]),
      )
    const budgets = [{ scope: 'all', usd: 100, per: 'day' }]
    const lab = await openTimed(pair(SILENT), { settings: { budgets }, config: prices })
    const before = lab.manager.rankTargets()
    const calling = ask(lab, stream, context)
    await lab.flying(1)
    lab.clock.pass(10_000)
    const { attempts } = await calling
    const [loser, winner] = attempts
    expect(loser).toMatchObject({ failureKind: 'slower', retryAt: null, usage: { outputTokens: 0, estimated: true } })
    expect(loser!.costUsd).toBeGreaterThan(0)
    const { engine } = lab.manager
    const [view] = engine.learned.budgets.view(engine.now)
    expect(view).toMatchObject({ reserved: 0 })
    expect(view!.spent).toBe(Math.round((loser!.costUsd! + winner!.costUsd!) * 1e9))
    const alpha = lab.manager.rankTargets().find(({ provider }) => provider === 'alpha')!
    const { terms } = before.find(({ provider }) => provider === 'alpha')!
    expect(alpha).toMatchObject({ eligible: true })
    expect(alpha.terms.reliability).toBe(terms.reliability)
    // It was silent for ten seconds: that is slow.
    expect(alpha.terms.speed).toBeLessThan(terms.speed)
    expect([...engine.learned.tally.rows()].map(({ provider, failCount }) => [provider, failCount])).toEqual([
      ['beta', 0],
    ])
  })
})

/** Long enough for a deadline that has passed to be noticed. */
const someTicks = () => new Promise((resolve) => setTimeout(resolve, 150))

test('beside a silent target, one that takes less than half of the deadline answers, in every world', async () => {
  const world = fc.record({
    deadlineMs: fc.integer({ min: 200, max: 100_000 }),
    /** What the healthy target takes, as a share of half of the deadline. */
    share: fc.double({ min: 0, max: 0.99, noNaN: true }),
    stream: fc.boolean(),
    dialect: fc.constantFrom('openai', 'openai-responses', 'anthropic', 'google'),
    strategy: fc.constantFrom('priority', 'score', 'learned', 'round-robin'),
    keys: fc.integer({ min: 1, max: 3 }),
    firstTokenMs: fc.option(fc.integer({ min: 100_000, max: 600_000 })),
  })
  await fc.assert(
    fc.asyncProperty(world, async ({ deadlineMs, share, stream, dialect, strategy, keys, firstTokenMs }) => {
      const ms = Math.floor(share * (deadlineMs / 2))
      const providers = {
        ...own('alpha', keys, ['m'], { dialect, faults: SILENT }),
        ...own('beta', 1, ['m'], { dialect, faults: ms > 0 ? slow(ms) : [] }),
      }
      const timeouts = firstTokenMs === null ? {} : { first_token_ms: firstTokenMs }
      const lab = await openTimed(providers, { settings: { routing: { strategy }, timeouts } })
      const calling = ask(lab, stream, { prompt: 'hi', timeoutMs: deadlineMs })
      let isOver = false
      void calling.finally(() => (isOver = true))
      await until(() => isOver || lab.world.inFlight() === 1)
      if (seen(lab)[0] !== 'beta/m#1') lab.clock.pass(Math.ceil(deadlineMs / 2))
      await until(() => isOver || lab.clock.asleep === 1)
      lab.clock.pass(ms)
      const { result, trail } = await calling
      expect(result?.provider, trail).toBe('beta')
      await until(() => lab.world.inFlight() === 0)
      await lab.manager.close()
    }),
    { numRuns: 25 },
  )
})

test('whatever the targets do and whenever the caller leaves, every call ends, once, and holds nothing', async () => {
  const behaviour = fc.oneof(
    fc.constant<readonly FakeFault[]>([]),
    fc.constant(SILENT),
    fc.integer({ min: 1, max: 9 }).map((tenths) => slow(tenths * 1600)),
    fc
      .constantFrom('server', 'rate_minute', 'auth_invalid', 'model_not_found', 'bad_request', 'reset')
      .map((kind): readonly FakeFault[] => [{ do: kind, retry_after: 60 }]),
  )
  const world = fc.record({
    targets: fc.array(behaviour, { minLength: 1, maxLength: 4 }),
    stream: fc.boolean(),
    maxAttempts: fc.option(fc.integer({ min: 1, max: 4 })),
    leavesAfter: fc.option(fc.integer({ min: 0, max: 15 })),
    isHedged: fc.boolean(),
    /** Room for this many calls. */
    room: fc.integer({ min: 1, max: 4 }),
  })
  await fc.assert(
    fc.asyncProperty(world, async ({ targets, stream, maxAttempts, leavesAfter, isHedged, room }) => {
      const providers = Object.assign(
        {},
        ...targets.map((faults, index) => own(`p${index}`, 1, ['m'], { faults: [...faults] })),
      )
      const budgets = [{ scope: 'all', requests: room, per: 'day' }]
      const lab = await openTimed(providers, { settings: { budgets, ...(isHedged && { hedge: { after: 1500 } }) } })
      const { engine } = lab.manager
      const recorded: string[] = []
      lab.manager.on('attempt', ({ target }) => recorded.push(target))
      const leaving = new AbortController()
      const calling = ask(lab, stream, {
        prompt: 'hi',
        timeoutMs: 16_000,
        signal: leaving.signal,
        ...(maxAttempts !== null && { maxAttempts }),
      })
      let told: Told | null = null
      void calling.then((end) => (told = end))
      for (let second = 0; told === null; second++) {
        if (second === leavesAfter) leaving.abort()
        expect(engine.learned.budgets.view(engine.now)[0]!.spent).toBeLessThanOrEqual(room)
        lab.clock.pass(second < 100 ? 1000 : 100_000)
        await new Promise((resolve) => setTimeout(resolve, 60))
      }
      const { attempts, result } = await calling
      await until(() => lab.world.inFlight() === 0 && engine.tools.deadlines.size === 0)
      expect(recorded.toSorted()).toEqual(attempts.map(({ target }) => target).toSorted())
      expect(attempts.filter(({ ok }) => ok)).toHaveLength(result === null ? 0 : 1)
      expect(attempts.length).toBeLessThanOrEqual(maxAttempts ?? 20)
      const [view] = engine.learned.budgets.view(engine.now)
      expect(view!.reserved).toBe(0)
      expect(view!.spent).toBeLessThanOrEqual(room)
      lab.clock.pass(1e9)
      await lab.manager.close()
      await lab.world.close()
    }),
    { numRuns: 20 },
  )
})

describe('without a deadline of the caller', () => {
  test('nobody is asked beside a silent target until its own time is over', async () => {
    for (const stream of [false, true]) {
      const lab = await openTimed(pair(SILENT))
      const calling = ask(lab, stream, { prompt: 'hi', maxTokens: 500 })
      await lab.flying(1)
      lab.clock.pass(59_000)
      await someTicks()
      expect(seen(lab)).toEqual(['alpha/m#1'])
      lab.clock.pass(stream ? 1000 : 6000)
      expect((await calling).trail).toBe('alpha/m#1=timeout; beta/m#1=ok')
    }
  })

  test('a number for first_token_ms holds for plain calls as for streams', async () => {
    for (const stream of [false, true]) {
      const lab = await openTimed(pair(SILENT), { settings: { timeouts: { first_token_ms: 4000 } } })
      const calling = ask(lab, stream, 'hi')
      await lab.flying(1)
      lab.clock.pass(4000)
      const { attempts, trail } = await calling
      expect(trail).toBe('alpha/m#1=timeout; beta/m#1=ok')
      expect(attempts[0]).toMatchObject({ latencyMs: 4000, message: 'no content within 4 s' })
    }
  })

  test('total_ms of the settings is shared in the same way', async () => {
    const lab = await openTimed(pair(SILENT), { settings: { timeouts: { total_ms: 8000 } } })
    const calling = lab.call()
    await lab.flying(1)
    lab.clock.pass(4000)
    expect((await calling).trail).toBe('alpha/m#1=slower; beta/m#1=ok')
  })
})

describe('hedging', () => {
  const COSTS = { input: 1, output: 10 }
  const priced =
    (price: object | null) =>
    (config: Record<string, Record<string, unknown>>): object =>
      Object.fromEntries(
        Object.entries(config).map(([id, block]) => [id, { ...block, models: [{ id: 'm', ...(price && { price }) }] }]),
      )
  const open = (hedge: object, price: object | null = COSTS, providers = pair(SILENT)) =>
    openTimed(providers, { settings: { hedge }, config: priced(price) })

  test.each([
    ['plain', false],
    ['streamed', true],
  ] as const)('asks a second target after the stated silence (%s)', async (_, stream) => {
    const lab = await open({ after: 1500 })
    const calling = ask(lab, stream, { prompt: 'hi', maxTokens: 100 })
    await lab.flying(1)
    lab.clock.pass(1400)
    await someTicks()
    expect(seen(lab)).toEqual(['alpha/m#1'])
    lab.clock.pass(100)
    expect((await calling).trail).toBe('alpha/m#1=slower; beta/m#1=ok')
    await until(() => lab.world.inFlight() === 0)
  })

  test('asks nobody whose worst cost is unknown or higher than allowed', async () => {
    const cases = [
      { hedge: { after: 1000, max_extra_usd: 0.0001 }, price: COSTS },
      { hedge: { after: 1000, max_extra_usd: 1 }, price: null },
    ]
    for (const { hedge, price } of cases) {
      const lab = await open(hedge, price, pair(slow(5000)))
      const calling = lab.call({ prompt: 'hi', maxTokens: 100 })
      await until(() => lab.clock.asleep === 1)
      lab.clock.pass(4000)
      await someTicks()
      expect(seen(lab)).toEqual(['alpha/m#1'])
      lab.clock.pass(1000)
      expect((await calling).trail).toBe('alpha/m#1=ok')
    }
  })

  test('bounds the second answer where the request does not', async () => {
    const lab = await open({ after: 1000, max_extra_usd: 0.2 })
    const calling = lab.call('hi')
    await lab.flying(1)
    lab.clock.pass(1000)
    expect((await calling).trail).toBe('alpha/m#1=slower; beta/m#1=ok')
    const [first, second] = lab.world.calls.map(({ body }) => body as Record<string, unknown>)
    expect(first).not.toHaveProperty('max_tokens')
    expect(second).toHaveProperty('max_tokens', 16_384)
  })

  test('passes over what is too dear and takes what is not', async () => {
    const lab = await openTimed(
      { ...pair(SILENT), ...own('gamma', 1, ['m']) },
      {
        settings: { hedge: { after: 1000, max_extra_usd: 0.01 } },
        config: (config) => ({
          alpha: config['alpha']!,
          beta: { ...config['beta'], models: [{ id: 'm', price: { input: 1000, output: 1000 } }] },
          gamma: { ...config['gamma'], models: [{ id: 'm', price: COSTS }] },
        }),
      },
    )
    const calling = lab.call({ prompt: 'hi', maxTokens: 100 })
    await lab.flying(1)
    lab.clock.pass(1000)
    expect((await calling).trail).toBe('alpha/m#1=slower; gamma/m#1=ok')
  })

  test('happens once: when the second fails, the first is waited for', async () => {
    const lab = await openTimed(
      { ...pair(slow(5000), [{ do: 'server' }]), ...own('gamma', 1, ['m']) },
      { settings: { hedge: { after: 1000 } }, config: priced(COSTS) },
    )
    const calling = lab.call({ prompt: 'hi', maxTokens: 100 })
    await until(() => lab.clock.asleep === 1)
    lab.clock.pass(1000)
    await until(() => seen(lab).length === 2)
    await someTicks()
    lab.clock.pass(4000)
    expect((await calling).trail).toBe('beta/m#1=server; alpha/m#1=ok')
  })

  test('after p95 waits for twenty answers, then for longer than most of them took', async () => {
    const lab = await open({}, COSTS, pair([{ do: 'slow', ms: 1000, to: 20 }, { do: 'silence' }]))
    for (let call = 0; call < 20; call++) {
      const calling = lab.call({ prompt: 'hi', maxTokens: 100 })
      await until(() => lab.clock.asleep === 1)
      lab.clock.pass(1000)
      expect((await calling).trail).toBe('alpha/m#1=ok')
    }
    lab.asked()
    const calling = lab.call({ prompt: 'hi', maxTokens: 100 })
    await lab.flying(1)
    lab.clock.pass(1100)
    await someTicks()
    expect(seen(lab)).toEqual(['alpha/m#1'])
    lab.clock.pass(900)
    expect((await calling).trail).toBe('alpha/m#1=slower; beta/m#1=ok')
  })

  test('does not fail a request whose second target a budget rejects', async () => {
    const budgets = [{ scope: 'beta', tokens: 1, per: 'day', on_exceeded: 'reject' }]
    const lab = await openTimed(pair(slow(5000)), {
      settings: { hedge: { after: 1000 }, budgets },
      config: priced(COSTS),
    })
    const calling = lab.call({ prompt: 'hi', maxTokens: 100 })
    await until(() => lab.clock.asleep === 1)
    lab.clock.pass(1000)
    await someTicks()
    lab.clock.pass(4000)
    expect((await calling).trail).toBe('alpha/m#1=ok')
  })
})

describe('through the gateway', () => {
  const ROUTES = [
    { dialect: 'openai', path: '/v1/chat/completions', body: { messages: [{ role: 'user', content: 'hi' }] } },
    { dialect: 'openai-responses', path: '/v1/responses', body: { input: 'hi' } },
    {
      dialect: 'anthropic',
      path: '/v1/messages',
      body: { max_tokens: 100, messages: [{ role: 'user', content: 'hi' }] },
    },
  ] as const

  for (const stream of [false, true]) {
    test.each(ROUTES)(`$dialect, ${stream ? 'streamed' : 'plain'}: x-keywise-timeout-ms is shared`, async (route) => {
      const { dialect, path, body } = route
      const clock = new HandClock()
      const providers = pair(SILENT, [], { dialect })
      await using world = await openGateway(
        { providers },
        { monotonic: clock.monotonic, settings: { routing: { strategy: 'priority' } } },
      )
      const asking = world.ask(path, { model: 'auto', stream, ...body }, { 'x-keywise-timeout-ms': '20000' })
      await until(() => world.fakes.inFlight() === 1)
      clock.pass(10_000)
      const response = await asking
      expect(response.status).toBe(200)
      expect(response.headers.get('x-keywise-trail')).toBe('alpha/m#1=slower; beta/m#1=ok')
      expect(response.headers.get('x-keywise-attempts')).toBe('2')
      expect(await response.text()).toContain('hi')
      await until(() => world.fakes.inFlight() === 0)
    })
  }

  test('a client that leaves ends both calls', async () => {
    const clock = new HandClock()
    await using world = await openGateway(
      { providers: pair(SILENT, SILENT) },
      { monotonic: clock.monotonic, settings: { routing: { strategy: 'priority' } } },
    )
    const controller = new AbortController()
    const body = { model: 'auto', messages: [{ role: 'user', content: 'hi' }] }
    const headers = { 'x-keywise-timeout-ms': '20000' }
    const asking = world.ask('/v1/chat/completions', body, headers, controller.signal).catch(() => null)
    await until(() => world.fakes.inFlight() === 1)
    clock.pass(10_000)
    await until(() => world.fakes.inFlight() === 2)
    controller.abort()
    await asking
    await until(() => world.fakes.inFlight() === 0)
  })
})
