/** Compares an invoice with the ledger: which amounts differ, and why. */

import type { Period } from '../period.ts'
import { CallSum, type Calls, TOOLS_APART } from './calls.ts'
import { AS_STATED, type Cell, Layout, type Reckoning } from './cells.ts'
import type { InvoiceDifference, Piece } from './difference.ts'
import { Differences } from './differences.ts'
import { commonRatio, fits, type PricedCell } from './discount.ts'
import { countDifference, explainCounts, MOST_OFF } from './explainCounts.ts'
import { agrees, explainMoney, haveSameTiers, moneyDifference, tiersText, toleranceOf } from './explainMoney.ts'
import { addMeasures, type Counts, type Invoice, type InvoiceLine, isNothing, type Measure } from './invoice.ts'
import { type Moved, movedOverMidnight } from './midnight.ts'
import { bestReckoning } from './reckoning.ts'

export interface Reconciliation {
  readonly spans: readonly Period[]
  readonly invoice: Side
  /** What it cost at least where a cost is not wholly known. */
  readonly ledger: Side & { readonly mostNanoUsd: number | null; readonly calls: number }
  /** The dearest first. */
  readonly differences: readonly InvoiceDifference[]
  /** What differences give a reason for, of the invoice less the ledger; null where no money is compared. */
  readonly explainedNanoUsd: number | null
  /** What they name without a reason. */
  readonly unexplainedNanoUsd: number | null
  /** What was lost or won by rounding. */
  readonly roundingNanoUsd: number | null
  /** What the invoice settles of costs that the ledger knows at least and at most. */
  readonly settledNanoUsd: number | null
  readonly notes: readonly string[]
}

interface Side {
  /** Null where no money is compared. */
  readonly nanoUsd: number | null
  readonly counts: Counts
}

/** `ownerOf`: the account of a line where the ledger knows it as well; otherwise `''`. */
export function reconcile(invoice: Invoice, calls: Calls, ownerOf: (line: InvoiceLine) => string): Reconciliation {
  const layout = new Layout(invoice, calls, ownerOf)
  const reckoning = bestReckoning(layout, invoice, (cells) => {
    const moved = movedOverMidnight(cells, calls, (cell) => toldOf(cell, invoice))
    const all = cells.filter((cell) => differs(cell, invoice)).length
    const onBoth = cells.filter(({ theirs, ours }) => theirs.lines > 0 && ours.calls > 0)
    const agreeing = onBoth.filter((cell) => !differs(cell, invoice)).length
    return { all, unexplained: all - 2 * moved.length, agreeing }
  })
  const comparison = new Comparison(invoice, calls, layout.cells(reckoning))
  comparison.compare(reckoning)
  comparison.addApart(layout.apart)
  comparison.addReckoning(reckoning, layout.cells(AS_STATED))
  return comparison.result(layout)
}

function differs(cell: Cell, invoice: Invoice): boolean {
  const told = toldOf(cell, invoice)
  if (told.size > 0) return !isNothing(countDifference(cell, told))
  return invoice.hasMoney && !agrees(cell, toleranceOf(cell, invoice.stepNanoUsd))
}

/**
 * What the invoice counts in such a cell. Forms beside each other count different things of different models, and uses of
 * tools stand apart where they are billed apart.
 */
function toldOf({ model, theirs }: Cell, { tells }: Invoice): ReadonlySet<Measure> {
  if (model === TOOLS_APART) return new Set([...tells].filter((measure) => measure.startsWith('tool:')))
  return theirs.tells.size > 0 ? theirs.tells : tells
}

/** Each part of a cell has a tolerance of its own, which is no larger than the cell's. */
const MOST_PARTS = 5

/** What an estimate may be the reason for. */
const OF_AMOUNT: ReadonlySet<InvoiceDifference['kind']> = new Set(['amount', 'unknown-calls', 'unbilled-calls'])

