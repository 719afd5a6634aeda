import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type FakeWorld, startFakeProviders } from '../lab/fake/fakeProviders.ts'
import { keysView } from '../views/keys.ts'
import { statusView } from '../views/status.ts'
import { APIManager } from './apiManager.ts'
import { retest } from './retest.ts'

let eligibility: FakeWorld
beforeAll(async () => {
  eligibility = await startFakeProviders({
    providers: {
      groq: { keys: { 'fake-groq-1': {} }, models: { a: {}, b: {} } },
      mistral: { keys: { 'fake-mistral-1': {} }, models: { c: {} } },
    },
  })
})
afterAll(() => eligibility.close())

/** With the models named, so that a refused key has its targets too. */
function open(config: object = named()): APIManager {
  const manager = new APIManager({ config, env: {}, logger: false })
  onTestFinished(() => manager.close())
  return manager
}

function named(): object {
  const key = (provider: string) => ({ endpoint: eligibility.endpoint(provider), api_key: `fake-${provider}-1` })
  return { groq: { ...key('groq'), models: ['a', 'b'] }, mistral: { ...key('mistral'), models: ['c'] } }
}

async function refuseGroq(manager: APIManager): Promise<void> {
  eligibility.revoke('groq', 1)
  await manager.callWithFallback({ prompt: 'hi', model: 'groq/a' }).catch(() => {})
}

test('retest() keeps a key parked that is refused again, and lifts the rest', async () => {
  const manager = open()
  await refuseGroq(manager)
  eligibility.fault('mistral', { do: 'quota_day' })
  await manager.callWithFallback({ prompt: 'hi', model: 'mistral/c' }).catch(() => {})
  eligibility.clearFaults()
  const { engine } = manager
  expect(statusView(engine, manager.getSessionSummary()).targets.map(({ status }) => status)).toEqual([
    'parked',
    'parked',
    'parked',
  ])
  const result = await retest(engine, null)
  expect(result.lifted).toBe(1)
  expect(result.keys).toMatchObject([
    { provider: 'groq', check: 'refused', state: 'refused' },
    { provider: 'mistral', check: 'valid', state: 'valid' },
  ])
  eligibility.restore('groq', 1)
  expect(await retest(engine, 'groq#1')).toMatchObject({ lifted: 2, keys: [{ check: 'valid', state: 'valid' }] })
  expect(keysView(engine).keys.map(({ state }) => state)).toEqual(['valid', 'valid'])
})

test('retest() rejects an unknown name and suggests the nearest', async () => {
  const manager = open()
  await manager.ready()
  await expect(retest(manager.engine, 'grok')).rejects.toThrow(/no target "grok"; nearest: groq/)
})

test('a call waits for the list that may contain its model', async () => {
  const manager = open(eligibility.config())
  expect((await manager.callWithFallback({ prompt: 'hi', model: 'mistral/c' })).model).toBe('c')
})
