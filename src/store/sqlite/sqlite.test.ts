import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { attemptEvent, heldBy, liftEvent, TEN } from '../../../test/support/storeEvents.ts'
import { storeTests } from '../../../test/support/storeSuite.ts'
import { temporaryFolder } from '../../../test/support/temporaryFolder.ts'
import { StoreError } from '../../domain/errors.ts'
import type { Store } from '../../domain/store.ts'
import type { StoreOperation } from './file.ts'
import { loadSqlite } from './module.ts'
import { MIGRATIONS, migrate } from './schema.ts'
import { openSqliteStore, type SqliteStoreOptions } from './sqlite.ts'

let warnings: string[] = []
let path = ''
beforeEach(() => {
  warnings = []
  path = join(temporaryFolder(), 'keywise.db')
})

const opened: Store[] = []
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
})

let now = TEN
function open(options: Partial<SqliteStoreOptions> = {}, location = path): Store {
  const store = openSqliteStore(location, { now: () => now, warn: (line) => warnings.push(line), ...options })
  opened.push(store)
  return store
}

let fileCount = 0
storeTests('sqlite', () => open({}, `${path}-${fileCount++}`))
storeTests('sqlite without a file', () => open({}, ':memory:'))

/** A plain connection, as another program would open it. */
function database(location = path) {
  const sqlite = loadSqlite()
  if (sqlite === undefined) throw new Error('the tests need node:sqlite')
  return new sqlite.DatabaseSync(location)
}

const beside = () => readdirSync(join(path, '..')).filter((name) => name.includes('.corrupt-'))

test('what was written survives closing, in one file that only its owner may read', async () => {
  const store = open()
  store.append(attemptEvent())
  store.setDoc('settings', 'a', 1)
  store.addToCounter('spent', 3)
  store.saveSnapshot({ seq: 1, version: 1, state: {} })
  for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o777, file).toBe(0o600)
  await store.close()
  expect(existsSync(`${path}-wal`)).toBe(false)

  const again = open()
  expect(again.read(0)).toHaveLength(1)
  expect(again.getDoc('settings', 'a')).toBe(1)
  expect(again.counter('spent')).toBe(3)
  expect(again.loadSnapshot()?.seq).toBe(1)
})

test('append() writes nothing by itself; the events of one turn are written together', async () => {
  const operations: StoreOperation[] = []
  const store = open({ fault: (operation) => operations.push(operation) })
  operations.length = 0
  for (let index = 0; index < 50; index++) store.append(attemptEvent())
  expect(operations).toEqual([])
  await store.flushed()
  expect(operations).toEqual(['begin', 'write', 'commit'])
})

test('with flushMs, events are collected for that long', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const store = open({ flushMs: 300 })
  const other = open()
  store.append(attemptEvent())
  const flushed = store.flushed()
  await vi.advanceTimersByTimeAsync(299)
  expect(other.read(0)).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  await flushed
  expect(other.read(0)).toHaveLength(1)
})

test('a full batch is written in the next turn, however long flushMs is', async () => {
  const operations: StoreOperation[] = []
  const store = open({ flushMs: 3_600_000, fault: (operation) => operations.push(operation) })
  const other = open()
  operations.length = 0
  for (let index = 0; index < 300; index++) store.append(attemptEvent())
  expect(operations).toEqual([])
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  expect(operations).toEqual(['begin', 'write', 'commit'])
  expect(other.read(0)).toHaveLength(300)
})

test('setDocs() writes many documents in one transaction', () => {
  const operations: StoreOperation[] = []
  const store = open({ fault: (operation) => operations.push(operation) })
  operations.length = 0
  store.setDocs('settings', [
    ['a', 1],
    ['b', { c: 2 }],
  ])
  expect(operations).toEqual(['begin', 'write', 'commit'])
  expect(open().listDocs('settings')).toEqual([
    ['a', 1],
    ['b', { c: 2 }],
  ])
})

