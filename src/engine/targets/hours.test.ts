import { describe, expect, test } from 'vitest'
import { openTestEngine } from '../../../test/support/openTestEngine.ts'
import { attemptEvent, failedAttempt } from '../../../test/support/storeEvents.ts'
import { openEngine } from '../../manager/openEngine.ts'
import { hoursView } from '../../views/hours.ts'
import { statusView } from '../../views/status.ts'
import { whyView } from '../../views/why.ts'
import { rankingNow } from '../ranking.ts'
import { refOf } from '../record.ts'

const NOON = Date.UTC(2026, 10, 23, 12)
const HOUR = 3_600_000
const KEY = `gsk_${'x'.repeat(20)}`

function engineAt(now: () => number, hours: object, keyHours?: string) {
  const groq = { api_keys: [{ key: KEY, ...(keyHours !== undefined && { hours: keyHours }) }], models: ['a', 'b'] }
  return openTestEngine({ config: { groq, settings: { hours } }, now })
}

describe('the hours of the user', () => {
  test('exclude a target with a reason and the time it opens, and admit it again at that time', () => {
    let now = NOON
    const engine = engineAt(() => now, { 'groq/a': '22-06 Europe/Madrid' })
    const rowOf = (model: string) => rankingNow(engine).find(({ target }) => target.model === model)
    expect(rowOf('b')?.eligible).toBe(true)
    expect(rowOf('a')).toMatchObject({
      eligible: false,
      reason: 'outside its hours (22-06 Europe/Madrid); opens 2026-11-23 21:00 UTC',
    })
    now = NOON + 9 * HOUR
    expect(rowOf('a')?.eligible).toBe(true)
    now = NOON + 17 * HOUR
    expect(rowOf('a')?.reason).toContain('opens 2026-11-24 21:00 UTC')
    // The clock was put back: what was looked up for later says nothing of now.
    now = NOON + 9 * HOUR
    expect(rowOf('a')?.eligible).toBe(true)
  })

  test('of the key and of the settings must both be satisfied', () => {
    const engine = engineAt(() => NOON, { groq: ['9-18', 'sat,sun 0-24'] }, '14-20')
    expect(rankingNow(engine)[0]?.reason).toBe('outside its hours (14-20); opens 2026-11-23 14:00 UTC')
  })

  test('that exclude everything are shown by status and why, with the first to open', () => {
    const engine = engineAt(() => NOON, { 'groq/a': '22-06', 'groq/b': '15-16 Europe/Madrid' })
    const said = {
      opensAt: '2026-11-23T14:00:00.000Z',
      text: 'Every target is outside its hours; the first to open is groq/b#1: outside its hours (15-16 Europe/Madrid); opens 2026-11-23 14:00 UTC',
    }
    expect(statusView(engine, engine.summary.view()).allClosed).toEqual(said)
    expect(whyView(engine).allClosed).toEqual(said)
  })

  test('that never overlap are reported as well', () => {
    const engine = engineAt(() => NOON, { groq: '9-10' }, '10-11')
    expect(whyView(engine).allClosed).toEqual({
      opensAt: null,
      text: 'Every target is outside its hours, and none ever opens: outside its hours, which never occur (9-10 and 10-11)',
    })
  })

  for (const hours of ['9-25', '24-6', '9:60-10', 'foo 9-17', 'mon-xyz 9-17', '9-17 Europe/Nowhere', '9', '9-24:30'])
    test(`are refused when they are none: ${hours}`, () => {
      expect(() => engineAt(() => NOON, { groq: hours })).toThrow(/settings\.hours/)
    })
})

describe('what was learned by the hour', () => {
  test('is shown by target and hour, with the evidence behind it', () => {
    const engine = engineAt(() => NOON, { 'groq/b': '9-17' })
    const { learned } = engine
    const target = refOf(engine.registry.targets[0]!)
    const midnight = NOON - 12 * HOUR
    for (let day = 10; day > 0; day--)
      for (let hour = 0; hour < 24; hour++) {
        const at = midnight - day * 24 * HOUR + hour * HOUR
        const latencyMs = hour >= 13 && hour < 16 ? 4000 : 1000
        learned.record(attemptEvent({ at, target, latencyMs, firstTokenMs: latencyMs, streamed: true, usage: null }))
        if (hour === 14) learned.record(failedAttempt({ at, target }))
      }
    const [a, b] = hoursView(engine).targets
    const [quiet, busy] = [a?.hours[5], a?.hours[14]]
    expect(quiet).toMatchObject({ hour: 5, attempts: 10, successes: 10, successRate: 1, open: true })
    expect(busy).toMatchObject({ hour: 14, attempts: 20, successes: 10, successRate: 0.5 })
    expect(quiet?.observations).toBeGreaterThan(5)
    expect(quiet?.factor).toBeLessThan(1)
    expect(busy?.factor).toBeGreaterThan(1.5)
    expect((busy?.expectedMs ?? 0) / (quiet?.expectedMs ?? 1)).toBeGreaterThan(1.7)
    expect(b?.hours[5]).toMatchObject({ observations: 0, factor: 1, attempts: 0, successRate: null, open: false })
    expect(b).toMatchObject({ rules: [['9-17']], closed: null })
  })
})

test('the router sees the price of the hour', async () => {
  // DeepSeek's prices of 2025-02 to 2025-09 fell at 16:30 UTC, https://api-docs.deepseek.com/quick_start/pricing
  let now = Date.UTC(2025, 5, 2, 16, 29)
  const opened = openEngine({
    config: { deepseek: { api_key: `sk-${'x'.repeat(20)}`, models: ['deepseek-chat'] } },
    env: {},
    logger: false,
    now: () => now,
  })
  await opened.prepare()
  const { engine } = opened
  const priceNow = () => engine.registry.targets[0]?.profile.price
  const day = priceNow()
  expect(engine.registry.hasOldPrices(now)).toBe(false)
  now += 2 * 60_000
  expect(engine.registry.hasOldPrices(now)).toBe(true)
  const before = new Set(hoursView(engine).targets[0]?.hours.map(({ price }) => price?.output))
  expect(before.size).toBe(2)
  await expect.poll(priceNow, { timeout: 5000 }).not.toEqual(day)
  expect(priceNow()?.output).toBeLessThan(day?.output ?? 0)
  await opened.close()
})
