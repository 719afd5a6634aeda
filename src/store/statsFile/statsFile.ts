/**
 * `apiStats.json`, in the shape of the system keywise grew out of: the record of each key and model so far, for people
 * and scripts. A view of the store; read only to import what an earlier system recorded.
 */

import type { ImportEvent, TargetRef } from '../../domain/store.ts'
import type { StatsRow } from '../tally.ts'
import type { StatsFileContents } from './readStatsFile.ts'

export type StatsStatus = 'working' | 'failing' | 'unreliable' | 'unknown'

export interface StatsFile {
  /** ISO 8601, like all times here. */
  readonly lastUpdated: string
  /** Keyed by `<provider>_key<N>`. */
  readonly providers: Readonly<Record<string, StatsFileKey>>
  /** Working targets only, best first. */
  readonly rankings: {
    readonly bySpeed: readonly StatsRank<'avgResponseTime'>[]
    readonly byReliability: readonly StatsRank<'reliability'>[]
    readonly byQuality: readonly StatsRank<'qualityScore'>[]
  }
}

interface StatsFileKey {
  readonly provider: string
  readonly keyIndex: number
  readonly lastTested: string | null
  readonly models: Readonly<Record<string, StatsFileModel>>
}

interface StatsFileModel {
  readonly status: StatsStatus
  /** Arithmetic mean over the successes, in whole milliseconds; 0 if there are none, as in the predecessor. */
  readonly avgResponseTime: number
  readonly successCount: number
  readonly failCount: number
  readonly totalTokensUsed: number
  /** Arithmetic mean of the reported scores; absent if there are none. */
  readonly qualityScore?: number
  readonly qualityScoreCount?: number
  readonly lastSuccess: string | null
  readonly lastError: null | {
    readonly timestamp: string | null
    readonly error: string
    readonly statusCode: number | null
  }
}

/** `{ provider, keyIndex, model }` and the number it is ranked by. */
type StatsRank<Value extends string> = {
  readonly provider: string
  readonly keyIndex: number
  readonly model: string
} & { readonly [V in Value]: number }

/** The file for these rows. If two rows share provider, key and model, the later one counts. */
export function statsFileOf(rows: readonly StatsRow[], now: number): StatsFile {
  const ordered = lastOfEach(rows).sort(byTarget)
  const working = ordered.filter((row) => statusOf(row) === 'working')
  return {
    lastUpdated: new Date(now).toISOString(),
    providers: providersOf(ordered),
    rankings: {
      bySpeed: ranked(working, 'avgResponseTime', averageLatency, 'low'),
      byReliability: ranked(working, 'reliability', reliability, 'high'),
      byQuality: ranked(working, 'qualityScore', quality, 'high'),
    },
  }
}

function lastOfEach(rows: readonly StatsRow[]): StatsRow[] {
  return [...new Map(rows.map((row) => [JSON.stringify([row.provider, row.keyIndex, row.model]), row])).values()]
}

/**
 * `unreliable`: more than 5 attempts and a success rate under 50 %. Otherwise the last outcome decides between
 * `working` and `failing`; `unknown` without any attempt.
 */
export function statusOf(row: StatsRow): StatsStatus {
  const attempts = row.successCount + row.failCount
  if (attempts === 0) return 'unknown'
  if (attempts > 5 && row.successCount / attempts < 0.5) return 'unreliable'
  if (row.successCount === 0) return 'failing'
  // An error without a time is taken for an old one: the target did succeed.
  const failedLast = row.lastError?.at != null && row.lastError.at > (row.lastSuccess ?? 0)
  return failedLast ? 'failing' : 'working'
}

/** An import counts once, however many processes run it: the ids depend on the target alone. */
export function toImportEvents(
  file: Pick<StatsFileContents, 'rows'>,
  resolve: (provider: string, keyIndex: number, model: string) => TargetRef | undefined,
  stamp: { readonly at: number; readonly origin: string },
): ImportEvent[] {
  const events = new Map<string, ImportEvent>()
  for (const row of file.rows) {
    const target = resolve(row.provider, row.keyIndex, row.model)
    if (target === undefined || events.has(target.stateId)) continue
    events.set(target.stateId, importEventOf(row, target, stamp))
  }
  return [...events.values()]
}

