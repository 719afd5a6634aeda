/** `node:sqlite`, loaded only when a store is opened, so that importing keywise works on a runtime without it. */

export type SqliteModule = typeof import('node:sqlite')

/** The module, or undefined where this runtime has none. */
export function loadSqlite(): SqliteModule | undefined {
  try {
    return process.getBuiltinModule?.('node:sqlite')
  } catch {
    return undefined
  }
}

/** Whether a store on disk can be had at all. Loads the module, which prints node 22's experimental warning once. */
export function isSqliteAvailable(): boolean {
  return loadSqlite() !== undefined
}

// https://www.sqlite.org/rescode.html: the low byte of an extended code is its primary code.
const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26
const SQLITE_IOERR_SHORT_READ = 522

/** The file itself is damaged, which waiting does not mend; a full or failing disk is not meant. */
export function isDamage(error: unknown): boolean {
  if (error instanceof DamagedStore) return true
  const code = errorCode(error)
  // An integer that no keywise wrote: every number from outside is stored as REAL, and `seq` never gets that far.
  if (code === 'ERR_OUT_OF_RANGE') return true
  const result = sqliteCode(error)
  return result === SQLITE_IOERR_SHORT_READ || (result & 0xff) === SQLITE_CORRUPT || (result & 0xff) === SQLITE_NOTADB
}

export function isBusy(error: unknown): boolean {
  return (sqliteCode(error) & 0xff) === SQLITE_BUSY
}

/** Whether SQLite said it, rather than our own code or the binding of a value. */
export function isSqliteError(error: unknown): boolean {
  return errorCode(error) === 'ERR_SQLITE_ERROR'
}

/** What went wrong, short enough for a line: `database or disk is full`. */
export function sqliteReasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.slice(0, 300)
}

/** A file that SQLite opens but that lacks what its version must have. */
export class DamagedStore extends Error {}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/** SQLite's extended result code; 0 for any other error. */
function sqliteCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 0
}
