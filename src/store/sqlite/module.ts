/** `node:sqlite`, loaded only when a store is opened, so that importing keywise works on a runtime without it. */

type SqliteModule = typeof import('node:sqlite')

/** The module, or undefined where this runtime has none. */
export function loadSqlite(): SqliteModule | undefined {
  try {
    return process.getBuiltinModule?.('node:sqlite')
  } catch {
    return undefined
  }
}

/** Whether a store on disk is possible. Loads the module, which prints node 22's experimental warning once. */
export function isSqliteAvailable(): boolean {
  return loadSqlite() !== undefined
}

// https://www.sqlite.org/rescode.html: the low byte of an extended code is its primary code.
const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26
const SQLITE_IOERR_SHORT_READ = 522

/** The file itself is damaged, so waiting will not help; a full or failing disk does not count. */
export function isDamage(error: unknown): boolean {
  if (error instanceof DamagedStore) return true
  const code = errorCode(error)
  // An integer no keywise wrote: every external number is stored as REAL, and `seq` never gets that far.
  if (code === 'ERR_OUT_OF_RANGE') return true
  const result = sqliteCode(error)
  return result === SQLITE_IOERR_SHORT_READ || (result & 0xff) === SQLITE_CORRUPT || (result & 0xff) === SQLITE_NOTADB
}

export function isBusy(error: unknown): boolean {
  return (sqliteCode(error) & 0xff) === SQLITE_BUSY
}

/** There is no room for it on the disk, though there may be for less. */
export function isFull(error: unknown): boolean {
  return (sqliteCode(error) & 0xff) === SQLITE_FULL
}

/** Whether the error comes from SQLite rather than from keywise or from binding a value. */
export function isSqliteError(error: unknown): boolean {
  return errorCode(error) === 'ERR_SQLITE_ERROR'
}

/** The reason, short enough for one line: `database or disk is full`. */
export function sqliteReasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.slice(0, 300)
}

/** A file that SQLite opens but that lacks what its version must contain. */
export class DamagedStore extends Error {}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/** SQLite's extended result code; 0 for any other error. */
function sqliteCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 0
}
