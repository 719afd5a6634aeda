/** Contracts from the outside: what calls of a key cost, which version of a price says so, and that budgets hold. */

import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { budgetsView } from '../src/views/budgets.ts'
import { modelsView } from '../src/views/models.ts'
import { spendView } from '../src/views/spend.ts'
import { type Lab, openLab, openManager, own } from './support/lab.ts'
import { openWorld } from './support/labCall.ts'
import { budget, PER_CALL, priced } from './support/spendWorld.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

/** A provider whose every call costs $0.001, with a contract beside each of its keys and one for the whole block. */
function openContracts({
  keys,
  block,
  settings = {},
  price = priced,
}: {
  keys: readonly (object | undefined)[]
  block?: object
  settings?: object
  price?: object
}) {
  return openLab(
    { providers: own('paid', keys.length, ['m']) },
    {
      settings: { routing: { strategy: 'round-robin' }, ...settings },
      config: (config) => {
        const { api_key: _key, api_keys: _keys, ...rest } = config['paid'] ?? {}
        const api_keys = keys.map((contract, index) => ({
          key: `fake-paid-${String(index + 1).padStart(13, '0')}`,
          ...(contract !== undefined && { contract }),
        }))
        return { paid: { ...rest, api_keys, models: [{ id: 'm', price }], ...(block && { contract: block }) } }
      },
    },
  )
}

describe('a contract', () => {
  test('beside a key goes before that of the block, and both before the price of the model', async () => {
    const lab = await openContracts({
      keys: [undefined, { times: 0.5 }, { models: { '*': { input: 0, output: 0, request: 0.003 } } }],
      block: { times: 0.9 },
    })
    const costs = new Map<number, number | null>()
    for (let call = 0; call < 6; call++) {
      const { result } = await lab.call()
      costs.set(result?.keyIndex ?? 0, result?.costUsd ?? null)
    }
    expect([...costs].toSorted()).toEqual([
      [1, 0.0009],
      [2, 0.0005],
      [3, 0.003],
    ])
    const { engine } = lab.manager
    const versions = new Set(engine.store.attempts({}).map(({ priceSource }) => priceSource))
    expect(versions.size).toBe(3)
    const { spend, prices = [] } = spendView(engine, { by: ['price'] })
    expect(new Set(spend.map(({ group }) => group['price']))).toEqual(versions)
    expect(prices.map(({ version }) => version)).toEqual([...versions].toSorted())
    expect(prices.map(({ terms }) => (terms['rates'] as { request: number }[])[0]?.request).toSorted()).toEqual([
      0.0005, 0.0009, 0.003,
    ])
  })

  test('makes room in a hard budget for what it really costs, and no more', async () => {
    const settings = { budgets: [budget(5 * PER_CALL)] }
    const lab = await openContracts({ keys: [{ times: 0.5 }], settings })
    const told = await Promise.all(Array.from({ length: 30 }, (_, index) => lab.call(`Say ${index}`)))
    expect(told.filter(({ result }) => result !== null)).toHaveLength(10)
    expect(lab.world.calls).toHaveLength(10)
  })

  test('that asks nothing makes a model free, and one that asks something makes it cost', async () => {
    const own = (rate: number) => ({ models: { m: { input: rate, output: rate } } })
    const free = await openContracts({ keys: [own(0)], settings: { free_only: true } })
    expect((await free.call()).result?.costUsd).toBe(0)
    const paid = await openContracts({ keys: [own(1)], price: { input: 0, output: 0 }, settings: { free_only: true } })
    expect((await paid.call()).error?.message).toContain('free')
  })

  test('shows in the models what they cost with which keys', async () => {
    const free = [{ tokens: 100, per: 'month' }]
    const lab = await openContracts({ keys: [undefined, { times: 0.5, free }], price: { input: 2, output: 8 } })
    const [row] = modelsView(lab.manager.engine).models
    expect(row).toMatchObject({ keys: [1, 2], price: { input: 2, output: 8 } })
    expect(row?.prices).toMatchObject([
      { keys: [1], price: { input: 2, output: 8 }, version: expect.stringMatching(/^config /) },
      {
        keys: [2],
        price: { input: 1, output: 4 },
        version: expect.stringMatching(/^config /),
        freeQuota: { unit: 'tokens', limit: 100, per: 'month' },
      },
    ])
  })
})

