/** What an invoice and the ledger say of the same time: `keywise budget reconcile`. */

import { InvalidRequestError } from '../domain/errors.ts'
import { isoOrNull } from '../domain/isoTime.ts'
import { printable } from '../domain/printable.ts'
import type { AttemptEvent } from '../domain/store.ts'
import type { EngineReader } from '../engine/reader.ts'
import { formatUsd, nanoToUsd } from '../money/amount.ts'
import { Calls } from '../money/reconcile/calls.ts'
import { billsToolsApart } from '../money/reconcile/cells.ts'
import type { InvoiceDifference } from '../money/reconcile/difference.ts'
import { measureText } from '../money/reconcile/differenceText.ts'
import type { Counts, Invoice, InvoiceLine, Measure } from '../money/reconcile/invoice.ts'
import { InvoiceError } from '../money/reconcile/invoiceError.ts'
import { readInvoice } from '../money/reconcile/readInvoice.ts'
import { type Reconciliation, reconcile } from '../money/reconcile/reconcile.ts'
import { isAccount } from '../money/scope.ts'
import { ledgerRows } from './ledgerExport.ts'

export interface ReconcileQuestion {
  /** Providers of the ledger; default: the one whose form the file has. */
  readonly providers?: readonly string[]
  /** Only calls of this key or account: `openai#1`, or its name. */
  readonly key?: string
  /** Epoch milliseconds; `until` is exclusive. Default: the time of the file. */
  readonly since?: number
  readonly until?: number
}

interface SideView {
  /** Null where no money is compared. */
  readonly costUsd: number | null
  /** By what is counted: `requests`, `input`, `output`, `cached`, …; only what the file tells. */
  readonly counts: Counts
}

export interface DifferenceView {
  readonly kind: InvoiceDifference['kind']
  readonly model: string | null
  readonly account: string | null
  readonly days: readonly string[]
  /** The invoice less the ledger; null where no money is compared. */
  readonly differenceUsd: number | null
  /** The same of what both count. */
  readonly counts: Counts
  readonly detail: string | null
  /** The sides of a difference in price. */
  readonly theirsUsd: number | null
  readonly oursUsd: number | null
  /** Of which both are the price; null where that is not known. */
  readonly tokens: number | null
  readonly part: string | null
  readonly priceSources: readonly string[]
  readonly why: string
}

export interface ReconcileView {
  readonly generatedAt: string
  /** What was recognised. */
  readonly forms: readonly string[]
  readonly providers: readonly string[]
  /** In which the invoice's days begin. */
  readonly timeZone: string
  readonly since: string | null
  readonly until: string | null
  /** Currencies of the file other than USD: nothing is converted, so counts alone are compared. */
  readonly foreignCurrencies: readonly string[]
  readonly agrees: boolean
  readonly summary: string
  readonly invoice: SideView
  /** What the calls cost at least, and at most; `costAtMostUsd` is null where nothing is known of a cost. */
  readonly ledger: SideView & { readonly costAtMostUsd: number | null; readonly calls: number }
  readonly explainedUsd: number | null
  readonly unexplainedUsd: number | null
  readonly roundingUsd: number | null
  readonly settledUsd: number | null
  /** The dearest first. */
  readonly differences: readonly DifferenceView[]
  readonly notes: readonly string[]
}

const DAY_MS = 86_400_000

/** Throws InvoiceError for a file that is not understood, InvalidRequestError for a key or provider that is not there. */
export function reconcileView(
  engine: Pick<EngineReader, 'now' | 'registry' | 'store'>,
  texts: readonly string[],
  question: ReconcileQuestion = {},
): ReconcileView {
  const read = comparable(readInvoice(texts))
  const { invoice, notes } = withinTime(ofKey(read, question), kept(engine, question))
  const providers = question.providers ?? [invoice.provider]
  const { calls, ownerOf } = callsOf(engine, invoice, providers, question)
  const result = reconcile({ ...invoice, notes: [...invoice.notes, ...notes] }, calls, ownerOf)
  return viewOf(engine.now, invoice, providers, result)
}

/** Where nothing can be compared nothing agrees. */
function comparable(invoice: Invoice): Invoice {
  if (invoice.hasMoney || invoice.tells.size > 0) return invoice
  throw new InvoiceError(
    `amounts in ${printable(invoice.currencies.join(', '))} are not converted, and nothing else is counted, so there is nothing to compare; give a usage export beside it`,
  )
}

/** Only lines of that key, where the invoice names it too. */
function ofKey(invoice: Invoice, { key }: ReconcileQuestion): Invoice {
  if (key === undefined) return invoice
  const own = invoice.lines.filter((line) => namesOf(line).includes(key.toLowerCase()))
  return own.length === 0 ? invoice : { ...invoice, lines: own }
}

const namesOf = ({ key, project }: InvoiceLine) => [key, project].flatMap((name) => name?.toLowerCase() ?? [])

interface Limits {
  readonly since: number
  readonly until: number
  /** Rows before this may have been deleted. */
  readonly keptSince: number
}

