/**
 * The units of an experiment in blocks of those that were assigned one after another, and the sums of their values by
 * variant and metric. A value goes to the block in which its unit was assigned, however late it arrives, so that it is
 * compared with others of its time.
 */

import { present } from '../domain/present.ts'
import type { Contribution } from './comparison.ts'
import type { ResponseCounts } from './ratio.ts'

/** Sums of one metric in a block, by variant; values are relative to `base`, against rounding. Plain JSON. */
interface BlockSums {
  base: number
  /** Values that came, and those of them that are compared: the first ones of a metric are not. */
  readonly counts: number[]
  readonly values: number[]
  readonly sums: number[]
  readonly squares: number[]
}

export interface Block {
  /** The place (epoch milliseconds) from which units belong to it. */
  readonly from: number
  /** Units assigned before it. */
  readonly first: number
  readonly assigned: number[]
  /** Variants whose units are not compared, because an outage stopped them. */
  readonly left: number[]
  readonly metrics: { [name: string]: BlockSums }
}

/** Units of two variants in blocks in which both ran; `reported` by metric. */
interface PairCounts {
  readonly assigned: [number, number]
  readonly reported: { [metric: string]: [number, number] }
}

/** Plain JSON. */
export interface BlocksState {
  /** Units assigned so far, all variants. */
  total: number
  /** Units after which the newest block is full. */
  size: number
  /** The latest place so far. */
  last: number
  readonly open: Block[]
  /** Of blocks that take no more values. */
  readonly closed: {
    readonly assigned: number[]
    readonly reported: { [metric: string]: number[] }
    readonly pairs: PairCounts[]
  }
  /** By variant: how many values of the deciding metric came after 2^n units were assigned, by n. */
  readonly delays: number[][]
  /** Units that are not compared, because an outage stopped their variant. */
  leftOut: number
}

/** Values of two variants in a block on average; the comparison loses one of these, to the level of the block. */
const BLOCK_VALUES = 32
/** More values than these begin the next block, whether or not units were assigned. */
const MOST_VALUES = 2 * BLOCK_VALUES
/** Values that come later than this many blocks are not compared. */
const MOST_BLOCKS = 128
/** A block takes at most this many units, however few of them report. */
const LARGEST = 4_096
/** This share of a variant's values came within the delay that the response test waits for. */
const ON_TIME = 0.95

export function newBlocks(variants: number): BlocksState {
  const pairs = pairsOf(variants).map((): PairCounts => ({ assigned: [0, 0], reported: {} }))
  const delays = Array.from({ length: variants }, () => [])
  const closed = { assigned: zeros(variants), reported: {}, pairs }
  return { total: 0, size: 0, last: 0, open: [], closed, delays, leftOut: 0 }
}

/** All pairs among that many variants. */
export function pairsOf(count: number): readonly (readonly [number, number])[] {
  const pairs: [number, number][] = []
  for (let first = 0; first < count; first++)
    for (let second = first + 1; second < count; second++) pairs.push([first, second])
  return pairs
}

interface BlocksRules {
  /** The deciding metric, whose rate of reports sets the size of the blocks. */
  readonly metric: string
  /** By variant. */
  readonly shares: readonly number[]
  readonly isStopped: (variant: number) => boolean
  /** A block takes no more values. */
  readonly onClosed: (block: Block) => void
}

export class Blocks {
  readonly state: BlocksState
  readonly #rules: BlocksRules
  readonly #indexes: readonly (readonly [first: number, second: number])[]
  /** The smallest share of two variants among all. */
  readonly #pairShare: number

  constructor(state: BlocksState, rules: BlocksRules) {
    this.state = state
    this.#rules = rules
    const { shares } = rules
    this.#indexes = pairsOf(shares.length)
    const all = sum(shares)
    this.#pairShare = Math.min(...this.#indexes.map(([i, j]) => ((shares[i] ?? 0) + (shares[j] ?? 0)) / all))
  }

  /** A unit is assigned. `place`: epoch milliseconds; null where it is unknown. */
  assign(variant: number, place: number | null): void {
    const { state } = this
    const at = place ?? state.last
    const newest = state.open.at(-1)
    const isBack = newest?.left.includes(variant) === true && !this.#rules.isStopped(variant)
    if (newest === undefined || state.total >= state.size || isBack) this.#begin(at)
    state.last = Math.max(state.last, at)
    const block = present(state.open.at(-1))
    if (block.left.includes(variant)) return
    state.total++
    block.assigned[variant] = (block.assigned[variant] ?? 0) + 1
  }