test('two stores on one file see each other’s events, documents and counters', () => {
  const one = open()
  const two = open()
  one.append(attemptEvent({ origin: one.origin }))
  two.append(attemptEvent({ origin: two.origin }))
  one.flushNow()
  two.flushNow()
  expect(two.read(0).map((event) => event.origin)).toEqual([one.origin, two.origin])
  one.setDoc('settings', 'a', 1)
  expect(two.getDoc('settings', 'a')).toBe(1)
  one.addToCounter('spent', 5, 10)
  expect(two.addToCounter('spent', 6, 10)).toEqual({ granted: false, value: 5 })
})

test('a store of a newer keywise is refused and left unchanged', async () => {
  await open().close()
  const newer = database()
  newer.exec("UPDATE meta SET value = '999' WHERE key = 'schema_version'")
  newer.close()
  const before = readFileSync(path)
  expect(() => open()).toThrow(/made by a newer keywise .*upgrade keywise, or set KEYWISE_STORE/)
  expect(() => open()).toThrow(StoreError)
  expect(readFileSync(path)).toEqual(before)
  expect(beside()).toEqual([])
})

test('a database of another program is refused and left unchanged', () => {
  const foreign = database()
  foreign.exec('CREATE TABLE mine (a)')
  foreign.close()
  const before = readFileSync(path)
  expect(() => open()).toThrow(/another program/)
  expect(readFileSync(path)).toEqual(before)
})

test('an older store is migrated to the newest version in one step, or not at all', async () => {
  const store = open()
  store.append(attemptEvent())
  await store.close()
  const older = database()
  const broken = [...MIGRATIONS, 'CREATE TABLE extra (a)', 'CREATE TABLE extra (a)']
  expect(() => migrate(older, path, broken)).toThrow(/already exists/)
  expect(older.prepare('SELECT value FROM meta WHERE key = ?').get('schema_version')?.['value']).toBe(
    String(MIGRATIONS.length),
  )
  migrate(older, path, [...MIGRATIONS, 'CREATE TABLE extra (a)', "INSERT INTO extra VALUES ('kept')"])
  expect(older.prepare('SELECT a FROM extra').get()?.['a']).toBe('kept')
  expect(older.prepare('SELECT value FROM meta WHERE key = ?').get('schema_version')?.['value']).toBe(
    String(MIGRATIONS.length + 2),
  )
  expect(older.prepare('SELECT count(*) AS events FROM events').get()?.['events']).toBe(1)
  older.close()
})

test('a store of the first version keeps what it has and learns to hold', async () => {
  const first = database()
  migrate(first, path, MIGRATIONS.slice(0, 1))
  first.exec("INSERT INTO docs VALUES ('c', 'k', '1')")
  first.close()
  const store = open()
  store.recordHolding(heldBy())
  store.flushNow()
  expect([store.getDoc('c', 'k'), store.holding('held')]).toEqual([1, heldBy()])
})

test('what is held waits in memory while the disk fails, and is found meanwhile', async () => {
  let isBroken = false
  const store = open({ fault: () => fail(isBroken, 'database or disk is full') })
  isBroken = true
  store.recordHolding(heldBy())
  store.flushNow()
  expect([store.holding('held'), store.health().state]).toEqual([heldBy(), 'degraded'])
  isBroken = false
  store.flushNow()
  await store.close()
  expect(open().holding('held')).toEqual(heldBy())
})

test('a file that is not a database is set aside with a warning that names it', () => {
  writeFileSync(path, 'These are my notes, and they are longer than a page header. '.repeat(20))
  const before = readFileSync(path)
  const store = open()
  const [aside] = beside()
  expect(aside).toBe('keywise.db.corrupt-2026-11-23T10-00-00.000Z')
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain(aside)
  expect(readFileSync(join(path, '..', aside ?? ''))).toEqual(before)
  store.append(attemptEvent())
  expect(store.read(0)).toHaveLength(1)
})

test('a second damaged file in the same millisecond gets its own name', async () => {
  for (const text of ['first', 'second']) {
    writeFileSync(path, `${text} `.repeat(500))
    await open().close()
  }
  expect(beside()).toHaveLength(2)
})

