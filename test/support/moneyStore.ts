/** The part of a store that budgets use, in memory, shared by the processes that a test plays. */

import { wasCutOff } from '../../src/domain/cutOff.ts'
import type { AttemptEvent, CounterResult, LedgerFilter, LedgerGroup, LedgerSum } from '../../src/domain/store.ts'
import type { Counters } from '../../src/money/lease.ts'
import type { Ledger } from '../../src/money/ledger.ts'

type Row = AttemptEvent & { readonly seq: number }

export class MoneyStore implements Counters, Ledger {
  readonly values = new Map<string, number>()
  readonly rows: Row[] = []
  /** How often a counter was changed: what a real store would write. */
  writes = 0
  /** Every call from this one on fails; Infinity never. */
  failsAfter = Number.POSITIVE_INFINITY

  addToCounter(name: string, amount: number, limit = Number.POSITIVE_INFINITY): CounterResult {
    if (this.writes >= this.failsAfter) throw new Error('disk full')
    const value = this.counter(name)
    if (value + amount > limit) return { granted: false, value }
    this.writes++
    this.values.set(name, value + amount)
    return { granted: true, value: value + amount }
  }

  counter(name: string): number {
    return this.values.get(name) ?? 0
  }

  listCounters(prefix: string): readonly (readonly [string, number])[] {
    return [...this.values].filter(([name]) => name.startsWith(prefix))
  }

  deleteCounter(name: string): void {
    this.values.delete(name)
  }

  append(event: AttemptEvent): Row {
    const row = { ...event, seq: this.rows.length + 1 }
    this.rows.push(row)
    return row
  }

  lastSeq(): number {
    return this.rows.length
  }

  attempts(filter: LedgerFilter): readonly Row[] {
    const rows = this.rows.filter((row) => matches(row, filter))
    return (filter.order === 'oldest' ? rows : rows.reverse()).slice(0, filter.limit)
  }

  sums(filter: LedgerFilter, by: readonly LedgerGroup[]): readonly LedgerSum[] {
    const groups = new Map<string, Row[]>()
    for (const row of this.attempts(filter)) {
      const group = JSON.stringify(by.map((name) => groupOf(row, name)))
      groups.set(group, [...(groups.get(group) ?? []), row])
    }
    return [...groups].map(([group, rows]) => sumOf(JSON.parse(group), rows))
  }
}

function matches(row: Row, filter: LedgerFilter): boolean {
  const { label } = filter
  return (
    row.at >= (filter.since ?? 0) &&
    row.at < (filter.until ?? Number.POSITIVE_INFINITY) &&
    row.target.provider === (filter.provider ?? row.target.provider) &&
    row.target.model === (filter.model ?? row.target.model) &&
    row.target.fingerprint === (filter.fingerprint ?? row.target.fingerprint) &&
    (filter.token === undefined || row.token === filter.token) &&
    (label === undefined || row.labels[label.key] === label.value)
  )
}

function groupOf({ at, target, source }: Row, name: LedgerGroup): string {
  if (name === 'hour') return `${new Date(at).toISOString().slice(0, 13)}:00Z`
  return name === 'account' ? target.account : source
}

function sumOf(group: readonly string[], rows: readonly Row[]): LedgerSum {
  const add = (of: (row: Row) => number) => rows.reduce((sum, row) => sum + of(row), 0)
  return {
    group,
    attempts: rows.length,
    successes: add((row) => (row.ok ? 1 : 0)),
    inputTokens: add((row) => row.usage?.inputTokens ?? 0),
    outputTokens: add((row) => row.usage?.outputTokens ?? 0),
    cachedInputTokens: 0,
    costNanoUsd: add((row) => row.costNanoUsd ?? row.costRange?.atLeast ?? 0),
    unsureNanoUsd: add((row) =>
      row.costRange === undefined || wasCutOff(row) ? 0 : row.costRange.atMost - row.costRange.atLeast,
    ),
    unpriced: add((row) => (row.costNanoUsd === null ? 1 : 0)),
    totalLatencyMs: 0,
  }
}
