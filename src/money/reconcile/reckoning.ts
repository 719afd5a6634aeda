/** In which days an invoice counts: as its form states, later or earlier by hours, or by when calls ended. */

import type { CallSum } from './calls.ts'
import { AS_STATED, type Cell, type Layout, type Reckoning, type TheirSum } from './cells.ts'
import type { Counts, Invoice } from './invoice.ts'

const BY_END: Reckoning = { shiftMs: 0, byEnd: true }
const HALF_HOUR_MS = 1_800_000
/** In nano-USD: what the rounding of a thousand calls may come to. */
const LEAST_STEP = 1_000
/** Clocks of the world are at most 14 hours ahead of UTC, and 12 behind. */
const MOST_STEPS = 28

interface Differing {
  /** Cells that differ. */
  readonly all: number
  /** Without those that a single midnight explains. */
  readonly unexplained: number
  /** Cells that both sides have and that do not differ. */
  readonly agreeing: number
}

/**
 * The way in which most cells agree. Days of another zone have to be better by two cells: what moves over one midnight
 * concerns both of its days, and is explained where it is. More cells have to agree as well: days that only leave calls of
 * the ledger out have fewer cells that differ, and prove nothing.
 */
export function bestReckoning(
  layout: Layout,
  invoice: Invoice,
  countDiffering: (cells: readonly Cell[]) => Differing,
): Reckoning {
  const differing = (reckoning: Reckoning) => countDiffering(layout.cells(reckoning))
  const stated = differing(AS_STATED)
  if (stated.all === 0) return AS_STATED
  const byEnd = differing(BY_END)
  let best = byEnd.all < stated.all ? { reckoning: BY_END, ...byEnd } : { reckoning: AS_STATED, ...stated }
  const shifted = { shiftMs: likeliestShift(layout, invoice), byEnd: false }
  if (best.unexplained >= 2 && shifted.shiftMs !== 0) {
    const { all, agreeing } = differing(shifted)
    if (all <= best.unexplained - 2 && agreeing > stated.agreeing)
      best = { reckoning: shifted, all, unexplained: all, agreeing }
  }
  return best.reckoning
}

/** In milliseconds; of several that are as good the nearest, and 0 where none is better. */
function likeliestShift(layout: Layout, { tells, stepNanoUsd }: Invoice): number {
  const tokensOf = ({ counts }: { readonly counts: Counts }) => (counts.input ?? 0) + (counts.output ?? 0)
  const candidates = [0, ...shifts()]
  const tellsTokens = tells.has('input')
  const amountOf = (side: CallSum | TheirSum) => ('nanoUsd' in side ? side.nanoUsd : side.least)
  const counts = tellsTokens
    ? layout.differing(candidates, tokensOf, 0)
    : layout.differing(candidates, amountOf, Math.max(stepNanoUsd, LEAST_STEP))
  return candidates[counts.indexOf(Math.min(...counts))] ?? 0
}

/** The nearest first. */
function* shifts(): Generator<number> {
  for (let step = 1; step <= MOST_STEPS; step++) {
    yield step * HALF_HOUR_MS
    yield -step * HALF_HOUR_MS
  }
}
