import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { freePort } from '../../test/support/freePort.ts'
import { put, temporaryFolder } from '../../test/support/temporaryFolder.ts'
import type { Logger } from '../domain/logger.ts'
import { type FakeOptions, type FakeWorld, startFakeProviders } from '../lab/fake/fakeProviders.ts'
import type { FakeScenario } from '../lab/fake/scenario.ts'
import { fakeKeyText, originalScenario } from '../lab/fake/worlds.ts'
import { APIManager, type APIManagerOptions } from '../manager/apiManager.ts'
import { type TestOptions, testApiKeys } from './apiKeyTester.ts'
import type { TestReport } from './report.ts'
import type { TestPlan } from './runOptions.ts'
import { reportText } from './summaryText.ts'

const NOON = Date.UTC(2026, 10, 23, 12)

/** A clock that advances only in sleep(). */
function fakeClock(): { now: () => number; sleep: (ms: number) => Promise<void>; slept: number[] } {
  let at = NOON
  const slept: number[] = []
  const sleep = (ms: number) => {
    at += ms
    slept.push(ms)
    return new Promise<void>((resolve) => setImmediate(resolve))
  }
  return { now: () => at, sleep, slept }
}

/** Counts concurrent calls to a simulated provider through its sleeps. */
function crowdCounter(): { sleep: (ms: number) => Promise<void>; most: () => number } {
  let present = 0
  let most = 0
  const sleep = async () => {
    most = Math.max(most, ++present)
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    present--
  }
  return { sleep, most: () => most }
}

async function worldOf(scenario: FakeScenario, options: FakeOptions = {}): Promise<FakeWorld> {
  const world = await startFakeProviders(scenario, options)
  onTestFinished(() => world.close())
  return world
}

interface Ran {
  readonly report: TestReport
  readonly plan: TestPlan
  readonly text: string
}

async function run(config: object, options: TestOptions = {}): Promise<Ran> {
  const plans: TestPlan[] = []
  const report = await testApiKeys({ logger: false, config, ...options, onPlan: (made) => void plans.push(made) })
  const [plan] = plans
  if (plan === undefined) throw new Error('the plan was never told')
  return { report, plan, text: reportText(report, plan.providers) }
}

function managerOf(config: object, options: APIManagerOptions = {}): APIManager {
  const manager = new APIManager({ config, logger: false, ...options })
  onTestFinished(() => manager.close())
  return manager
}

const models = (ids: readonly string[]) => Object.fromEntries(ids.map((id) => [id, {}]))
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `model-${index + 1}`)
const acme = (facts: FakeScenario['providers'][string]): FakeScenario => ({ providers: { acme: facts } })
const one = (report: TestReport, model: string) => report.tests.find((result) => result.model === model)
const called = (world: FakeWorld) => world.calls.map(({ model }) => model).sort()

test("testApiKeys() tests the original's 28 targets once each, three Google keys among them", async () => {
  const world = await worldOf(originalScenario(0))
  const { report, text } = await run(world.config())
  expect(report.summary).toEqual({ total: 28, passed: 28, failed: 0, skipped: 0, passRate: 1 })
  expect(world.calls).toHaveLength(28)
  expect(report.tests.filter(({ provider }) => provider === 'google').map(({ keyIndex }) => keyIndex)).toEqual(
    [1, 2, 3].flatMap((key) => Array.from({ length: 5 }, () => key)),
  )
  expect(text).toContain('  Groq: 6/6 ✅\n  OpenRouter: 7/7 ✅\n  Google Gemini: 15/15 ✅')
  expect(text).toContain('  ✅ google - Key2 - gemini-3.8-flash\n     Response time: ')
  expect(text).toMatch(
    /Total Tests: 28\nPassed: 28 ✅\nFailed: 0 ❌\nPass Rate: 100\.0%\n\n⚡ Fastest: \S+ - \S+ \(\d+ms\)/,
  )
})

