/** Budgets from the outside: what is sent upstream, what callers receive, what is recorded. */

import { describe, expect, test } from 'vitest'
import { BudgetExceededError } from '../src/domain/errors.ts'
import type { BudgetNews } from '../src/observe/events.ts'
import { createMemoryStore } from '../src/store/memory.ts'
import { testApiKeys } from '../src/tester/apiKeyTester.ts'
import { holdSeconds } from './support/housekeepingSeconds.ts'
import { openLab, openManager, own } from './support/lab.ts'
import { openWorld } from './support/labCall.ts'
import { budget, FREE, openSpending, PER_CALL, priced, pricedConfig } from './support/spendWorld.ts'
import { attemptEvent } from './support/storeEvents.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

const reject = { on_exceeded: 'reject' }

describe('a hard budget', () => {
  test('lets of 200 parallel calls against the last cent only those through that fit', async () => {
    const lab = await openSpending({ settings: { budgets: [budget(0.01)] } })
    const told = await Promise.all(Array.from({ length: 200 }, (_, index) => lab.call(`Say ${index}`)))
    expect(lab.world.calls).toHaveLength(10)
    expect(told.filter(({ result }) => result !== null)).toHaveLength(10)
    expect(told.filter(({ error }) => error instanceof BudgetExceededError)).toHaveLength(190)
    expect(lab.manager.engine.learned.budgets.view(lab.manager.engine.now)).toMatchObject([
      { limitUsd: 0.01, spentUsd: 0.01, reservedUsd: 0 },
    ])
  })

  test('is never exceeded by calls whose length nobody knows beforehand', async () => {
    const price = { input: 100, output: 1000 }
    const lab = await openSpending({ price, settings: { budgets: [budget(1)] } })
    const call = () => lab.call({ prompt: 'Say hi', maxTokens: 50 })
    for (let round = 0; round < 12; round++) await Promise.all(Array.from({ length: 40 }, call))
    const { totalCostUsd } = lab.manager.getSessionSummary()
    expect(totalCostUsd).toBeLessThanOrEqual(1)
    // What was reserved and not used is available to the next call.
    expect(totalCostUsd).toBeGreaterThan(0.9)
  })

  test('puts the answers of a request that asks for several aside as well', async () => {
    const price = { input: 0, output: 1000 }
    const lab = await openSpending({ price, settings: { budgets: [budget(0.1)] } })
    const several = { messages: [{ role: 'user', content: 'Say hi' }], maxTokens: 50 }
    expect((await lab.call(several)).error).toBeNull()
    const { manager } = lab
    const { request, options } = { request: requestOf(4), options: {} }
    await expect(manager.callPrepared(request, options)).rejects.toThrow(BudgetExceededError)
  })

  test('bounds each of several answers by its own part of what was put aside', async () => {
    const lab = await openSpending({ price: { input: 1, output: 1 }, settings: { budgets: [budget(1)] } })
    const { maxTokens: _, ...unbound } = requestOf(4)
    await lab.manager.callPrepared(unbound, {})
    expect(lab.world.calls[0]?.body).toMatchObject({ n: 4, max_tokens: 16_384 })
  })

  test('sends a limit along when nothing else bounds the answer, and none otherwise', async () => {
    const price = { input: 1, output: 1 }
    const bound = await openSpending({ price, settings: { budgets: [budget(1)] } })
    await bound.call('Say hi')
    expect(bound.world.calls[0]?.body).toMatchObject({ max_tokens: 16_384 })
    await bound.call({ prompt: 'Say hi', maxTokens: 7 })
    expect(bound.world.calls[1]?.body).toMatchObject({ max_tokens: 7 })
    for (const settings of [{ budgets: [] }, { budgets: [budget(1, { hard: false })] }]) {
      const free = await openSpending({ price, settings })
      await free.call('Say hi')
      expect(free.world.calls[0]?.body).not.toHaveProperty('max_tokens')
    }
  })

  test('beside a key counts the prompt too', async () => {
    const world = await openWorld({ providers: own('paid', 1, ['m']) })
    const config = pricedConfig(world.config(), { paid: { input: 1000, output: 0 } })
    const manager = openManager(world, {
      config: () => ({
        paid: { ...config['paid'], api_keys: [{ key: 'fake-paid-0000000000001', budget: { usd: 0.01, per: 'day' } }] },
      }),
    })
    await expect(manager.callWithFallback('x'.repeat(1000))).rejects.toThrow(/budget paid#1/)
    expect(world.calls).toEqual([])
  })

  test('counts tests like any other call, and binds them', async () => {
    const world = await openWorld({ providers: own('paid', 1, ['m', 'n', 'o']) })
    const block = world.config()['paid']
    const models = ['m', 'n', 'o'].map((id) => ({ id, price: priced }))
    const settings = { budgets: [budget(2 * PER_CALL)], test: { max_usd: 5 } }
    const manager = openManager(world, { config: () => ({ paid: { ...block, models } }), settings })
    const report = await testApiKeys({ engine: manager.engine })
    expect(world.calls).toHaveLength(2)
    expect(JSON.stringify(report)).toContain('budget all: $0.002 per day')
    const rows = manager.engine.store.attempts({ source: 'test' })
    expect(rows.map((row) => row.costNanoUsd)).toEqual([1_000_000, 1_000_000])
    expect(manager.engine.learned.budgets.spent('all', manager.engine.now)).toBe(2_000_000)
  })

  test('counts what a stream that broke off had said so far', async () => {
    const price = { input: 0, output: 1000 }
    const faults = [{ do: 'cut_clean', chunks: 4 }]
    const lab = await openSpending({ price, faults, settings: { budgets: [budget(100)] } })
    await expect(lab.manager.streamWithFallback({ prompt: 'Tell me a long story' }).result).rejects.toThrow(/broke off/)
    const { store, learned } = lab.manager.engine
    const [row] = store.attempts({})
    expect(row).toMatchObject({
      ok: false,
      usage: { estimated: true },
      priceSource: expect.stringMatching(/^config [0-9a-f]{8}$/),
    })
    expect(row?.costNanoUsd).toBeGreaterThan(0)
    expect(learned.budgets.spent('all', lab.manager.engine.now)).toBe(row?.costNanoUsd)
  })

  test('lets only what is free through while it cannot be counted for everybody', async () => {
    const store = Object.assign(createMemoryStore(), { health: () => ({ state: 'degraded', reason: 'disk full' }) })
    const settings = { budgets: [budget(1)] }
    const lab = await openSpending({ settings, others: { gratis: FREE }, manager: { store: store as never } })
    expect((await lab.call()).result?.provider).toBe('gratis')
    expect(lab.manager.rankTargets().find(({ provider }) => provider === 'paid')?.reason).toContain('disk full')
    const alone = await openSpending({ settings, manager: { store: store as never } })
    const { error } = await alone.call()
    expect(error).toBeInstanceOf(BudgetExceededError)
    expect(error?.message).toMatch(/cannot be counted now.*disk full/)
    expect(alone.world.calls).toEqual([])
  })
})

function requestOf(answers: number) {
  return {
    model: 'auto',
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Say hi' }] }],
    stream: false,
    maxTokens: 50,
    answers,
  } as const
}

describe('a budget that is spent', () => {
  test('moves requests on to free targets, and says when there is room again', async () => {
    const now = Date.parse('2026-11-23T12:00:00Z')
    const lab = await openSpending({
      settings: { budgets: [budget(PER_CALL)] },
      others: { gratis: FREE },
      manager: { now: () => now },
    })
    expect((await lab.call()).trail).toBe('paid/m#1=ok')
    expect((await lab.call()).trail).toBe('gratis/m#1=ok')
    const out = lab.manager.rankTargets().find(({ provider }) => provider === 'paid')
    expect(out).toMatchObject({ eligible: false })
    expect(out?.reason).toMatch(/budget all: \$0\.001 per day, \$0\.001 spent/)
  })

  test('of one provider moves requests on to another that costs', async () => {
    const settings = { budgets: [budget(PER_CALL, { scope: 'paid' })] }
    const lab = await openSpending({ settings, others: { dear: priced } })
    expect((await lab.call()).trail).toBe('paid/m#1=ok')
    expect((await lab.call()).trail).toBe('dear/m#1=ok')
  })

  test('fails at once when its rule is to reject, although others could answer', async () => {
    const now = Date.parse('2026-11-23T12:00:00Z')
    const settings = { budgets: [budget(PER_CALL, { scope: 'paid', ...reject })] }
    const lab = await openSpending({ settings, others: { gratis: FREE }, manager: { now: () => now } })
    expect((await lab.call()).error).toBeNull()
    const { error } = await lab.call()
    expect(error).toMatchObject({ code: 'BUDGET_EXCEEDED', scope: 'paid', resetsAt: '2026-11-24T00:00:00.000Z' })
    expect(error?.message).toMatch(/^no budget left: budget paid: \$0\.001 per day.*room again at 2026-11-24/)
    expect(lab.asked()).toEqual(['paid/m#1'])
    expect(lab.manager.rankTargets().map(({ provider, eligible }) => [provider, eligible])).toEqual([
      ['gratis', true],
      ['paid', false],
    ])
  })

  test('that rejects leaves requests alone that another target serves before', async () => {
    const settings = { budgets: [budget(0, { scope: 'later', ...reject })] }
    const lab = await openSpending({ settings, others: { later: priced } })
    expect((await lab.call()).trail).toBe('paid/m#1=ok')
  })

  test('and rejects tells what was tried before its turn came', async () => {
    const settings = { budgets: [budget(0, { scope: 'later', ...reject })] }
    const faults = [{ do: 'server' }]
    const lab = await openSpending({ settings, faults, others: { later: priced } })
    const { error, trail } = await lab.call()
    expect(error).toBeInstanceOf(BudgetExceededError)
    expect(trail).toMatch(/^paid\/m#1=server/)
  })

  test('binds a label and a gateway token, and nobody else', async () => {
    const settings = { budgets: [budget(PER_CALL, { scope: 'label:team=a' })] }
    const lab = await openSpending({ settings })
    const call = (team: string) => lab.call({ prompt: 'Say hi', labels: { team } })
    expect((await call('a')).error).toBeNull()
    expect((await call('a')).error).toMatchObject({ code: 'BUDGET_EXCEEDED', scope: 'label:team=a' })
    expect((await call('b')).error).toBeNull()
  })

  test('of 0 calls nothing that costs', async () => {
    const lab = await openSpending({ settings: { budgets: [budget(0)] }, others: { gratis: FREE } })
    expect((await lab.call()).trail).toBe('gratis/m#1=ok')
  })

  test('of unknown price follows the setting', async () => {
    const none = { providers: own('mystery', 1, ['m']) }
    const allowed = await openLab(none, { settings: { budgets: [budget(1)] } })
    expect((await allowed.call()).result?.costUsd).toBeNull()
    const { engine } = allowed.manager
    expect(engine.learned.budgets.view(engine.now)[0]).toMatchObject({ unpricedAttempts: 1 })
    const blocked = await openLab(none, { settings: { budgets: [budget(1)], unknown_price: 'block' } })
    expect((await blocked.call()).error).not.toBeNull()
    expect(blocked.world.calls).toEqual([])
  })
})

describe('thresholds', () => {
  test('are told once to each of two processes that spend together', async () => {
    const secondPasses = holdSeconds()
    const store = `${temporaryFolder()}/keywise.db`
    const world = await openWorld({ providers: own('paid', 1, ['m']) })
    const config = () => pricedConfig(world.config(), { paid: priced })
    const settings = { budgets: [budget(0.01)] }
    const told: BudgetNews[][] = [[], []]
    const managers = [0, 1].map(() => openManager(world, { config, settings, manager: { store } }))
    for (const manager of managers) await manager.ready()
    managers.forEach((manager, place) => void manager.on('budget', (news) => told[place]?.push(news)))
    for (let call = 0; call < 10; call++) await managers[call % 2]?.callWithFallback('Say hi')
    secondPasses()
    for (const manager of managers) await manager.close()
    for (const news of told) {
      const shares = news.map(({ share }) => share)
      expect(shares).toEqual([...new Set(shares)].sort())
      expect(news.at(-1)).toMatchObject({ spentUsd: 0.01, limitUsd: 0.01, unit: 'usd' })
    }
  })
})

describe('a soft budget', () => {
  test('makes no call fail, and presses towards cheaper targets when it is overspent', async () => {
    const secondPasses = holdSeconds()
    const world = await openWorld({ providers: { ...own('dear', 1, ['m']), ...own('cheap', 1, ['m']) } })
    const model = (quality: number, price: object) => [{ id: 'm', quality, price }]
    const manager = openManager(world, {
      config: (config) => ({
        dear: { ...config['dear'], models: model(0.9, { input: 1000, output: 1000 }) },
        cheap: { ...config['cheap'], models: model(0.6, { input: 0.001, output: 0.001 }) },
      }),
      settings: {
        budgets: [budget(0.000_001, { hard: false, scope: 'dear' })],
        routing: { strategy: 'learned', exploration: { rate: 0, width: 0 } },
      },
    })
    await manager.ready()
    expect(manager.rankTargets()[0]?.provider).toBe('dear')
    for (let call = 0; call < 3; call++) await manager.callWithFallback({ prompt: 'Say hi', model: 'dear/m' })
    secondPasses()
    expect(manager.rankTargets()[0]?.provider).toBe('cheap')
    expect((await manager.callWithFallback({ prompt: 'Say hi', model: 'dear/m' })).provider).toBe('dear')
  })
})

test('a month is the month of its time zone, over daylight saving and month ends', async () => {
  let now = Date.parse('2026-02-28T22:59:00Z')
  const clock = () => now
  const budgets = [{ scope: 'all', requests: 3, per: 'month', timezone: 'Europe/Madrid' }]
  const lab = await openSpending({ settings: { budgets }, manager: { now: clock }, world: { now: clock } })
  const spend = async (times: number) => {
    const told = []
    for (let time = 0; time < times; time++) told.push(await lab.call(`Say ${time}`))
    return told.map(({ error }) => (error instanceof BudgetExceededError ? error.resetsAt : 'ok'))
  }
  expect(await spend(4)).toEqual(['ok', 'ok', 'ok', '2026-02-28T23:00:00.000Z'])
  now = Date.parse('2026-02-28T23:00:00Z')
  expect(await spend(2)).toEqual(['ok', 'ok'])
  // Summer time begins on 29 March: April begins at 22:00 UTC.
  now = Date.parse('2026-03-31T21:59:00Z')
  expect(await spend(2)).toEqual(['ok', '2026-03-31T22:00:00.000Z'])
  now = Date.parse('2026-03-31T22:00:00Z')
  expect(await spend(4)).toEqual(['ok', 'ok', 'ok', '2026-04-30T22:00:00.000Z'])
  // And ends on 25 October: November begins at 23:00 UTC.
  now = Date.parse('2026-10-31T22:30:00Z')
  expect(await spend(4)).toEqual(['ok', 'ok', 'ok', '2026-10-31T23:00:00.000Z'])
  now = Date.parse('2026-10-31T23:00:00Z')
  expect(await spend(1)).toEqual(['ok'])
})

test('twenty times $0.001 is $0.02 wherever it is shown', async () => {
  const lab = await openSpending({ settings: { budgets: [budget(1)] } })
  for (let call = 0; call < 20; call++) expect((await lab.call()).result?.costUsd).toBe(0.001)
  const summary = lab.manager.getSessionSummary()
  expect(summary.totalCostUsd).toBe(0.02)
  expect(summary.byProvider['paid']?.costUsd).toBe(0.02)
  expect(lab.manager.engine.learned.budgets.view(Date.now())[0]).toMatchObject({ spentUsd: 0.02, reservedUsd: 0 })
})

test('rows older than the retention go, unless a budget still counts them', async () => {
  const DAY = 86_400_000
  const now = Date.parse('2026-11-23T12:00:00Z')
  const secondPasses = holdSeconds()
  const rows = async (budgets: object[]) => {
    const store = createMemoryStore()
    for (const days of [1, 5, 12, 40])
      store.append(attemptEvent({ id: String(days), at: now - days * DAY, startedAt: now - days * DAY }))
    const settings = { budgets, retention: { attempts_days: 3, hourly_days: 30 } }
    await openSpending({ settings, manager: { store, now: () => now } })
    secondPasses()
    return [store.attempts({}).length, store.sums({}, ['hour']).length]
  }
  expect(await rows([])).toEqual([1, 3])
  expect(await rows([budget(1, { scope: 'label:team=a', per: 'month' })])).toEqual([3, 3])
  expect(await rows([budget(1, { scope: 'all', per: 'total' })])).toEqual([1, 4])
})
