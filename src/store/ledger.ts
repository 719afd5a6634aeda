/** Ledger queries that every engine answers alike: which attempts a filter selects, and their sums by group. */

import type { AttemptSource } from '../domain/attempt.ts'
import { wasCutOff } from '../domain/cutOff.ts'
import type { AttemptEvent, LedgerFilter, LedgerGroup, LedgerSum, UsageRow } from '../domain/store.ts'
import { stateId } from '../domain/target.ts'

const HOUR_MS = 3_600_000

/** The unit of summation: one attempt, or all attempts of one hour that differ only in their numbers. */
export interface SumRow extends Numbers {
  /** Epoch milliseconds of the attempt, or the start of the hour (UTC). */
  readonly at: number
  readonly provider: string
  readonly model: string
  readonly fingerprint: string
  readonly account: string
  readonly token: string | null
  readonly source: AttemptSource
  readonly labels: Readonly<Record<string, string>>
  /** Hash of the conversation; null in hourly sums, which do not keep it. */
  readonly session: string | null
  /** The service tier that is not the usual one; null in hourly sums. */
  readonly tier: string | null
  /** The version of the price; null in hourly sums. */
  readonly price: string | null
}

interface Numbers {
  attempts: number
  successes: number
  inputTokens: number
  outputTokens: number
  cachedInputTokens: number
  costNanoUsd: number
  unpriced: number
  unsureNanoUsd: number
  totalLatencyMs: number
}

const NO_LABELS: Readonly<Record<string, string>> = {}

/** One attempt as a summable row, at its own time. */
export function sumRowOf(event: AttemptEvent): SumRow {
  return newRow(event, event.at, event.labels)
}

/** Sums by hour and by every dimension an hourly sum can be filtered on; labels are not kept. */
export class HourlySums {
  readonly #rows = new Map<string, SumRow>()

  add(event: AttemptEvent): void {
    const hour = hourOf(event.at)
    const { provider, model, fingerprint, account } = event.target
    // NUL as separator: an id that contained it would at worst share a row with an equally strange one.
    const key = `${hour}\0${provider}\0${model}\0${fingerprint}\0${account}\0${event.token ?? ''}\0${event.source}`
    const row = this.#rows.get(key)
    if (row === undefined) this.#rows.set(key, newRow(event, hour, NO_LABELS))
    else addNumbers(row, newRow(event, hour, NO_LABELS))
  }

  rows(): Iterable<Readonly<SumRow>> {
    return this.#rows.values()
  }

  /** Drops the hours that began before `before`. */
  forget(before: number): void {
    for (const [key, { at }] of this.#rows) if (at < before) this.#rows.delete(key)
  }
}

/** Collects rows into the requested groups. */
export class GroupedSums {
  readonly #by: readonly LedgerGroup[]
  readonly #groups = new Map<string, { readonly group: readonly string[]; readonly sums: SumRow }>()

  constructor(by: readonly LedgerGroup[]) {
    this.#by = by
  }

  add(row: Readonly<SumRow>): void {
    const group = this.#by.map((part) => groupValue(part, row))
    const key = JSON.stringify(group)
    const known = this.#groups.get(key)
    if (known === undefined) this.#groups.set(key, { group, sums: { ...row } })
    else addNumbers(known.sums, row)
  }