function kept({ now, registry }: Pick<EngineReader, 'now' | 'registry'>, question: ReconcileQuestion): Limits {
  const { since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY } = question
  return { since, until, keptSince: now - registry.config.settings.retention.attemptsDays * DAY_MS }
}

function withinTime(invoice: Invoice, { since, until, keptSince }: Limits): { invoice: Invoice; notes: string[] } {
  const notes: string[] = []
  const isTimeless = ({ end }: InvoiceLine) => end === 0
  const asked = invoice.lines.filter((line) => isTimeless(line) || (line.start >= since && line.start < until))
  const lines = asked.filter((line) => isTimeless(line) || line.start >= keptSince)
  if (lines.length < asked.length)
    notes.push(
      `Not compared: what was billed before ${new Date(keptSince).toISOString().slice(0, 10)}; the ledger keeps its rows no longer than settings.retention.attempts_days.`,
    )
  const isNothingLeft = !lines.some((line) => !isTimeless(line))
  if (isNothingLeft && lines.length < asked.length)
    throw new InvalidRequestError(
      `all of the file was billed before ${new Date(keptSince).toISOString().slice(0, 10)}; the ledger keeps its rows no longer than settings.retention.attempts_days`,
    )
  if (isNothingLeft)
    throw new InvalidRequestError(
      'the file has nothing in this time; leave out --since and --until, or export it again',
    )
  return { invoice: { ...invoice, lines }, notes }
}

function callsOf(
  { registry, store }: Pick<EngineReader, 'registry' | 'store'>,
  invoice: Invoice,
  providers: readonly string[],
  question: ReconcileQuestion,
): { readonly calls: Calls; readonly ownerOf: (line: InvoiceLine) => string } {
  const prices = new Map(registry.targets.map((target) => [target.stateId, registry.priceOf(target)]))
  const owners = new Owners(invoice)
  const calls = new Calls({
    timeZone: invoice.timeZone,
    toolsApart: billsToolsApart(invoice),
    priceOf: (stateId) => prices.get(stateId) ?? null,
    ownerOf: (row) => owners.ofRow(row),
  })
  const isOfKey = keyFilter(registry, providers, question.key)
  const timed = invoice.lines.filter(({ end }) => end !== 0)
  // Days that begin at another hour are looked for as well.
  const since = timed.reduce((least, { start }) => Math.min(least, start), Number.POSITIVE_INFINITY) - 2 * DAY_MS
  const until = timed.reduce((most, { end }) => Math.max(most, end), 0) + 2 * DAY_MS
  const seen = new Set(registry.credentials.map(({ provider }) => provider.id))
  for (const row of ledgerRows(store, { since, until })) {
    seen.add(row.target.provider)
    if (providers.includes(row.target.provider) && isOfKey(row)) calls.add(row)
  }
  const stranger = question.providers?.find((name) => !seen.has(name))
  if (stranger !== undefined)
    throw new InvalidRequestError(
      `no provider ${JSON.stringify(stranger)} in the configuration or in the ledger of that time; there is ${[...seen].join(', ') || 'none'}`,
    )
  return { calls, ownerOf: (line) => owners.ofLine(line) }
}

/** Accounts by the names that both sides use; all others are one. */
class Owners {
  readonly #named: ReadonlySet<string>
  readonly #known = new Set<string>()

  constructor({ lines }: Invoice) {
    this.#named = new Set(lines.flatMap(namesOf))
  }

