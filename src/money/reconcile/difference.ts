/** What a comparison finds: which amount differs, and why. */

import type { CallSum } from './calls.ts'
import type { BilledPart, Counts, Measure } from './invoice.ts'

/** What kind of difference it is. */
type DifferenceKind =
  /** On the invoice, and not in the ledger: called without keywise, or from another machine. */
  | 'unknown-calls'
  /** In the ledger, and not on the invoice. */
  | 'unbilled-calls'
  /** The same tokens at another price. */
  | 'price'
  /** Cached tokens at the price of fresh ones. */
  | 'cached-price'
  /** Served, and billed, in another way than the ledger has it. */
  | 'tier'
  /** Every price differs by the same share. */
  | 'contract'
  /** On the invoice at no cost. */
  | 'not-charged'
  /** The ledger knows no price. */
  | 'no-price'
  /** Something within the tokens, or beside them, that only one side has. */
  | 'part'
  /** The ledger's counts were estimated. */
  | 'estimated'
  /** As many calls, with other counts. */
  | 'counted'
  /** A day has what its neighbour lacks. */
  | 'day-border'
  /** All days begin at another hour. */
  | 'time-zone'
  | 'credit'
  | 'tax'
  | 'adjustment'
  /** Billed, and no call of a model. */
  | 'apart'
  /** An amount for which the invoice gives no reason. */
  | 'amount'

export interface InvoiceDifference {
  readonly kind: DifferenceKind
  /** As the ledger spells it; null where it concerns all, or none. */
  readonly model: string | null
  /** The account, where both sides know it. */
  readonly account: string | null
  /** Days of the invoice's time zone, `2026-11-23`; `2026-11-01..2026-11-30` where it does not tell days. */
  readonly days: readonly string[]
  /** The invoice less the ledger; null where no money is compared. */
  readonly nanoUsd: number | null
  /** The invoice less the ledger, of what both count. */
  readonly counts: Counts
  /** What the difference is about, within its kind: `failed`, `cached`, the name of a credit. */
  readonly detail: string | null
  /** The two sides of a difference in price. */
  readonly sides: Sides | null
  /** Why, in a sentence. */
  readonly text: string
}

export interface Sides {
  readonly theirsNanoUsd: number
  readonly oursNanoUsd: number
  /** Of which both are the price; 0 where that is not known. */
  readonly tokens: number
  /** Of what the price is; null: of all together. */
  readonly part: BilledPart | null
  /** Where the ledger's price is from: `genai-prices 2026-09-23`, `config`. */
  readonly priceSources: readonly string[]
}

/** One of a cell, before those of a kind are put together. */
export interface Piece {
  readonly kind: DifferenceKind
  readonly detail?: string
  /** Nano-USD; null: what is left when everything else is known. */
  readonly nanoUsd: number | null
  readonly counts?: Counts
  readonly sides?: Sides
  /** The calls that are not billed, where it is known which. */
  readonly calls?: CallSum
}

export const measuresOf = (counts: Counts) =>
  (Object.entries(counts) as [Measure, number][]).filter(([, count]) => count !== 0) // keys of a record of measures
