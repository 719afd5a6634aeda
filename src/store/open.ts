/** Opens the store named by the configuration, or the best fallback: keywise works without a disk too. */

import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { StoreError } from '../domain/errors.ts'
import type { Store } from '../domain/store.ts'
import { createMemoryStore } from './memory.ts'
import { isSqliteAvailable, sqliteReasonOf } from './sqlite/module.ts'
import { openSqliteStore, type SqliteStoreOptions } from './sqlite/sqlite.ts'

/**
 * `location` is `memory:`, the path of a SQLite file (its folder is created, accessible to the owner only), or
 * undefined where there is no home folder to hold one. Falls back to memory, with one warning, where no file can be
 * written. Throws `StoreError` for a location that makes no sense and for a file that must not be touched.
 */
export function openStore(location: string | undefined, options: SqliteStoreOptions): Store {
  if (location === undefined) return inMemory(options, 'no home folder to keep the store in')
  if (location === 'memory:' || location === ':memory:') return createMemoryStore()
  // Without the rest of the location, which may contain a password.
  if (/^postgres(?:ql)?:\/\//i.test(location))
    throw new StoreError('a postgres:// store is not supported yet; set KEYWISE_STORE to a path or to memory:')
  if (location.trim() === '')
    throw new StoreError('the store has an empty path; set KEYWISE_STORE to a path or to memory:')
  if (!isSqliteAvailable()) return inMemory(options, 'this runtime has no node:sqlite (node 22.19 or newer has)')
  try {
    mkdirSync(dirname(location), { recursive: true, mode: 0o700 })
    return openSqliteStore(location, options)
  } catch (error) {
    if (error instanceof StoreError) throw error
    return inMemory(options, `${location} cannot be written (${sqliteReasonOf(error)})`)
  }
}

function inMemory(options: SqliteStoreOptions, reason: string): Store {
  options.warn(
    `${reason}; what keywise learns is kept in memory and ends with this process. Set KEYWISE_STORE to a path that can be written`,
  )
  return createMemoryStore()
}
