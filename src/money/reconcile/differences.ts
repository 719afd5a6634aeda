/** Gathers what is found in single cells, and puts together what is one difference on several days. */

import { TOOLS_APART } from './calls.ts'
import type { Cell } from './cells.ts'
import { type InvoiceDifference, measuresOf, type Piece, type Sides } from './difference.ts'
import { differenceText } from './differenceText.ts'
import { addMeasures, type Counts, type Invoice, type InvoiceLine, isNothing, type Measure } from './invoice.ts'
import { spanName } from './spans.ts'

interface Draft {
  readonly kind: InvoiceDifference['kind']
  readonly model: string | null
  readonly account: string | null
  readonly detail: string | null
  readonly days: Set<string>
  readonly counts: Partial<Record<Measure, number>>
  nanoUsd: number | null
  sides: Sides | null
  /** How often. */
  times: number
}

/** What concerns all models alike. */
const OF_ALL: ReadonlySet<InvoiceDifference['kind']> = new Set(['contract', 'time-zone'])

export class Differences {
  readonly #drafts = new Map<string, Draft>()
  readonly #timeZone: string

  constructor({ timeZone }: Pick<Invoice, 'timeZone'>) {
    this.#timeZone = timeZone
  }

  add({ model, owner, span }: Cell, piece: Piece): void {
    if (piece.nanoUsd === 0 && isNothing(piece.counts ?? {}) && piece.kind !== 'tier') return
    const named = model === '' || OF_ALL.has(piece.kind) ? null : model === TOOLS_APART ? 'tools' : model
    this.#put({ ...piece, model: named, account: owner === '' ? null : owner }, spanName(span, this.#timeZone))
  }

  /** What concerns no cell alone. */
  addWhole(piece: Piece): void {
    this.#put({ ...piece, model: null, account: null }, null)
  }

  addApart({ apart, item, nanoUsd, start, end, model }: InvoiceLine): void {
    const kind = apart === undefined || apart === 'other' ? 'apart' : apart
    const piece = { kind, detail: item ?? model ?? 'without a name', nanoUsd } as const
    this.#put({ ...piece, model: null, account: null }, end > start ? spanName({ start, end }, this.#timeZone) : null)
  }

  #put(
    { kind, detail, model, account, nanoUsd, counts = {}, sides }: Piece & Pick<InvoiceDifference, 'model' | 'account'>,
    day: string | null,
  ): void {
    const key = JSON.stringify([kind, model, account, detail, sides?.part])
    const known = this.#drafts.get(key)
    const draft: Draft = known ?? {
      ...{ kind, model, account, detail: detail ?? null, days: new Set(), counts: {}, nanoUsd: null, sides: null },
      times: 0,
    }
    if (known === undefined) this.#drafts.set(key, draft)
    draft.times++
    if (day !== null) draft.days.add(day)
    addMeasures(draft.counts, counts)
    if (nanoUsd !== null) draft.nanoUsd = (draft.nanoUsd ?? 0) + nanoUsd
    if (sides !== undefined) draft.sides = together(draft.sides, sides)
  }

  /** The dearest first. */
  all(): readonly InvoiceDifference[] {
    return [...this.#drafts.values()]
      .toSorted((a, b) => Math.abs(b.nanoUsd ?? 0) - Math.abs(a.nanoUsd ?? 0))
      .map(({ times: _times, days, ...draft }) => {
        const counts: Counts = Object.fromEntries(measuresOf(draft.counts))
        const difference = { ...draft, counts, days: [...days].toSorted() }
        return { ...difference, text: differenceText(difference) }
      })
  }
}

function together(one: Sides | null, other: Sides): Sides {
  if (one === null) return other
  return {
    theirsNanoUsd: one.theirsNanoUsd + other.theirsNanoUsd,
    oursNanoUsd: one.oursNanoUsd + other.oursNanoUsd,
    tokens: one.tokens + other.tokens,
    part: other.part,
    priceSources: [...new Set([...one.priceSources, ...other.priceSources])],
  }
}