class Comparison {
  readonly #invoice: Invoice
  readonly #calls: Calls
  readonly #cells: readonly Cell[]
  readonly #differences: Differences
  readonly #notes: string[]
  #contract: number | null = null
  readonly #byModel = new Map<string, number | null>()
  #rounding = 0
  #settled = 0
  #apart = 0
  /** The cells as the form states them, where others were compared. */
  #statedCells: readonly Cell[] | null = null

  constructor(invoice: Invoice, calls: Calls, cells: readonly Cell[]) {
    this.#invoice = invoice
    this.#calls = calls
    this.#cells = cells
    this.#differences = new Differences(invoice)
    this.#notes = [...invoice.notes]
  }

  compare({ shiftMs }: Reckoning): void {
    if (this.#invoice.hasMoney) this.#findRatios()
    const toldIn = (cell: Cell) => toldOf(cell, this.#invoice)
    const moved = shiftMs === 0 ? movedOverMidnight(this.#cells, this.#calls, toldIn) : []
    for (const pair of moved) this.#compareMoved(pair)
    const settled = new Set(moved.flatMap(({ cell, next }) => [cell, next]))
    for (const cell of this.#cells) if (!settled.has(cell)) this.#compareCell(cell)
  }

  /** Two days of which one has what the other lacks: together they cost what both sides say, or something else differs. */
  #compareMoved({ cell, next, counts, nextDay }: Moved): void {
    const piece: Piece = { kind: 'day-border', counts, nanoUsd: this.#invoice.hasMoney ? 0 : null, detail: nextDay }
    if (!this.#invoice.hasMoney) return this.#differences.add(cell, piece)
    const contract = this.#contract
    const discounts = contract === null ? [] : [cell, next].map((one) => ratioPiece(one, contract, 'contract'))
    const both = moneyDifference(cell).fromLeast + moneyDifference(next).fromLeast
    const tolerance = this.#priced(cell).tolerance + this.#priced(next).tolerance
    this.#share(cell, both, [piece, ...discounts], tolerance)
  }

  /** What is cheaper or dearer by the same share, looked for where the counts give no other reason. */
  #findRatios(): void {
    const priced = this.#cells.flatMap((cell) => (isNothing(this.#difference(cell)) ? [this.#priced(cell)] : []))
    const ratio = commonRatio(priced, 2)
    const models = new Set(priced.filter((one) => !one.agrees).map(({ cell }) => cell.model))
    if (ratio !== null && (models.size > 1 || models.has(''))) this.#contract = ratio
    for (const model of models)
      this.#byModel.set(
        model,
        commonRatio(
          priced.filter(({ cell }) => cell.model === model),
          2,
        ),
      )
  }

  #priced(cell: Cell): PricedCell {
    const tolerance = toleranceOf(cell, this.#invoice.stepNanoUsd)
    return { cell, tolerance, agrees: agrees(cell, tolerance) }
  }

  #difference(cell: Cell): Counts {
    return countDifference(cell, toldOf(cell, this.#invoice))
  }

  #compareCell(cell: Cell): void {
    const told = toldOf(cell, this.#invoice)
    const pieces = told.size > 0 ? explainCounts(cell, told) : this.#explainAmounts(cell)
    if (!this.#invoice.hasMoney) {
      for (const piece of this.#withTier(cell, pieces)) this.#differences.add(cell, { ...piece, nanoUsd: null })
      return
    }
    const { fromLeast } = moneyDifference(cell)
    const priced = this.#priced(cell)
    if (pieces.length === 0 && priced.agrees) {
      if (Math.abs(fromLeast) <= priced.tolerance) this.#rounding += fromLeast
      else this.#settled += fromLeast
      return
    }
    const explained = pieces.length > 0 ? pieces : this.#explain(cell)
    const isPricedToo = pieces.length > 0 && told.size > 0
    this.#share(cell, fromLeast, isPricedToo ? this.#withPrice(cell, pieces) : explained, priced.tolerance)
  }

  /** Gives each piece its amount; the first whose amount is open gets what is left. */
  #share(cell: Cell, nanoUsd: number, pieces: readonly Piece[], tolerance: number): void {
    let left = nanoUsd - pieces.reduce((sum, piece) => sum + (piece.nanoUsd ?? 0), 0)
    for (const piece of pieces) {
      const amount = piece.nanoUsd ?? possible(piece.kind, left, tolerance)
      this.#differences.add(cell, { ...piece, nanoUsd: amount })
      if (piece.nanoUsd === null) left -= amount
    }
    if (Math.abs(left) <= MOST_PARTS * tolerance) this.#rounding += left
    else this.#differences.add(cell, { kind: 'amount', nanoUsd: left })
  }

  /** Beside other counts, prices differ where they do so everywhere; else where every call is accounted for. */
  #withPrice(cell: Cell, pieces: readonly Piece[]): readonly Piece[] {
    const billed = without(cell, pieces)
    const ratio = this.#contract ?? (this.#invoice.tells.size > 0 ? (this.#byModel.get(cell.model) ?? null) : null)
    const isOpen = pieces.some((piece) => piece.nanoUsd === null)
    if (isOpen && ratio === null) return pieces
    const kind = this.#contract === null ? 'price' : 'contract'
    if (isOpen && ratio !== null) return [...pieces, ratioPiece(billed, ratio, kind)]
    const priced = this.#priced(billed)
    return priced.agrees ? pieces : [...pieces, ...this.#explain(billed)]
  }

  #explain(cell: Cell): readonly Piece[] {
    const { tellsTier, stepNanoUsd } = this.#invoice
    const priced = this.#priced(cell)
    if (this.#contract !== null && fits(priced, this.#contract))
      return [pricePiece(cell, cell.theirs.nanoUsd, 'contract')]
    const told = toldOf(cell, this.#invoice)
    const facts = { tolerance: priced.tolerance, stepNanoUsd, countsAgree: told.size > 0, tellsTier }
    const pieces = explainMoney(cell, facts)
    const ratio = this.#byModel.get(cell.model) ?? null
    const isOpen = pieces.some(({ kind }) => kind === 'amount')
    return isOpen && ratio !== null && fits(priced, ratio) ? [pricePiece(cell, cell.theirs.nanoUsd, 'price')] : pieces
  }

  /** Without counts: what the amounts alone prove. */
  #explainAmounts(cell: Cell): readonly Piece[] {
    const { theirs, ours, byStanding, singles } = cell
    const priced = this.#priced(cell)
    if (!this.#invoice.hasMoney || priced.agrees) return []
    if (ours.calls === 0 && cell.model !== TOOLS_APART) return [{ kind: 'unknown-calls', nanoUsd: null }]
    if (theirs.priced === 0)
      return [
        {
          kind: 'unbilled-calls',
          nanoUsd: null,
          ...(byStanding.get('failed')?.calls === ours.calls && { detail: 'failed' }),
        },
      ]
    const { fromLeast } = moneyDifference(cell)
    const failed = [byStanding.get('failed'), ...singles.map(({ sum }) => sum)]
    const unbilled = failed.find(
      (sum) => sum !== undefined && sum.least > priced.tolerance && Math.abs(fromLeast + sum.least) <= priced.tolerance,
    )
    if (unbilled !== undefined) return [{ kind: 'unbilled-calls', detail: 'failed', nanoUsd: null }]
    const pieces = this.#explain(cell)
    const guess = byStanding.get('estimated')?.least ?? 0
    const isGuess = pieces.every(({ kind }) => OF_AMOUNT.has(kind)) && Math.abs(fromLeast) <= MOST_OFF * guess
    return isGuess ? [{ kind: 'estimated', nanoUsd: null, counts: pieces[0]?.counts ?? {} }] : pieces
  }

  #withTier(cell: Cell, pieces: readonly Piece[]): readonly Piece[] {
    const { tellsTier, tells } = this.#invoice
    if (!tellsTier || tells.size === 0 || pieces.length > 0 || haveSameTiers(cell)) return pieces
    return [{ kind: 'tier', detail: tiersText(cell.theirs.tiers, cell.ours.tiers), nanoUsd: null }]
  }

  /** Taxes, credits, and what is billed beside calls. */
  addApart(lines: readonly InvoiceLine[]): void {
    for (const line of lines) {
      if (this.#invoice.hasMoney && line.nanoUsd === null) continue
      this.#apart += line.nanoUsd ?? 0
      this.#differences.addApart(line)
    }
  }

  /** What the ledger has in the invoice's days, and would not have in the days that its form states. */
  addReckoning({ shiftMs, byEnd }: Reckoning, stated: readonly Cell[]): void {
    if (shiftMs === 0 && !byEnd) return
    const change = new CallSum()
    for (const { ours } of this.#cells) change.add(ours)
    for (const { ours } of stated) change.add(ours, -1)
    const nanoUsd = this.#invoice.hasMoney ? change.least : null
    const counts = Object.fromEntries(
      Object.entries(change.counts).filter(([measure]) => this.#invoice.tells.has(measure as Measure)),
    ) as Counts
    if (shiftMs !== 0) this.#differences.addWhole({ kind: 'time-zone', detail: String(shiftMs), nanoUsd, counts })
    else if (change.least !== 0 || !isNothing(counts))
      this.#differences.addWhole({ kind: 'day-border', detail: 'ended', nanoUsd, counts })
    else this.#notes.push('Calls that ran over midnight count on the day on which they ended, as on the invoice.')
    this.#statedCells = stated
  }

  result({ spans }: Layout): Reconciliation {
    const { hasMoney } = this.#invoice
    const ledger = new CallSum()
    for (const { ours } of this.#statedCells ?? this.#cells) ledger.add(ours)
    const theirs: Partial<Record<Measure, number>> = {}
    for (const cell of this.#cells) addMeasures(theirs, cell.theirs.counts)
    const theirNano = this.#cells.reduce((sum, cell) => sum + cell.theirs.nanoUsd, this.#apart)
    const differences = this.#differences.all()
    const sumOf = (isOpen: boolean) =>
      differences.reduce((sum, one) => sum + ((one.kind === 'amount') === isOpen ? (one.nanoUsd ?? 0) : 0), 0)
    const money = (nanoUsd: number) => (hasMoney ? nanoUsd : null)
    return {
      spans,
      invoice: { nanoUsd: money(theirNano), counts: theirs },
      ledger: {
        nanoUsd: money(ledger.least),
        mostNanoUsd: Number.isFinite(ledger.most) ? money(ledger.most) : null,
        counts: ledger.counts,
        calls: ledger.calls,
      },
      differences,
      explainedNanoUsd: money(sumOf(false)),
      unexplainedNanoUsd: money(sumOf(true)),
      roundingNanoUsd: money(this.#rounding),
      settledNanoUsd: money(this.#settled),
      notes: this.#notes,
    }
  }
}

/** Calls that are missing make no invoice dearer, and calls that are there in addition none cheaper. */
function possible(kind: Piece['kind'], nanoUsd: number, tolerance: number): number {
  const isWrongWay =
    (kind === 'unbilled-calls' && nanoUsd > tolerance) || (kind === 'unknown-calls' && nanoUsd < -tolerance)
  return isWrongWay ? 0 : nanoUsd
}

const ratioPiece = (cell: Cell, ratio: number, kind: 'contract' | 'price') =>
  pricePiece(cell, Math.round(cell.ours.least * ratio), kind)

function pricePiece({ ours }: Cell, theirsNanoUsd: number, kind: 'contract' | 'price'): Piece {
  const priceSources = [...ours.priceSources]
  const sides = { theirsNanoUsd, oursNanoUsd: ours.least, tokens: 0, part: null, priceSources }
  return { kind, nanoUsd: theirsNanoUsd - ours.least, sides }
}

/** The cell without the calls that are not billed. */
function without(cell: Cell, pieces: readonly Piece[]): Cell {
  const unbilled = pieces.flatMap(({ calls }) => calls ?? [])
  if (unbilled.length === 0) return cell
  const ours = new CallSum()
  ours.add(cell.ours)
  for (const sum of unbilled) ours.add(sum, -1)
  return { ...cell, ours }
}
