/** A day that has what its neighbour lacks: calls near midnight that the invoice counts on the other side of it. */

import { CallSum, type Calls } from './calls.ts'
import type { Cell } from './cells.ts'
import { countDifference } from './explainCounts.ts'
import { type Counts, isNothing, type Measure } from './invoice.ts'

/** So far from midnight is looked for calls that are counted on the other side. */
const MOST_MS = 43_200_000

export interface Moved {
  /** The earlier day. */
  readonly cell: Cell
  readonly next: Cell
  /** What the invoice has more on the earlier day, and fewer on the next. */
  readonly counts: Counts
  /** Where the calls are on the invoice. */
  readonly nextDay: 'earlier' | 'later'
}

/** Only where the calls on one side of midnight, counted from there, are exactly what moved. */
export function movedOverMidnight(
  cells: readonly Cell[],
  calls: Calls,
  toldOf: (cell: Cell) => ReadonlySet<Measure>,
): readonly Moved[] {
  const at = new Map(cells.map((cell) => [JSON.stringify([cell.place, cell.model, cell.owner]), cell]))
  const moved: Moved[] = []
  const taken = new Set<Cell>()
  for (const cell of cells.toSorted((a, b) => a.place - b.place)) {
    const next = at.get(JSON.stringify([cell.place + 1, cell.model, cell.owner]))
    const told = toldOf(cell)
    if (next === undefined || told.size === 0 || taken.has(cell)) continue
    const counts = countDifference(cell, told)
    if (isNothing(counts) || !isOpposite(counts, countDifference(next, told))) continue
    const nextDay = (counts.input ?? counts.output ?? counts.requests ?? 0) > 0 ? 'earlier' : 'later'
    if (!isNearMidnight(counts, nextDay === 'earlier' ? next : cell, cell.span.end, calls, told)) continue
    taken.add(cell).add(next)
    moved.push({ cell, next, counts, nextDay })
  }
  return moved
}

function isOpposite(one: Counts, other: Counts): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]) as Set<Measure> // keys of both
  return [...names].every((name) => (one[name] ?? 0) === -(other[name] ?? 0))
}

/** Whether the calls of that day between midnight and some time are exactly as many. */
function isNearMidnight(
  counts: Counts,
  { span, ours, models, owner }: Cell,
  midnight: number,
  calls: Calls,
  told: ReadonlySet<Measure>,
): boolean {
  const near = [...calls.groups.values()]
    .filter((group) => models.has(group.model) && group.owner === owner)
    .filter(({ startSlot: at }) => at >= span.start && at < span.end && Math.abs(at - midnight) <= MOST_MS)
    .toSorted((a, b) => Math.abs(a.startSlot - midnight) - Math.abs(b.startSlot - midnight))
  const sum = new CallSum()
  const wanted = new Map([...told].map((measure) => [measure, Math.abs(counts[measure] ?? 0)]))
  for (const [index, { startSlot, sum: own }] of near.entries()) {
    sum.add(own)
    if (near[index + 1]?.startSlot === startSlot) continue
    if ([...wanted].every(([measure, count]) => (sum.counts[measure] ?? 0) === count)) return sum.calls <= ours.calls
  }
  return false
}
