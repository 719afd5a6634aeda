/** `keywise budget`: limits, spending by subject, and the ledger as an export for other programs. */

import { once } from 'node:events'
import type { FileHandle } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { present } from '../domain/present.ts'
import type { Engine } from '../engine/engine.ts'
import { formatUsd, NANO_PER_USD } from '../money/amount.ts'
import { calendarPeriod } from '../money/period.ts'
import { replaceFileWith } from '../store/replaceFile.ts'
import { type BudgetsView, budgetsView } from '../views/budgets.ts'
import type { CacheView } from '../views/caches.ts'
import type { FreeQuotaView } from '../views/freeQuotas.ts'
import { CSV_HEAD, csvLine, jsonLine, ledgerRows } from '../views/ledgerExport.ts'
import { readTime } from '../views/readTime.ts'
import { type SpendRow, type SpendView, spendView } from '../views/spend.ts'
import { budgetLine, ofText, perText, unitText } from './budgetLine.ts'
import { reconcileInvoice } from './budgetReconcile.ts'
import type { CommandContext, ExitCode, RunCommand } from './command.ts'
import { UsageError } from './command.ts'
import { clockText, type Printer, plural, printer } from './output.ts'
import { printPrices } from './priceTable.ts'
import { withEngine } from './withEngine.ts'

const ACTIONS = ['list', 'export', 'forgive', 'reconcile'] as const

const PIECE_BYTES = 65_536

export const run: RunCommand = (context) =>
  withEngine(context, async (engine) => {
    const [action = 'list'] = context.args
    if (action === 'list') return list(engine, context)
    if (action === 'export') return exportLedger(engine, context)
    if (action === 'forgive') return forgive(engine, context)
    if (action === 'reconcile') return reconcileInvoice(engine, context, spanOf(engine, context))
    throw new UsageError(`keywise budget ${JSON.stringify(action.slice(0, 40))}: one of ${ACTIONS.join(', ')}`)
  })

/** The tables, without `--by`. */
const TABLES = ['provider', 'key', 'model', 'day'] as const

interface Picture {
  /** One view per table. */
  readonly tables: readonly SpendView[]
  readonly today: SpendView['total']
  readonly month: SpendView['total']
}

function pictureOf(engine: Engine, { options }: CommandContext): Picture {
  const { now } = engine
  const since = (per: 'day' | 'month') => calendarPeriod(per, now, 'UTC').start
  const until = timeOption(options['until'], '--until', now)
  const span = {
    since: timeOption(options['since'], '--since', now) ?? since('month'),
    ...(until !== undefined && { until }),
  }
  const names = typeof options['by'] === 'string' ? [options['by'].split(',')] : TABLES.map((name) => [name])
  return {
    tables: names.map((by) => spendView(engine, { by, ...span, caches: isAboutCaches(options, by) })),
    today: spendView(engine, { since: since('day') }).total,
    month: spendView(engine, { since: since('month') }).total,
  }
}

/** What is sent again is sent in one of these or to one of them; without `--by` nobody asked, and rows take time. */
const WITH_CACHES: ReadonlySet<string> = new Set(['model', 'target', 'session'])

function isAboutCaches(options: CommandContext['options'], by: readonly string[]): boolean {
  return options['by'] !== undefined && by.some((name) => WITH_CACHES.has(name))
}

function list(engine: Engine, context: CommandContext): ExitCode {
  const out = printer(context.stdout, context.env)
  const picture = pictureOf(engine, context)
  if (context.options['json']) printJson(budgetsView(engine), picture, out)
  else printTables(budgetsView(engine), picture, out)
  return 0
}

function printJson(
  { generatedAt, budgets, freeQuotas }: BudgetsView,
  { tables, today, month }: Picture,
  out: Printer,
): void {
  const { since, until, total, saved, cachesSince, prices } = present(tables[0])
  const spend = Object.fromEntries(tables.map((view) => [view.by.join(','), view.spend]))
  const told = { generatedAt, budgets, freeQuotas, since, until, spend, total, today, month, saved, cachesSince }
  out.json({ ...told, ...(prices && { prices }) })
}

function printTables(
  { generatedAt, budgets, freeQuotas }: BudgetsView,
  { tables, today, month }: Picture,
  out: Printer,
): void {
  for (const budget of budgets) out.line(budgetLine(budget, Date.parse(generatedAt), out))
  if (budgets.length === 0) out.line('No budgets; "settings.budgets" in the configuration sets them.')
  for (const quota of freeQuotas) printFreeQuota(quota, out)
  out.line()
  out.line(`Spent today ${cost(today)}, this month ${cost(month)} (UTC).`)
  printSaved(present(tables[0]), out)
  for (const view of tables) printSpend(view, out)
  for (const { prices = [] } of tables) printPrices(prices, out)
}

function printFreeQuota(quota: FreeQuotaView, out: Printer): void {
  const { keys, models, unit, limit, used, reserved, per, resetsAt } = quota
  const parts = [
    `${ofText(Math.min(used, limit), limit, unit)} ${perText(per)} used`,
    ...(reserved > 0 ? [`${unitText(reserved, unit)} perhaps`] : []),
    ...(resetsAt === null ? [] : [`until ${clockText(resetsAt)}`]),
  ]
  out.line(`Free quota of ${keys.join(', ')}${models === null ? '' : ` for ${models.join(', ')}`}: ${parts.join(', ')}`)
}

