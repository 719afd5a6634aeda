/** The result of a replay for people: a table per scenario on a terminal, and the same as Markdown. */

import type { ReplayMetrics } from './metrics.ts'
import type { ReplayResult } from './replay.ts'

interface Column {
  readonly title: string
  readonly show: (metrics: ReplayMetrics) => string
}

const percent = (share: number, digits = 1) => (100 * share).toFixed(digits)

const COLUMNS: readonly Column[] = [
  { title: 'utility %', show: ({ utility }) => percent(utility) },
  { title: 'first try %', show: ({ firstAttempt }) => percent(firstAttempt) },
  { title: 'within 5 %', show: ({ within5 }) => percent(within5, 2) },
  { title: 'regret x1000', show: ({ regret }) => (1000 * regret).toFixed(1) },
  { title: 'mean ms', show: ({ meanMs }) => meanMs.toFixed(0) },
  { title: 'p95 ms', show: ({ p95Ms }) => p95Ms.toFixed(0) },
  { title: 'attempts', show: ({ attempts }) => attempts.toFixed(3) },
  { title: 'bad picks %', show: ({ badPicks }) => percent(badPicks) },
  { title: 'avoidable/M', show: ({ avoidablePerMillion }) => avoidablePerMillion.toFixed(0) },
  { title: 'recovered after', show: ({ recoveredAfter }) => recoveredAfter?.toFixed(0) ?? '' },
  { title: 'probes/1000', show: ({ probesPer1000 }) => probesPer1000.toFixed(1) },
  { title: 'cost $', show: ({ costUsd }) => (costUsd > 0 ? costUsd.toFixed(2) : '') },
]

/** Policies with the least regret first, the oracle on top. */
export function replayText(result: ReplayResult): string {
  return sections(result)
    .map(([name, policies]) => [name, ...aligned(rowsOf(policies))].join('\n'))
    .join('\n\n')
}

export function replayMarkdown(result: ReplayResult): string {
  return sections(result)
    .map(([name, policies]) => {
      const [header, ...rows] = rowsOf(policies).map((cells) => `| ${cells.join(' | ')} |`)
      const rule = `|---|${COLUMNS.map(() => '---:|').join('')}`
      return [`### ${name}`, '', header, rule, ...rows].join('\n')
    })
    .join('\n\n')
}

function sections({
  mean,
  scenarios,
}: ReplayResult): readonly (readonly [string, Readonly<Record<string, ReplayMetrics>>])[] {
  return [['mean of all scenarios', mean], ...Object.entries(scenarios)]
}

function rowsOf(policies: Readonly<Record<string, ReplayMetrics>>): readonly (readonly string[])[] {
  const byRegret = Object.entries(policies).sort(([, a], [, b]) => a.regret - b.regret)
  const rows = byRegret.map(([name, metrics]) => [name, ...COLUMNS.map(({ show }) => show(metrics))])
  return [['policy', ...COLUMNS.map(({ title }) => title)], ...rows]
}

function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row.map((text, column) => (column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!))).join('  '),
  )
}
