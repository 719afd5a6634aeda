import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { jsonSchema } from './schema.ts'
import { settingsSchema } from './settingsSchema.ts'

test('keywise.schema.json matches the schema; `npm run schema` writes it', () => {
  const file = new URL('../../keywise.schema.json', import.meta.url)
  expect(readFileSync(file, 'utf8')).toBe(`${JSON.stringify(jsonSchema(), null, 2)}\n`)
})

test('settings that are not written have the documented defaults', () => {
  expect(settingsSchema.parse({})).toMatchObject({
    weights: { reliability: 0.4, speed: 0.3, quality: 0.2, recency: 0.1 },
    maxAttempts: 5,
    maxAttemptsIsCap: false,
    routing: { strategy: 'learned', latencyRefMs: 4000, costMargin: 0.02, probes: 'calls', qualityFloor: 0 },
    timeouts: { connectMs: 3000, firstTokenMs: 'auto', idleMs: 30_000, totalMs: 600_000, patienceMs: 10_000 },
    streaming: { rescue: 'off' },
    freeOnly: false,
    privacy: 'any',
    unknownPrice: 'allow',
    test: { maxUsd: 0.05, timeoutMs: 30_000 },
    gateway: { host: '127.0.0.1', port: 5397, maxBodyMb: 32 },
    defaultProvider: 'auto',
  })
})

test('hedging is off unless it is written, and then waits for the 95th percentile and costs at most a cent', () => {
  expect(settingsSchema.parse({}).hedge).toBeUndefined()
  expect(settingsSchema.parse({ hedge: {} }).hedge).toEqual({ after: 'p95', maxExtraUsd: 0.01 })
  expect(settingsSchema.parse({ hedge: { after: 800, max_extra_usd: 0 } }).hedge).toEqual({
    after: 800,
    maxExtraUsd: 0,
  })
})

test('an explicit max_attempts is a hard cap, even if it equals the default', () => {
  expect(settingsSchema.parse({ max_attempts: 5 })).toMatchObject({ maxAttempts: 5, maxAttemptsIsCap: true })
})

test("the predecessor's names for the tester's settings mean the same", () => {
  const old = settingsSchema.parse({ test_timeout_ms: 1234, test_message: 'Hi' })
  expect(old.test).toEqual({ maxUsd: 0.05, newTargets: false, timeoutMs: 1234, message: 'Hi' })
})

test('names the user chose keep their spelling', () => {
  const { models, hours } = settingsSchema.parse({
    models: { my_fast_one: 'groq/*' },
    hours: { 'my_provider/*': '22-06 Europe/Madrid' },
  })
  expect(models).toEqual({ my_fast_one: ['groq/*'] })
  expect(hours).toEqual({ 'my_provider/*': ['22-06 Europe/Madrid'] })
})

const wrong = [
  { name: 'a weight below 0', settings: { weights: { speed: -1 } } },
  { name: 'weights that are all 0', settings: { weights: { reliability: 0, speed: 0, quality: 0 } } },
  { name: 'no attempts at all', settings: { max_attempts: 0 } },
  { name: 'half an attempt', settings: { max_attempts: 2.5 } },
  { name: 'an unknown strategy', settings: { routing: { strategy: 'lerned' } } },
  { name: 'a port out of range', settings: { gateway: { port: 70_000 } } },
  { name: 'a budget without an amount', settings: { budgets: [{ scope: 'all' }] } },
  { name: 'a negative budget', settings: { budgets: [{ scope: 'all', usd: -1 }] } },
  {
    name: 'a budget in an unknown time zone',
    settings: { budgets: [{ scope: 'all', usd: 1, timezone: 'Mars/Olympus' }] },
  },
  { name: 'hours without an end', settings: { hours: { groq: '22' } } },
  { name: 'hours in an unknown time zone', settings: { hours: { groq: '22-06 Europe/Nowhere' } } },
  { name: 'an alias called auto', settings: { models: { auto: ['groq/*'] } } },
  { name: 'an alias of nothing', settings: { models: { mine: [] } } },
  { name: 'a hedge after an unknown percentile', settings: { hedge: { after: 'p99' } } },
  { name: 'a hedge that may cost less than nothing', settings: { hedge: { max_extra_usd: -1 } } },
  { name: 'a timeout that is no number', settings: { timeouts: { idle_ms: '30s' } } },
]

for (const { name, settings } of wrong) {
  test(`the settings refuse ${name}`, () => {
    expect(settingsSchema.safeParse(settings).success).toBe(false)
  })
}
