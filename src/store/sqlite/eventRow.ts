/** An event as a row of the `events` table, and back. Columns for what is common, JSON only for what is rare. */

import type { SQLInputValue, StatementSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import type { AttemptSource } from '../../domain/attempt.ts'
import type { Usage } from '../../domain/chat.ts'
import type { Failure, LimitFact } from '../../domain/failure.ts'
import { asArray, asRecord, isEmpty } from '../../domain/json.ts'
import type {
  AttemptEvent,
  KnownFailure,
  StoredEvent,
  StoreEvent,
  TargetRef,
  Trial,
  UsageRow,
} from '../../domain/store.ts'

/** A row as SQLite returns it; a damaged file can return anything in any column. */
export type SqliteRow = Readonly<Record<string, unknown>>

const COLUMNS = [
  'id',
  'kind',
  'at',
  'origin',
  'request_id',
  'number',
  'source',
  'state_id',
  'provider',
  'model',
  'fingerprint',
  'key_index',
  'account',
  'started_at',
  'latency_ms',
  'first_token_ms',
  'streamed',
  'ok',
  'failure_kind',
  'status',
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'usage_estimated',
  'reported_cost_usd',
  'parts',
  'cost_nano_usd',
  'cost_at_least_nano_usd',
  'cost_at_most_nano_usd',
  'price_source',
  'excused',
  'task',
  'session',
  'token',
  'labels',
  'rest',
] as const

/** What `readEvent` needs of an event that is no attempt. */
export const PLAIN_COLUMNS = ['seq', 'id', 'kind', 'at', 'origin', 'rest'] as const

/** Adds one event unless its id exists already. Parameters in the order of `COLUMNS`, then the checksum. */
export const INSERT_EVENT = `INSERT INTO events (${COLUMNS.join(', ')}, sum) VALUES (${COLUMNS.map(() => '?').join(', ')}, ?) ON CONFLICT (id) DO NOTHING`

/** Returns whether the event was new. */
export function insertEvent(insert: StatementSync, event: StoreEvent): boolean {
  const { changes } =
    event.kind === 'attempt'
      ? insertAttempt(insert, event)
      : insertSummed(insert, [...headOf(event), ratedRequest(event), ...NO_ATTEMPT, bodyOf(event)])
  return changes !== 0
}

/** Whether a row is as it was written; true also for rows of older versions, which have no checksum. */
export function isAsWritten(row: SqliteRow): boolean {
  const { sum } = row
  return sum === null || sum === undefined || sum === checksum(COLUMNS.map((name) => row[name]))
}

function insertSummed(insert: StatementSync, values: SQLInputValue[]): { readonly changes: number | bigint } {
  const sum = checksum(values)
  values.push(sum)
  return insert.run(...values)
}

/** Null for a row with a number that SQLite does not keep (NaN). */
function checksum(values: readonly unknown[]): number | null {
  const text = values.join(SEPARATOR)
  return text.includes('NaN') && values.includes(Number.NaN) ? null : crc32(text)
}

const SEPARATOR = '\u001f'

/** The event of a row, exactly as it was appended. */
export function readEvent(row: SqliteRow): StoredEvent {
  if (row['kind'] === 'attempt') return readAttempt(row)
  const head = {
    ...asRecord(parse(row['rest'])),
    kind: row['kind'],
    at: number(row['at']),
    origin: text(row['origin']),
  }
  // Written by keywise, and the body is whatever event of that kind was appended.
  return { ...head, id: text(row['id']), seq: number(row['seq']) } as unknown as StoredEvent
}

export function readAttempt(row: SqliteRow): AttemptEvent & { readonly seq: number } {
  const rest = asRecord(parse(row['rest']))
  return {
    kind: 'attempt',
    seq: number(row['seq']),
    at: number(row['at']),
    origin: text(row['origin']),
    id: text(row['id']),
    requestId: text(row['request_id']),
    number: number(row['number']),
    source: text(row['source']) as AttemptSource, // written by keywise
    target: readTarget(row),
    startedAt: number(row['started_at']),
    latencyMs: number(row['latency_ms']),
    firstTokenMs: numberOrNull(row['first_token_ms']),
    streamed: row['streamed'] === 1,
    ok: row['ok'] === 1,
    ...(rest?.['healed'] === true && { healed: true }),
    failure: readFailure(row, rest),
    ...(row['excused'] === null ? undefined : { notCharged: row['excused'] === 1 }),
    ...(rest?.['known'] === undefined ? undefined : { known: rest['known'] as KnownFailure }), // written by keywise
    usage: readUsage(row, rest),
    costNanoUsd: numberOrNull(row['cost_nano_usd']),
    ...readRange(row),
    priceSource: textOrNull(row['price_source']),
    limits: (asArray(rest?.['limits']) ?? []) as readonly LimitFact[], // written by keywise
    ...(typeof rest?.['calls'] === 'number' && { calls: rest['calls'] }),
    ...(typeof rest?.['why'] === 'string' && { why: rest['why'] }),
    ...(Array.isArray(rest?.['leftOut']) && { leftOut: rest['leftOut'] as readonly string[] }), // written by keywise
    task: textOrNull(row['task']),
    session: textOrNull(row['session']),
    token: textOrNull(row['token']),
    ...(typeof rest?.['tokenId'] === 'string' && { tokenId: rest['tokenId'] }),
    labels: readLabels(row['labels']),
    ...(rest?.['trial'] === undefined ? undefined : { trial: rest['trial'] as Trial }), // written by keywise
  }
}

/** The columns that `readUsageRow` reads. */
export const USAGE_COLUMNS = [
  ...['at', 'started_at', 'source', 'state_id', 'provider', 'model', 'fingerprint', 'key_index', 'account'],
  ...[
    'cost_nano_usd',
    'price_source',
    'session',
    'token',
    'labels',
    'input_tokens',
    'output_tokens',
    'cached_input_tokens',
  ],
  ...['cache_write_tokens', 'reasoning_tokens', 'usage_estimated', 'reported_cost_usd', 'parts'],
] as const

/** Null for a row without usage. */
export function readUsageRow(row: SqliteRow): UsageRow | null {
  const usage = readUsage(row, undefined)
  if (usage === null) return null
  return {
    at: number(row['at']),
    startedAt: number(row['started_at']),
    source: text(row['source']) as AttemptSource, // written by keywise
    target: readTarget(row),
    costNanoUsd: numberOrNull(row['cost_nano_usd']),
    priceSource: textOrNull(row['price_source']),
    session: textOrNull(row['session']),
    token: textOrNull(row['token']),
    labels: readLabels(row['labels']),
    usage,
  }
}

/** The labels of a row; empty when it has none. */
export function readLabels(value: unknown): Readonly<Record<string, string>> {
  return (asRecord(parse(value)) ?? {}) as Record<string, string> // written by keywise
}

function insertAttempt(insert: StatementSync, event: AttemptEvent): { readonly changes: number | bigint } {
  const { target, usage, failure } = event
  return insertSummed(insert, [
    event.id,
    'attempt',
    event.at,
    event.origin,
    event.requestId,
    event.number,
    event.source,
    target.stateId,
    target.provider,
    target.model,
    target.fingerprint,
    target.keyIndex,
    target.account,
    event.startedAt,
    event.latencyMs,
    event.firstTokenMs,
    event.streamed ? 1 : 0,
    event.ok ? 1 : 0,
    failure === null ? null : failure.kind,
    failure === null ? null : failure.status,
    usage === null ? null : usage.inputTokens,
    usage === null ? null : usage.outputTokens,
    usage?.cachedInputTokens ?? null,
    usage?.cacheWriteTokens ?? null,
    usage?.reasoningTokens ?? null,
    usage === null ? null : usage.estimated ? 1 : 0,
    usage?.reportedCostUsd ?? null,
    usage?.parts === undefined ? null : JSON.stringify(usage.parts),
    event.costNanoUsd,
    event.costRange?.atLeast ?? null,
    event.costRange?.atMost ?? null,
    event.priceSource,
    event.notCharged === undefined ? null : event.notCharged ? 1 : 0,
    event.task,
    event.session,
    event.token,
    isEmpty(event.labels) ? null : JSON.stringify(event.labels),
    restOf(event),
  ])
}

/**
 * What has no column: details of a failure and whether it was known, limits, an experiment, which token it was, and a
 * total other than input plus output.
 */
function restOf(event: AttemptEvent): string | null {
  const { failure, known, limits, usage, trial, healed, calls, leftOut, tokenId, why } = event
  const oddTotal = usage !== null && usage.totalTokens !== usage.inputTokens + usage.outputTokens
  const details = failure ?? known ?? trial ?? healed ?? calls ?? leftOut ?? why
  // As most are.
  if (details === undefined && limits.length === 0 && !oddTotal)
    return tokenId === undefined ? null : `{"tokenId":${JSON.stringify(tokenId)}}`
  return JSON.stringify({
    failure: failure ?? undefined,
    known,
    limits: limits.length === 0 ? undefined : limits,
    totalTokens: oddTotal ? usage.totalTokens : undefined,
    trial,
    healed,
    calls,
    leftOut,
    tokenId,
    why,
  })
}

function headOf(event: StoreEvent): [string, string, number, string] {
  return [event.id, event.kind, event.at, event.origin]
}

/** So that the ratings of a request are found by its index. */
const ratedRequest = (event: StoreEvent) => (event.kind === 'quality' ? event.requestId : null)

/** The columns between the request and `rest`. */
const NO_ATTEMPT: readonly SQLInputValue[] = COLUMNS.slice(6).map(() => null)

function bodyOf(event: StoreEvent): string {
  return JSON.stringify({ ...event, kind: undefined, at: undefined, origin: undefined, id: undefined })
}

function readTarget(row: SqliteRow): TargetRef {
  return {
    stateId: text(row['state_id']),
    provider: text(row['provider']),
    model: text(row['model']),
    fingerprint: text(row['fingerprint']),
    keyIndex: number(row['key_index']),
    account: text(row['account']),
  }
}

function readFailure(row: SqliteRow, rest: Record<string, unknown> | undefined): Failure | null {
  if (row['failure_kind'] === null) return null
  const facts = asRecord(rest?.['failure']) ?? { status: numberOrNull(row['status']), message: '' }
  return { ...facts, kind: text(row['failure_kind']) } as Failure // written by keywise
}

function readUsage(row: SqliteRow, rest: Record<string, unknown> | undefined): Usage | null {
  if (row['usage_estimated'] === null) return null
  const inputTokens = number(row['input_tokens'])
  const outputTokens = number(row['output_tokens'])
  return {
    inputTokens,
    outputTokens,
    totalTokens: typeof rest?.['totalTokens'] === 'number' ? rest['totalTokens'] : inputTokens + outputTokens,
    ...given('cachedInputTokens', row['cached_input_tokens']),
    ...given('cacheWriteTokens', row['cache_write_tokens']),
    ...given('reasoningTokens', row['reasoning_tokens']),
    estimated: row['usage_estimated'] === 1,
    ...given('reportedCostUsd', row['reported_cost_usd']),
    ...readParts(row['parts']),
  }
}

function readParts(value: unknown): Pick<Usage, 'parts'> | undefined {
  const parts = asRecord(parse(value))
  return parts === undefined ? undefined : { parts }
}

function readRange(row: SqliteRow): Pick<AttemptEvent, 'costRange'> | undefined {
  const atLeast = row['cost_at_least_nano_usd']
  const atMost = row['cost_at_most_nano_usd']
  return typeof atLeast === 'number' && typeof atMost === 'number' ? { costRange: { atLeast, atMost } } : undefined
}

function given(name: keyof Usage, value: unknown): Partial<Usage> | undefined {
  return typeof value === 'number' ? { [name]: value } : undefined
}

/** Undefined for anything but JSON: one damaged cell must not make the whole log unreadable. */
function parse(value: unknown): unknown {
  if (typeof value !== 'string') return undefined
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}
