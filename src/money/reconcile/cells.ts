/** The two sides beside each other: a cell for every span, model and account that both can tell. */

import type { Period } from '../period.ts'
import { CallSum, type Calls, type SingleCall, type Standing, TOOLS_APART } from './calls.ts'
import { addMeasures, type BilledPart, type Counts, type Invoice, type InvoiceLine, type Measure } from './invoice.ts'
import { modelGroups } from './modelNames.ts'
import { spanIndex, spansOf } from './spans.ts'

/** One kind of what is billed. */
interface TheirPart {
  tokens: number
  nanoUsd: number
  lines: number
}

export interface TheirSum {
  lines: number
  /** Lines that have an amount. */
  priced: number
  counts: Partial<Record<Measure, number>>
  /** What its lines count; nothing where they are amounts alone. */
  readonly tells: Set<Measure>
  nanoUsd: number
  /** By what the amounts are of; what is of no part is not in it. */
  readonly parts: Map<BilledPart, TheirPart>
  /** Of amounts that are of no part. */
  wholeNanoUsd: number
  readonly tiers: Map<string, number>
}

export interface Cell {
  /** Its place among the spans. */
  readonly place: number
  readonly span: Period
  /** `''` where the invoice does not tell models. */
  readonly model: string
  readonly owner: string
  readonly theirs: TheirSum
  readonly ours: CallSum
  /** The ledger's models in it. */
  readonly models: Set<string>
  readonly byStanding: ReadonlyMap<Standing, CallSum>
  readonly singles: readonly SingleCall[]
}

/** How the ledger's calls are put into the invoice's days. */
export interface Reckoning {
  /** The invoice's days begin that much later than they should, in milliseconds. */
  readonly shiftMs: number
  /** Calls count on the day on which they ended, instead of that on which they began. */
  readonly byEnd: boolean
}

export const AS_STATED: Reckoning = { shiftMs: 0, byEnd: false }

interface Draft extends Omit<Cell, 'byStanding' | 'singles'> {
  readonly byStanding: Map<Standing, CallSum>
  readonly singles: SingleCall[]
}

/** Lays out the cells of an invoice; the ledger's side is put in once for each way of reckoning. */
export class Layout {
  readonly spans: readonly Period[]
  readonly #invoice: Invoice
  readonly #calls: Calls
  readonly #ownerOf: (line: InvoiceLine) => string
  readonly #names: ReturnType<typeof modelGroups>
  readonly #tellsModels: boolean
  readonly #toolsApart: boolean
  readonly #theirs: ReadonlyMap<string, TheirCell>

  constructor(invoice: Invoice, calls: Calls, ownerOf: (line: InvoiceLine) => string) {
    this.#invoice = invoice
    this.#calls = calls
    this.#ownerOf = ownerOf
    this.#tellsModels = tellsModels(invoice)
    this.#toolsApart = billsToolsApart(invoice)
    this.spans = spansOf(invoice.lines, invoice.timeZone)
    const theirs = new Set(invoice.lines.flatMap(({ model }) => model ?? []))
    this.#names = modelGroups(theirs, calls.models)
    this.#theirs = this.#sumLines()
  }

  /** Lines that belong to no call. */
  get apart(): readonly InvoiceLine[] {
    return this.#invoice.lines.filter((line) => line.apart !== undefined || this.#isNameless(line))
  }

