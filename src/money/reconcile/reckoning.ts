/** In which days an invoice counts: as its form states, later or earlier by hours, or by when calls ended. */

import { AS_STATED, type Cell, type Layout, type Reckoning } from './cells.ts'

const BY_END: Reckoning = { shiftMs: 0, byEnd: true }
const HALF_HOUR_MS = 1_800_000
/** Clocks of the world are at most 14 hours ahead of UTC, and 12 behind. */
const MOST_STEPS = 28

interface Differing {
  /** Cells that differ. */
  readonly all: number
  /** Without those that a single midnight explains. */
  readonly unexplained: number
}

/**
 * The way in which most cells agree. Days of another zone have to be better by two cells: what moves over one midnight
 * concerns both of its days, and is explained where it is.
 */
export function bestReckoning(layout: Layout, countDiffering: (cells: readonly Cell[]) => Differing): Reckoning {
  const differing = (reckoning: Reckoning) => countDiffering(layout.cells(reckoning))
  const stated = differing(AS_STATED)
  if (stated.all === 0) return AS_STATED
  const byEnd = differing(BY_END)
  let best = byEnd.all < stated.all ? { reckoning: BY_END, ...byEnd } : { reckoning: AS_STATED, ...stated }
  for (const shiftMs of shifts()) {
    if (best.unexplained < 2) break
    const reckoning = { shiftMs, byEnd: false }
    const { all } = differing(reckoning)
    if (all <= best.unexplained - 2) best = { reckoning, all, unexplained: all }
  }
  return best.reckoning
}

/** The nearest first. */
function* shifts(): Generator<number> {
  for (let step = 1; step <= MOST_STEPS; step++) {
    yield step * HALF_HOUR_MS
    yield -step * HALF_HOUR_MS
  }
}
