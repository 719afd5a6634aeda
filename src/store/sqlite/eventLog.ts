/** The log and the ledger in SQLite: events in, events and sums out. Every method lets SQLite's errors through. */

import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { AttemptSource } from '../../domain/attempt.ts'
import type {
  AttemptEvent,
  LedgerFilter,
  LedgerGroup,
  LedgerSum,
  QualityEvent,
  StoredEvent,
  StoreEvent,
  UsageRow,
} from '../../domain/store.ts'
import { GroupedSums, HourlySums, type SumRow, spanOf } from '../ledger.ts'
import { inOrderOfStart } from '../order.ts'
import {
  INSERT_EVENT,
  insertEvent,
  PLAIN_COLUMNS,
  readAttempt,
  readEvent,
  readLabels,
  readUsageRow,
  type SqliteRow,
  USAGE_COLUMNS,
} from './eventRow.ts'
import { isSqliteError } from './module.ts'

/** The kind of a row kept only for its `seq`. */
const PRUNED = 'pruned'

const SUMS = [
  'attempts',
  'successes',
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'cost_nano_usd',
  'unpriced',
  'unsure_nano_usd',
  'total_latency_ms',
] as const

const ADD_ROLLUP = `
  INSERT INTO rollups (hour, provider, model, fingerprint, account, token, source, ${SUMS.join(', ')})
  VALUES (${Array(7 + SUMS.length)
    .fill('?')
    .join(', ')})
  ON CONFLICT DO UPDATE SET ${SUMS.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')}`

// One attempt in the shape of `SumRow`.
const ATTEMPT_AS_SUMS = `
  SELECT at, provider, model, fingerprint, account, token, source, labels, session,
    json_extract(parts, '$.serviceTier') AS tier, price_source AS price, 1 AS attempts, ok AS successes,
    ifnull(input_tokens, 0) AS input_tokens, ifnull(output_tokens, 0) AS output_tokens,
    ifnull(cached_input_tokens, 0) AS cached_input_tokens,
    coalesce(cost_nano_usd, cost_at_least_nano_usd, 0) AS cost_nano_usd, cost_nano_usd IS NULL AS unpriced,
    iif(input_tokens IS NULL, 0, ifnull(cost_at_most_nano_usd - cost_at_least_nano_usd, 0)) AS unsure_nano_usd,
    ifnull(latency_ms, 0) AS total_latency_ms
  FROM events`

export class SqliteLog {
  readonly #database: DatabaseSync
  readonly #insert: StatementSync
  readonly #addRollup: StatementSync
  readonly #read: StatementSync
  readonly #readKind: StatementSync
  /** The same for all but attempts, which alone fill the other columns. */
  readonly #readPlain: StatementSync
  readonly #last: StatementSync
  readonly #find: StatementSync

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#insert = database.prepare(INSERT_EVENT)
    this.#addRollup = database.prepare(ADD_ROLLUP)
    this.#read = database.prepare(
      `SELECT * FROM events WHERE seq > ? AND origin IS NOT ? AND kind <> '${PRUNED}' ORDER BY seq LIMIT ?`,
    )
    const ofKind = 'FROM events WHERE seq > ? AND origin IS NOT ? AND kind = ? ORDER BY seq LIMIT ?'
    this.#readKind = database.prepare(`SELECT * ${ofKind}`)
    this.#readPlain = database.prepare(`SELECT ${PLAIN_COLUMNS.join(', ')} ${ofKind}`)
    this.#last = database.prepare('SELECT max(seq) AS seq FROM events')
    this.#find = database.prepare(`SELECT * FROM events WHERE id = ? AND kind <> '${PRUNED}'`)
  }

  /** Adds events and their hourly sums; call inside a transaction. Returns how many cannot be stored at all. */
  insert(events: readonly StoreEvent[]): number {
    const sums = new HourlySums()
    let unstorable = 0
    for (const event of events) {
      try {
        if (insertEvent(this.#insert, event) && event.kind === 'attempt') sums.add(event)
      } catch (error) {
        // A value that cannot be bound would fail every retry too; the other events must not wait for it.
        if (isSqliteError(error)) throw error
        unstorable++
      }
    }
    for (const row of sums.rows()) this.#addToRollup(row)
    return unstorable
  }

  read(
    afterSeq: number,
    limit: number,
    exceptOrigin: string | null,
    kind: StoreEvent['kind'] | null = null,
  ): StoredEvent[] {
    if (kind !== null) {
      const statement = kind === 'attempt' ? this.#readKind : this.#readPlain
      return statement.all(afterSeq, exceptOrigin, kind, limit).map(readEvent)
    }
    return this.#read.all(afterSeq, exceptOrigin, limit).map(readEvent)
  }

  find(id: string): StoredEvent | undefined {
    const row = this.#find.get(id)
    return row === undefined ? undefined : readEvent(row)
  }

  last(): number {
    const seq = this.#last.get()?.['seq']
    return typeof seq === 'number' ? seq : 0
  }

  attempts(filter: LedgerFilter): (AttemptEvent & { readonly seq: number })[] {
    const where = new Where().add("kind = 'attempt'").addTimes(filter).addWho(filter).addRows(filter)
    const order = filter.order === 'oldest' ? 'ASC' : 'DESC'
    const sql = `SELECT * FROM events ${where.sql()} ORDER BY seq ${order} LIMIT ?`
    return this.#database
      .prepare(sql)
      .all(...where.values, filter.limit ?? -1)
      .map(readAttempt)
  }

  ratings(requestId: string): QualityEvent[] {
    return this.#database
      .prepare("SELECT * FROM events WHERE kind = 'quality' AND request_id = ? ORDER BY seq")
      .all(requestId)
      .map(readEvent) as unknown as QualityEvent[] // of that kind alone
  }

  sums(filter: LedgerFilter, by: readonly LedgerGroup[]): LedgerSum[] {
    const span = spanOf(filter, by)
    const groups = new GroupedSums(by)
    const whole = new Where().add('hour >= ?', span.wholeFrom).add('hour < ?', span.wholeTo).addWho(filter)
    this.#collect(`SELECT *, hour AS at FROM rollups ${whole.sql()}`, whole, groups)
    const cut = new Where()
      .add("kind = 'attempt'")
      .addTimes(filter)
      .add('(at < ? OR at >= ?)', span.wholeFrom, span.wholeTo)
    cut.addWho(filter).addRows(filter)
    this.#collect(`${ATTEMPT_AS_SUMS} ${cut.sql()}`, cut, groups)
    return groups.result()
  }

  usages(filter: LedgerFilter): UsageRow[] {
    const where = new Where().add("kind = 'attempt'").add('usage_estimated IS NOT NULL')
    where.addTimes(filter).addWho(filter).addRows(filter)
    const sql = `SELECT ${USAGE_COLUMNS.join(', ')} FROM events ${where.sql()} ORDER BY seq DESC LIMIT ?`
    const rows: UsageRow[] = []
    for (const row of this.#database.prepare(sql).iterate(...where.values, filter.limit ?? -1)) {
      const read = readUsageRow(row)
      if (read !== null) rows.push(read)
    }
    return inOrderOfStart(rows.reverse())
  }

  /**
   * Call inside a transaction. The newest row of the log is emptied rather than deleted, and hidden from readers: it
   * holds the sequence number after which the log continues.
   */
  prune(before: number, sumsBefore: number): number {
    this.#database.prepare('DELETE FROM rollups WHERE hour < ?').run(sumsBefore)
    const newest = this.last()
    const isOld = "kind = 'attempt' AND at < ?"
    const emptied = this.#database
      .prepare(
        `UPDATE events SET kind = '${PRUNED}', sum = NULL, rest = NULL, labels = NULL, request_id = NULL WHERE seq = ? AND ${isOld}`,
      )
      .run(newest, before)
    const deleted = this.#database.prepare(`DELETE FROM events WHERE ${isOld}`).run(before)
    this.#database.prepare(`DELETE FROM events WHERE kind = '${PRUNED}' AND seq < ?`).run(newest)
    return Number(emptied.changes) + Number(deleted.changes)
  }

  #collect(sql: string, where: Where, groups: GroupedSums): void {
    for (const row of this.#database.prepare(sql).iterate(...where.values)) groups.add(readSumRow(row))
  }

  #addToRollup(row: Readonly<SumRow>): void {
    this.#addRollup.run(
      row.at,
      row.provider,
      row.model,
      row.fingerprint,
      row.account,
      row.token ?? '',
      row.source,
      row.attempts,
      row.successes,
      row.inputTokens,
      row.outputTokens,
      row.cachedInputTokens,
      row.costNanoUsd,
      row.unpriced,
      row.unsureNanoUsd,
      row.totalLatencyMs,
    )
  }
}