test('testApiKeys() makes no call for a model that is retired, not listed or of another kind', async () => {
  const world = await worldOf({
    providers: {
      groq: {
        keys: { [fakeKeyText('groq', 1)]: {} },
        models: { 'openai/gpt-oss-120b': {}, 'whisper-large-v3': { kind: 'speech' } },
      },
    },
  })
  const config = world.config() as Record<string, Record<string, unknown>>
  config['groq']!['models'] = [
    'openai/gpt-oss-120b',
    'llama-3.3-70b-versatile',
    'whisper-large-v3',
    'openai/gpt-oss-12b',
  ]
  const { report, text } = await run(config)
  expect(called(world)).toEqual(['openai/gpt-oss-120b'])
  expect(one(report, 'llama-3.3-70b-versatile')).toMatchObject({
    status: 'failed',
    statusCode: 404,
    failureKind: 'model_not_found',
    successor: 'openai/gpt-oss-120b',
    calls: 0,
  })
  expect(text).toContain('     404 model_not_found: retired by the provider on 2026-08-16; use openai/gpt-oss-120b')
  expect(report.skipped).toMatchObject([
    { model: 'whisper-large-v3', reason: 'not tested: price unknown; serves transcription, not chats' },
  ])
  expect(one(report, 'openai/gpt-oss-12b')).toMatchObject({ successor: 'openai/gpt-oss-120b', calls: 0 })
  expect(report.advice.map((advice) => advice.text)[0]).toContain('put openai/gpt-oss-120b in its place')
})

test('testApiKeys() names the successor of a model that the list still shows but calls do not find', async () => {
  const world = await worldOf({
    providers: {
      groq: { keys: { [fakeKeyText('groq', 1)]: {} }, models: { 'llama-3.3-70b-versatile': { retired: true } } },
    },
  })
  const { report } = await run(world.config())
  expect(one(report, 'llama-3.3-70b-versatile')).toMatchObject({
    statusCode: 404,
    successor: 'openai/gpt-oss-120b',
    error: 'retired by the provider on 2026-08-16; use openai/gpt-oss-120b',
    calls: 1,
  })
})

test('testApiKeys() reports a refused key once, without a call, and the manager skips the key afterwards', async () => {
  const world = await worldOf({
    providers: {
      google: {
        keys: { [fakeKeyText('google', 1)]: {}, [fakeKeyText('google', 2)]: { revoked: true } },
        models: models(['gemini-3.8-flash', 'gemini-3.5-flash-lite']),
      },
    },
  })
  const config = world.config() as Record<string, Record<string, unknown>>
  config['google']!['models'] = ['gemini-3.8-flash', 'gemini-3.5-flash-lite']
  const manager = managerOf(config)
  const { report, text } = await run({}, { engine: manager.engine })
  expect(report.summary).toMatchObject({ total: 4, passed: 2, failed: 2 })
  expect(world.calls.every(({ key }) => key === 1)).toBe(true)
  expect(text.match(/auth_invalid/g)).toHaveLength(1)
  expect(text).toContain('  ❌ google - Key2 - all 2 models')
  expect(report.advice[0]?.text).toContain(
    'key 2 of Google Gemini is refused: create a new one at https://aistudio.google.com/apikey',
  )
  const reasons = manager.rankTargets().filter(({ keyIndex }) => keyIndex === 2)
  expect(reasons.map(({ eligible }) => eligible)).toEqual([false, false])
  expect(manager.engine.learned.parks.list(manager.engine.now).map(({ times }) => times)).toEqual([1])
})

test('testApiKeys() reports a refused key whose models list is public from the key check alone', async () => {
  const world = await worldOf({
    providers: {
      openrouter: {
        keys: { [fakeKeyText('openrouter', 1)]: { revoked: true } },
        models: models(['a/b:free', 'c/d:free']),
      },
    },
  })
  const { report } = await run(world.config())
  expect(world.calls).toHaveLength(0)
  expect(report.tests.map(({ failureKind, calls }) => [failureKind, calls])).toEqual([
    ['auth_invalid', 0],
    ['auth_invalid', 0],
  ])
})

test('testApiKeys() reports an unreachable host as one finding, and tests the others', async () => {
  const world = await worldOf(acme({ models: models(['m']) }))
  const gone = {
    dialect: 'openai',
    endpoint: `http://127.0.0.1:${await freePort()}/v1`,
    api_key: 'none',
    models: numbered(30),
  }
  const { report, text } = await run({ ...world.config(), gone })
  expect(report.summary).toMatchObject({ total: 31, passed: 1, failed: 30 })
  expect(text.match(/ECONNREFUSED/g)).toHaveLength(1)
  expect(text).toContain('  ❌ gone - all 30 models')
  expect(report.advice).toHaveLength(1)
  expect(report.advice[0]?.text).toContain('nothing answers at 127.0.0.1:')
})

