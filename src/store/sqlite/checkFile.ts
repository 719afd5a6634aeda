/** Checks whether a store file is intact, without changing it: for `doctor`, before the store is opened. */

import { statSync } from 'node:fs'
import { loadSqlite, sqliteReasonOf } from './module.ts'

type StoreFileState =
  /** Created at the first start. */
  | { readonly state: 'absent' }
  | { readonly state: 'whole'; readonly bytes: number }
  | { readonly state: 'damaged' | 'unreadable'; readonly reason: string }

export function checkStoreFile(path: string): StoreFileState {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size
  if (bytes === undefined) return { state: 'absent' }
  const sqlite = loadSqlite()
  if (sqlite === undefined) return { state: 'unreadable', reason: 'this runtime has no node:sqlite' }
  try {
    const database = new sqlite.DatabaseSync(path, { readOnly: true })
    try {
      // https://www.sqlite.org/pragma.html#pragma_integrity_check: one row `ok`, or one row per fault.
      const said = database
        .prepare('PRAGMA integrity_check(3)')
        .all()
        .map((row) => String(row['integrity_check']))
      return said.length === 1 && said[0] === 'ok'
        ? { state: 'whole', bytes }
        : { state: 'damaged', reason: said.join('; ').replaceAll('\n', '; ').slice(0, 300) }
    } finally {
      database.close()
    }
  } catch (error) {
    return { state: 'damaged', reason: sqliteReasonOf(error) }
  }
}