/** Conditions joined by AND, with their values in order. */
class Where {
  readonly values: SQLInputValue[] = []
  readonly #conditions: string[] = []

  add(condition: string, ...values: readonly SQLInputValue[]): this {
    this.#conditions.push(condition)
    this.values.push(...values)
    return this
  }

  addTimes({ since, until }: LedgerFilter): this {
    if (since !== undefined) this.add('at >= ?', since)
    if (until !== undefined) this.add('at < ?', until)
    return this
  }

  /** Conditions that apply to rows and to hourly sums. */
  addWho(filter: LedgerFilter): this {
    for (const column of ['provider', 'model', 'fingerprint', 'account', 'token', 'source'] as const) {
      const value = filter[column]
      if (value !== undefined) this.add(`${column} = ?`, value)
    }
    return this
  }

  /** Conditions that apply to rows only. */
  addRows({ requestId, label }: LedgerFilter): this {
    if (requestId !== undefined) this.add('request_id = ?', requestId)
    // json_each rather than a path, because a label's name may contain dots and quotes.
    if (label !== undefined)
      this.add(
        'EXISTS (SELECT 1 FROM json_each(events.labels) AS label WHERE label.key = ? AND label.value = ?)',
        label.key,
        label.value,
      )
    return this
  }

  sql(): string {
    return this.#conditions.length === 0 ? '' : `WHERE ${this.#conditions.join(' AND ')}`
  }
}

function readSumRow(row: SqliteRow): SumRow {
  return {
    at: Number(row['at']),
    provider: String(row['provider']),
    model: String(row['model']),
    fingerprint: String(row['fingerprint']),
    account: String(row['account']),
    token: row['token'] === null ? null : String(row['token']),
    source: String(row['source']) as AttemptSource, // written by keywise
    labels: readLabels(row['labels']),
    session: textIn(row['session']),
    tier: textIn(row['tier']),
    price: textIn(row['price']),
    attempts: Number(row['attempts']),
    successes: Number(row['successes']),
    inputTokens: Number(row['input_tokens']),
    outputTokens: Number(row['output_tokens']),
    cachedInputTokens: Number(row['cached_input_tokens']),
    costNanoUsd: Number(row['cost_nano_usd']),
    unpriced: Number(row['unpriced']),
    unsureNanoUsd: Number(row['unsure_nano_usd']),
    totalLatencyMs: Number(row['total_latency_ms']),
  }
}

/** Null also where there is no such column. */
const textIn = (value: unknown): string | null => (typeof value === 'string' ? value : null)
