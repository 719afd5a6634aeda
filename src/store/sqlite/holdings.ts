/** Who holds what, in SQLite. Every method lets SQLite's errors through. */

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Holding } from '../../domain/store.ts'
import { MOST_HOLDINGS, outdatedBefore } from '../holdings.ts'

/** Rows written between two counts: counting reads the whole index. */
const COUNT_EVERY = 500

export class SqliteHoldings {
  readonly #set: StatementSync
  readonly #get: StatementSync
  readonly #forgetOld: StatementSync
  readonly #forgetSurplus: StatementSync
  #uncounted = COUNT_EVERY

  constructor(database: DatabaseSync) {
    this.#set = database.prepare(`
      INSERT INTO holdings (id, at, provider, model, fingerprint, account) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET at = excluded.at, provider = excluded.provider, model = excluded.model,
        fingerprint = excluded.fingerprint, account = excluded.account`)
    this.#get = database.prepare('SELECT * FROM holdings WHERE id = ?')
    this.#forgetOld = database.prepare('DELETE FROM holdings WHERE at < ?')
    this.#forgetSurplus = database.prepare(
      'DELETE FROM holdings WHERE id IN (SELECT id FROM holdings ORDER BY at DESC LIMIT -1 OFFSET ?)',
    )
  }

  /** Call inside a transaction. */
  write(holdings: Iterable<Holding>): void {
    let newest = Number.NEGATIVE_INFINITY
    for (const { id, at, provider, model, fingerprint, account } of holdings) {
      this.#set.run(id, at, provider, model, fingerprint, account)
      newest = Math.max(newest, at)
      this.#uncounted++
    }
    if (newest === Number.NEGATIVE_INFINITY) return
    this.#forgetOld.run(outdatedBefore(newest))
    if (this.#uncounted < COUNT_EVERY) return
    this.#uncounted = 0
    this.#forgetSurplus.run(MOST_HOLDINGS)
  }

  find(id: string): Holding | undefined {
    const row = this.#get.get(id)
    if (row === undefined) return undefined
    return {
      id,
      at: Number(row['at']),
      provider: String(row['provider']),
      model: String(row['model']),
      fingerprint: String(row['fingerprint']),
      account: String(row['account']),
    }
  }
}
