/** Why the amounts of a cell differ where its counts do not, as far as the amounts prove it. */

import { picoToNano } from '../amount.ts'
import type { CallSum } from './calls.ts'
import type { Cell } from './cells.ts'
import type { Piece, Sides } from './difference.ts'
import { addMeasures, type BilledPart, countsOfPart, type Measure } from './invoice.ts'

/** What may be lost or won by rounding, in nano-USD: half a step of every line, half a nano of every call. */
export function toleranceOf({ theirs, ours }: Pick<Cell, 'theirs' | 'ours'>, stepNanoUsd: number): number {
  return Math.ceil((theirs.priced * stepNanoUsd) / 2 + ours.calls / 2) + (theirs.priced > 0 ? 1 : 0)
}

/** What the invoice has more than the ledger's calls cost at least, and what it has more than they cost at most. */
export function moneyDifference({ theirs, ours }: Pick<Cell, 'theirs' | 'ours'>): {
  readonly fromLeast: number
  readonly fromMost: number
} {
  return { fromLeast: theirs.nanoUsd - ours.least, fromMost: theirs.nanoUsd - ours.most }
}

export function agrees(cell: Pick<Cell, 'theirs' | 'ours'>, tolerance: number): boolean {
  const { fromLeast, fromMost } = moneyDifference(cell)
  // A price that is not known at all is no agreement.
  return cell.ours.unpriced > 0 ? Math.abs(fromLeast) <= tolerance : fromLeast >= -tolerance && fromMost <= tolerance
}

interface MoneyFacts {
  readonly tolerance: number
  readonly stepNanoUsd: number
  /** Whether the counts are told, and equal. */
  readonly countsAgree: boolean
  /** Whether the invoice tells how calls were served. */
  readonly tellsTier: boolean
}

/** Of a cell whose amounts differ; always one or more pieces. */
export function explainMoney(cell: Cell, facts: MoneyFacts): readonly Piece[] {
  const { theirs, ours } = cell
  const { fromLeast } = moneyDifference(cell)
  const priceSources = [...ours.priceSources]
  const sides: Sides = {
    theirsNanoUsd: theirs.nanoUsd,
    oursNanoUsd: ours.least,
    tokens: tokensOf(ours),
    part: null,
    priceSources,
  }
  if (ours.unpriced > 0) return [{ kind: 'no-price', nanoUsd: fromLeast, sides }]
  if (facts.countsAgree && theirs.nanoUsd === 0) return [{ kind: 'not-charged', nanoUsd: fromLeast }]
  if (facts.countsAgree && facts.tellsTier && !haveSameTiers(cell))
    return [{ kind: 'tier', detail: tiersText(theirs.tiers, ours.tiers), nanoUsd: fromLeast, sides }]
  if (Math.abs(fromLeast - cachedSurcharge(ours)) <= facts.tolerance && cachedSurcharge(ours) > facts.tolerance)
    return [{ kind: 'cached-price', nanoUsd: fromLeast, sides: cachedSides(cell) }]
  return byParts(cell, facts) ?? [{ kind: facts.countsAgree ? 'price' : 'amount', nanoUsd: fromLeast, sides }]
}

const tokensOf = ({ counts }: CallSum) => (counts.input ?? 0) + (counts.output ?? 0)

const cachedSurcharge = ({ parts, cachedAtFullPrice }: CallSum) =>
  parts === null ? 0 : picoToNano(cachedAtFullPrice) - picoToNano(parts.get('cached')?.pico ?? 0n)

function cachedSides({ ours }: Cell): Sides {
  const cached = ours.parts?.get('cached')
  return {
    theirsNanoUsd: picoToNano(ours.cachedAtFullPrice),
    oursNanoUsd: picoToNano(cached?.pico ?? 0n),
    tokens: cached?.tokens ?? 0,
    part: 'cached',
    priceSources: [...ours.priceSources],
  }
}

/** Whether as many tokens were served in each way. */
export function haveSameTiers({ theirs, ours }: Cell): boolean {
  const names = new Set([...theirs.tiers.keys(), ...ours.tiers.keys()])
  return [...names].every((name) => (theirs.tiers.get(name) ?? 0) === (ours.tiers.get(name) ?? 0))
}

/** `batch instead of the usual`. */
export function tiersText(theirs: ReadonlyMap<string, number>, ours: ReadonlyMap<string, number>): string {
  const more = (one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>) =>
    [...one].filter(([name, tokens]) => tokens > (other.get(name) ?? 0)).map(([name]) => name || 'the usual way')
  return `${more(theirs, ours).join(', ') || 'nothing'} instead of ${more(ours, theirs).join(', ') || 'nothing'}`
}

