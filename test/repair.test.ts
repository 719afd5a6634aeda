/** What `keywise doctor --repair` brings back of a damaged store, as its user sees it. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { backUpStore } from '../src/store/sqlite/backups.ts'
import { loadSqlite } from '../src/store/sqlite/module.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite.ts'
import { type Home, makeHome } from './support/runKeywise.ts'
import { attemptEvent, TEN } from './support/storeEvents.ts'

const STORE = 'state/keywise.db'

async function record(home: Home, count: number, at = TEN): Promise<void> {
  const store = openSqliteStore(join(home.folder, STORE), { now: () => TEN, warn: (line) => expect.fail(line) })
  for (let n = 0; n < count; n++) store.append(attemptEvent({ at: at + n }))
  await store.close()
}

function homeWithStore(): Home {
  const home = makeHome({ mine: { dialect: 'openai', endpoint: 'http://127.0.0.1:9/v1', models: ['m'] } })
  mkdirSync(join(home.folder, 'state'), { mode: 0o700 })
  return home
}

async function rowsOf(home: Home): Promise<number> {
  const store = openSqliteStore(join(home.folder, STORE), { now: () => TEN, warn: (line) => expect.fail(line) })
  const rows = store.attempts({})
  await store.close()
  return rows.length
}

const doctor = async (home: Home, ...args: string[]) =>
  (await home.keywise('doctor', ...args, '--store', STORE)).stdout.replaceAll(home.folder, '')

test('a store whose pages were overwritten gives back what its backup and its whole pages have', async () => {
  const home = homeWithStore()
  await record(home, 300)
  await backUpStore(join(home.folder, STORE), { keep: 7, everyMs: 1, mostBytes: 1e9 }, TEN)
  await record(home, 100, TEN + 10_000)
  const path = join(home.folder, STORE)
  const bytes = readFileSync(path)
  bytes.fill(0xa5, bytes.length - 3 * 4096, bytes.length - 4096)
  writeFileSync(path, bytes)
  const said = await doctor(home, '--repair')
  expect(said).toMatch(/repair: the damaged store is kept as .*corrupt-.*; .* begins with the backup of /)
  expect(said).toMatch(/repair: \d+ rows? brought back from keywise\.db\.corrupt-/)
  expect(said).toMatch(/store: .*keywise\.db is intact/)
  expect(await rowsOf(home)).toBeGreaterThan(300)
  // A second time there is nothing to do, and nothing was deleted.
  expect(await doctor(home, '--repair')).toMatch(/repair: .* needs no repair/)
  expect(readdirSync(join(home.folder, 'state')).some((name) => name.endsWith('.merged'))).toBe(true)
})

test('a value that was changed in the file is found, named and mended', async () => {
  const home = homeWithStore()
  await record(home, 20)
  const sqlite = loadSqlite()!
  const file = new sqlite.DatabaseSync(join(home.folder, STORE))
  file.exec("UPDATE events SET model = 'other' WHERE seq = 7")
  file.close()
  expect(await doctor(home)).toMatch(/❌ store: 1 row of .* are not as they were written/)
  expect(await doctor(home, '--repair')).toMatch(
    /repair: 0 rows replaced from backups, 1 row taken out \(kept in .*jsonl\)/,
  )
  expect(await doctor(home)).toMatch(/store: .* is intact/)
  expect(await rowsOf(home)).toBe(19)
})

test('a store that a running keywise uses is not touched', async () => {
  const home = homeWithStore()
  await record(home, 5)
  const path = join(home.folder, STORE)
  writeFileSync(`${path}.corrupt-2026-11-23T11-00-00.000Z`, readFileSync(path))
  const running = openSqliteStore(path, { now: () => TEN, warn: (line) => expect.fail(line) })
  running.flushNow()
  running.attempts({})
  expect(await doctor(home, '--repair')).toMatch(/❌ repair: another process uses .*\n +→ stop it/)
  await running.close()
  expect(await doctor(home, '--repair')).toMatch(/repair: 0 rows brought back from/)
  expect(existsSync(path)).toBe(true)
})