test('testApiKeys() reports a key whose list contains no model', async () => {
  const world = await worldOf(acme({ keys: { 'acme-key-0000000001': { revoked: true } }, models: models(['m']) }))
  const { report } = await run({ acme: { ...(world.config()['acme'] as object), models: 'discover' } })
  expect(report.tests).toMatchObject([{ model: '(all models)', status: 'failed', failureKind: 'auth_invalid' }])
})

test('testApiKeys() counts a model that spends its few tokens on thinking as working', async () => {
  const world = await worldOf(acme({ models: { thinker: { thinks: 400 }, plain: {} } }))
  const { report, text } = await run(world.config())
  expect(one(report, 'thinker')).toMatchObject({ status: 'success', note: 'works, thinks first' })
  expect(one(report, 'plain')?.note).toBeUndefined()
  expect(text).toContain('ms (works, thinks first)')
})

test('testApiKeys() respects the number of concurrent calls per account', async () => {
  const crowd = crowdCounter()
  const slow = Object.fromEntries(numbered(9).map((id) => [id, { latency_ms: 1 }]))
  const keys = { 'acme-key-0000000001': {}, 'acme-key-0000000002': {} }
  const world = await worldOf(acme({ keys, models: slow }), crowd)
  const { report } = await run(world.config(), { concurrency: 3 })
  expect(report.summary.passed).toBe(18)
  expect(crowd.most()).toBeGreaterThan(1)
  expect(crowd.most()).toBeLessThanOrEqual(6)
})

test('testApiKeys() waits out a minute limit instead of failing the remaining targets', async () => {
  const clock = fakeClock()
  const limits = [{ unit: 'requests', window: 'minute', limit: 4, scope: 'account' }] as const
  const world = await worldOf(acme({ models: models(numbered(10)), limits: [...limits] }), { now: clock.now })
  const { report } = await run(world.config(), { ...clock, concurrency: 4 })
  expect(report.summary).toMatchObject({ total: 10, passed: 10 })
  expect(Math.max(...clock.slept)).toBeLessThanOrEqual(66_000)
})

test('testApiKeys() reports a limit that outlasts its patience, and when it ends', async () => {
  const clock = fakeClock()
  const world = await worldOf(acme({ models: models(['m']), faults: [{ do: 'rate_minute', retry_after: 600 }] }), {
    now: clock.now,
  })
  const { report, text } = await run(world.config(), clock)
  expect(report.tests[0]).toMatchObject({ failureKind: 'rate_minute', statusCode: 429, calls: 1 })
  expect(Date.parse(report.tests[0]?.retryAt ?? '')).toBeGreaterThan(NOON)
  expect(text).toContain('acme: 0/1 ❌ (1 model rate limited)')
})

test('testApiKeys() says when an exhausted day ends, and that keys which hit it together may share an account', async () => {
  const clock = fakeClock()
  const keys = { 'acme-key-0000000001': {}, 'acme-key-0000000002': {} }
  const world = await worldOf(
    { providers: { google: { keys, models: models(['gemini-3.8-flash']), faults: [{ do: 'quota_day' }] } } },
    { now: clock.now },
  )
  const { report } = await run(world.config(), clock)
  expect(report.tests.map(({ failureKind, calls }) => [failureKind, calls])).toEqual([
    ['quota_day', 1],
    ['quota_day', 1],
  ])
  // Midnight in Los Angeles.
  expect(report.tests[0]?.retryAt?.slice(0, 13)).toBe('2026-11-24T08')
  expect(report.advice.at(-1)?.text).toContain('give them the same "account"')
})

test('testApiKeys() retries a transient failure once, and reports a lasting one', async () => {
  const clock = fakeClock()
  const world = await worldOf(
    acme({
      models: models(['moody', 'broken']),
      faults: [
        { do: 'server', model: 'moody', to: 1 },
        { do: 'server', model: 'broken' },
      ],
    }),
    { now: clock.now },
  )
  const { report } = await run(world.config(), clock)
  expect(one(report, 'moody')).toMatchObject({ status: 'success', calls: 2 })
  expect(one(report, 'broken')).toMatchObject({ status: 'failed', failureKind: 'server', statusCode: 500, calls: 2 })
})

test('testApiKeys() gives up on a silent model after its timeout', async () => {
  const world = await worldOf(acme({ models: models(['m']), faults: [{ do: 'silence' }] }))
  const { report } = await run(world.config(), { timeoutMs: 150 })
  expect(report.tests[0]).toMatchObject({ failureKind: 'timeout', calls: 1 })
})

