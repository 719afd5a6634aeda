/** Why the counts of a cell differ, as far as the counts prove it. */

import type { CallSum, SingleCall, Standing } from './calls.ts'
import type { Cell } from './cells.ts'
import { measuresOf, type Piece } from './difference.ts'
import { addMeasures, type Counts, isNothing, type Measure } from './invoice.ts'

/** What says that calls are more or fewer; everything else is within them. */
const OF_CALLS: ReadonlySet<Measure> = new Set(['requests', 'input', 'output'])
/** How many times an estimate may be off. */
export const MOST_OFF = 3

/** The invoice less the ledger, of what the invoice tells. */
export function countDifference({ theirs, ours }: Pick<Cell, 'theirs' | 'ours'>, told: ReadonlySet<Measure>): Counts {
  const difference: Partial<Record<Measure, number>> = {}
  for (const measure of told) {
    const count = (theirs.counts[measure] ?? 0) - (ours.counts[measure] ?? 0)
    if (count !== 0) difference[measure] = count
  }
  return difference
}

/** Nothing where the counts are equal. `told`: what the invoice counts. */
export function explainCounts(cell: Cell, told: ReadonlySet<Measure>): readonly Piece[] {
  const difference = countDifference(cell, told)
  if (isNothing(difference)) return []
  const sum = (of: CallSum | undefined) => (of === undefined ? {} : only(of.counts, told))
  return (
    leftOut(cell, difference, told) ??
    estimated(sum(cell.byStanding.get('estimated')), difference, told) ??
    within(difference) ??
    (isLikeCalls(difference, cell) ? moreOrFewer(difference, told) : undefined) ??
    leftOutBesideMore(cell, difference, told) ??
    moreOrFewer(difference, told) ??
    moreAndWithin(difference, told) ?? [{ kind: 'counted', nanoUsd: null, counts: difference }]
  )
}

/** Exactly the calls that an invoice has a reason to leave out: those without a price, and those that failed. */
function leftOut(cell: Cell, difference: Counts, told: ReadonlySet<Measure>): readonly Piece[] | undefined {
  return candidates(cell)
    .find((pieces) => isNothing(plus(difference, ...pieces.map(({ sum }) => only(sum.counts, told)))))
    ?.map(pieceOf(told))
}

/** The same, where calls that the ledger does not know are on the invoice as well. */
function leftOutBesideMore(cell: Cell, difference: Counts, told: ReadonlySet<Measure>): readonly Piece[] | undefined {
  for (const pieces of candidates(cell)) {
    const rest = plus(difference, ...pieces.map(({ sum }) => only(sum.counts, told)))
    if (isNothing(rest) || !isAtLeastNothing(rest) || !hasMoreCalls(rest, told)) continue
    return [...pieces.map(pieceOf(told)), { kind: 'unknown-calls', nanoUsd: null, counts: rest }]
  }
  return undefined
}

interface Candidate {
  readonly detail: 'free' | 'failed'
  readonly sum: CallSum
}

/** What may not be billed, the likeliest first; each of the failed calls by itself, because only the provider decides. */
function candidates({ byStanding, singles }: Cell): readonly (readonly Candidate[])[] {
  const of = (standing: Standing & Candidate['detail']): readonly Candidate[] => {
    const sum = byStanding.get(standing)
    return sum === undefined ? [] : [{ detail: standing, sum }]
  }
  const [free, failed] = [of('free'), of('failed')]
  const alone = singles.length > 1 ? singles.map(one) : []
  return [free, failed, [...free, ...failed], ...alone, ...alone.map((single) => [...free, ...single])].filter(
    (pieces, at) => pieces.length > 0 && (at !== 2 || pieces.length === 2),
  )
}

const one = ({ sum }: SingleCall): readonly Candidate[] => [{ detail: 'failed', sum }]

const pieceOf =
  (told: ReadonlySet<Measure>) =>
  ({ detail, sum }: Candidate): Piece => ({
    kind: 'unbilled-calls',
    detail,
    nanoUsd: -sum.least,
    counts: negative(only(sum.counts, told)),
    calls: sum,
  })

/** The invoice counts what the ledger had to estimate. */
function estimated(guess: Counts, difference: Counts, told: ReadonlySet<Measure>): readonly Piece[] | undefined {
  if (measuresOf(guess).length === 0) return undefined
  const counted = plus(difference, guess)
  const isPlausible = told.has('requests')
    ? (difference.requests ?? 0) === 0
    : tokensOf(counted) <= MOST_OFF * tokensOf(guess) && tokensOf(guess) <= MOST_OFF * tokensOf(counted)
  if (!isPlausible || !isAtLeastNothing(counted)) return undefined
  return [{ kind: 'estimated', nanoUsd: null, counts: difference }]
}

/** As many calls and tokens; only what is within them differs. */
function within(difference: Counts): readonly Piece[] | undefined {
  if (measuresOf(difference).some(([measure]) => OF_CALLS.has(measure))) return undefined
  return [{ kind: 'part', nanoUsd: null, counts: difference }]
}

/** Calls read something and make something, where the others of the cell do: what does not is rather calls of two kinds. */
function isLikeCalls({ input = 0, output = 0 }: Counts, { theirs, ours }: Cell): boolean {
  const makesSomething = (theirs.counts.output ?? 0) > 0 || (ours.counts.output ?? 0) > 0
  return !makesSomething || (input !== 0 && output !== 0)
}

function moreOrFewer(difference: Counts, told: ReadonlySet<Measure>): readonly Piece[] | undefined {
  if (isAtLeastNothing(difference) && hasMoreCalls(difference, told))
    return [{ kind: 'unknown-calls', nanoUsd: null, counts: difference }]
  const fewer = negative(difference)
  if (isAtLeastNothing(fewer) && hasMoreCalls(fewer, told))
    return [{ kind: 'unbilled-calls', nanoUsd: null, counts: difference }]
  return undefined
}

/** More or fewer calls, and something within them that goes the other way. */
function moreAndWithin(difference: Counts, told: ReadonlySet<Measure>): readonly Piece[] | undefined {
  const ofCalls = Object.fromEntries(measuresOf(difference).filter(([measure]) => OF_CALLS.has(measure))) as Counts
  const pieces = moreOrFewer(ofCalls, told)
  if (pieces === undefined) return undefined
  const rest = plus(difference, negative(ofCalls))
  return [...pieces, { kind: 'part', nanoUsd: 0, counts: rest }]
}

/** Other tokens in as many calls are other counts of the same calls. */
const hasMoreCalls = (counts: Counts, told: ReadonlySet<Measure>) =>
  told.has('requests') ? (counts.requests ?? 0) > 0 : (counts.input ?? 0) + (counts.output ?? 0) > 0

const tokensOf = ({ input = 0, output = 0 }: Counts) => input + output

const isAtLeastNothing = (counts: Counts) => measuresOf(counts).every(([, count]) => count >= 0)

function plus(...all: readonly Counts[]): Counts {
  const sum: Partial<Record<Measure, number>> = {}
  for (const counts of all) addMeasures(sum, counts)
  return sum
}

function negative(counts: Counts): Counts {
  const sum: Partial<Record<Measure, number>> = {}
  addMeasures(sum, counts, -1)
  return sum
}

function only(counts: Counts, told: ReadonlySet<Measure>): Counts {
  return Object.fromEntries(measuresOf(counts).filter(([measure]) => told.has(measure))) as Counts
}
