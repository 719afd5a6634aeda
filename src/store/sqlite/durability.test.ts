/** What a killed process leaves, a full disk, and every system call that can fail. A kill is a store that is let go. */

import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { attemptEvent, beginOf, heldBy, qualityEvent, TEN } from '../../../test/support/storeEvents.ts'
import { temporaryFolder } from '../../../test/support/temporaryFolder.ts'
import type { AttemptEvent, Store, StoreEvent } from '../../domain/store.ts'
import { type JournalFiles, systemFiles } from '../journal/files.ts'
import type { OwnerState } from '../journal/owner.ts'
import { openSqliteStore, type SqliteStoreOptions } from './sqlite.ts'

let warnings: string[] = []
let path = ''
let now = TEN
beforeEach(() => {
  warnings = []
  now = TEN
  path = join(temporaryFolder(), 'keywise.db')
})

/** Nothing is stored before it is asked for. */
function open(options: Partial<SqliteStoreOptions> = {}, location = path): Store {
  return openSqliteStore(location, {
    now: () => now,
    warn: (line) => warnings.push(line),
    flushMs: 3_600_000,
    ownerState: () => 'alive',
    ...options,
  })
}

/** The store that the next process opens after a kill of all others. */
const next = (location = path, owner: OwnerState = 'dead') => open({ ownerState: () => owner }, location)

const rows = (store: Store): readonly StoreEvent[] =>
  store.read(0).map(({ seq: _seq, ...event }) => event as StoreEvent)
const journals = () => readdirSync(dirname(path)).filter((name) => name.startsWith('keywise.db.rows-'))

/** Of the system calls that change something, the n-th of all fails. */
function failingFiles(fails: (call: string) => boolean): JournalFiles {
  const guard =
    <Args extends readonly unknown[], Result>(call: string, run: (...args: Args) => Result) =>
    (...args: Args): Result => {
      if (fails(call)) throw new Error('no space left on device')
      return run(...args)
    }
  return {
    ...systemFiles,
    create: guard('open', systemFiles.create),
    write: guard('write', systemFiles.write),
    truncate: guard('truncate', systemFiles.truncate),
    isLinked: guard('stat', systemFiles.isLinked),
    close: guard('close', systemFiles.close),
    remove: guard('unlink', systemFiles.remove),
    syncFolder: guard('fsync', systemFiles.syncFolder),
    sync: (file, done) => (fails('fdatasync') ? done(new Error('EIO')) : systemFiles.sync(file, done)),
  }
}

test('what was appended survives a kill, though nothing was stored: events of every kind, and holdings', async () => {
  const store = open()
  const events = [attemptEvent(), qualityEvent(), attemptEvent()]
  for (const event of events) store.append(event)
  store.recordHolding(heldBy())
  // One write for all of them, at the end of this turn.
  expect(store.kept()).toBe(store.kept())
  await store.kept()
  expect(store.kept()).toBeNull()

  const after = next()
  expect(rows(after)).toEqual(events)
  expect(after.sums({}, [])[0]?.attempts).toBe(2)
  expect(after.holding('held')).toEqual(heldBy())
  expect([journals(), warnings]).toEqual([[], []])
  await after.close()
})

test('rows that were stored already are not stored twice, nor counted twice', async () => {
  const store = open()
  for (let index = 0; index < 20; index++) store.append(attemptEvent())
  await store.kept()
  store.flushNow()
  store.append(attemptEvent())
  await store.kept()
  expect(rows(next())).toHaveLength(21)
  expect(next().sums({}, [])[0]?.attempts).toBe(21)
})

test('a newer holder of the same thing is not replaced by that of a killed process', async () => {
  const older = open()
  older.recordHolding(heldBy({ at: TEN, account: 'old' }))
  await older.kept()
  const other = open()
  other.recordHolding(heldBy({ at: TEN + 1, account: 'new' }))
  other.flushNow()
  expect(next().holding('held')?.account).toBe('new')
})

