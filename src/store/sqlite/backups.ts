/**
 * Copies of the store that keywise makes by itself, in a folder beside it, and takes back when the store is damaged. One
 * is made a day, by one of the processes that share the store, while all of them go on writing.
 */

import {
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  unlinkSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { createFileNow } from '../replaceFile.ts'
import { checkStoreFile } from './checkFile.ts'
import { loadSqlite } from './module.ts'

interface Backup {
  readonly path: string
  /** Epoch milliseconds at which it was begun. */
  readonly at: number
  readonly bytes: number
}

/** How many to keep. */
export interface BackupRules {
  /** At most so many; 0 makes none. */
  readonly keep: number
  /** The least time between two, in milliseconds. */
  readonly everyMs: number
  /** What all of them together may take, in bytes. A store that is larger than that is not copied. */
  readonly mostBytes: number
}

type BackupOutcome =
  | { readonly state: 'made'; readonly backup: Backup }
  /** There is one already that is new enough, none is wanted, or another process makes it now. */
  | { readonly state: 'unneeded' }
  | { readonly state: 'failed'; readonly reason: string }

/** `keywise.db.backups`, beside the store. */
const backupFolder = (store: string) => `${store}.backups`

/** Newest first. */
export function listBackups(store: string): readonly Backup[] {
  const folder = backupFolder(store)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .flatMap((name) => {
      const at = timeIn(name)
      const path = join(folder, name)
      const about = at === null ? undefined : lstatSync(path, { throwIfNoEntry: false })
      return at === null || about === undefined || !about.isFile() ? [] : [{ path, at, bytes: about.size }]
    })
    .sort((a, b) => b.at - a.at)
}

/**
 * Copies the store if a copy is due, and deletes the oldest ones. Other processes, and this one, go on writing: the copy
 * is of one moment (https://www.sqlite.org/backup.html). Never rejects.
 */
export async function backUpStore(store: string, rules: BackupRules, now: number): Promise<BackupOutcome> {
  try {
    if (rules.keep <= 0) return { state: 'unneeded' }
    const [newest] = listBackups(store)
    // One from the future was made before the clock was set back.
    const isDue = newest === undefined || Math.abs(now - newest.at) >= rules.everyMs
    if (!isDue) return { state: 'unneeded' }
    const bytes = lstatSync(store).size
    if (bytes > rules.mostBytes)
      return failed(`the store has ${mebibytes(bytes)}, more than backups may take (${mebibytes(rules.mostBytes)})`)
    mkdirSync(backupFolder(store), { recursive: true, mode: 0o700 })
    const { bavail, bsize } = statfsSync(backupFolder(store))
    if (bavail * bsize < 2 * bytes) return failed('the disk has too little room for a copy of the store')
    const path = await copyTo(store, join(backupFolder(store), `${stamp(now)}.db`))
    if (path === null) return { state: 'unneeded' }
    deleteSurplus(store, rules)
    return { state: 'made', backup: { path, at: now, bytes: lstatSync(path).size } }
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error))
  }
}

/**
 * Copies a store of an older version before it is changed, at once: nothing may be written meanwhile. Throws what the
 * disk or SQLite says.
 */
export function copyBeforeMigration(store: string, vacuumInto: (path: string) => void, version: number): void {
  mkdirSync(backupFolder(store), { recursive: true, mode: 0o700 })
  const path = join(backupFolder(store), `before-version-${version}.db`)
  if (existsSync(path)) return
  const temporary = `${path}.${process.pid}.new`
  rmSync(temporary, { force: true })
  createEmpty(temporary)
  vacuumInto(temporary)
  renameSync(temporary, path)
}

/** SQLite fills an empty file, and keeps its mode. */
const createEmpty = (path: string) => createFileNow(path, '')

/**
 * Puts the newest whole backup in the place of a store that was set aside; null where there is none, or another process
 * was faster.
 */
export function restoreNewest(store: string): Backup | null {
  for (const backup of listBackups(store)) {
    if (checkStoreFile(backup.path).state !== 'whole') continue
    const temporary = `${store}.${process.pid}.restoring`
    copyFileSync(backup.path, temporary)
    try {
      // Unlike a rename, this never replaces the file that another process has begun.
      linkSync(temporary, store)
      return backup
    } catch (error) {
      if (existsSync(store)) return null
      throw error
    } finally {
      unlinkSync(temporary)
    }
  }
  return null
}

/** The path, or null where another process is making the same copy. */
async function copyTo(store: string, path: string): Promise<string | null> {
  const sqlite = loadSqlite()
  if (sqlite === undefined) throw new Error('this runtime has no node:sqlite')
  const temporary = `${path}.new`
  if (existsSync(temporary) || existsSync(path)) return null
  createEmpty(temporary)
  const database = new sqlite.DatabaseSync(store, { readOnly: true })
  try {
    // All pages in one step, off the event loop: with several, every write of others would begin it again.
    await sqlite.backup(database, temporary, { rate: ALL_PAGES })
    renameSync(temporary, path)
    return path
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    database.close()
  }
}

const ALL_PAGES = 2 ** 31 - 1

function deleteSurplus(store: string, { keep, mostBytes }: BackupRules): void {
  let bytes = 0
  listBackups(store).forEach((backup, index) => {
    bytes += backup.bytes
    if (index > 0 && (index >= keep || bytes > mostBytes)) rmSync(backup.path, { force: true })
  })
  // What a killed process left; the newest is being written by another one.
  for (const name of readdirSync(backupFolder(store)))
    if (name.endsWith('.db.new') && isStale(join(backupFolder(store), name)))
      rmSync(join(backupFolder(store), name), { force: true })
}

const HOUR_MS = 3_600_000

function isStale(path: string): boolean {
  const about = lstatSync(path, { throwIfNoEntry: false })
  return about !== undefined && Date.now() - about.mtimeMs > HOUR_MS
}

const failed = (reason: string): BackupOutcome => ({ state: 'failed', reason })
const mebibytes = (bytes: number) => `${Math.ceil(bytes / 1_048_576).toLocaleString('en-US')} MiB`

/** No colons, which Windows does not allow in names. */
const stamp = (at: number) => new Date(at).toISOString().replaceAll(':', '-')

function timeIn(name: string): number | null {
  const [, date, hours, minutes, rest] = /^(\d{4}-\d\d-\d\dT)(\d\d)-(\d\d)-(\d\d\.\d{3}Z)\.db$/.exec(name) ?? []
  const at = Date.parse(`${date}${hours}:${minutes}:${rest}`)
  return Number.isNaN(at) ? null : at
}

/** Files that were set aside because they were damaged, and were not merged yet; oldest first. */
export function damagedFilesOf(store: string): readonly string[] {
  const folder = dirname(store)
  const prefix = `${basename(store)}.corrupt-`
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && !/(?:-wal|-shm|\.merged)$/.test(name))
    .sort()
    .map((name) => join(folder, name))
}
