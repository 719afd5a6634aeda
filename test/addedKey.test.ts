/** A key that is added while keywise runs: its models come from its provider at once, not from the catalogue. */

import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { APIManager } from '../src/manager/apiManager.ts'
import { startGateway } from '../src/server/serve.ts'
import { until } from './support/gatewayWorld.ts'
import { holdSeconds } from './support/housekeepingSeconds.ts'
import { told } from './support/lab.ts'
import { type ListServer, startListServer } from './support/listServer.ts'
import { put, temporaryFolder } from './support/temporaryFolder.ts'

const [FIRST, SECOND] = ['1', '2'].map((number) => `gsk_${number.repeat(40)}`) as [string, string]

/** Writes the keys file: Groq's keys, and more providers. */
function write(folder: string, { origin }: ListServer, keys: readonly string[], more: object = {}): string {
  const groq = { endpoint: `${origin}/v1`, api_keys: keys }
  const settings = { routing: { strategy: 'priority', exploration: { rate: 0 } } }
  return put(folder, 'config/api-keys.json', JSON.stringify({ groq, ...more, settings }))
}

/** Ready, with all lists read. */
async function openOn(config: string, store = 'memory:'): Promise<APIManager> {
  const manager = new APIManager({ config, store, env: {}, logger: false, random: () => 0 })
  onTestFinished(() => manager.close())
  await manager.ready()
  await manager.engine.lists.settled(5000)
  return manager
}

const targets = (manager: APIManager) =>
  manager
    .rankTargets()
    .map(({ target }) => target)
    .sort()

test('its models list is read at once, and those of an added provider too', async () => {
  const folder = temporaryFolder()
  const server = await startListServer({ [FIRST]: ['m'], [SECOND]: ['m', 'n'], box: ['own'] })
  const manager = await openOn(write(folder, server, [FIRST]))
  expect(targets(manager)).toEqual(['groq/m#1'])
  const box = { dialect: 'openai', endpoint: `${server.origin}/v1`, api_key: 'box', models: 'discover' }
  write(folder, server, [FIRST, SECOND], { box })
  await until(() => server.asked.includes('box GET') && server.asked.includes(`${SECOND} GET`))
  await until(() => targets(manager).length === 4)
  expect(targets(manager)).toEqual(['box/own#1', 'groq/m#1', 'groq/m#2', 'groq/n#2'])
  expect(server.asked.filter((line) => line === `${FIRST} GET`)).toHaveLength(1)
})

test('until its list is there, it stands in for the models that another key of its provider has', async () => {
  const folder = temporaryFolder()
  const server = await startListServer({ [FIRST]: ['m'], [SECOND]: ['m'] })
  const manager = await openOn(write(folder, server, [FIRST]))
  const release = server.hold()
  write(folder, server, [FIRST, SECOND])
  await until(() => server.asked.includes(`${SECOND} GET`))
  expect(targets(manager)).toEqual(['groq/m#1', 'groq/m#2'])
  server.models[FIRST] = []
  expect((await told(manager, { prompt: 'hi', model: 'groq/m' })).trail).toBe('groq/m#1=model_not_found; groq/m#2=ok')
  server.models[SECOND] = ['n']
  release()
  await until(() => targets(manager).includes('groq/n#2'))
  expect(targets(manager)).toEqual(['groq/m#1', 'groq/n#2'])
})

test('lists that another process has read are used without being read again', async () => {
  const secondPasses = holdSeconds()
  const folder = temporaryFolder()
  const store = join(folder, 'keywise.db')
  const server = await startListServer({ [FIRST]: ['m'] })
  const config = write(folder, server, [FIRST])
  const manager = await openOn(config, store)
  const other = await openOn(config, store)
  expect(server.asked).toEqual([`${FIRST} GET`])
  server.models[FIRST] = ['m', 'later']
  await other.engine.lists.refresh(other.engine.registry.credentials, true)
  for (let second = 0; second < 10; second++) secondPasses()
  expect(targets(manager)).toEqual(['groq/later#1', 'groq/m#1'])
  expect(server.asked).toHaveLength(2)
})

test('a client of the gateway that names a model of it waits for its list', async () => {
  const folder = temporaryFolder()
  const server = await startListServer({ [FIRST]: ['m'], box: ['own'] })
  const config = write(folder, server, [FIRST])
  const token = 't'.repeat(24)
  const env = { KEYWISE_TOKEN: token, KEYWISE_ADMIN_TOKEN: `test-admin-${'a'.repeat(20)}` }
  const logger = { info: () => {}, warn: () => {}, error: () => {} }
  const gateway = await startGateway({ config, env, logger, store: 'memory:', port: 0 })
  onTestFinished(() => gateway.close(0))
  await gateway.opened.ready()
  const release = server.hold()
  const box = { dialect: 'openai', endpoint: `${server.origin}/v1`, api_key: 'box', models: 'discover' }
  write(folder, server, [FIRST], { box })
  await until(() => server.asked.includes('box GET'))
  const ask = fetch(`${gateway.app.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'box/own', messages: [{ role: 'user', content: 'hi' }] }),
  })
  setTimeout(release, 50)
  expect((await ask).status).toBe(200)
})