test('testApiKeys() never spends more than settings.test.max_usd and names what it skipped', async () => {
  const world = await worldOf(acme({ models: models(numbered(10)) }))
  const priced = numbered(10).map((id) => ({ id, price: { input: 0, output: 100 } }))
  // 16 tokens at $100 per million are $0.0016: three of them fit.
  const config = {
    acme: { ...(world.config()['acme'] as object), models: priced },
    settings: { test: { max_usd: 0.005 } },
  }
  const { report, plan, text } = await run(config, { concurrency: 2 })
  expect(plan.cost).toEqual({ estimatedUsd: 0.016, maxUsd: 0.005, spentUsd: 0, unknownPrice: 0 })
  expect(world.calls.length).toBe(report.summary.passed)
  expect(report.summary.passed).toBeGreaterThanOrEqual(3)
  expect(report.summary.passed + report.summary.skipped).toBe(10)
  expect(report.cost.spentUsd).toBeLessThanOrEqual(0.005)
  expect(report.skipped[0]?.reason).toContain('settings.test.max_usd')
  expect(text).toContain('models skipped)')
  expect(report.advice.at(-1)?.text).toContain('raise settings.test.max_usd')
})

test('testApiKeys() obeys free_only, unknown_price and hard budgets', async () => {
  const world = await worldOf(acme({ models: models(['free', 'paid', 'unknown']) }))
  const entries = [
    { id: 'free', price: { input: 0, output: 0 } },
    { id: 'paid', price: { input: 1, output: 1 } },
    'unknown',
  ]
  const acmeOf = { acme: { ...(world.config()['acme'] as object), models: entries } }
  const freeOnly = await run({ ...acmeOf, settings: { free_only: true } })
  expect(freeOnly.report.skipped.map(({ model }) => model)).toEqual(['paid', 'unknown'])
  const known = await run({ ...acmeOf, settings: { unknown_price: 'block' } })
  expect(known.report.skipped).toMatchObject([{ model: 'unknown', reason: 'price unknown' }])
  const budget = await run({
    ...acmeOf,
    settings: { budgets: [{ scope: 'acme/paid', usd: 0.000_000_001, per: 'day', hard: true }] },
  })
  expect(budget.report.skipped.map(({ model }) => model)).toEqual(['paid'])
  expect(called(world)).toEqual(['free', 'free', 'free', 'paid', 'unknown'])
})

test('testApiKeys() uses at most a tenth of the known remaining daily quota', async () => {
  const limits = [{ unit: 'requests', window: 'day', limit: 50, scope: 'account' }] as const
  const world = await worldOf(acme({ models: models(numbered(12)), limits: [...limits] }))
  const manager = managerOf(world.config())
  await run({}, { engine: manager.engine, concurrency: 12 })
  world.forget()
  const { report } = await run({}, { engine: manager.engine })
  // 38 of 50 are left after the first run, which did not yet know the limit.
  expect(world.calls).toHaveLength(3)
  expect(report.skipped).toHaveLength(9)
  expect(report.skipped[0]?.reason).toContain('requests left today')
})

test('testApiKeys() tests parked targets, and a success ends the park', async () => {
  const clock = fakeClock()
  const world = await worldOf(acme({ models: models(['m', 'n']), faults: [{ do: 'auth_forbidden', model: 'm' }] }), {
    now: clock.now,
  })
  const manager = managerOf(world.config(), clock)
  await run({}, { engine: manager.engine })
  expect(manager.rankTargets({ prompt: 'hi', model: 'm' }).find(({ model }) => model === 'm')?.eligible).toBe(false)
  world.clearFaults()
  await clock.sleep(60_000)
  const { report } = await run({}, { engine: manager.engine })
  expect(report.summary.passed).toBe(2)
  expect(manager.engine.learned.parks.list(clock.now())).toEqual([])
  expect(manager.rankTargets({ prompt: 'hi', model: 'm' }).find(({ model }) => model === 'm')?.eligible).toBe(true)
})

test('testApiKeys() tests a local server one model at a time, only loaded models and those named by the filter', async () => {
  const crowd = crowdCounter()
  const local = { small: { loaded: true, latency_ms: 1 }, other: { loaded: true, latency_ms: 1 }, huge: {} }
  const world = await worldOf({ providers: { ollama: { models: local } } }, crowd)
  const { report } = await run({ ollama: { endpoint: world.endpoint('ollama') } })
  expect(called(world)).toEqual(['other', 'small'])
  expect(crowd.most()).toBe(1)
  expect(report.skipped).toMatchObject([{ model: 'huge', reason: expect.stringContaining('not loaded') }])
  const named = await run({ ollama: { endpoint: world.endpoint('ollama') } }, { model: 'huge' })
  expect(named.report.tests).toMatchObject([{ model: 'huge', status: 'success' }])
})