  ofRow({ target }: AttemptEvent): string {
    const label = target.account.slice(target.account.indexOf(':') + 1)
    if (!target.account.includes(':') || !this.#named.has(label.toLowerCase())) return ''
    this.#known.add(label.toLowerCase())
    return label.toLowerCase()
  }

  /** Called when all rows are read. */
  ofLine(line: InvoiceLine): string {
    return namesOf(line).find((name) => this.#known.has(name)) ?? ''
  }
}

function keyFilter(
  { credentials }: EngineReader['registry'],
  providers: readonly string[],
  key: string | undefined,
): (row: AttemptEvent) => boolean {
  if (key === undefined) return () => true
  const ofProvider = credentials.filter(({ provider }) => providers.includes(provider.id))
  const byPlace = ofProvider.find(({ provider, key: own }) => `${provider.id}#${own.index}` === key)
  if (byPlace !== undefined) return ({ target }) => target.fingerprint === byPlace.fingerprint
  if (!ofProvider.some(({ account }) => isAccount(key, account))) {
    const known = ofProvider.map(({ provider, key: own }) => `${provider.id}#${own.index}`)
    throw new InvalidRequestError(
      `no key or account ${JSON.stringify(key)} of ${providers.join(', ')}; there is ${known.join(', ') || 'none'}`,
    )
  }
  return ({ target }) => isAccount(key, target.account)
}

function viewOf(now: number, invoice: Invoice, providers: readonly string[], result: Reconciliation): ReconcileView {
  const { spans, ledger, differences } = result
  const usd = (nanoUsd: number | null) => (nanoUsd === null ? null : nanoToUsd(nanoUsd))
  const told = (counts: Counts) =>
    Object.fromEntries(Object.entries(counts).filter(([measure]) => invoice.tells.has(measure as Measure))) as Counts
  return {
    generatedAt: new Date(now).toISOString(),
    forms: invoice.forms,
    providers,
    timeZone: invoice.timeZone,
    since: isoOrNull(spans[0]?.start),
    until: isoOrNull(spans.at(-1)?.end),
    foreignCurrencies: invoice.currencies.map(printable),
    agrees: differences.length === 0,
    summary: summaryOf(result, invoice),
    invoice: { costUsd: usd(result.invoice.nanoUsd), counts: told(result.invoice.counts) },
    ledger: {
      costUsd: usd(ledger.nanoUsd),
      costAtMostUsd: usd(ledger.mostNanoUsd),
      calls: ledger.calls,
      counts: told(ledger.counts),
    },
    explainedUsd: usd(result.explainedNanoUsd),
    unexplainedUsd: usd(result.unexplainedNanoUsd),
    roundingUsd: usd(result.roundingNanoUsd),
    settledUsd: usd(result.settledNanoUsd),
    differences: differences.map(differenceOf),
    notes: result.notes.map(printable),
  }
}

function differenceOf({
  kind,
  model,
  account,
  days,
  nanoUsd,
  counts,
  detail,
  sides,
  text,
}: InvoiceDifference): DifferenceView {
  const usd = (nano: number | undefined | null) => (nano == null ? null : nanoToUsd(nano))
  return {
    ...{ kind, model: harmless(model), account: harmless(account), days, detail: harmless(detail) },
    differenceUsd: usd(nanoUsd),
    counts,
    theirsUsd: usd(sides?.theirsNanoUsd),
    oursUsd: usd(sides?.oursNanoUsd),
    tokens: sides?.tokens || null,
    part: sides?.part ?? null,
    priceSources: sides?.priceSources ?? [],
    why: printable(text),
  }
}

/** Names come from the file. */
const harmless = (text: string | null) => (text === null ? null : printable(text))

/** `Invoice $12.40, ledger $12.31 (99.3 %): 3 differences explain $0.09`. */
function summaryOf(result: Reconciliation, invoice: Invoice): string {
  const { ledger, differences } = result
  const { nanoUsd } = result.invoice
  const count = `${differences.length} ${differences.length === 1 ? 'difference' : 'differences'}`
  if (nanoUsd === null || ledger.nanoUsd === null) {
    const sides = `Invoice ${amountText(result.invoice.counts, invoice)}, ledger ${amountText(ledger.counts, invoice)}`
    const share = shareOf(tokensOf(ledger.counts), tokensOf(result.invoice.counts))
    return `${sides}${share}: ${differences.length === 0 ? 'they agree' : count}`
  }
  const isRange = ledger.mostNanoUsd !== ledger.nanoUsd
  const ours = `${isRange ? 'at least ' : ''}${exactly(ledger.nanoUsd)}`
  const sides = `Invoice ${exactly(nanoUsd)}, ledger ${ours}${shareOf(ledger.nanoUsd, nanoUsd)}`
  return `${sides}: ${verdictOf(result, count)}`
}

function verdictOf(
  { differences, explainedNanoUsd, unexplainedNanoUsd, settledNanoUsd }: Reconciliation,
  count: string,
) {
  const settled =
    settledNanoUsd === null || settledNanoUsd === 0
      ? ''
      : `, ${exactly(settledNanoUsd)} lies within what the ledger knows at least and at most`
  if (differences.length === 0) return `they agree${settled}`
  const open = differences.filter(({ kind }) => kind === 'amount').length
  const rest = unexplainedNanoUsd === 0 || unexplainedNanoUsd === null ? '' : `, ${exactly(unexplainedNanoUsd)} is open`
  if (open === differences.length)
    return `${count} of ${exactly(unexplainedNanoUsd ?? 0)} without a reason that the form shows${settled}`
  const explaining = differences.length - open
  return `${explaining} ${explaining === 1 ? 'difference explains' : 'differences explain'} ${exactly(explainedNanoUsd ?? 0)}${rest}${settled}`
}

/** Cents, and all digits below a dollar. */
const exactly = (nanoUsd: number) => formatUsd(nanoUsd)

function shareOf(ours: number, theirs: number): string {
  if (theirs <= 0) return ''
  const percent = (ours / theirs) * 100
  const text = percent.toFixed(1)
  // What is not quite all must not look like it.
  return ` (${(text === '100.0' && ours !== theirs ? percent.toFixed(3) : text).replace(/\.?0+$/, '')} %)`
}

const tokensOf = ({ input = 0, output = 0 }: Counts) => input + output

function amountText(counts: Counts, { tells }: Invoice): string {
  const tokens = tells.has('input') ? [`${tokensOf(counts).toLocaleString('en-US')} tokens`] : []
  const calls = tells.has('requests') ? [measureText('requests', counts.requests ?? 0)] : []
  return [...tokens, ...calls].join(' in ') || 'nothing'
}
