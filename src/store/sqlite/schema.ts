/** The tables of a keywise store on disk, and the migration of older files. */

import type { DatabaseSync } from 'node:sqlite'
import { StoreError } from '../../domain/errors.ts'
import { copyBeforeMigration } from './backups.ts'
import { DamagedStore, isBusy } from './module.ts'

/** Marks the file as a keywise store: "KEYW" in ASCII, written as SQLite's application id. */
const APPLICATION_ID = 0x4b455957

/**
 * Step n migrates version n - 1 to version n; a released step is never changed.
 * Numbers from outside are REAL: an absurd token count from an upstream then stays a number that JavaScript can read,
 * whereas an INTEGER beyond 2^53 could not be read back. Integers up to 2^53 are exact either way.
 * `seq` does without AUTOINCREMENT, whose table would be written with every commit: the newest row is never deleted
 * (`SqliteLog.prune`), so no sequence number is reused.
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE events (
     seq INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     kind TEXT NOT NULL,
     at REAL,
     origin TEXT,
     request_id TEXT,
     number REAL,
     source TEXT,
     state_id TEXT,
     provider TEXT,
     model TEXT,
     fingerprint TEXT,
     key_index REAL,
     account TEXT,
     started_at REAL,
     latency_ms REAL,
     first_token_ms REAL,
     streamed INTEGER,
     ok INTEGER,
     failure_kind TEXT,
     status REAL,
     input_tokens REAL,
     output_tokens REAL,
     cached_input_tokens REAL,
     cache_write_tokens REAL,
     reasoning_tokens REAL,
     usage_estimated INTEGER,
     reported_cost_usd REAL,
     cost_nano_usd REAL,
     price_source TEXT,
     excused INTEGER,
     task TEXT,
     session TEXT,
     token TEXT,
     labels TEXT,
     rest TEXT
   );
   CREATE INDEX events_at ON events (at);
   CREATE INDEX events_request ON events (request_id) WHERE request_id IS NOT NULL;
   CREATE TABLE rollups (
     hour REAL NOT NULL,
     provider TEXT NOT NULL,
     model TEXT NOT NULL,
     fingerprint TEXT NOT NULL,
     account TEXT NOT NULL,
     token TEXT NOT NULL,
     source TEXT NOT NULL,
     attempts REAL NOT NULL,
     successes REAL NOT NULL,
     input_tokens REAL NOT NULL,
     output_tokens REAL NOT NULL,
     cached_input_tokens REAL NOT NULL,
     cost_nano_usd REAL NOT NULL,
     unpriced REAL NOT NULL,
     total_latency_ms REAL NOT NULL,
     PRIMARY KEY (hour, provider, model, fingerprint, account, token, source)
   ) WITHOUT ROWID;
   CREATE TABLE docs (
     collection TEXT NOT NULL,
     key TEXT NOT NULL,
     value TEXT NOT NULL,
     PRIMARY KEY (collection, key)
   ) WITHOUT ROWID;
   CREATE TABLE counters (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID;
   CREATE TABLE snapshot (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL);`,
  `CREATE TABLE holdings (
     id TEXT PRIMARY KEY,
     at REAL NOT NULL,
     provider TEXT NOT NULL,
     model TEXT NOT NULL,
     fingerprint TEXT NOT NULL,
     account TEXT NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX holdings_at ON holdings (at);`,
  `ALTER TABLE events ADD COLUMN parts TEXT;
   ALTER TABLE events ADD COLUMN cost_at_least_nano_usd REAL;
   ALTER TABLE events ADD COLUMN cost_at_most_nano_usd REAL;
   ALTER TABLE rollups ADD COLUMN unsure_nano_usd REAL NOT NULL DEFAULT 0;`,
  `ALTER TABLE events ADD COLUMN sum REAL;`,
]

/**
 * Migrates an opened database to the newest version, all steps in one transaction, after a copy was made of it
 * (`<store>.backups/before-version-<n>.db`).
 * Throws `StoreError` for a file of a newer keywise or of another program, and leaves such a file untouched.
 */
export function migrate(database: DatabaseSync, path: string, migrations: readonly string[] = MIGRATIONS): void {
  const found = versionAtOneMoment(database, path, migrations.length)
  if (found === migrations.length) return
  if (found > 0 && path !== ':memory:')
    copyBeforeMigration(path, (copy) => database.prepare('VACUUM INTO ?').run(copy), migrations.length)
  database.exec('BEGIN IMMEDIATE')
  try {
    // Read again: another process may have created the tables while this one waited for the lock.
    const version = versionOf(database, path, migrations.length)
    if (version === 0) createMeta(database)
    for (const step of migrations.slice(version)) database.exec(step)
    database
      .prepare("INSERT INTO meta VALUES ('schema_version', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1")
      .run(String(migrations.length))
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/** One read transaction: between two separate reads another process might create the tables. */
function versionAtOneMoment(database: DatabaseSync, path: string, known: number): number {
  database.exec('BEGIN')
  try {
    return versionOf(database, path, known)
  } finally {
    if (database.isTransaction) database.exec('ROLLBACK')
  }
}

function createMeta(database: DatabaseSync): void {
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
  database.exec('CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID')
  database.exec("INSERT INTO meta VALUES ('created_by', 'keywise')")
}

/** The version of a file; 0 for an empty one. */
function versionOf(database: DatabaseSync, path: string, known: number): number {
  const application = database.prepare('PRAGMA application_id').get()?.['application_id']
  const tables = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.['tables']
  if (application === 0 && tables === 0) return 0
  if (application !== APPLICATION_ID)
    throw new StoreError(
      `${path} is a database of another program, not a keywise store; set KEYWISE_STORE to a path of its own`,
    )
  const version = Number(readVersion(database))
  if (!Number.isSafeInteger(version) || version < 1) throw new DamagedStore('its schema version cannot be read')
  if (version > known)
    throw new StoreError(
      `${path} was made by a newer keywise (store version ${version}, this one knows ${known}); upgrade keywise, or set KEYWISE_STORE to another path`,
    )
  return version
}

function readVersion(database: DatabaseSync): unknown {
  try {
    return database.prepare("SELECT value FROM meta WHERE key = 'schema_version'").get()?.['value']
  } catch (error) {
    if (isBusy(error)) throw error
    throw new DamagedStore('its schema version cannot be read', { cause: error })
  }
}
