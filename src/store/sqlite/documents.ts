/** Documents, counters and the snapshot in SQLite. Every method lets SQLite's errors through. */

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Json } from '../../domain/json.ts'
import type { Snapshot } from '../../domain/store.ts'

export class SqliteDrawers {
  readonly #getDoc: StatementSync
  readonly #setDoc: StatementSync
  readonly #deleteDoc: StatementSync
  readonly #listDocs: StatementSync
  readonly #add: StatementSync
  readonly #counter: StatementSync
  readonly #listCounters: StatementSync
  readonly #deleteCounter: StatementSync
  readonly #loadSnapshot: StatementSync
  readonly #saveSnapshot: StatementSync

  constructor(database: DatabaseSync) {
    this.#getDoc = database.prepare('SELECT value FROM docs WHERE collection = ? AND key = ?')
    this.#setDoc = database.prepare(
      'INSERT INTO docs VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
    )
    this.#deleteDoc = database.prepare('DELETE FROM docs WHERE collection = ? AND key = ?')
    this.#listDocs = database.prepare('SELECT key, value FROM docs WHERE collection = ?')
    // One statement, so that no other process can write between the limit check and the addition.
    this.#add = database.prepare(`
      INSERT INTO counters SELECT ?1, ?2
        WHERE ?3 IS NULL OR ifnull((SELECT value FROM counters WHERE name = ?1), 0) + ?2 <= ?3
      ON CONFLICT DO UPDATE SET value = value + excluded.value
      RETURNING value`)
    this.#counter = database.prepare('SELECT value FROM counters WHERE name = ?')
    this.#listCounters = database.prepare('SELECT name, value FROM counters WHERE name >= ? ORDER BY name')
    this.#deleteCounter = database.prepare('DELETE FROM counters WHERE name = ?')
    this.#loadSnapshot = database.prepare('SELECT seq, version, state FROM snapshot')
    this.#saveSnapshot = database.prepare(`
      INSERT INTO snapshot VALUES (1, ?, ?, ?)
      ON CONFLICT DO UPDATE SET seq = excluded.seq, version = excluded.version, state = excluded.state
        WHERE excluded.seq >= seq`)
  }

  /** The document's JSON text. */
  getDoc(collection: string, key: string): string | undefined {
    return textOf(this.#getDoc.get(collection, key)?.['value'])
  }

  /** Undefined deletes. */
  setDoc(collection: string, key: string, json: string | undefined): void {
    if (json === undefined) this.#deleteDoc.run(collection, key)
    else this.#setDoc.run(collection, key, json)
  }

  listDocs(collection: string): [key: string, json: string][] {
    return this.#listDocs.all(collection).map((row) => [String(row['key']), String(row['value'])])
  }

  /** The new value, or undefined if it would exceed the limit. */
  addToCounter(name: string, amount: number, limit: number | undefined): number | undefined {
    const value = this.#add.get(name, amount, limit ?? null)?.['value']
    return typeof value === 'number' ? value : undefined
  }

  counter(name: string): number {
    return Number(this.#counter.get(name)?.['value'] ?? 0)
  }

  listCounters(prefix: string): [name: string, value: number][] {
    const found: [string, number][] = []
    for (const row of this.#listCounters.iterate(prefix)) {
      const name = String(row['name'])
      // Sorted, so all names with the prefix are contiguous.
      if (!name.startsWith(prefix)) break
      found.push([name, Number(row['value'])])
    }
    return found
  }

  deleteCounter(name: string): void {
    this.#deleteCounter.run(name)
  }

  loadSnapshot(): Snapshot | null {
    const row = this.#loadSnapshot.get()
    const state = parseStored(textOf(row?.['state']))
    if (row === undefined || state === undefined) return null
    return { seq: Number(row['seq']), version: Number(row['version']), state }
  }

  saveSnapshot(snapshot: Snapshot): void {
    this.#saveSnapshot.run(snapshot.seq, snapshot.version, JSON.stringify(snapshot.state))
  }
}

/** Undefined for text that a damaged file made unreadable. */
export function parseStored(text: string | undefined): Json | undefined {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
