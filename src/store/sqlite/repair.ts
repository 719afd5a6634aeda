/**
 * Brings back what can be read of damaged stores: every row whose checksum is right, the sums of hours whose rows are
 * gone, and documents that are missing.
 */

import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { StoreError } from '../../domain/errors.ts'
import { createFileNow } from '../replaceFile.ts'
import { listBackups } from './backups.ts'
import { SqliteLog } from './eventLog.ts'
import { isAsWritten, readEvent, type SqliteRow } from './eventRow.ts'
import { isBusy, loadSqlite } from './module.ts'

export interface Merged {
  /** The damaged file, or the backup. */
  readonly path: string
  /** Rows that were not in the store. */
  readonly added: number
  /** Rows that can be read and are not as they were written. */
  readonly rejected: number
  /** Some pages cannot be read. */
  readonly hasGaps: boolean
}

interface Mended {
  /** Rows whose checksum was wrong, by what became of them. */
  readonly replaced: number
  readonly removed: number
  /** Where the removed ones were written; null for none. */
  readonly file: string | null
}

const MERGED = '.merged'
/** Rows read at once. */
const CHUNK = 500

/**
 * Adds to the store what is readable in those damaged files, oldest first, and renames them to `*.merged`. No other
 * process may use the store meanwhile, because the counters of budgets are counted anew from the ledger at the next
 * start. Throws `StoreError` when one does.
 */
export function mergeDamaged(store: string, files: readonly string[]): readonly Merged[] {
  if (files.length === 0) return []
  const merged = alone(store, (database) => {
    const done = files.map((path) => mergeFile(database, path) ?? mergeWithHeader(database, store, path))
    if (done.some(({ added }) => added > 0)) recountBudgets(database)
    return done
  })
  for (const path of files)
    for (const suffix of ['-wal', '-shm', ''])
      if (existsSync(path + suffix)) renameSync(path + suffix, `${path}${MERGED}${suffix}`)
  return merged
}

/** How many rows of a store are not as they were written; 0 for a store without checksums. */
export function countWrongRows(store: string): number {
  const database = open(store)
  try {
    let wrong = 0
    for (const row of database.prepare('SELECT * FROM events WHERE sum IS NOT NULL').iterate())
      if (!isAsWritten(row)) wrong++
    return wrong
  } finally {
    database.close()
  }
}

/**
 * Replaces rows that are not as they were written by those of the newest backup that has them, and removes the others
 * after writing them to a file beside the store. Throws `StoreError` when another process uses it.
 */
export function mendRows(store: string, now: number): Mended {
  return alone(store, (database) => {
    const wrong = database
      .prepare('SELECT * FROM events WHERE sum IS NOT NULL ORDER BY seq')
      .all()
      .filter((row) => !isAsWritten(row))
    const backups = listBackups(store).map(({ path }) => path)
    const lost = wrong.filter((row) => !backups.some((path) => replaceFrom(database, path, row)))
    if (lost.length === 0) return { replaced: wrong.length, removed: 0, file: null }
    const file = `${store}.rejected-${new Date(now).toISOString().replaceAll(':', '-')}.jsonl`
    createFileNow(file, lost.map((row) => `${JSON.stringify(row)}\n`).join(''))
    const remove = database.prepare('DELETE FROM events WHERE seq = ?')
    for (const row of lost) remove.run(Number(row['seq']))
    return { replaced: wrong.length - lost.length, removed: lost.length, file }
  })
}

/** Throws `StoreError` when another process uses the store; what else is wrong with it is no matter. */
export function demandAlone(store: string): void {
  try {
    alone(store, () => {})
  } catch (error) {
    if (error instanceof StoreError) throw error
  }
}

const MOST_ROWS_OF_PAGE = 50
/** Each row of a page that is gone is tried alone. */
const MOST_TRIED = 1_000_000

const pagesOf = (source: DatabaseSync) =>
  attempt(() => Number(source.prepare('PRAGMA page_count').get()?.['page_count'])) ?? 0

/** Where the header of a file says how many pages it has, and which of them are free. */
const [PAGE_SIZE_AT, JOURNAL_AT, PAGES_AT, FREE_AT, FREE_BYTES, HEADER_BYTES] = [16, 18, 28, 32, 8, 100]

/**
 * The same with the header of the store that is whole, for a file whose own is damaged or tells of pages that were cut
 * off: SQLite gives nothing of such a file (https://www.sqlite.org/fileformat.html#the_database_header).
 */
function mergeWithHeader(database: DatabaseSync, store: string, path: string): Merged {
  const copy = `${path}.header-${process.pid}`
  try {
    copyFileSync(path, copy, constants.COPYFILE_EXCL)
    const header = readFileSync(store).subarray(0, HEADER_BYTES)
    // 1 stands for 65,536.
    const pageBytes = header.readUInt16BE(PAGE_SIZE_AT) === 1 ? 65_536 : header.readUInt16BE(PAGE_SIZE_AT)
    header.writeUInt32BE(Math.floor(statSync(copy).size / pageBytes), PAGES_AT)
    // Without the write-ahead log that it had.
    header.fill(1, JOURNAL_AT, JOURNAL_AT + 2)
    header.fill(0, FREE_AT, FREE_AT + FREE_BYTES)
    const file = openSync(copy, 'r+')
    writeSync(file, header, 0, HEADER_BYTES, 0)
    closeSync(file)
    return { ...(mergeFile(database, copy) ?? nothingOf(path)), path, hasGaps: true }
  } catch {
    return nothingOf(path)
  } finally {
    for (const suffix of ['-wal', '-shm', '']) rmSync(copy + suffix, { force: true })
  }
}

const nothingOf = (path: string): Merged => ({ path, added: 0, rejected: 0, hasGaps: true })