test('testApiKeys() proves each claimed ability with its own call', async () => {
  const world = await worldOf({
    providers: {
      google: {
        models: {
          'gemini-3.8-flash': {},
          'gemini-3.5-flash-lite': { lacks: ['images'] },
          'gemini-2.5-flash': { reply: 'no JSON' },
        },
      },
    },
  })
  const { report, text } = await run(world.config(), { abilities: true })
  const ok = { ok: true }
  expect(one(report, 'gemini-3.8-flash')?.abilities).toMatchObject({ streaming: ok, tools: ok, json: ok, images: ok })
  expect(one(report, 'gemini-3.8-flash')?.abilities?.streaming?.firstTokenMs).toBeGreaterThanOrEqual(0)
  expect(one(report, 'gemini-3.5-flash-lite')?.abilities?.images).toMatchObject({ ok: false })
  expect(one(report, 'gemini-2.5-flash')?.abilities).toMatchObject({
    json: { ok: false, note: 'the answer is not a JSON object' },
    images: { ok: false },
  })
  expect(text).toContain('     Abilities: streaming ✅, tools ✅, json ✅, images ✅')
  expect(one(report, 'gemini-3.8-flash')?.calls).toBe(5)
})

test('testApiKeys() keeps the results found so far when it is interrupted', async () => {
  const folder = temporaryFolder()
  const world = await worldOf(
    acme({ models: { quick: {}, ...Object.fromEntries(numbered(5).map((id) => [id, { latency_ms: 60_000 }])) } }),
  )
  const controller = new AbortController()
  const { report, text } = await run(world.config(), {
    signal: controller.signal,
    out: join(folder, 'results.json'),
    concurrency: 3,
    onResult: () => controller.abort(),
  })
  expect(report).toMatchObject({ interrupted: true, summary: { total: 1, passed: 1, skipped: 5 } })
  expect(report.skipped[0]?.reason).toBe('interrupted')
  expect(text).toContain('Interrupted')
  expect(JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8'))).toMatchObject({
    interrupted: true,
    tests: [{ model: 'quick' }],
  })
})

test('testApiKeys() ends at once when interrupted while waiting for a limit', async () => {
  const world = await worldOf(acme({ models: models(['m']), faults: [{ do: 'rate_minute', retry_after: 50 }] }))
  const controller = new AbortController()
  const { report } = await run(world.config(), { signal: controller.signal, onWait: () => controller.abort() })
  expect(report).toMatchObject({ interrupted: true, tests: [{ failureKind: 'rate_minute', calls: 1 }] })
})

test('testApiKeys() ends at once when interrupted while waiting for a models list', async () => {
  const controller = new AbortController()
  const server = createServer(() => controller.abort())
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // listening on TCP
  const config = {
    acme: { dialect: 'openai', endpoint: `http://127.0.0.1:${port}/v1`, api_key: 'acme-key-0000000001', models: ['m'] },
  }
  const { report } = await run(config, { signal: controller.signal })
  expect(report).toMatchObject({ interrupted: true, tests: [], skipped: [{ model: 'm', reason: 'interrupted' }] })
})

test('testApiKeys() reports changes since the results file of the previous run', async () => {
  const folder = temporaryFolder()
  const out = join(folder, 'api-test-results.json')
  const world = await worldOf(acme({ models: models(['a', 'b', 'c']), faults: [{ do: 'bad_request', model: 'a' }] }))
  const first = await run(world.config(), { out })
  expect(first.report.changes).toBeNull()
  world.clearFaults()
  world.fault('acme', { do: 'bad_request', model: 'b' })
  const second = await run(world.config(), { out })
  expect(second.report.changes).toEqual({
    since: first.report.timestamp,
    newlyWorking: ['acme/a#1'],
    newlyFailing: ['acme/b#1'],
  })
  expect(second.text).toContain('  ✅ works now: acme/a#1\n  ❌ fails now: acme/b#1')
})

