/**
 * A day of requests through a real manager over simulated providers that count, on a virtual clock. For tests and
 * `bench/quota.ts`.
 */

import type { AttemptReport } from '../../src/domain/attempt.ts'
import { KeywiseError } from '../../src/domain/errors.ts'
import { startFakeProviders } from '../../src/lab/fake/fakeProviders.ts'
import type { FakeScenario } from '../../src/lab/fake/scenario.ts'
import { APIManager } from '../../src/manager/apiManager.ts'
import { VirtualClock } from './virtualClock.ts'

export interface QuotaDay {
  readonly scenario: FakeScenario
  readonly requests: number
  /** Milliseconds between two arrivals; 0 lets all come at once. */
  readonly everyMs: number
  readonly patienceMs?: number
  readonly startsAt?: number
  /** Requests of the accounts' limits until the last answer came, `minutes` after the first request. */
  readonly capacity: (minutes: number) => number
  readonly settings?: object
}

export interface QuotaDayResult {
  readonly served: number
  readonly failed: number
  /** Answers 429 of the upstream. */
  readonly refusals: number
  /** Requests that met at least one. */
  readonly met: number
  readonly minutes: number
  readonly capacity: number
  /** Share of the requests that could have been served. */
  readonly used: number
  readonly slowestMs: number
  readonly byKey: Readonly<Record<string, number>>
}

const MINUTE = 60_000
export const MORNING = Date.UTC(2026, 10, 23, 6)

export async function quotaDay(day: QuotaDay): Promise<QuotaDayResult> {
  const clock = new VirtualClock(day.startsAt ?? MORNING)
  const world = await startFakeProviders(day.scenario, { now: clock.now, sleep: clock.rest })
  const manager = new APIManager({
    config: {
      ...world.config(),
      settings: { timeouts: { patience_ms: day.patienceMs ?? 10_000, total_ms: 24 * 60 * MINUTE }, ...day.settings },
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
    return await run(day, clock, manager, () => world.calls.filter(({ status }) => status === 429).length)
  } finally {
    await manager.close()
    await world.close()
  }
}

async function run(
  day: QuotaDay,
  clock: VirtualClock,
  manager: APIManager,
  refusals: () => number,
): Promise<QuotaDayResult> {
  const began = clock.now()
  const byKey: Record<string, number> = {}
  let served = 0
  let met = 0
  let slowestMs = 0
  let lastAt = began
  for (let request = 0; request < day.requests; request++) {
    const arrivesAt = began + request * day.everyMs
    clock.at(arrivesAt, async () => {
      const attempts = await attemptsOf(manager)
      if (attempts.some(({ status }) => status === 429)) met++
      const last = attempts.at(-1)
      if (last?.ok !== true) return
      served++
      byKey[last.keyIndex] = (byKey[last.keyIndex] ?? 0) + 1
      lastAt = clock.now()
      slowestMs = Math.max(slowestMs, lastAt - arrivesAt)
    })
  }
  await clock.run(() => manager.engine.waiting.size)
  const minutes = Math.ceil((lastAt - began + 1) / MINUTE)
  const capacity = Math.min(day.requests, day.capacity(minutes))
  const failed = day.requests - served
  return {
    served,
    failed,
    refusals: refusals(),
    met,
    minutes,
    capacity,
    used: served / capacity,
    slowestMs,
    byKey,
  }
}

async function attemptsOf(manager: APIManager): Promise<readonly AttemptReport[]> {
  try {
    return (await manager.callWithFallback('Say hi')).attempts
  } catch (error) {
    if (error instanceof KeywiseError) return error.attempts
    throw error
  }
}

/** Six keys in three accounts of one provider of the user's own. */
export function sixKeys(facts: {
  readonly perMinute: number
  readonly perDay: number
  readonly stated: boolean
  readonly latencyMs?: number
}): FakeScenario {
  const { perMinute, perDay, stated, latencyMs = 800 } = facts
  const keys = [1, 2, 3, 4, 5, 6].map((key) => [
    `fake-alpha-${'0'.repeat(11)}${key}`,
    { account: `account-${key % 3}` },
  ])
  return {
    providers: {
      alpha: {
        keys: Object.fromEntries(keys),
        models: { m: { latency_ms: latencyMs } },
        limits: [
          { unit: 'requests', window: 'minute', limit: perMinute, scope: 'account', stated },
          { unit: 'requests', window: 'day', limit: perDay, scope: 'account', stated },
        ],
      },
    },
  }
}