/** Uses every kind of data in the store, so that damage anywhere is hit. */
function useEverything(store: Store): void {
  store.append(attemptEvent({ id: `new-${store.origin}` }))
  store.flushNow()
  store.read(0)
  store.lastSeq()
  store.loadSnapshot()
  store.attempts({})
  store.sums({}, ['provider', 'day'])
  store.sums({ label: { key: 'a', value: 'b' } }, ['provider'])
  store.setDoc('settings', 'new', 1)
  store.getDoc('settings', 'doc-1')
  store.listDocs('settings')
  store.addToCounter('counter-1', 1)
  store.listCounters('')
  store.prune(TEN - 1)
}

async function filledFile(): Promise<Buffer> {
  const store = open()
  for (let index = 0; index < 40; index++) {
    store.append(attemptEvent({ at: TEN + index * 60_000, labels: { a: 'b' } }))
    store.setDoc('settings', `doc-${index}`, { index })
    store.addToCounter(`counter-${index}`, index)
  }
  store.saveSnapshot({ seq: 40, version: 1, state: { some: 'state' } })
  await store.close()
  return readFileSync(path)
}

/** Opens and uses a damaged file; anything thrown must be a planned error, and a replaced file must be kept. */
async function tryDamaged(bytes: Buffer, name: string): Promise<void> {
  const folder = join(path, '..', name)
  mkdirSync(folder)
  const location = join(folder, 'keywise.db')
  writeFileSync(location, bytes)
  warnings = []
  let store: Store | undefined
  let kept: number | undefined
  try {
    store = openSqliteStore(location, { now: () => now, warn: (line) => warnings.push(line) })
    useEverything(store)
    kept = store.attempts({}).length
  } catch (error) {
    expect(error, name).toBeInstanceOf(StoreError)
    if (store === undefined) expect(readFileSync(location), name).toEqual(bytes)
  } finally {
    await store?.close()
  }
  const aside = readdirSync(folder).filter((file) => /\.corrupt-[^-]*-[^-]*-[^-]*-[^-]*-[^-]*Z(-\d)?$/.test(file))
  expect(warnings.filter((line) => line.includes('set aside')).length, name).toBe(aside.length)
  // Nothing vanished: old events are still in the store, or the damaged file is beside it.
  if (aside.length === 0 && kept !== undefined && bytes.length > 0) expect(kept, name).toBeGreaterThan(1)
}

test('a file truncated at any length never throws unexpectedly and is never silently replaced', async () => {
  const bytes = await filledFile()
  const lengths = [0, 1, 15, 16, 50, 99, 100, 101, 511, 512, 1_000, 4_095, 4_096, 4_097]
  for (let length = 8_192; length < bytes.length; length += 6_007) lengths.push(length)
  for (const length of lengths) await tryDamaged(bytes.subarray(0, length), `cut-${length}`)
})

test('a file with one changed byte anywhere never throws unexpectedly and is never silently replaced', async () => {
  const bytes = await filledFile()
  // A stride coprime with the size: positions spread over all pages, identical in every run.
  for (let step = 0; step < 200; step++) {
    const position = step < 60 ? step * 2 : (step * 7_919) % bytes.length
    const damaged = Buffer.from(bytes)
    damaged[position] = (damaged[position] ?? 0) ^ (step % 2 === 0 ? 0xff : 0x01)
    await tryDamaged(damaged, `flip-${step}-${position}`)
  }
})

test('damage discovered while the store is in use costs the file, not the queued events', async () => {
  await filledFile()
  const store = open()
  const hollow = readFileSync(path)
  hollow.fill(0x5a, 4_096)
  // In place, as a failing disk would do it.
  writeFileSync(path, hollow)
  store.append(attemptEvent({ id: 'survivor' }))
  store.flushNow()
  const ids = store.read(0).map((event) => event.id)
  expect(ids).toContain('survivor')
  expect(beside().length).toBeGreaterThan(0)
})

