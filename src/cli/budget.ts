/** `keywise budget`: limits, spending by subject, and the ledger as an export for other programs. */

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { present } from '../domain/present.ts'
import type { Engine } from '../engine/engine.ts'
import { formatUsd, NANO_PER_USD } from '../money/amount.ts'
import type { BudgetView } from '../money/budgetCounter.ts'
import { calendarPeriod } from '../money/period.ts'
import { type BudgetsView, budgetsView } from '../views/budgets.ts'
import type { FreeQuotaView } from '../views/freeQuotas.ts'
import { CSV_HEAD, csvLine, jsonLine, ledgerRows } from '../views/ledgerExport.ts'
import { readTime } from '../views/readTime.ts'
import { type SpendRow, type SpendView, spendView } from '../views/spend.ts'
import type { CommandContext, ExitCode, RunCommand } from './command.ts'
import { UsageError } from './command.ts'
import { clockText, type Printer, printer } from './output.ts'
import { printPrices } from './priceTable.ts'
import { withEngine } from './withEngine.ts'

const ACTIONS = ['list', 'export', 'forgive'] as const

export const run: RunCommand = (context) =>
  withEngine(context, async (engine) => {
    const [action = 'list'] = context.args
    if (action === 'list') return list(engine, context)
    if (action === 'export') return exportLedger(engine, context)
    if (action === 'forgive') return forgive(engine, context)
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
    tables: names.map((by) => spendView(engine, { by, ...span })),
    today: spendView(engine, { since: since('day') }).total,
    month: spendView(engine, { since: since('month') }).total,
  }
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
  const { since, until, total, saved, prices } = present(tables[0])
  const spend = Object.fromEntries(tables.map((view) => [view.by.join(','), view.spend]))
  out.json({
    generatedAt,
    budgets,
    freeQuotas,
    since,
    until,
    spend,
    total,
    today,
    month,
    saved,
    ...(prices && { prices }),
  })
}

function printTables({ budgets, freeQuotas }: BudgetsView, { tables, today, month }: Picture, out: Printer): void {
  for (const budget of budgets) printBudget(budget, out)
  if (budgets.length === 0) out.line('No budgets; "settings.budgets" in the configuration sets them.')
  for (const quota of freeQuotas) printFreeQuota(quota, out)
  out.line()
  out.line(`Spent today ${cost(today)}, this month ${cost(month)} (UTC).`)
  printSaved(present(tables[0]), out)
  for (const view of tables) printSpend(view, out)
  for (const { prices = [] } of tables) printPrices(prices, out)
}

function printBudget(budget: BudgetView, out: Printer): void {
  const { scope, per, unit, limit, spent, reserved, resetsAt, hard, unpricedAttempts } = budget
  const show = (amount: number) => (unit === 'usd' ? formatUsd(amount) : `${amount} ${unit}`)
  const every = per === 'total' ? 'in total' : `per ${per}`
  const parts = [
    `${show(spent)} of ${show(limit)} ${every}`,
    ...(reserved > 0 ? [`${show(reserved)} set aside`] : []),
    ...(resetsAt === null ? [] : [`until ${clockText(resetsAt)}`]),
    ...(unpricedAttempts > 0 ? [`${unpricedAttempts} calls whose cost is not wholly known`] : []),
    ...(hard ? [] : ['soft']),
  ]
  const colour = spent >= limit ? 'red' : spent >= limit * 0.8 ? 'yellow' : 'green'
  out.line(`Budget ${out.paint(colour, scope)}: ${parts.join(', ')}`)
}

function printFreeQuota(quota: FreeQuotaView, out: Printer): void {
  const { keys, models, unit, limit, used, reserved, per, resetsAt } = quota
  const show = (amount: number) => (unit === 'usd' ? formatUsd(amount) : `${amount} ${unit}`)
  const parts = [
    `${unit === 'usd' ? show(Math.min(used, limit)) : Math.min(used, limit)} of ${show(limit)} ${per === 'total' ? 'in total' : `per ${per}`} used`,
    ...(reserved > 0 ? [`${show(reserved)} perhaps`] : []),
    ...(resetsAt === null ? [] : [`until ${clockText(resetsAt)}`]),
  ]
  out.line(`Free quota of ${keys.join(', ')}${models === null ? '' : ` for ${models.join(', ')}`}: ${parts.join(', ')}`)
}

function printSaved({ saved, total }: SpendView, out: Printer): void {
  if (saved === null || total.attempts === 0) return
  const at = ({ target, costUsd }: NonNullable<SpendView['saved']>['median']) => `${usd(costUsd)} at ${target}`
  out.line(
    `The same tokens would have cost ${at(saved.median)} (the middle of your priced targets) or ${at(saved.dearest)} (the dearest): saved ${usd(saved.median.savedUsd)} to ${usd(saved.dearest.savedUsd)}.`,
  )
}

function printSpend(view: SpendView, out: Printer): void {
  if (view.spend.length === 0) return
  out.line()
  out.table(
    [...view.by, 'cost', 'calls', 'ok', 'tokens in', 'cached', 'tokens out'],
    view.spend.map((row) => [
      ...view.by.map((name) => row.group[name] || '-'),
      cost(row),
      String(row.attempts),
      String(row.successes),
      String(row.inputTokens),
      String(row.cachedInputTokens),
      String(row.outputTokens),
    ]),
  )
}

const usd = (amount: number) => formatUsd(Math.round(amount * NANO_PER_USD))

/** What is not wholly known is shown as what it was at least. */
function cost({ costUsd, unpricedAttempts }: Omit<SpendRow, 'group'>): string {
  const known = usd(costUsd)
  return unpricedAttempts === 0 ? known : `at least ${known} (${unpricedAttempts} not wholly known)`
}

async function exportLedger(engine: Engine, { options, stdout, stderr, cwd }: CommandContext): Promise<ExitCode> {
  if (options['csv'] && options['jsonl']) throw new UsageError('--csv or --jsonl, not both')
  const since = timeOption(options['since'], '--since', engine.now)
  const until = timeOption(options['until'], '--until', engine.now)
  const { out } = options
  const lineOf = options['jsonl'] ? jsonLine : csvLine
  const rows = ledgerRows(engine.store, {
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  })
  const lines = options['jsonl'] ? [] : [CSV_HEAD]
  if (typeof out !== 'string') {
    await write(stdout, lines, rows, lineOf)
    return 0
  }
  const file = createWriteStream(resolve(cwd, out), { mode: 0o600 })
  const count = await write(file, lines, rows, lineOf)
  file.end()
  await once(file, 'close')
  stderr.write(`${count} attempts written to ${out}\n`)
  return 0
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
  for (const { scope, amount, unit } of given)
    out.line(`Budget ${scope}: ${unit === 'usd' ? formatUsd(amount) : `${amount} ${unit}`} given back`)
  if (given.length === 0) out.line('No killed process has left anything reserved.')
  return 0
}

/** Throws UsageError that names the option. */
function timeOption(value: unknown, flag: string, now: number): number | undefined {
  if (value === undefined) return undefined
  const at = readTime(String(value), now)
  if (at === null) throw new UsageError(`${flag} takes a time such as 2026-11-23 or 7d, not ${JSON.stringify(value)}`)
  return at
}