/** Null for a file of which SQLite does not even say what is in it. */
function mergeFile(database: DatabaseSync, path: string): Merged | null {
  const source = openOrNull(path)
  if (source === null) return null
  try {
    if (attempt(() => source.prepare('SELECT * FROM events LIMIT 0').all()) === null) return null
    const log = new SqliteLog(database)
    const count = () => Number(database.prepare('SELECT count(*) AS rows FROM events').get()?.['rows'])
    const before = count()
    let rejected = 0
    const hasGaps = readRows(source, (rows) => {
      const whole = rows.filter((row) => isAsWritten(row) && typeof row['id'] === 'string')
      rejected += rows.length - whole.length
      log.insert(whole.filter(({ kind }) => kind !== 'pruned').map(readEvent))
    })
    copyMissing(source, database)
    return { path, added: count() - before, rejected, hasGaps }
  } finally {
    source.close()
  }
}

/** Hands over all rows that can be read, oldest first. Returns whether some cannot. */
function readRows(source: DatabaseSync, take: (rows: readonly SqliteRow[]) => void): boolean {
  const last = attempt(() => Number(source.prepare('SELECT max(seq) AS seq FROM events').get()?.['seq'] ?? 0))
  // Where the page with the last row is gone: more than there can be.
  const most = last ?? Math.min(MOST_TRIED, pagesOf(source) * MOST_ROWS_OF_PAGE)
  const between = attempt(() => source.prepare('SELECT * FROM events WHERE seq >= ? AND seq < ? ORDER BY seq'))
  if (between === null) return true
  let hasGaps = last === null
  /** Halves what cannot be read at once, down to the rows of the damaged page. */
  const read = (from: number, to: number) => {
    const rows = attempt(() => between.all(from, to))
    if (rows !== null) return take(rows)
    if (to - from <= 1) {
      hasGaps = true
      return
    }
    const middle = from + Math.floor((to - from) / 2)
    read(from, middle)
    read(middle, to)
  }
  const first = attempt(() => Number(source.prepare('SELECT min(seq) AS seq FROM events').get()?.['seq'] ?? 1)) ?? 1
  for (let from = first; from <= most; from += CHUNK) read(from, Math.min(most + 1, from + CHUNK))
  return hasGaps
}

/** Sums of hours whose rows were deleted long ago, documents and holdings: what is there stays as it is. */
function copyMissing(source: DatabaseSync, database: DatabaseSync): void {
  const oldest = Number(database.prepare("SELECT min(at) AS at FROM events WHERE kind = 'attempt'").get()?.['at'] ?? 0)
  copyTable(source, database, 'rollups', `WHERE hour + 3600000 <= ${oldest}`)
  copyTable(source, database, 'docs', "WHERE collection <> 'decisions'")
  copyTable(source, database, 'holdings', '')
}

function copyTable(source: DatabaseSync, database: DatabaseSync, table: string, where: string): void {
  const rows = attempt(() => source.prepare(`SELECT * FROM ${table} ${where}`).all()) ?? []
  const known = new Set(
    database
      .prepare(`PRAGMA table_info(${table})`)
      .all()
      .map((column) => String(column['name'])),
  )
  for (const row of rows) {
    const names = Object.keys(row).filter((name) => known.has(name))
    const places = names.map(() => '?').join(', ')
    database
      .prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${places}) ON CONFLICT DO NOTHING`)
      .run(...names.map((name) => row[name] ?? null))
  }
}

/** They are raised to what the ledger says when the next process opens them. */
function recountBudgets(database: DatabaseSync): void {
  database.exec("DELETE FROM counters WHERE name >= 'budget:' AND name < 'budget;'")
  // What was folded ends before the rows that came back.
  database.exec('DELETE FROM snapshot')
}

function replaceFrom(database: DatabaseSync, backup: string, row: SqliteRow): boolean {
  const source = openOrNull(backup)
  if (source === null) return false
  try {
    const id = row['id']
    const found = typeof id === 'string' ? source.prepare('SELECT * FROM events WHERE id = ?').get(id) : undefined
    const bySeq = found ?? source.prepare('SELECT * FROM events WHERE seq = ?').get(Number(row['seq']))
    // A row of a backup without checksums proves nothing.
    if (bySeq === undefined || bySeq['sum'] == null || !isAsWritten(bySeq)) return false
    const names = Object.keys(bySeq).filter((name) => name !== 'seq')
    database
      .prepare(`UPDATE events SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE seq = ?`)
      .run(...names.map((name) => bySeq[name] ?? null), Number(row['seq']))
    return true
  } catch {
    return false
  } finally {
    source.close()
  }
}

/** Runs `work` in one transaction while no other connection to the store is open, all or nothing. */
function alone<T>(store: string, work: (database: DatabaseSync) => T): T {
  const database = open(store, false)
  try {
    // In WAL mode this locks out every other process as soon as the file is read.
    // https://www.sqlite.org/pragma.html#pragma_locking_mode
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    database.exec('BEGIN EXCLUSIVE')
    const result = work(database)
    database.exec('COMMIT')
    return result
  } catch (error) {
    if (isBusy(error))
      throw new StoreError(`another process uses ${store}; stop it ("keywise stop"), then run this again`)
    throw error
  } finally {
    database.close()
  }
}

function open(path: string, readOnly = true): DatabaseSync {
  const sqlite = loadSqlite()
  if (sqlite === undefined) throw new StoreError('this runtime has no node:sqlite')
  return new sqlite.DatabaseSync(path, { readOnly, timeout: 500 })
}

function openOrNull(path: string): DatabaseSync | null {
  return attempt(() => open(path))
}

/** Null for what a damaged file does not give. */
function attempt<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}
