/** Servers of one's own, and keys that cost nothing: their models are used without a word about prices. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { APIManager } from '../src/manager/apiManager.ts'
import { told } from './support/lab.ts'
import { startListServer } from './support/listServer.ts'

async function open(config: object): Promise<APIManager> {
  const manager = new APIManager({ config, env: {}, logger: false })
  onTestFinished(() => manager.close())
  await manager.ready()
  await manager.engine.lists.settled(5000)
  return manager
}

const KEY = 'sk-own-0123456789'

describe('a custom provider on this machine or network', () => {
  for (const api_key of ['none', KEY])
    for (const host of ['127.0.0.1', 'localhost'])
      test(`at ${host} with ${api_key === 'none' ? 'no key' : 'a key'} serves its discovered models in "auto"`, async () => {
        const server = await startListServer({ [api_key === 'none' ? '' : api_key]: ['own'] })
        const endpoint = `${server.origin.replace('127.0.0.1', host)}/v1`
        const block = { dialect: 'openai', endpoint, api_key, models: 'discover' }
        const manager = await open({ box: block, settings: { unknown_price: 'block' } })
        const { result, trail } = await told(manager, 'hi')
        expect(trail).toBe('box/own#1=ok')
        expect(result?.costUsd).toBe(0)
      })

  test('keeps the prices that the user or its list gives', async () => {
    const server = await startListServer({ [KEY]: ['own'] })
    const block = { dialect: 'openai', endpoint: `${server.origin}/v1`, api_key: KEY }
    const manager = await open({ box: { ...block, models: [{ id: 'own', price: { input: 1, output: 2 } }] } })
    expect((await told(manager, 'hi')).result?.costUsd).toBeGreaterThan(0)
    expect(manager.engine.registry.targets.map(({ profile }) => profile.free)).toEqual([false])
  })

  test('that the configuration calls foreign has no known price', async () => {
    const server = await startListServer({ [KEY]: ['own'] })
    const block = { dialect: 'openai', endpoint: `${server.origin}/v1`, api_key: KEY, models: 'discover', local: false }
    const manager = await open({ box: block })
    expect(manager.rankTargets()).toMatchObject([{ eligible: false, reason: expect.stringContaining('price unknown') }])
  })

  test.each([
    ['http://10.1.2.3:8000/v1', true],
    ['http://172.16.0.9/v1', true],
    ['http://172.31.255.1/v1', true],
    ['http://192.168.0.2/v1', true],
    ['http://[::1]:8000/v1', true],
    ['http://[fc00::5]/v1', true],
    ['http://[fd12:3456::1]/v1', true],
    ['http://box.local/v1', true],
    ['http://vllm:8000/v1', true],
    ['https://172.32.0.1/v1', false],
    ['https://11.0.0.1/v1', false],
    ['https://[2001:db8::1]/v1', false],
    ['https://local.example.com/v1', false],
  ])('is one at %s: %s', (endpoint, isOwn) => {
    const config = { box: { dialect: 'openai', endpoint, api_key: KEY, models: 'discover' } }
    const manager = new APIManager({ config, env: {}, logger: false })
    onTestFinished(() => manager.close())
    expect(manager.engine.registry.credentials[0]?.provider.spec.privateAddress).toBe(isOwn)
  })
})

test('a key that is marked free brings its discovered models into "auto", and only that key', async () => {
  const [free, paid] = ['1', '2'].map((number) => `gsk_${number.repeat(40)}`) as [string, string]
  const server = await startListServer({ [free]: ['new-model'], [paid]: ['new-model'] })
  const groq = { endpoint: `${server.origin}/v1`, api_keys: [{ key: free, free: true }, paid] }
  const manager = await open({ groq })
  expect(manager.rankTargets().map(({ target, eligible }) => `${target} ${eligible}`)).toEqual([
    'groq/new-model#1 true',
    'groq/new-model#2 false',
  ])
})
