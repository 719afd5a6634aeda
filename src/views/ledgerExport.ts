/** The ledger as CSV and JSON lines: one line per attempt, oldest first, never contents and never a key. */

import { csvCell } from '../domain/csvCell.ts'
import { printableJson } from '../domain/printable.ts'
import type { AttemptEvent, Store } from '../domain/store.ts'
import { decimalUsd } from '../money/amount.ts'

type CsvCell = string | number | boolean | null

/** Names and values in the order of the columns. Money is an exact decimal, empty where the price is unknown. */
const COLUMNS: readonly (readonly [name: string, read: (row: AttemptEvent) => CsvCell])[] = [
  ['started_at', ({ startedAt }) => new Date(startedAt).toISOString()],
  ['request_id', ({ requestId }) => requestId],
  ['attempt', ({ number }) => number],
  ['source', ({ source }) => source],
  ['token', ({ token }) => token],
  ['provider', ({ target }) => target.provider],
  ['model', ({ target }) => target.model],
  ['key_index', ({ target }) => target.keyIndex],
  ['key_fingerprint', ({ target }) => target.fingerprint],
  ['account', ({ target }) => target.account],
  ['outcome', ({ ok, failure }) => (ok ? 'ok' : (failure?.kind ?? 'failed'))],
  ['status', ({ failure }) => failure?.status ?? null],
  ['latency_ms', ({ latencyMs }) => latencyMs],
  ['first_token_ms', ({ firstTokenMs }) => firstTokenMs],
  ['streamed', ({ streamed }) => streamed],
  ['input_tokens', ({ usage }) => usage?.inputTokens ?? null],
  ['output_tokens', ({ usage }) => usage?.outputTokens ?? null],
  ['cached_input_tokens', ({ usage }) => usage?.cachedInputTokens ?? null],
  ['cache_write_tokens', ({ usage }) => usage?.cacheWriteTokens ?? null],
  ['reasoning_tokens', ({ usage }) => usage?.reasoningTokens ?? null],
  ['usage_estimated', ({ usage }) => usage?.estimated ?? null],
  ['cost_usd', ({ costNanoUsd }) => (costNanoUsd === null ? null : decimalUsd(costNanoUsd))],
  ['price_source', ({ priceSource }) => priceSource],
  ['task', ({ task }) => task],
  ['labels', ({ labels }) => (Object.keys(labels).length === 0 ? null : JSON.stringify(labels))],
  ['cost_at_least_usd', ({ costRange }) => (costRange === undefined ? null : decimalUsd(costRange.atLeast))],
  ['cost_at_most_usd', ({ costRange }) => (costRange === undefined ? null : decimalUsd(costRange.atMost))],
  ['service_tier', ({ usage }) => usage?.parts?.serviceTier ?? null],
  ['usage_parts', ({ usage }) => (usage?.parts === undefined ? null : JSON.stringify(usage.parts))],
]

const PAGE = 1000

/** Read page by page, so that a ledger of any length fits. `until` is exclusive; both are epoch milliseconds. */
export function* ledgerRows(
  store: Pick<Store, 'read'>,
  { since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY }: { since?: number; until?: number },
): Generator<AttemptEvent> {
  let seq = 0
  for (;;) {
    const page = store.read(seq, PAGE)
    for (const event of page)
      if (event.kind === 'attempt' && event.startedAt >= since && event.startedAt < until) yield event
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) return
    seq = last.seq
  }
}

export const CSV_HEAD = COLUMNS.map(([name]) => name).join(',')

export function csvLine(row: AttemptEvent): string {
  return COLUMNS.map(([, read]) => csvCell(read(row))).join(',')
}

/** The same columns as one JSON object; labels are an object there. */
export function jsonLine(row: AttemptEvent): string {
  const cells = COLUMNS.map(([name, read]) => [name, read(row)] as const)
  return printableJson(JSON.stringify({ ...Object.fromEntries(cells), labels: row.labels }))
}
