import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { attemptEvent, TEN } from '../../../test/support/storeEvents.ts'
import { temporaryFolder } from '../../../test/support/temporaryFolder.ts'
import { Dice } from '../../domain/random.ts'
import type { Store, StoreEvent } from '../../domain/store.ts'
import { type BackupRules, backUpStore, damagedFilesOf, listBackups } from './backups.ts'
import { checkStoreFile } from './checkFile.ts'
import { loadSqlite } from './module.ts'
import { countWrongRows, mendRows, mergeDamaged } from './repair.ts'
import { MIGRATIONS, migrate } from './schema.ts'
import { openSqliteStore } from './sqlite.ts'

const DAY = 86_400_000
const rules: BackupRules = { keep: 3, everyMs: DAY, mostBytes: 1e9 }

let path = ''
let warnings: string[] = []
const opened: Store[] = []
beforeEach(() => {
  path = join(temporaryFolder(), 'keywise.db')
  warnings = []
})
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
})

function open(now = TEN): Store {
  const store = openSqliteStore(path, { now: () => now, warn: (line) => warnings.push(line) })
  opened.push(store)
  return store
}

/** A plain connection, as another program would open it. */
function database(location = path) {
  const sqlite = loadSqlite()
  if (sqlite === undefined) throw new Error('the tests need node:sqlite')
  return new sqlite.DatabaseSync(location)
}

async function written(events: readonly StoreEvent[]): Promise<void> {
  const store = open()
  for (const event of events) store.append(event)
  await store.close()
}

const events = (count: number, at = TEN) => Array.from({ length: count }, (_, n) => attemptEvent({ at: at + n }))

/** Every row that the store has, as it was appended. */
async function rowsOf(): Promise<Map<string, StoreEvent>> {
  const store = open()
  const rows = store.attempts({ order: 'oldest' }).map(({ seq: _seq, ...event }) => [event.id, event] as const)
  await store.close()
  return new Map(rows)
}

describe('backups', () => {
  test('are made of one moment while this and another process write, readable by their owner alone', async () => {
    const [mine, others] = [open(), open()]
    for (const event of events(200)) mine.append(event)
    mine.flushNow()
    const making = backUpStore(path, rules, TEN)
    for (const event of events(100)) others.append(event)
    others.flushNow()
    expect(await making).toMatchObject({ state: 'made', backup: { at: TEN } })
    const [backup] = listBackups(path)
    expect(checkStoreFile(backup!.path).state).toBe('whole')
    expect(countWrongRows(backup!.path)).toBe(0)
    expect([200, 300]).toContain(database(backup!.path).prepare('SELECT count(*) AS n FROM events').get()?.['n'])
    if (process.platform !== 'win32') expect(statSync(backup!.path).mode & 0o777).toBe(0o600)
  })

  test('are made once a day, also where the clock was set back, and the oldest go', async () => {
    await written(events(1))
    const at = async (now: number) => (await backUpStore(path, rules, now)).state
    expect([await at(TEN), await at(TEN + DAY - 1), await at(TEN + DAY)]).toEqual(['made', 'unneeded', 'made'])
    expect(await at(TEN + DAY - 3_600_000)).toBe('unneeded')
    for (let day = 2; day < 6; day++) await at(TEN + day * DAY)
    expect(listBackups(path).map((backup) => (backup.at - TEN) / DAY)).toEqual([5, 4, 3])
  })

  test('of two processes that are due at once, one makes it', async () => {
    await written(events(50))
    const states = await Promise.all([1, 2, 3].map(() => backUpStore(path, rules, TEN)))
    expect(states.map(({ state }) => state).sort()).toEqual(['made', 'unneeded', 'unneeded'])
    expect(readdirSync(`${path}.backups`)).toHaveLength(1)
  })

  test('take no more than they may: fewer are kept, and a store that is larger is not copied', async () => {
    await written(events(50))
    const { size } = statSync(path)
    for (let day = 0; day < 4; day++) await backUpStore(path, { ...rules, mostBytes: 2.5 * size }, TEN + day * DAY)
    expect(listBackups(path)).toHaveLength(2)
    const refused = await backUpStore(path, { ...rules, mostBytes: size - 1 }, TEN + 9 * DAY)
    expect(refused).toMatchObject({ state: 'failed', reason: expect.stringMatching(/^the store has 1 MiB, more than/) })
  })

  test('that cannot be made are said, and none is made where none is wanted', async () => {
    await written(events(1))
    writeFileSync(`${path}.backups`, 'a file in the way')
    expect(await backUpStore(path, rules, TEN)).toMatchObject({ state: 'failed' })
    expect(await backUpStore(path, { ...rules, keep: 0 }, TEN)).toEqual({ state: 'unneeded' })
  })

  test('come before a migration', async () => {
    const older = database()
    migrate(older, path, MIGRATIONS.slice(0, 1))
    older.exec("INSERT INTO docs VALUES ('c', 'k', '1')")
    older.close()
    await open().close()
    const copy = database(join(`${path}.backups`, `before-version-${MIGRATIONS.length}.db`))
    expect(copy.prepare("SELECT value FROM meta WHERE key = 'schema_version'").get()?.['value']).toBe('1')
    expect(copy.prepare('SELECT value FROM docs').get()?.['value']).toBe('1')
    copy.close()
  })
})

/** Overwrites bytes of the closed store beyond its first page, which would only say that it is no database. */
function damage(seed: number): void {
  const dice = new Dice(seed)
  const bytes = readFileSync(path)
  const from = 4096 + Math.floor(dice.uniform() * (bytes.length - 8192))
  bytes.fill(Math.floor(dice.uniform() * 256), from, from + 1 + Math.floor(dice.uniform() * 4000))
  writeFileSync(path, bytes)
}

