/** One open store file: its connection, its transactions, and the handling of a damaged file. */

import { closeSync, existsSync, openSync, renameSync, statSync } from 'node:fs'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { StoreError } from '../../domain/errors.ts'
import { SqliteDrawers } from './documents.ts'
import { SqliteLog } from './eventLog.ts'
import { SqliteHoldings } from './holdings.ts'
import { DamagedStore, isBusy, isSqliteError, loadSqlite } from './module.ts'
import { migrate } from './schema.ts'
import { asidePath } from './setAside.ts'

export type StoreOperation = 'open' | 'begin' | 'write' | 'commit'

/** Called before an operation that concerns so many rows and changes; throwing makes it fail. For tests. */
export type StoreFault = (operation: StoreOperation, size: number) => void

/** Maximum milliseconds a write waits for another process that is writing. */
const BUSY_TIMEOUT_MS = 5_000
/** https://www.sqlite.org/fileformat2.html section 1.3 */
const HEADER_BYTES = 100

export class SqliteFile {
  readonly log: SqliteLog
  readonly drawers: SqliteDrawers
  readonly holdings: SqliteHoldings
  readonly #database: DatabaseSync
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #fault: StoreFault
  #inTransaction = false

  /**
   * `survivesPower`: every transaction waits for the disk. Throws `StoreError` for a file keywise must not touch;
   * otherwise lets SQLite's errors through.
   */
  constructor(path: string, fault: StoreFault, survivesPower = false) {
    fault('open', 0)
    this.#fault = fault
    this.#database = openDatabase(path, survivesPower)
    try {
      this.log = new SqliteLog(this.#database)
      this.drawers = new SqliteDrawers(this.#database)
      this.holdings = new SqliteHoldings(this.#database)
      this.#begin = this.#database.prepare('BEGIN IMMEDIATE')
      this.#commit = this.#database.prepare('COMMIT')
    } catch (error) {
      this.#database.close()
      // The version matches, yet a table or column is missing.
      throw isSqliteError(error) && !isBusy(error)
        ? new DamagedStore('its tables are not complete', { cause: error })
        : error
    }
  }

  /** All or nothing, across processes. Inside another transaction it joins that one. `size`: as for `StoreFault`. */
  transaction<T>(work: () => T, size = 1): T {
    if (this.#inTransaction) return work()
    // Left open when even the rollback of an earlier failure failed.
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
    this.#fault('begin', size)
    this.#begin.run()
    this.#inTransaction = true
    try {
      const result = this.write(work)
      this.#fault('commit', size)
      this.#commit.run()
      return result
    } catch (error) {
      this.#rollback()
      throw error
    } finally {
      this.#inTransaction = false
    }
  }

  /** A single-statement change, which is a transaction by itself. */
  write<T>(work: () => T): T {
    this.#fault('write', 1)
    return work()
  }

  /** Closes; the last process to close moves the whole write-ahead log into the file. */
  close(): void {
    try {
      // PASSIVE does not wait for other processes.
      this.#database.exec('PRAGMA wal_checkpoint(PASSIVE)')
    } catch {
      // The write-ahead log is read again at the next start.
    }
    this.abandon()
  }

  /** Releases a file that can no longer be used. */
  abandon(): void {
    try {
      this.#database.close()
    } catch {
      // Nothing can be saved from it at this point.
    }
  }

  #rollback(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
    } catch {
      // The next transaction tries again.
    }
  }
}

/** Identifies the file behind a path, to compare before and after; undefined when there is none. */
export function fileIdentity(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`
}

/**
 * Renames a damaged store and the two files beside it. Returns the new path, or undefined if another process has
 * already done so.
 */
export function setAside(path: string, identity: string | undefined, now: number): string | undefined {
  if (identity === undefined || fileIdentity(path) !== identity) return undefined
  const aside = asidePath(path, now)
  // The store itself last: a write-ahead log left behind would be replayed into the fresh file.
  for (const suffix of ['-wal', '-shm', '']) {
    if (suffix === '' || existsSync(path + suffix)) renameSync(path + suffix, aside + suffix)
  }
  return aside
}

function openDatabase(path: string, survivesPower: boolean): DatabaseSync {
  const sqlite = loadSqlite()
  if (sqlite === undefined)
    throw new StoreError('this runtime has no node:sqlite; use node 22.19 or newer, or set KEYWISE_STORE to memory:')
  createPrivately(path)
  // SQLite treats a file shorter than its header as empty and would overwrite it.
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size > 0 && size < HEADER_BYTES) throw new DamagedStore('it is too short')
  const database = new sqlite.DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  try {
    // Recognise a foreign or newer file before changing anything in it, even its journal mode.
    migrate(database, path)
    useWal(database)
    database.exec(`PRAGMA synchronous = ${survivesPower ? 'FULL' : 'NORMAL'}`)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/**
 * Makes the file readable by its owner only, before SQLite creates it; the files beside it inherit its mode. Never
 * opens an existing file: closing it again would drop the locks of every other connection of this process
 * (https://www.sqlite.org/howtocorrupt.html section 2.2).
 */
function createPrivately(path: string): void {
  if (path === ':memory:') return
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (!existsSync(path)) throw error
  }
}

/**
 * Processes that switch a fresh file at the same time get "locked" regardless of the timeout, so this retries itself.
 */
function useWal(database: DatabaseSync): void {
  for (let tries = 1; ; tries++) {
    try {
      database.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (!isBusy(error) || tries === 100) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }
  }
}
