/** A share by which the prices of an invoice differ from those of the ledger, the same everywhere. */

import type { Cell } from './cells.ts'

/** Above this share two ratios are two. */
const SAME = 0.00001
/** Rates are rounded by whoever agreed on them. */
const LEAST_SHARE = 0.0005

export interface PricedCell {
  readonly cell: Cell
  /** In nano-USD. */
  readonly tolerance: number
  readonly agrees: boolean
}

/**
 * How many times the ledger's costs the invoice's are, where that is so in each of the cells; null where it is not, where
 * they agree, or where there are fewer than `least` cells to say it.
 */
export function commonRatio(cells: readonly PricedCell[], least: number): number | null {
  const both = cells.filter(
    ({ cell: { theirs, ours } }) => theirs.nanoUsd > 0 && ours.least > 0 && ours.most === ours.least,
  )
  const theirs = both.reduce((sum, { cell }) => sum + cell.theirs.nanoUsd, 0)
  const ours = both.reduce((sum, { cell }) => sum + cell.ours.least, 0)
  const ratio = theirs / ours
  if (both.filter((one) => !one.agrees).length < least || Math.abs(ratio - 1) < LEAST_SHARE) return null
  return both.every((one) => fits(one, ratio)) ? ratio : null
}

export function fits({ cell: { theirs, ours }, tolerance }: PricedCell, ratio: number): boolean {
  return Math.abs(theirs.nanoUsd - ratio * ours.least) <= 2 * tolerance + SAME * ours.least
}
