/** Many at once: waiters for one reset, and requests for the last cent. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startFakeProviders } from '../../src/lab/fake/fakeProviders.ts'
import type { FakeScenario } from '../../src/lab/fake/scenario.ts'
import { APIManager } from '../../src/manager/apiManager.ts'
import { LONG } from '../support/faults/faultWorld.ts'
import { own, told } from '../support/lab.ts'
import { budget, openSpending } from '../support/spendWorld.ts'
import { VirtualClock } from '../support/virtualClock.ts'

const START = Date.UTC(2026, 10, 23, 6)

/** Many requests at once for one key that comes back at a time; when each was sent, and what became of it. */
async function herd(
  waiters: number,
  faults: FakeScenario['providers'][string]['faults'],
  limits: FakeScenario['providers'][string]['limits'] = [],
) {
  const clock = new VirtualClock(START)
  const scenario: FakeScenario = {
    providers: own('alpha', 1, ['m'], { models: { m: { latency_ms: 200 } }, faults, limits }),
  }
  const world = await startFakeProviders(scenario, { now: clock.now, sleep: clock.rest })
  const manager = new APIManager({
    config: {
      ...world.config(),
      settings: { timeouts: { patience_ms: 3_600_000, total_ms: 7_200_000 }, routing: { probes: 'free' } },
    },
    env: {},
    logger: false,
    now: clock.now,
    monotonic: clock.now,
    sleep: clock.sleep,
    random: () => 0.5,
  })
  try {
    await manager.ready()
    let served = 0
    // The first one meets the refusal; then the others come.
    clock.at(START, async () => {
      if ((await told(manager, 'hi')).error === null) served++
    })
    for (let waiter = 1; waiter < waiters; waiter++)
      clock.at(START + 1000, async () => {
        if ((await told(manager, 'hi')).error === null) served++
      })
    await clock.run(() => manager.engine.waiting.size)
    return {
      served,
      calls: world.calls.map(({ at, status }) => ({ at: at - START, status })),
      left: manager.engine.waiting.size,
    }
  } finally {
    await manager.close()
    await world.close()
  }
}

test('F40 a herd at a reset: one probe first, then spread out, all are served, and nobody asks before', async () => {
  const waiters = LONG ? 1000 : 60
  const { served, calls, left } = await herd(waiters, [{ do: 'rate_minute', retry_after: 30, to: 1 }])
  expect([served, left]).toEqual([waiters, 0])
  const [refused, probe, ...rest] = calls
  expect(refused).toMatchObject({ status: 429 })
  expect(probe?.at).toBeGreaterThanOrEqual(30_000)
  // The first is alone until it is answered.
  expect((rest[0]?.at ?? 0) - (probe?.at ?? 0)).toBeGreaterThanOrEqual(200)
  // Spread over at least a tenth of the window.
  expect((rest.at(-1)?.at ?? 0) - (probe?.at ?? 0)).toBeGreaterThanOrEqual(3000)
  const most = Math.max(...countsBy(rest.map(({ at }) => Math.floor(at / 100))).values())
  expect(most).toBeLessThanOrEqual(waiters / 2)
})

test('F40 a herd at the reset of a known limit: never more than the limit in a window', async () => {
  const limit = LONG ? 60 : 30
  const { served, calls } = await herd(
    LONG ? 600 : 60,
    [],
    [{ unit: 'requests', window: 'minute', limit, scope: 'account+model', stated: true }],
  )
  expect(served).toBe(LONG ? 600 : 60)
  expect(calls.filter(({ status }) => status === 429).length).toBeLessThanOrEqual(1)
})

function countsBy(values: readonly number[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

test('F45 the last cent: whatever races for it, nothing is spent beyond a hard budget', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 0, max: 12 }),
      fc.boolean(),
      async (waves, cents, stream) => {
        const lab = await openSpending({
          settings: { budgets: [budget(cents / 1000, { on_exceeded: 'reject' })] },
          faults: [{ do: 'server', chance: 0.2 }],
        })
        let answered = 0
        for (const wave of waves) {
          const all = await Promise.all(
            Array.from({ length: wave }, () => (stream ? lab.stream('hi') : lab.call('hi'))),
          )
          answered += all.filter(({ error }) => error === null).length
        }
        const [view] = lab.manager.engine.learned.budgets.view(lab.manager.engine.now)
        expect(answered).toBeLessThanOrEqual(cents)
        // Every call costs a tenth of a cent; what failed costs nothing, and what was put aside for it is free again.
        expect(view?.spentUsd ?? 0).toBeCloseTo(answered / 1000, 9)
        expect(view).toMatchObject({ reservedUsd: 0 })
        const room = cents - answered
        if (room > 0) expect(lab.world.calls.length).toBeGreaterThanOrEqual(Math.min(room, 1))
        await lab.manager.close()
      },
    ),
    { numRuns: LONG ? 200 : 5 },
  )
})