function printSaved({ saved, total }: SpendView, out: Printer): void {
  if (saved === null || total.attempts === 0) return
  const at = ({ target, costUsd }: NonNullable<SpendView['saved']>['median']) => `${usd(costUsd)} at ${target}`
  const { savedUsd } = saved.dearest
  const most = total.unpricedAttempts > 0 ? 'at most ' : ''
  const result = savedUsd === 0 ? 'nothing was saved' : `saved ${most}${usd(saved.median.savedUsd)} to ${usd(savedUsd)}`
  out.line(
    `The same tokens would have cost ${at(saved.median)} (the middle of your priced targets) or ${at(saved.dearest)} (the dearest): ${result}.`,
  )
}

function printSpend(view: SpendView, out: Printer): void {
  if (view.spend.length === 0) return
  out.line()
  const withCaches = view.total.caches !== undefined
  out.table(
    [
      ...view.by,
      ...['cost', 'calls', 'ok', 'tokens in', 'cached', 'tokens out'],
      ...(withCaches ? ['hit rate', 'saved by cache', 'missed'] : []),
    ],
    view.spend.map((row) => [
      ...view.by.map((name) => row.group[name] || '-'),
      cost(row),
      String(row.attempts),
      String(row.successes),
      String(row.inputTokens),
      String(row.cachedInputTokens),
      String(row.outputTokens),
      ...(row.caches === undefined ? [] : cacheCells(row.caches)),
    ]),
  )
}

/** How often caches were hit, what that saved, and what misses cost, with what moving on cost apart. */
function cacheCells(caches: CacheView): readonly [hitRate: string, saved: string, missed: string] {
  const { hitRate, savedUsd, missedTokens, missedUsd, missedByMovingTokens, missedByMovingUsd } = caches
  if (hitRate === null) return ['-', '-', '-']
  const missed = [
    ...(missedTokens > 0 ? [about(missedUsd)] : []),
    ...(missedByMovingTokens > 0 ? [`${about(missedByMovingUsd)} by moving`] : []),
  ]
  return [`${Math.round(hitRate * 100)}%`, about(savedUsd) + unpriced(caches), missed.join(', ') || '$0']
}

function unpriced({ savedUsd, unpricedAttempts }: CacheView): string {
  return savedUsd === null || unpricedAttempts === 0 ? '' : ` (${plural(unpricedAttempts, 'call')} of unknown price)`
}

const about = (amount: number | null) => (amount === null ? 'unknown' : amount === 0 ? '$0' : `about ${usd(amount)}`)

const usd = (amount: number) => formatUsd(Math.round(amount * NANO_PER_USD))

/** What is not wholly known is shown as what it was at least. */
function cost({ costUsd, unpricedAttempts }: Omit<SpendRow, 'group'>): string {
  const known = usd(costUsd)
  return unpricedAttempts === 0 ? known : `at least ${known} (${unpricedAttempts} not wholly known)`
}

async function exportLedger(engine: Engine, context: CommandContext): Promise<ExitCode> {
  const { options, stdout, stderr, cwd } = context
  if (options['csv'] && options['jsonl']) throw new UsageError('--csv or --jsonl, not both')
  const { out } = options
  const lineOf = options['jsonl'] ? jsonLine : csvLine
  const rows = ledgerRows(engine.store, spanOf(engine, context))
  const lines = options['jsonl'] ? [] : [CSV_HEAD]
  if (typeof out !== 'string') {
    await write(stdout, lines, rows, lineOf)
    return 0
  }
  const count = await replaceFileWith(resolve(cwd, out), async (file) => {
    const stream = streamTo(file)
    const [written] = await Promise.all([
      write(stream, lines, rows, lineOf).finally(() => stream.end()),
      finished(stream),
    ])
    return written
  })
  stderr.write(`${count} attempts written to ${out}\n`)
  return 0
}

/** Writes what has gathered in one piece; the file stays open. */
function streamTo(file: FileHandle): Writable {
  return new Writable({
    highWaterMark: PIECE_BYTES,
    writev: (pieces, done) => {
      file.writeFile(Buffer.concat(pieces.map(({ chunk }) => chunk))).then(() => done(), done)
    },
  })
}

/** Waits for a slow reader instead of buffering everything in memory. Returns the number of rows written. */
async function write(
  to: Writable,
  head: readonly string[],
  rows: ReturnType<typeof ledgerRows>,
  lineOf: typeof csvLine,
): Promise<number> {
  let count = 0
  for (const line of head) to.write(`${line}\n`)
  for (const row of rows) {
    count++
    if (!to.write(`${lineOf(row)}\n`)) await once(to, 'drain')
  }
  return count
}

/** The user's statement that calls in flight when a process was killed were not billed. */
function forgive(engine: Engine, { options, stdout, env }: CommandContext): ExitCode {
  const { learned, store } = engine
  const given = learned.budgets.forgive(store, engine.now)
  const out = printer(stdout, env)
  if (options['json']) {
    const forgiven = given.map(({ scope, amount, unit }) => ({ scope, amount, unit }))
    out.json({ generatedAt: new Date(engine.now).toISOString(), forgiven })
    return 0
  }
  for (const { scope, amount, unit } of given) out.line(`Budget ${scope}: ${unitText(amount, unit)} given back`)
  if (given.length === 0) out.line('No killed process has left anything reserved.')
  return 0
}

/** What `--since` and `--until` say. */
function spanOf({ now }: Engine, { options }: CommandContext): { readonly since?: number; readonly until?: number } {
  const since = timeOption(options['since'], '--since', now)
  const until = timeOption(options['until'], '--until', now)
  return { ...(since !== undefined && { since }), ...(until !== undefined && { until }) }
}

/** Throws UsageError that names the option. */
function timeOption(value: unknown, flag: string, now: number): number | undefined {
  if (value === undefined) return undefined
  const at = readTime(String(value), now)
  if (at === null) throw new UsageError(`${flag} takes a time such as 2026-11-23 or 7d, not ${JSON.stringify(value)}`)
  return at
}
