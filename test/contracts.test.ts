/** Contracts from the outside: what calls of a key cost, which version of a price says so, and that budgets hold. */

import { describe, expect, test } from 'vitest'
import { modelsView } from '../src/views/models.ts'
import { spendView } from '../src/views/spend.ts'
import { openLab, own } from './support/lab.ts'
import { budget, PER_CALL, priced } from './support/spendWorld.ts'

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
    const lab = await openContracts({ keys: [undefined, { times: 0.5 }], price: { input: 2, output: 8 } })
    const [row] = modelsView(lab.manager.engine).models
    expect(row).toMatchObject({ keys: [1, 2], price: { input: 2, output: 8 } })
    expect(row?.prices).toMatchObject([
      { keys: [1], price: { input: 2, output: 8 }, version: expect.stringMatching(/^config /) },
      { keys: [2], price: { input: 1, output: 4 }, version: expect.stringMatching(/^config /) },
    ])
  })
})
