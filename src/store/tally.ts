/** What `apiStats.json` and the tables show for each target: counts and averages, folded from the events. */

import { wasCancelled } from '../domain/failure.ts'
import { asArray, asNumber, asRecord, asString, type Json } from '../domain/json.ts'
import type { AttemptEvent, ImportEvent, QualityEvent, StoreEvent, TargetRef } from '../domain/store.ts'
import type { RatingChange } from '../routing/ratings.ts'

/** Sums over everything reported about one target; times are epoch milliseconds. */
export interface StatsRow {
  readonly provider: string
  /** 1-based. */
  readonly keyIndex: number
  readonly model: string
  readonly successCount: number
  readonly failCount: number
  /** Over the successes only. */
  readonly totalLatencyMs: number
  readonly totalTokens: number
  readonly qualitySum: number
  readonly qualityCount: number
  readonly lastSuccess: number | null
  readonly lastError: StatsError | null
  /** When the tester last tried it; null if never. */
  readonly lastTested: number | null
}

export interface StatsError {
  /** Null where a handwritten file does not say. */
  readonly at: number | null
  readonly message: string
  readonly status: number | null
}

/** A row that identifies its key, whatever index that key has today. */
export interface TargetTotalsRow extends StatsRow {
  readonly stateId: string
  readonly fingerprint: string
}

/** The current index of a key; undefined when it is no longer configured. */
type KeyIndexOf = (provider: string, fingerprint: string) => number | undefined

type WritableTotals = { -readonly [K in keyof TargetTotalsRow]: TargetTotalsRow[K] }

/** Version of the `toJson` format; a snapshot of another version is folded anew. */
const VERSION = 1

export class TargetTotals {
  readonly #rows = new Map<string, WritableTotals>()

  /** Adds one event. Tests and probes count like calls; those not charged or abandoned by the client do not. */
  add(event: StoreEvent): void {
    if (event.kind === 'attempt') this.#addAttempt(event)
    else if (event.kind === 'quality') this.#addQuality(event)
    else if (event.kind === 'import') this.#addImport(event)
  }

  /** Counts a rating, in place of what it replaces. */
  rate({ target, removed, added }: RatingChange): void {
    const row = this.#rowOf(target)
    row.qualityCount += added.length - removed.length
    for (const { score } of removed) row.qualitySum -= score
    for (const { score } of added) row.qualitySum += score
    // Rounding must leave nothing of what was taken out.
    row.qualitySum = Math.min(row.qualityCount, Math.max(0, row.qualitySum))
  }

  row(stateId: string): TargetTotalsRow | undefined {
    return this.#rows.get(stateId)
  }

  /** All rows; with `keyIndexOf`, under today's indices and without keys that are gone. */
  rows(keyIndexOf?: KeyIndexOf): TargetTotalsRow[] {
    const rows: TargetTotalsRow[] = []
    for (const row of this.#rows.values()) {
      const keyIndex = keyIndexOf === undefined ? row.keyIndex : keyIndexOf(row.provider, row.fingerprint)
      if (keyIndex !== undefined) rows.push({ ...row, keyIndex })
    }
    return rows
  }

  toJson(): Json {
    return {
      version: VERSION,
      rows: [...this.#rows.values()].map((row) => ({ ...row, lastError: asJson(row.lastError) })),
    }
  }

  /** Undefined for anything this version's `toJson` did not write. */
  static fromJson(value: unknown): TargetTotals | undefined {
    const record = asRecord(value)
    const rows = asArray(record?.['rows'])
    if (record?.['version'] !== VERSION || rows === undefined) return undefined
    const tally = new TargetTotals()
    for (const entry of rows) {
      const row = readRow(asRecord(entry))
      if (row === undefined) return undefined
      tally.#rows.set(row.stateId, row)
    }
    return tally
  }

  #addAttempt(event: AttemptEvent): void {
    if (event.notCharged === true || wasCancelled(event.failure)) return
    const row = this.#rowOf(event.target)
    row.totalTokens += event.usage?.totalTokens || 0
    if (event.source === 'test') row.lastTested = later(row.lastTested, event.at)
    if (event.ok) {
      row.successCount++
      row.totalLatencyMs += event.latencyMs || 0
      row.lastSuccess = later(row.lastSuccess, event.at)
    } else {
      row.failCount++
      const { message = '', status = null } = event.failure ?? {}
      row.lastError = newest(row.lastError, { at: event.at, message, status })
    }
  }