test('a call under way is an attempt of nobody’s fault after a kill, which may have cost something', async () => {
  const store = open()
  const [ended, cut, free, unpriced] = [attemptEvent(), attemptEvent(), attemptEvent(), attemptEvent()]
  store.begin(beginOf(ended))
  store.begin(beginOf(cut, 30_000))
  store.begin(beginOf(free, 0))
  store.begin(beginOf(unpriced, null))
  store.append({ ...ended, at: TEN + 500 })
  await store.kept()

  const after = next()
  const interrupted = after.attempts({ order: 'oldest' }).filter(({ id }) => id !== ended.id)
  expect(interrupted).toHaveLength(3)
  expect(interrupted[0]).toMatchObject({
    id: cut.id,
    requestId: cut.requestId,
    origin: store.origin,
    at: TEN + 500,
    startedAt: cut.startedAt,
    ok: false,
    notCharged: true,
    failure: { kind: 'client_gone', status: null, message: 'keywise was killed before the answer was complete' },
    usage: null,
    costNanoUsd: null,
    costRange: { atLeast: 0, atMost: 30_000 },
  })
  expect(interrupted.map(({ costNanoUsd }) => costNanoUsd)).toEqual([null, 0, null])
  // Budgets count sums, and not what nobody knows.
  const counted = { attempts: 4, unsureNanoUsd: 0 }
  expect([after.sums({}, [])[0], after.sums({ until: TEN + 501 }, [])[0]]).toMatchObject([counted, counted])
  expect(after.interrupted()).toEqual([
    { calls: 3, firstAt: cut.startedAt, lastAt: cut.startedAt, mostNanoUsd: 30_000, unpriced: 1 },
  ])
  expect(warnings).toEqual(['3 calls were under way when keywise was killed; "keywise status" says more'])
  expect(next().interrupted()).toHaveLength(1)
})

test('an attempt whose fault was undecided is stored as it was, unless it was decided', async () => {
  const store = open()
  const [open_, decided] = [attemptEvent(), attemptEvent()]
  for (const event of [open_, decided]) {
    store.begin(beginOf(event))
    store.keepUndecided(event)
  }
  store.append({ ...decided, notCharged: true })
  await store.kept()
  const found = new Map(
    next()
      .attempts({})
      .map((event) => [event.id, event.notCharged]),
  )
  expect(found).toEqual(
    new Map([
      [open_.id, undefined],
      [decided.id, true],
    ]),
  )
})

test('the journal of a living process is left alone; of one that cannot be seen only the events are taken', async () => {
  const store = open()
  const [ended, running] = [attemptEvent(), attemptEvent()]
  store.append(ended)
  store.begin(beginOf(running))
  await store.kept()
  expect(rows(open())).toEqual([])
  const elsewhere = next(path, 'unknown')
  expect([rows(elsewhere), elsewhere.interrupted(), journals().length]).toEqual([[ended], [], 1])
  store.append(running)
  store.flushNow()
  expect(rows(elsewhere)).toEqual([ended, running])
})

test('whoever is killed while others run is found by the one that looks', async () => {
  const states = new Map<string, OwnerState>()
  const watcher = open({ ownerState: ({ origin }) => states.get(origin) ?? 'alive' })
  const store = open()
  const event = attemptEvent()
  store.append(event)
  await store.kept()
  watcher.takeOver()
  expect(rows(watcher)).toEqual([])
  states.set(store.origin, 'dead')
  watcher.takeOver()
  expect([rows(watcher), journals()]).toEqual([[event], []])
})

test('several processes that take over at once store each row once, and tell of interrupted calls once', async () => {
  const store = open()
  store.append(attemptEvent())
  store.begin(beginOf(attemptEvent()))
  await store.kept()
  // The files cannot be removed, as if the others were not that far.
  const stuck = { ...systemFiles, remove: () => {} }
  const stores = [1, 2, 3].map(() => open({ ownerState: () => 'dead', journalFiles: stuck }))
  for (const one of stores) {
    one.takeOver()
    expect(one.attempts({})).toHaveLength(2)
    expect(one.interrupted()).toMatchObject([{ calls: 1 }])
  }
  expect(warnings).toHaveLength(1)
})