  /**
   * A value of the deciding metric came for a request that set out then. Where few units are new and all of them go on
   * asking, values fill a block as well: they would not be of one time otherwise.
   */
  fill(place: number | null): void {
    const { open, last } = this.state
    const newest = open.at(-1)
    const counts = newest?.metrics[this.#rules.metric]?.counts
    if (counts === undefined || sum(counts) < MOST_VALUES / this.#pairShare) return
    this.state.last = Math.max(last, place ?? last)
    this.#begin(this.state.last)
  }

  /** A variant was stopped: what is assigned from now on is without it. */
  cut(): void {
    if (this.state.open.length > 0) this.#begin(this.state.last + 1e-3)
  }

  /** The block of a unit assigned at that place; the newest without one, null where it is closed. */
  at(place: number | null): Block | null {
    const { open } = this.state
    for (let index = open.length - 1; index >= 0; index--) {
      const block = present(open[index])
      if (place === null || block.from <= place) return block
    }
    // What came before the first block of all, by clocks that differ a little, belongs to it.
    return open[0]?.first === 0 ? open[0] : null
  }

  /** A value came that is not compared. `block`: null where it came too late for its own. */
  count(block: Block | null, metric: string, variant: number): void {
    if (block === null) return this.#countLate(metric, variant)
    const sums = this.#sumsOf(block, metric, 0)
    sums.counts[variant] = (sums.counts[variant] ?? 0) + 1
    if (metric === this.#rules.metric) this.#delayed(variant, this.#assignedAfter(block))
  }

  add(block: Block, metric: string, variant: number, value: number): void {
    this.count(block, metric, variant)
    const sums = this.#sumsOf(block, metric, value)
    if (sums.values.every((count) => count === 0)) sums.base = value
    const off = value - sums.base
    sums.values[variant] = (sums.values[variant] ?? 0) + 1
    sums.sums[variant] = (sums.sums[variant] ?? 0) + off
    sums.squares[variant] = (sums.squares[variant] ?? 0) + off * off
  }

  #sumsOf(block: Block, metric: string, base: number): BlockSums {
    const known = block.metrics[metric]
    if (known !== undefined) return known
    const sums = newSums(block.assigned.length, base)
    block.metrics[metric] = sums
    return sums
  }

  #countLate(metric: string, variant: number): void {
    const { reported, pairs } = this.state.closed
    const counts = reported[metric] ?? zeros(this.#rules.shares.length)
    reported[metric] = counts
    counts[variant] = (counts[variant] ?? 0) + 1
    for (const [pair, [i, j]] of this.#indexes.entries()) {
      if (i !== variant && j !== variant) continue
      const known = present(pairs[pair]).reported[metric] ?? [0, 0]
      present(pairs[pair]).reported[metric] = known
      known[variant === i ? 0 : 1]++
    }
  }

  /** By variant: units assigned, and those with a value of the metric, of blocks in which it ran. */
  counts(metric: string): ResponseCounts {
    const { closed, open } = this.state
    const assigned = [...closed.assigned]
    const reported = assigned.map((_, index) => closed.reported[metric]?.[index] ?? 0)
    for (const block of open) {
      addTo(assigned, block.assigned)
      addTo(reported, block.metrics[metric]?.counts ?? [])
    }
    return { assigned, reported }
  }

  /**
   * The same for two variants, of blocks in which both ran. `onlySettled`: leaves out those whose values may still
   * arrive.
   */
  pairCounts(metric: string, pair: number, onlySettled: boolean): ResponseCounts {
    const { closed, open, total } = this.state
    const [i, j] = present(this.#indexes[pair])
    const known = present(closed.pairs[pair])
    const assigned = [...known.assigned]
    const reported: number[] = [...(known.reported[metric] ?? [0, 0])]
    const until = total - Math.min(this.#lag(), total / 2)
    for (const [index, block] of open.entries()) {
      if (onlySettled && (open[index + 1]?.first ?? Number.POSITIVE_INFINITY) > until) break
      if (block.left.includes(i) || block.left.includes(j)) continue
      const counts = block.metrics[metric]?.counts ?? []
      addTo(assigned, [block.assigned[i] ?? 0, block.assigned[j] ?? 0])
      addTo(reported, [counts[i] ?? 0, counts[j] ?? 0])
    }
    return { assigned, reported }
  }

  /** The open blocks with units assigned since then. */
  since(place: number): readonly Block[] {
    const { open } = this.state
    const first = open.findLastIndex(({ from }) => from <= place)
    return open.slice(Math.max(0, first))
  }

  /** A variant's units of a block are no longer compared nor counted. */
  leaveOut(block: Block, variant: number): void {
    if (block.left.includes(variant)) return
    block.left.push(variant)
    this.state.leftOut += block.assigned[variant] ?? 0
    block.assigned[variant] = 0
    for (const { counts, values, sums, squares } of Object.values(block.metrics)) {
      counts[variant] = 0
      values[variant] = 0
      sums[variant] = 0
      squares[variant] = 0
    }
  }

  /** One unit of a variant is no longer counted. */
  leaveOutOne(block: Block, variant: number): void {
    block.assigned[variant] = Math.max(0, (block.assigned[variant] ?? 0) - 1)
    this.state.leftOut++
  }

  #begin(place: number): void {
    const { state } = this
    const variants = this.#rules.shares.length
    const left = zeros(variants).flatMap((_, variant) => (this.#rules.isStopped(variant) ? [variant] : []))
    const from = Math.max(place, state.open.at(-1)?.from ?? place)
    state.open.push({ from, first: state.total, assigned: zeros(variants), left, metrics: {} })
    state.size = state.total + this.#units()
    if (state.open.length > MOST_BLOCKS) this.#close()
  }

  /** Units of which about `BLOCK_VALUES` of any two variants will report. */
  #units(): number {
    const { assigned, reported } = this.counts(this.#rules.metric)
    const rate = (sum(reported) + 1) / (sum(assigned) + 1)
    return Math.min(LARGEST, Math.ceil(BLOCK_VALUES / this.#pairShare / Math.min(1, rate)))
  }

  #close(): void {
    const { open, closed } = this.state
    const block = open.shift()
    if (block === undefined) return
    this.#rules.onClosed(block)
    addTo(closed.assigned, block.assigned)
    for (const [metric, { counts }] of Object.entries(block.metrics)) {
      const reported = closed.reported[metric] ?? zeros(counts.length)
      closed.reported[metric] = reported
      addTo(reported, counts)
    }
    for (const [pair, [i, j]] of this.#indexes.entries()) {
      if (block.left.includes(i) || block.left.includes(j)) continue
      const { assigned, reported } = present(closed.pairs[pair])
      addTo(assigned, [block.assigned[i] ?? 0, block.assigned[j] ?? 0])
      for (const [metric, { counts }] of Object.entries(block.metrics)) {
        const known = reported[metric] ?? [0, 0]
        reported[metric] = known
        addTo(known, [counts[i] ?? 0, counts[j] ?? 0])
      }
    }
  }

  /** Units assigned since the block was full; 0 for the newest. */
  #assignedAfter(block: Block): number {
    const { open, total } = this.state
    const next = open[open.lastIndexOf(block) + 1]
    return next === undefined ? 0 : total - next.first
  }

  #delayed(variant: number, units: number): void {
    const row = present(this.state.delays[variant])
    const bucket = Math.ceil(Math.log2(Math.max(1, units)))
    while (row.length <= bucket) row.push(0)
    row[bucket] = (row[bucket] ?? 0) + 1
  }

  /** Units assigned until nearly all values of the slowest variant are there. */
  #lag(): number {
    return Math.max(0, ...this.state.delays.map(delayOf))
  }
}

function delayOf(row: readonly number[]): number {
  let left = sum(row) * (1 - ON_TIME)
  if (left === 0) return 0
  for (let bucket = row.length - 1; bucket >= 0; bucket--) {
    left -= row[bucket] ?? 0
    if (left < 0) return 2 ** bucket
  }
  return 0
}

/** What the sums of two variants contribute in all blocks that still take values. */
export function openContribution(open: readonly Block[], metric: string, first: number, second: number): Contribution {
  const total = { score: 0, information: 0, variance: 0 }
  for (const { metrics } of open) {
    const sums = metrics[metric]
    if (sums !== undefined) contribute(total, sums, first, second, 1)
  }
  return total
}

/** Adds what the sums of two variants in one block contribute, or takes it away (`sign` -1). */
export function contribute(
  to: Contribution,
  { values, sums, squares }: BlockSums,
  first: number,
  second: number,
  sign: 1 | -1,
): void {
  const n1 = values[first] ?? 0
  const n2 = values[second] ?? 0
  if (n1 === 0 || n2 === 0) return
  const n = n1 + n2
  const s1 = sums[first] ?? 0
  const s2 = sums[second] ?? 0
  const information = (n1 * n2) / n
  const spread = Math.max(0, (squares[first] ?? 0) + (squares[second] ?? 0) - (s1 + s2) ** 2 / n) / (n - 1)
  to.score += sign * information * (s2 / n2 - s1 / n1)
  to.information += sign * information
  to.variance += sign * information * spread
}

function newSums(variants: number, base: number): BlockSums {
  return { base, counts: zeros(variants), values: zeros(variants), sums: zeros(variants), squares: zeros(variants) }
}

const zeros = (count: number) => new Array<number>(count).fill(0)

function sum(values: readonly number[]): number {
  let total = 0
  for (const value of values) total += value
  return total
}

function addTo(totals: number[], values: readonly number[]): void {
  for (let index = 0; index < values.length; index++) totals[index] = (totals[index] ?? 0) + (values[index] ?? 0)
}