describe('a damaged store', () => {
  test('begins with the newest whole backup, and says so', async () => {
    await written(events(40))
    await backUpStore(path, rules, TEN)
    await written(events(10, TEN + 1_000))
    writeFileSync(join(`${path}.backups`, '2026-11-24T10-00-00.000Z.db'), 'not a database at all')
    writeFileSync(path, 'nothing of a database is left of it'.repeat(100))
    expect((await rowsOf()).size).toBe(40)
    expect(warnings).toEqual([expect.stringMatching(/starts with the backup of 2026-11-23T10:00Z.*doctor --repair/)])
  })

  test('gives back all rows that can be read, and none that is not as it was written: 15 damages', async () => {
    let [kept, gaps] = [0, 0]
    for (let seed = 0; seed < 15; seed++) {
      path = join(temporaryFolder(), 'keywise.db')
      const all = new Map(
        [...events(120), ...events(1, TEN - 90 * DAY)].map((event) => [event.id, event as StoreEvent]),
      )
      await written([...all.values()].slice(0, 60))
      await backUpStore(path, rules, TEN)
      await written([...all.values()].slice(60))
      damage(seed)
      if (checkStoreFile(path).state === 'damaged') {
        // What SQLite does not notice by itself is found by `doctor` first.
        const store = open()
        store.attempts({})
        store.sums({}, ['provider'])
        await store.close()
      }
      mergeDamaged(path, damagedFilesOf(path))
      mendRows(path, TEN)
      const rows = await rowsOf()
      for (const [id, event] of rows) expect(event).toEqual(all.get(id))
      expect(damagedFilesOf(path)).toEqual([])
      kept += rows.size
      gaps += rows.size < all.size ? 1 : 0
    }
    // A damage that takes nothing, or everything, every time would prove nothing.
    expect(gaps).toBeGreaterThan(2)
    expect(kept).toBeGreaterThan(15 * 121 * 0.8)
  })

  test.each([
    ['whose header was overwritten', (bytes: Buffer) => Buffer.from(bytes).fill(0x5a, 0, 64), 400],
    ['whose first byte was changed', (bytes: Buffer) => Buffer.from(bytes).fill(0, 0, 1), 400],
    ['of which the last quarter was cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length * 0.75), 100],
  ])('%s gives back its rows without any backup', async (_, damaged, least) => {
    const all = events(400)
    await written(all)
    writeFileSync(path, damaged(readFileSync(path)))
    await open().close()
    expect(damagedFilesOf(path)).toHaveLength(1)
    expect(mergeDamaged(path, damagedFilesOf(path))).toMatchObject([{ rejected: 0, hasGaps: true }])
    const rows = await rowsOf()
    expect(rows.size).toBeGreaterThanOrEqual(least)
    const known = new Map<string, StoreEvent>(all.map((event) => [event.id, event]))
    for (const [id, event] of rows) expect(event).toEqual(known.get(id))
    expect(readdirSync(join(path, '..')).filter((name) => name.includes('.header-'))).toEqual([])
  })

  test('is merged into what was recorded since, each row once, and budgets are counted anew', async () => {
    const [before, after] = [events(20), events(5, TEN + 1_000)]
    await written(before)
    writeFileSync(`${path}.corrupt-2026-11-23T11-00-00.000Z`, readFileSync(path))
    writeFileSync(path, '')
    const store = open()
    for (const event of [...after, before[0]!]) store.append(event)
    store.addToCounter('budget:all|usd|day|UTC:0', 5)
    store.addToCounter('decisions', 7)
    store.flushNow()
    expect(() => mergeDamaged(path, damagedFilesOf(path))).toThrow(/another process uses .*keywise stop/)
    await store.close()
    expect(mergeDamaged(path, damagedFilesOf(path))).toMatchObject([{ added: 19, rejected: 0, hasGaps: false }])
    const again = open()
    expect(again.attempts({})).toHaveLength(25)
    expect(again.sums({}, ['provider'])).toMatchObject([{ attempts: 25, costNanoUsd: 25 * 5_000 }])
    expect([again.counter('budget:all|usd|day|UTC:0'), again.counter('decisions')]).toEqual([0, 7])
  })
})

describe('a row that is not as it was written', () => {
  const spoil = (id: string) => {
    const file = database()
    file.prepare('UPDATE events SET cost_nano_usd = 9e12 WHERE id = ?').run(id)
    file.close()
  }

  test('is found by its checksum and replaced from the newest backup that has it', async () => {
    const [one, ...others] = events(10)
    await written([one!, ...others])
    await backUpStore(path, rules, TEN)
    spoil(one!.id)
    expect(countWrongRows(path)).toBe(1)
    expect(mendRows(path, TEN)).toEqual({ replaced: 1, removed: 0, file: null })
    expect(countWrongRows(path)).toBe(0)
    expect((await rowsOf()).get(one!.id)).toEqual(one)
  })

  test('is taken out, and written beside the store, where no backup has it', async () => {
    const [one, ...others] = events(10)
    await written([one!, ...others])
    spoil(one!.id)
    const { file, removed } = mendRows(path, TEN)
    expect(removed).toBe(1)
    expect(readFileSync(file!, 'utf8')).toContain(one!.id)
    expect((await rowsOf()).has(one!.id)).toBe(false)
    expect(existsSync(file!)).toBe(true)
  })
})