test('closing leaves no journal; while the store cannot be written it leaves the rows to the next start', async () => {
  const store = open()
  store.append(attemptEvent())
  await store.close()
  expect(journals()).toEqual([])

  let isBroken = false
  const broken = open({ fault: () => failIf(isBroken) })
  isBroken = true
  const event = attemptEvent()
  broken.append(event)
  await broken.close()
  expect(warnings.at(-1)).toMatch(/kept for the next start: 1 events wait/)
  expect(rows(next()).at(-1)).toEqual(event)
})

test('where the journal cannot be written the rows of a turn are stored at its end, and that is said once', async () => {
  let isBroken = true
  const store = open({ journalFiles: failingFiles((call) => isBroken && call === 'write') })
  const events = [attemptEvent(), attemptEvent()]
  for (const event of events) {
    store.append(event)
    await store.kept()
    expect(rows(open()).at(-1)).toEqual(event)
  }
  expect(store.health().state).toBe('ok')
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain('every row is stored at once meanwhile')
  isBroken = false
  store.append(attemptEvent())
  await store.kept()
  expect(rows(open())).toHaveLength(2)
  expect(rows(next())).toHaveLength(3)
})

test('rows that the store takes within the turn need no journal', async () => {
  const store = open()
  store.append(attemptEvent())
  const kept = store.kept()
  store.flushNow()
  await kept
  expect([rows(open()).length, journals()]).toEqual([1, []])
})

test('"relaxed" keeps no journal', () => {
  const store = open({ durability: 'relaxed' })
  store.begin(beginOf(attemptEvent()))
  store.append(attemptEvent())
  expect([store.durability, store.kept(), journals()]).toEqual(['relaxed', null, []])
})

test('"power" waits for the disk, and stores at once where the disk does not take the journal', async () => {
  const store = open({ durability: 'power' })
  store.append(attemptEvent())
  const kept = store.kept()
  expect(kept).toBeInstanceOf(Promise)
  await kept
  expect(store.kept()).toBeNull()

  const failing = open({ durability: 'power', journalFiles: failingFiles((call) => call === 'fdatasync') })
  const event = attemptEvent()
  failing.append(event)
  await failing.kept()
  expect(rows(open())).toEqual([event])
  expect(failing.kept()).toBeNull()
})

test('pruned rows do not come back from a journal', async () => {
  const store = open()
  store.append(attemptEvent({ at: TEN - 1000 }))
  store.append(attemptEvent())
  await store.kept()
  expect(store.prune(TEN)).toBe(1)
  expect(rows(next())).toHaveLength(1)
})

test('when the n-th system call fails, for every n, no answered call is lost or counted twice, and nothing throws', async () => {
  let calls = 2
  // The first opens the store: where that fails, keywise works in memory (`open.ts`).
  for (let failing = 1; failing < calls; failing++) {
    const location = `${path}-${failing}`
    let count = 0
    const isIt = () => count++ === failing
    const store = open({ journalFiles: failingFiles(isIt), fault: () => failIf(isIt()), durability: 'power' }, location)
    const answered: AttemptEvent[] = []
    for (let round = 0; round < 4; round++) {
      const event = attemptEvent()
      store.begin(beginOf(event))
      store.append(event)
      await store.kept()
      answered.push(event)
      if (round === 1) store.flushNow()
      if (round === 2) store.prune(0)
    }
    calls = Math.max(calls, count)
    const after = next(location)
    expect(
      rows(after)
        .map(({ id }) => id)
        .sort(),
      `call ${failing}`,
    ).toEqual(answered.map(({ id }) => id).sort())
    expect(after.sums({}, [])[0]?.attempts).toBe(4)
  }
  expect(calls).toBeGreaterThan(20)
})

test('what does not fit a nearly full disk is stored in pieces, as far as there is room', async () => {
  let room = 0
  const full = (size: number) => {
    if (size <= room) return
    throw Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 })
  }
  const store = open({ durability: 'relaxed', fault: (operation, size) => operation === 'commit' && full(size) })
  for (let index = 0; index < 1000; index++) store.append(attemptEvent())
  store.flushNow()
  expect(store.health()).toMatchObject({ state: 'degraded' })
  expect(rows(open())).toHaveLength(0)
  room = 7
  await store.close()
  expect(open().attempts({})).toHaveLength(1000)
})

function failIf(fails: boolean): void {
  if (fails) throw new Error('I/O error')
}
