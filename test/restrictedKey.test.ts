import { describe, expect, onTestFinished, test } from 'vitest'
import { APIManager } from '../src/manager/apiManager.ts'
import { testApiKeys } from '../src/tester/apiKeyTester.ts'
import { httpUpstream } from './support/httpUpstream.ts'

const KEY = `sk-proj-${'0'.repeat(24)}`
const message =
  'You have insufficient permissions for this operation. Missing scopes: api.model.read. Check the role of this key.'
const refusal = (status: number) => ({
  status,
  body: { error: { message, type: 'invalid_request_error', param: null, code: null } },
})

describe.each([401, 403])('a key that may not list models (HTTP %i)', (status) => {
  test('is tested with its models, and is good', async () => {
    const { endpoint } = await httpUpstream(
      () => ({}),
      () => refusal(status),
    )
    for (const models of [undefined, ['gpt-4.1-mini']]) {
      const openai = { api_key: KEY, endpoint, ...(models !== undefined && { models }) }
      const { summary, advice } = await testApiKeys({ config: { openai }, env: {}, logger: false })
      expect(summary.passed).toBe(summary.total)
      expect(summary.total).toBeGreaterThan(0)
      expect(advice).toEqual([])
    }
  })

  test('is told to name its models where none is known', async () => {
    const { endpoint } = await httpUpstream(
      () => ({}),
      () => refusal(status),
    )
    const config = { mine: { dialect: 'openai', endpoint, api_key: KEY, models: 'discover' } }
    const { advice } = await testApiKeys({ config, env: {}, logger: false })
    expect(advice.map(({ text }) => text).join()).toContain('name the models it can call')
  })

  test('is not called refused by a check, and comes back from a refusal', async () => {
    let now = Date.now()
    const { endpoint } = await httpUpstream(
      ({ call }) =>
        call === 1 ? { status: 401, body: { error: { message: 'bad key', code: 'invalid_api_key' } } } : {},
      () => refusal(status),
    )
    const openai = { api_key: KEY, endpoint, models: ['gpt-4.1-mini'] }
    const manager = new APIManager({ config: { openai }, env: {}, logger: false, now: () => now })
    onTestFinished(() => manager.close())
    await expect(manager.callWithFallback('Say hi')).rejects.toThrow()
    const { engine } = manager
    const [credential] = engine.registry.credentials
    const [park] = engine.learned.parks.list(now)
    if (credential === undefined || park === undefined) throw new Error('nothing is parked')
    expect(park.reason).toBe('auth_invalid')
    now = park.until + 1
    await engine.checks.prove(park, credential)
    expect(engine.checks.last(credential)?.state).toBe('unproven')
    expect((await manager.callWithFallback('Say hi')).content).toBe('hello')
  })
})

test('a key that is refused on the models list without a word of scopes is a bad key', async () => {
  const upstream = await httpUpstream(
    () => ({}),
    () => ({ status: 401, body: { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } } }),
  )
  const openai = { api_key: KEY, endpoint: upstream.endpoint, models: ['gpt-4.1-mini'] }
  const { summary } = await testApiKeys({ config: { openai }, env: {}, logger: false })
  expect(summary).toMatchObject({ passed: 0, failed: 1 })
  expect(upstream.calls).toEqual([])
})

test('a key is not called refused where its check met a firewall', async () => {
  const { endpoint } = await httpUpstream(
    () => ({}),
    () => ({ status: 403, headers: { 'content-type': 'text/plain' }, body: 'error code: 1010' }),
  )
  const manager = new APIManager({
    config: { openai: { api_key: KEY, endpoint, models: ['gpt-4.1-mini'] } },
    env: {},
    logger: false,
  })
  onTestFinished(() => manager.close())
  const { checks, registry } = manager.engine
  const [credential] = registry.credentials
  if (credential === undefined) throw new Error('no key')
  await checks.checkNow(credential)
  expect(checks.last(credential)).toMatchObject({ state: 'unproven' })
})
