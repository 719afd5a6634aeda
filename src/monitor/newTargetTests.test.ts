import { expect, test } from 'vitest'
import { openLab, own } from '../../test/support/lab.ts'
import { makeSuccess } from '../../test/support/makeEvents.ts'

const NOON = Date.UTC(2026, 10, 23, 12)
const DAY = 86_400_000

interface Given {
  readonly test?: object
  /** Of `beta/m`; the other target is free. Default: free as well. */
  readonly price?: { readonly input: number; readonly output: number } | null
  /** What tests have cost on this day. */
  readonly spentUsd?: number
}

/** Two targets, a minute of seconds, and which calls that made. */
async function minuteOf({ test: settings = { new_targets: true }, price, spentUsd = 0 }: Given) {
  let now = NOON
  const lab = await openLab(
    { providers: { ...own('alpha', 1, ['m']), ...own('beta', 1, ['m']) } },
    {
      settings: { test: settings },
      manager: { now: () => now },
      world: { now: () => now },
      config: (config) =>
        Object.fromEntries(
          Object.entries(config).map(([id, block]) => {
            const isPriced = id === 'beta' && price !== undefined
            const keys = (block['api_keys'] as string[]).map((key) => ({ key, ...(!isPriced && { free: true }) })) // as the world writes them
            const models = [{ id: 'm', ...(isPriced && price !== null && { price }) }]
            return [id, { ...block, api_keys: keys, models }]
          }),
        ),
    },
  )
  const { engine } = lab.manager
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      now += 1000
      engine.monitor.tick()
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await engine.store.flushed()
    return lab.asked()
  }
  if (spentUsd > 0) {
    const facts = { source: 'test' as const, costNanoUsd: spentUsd * 1e9 }
    engine.learned.record(makeSuccess(engine.registry.targets[0]!, NOON, facts))
    await engine.store.flushed()
  }
  const asked = await pass(20)
  const nextDay = () => {
    now += DAY
    return pass(20)
  }
  return { ...lab, asked, nextDay, engine }
}

test('each target without observations is tested once, as the ledger shows, and needs no request to try it', async () => {
  const { asked, engine, call } = await minuteOf({})
  expect([...asked].sort()).toEqual(['alpha/m#1', 'beta/m#1'])
  expect(engine.store.attempts({ source: 'test' }).map(({ ok, requestId }) => [ok, requestId.slice(0, 3)])).toEqual([
    [true, 'kw_'],
    [true, 'kw_'],
  ])
  expect((await call()).trail).toMatch(/^alpha\/m#1=ok$/)
  expect(engine.learned.router.isUnobserved(engine.registry.targets[1]!)).toBe(false)
})

test('unless the user wants it nothing is called', async () => {
  expect((await minuteOf({ test: {} })).asked).toEqual([])
})

test.each([
  ['of unknown price', null],
  ['that may cost more than max_usd', { input: 1000, output: 10_000 }],
])('a target %s is not tested', async (_, price) => {
  expect((await minuteOf({ price })).asked).toEqual(['alpha/m#1'])
})

test('all tests of a day together cost no more than max_usd', async () => {
  const price = { input: 1, output: 10 }
  const given = { price, test: { new_targets: true, max_usd: 0.01 } }
  expect((await minuteOf(given)).asked).toContain('beta/m#1')
  const late = await minuteOf({ ...given, spentUsd: 0.0099 })
  expect(late.asked).toEqual([])
  expect(await late.nextDay()).toEqual(['beta/m#1'])
  expect((await minuteOf({ ...given, test: { new_targets: true, max_usd: 0 } })).asked).toEqual(['alpha/m#1'])
})