function importEventOf(row: StatsRow, target: TargetRef, stamp: { at: number; origin: string }): ImportEvent {
  return {
    kind: 'import',
    at: stamp.at,
    origin: stamp.origin,
    id: `import:${target.stateId}`,
    target,
    successes: row.successCount,
    failures: row.failCount,
    averageLatencyMs: averageLatency(row) ?? 0,
    totalTokens: row.totalTokens,
    quality: quality(row) ?? null,
    qualityCount: row.qualityCount,
    lastSuccessAt: row.lastSuccess,
    lastTestedAt: row.lastTested,
    lastError: row.lastError,
  }
}

function providersOf(rows: readonly StatsRow[]): Record<string, StatsFileKey> {
  const keys = new Map<string, StatsRow[]>()
  for (const row of rows) {
    const name = `${row.provider}_key${row.keyIndex}`
    const known = keys.get(name)
    if (known === undefined) keys.set(name, [row])
    else known.push(row)
  }
  // fromEntries also creates own properties for names like __proto__.
  return Object.fromEntries([...keys].map(([name, rows]) => [name, keyOf(rows)]))
}

function keyOf(rows: readonly StatsRow[]): StatsFileKey {
  const tested = Math.max(...rows.map((row) => row.lastTested ?? Number.NEGATIVE_INFINITY))
  return {
    provider: rows[0]?.provider ?? '',
    keyIndex: rows[0]?.keyIndex ?? 1,
    lastTested: isoTime(tested),
    models: Object.fromEntries(rows.map((row) => [row.model, modelOf(row)])),
  }
}

function modelOf(row: StatsRow): StatsFileModel {
  const qualityScore = quality(row)
  const error = row.lastError
  return {
    status: statusOf(row),
    avgResponseTime: averageLatency(row) ?? 0,
    successCount: row.successCount,
    failCount: row.failCount,
    totalTokensUsed: row.totalTokens,
    ...(qualityScore === undefined ? undefined : { qualityScore, qualityScoreCount: row.qualityCount }),
    lastSuccess: isoTime(row.lastSuccess),
    lastError: error && { timestamp: isoTime(error.at), error: error.message, statusCode: error.status },
  }
}

function ranked<Value extends string>(
  rows: readonly StatsRow[],
  name: Value,
  value: (row: StatsRow) => number | undefined,
  best: 'low' | 'high',
): StatsRank<Value>[] {
  const sign = best === 'low' ? 1 : -1
  return rows
    .flatMap((row) => {
      const number = value(row)
      return number === undefined ? [] : [{ row, number }]
    })
    .sort((a, b) => sign * (a.number - b.number))
    .map(({ row: { provider, keyIndex, model }, number }) => {
      // TypeScript widens a computed name to `string`; it is `Value` here.
      return { provider, keyIndex, model, [name]: number } as StatsRank<Value>
    })
}

function averageLatency(row: StatsRow): number | undefined {
  return row.successCount > 0 && row.totalLatencyMs > 0 ? Math.round(row.totalLatencyMs / row.successCount) : undefined
}

/** In thousandths, like a session's success rate. */
function reliability(row: StatsRow): number {
  return Math.round((1_000 * row.successCount) / (row.successCount + row.failCount)) / 1_000
}

/** Rounded, to remove floating-point noise: 0.9 and 0.95 average 0.925. */
function quality(row: StatsRow): number | undefined {
  return row.qualityCount > 0 ? Math.round((1e9 * row.qualitySum) / row.qualityCount) / 1e9 : undefined
}

function isoTime(at: number | null): string | null {
  const date = new Date(at ?? Number.NaN)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

function byTarget(a: StatsRow, b: StatsRow): number {
  if (a.provider !== b.provider) return a.provider < b.provider ? -1 : 1
  if (a.keyIndex !== b.keyIndex) return a.keyIndex - b.keyIndex
  return a.model < b.model ? -1 : a.model > b.model ? 1 : 0
}