interface PartPair {
  readonly part: BilledPart
  readonly theirNano: number
  readonly ourNano: number
  /** The ledger's. */
  readonly tokens: number
  readonly tolerance: number
}

/** What both sides say of each part; undefined where one of them does not tell parts. */
function pairsOf({ theirs, ours }: Cell, stepNanoUsd: number): readonly PartPair[] | undefined {
  const ourParts = ours.parts
  if (ourParts === null || theirs.parts.size === 0 || theirs.wholeNanoUsd !== 0) return undefined
  const names = new Set<BilledPart>([...theirs.parts.keys(), ...ourParts.keys()].map(asBilled))
  return [...names].map((part) => {
    const their = [...theirs.parts].filter(([name]) => asBilled(name) === part).map(([, sum]) => sum)
    const our = [...ourParts].filter(([name]) => asBilled(name) === part).map(([, sum]) => sum)
    const lines = their.reduce((sum, one) => sum + one.lines, 0)
    return {
      part,
      theirNano: their.reduce((sum, one) => sum + one.nanoUsd, 0),
      ourNano: picoToNano(our.reduce((sum, { pico }) => sum + pico, 0n)),
      tokens: our.reduce((sum, one) => sum + one.tokens, 0),
      tolerance: Math.ceil((lines * stepNanoUsd) / 2 + ours.calls / 2) + 1,
    }
  })
}

/** Of parts that both sides tell, those that differ; undefined where they do not tell them, or all differ. */
function byParts(cell: Cell, { stepNanoUsd, countsAgree }: MoneyFacts): readonly Piece[] | undefined {
  const pairs = pairsOf(cell, stepNanoUsd)
  const differing =
    pairs?.filter(({ theirNano, ourNano, tolerance }) => Math.abs(theirNano - ourNano) > tolerance) ?? []
  const isMissing = differing.some(({ tokens }) => tokens === 0)
  if (pairs === undefined || differing.length === 0) return undefined
  if (!countsAgree && !isMissing && differing.length > 1) return tokensByAmount(differing)
  // What differs in everything is no matter of parts, unless a part is there on one side only.
  if (!isMissing && pairs.every((pair) => pair.ourNano === 0 || differing.includes(pair))) return undefined
  return differing.map(({ part, theirNano, ourNano, tokens }) => ({
    kind: tokens === 0 ? 'part' : countsAgree ? 'price' : 'amount',
    detail: part,
    nanoUsd: theirNano - ourNano,
    sides: {
      ...{ theirsNanoUsd: theirNano, oursNanoUsd: ourNano, tokens, part },
      priceSources: [...cell.ours.priceSources],
    },
  }))
}

/** A remainder of so much of a token's price is one by chance in as many cases. */
const CHANCE = 20

/**
 * More or fewer calls, where amounts alone are told: what was read and what was made differ, both by whole tokens at the
 * ledger's price, and not by the same share, as a change of the price would.
 */
function tokensByAmount(differing: readonly PartPair[]): readonly Piece[] | undefined {
  const counted = differing.map((pair) => ({
    ...pair,
    difference: pair.theirNano - pair.ourNano,
    rate: pair.ourNano / pair.tokens,
  }))
  const isWhole = counted.every(({ difference, rate, tolerance }) => {
    const tokens = difference / rate
    return tolerance * CHANCE < rate && Math.abs(tokens - Math.round(tokens)) * rate <= tolerance
  })
  const shares = counted.map(({ difference, ourNano }) => difference / ourNano)
  const isOneShare = Math.max(...shares) - Math.min(...shares) < 0.0001
  const isOneWay = shares.every((share) => share > 0) || shares.every((share) => share < 0)
  const names = counted.map(({ part }) => part)
  if (!isWhole || isOneShare || !isOneWay || !names.includes('output') || names.every((part) => part === 'output'))
    return undefined
  const counts: Partial<Record<Measure, number>> = {}
  for (const { part, difference, rate } of counted)
    addMeasures(counts, countsOfPart(part, Math.round(difference / rate)))
  return [{ kind: (shares[0] ?? 0) > 0 ? 'unknown-calls' : 'unbilled-calls', nanoUsd: null, counts }]
}

/** Thoughts are billed as output, everywhere that bills by parts. */
const asBilled = (part: BilledPart): BilledPart => (part === 'reasoning' ? 'output' : part)