  #addQuality(event: QualityEvent): void {
    const row = this.#rowOf(event.target)
    row.qualitySum += event.score
    row.qualityCount++
  }

  #addImport(event: ImportEvent): void {
    const row = this.#rowOf(event.target)
    row.successCount += event.successes
    row.failCount += event.failures
    row.totalLatencyMs += event.averageLatencyMs * event.successes
    row.totalTokens += event.totalTokens
    if (event.quality !== null) {
      const count = Math.max(1, event.qualityCount)
      row.qualitySum += event.quality * count
      row.qualityCount += count
    }
    if (event.lastSuccessAt !== null) row.lastSuccess = later(row.lastSuccess, event.lastSuccessAt)
    if (event.lastTestedAt != null) row.lastTested = later(row.lastTested, event.lastTestedAt)
    if (event.lastError != null) row.lastError = newest(row.lastError, event.lastError)
  }

  #rowOf(target: TargetRef): WritableTotals {
    const known = this.#rows.get(target.stateId)
    if (known !== undefined) {
      known.keyIndex = target.keyIndex
      return known
    }
    const row = emptyRow(target)
    this.#rows.set(target.stateId, row)
    return row
  }
}

function emptyRow({ stateId, provider, model, fingerprint, keyIndex }: Omit<TargetRef, 'account'>): WritableTotals {
  return {
    stateId,
    provider,
    model,
    fingerprint,
    keyIndex,
    successCount: 0,
    failCount: 0,
    totalLatencyMs: 0,
    totalTokens: 0,
    qualitySum: 0,
    qualityCount: 0,
    lastSuccess: null,
    lastError: null,
    lastTested: null,
  }
}

function later(known: number | null, at: number): number {
  return known === null || at > known ? at : known
}

/** Events of several processes may arrive out of order; an error without a time is older than any with one. */
function newest(known: StatsError | null, error: StatsError): StatsError {
  return known === null || (error.at ?? 0) >= (known.at ?? 0) ? error : known
}

function asJson(error: StatsError | null): Json {
  return error === null ? null : { at: error.at, message: error.message, status: error.status }
}

const COUNTS = ['successCount', 'failCount', 'totalLatencyMs', 'totalTokens', 'qualitySum', 'qualityCount'] as const

function readRow(value: Record<string, unknown> | undefined): WritableTotals | undefined {
  const stateId = asString(value?.['stateId'])
  const provider = asString(value?.['provider'])
  const model = asString(value?.['model'])
  const fingerprint = asString(value?.['fingerprint'])
  const keyIndex = asNumber(value?.['keyIndex'])
  if (value === undefined || stateId === undefined || provider === undefined) return undefined
  if (model === undefined || fingerprint === undefined || keyIndex === undefined) return undefined
  const row = emptyRow({ stateId, provider, model, fingerprint, keyIndex })
  for (const name of COUNTS) {
    const count = asNumber(value[name])
    if (count === undefined) return undefined
    row[name] = count
  }
  row.lastSuccess = asNumber(value['lastSuccess']) ?? null
  row.lastTested = asNumber(value['lastTested']) ?? null
  const error = asRecord(value['lastError'])
  if (error !== undefined)
    row.lastError = {
      at: asNumber(error['at']) ?? null,
      message: asString(error['message']) ?? '',
      status: asNumber(error['status']) ?? null,
    }
  return row
}
