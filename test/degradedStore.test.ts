/** Where nothing can be kept answers go on, and everybody who asks is told. */

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { storeLines } from '../src/cli/status/storeLines.ts'
import { APIManager } from '../src/manager/apiManager.ts'
import { startGateway } from '../src/server/serve.ts'
import { systemFiles } from '../src/store/journal/files.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite.ts'
import { ADMIN_TOKEN, openGateway, TOKEN } from './support/gatewayWorld.ts'
import { httpUpstream } from './support/httpUpstream.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

const KEY = `k${'0'.repeat(20)}`
const asked = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }

test('on a full disk requests are answered, /readyz, the metrics and the status say so, and it ends when there is room', async () => {
  let isFull = false
  const full = () => {
    if (isFull) throw new Error('database or disk is full')
  }
  const path = join(temporaryFolder(), 'keywise.db')
  const write = (...args: Parameters<typeof systemFiles.write>) => {
    full()
    return systemFiles.write(...args)
  }
  const options = { now: Date.now, warn() {}, fault: full, journalFiles: { ...systemFiles, write } }
  const { endpoint } = await httpUpstream(() => ({}))
  const gateway = await startGateway({
    config: { own: { endpoint, api_key: KEY, models: ['m'] } },
    store: openSqliteStore(path, options),
    port: 0,
    env: { KEYWISE_TOKEN: TOKEN, KEYWISE_ADMIN_TOKEN: ADMIN_TOKEN },
    logger: { info() {}, warn() {}, error() {} },
  })
  const get = async (route: string, token = ADMIN_TOKEN) =>
    (await fetch(gateway.app.origin + route, { headers: { authorization: `Bearer ${token}` } })).text()
  const ask = () =>
    fetch(`${gateway.app.origin}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(asked),
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    })
  expect(await get('/readyz')).toBe('yes\n')
  isFull = true
  for (let count = 0; count < 3; count++) expect((await ask()).status).toBe(200)
  expect(await get('/readyz')).toBe('yes\nstore: degraded, rows wait in memory; "keywise status" says more\n')
  const metrics = await get('/metrics')
  expect(metrics).toContain('keywise_store_degraded{engine="sqlite"} 1')
  expect(metrics).toContain('keywise_store_waiting_rows 3')
  expect(JSON.parse(await get('/api/status'))).toMatchObject({
    store: { engine: 'sqlite', state: 'degraded', durability: 'process', waiting: 3 },
  })
  isFull = false
  gateway.opened.engine.store.flushNow()
  expect(await get('/readyz')).toBe('yes\n')
  expect(await get('/metrics')).toContain('keywise_store_degraded{engine="sqlite"} 0')
  expect(gateway.opened.engine.store.attempts({})).toHaveLength(3)
  await gateway.close(0)
})

test('a store in memory is degraded from the start', async () => {
  await using world = await openGateway({ providers: { alpha: { models: { m: {} } } } })
  const metrics = await world.ask('/metrics')
  expect(await metrics.text()).toContain('keywise_store_degraded{engine="memory"} 1')
})

test('the status names what a kill cut off, and nothing while all is well', () => {
  const well = {
    engine: 'sqlite',
    state: 'ok',
    reason: null,
    durability: 'process',
    waiting: 0,
    interrupted: [],
  } as const
  expect(storeLines(well)).toEqual([])
  const at = { firstAt: '2026-11-30T14:02:10.000Z', lastAt: '2026-11-30T14:03:00.000Z' }
  const lines = storeLines({
    ...well,
    interrupted: [
      { ...at, calls: 3, mostUsd: 0.02, unpriced: 1 },
      { ...at, calls: 1, mostUsd: 0, unpriced: 0 },
    ],
  })
  expect(lines[0]).toMatch(
    /^3 calls were cut off when keywise was killed \(begun .* to .*\); up to \$0\.02 and 1 call of unknown price may have been billed$/,
  )
  expect(lines[1]).toMatch(/^1 call was cut off .*; none of them costs anything$/)
  expect(storeLines({ ...well, state: 'degraded', reason: 'the disk is full' })).toEqual([
    'Store: degraded: the disk is full; "keywise doctor" says what to do',
  ])
})

test('a durability that there is not is refused with those that there are, as an option and as a setting', () => {
  const config = { own: { endpoint: 'http://127.0.0.1:9/v1', api_key: KEY, models: ['m'] } }
  const store = join(temporaryFolder(), 'keywise.db')
  expect(() => new APIManager({ config, store, durability: 'forever' as never })).toThrow(
    '"durability" must be "process", "power" or "relaxed", not "forever"',
  )
  expect(() => new APIManager({ config: { ...config, settings: { durability: 'forever' } }, store })).toThrow(
    /durability.*"process".*"power".*"relaxed"/s,
  )
})

test('the durability of the option goes before the setting’s', async () => {
  const config = { own: { endpoint: 'http://127.0.0.1:9/v1', api_key: KEY, models: ['m'] } }
  const store = join(temporaryFolder(), 'keywise.db')
  const settings = { durability: 'relaxed' }
  const levels: (string | null)[] = []
  for (const options of [{}, { settings }, { settings, durability: 'power' as const }]) {
    const manager = new APIManager({ config, store, logger: false, ...options })
    levels.push(manager.engine.store.durability)
    await manager.close()
  }
  expect(levels).toEqual(['process', 'relaxed', 'power'])
})
