/**
 * Whole days of requests over real HTTP on a virtual clock: how much of the accounts' limits is used, and how often an
 * upstream refuses.
 */

import { expect, test } from 'vitest'
import { quotaDay, sixKeys } from './support/quotaDay.ts'

const limits = { perMinute: 20, perDay: 300 }
const capacity = (minutes: number) => 3 * Math.min(limits.perDay, minutes * limits.perMinute)
const day = { requests: 1_000, capacity }

test('1,000 requests over 6 keys in 3 accounts use 99 % of the minutes and days that headers tell of', async () => {
  const result = await quotaDay({ ...day, scenario: sixKeys({ ...limits, stated: true }), everyMs: 1_000 })
  expect(result.used).toBeGreaterThanOrEqual(0.99)
  expect(result.met).toBeLessThanOrEqual(5)
  expect(result.served).toBe(900)
})

test('1,000 at once with time to wait are served as the minutes allow', async () => {
  const scenario = sixKeys({ perMinute: 60, perDay: 400, stated: true })
  const result = await quotaDay({
    ...day,
    scenario,
    everyMs: 0,
    patienceMs: 3_600_000,
    capacity: (minutes) => 3 * Math.min(400, minutes * 60),
  })
  expect(result.served).toBe(1_000)
  expect(result.met).toBeLessThanOrEqual(5)
  expect(result.minutes).toBeLessThanOrEqual(7)
}, 240_000)

for (const { name, everyMs, patienceMs, mostMet } of [
  { name: 'a little slower than they allow', everyMs: 1_200, patienceMs: 10_000, mostMet: 20 },
  { name: 'exactly as fast as they allow', everyMs: 1_000, patienceMs: 10_000, mostMet: 40 },
  { name: 'exactly as fast, with callers that wait a minute', everyMs: 1_000, patienceMs: 60_000, mostMet: 40 },
  { name: 'twice as fast', everyMs: 500, patienceMs: 10_000, mostMet: 60 },
])
  test(`limits told nowhere are learned from refusals and used by 95 %: ${name}`, async () => {
    const scenario = sixKeys({ ...limits, stated: false })
    const result = await quotaDay({ ...day, scenario, everyMs, patienceMs })
    expect(result.used).toBeGreaterThanOrEqual(0.95)
    expect(result.met).toBeLessThanOrEqual(mostMet)
  })