test('when the n-th operation fails, for every n, no event is lost or duplicated and nothing throws', async () => {
  for (let failing = 1; failing <= 14; failing++) {
    const location = `${path}-${failing}`
    let operation = 0
    const store = open({ fault: () => fail(operation++ === failing, 'database or disk is full') }, location)
    for (let round = 0; round < 3; round++) {
      store.append(attemptEvent({ number: round }))
      store.setDoc('settings', `doc-${round}`, round)
      store.updateDoc('settings', 'sum', (value) => Number(value ?? 0) + 1)
      store.addToCounter('spent', 10, 100)
      store.flushNow()
    }
    now += 60_000
    expect(
      store.attempts({ order: 'oldest' }).map((event) => event.number),
      `n = ${failing}`,
    ).toEqual([0, 1, 2])
    expect(store.sums({}, [])[0]?.attempts).toBe(3)
    expect(store.listDocs('settings')).toHaveLength(4)
    expect(store.getDoc('settings', 'sum')).toBe(3)
    expect(store.counter('spent')).toBe(30)
    expect(store.health().state).toBe('ok')
    await store.close()
    expect(open({}, location).attempts({})).toHaveLength(3)
  }
})

test('while the disk fails, keywise continues in memory, warns once, and writes everything later', async () => {
  let isBroken = false
  const store = open({ fault: () => fail(isBroken, 'database or disk is full') })
  store.addToCounter('spent', 5)
  store.setDoc('settings', 'a', 1)
  isBroken = true
  for (let index = 0; index < 5; index++) {
    store.append(attemptEvent())
    await store.flushed()
  }
  expect(store.health().state).toBe('degraded')
  expect(store.health().reason).toContain('disk is full; 5 events wait')
  expect(warnings).toHaveLength(1)
  store.setDoc('settings', 'a', 2)
  store.setDocs('settings', [['b', 3]])
  expect(store.addToCounter('spent', 4, 10)).toEqual({ granted: true, value: 9 })
  expect(store.addToCounter('spent', 4, 10)).toEqual({ granted: false, value: 9 })
  expect(store.listCounters('')).toEqual([['spent', 9]])
  store.deleteDoc('settings', 'b')
  expect(store.listDocs('settings')).toEqual([['a', 2]])

  isBroken = false
  store.flushNow()
  expect(store.health()).toEqual({ state: 'ok', reason: null })
  expect(warnings).toHaveLength(2)
  const other = open()
  expect(other.read(0)).toHaveLength(5)
  expect(other.getDoc('settings', 'a')).toBe(2)
  expect(other.counter('spent')).toBe(9)
})

test('the queue is bounded: the oldest attempts are dropped first, and counted; scores and lifts last', () => {
  let isBroken = false
  const store = open({ maxWaiting: 100, fault: () => fail(isBroken, 'database or disk is full') })
  isBroken = true
  store.append(liftEvent())
  for (let number = 1; number <= 300; number++) store.append(attemptEvent({ number }))
  store.flushNow()
  expect(store.health().reason).toMatch(/\d+ older ones were dropped/)
  isBroken = false
  store.flushNow()
  const events = store.read(0)
  expect(events.length).toBeLessThanOrEqual(100)
  expect(events[0]?.kind).toBe('lift')
  expect(store.attempts({ limit: 1 })[0]?.number).toBe(300)
  expect(warnings.at(-1)).toContain(`${301 - events.length} events were lost`)
})

test('closing while the disk fails reports what is lost', async () => {
  let isBroken = false
  const store = open({ fault: () => fail(isBroken, 'I/O error') })
  isBroken = true
  store.append(attemptEvent())
  await store.close()
  expect(warnings.at(-1)).toContain('1 events wait')
})

test('a malformed event is dropped with a warning and blocks no other event', () => {
  const store = open()
  store.append(attemptEvent({ task: Symbol('no text') as unknown as string })) // possible only from plain JavaScript
  store.append(attemptEvent({ number: 2 }))
  store.flushNow()
  expect(store.attempts({}).map((event) => event.number)).toEqual([2])
  expect(warnings).toHaveLength(1)
})

// The superuser may write anywhere, so the system refuses nothing.
test.runIf(process.getuid?.() !== 0)(
  'a file that became read-only degrades the store instead of throwing',
  async () => {
    await open().close()
    chmodSync(path, 0o400)
    const store = open()
    store.append(attemptEvent())
    store.flushNow()
    expect(store.health().state).toBe('degraded')
  },
)

function fail(when: boolean, message: string): void {
  if (when) throw new Error(message)
}