describe('a free quota', () => {
  const three = { free: [{ requests: 3, per: 'day' }] }
  const rowsOf = ({ manager }: Lab) =>
    manager.engine.store.attempts({ order: 'oldest' }).map(({ costNanoUsd, priceSource }) => ({
      cost: costNanoUsd,
      source: priceSource?.replace(/[0-9a-f]{8}/, 'X'),
    }))

  test('makes calls cost nothing until it is used up', async () => {
    const lab = await openContracts({ keys: [three] })
    for (let call = 0; call < 5; call++) await lab.call()
    const [free, paid] = [
      { cost: 0, source: 'config X free quota' },
      { cost: 1_000_000, source: 'config X' },
    ]
    expect(rowsOf(lab)).toEqual([free, free, free, paid, paid])
    expect(lab.manager.getSessionSummary().totalCostUsd).toBe(0.002)
    expect(budgetsView(lab.manager.engine).freeQuotas).toMatchObject([
      { keys: ['paid#1'], unit: 'requests', limit: 3, used: 3, reserved: 0, models: null },
    ])
  })

  test('of an account is shared by its keys, by all processes, and after a restart', async () => {
    const world = await openWorld({ providers: own('paid', 2, ['m']) })
    const store = join(temporaryFolder(), 'keywise.db')
    const open = () =>
      openManager(world, {
        manager: { store },
        settings: { routing: { strategy: 'round-robin' } },
        config: (config) => ({
          paid: { ...config['paid'], account: 'a', models: [{ id: 'm', price: priced }], contract: three },
        }),
      })
    const [one, other] = [open(), open()]
    const costs: (number | null)[] = []
    for (const manager of [one, other, one]) costs.push((await manager.callWithFallback('Say hi')).costUsd)
    await one.close()
    for (const manager of [open(), other]) costs.push((await manager.callWithFallback('Say hi')).costUsd)
    expect(costs).toEqual([0, 0, 0, PER_CALL, PER_CALL])
  })

  test('of tokens that a call used up in part leaves a cost within bounds', async () => {
    const lab = await openContracts({ keys: [{ free: [{ tokens: 2 }] }], price: { input: 1, output: 2 } })
    const { attempts } = await lab.call()
    const [row] = lab.manager.engine.store.attempts({})
    const { inputTokens = 0, outputTokens = 0 } = row?.usage ?? {}
    const whole = inputTokens * 1000 + outputTokens * 2000
    expect(row).toMatchObject({ costNanoUsd: null, costRange: { atLeast: whole - 4000, atMost: whole - 2000 } })
    expect(row?.priceSource).toMatch(/free quota in part$/)
    expect(attempts[0]).toMatchObject({ costUsd: null, costAtLeastUsd: (whole - 4000) / 1e9 })
  })

  test('never makes a hard budget let more through than it allows, whoever gets it', async () => {
    const settings = { budgets: [budget(5 * PER_CALL)] }
    const lab = await openContracts({ keys: [three], settings })
    for (let round = 0; round < 4; round++)
      await Promise.all(Array.from({ length: 20 }, (_, index) => lab.call(`Say ${index}`)))
    // The provider bills all but three of them, whichever those are.
    expect(lab.world.calls.length - 3).toBeLessThanOrEqual(5)
    expect(lab.world.calls.length).toBeGreaterThanOrEqual(5)
    const most = lab.manager.engine.store
      .attempts({})
      .reduce((sum, { costNanoUsd, costRange }) => sum + (costNanoUsd ?? costRange?.atMost ?? 0), 0)
    expect(most).toBeLessThanOrEqual(5 * PER_CALL * 1e9)
  })

  test('does not make a model free for settings that allow only what is known to be free', async () => {
    const lab = await openContracts({ keys: [three], settings: { free_only: true } })
    expect((await lab.call()).result).toBeNull()
  })
})