  /** Sorted by the group's values. */
  result(): LedgerSum[] {
    return [...this.#groups.values()]
      .sort((a, b) => compareGroups(a.group, b.group))
      .map(({ group, sums }) => ({
        group,
        attempts: sums.attempts,
        successes: sums.successes,
        inputTokens: sums.inputTokens,
        outputTokens: sums.outputTokens,
        cachedInputTokens: sums.cachedInputTokens,
        costNanoUsd: sums.costNanoUsd,
        unpriced: sums.unpriced,
        unsureNanoUsd: sums.unsureNanoUsd,
        totalLatencyMs: sums.totalLatencyMs,
      }))
  }
}

/** Which source covers which time: hourly sums for `wholeFrom <= hour < wholeTo`, rows for the rest of the span. */
interface LedgerSpan {
  readonly since: number
  readonly until: number
  readonly wholeFrom: number
  readonly wholeTo: number
}

/**
 * Whole hours come from the hourly sums, which outlive the rows. Hours that `since` or `until` cuts through, and every
 * query by label or by request, come from the rows that still exist.
 */
export function spanOf(filter: LedgerFilter, by: readonly LedgerGroup[]): LedgerSpan {
  const since = filter.since ?? Number.NEGATIVE_INFINITY
  const until = filter.until ?? Number.POSITIVE_INFINITY
  const needsRows = filter.label !== undefined || filter.requestId !== undefined || by.some(isOfRows)
  if (needsRows) return { since, until, wholeFrom: Number.POSITIVE_INFINITY, wholeTo: Number.NEGATIVE_INFINITY }
  return { since, until, wholeFrom: Math.ceil(since / HOUR_MS) * HOUR_MS, wholeTo: hourOf(until) }
}

/** Whether this time is covered by rows rather than by hourly sums. */
export function isCut(span: LedgerSpan, at: number): boolean {
  return at >= span.since && at < span.until && (at < span.wholeFrom || at >= span.wholeTo)
}

/** Whether an attempt matches every part of the filter except `limit` and `order`. */
export function matchesQuery(filter: LedgerFilter, event: AttemptEvent): boolean {
  if (filter.since !== undefined && event.at < filter.since) return false
  if (filter.until !== undefined && event.at >= filter.until) return false
  if (filter.requestId !== undefined && event.requestId !== filter.requestId) return false
  if (filter.label !== undefined && labelOf(event.labels, filter.label.key) !== filter.label.value) return false
  return matchesWho(filter, { ...event.target, token: event.token, source: event.source })
}

/** The part of a filter that hourly sums support too. */
export function matchesWho(
  filter: LedgerFilter,
  who: Pick<SumRow, 'provider' | 'model' | 'fingerprint' | 'account' | 'token' | 'source'>,
): boolean {
  return (
    (filter.provider === undefined || who.provider === filter.provider) &&
    (filter.model === undefined || who.model === filter.model) &&
    (filter.fingerprint === undefined || who.fingerprint === filter.fingerprint) &&
    (filter.account === undefined || who.account === filter.account) &&
    (filter.token === undefined || who.token === filter.token) &&
    (filter.source === undefined || who.source === filter.source)
  )
}

function newRow(event: AttemptEvent, at: number, labels: Readonly<Record<string, string>>): SumRow {
  const { target, usage } = event
  return {
    at,
    provider: target.provider,
    model: target.model,
    fingerprint: target.fingerprint,
    account: target.account,
    token: event.token,
    source: event.source,
    labels,
    session: event.session,
    tier: usage?.parts?.serviceTier ?? null,
    price: event.priceSource,
    attempts: 1,
    successes: event.ok ? 1 : 0,
    // `||`: one NaN from an upstream must not poison the whole sum.
    inputTokens: usage?.inputTokens || 0,
    outputTokens: usage?.outputTokens || 0,
    cachedInputTokens: usage?.cachedInputTokens || 0,
    costNanoUsd: event.costNanoUsd ?? event.costRange?.atLeast ?? 0,
    unpriced: event.costNanoUsd === null ? 1 : 0,
    unsureNanoUsd:
      event.costRange === undefined || wasCutOff(event) ? 0 : event.costRange.atMost - event.costRange.atLeast,
    totalLatencyMs: event.latencyMs || 0,
  }
}

function addNumbers(into: SumRow, row: Readonly<SumRow>): void {
  into.attempts += row.attempts
  into.successes += row.successes
  into.inputTokens += row.inputTokens
  into.outputTokens += row.outputTokens
  into.cachedInputTokens += row.cachedInputTokens
  into.costNanoUsd += row.costNanoUsd
  into.unpriced += row.unpriced
  into.unsureNanoUsd += row.unsureNanoUsd
  into.totalLatencyMs += row.totalLatencyMs
}

/** The group of one attempt, by the same values as in its sums. */
export function groupOfUsage(
  { at, source, target, token, labels, session, priceSource, usage }: UsageRow,
  by: readonly LedgerGroup[],
): readonly string[] {
  const tier = usage.parts?.serviceTier ?? null
  const row = { ...target, at, source, token, labels, session, tier, price: priceSource }
  return by.map((part) => groupValue(part, row))
}

function groupValue(part: LedgerGroup, row: Readonly<Omit<SumRow, keyof Numbers>>): string {
  if (isLabel(part)) return labelOf(row.labels, part.label) ?? ''
  if (part === 'day') return isoTime(row.at).slice(0, 10)
  if (part === 'hour') return `${isoTime(row.at).slice(0, 13)}:00Z`
  if (part === 'key') return row.fingerprint
  if (part === 'target') return stateId(row.provider, row.model, row.fingerprint)
  return row[part] ?? ''
}

/** What the hourly sums do not keep. */
const isOfRows = (part: LedgerGroup) => isLabel(part) || part === 'session' || part === 'tier' || part === 'price'

function isLabel(part: LedgerGroup): part is { readonly label: string } {
  return typeof part === 'object'
}

function labelOf(labels: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}

function hourOf(at: number): number {
  return Math.floor((at || 0) / HOUR_MS) * HOUR_MS
}

/** ISO 8601; a time outside the range of a date counts as 1970. */
function isoTime(at: number): string {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? '1970-01-01T00:00:00.000Z' : date.toISOString()
}

function compareGroups(a: readonly string[], b: readonly string[]): number {
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? ''
    if (value !== other) return value < other ? -1 : 1
  }
  return 0
}
