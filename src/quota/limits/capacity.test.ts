import { expect, test } from 'vitest'
import { runDay, type Scenario } from '../../../test/support/countingUpstream.ts'

/** 1,000 requests over 6 keys in 3 accounts with a daily capacity of 900, with a restart in the middle. */
const offered = { perMinute: 20, perDay: 300, requests: 1_000, parallelPerKey: 4, restartAfter: 500 } as const

/** Slightly slower and slightly faster than the accounts' limits per minute allow. */
const steadily = 1_100
const pressing = 900
const atOnce = 0

const cases: readonly (Pick<Scenario, 'tells' | 'minuteWindow' | 'everyMs'> & { readonly mostRefused: number })[] = [
  { tells: 'headers', minuteWindow: 'fixed', everyMs: steadily, mostRefused: 5 },
  { tells: 'headers', minuteWindow: 'rolling', everyMs: steadily, mostRefused: 5 },
  { tells: 'headers', minuteWindow: 'fixed', everyMs: pressing, mostRefused: 5 },
  { tells: 'headers', minuteWindow: 'rolling', everyMs: pressing, mostRefused: 5 },
  { tells: 'headers', minuteWindow: 'fixed', everyMs: atOnce, mostRefused: 5 },
  { tells: 'headers', minuteWindow: 'rolling', everyMs: atOnce, mostRefused: 5 },
  { tells: 'bodies', minuteWindow: 'rolling', everyMs: steadily, mostRefused: 5 },
  { tells: 'kinds', minuteWindow: 'fixed', everyMs: steadily, mostRefused: 5 },
  { tells: 'kinds', minuteWindow: 'rolling', everyMs: steadily, mostRefused: 5 },
  // 24 parallel calls reach every unknown limit several at a time; it cannot be known before the first answer. What was
  // only learned is tried again every few minutes, because it may have been wrong.
  { tells: 'kinds', minuteWindow: 'fixed', everyMs: pressing, mostRefused: 45 },
  { tells: 'bodies', minuteWindow: 'rolling', everyMs: atOnce, mostRefused: 25 },
  { tells: 'kinds', minuteWindow: 'rolling', everyMs: atOnce, mostRefused: 45 },
]

for (const { tells, minuteWindow, everyMs, mostRefused } of cases)
  test(`1,000 requests ${everyMs === 0 ? 'at once' : `every ${everyMs} ms`} use the whole ${minuteWindow} capacity with at most ${mostRefused} refusals when the upstream states ${tells}`, () => {
    for (const seed of [1, 7_919, 104_729]) {
      const day = runDay({ ...offered, tells, minuteWindow, everyMs, seed })
      expect(day.served).toBeGreaterThanOrEqual(0.99 * 900)
      expect(day.refused).toBeLessThanOrEqual(mostRefused)
    }
  })

test('a burst with live headers is served about as fast as the limits per minute allow', () => {
  const day = runDay({ ...offered, perDay: 5_000, perMinute: 30, tells: 'headers', minuteWindow: 'fixed', everyMs: 0 })
  expect(day.served).toBe(1_000)
  expect(day.tookMs).toBeLessThanOrEqual((1_000 / 90 / 0.99) * 60_000 + 15_000)
})