test('testApiKeys() writes the fields of the original as well as its own', async () => {
  const folder = temporaryFolder()
  const out = join(folder, 'results.json')
  const limits = [{ unit: 'requests', window: 'day', limit: 50 }] as const
  const world = await worldOf(acme({ models: models(['m']), limits: [...limits] }))
  await run(world.config(), { out })
  const file = JSON.parse(readFileSync(out, 'utf8'))
  expect(file).toMatchObject({
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    summary: { total: 1, passed: 1, failed: 0 },
    passRate: 1,
    fastest: { target: 'acme/m#1' },
    advice: [],
  })
  expect(file.tests[0]).toMatchObject({
    provider: 'acme',
    keyIndex: 1,
    model: 'm',
    status: 'success',
    responseTime: expect.any(Number),
    responseText: expect.stringContaining('This is m'),
    rateLimitInfo: { limitRequests: null, limitRequestsDay: 50, remainingRequestsDay: 49 },
    failureKind: null,
    advice: null,
  })
})

test('testApiKeys() continues with one warning when the results cannot be written', async () => {
  const warnings: string[] = []
  const logger: Logger = { info() {}, warn: (line) => void warnings.push(line), error() {} }
  const folder = temporaryFolder()
  put(folder, 'file', 'no folder')
  const world = await worldOf(acme({ models: models(['m']) }))
  const { report } = await run(world.config(), { out: join(folder, 'file', 'results.json'), logger })
  expect(report.summary.passed).toBe(1)
  expect(warnings.filter((line) => line.includes('cannot be written'))).toHaveLength(1)
})

test('testApiKeys() ignores a file that is not a results file', async () => {
  const folder = temporaryFolder()
  const out = join(folder, 'results.json')
  const world = await worldOf(acme({ models: models(['m']) }))
  for (const text of [
    '',
    '{"tests":',
    '{"tests":[null,7,{"provider":"__proto__","model":{},"status":"success"}]}',
    '[]',
  ]) {
    writeFileSync(out, text)
    const { report } = await run(world.config(), { out })
    expect(report.summary.passed).toBe(1)
    expect(report.changes?.newlyFailing ?? []).toEqual([])
  }
})

test('testApiKeys() never shows a key, not even when a model or a provider echoes it', async () => {
  const folder = temporaryFolder()
  const keys = [1, 2].map((index) => `canary-${'c'.repeat(20)}${index}`)
  const world = await worldOf(
    acme({
      keys: Object.fromEntries(keys.map((key) => [key, {}])),
      models: { parrot: { reply: `your key is ${keys[0]}` }, broken: {} },
      faults: [{ do: 'bad_request', model: 'broken' }],
    }),
  )
  const out = join(folder, 'results.json')
  const html = join(folder, 'report.html')
  const seen: string[] = []
  const { report, text } = await run(world.config(), {
    out,
    html,
    onResult: (result) => void seen.push(JSON.stringify(result)),
  })
  const everything = [
    text,
    JSON.stringify(report),
    readFileSync(out, 'utf8'),
    readFileSync(html, 'utf8'),
    ...seen,
  ].join('\n')
  for (const key of keys) expect(everything).not.toContain(key)
  expect(one(report, 'parrot')?.responseText).toContain('your key is canary-…')
})

test('testApiKeys() rejects filters that match nothing, naming what exists, and a configuration without keys', async () => {
  const world = await worldOf(acme({ models: models(['gpt-oss-120b']) }))
  await expect(run(world.config(), { provider: 'nobody' })).rejects.toThrow(
    'no provider "nobody" to test; there is: acme',
  )
  await expect(run(world.config(), { key: 7 })).rejects.toThrow('no key "7" to test; there is: 1')
  await expect(run(world.config(), { model: 'gpt-os-120b' })).rejects.toThrow('there is: gpt-oss-120b')
  await expect(run({}, { env: {} })).rejects.toMatchObject({ code: 'CONFIG' })
})

test('testApiKeys({ all }) tests a whole long list, the default only what is free', async () => {
  const ids = Array.from({ length: 60 }, (_, index) => `vendor/m${index}`)
  const world = await worldOf({ providers: { openrouter: { models: { ...models(ids), 'vendor/x:free': {} } } } })
  const config = { openrouter: { ...(world.config()['openrouter'] as object), models: undefined } }
  const usual = await run(config)
  expect(usual.report.tests.map(({ model }) => model)).toEqual(['vendor/x:free'])
  const all = await run(config, { all: true })
  expect(all.plan.targets).toHaveLength(61)
})
