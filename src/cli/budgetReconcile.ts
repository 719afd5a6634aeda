/** `keywise budget reconcile FILE`: compares the ledger with an invoice or a usage export. */

import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Engine } from '../engine/engine.ts'
import { formatUsd, NANO_PER_USD } from '../money/amount.ts'
import { InvoiceError } from '../money/reconcile/invoiceError.ts'
import { type DifferenceView, type ReconcileQuestion, type ReconcileView, reconcileView } from '../views/reconcile.ts'
import { type CommandContext, type ExitCode, UsageError } from './command.ts'
import { type Printer, plural, printer } from './output.ts'

/** Half a million single calls; a year of a busy account's days is far below. */
const MOST_BYTES = 50_000_000
/** As for a test run in which some targets failed: it worked, and something is not as it should be. */
const DIFFERS: ExitCode = 3

export function reconcileInvoice(
  engine: Engine,
  { args, options, stdout, env, cwd }: CommandContext,
  span: Pick<ReconcileQuestion, 'since' | 'until'>,
): ExitCode {
  const files = args.slice(1)
  if (files.length === 0) throw new UsageError('say which file: keywise budget reconcile FILE')
  const texts = files.map((file) => readText(resolve(cwd, file), file))
  const view = viewOrUsageError(() => reconcileView(engine, texts, { ...span, ...restrictions(options) }), files)
  const out = printer(stdout, env)
  if (options['json']) out.json(view)
  else print(view, out)
  return view.agrees ? 0 : DIFFERS
}

function restrictions({ provider: names, key }: CommandContext['options']): ReconcileQuestion {
  return {
    ...(typeof names === 'string' && { providers: names.split(',').map((name) => name.trim()) }),
    ...(typeof key === 'string' && { key }),
  }
}

function viewOrUsageError(make: () => ReconcileView, files: readonly string[]): ReconcileView {
  try {
    return make()
  } catch (error) {
    if (error instanceof InvoiceError) throw new UsageError(`${files.join(', ')}: ${error.message}`)
    throw error
  }
}

/** Throws UsageError that names the file as it was written. */
function readText(path: string, file: string): string {
  try {
    const { size } = statSync(path)
    if (size > MOST_BYTES)
      throw new UsageError(
        `${file} has ${Math.ceil(size / 1_000_000)} MB; up to ${MOST_BYTES / 1_000_000} are read: export a shorter time, or by day`,
      )
    return decoded(readFileSync(path))
  } catch (error) {
    if (error instanceof UsageError || !(error instanceof Error) || !('code' in error)) throw error
    throw new UsageError(
      error.code === 'ENOENT' ? `${file}: the file does not exist` : `${file} cannot be read: ${String(error.code)}`,
    )
  }
}

/** Spreadsheets save "Unicode text" as UTF-16. */
function decoded(bytes: Buffer): string {
  return bytes[0] === 0xff && bytes[1] === 0xfe ? bytes.toString('utf16le') : bytes.toString('utf8')
}

function print(view: ReconcileView, out: Printer): void {
  out.line(out.paint(view.agrees ? 'green' : 'yellow', view.summary))
  const span = `${daysText(view)} (${view.timeZone})`
  out.line(
    `${view.forms.join('; ')}. ${view.providers.join(', ')}, ${span}, ${plural(view.ledger.calls, 'call')} in the ledger.`,
  )
  if (view.foreignCurrencies.length > 0)
    out.line(`Amounts in ${view.foreignCurrencies.join(', ')} are not converted; counts alone are compared.`)
  if (view.differences.length > 0) {
    out.line()
    out.table(
      ['difference', 'amount', 'model', 'days', 'why'],
      view.differences.map((row) => [row.kind, amountOf(row), modelOf(row), daysOf(row), row.why]),
    )
  }
  if (view.notes.length > 0) out.line()
  for (const note of view.notes) out.line(note)
}

/** `2026-11-02 to 2026-11-25`, or the only day; as days of the form's time zone. */
function daysText({ since, until, timeZone }: ReconcileView): string {
  const { format } = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' })
  const days = [
    ...(since === null ? [] : [format(Date.parse(since))]),
    ...(until === null ? [] : [format(Date.parse(until) - 1)]),
  ]
  return [...new Set(days)].join(' to ')
}

function amountOf({ differenceUsd }: DifferenceView): string {
  if (differenceUsd === null) return '-'
  const text = formatUsd(Math.round(differenceUsd * NANO_PER_USD))
  return differenceUsd > 0 ? `+${text}` : text
}

const modelOf = ({ model, account }: DifferenceView) => `${model ?? '-'}${account === null ? '' : ` (${account})`}`

function daysOf({ days }: DifferenceView): string {
  const [first = '-'] = days
  const last = days.at(-1)
  return days.length <= 1 ? first : `${first} … ${last} (${days.length})`
}