  /** Where models are told, what is of none is something else; uses of tools have a cell of their own. */
  #isNameless({ model, part, nanoUsd, counts }: InvoiceLine): boolean {
    const isThere = nanoUsd !== null || Object.keys(counts).length > 0
    return this.#tellsModels && isThere && model === null && part !== 'tools'
  }

  cells(reckoning: Reckoning): readonly Cell[] {
    const drafts = new Map<string, Draft>()
    for (const [key, { place, model, owner, theirs }] of this.#theirs)
      drafts.set(key, this.#newDraft(place, model, owner, theirs))
    for (const group of this.#calls.groups.values()) {
      const draft = this.#draftOfCall(drafts, reckoning, group)
      if (draft === null) continue
      draft.ours.add(group.sum)
      draft.models.add(group.model)
      const known = draft.byStanding.get(group.standing) ?? new CallSum()
      known.add(group.sum)
      draft.byStanding.set(group.standing, known)
    }
    for (const single of this.#calls.singles) this.#draftOfCall(drafts, reckoning, single)?.singles.push(single)
    return [...drafts.values()].filter(
      ({ theirs, ours }) => theirs.priced > 0 || ours.calls > 0 || hasCounts(theirs.counts) || hasCounts(ours.counts),
    )
  }

  /** The invoice's side, which is the same however calls are put into its days. */
  #sumLines(): ReadonlyMap<string, TheirCell> {
    const cells = new Map<string, TheirCell>()
    for (const line of this.#invoice.lines) {
      if (line.apart !== undefined || this.#isNameless(line)) continue
      const place = spanIndex(this.spans, line.start)
      if (place < 0) continue
      const owner = this.#ownerOf(line)
      for (const one of this.#toolsApart ? split(line) : [line]) {
        const model = this.#modelOf(one)
        const key = keyOf(place, model, owner)
        const cell = cells.get(key) ?? { place, model, owner, theirs: nothing() }
        cells.set(key, cell)
        addLine(cell.theirs, one)
      }
    }
    return cells
  }

  /**
   * In how many cells one number differs, for each of the shifts: a quick look at what `cells` would have. `numberOf` is
   * of either side, and `step` what a line is rounded to.
   */
  differing(
    shiftsMs: readonly number[],
    numberOf: (side: CallSum | TheirSum) => number,
    step: number,
  ): readonly number[] {
    const groups = [...this.#calls.groups.values()].map(({ startSlot, model, owner, sum }) => ({
      startSlot,
      name: keyOf(0, this.#nameOf(model), owner).slice(1),
      number: numberOf(sum),
    }))
    const theirs = [...this.#theirs].map(([key, cell]) => [key, numberOf(cell.theirs)] as const)
    return shiftsMs.map((shiftMs) => {
      const left = new Map(theirs)
      for (const { startSlot, name, number } of groups) {
        const place = spanIndex(this.spans, startSlot - shiftMs)
        if (place >= 0) left.set(place + name, (left.get(place + name) ?? 0) - number)
      }
      const mayBeOff = (key: string) => ((this.#theirs.get(key)?.theirs.lines ?? 0) * step) / 2
      return [...left].filter(([key, number]) => Math.abs(number) > mayBeOff(key)).length
    })
  }

  #draftOfCall(
    drafts: Map<string, Draft>,
    { shiftMs, byEnd }: Reckoning,
    { startSlot, endSlot, model, owner }: { startSlot: number; endSlot: number; model: string; owner: string },
  ): Draft | null {
    const place = spanIndex(this.spans, (byEnd ? endSlot : startSlot) - shiftMs)
    if (place < 0) return null
    return this.#draft(drafts, place, this.#nameOf(model), owner)
  }

  /** Of a model of the ledger. */
  #nameOf(model: string): string {
    if (model === TOOLS_APART) return model
    return this.#tellsModels ? (this.#names.ours.get(model) ?? model) : ''
  }

  #modelOf({ model, part }: InvoiceLine): string {
    if (this.#toolsApart && part === 'tools') return TOOLS_APART
    if (!this.#tellsModels || model === null) return ''
    return this.#names.theirs.get(model) ?? model
  }

  #draft(drafts: Map<string, Draft>, place: number, model: string, owner: string): Draft {
    const key = keyOf(place, model, owner)
    const known = drafts.get(key)
    if (known !== undefined) return known
    const draft = this.#newDraft(place, model, owner, nothing())
    drafts.set(key, draft)
    return draft
  }

  #newDraft(place: number, model: string, owner: string, theirs: TheirSum): Draft {
    const span = this.spans[place] ?? { start: 0, end: 0 }
    const ours = new CallSum()
    return { place, span, model, owner, theirs, ours, models: new Set(), byStanding: new Map(), singles: [] }
  }
}

type TheirCell = Pick<Cell, 'place' | 'model' | 'owner' | 'theirs'>

/** Names come from outside, and have no line feed. */
const keyOf = (place: number, model: string, owner: string) => `${place}\n${model}\n${owner}`

const hasCounts = (counts: Counts) => Object.values(counts).some((count) => count !== 0)

const nothing = (): TheirSum => ({
  lines: 0,
  priced: 0,
  counts: {},
  tells: new Set(),
  nanoUsd: 0,
  parts: new Map(),
  wholeNanoUsd: 0,
  tiers: new Map(),
})

const NO_MEASURES: ReadonlySet<Measure> = new Set()

function addLine(sum: TheirSum, { counts, tells = NO_MEASURES, nanoUsd, part, tier }: InvoiceLine): void {
  const tokens = (counts.input ?? 0) + (counts.output ?? 0)
  sum.lines++
  addMeasures(sum.counts, counts)
  for (const measure of tells) sum.tells.add(measure)
  if (tokens > 0) sum.tiers.set(tier ?? '', (sum.tiers.get(tier ?? '') ?? 0) + tokens)
  if (nanoUsd === null) return
  sum.priced++
  sum.nanoUsd += nanoUsd
  if (part === null) {
    sum.wholeNanoUsd += nanoUsd
    return
  }
  const own = sum.parts.get(part) ?? { tokens: 0, nanoUsd: 0, lines: 0 }
  sum.parts.set(part, { tokens: own.tokens + tokens, nanoUsd: own.nanoUsd + nanoUsd, lines: own.lines + 1 })
}

/** Uses of tools apart from the tokens of the same line. */
function split(line: InvoiceLine): readonly InvoiceLine[] {
  const uses = Object.entries(line.counts).filter(([measure, count = 0]) => measure.startsWith('tool:') && count > 0)
  if (uses.length === 0) return [line]
  const tokens = Object.entries(line.counts).filter(([measure]) => !measure.startsWith('tool:'))
  return [
    { ...line, counts: Object.fromEntries(tokens) },
    { ...line, counts: Object.fromEntries(uses), nanoUsd: null, part: 'tools' },
  ]
}

/** Costs of no model are costs of all, whatever else is counted by model. */
function tellsModels({ lines, hasMoney }: Invoice): boolean {
  return lines.some(({ model, nanoUsd }) => model !== null && (nanoUsd !== null || !hasMoney))
}

/** Whether uses of tools stand there without the model that used them, beside lines of models. */
export function billsToolsApart(invoice: Invoice): boolean {
  return invoice.lines.some(({ part, model, apart }) => part === 'tools' && model === null && apart === undefined)
}
