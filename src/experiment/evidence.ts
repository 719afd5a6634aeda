/**
 * What an experiment has observed so far, and which conclusions that supports.
 *
 * Alpha is divided evenly among all pairs of variants (Bonferroni), so that the probability of ever calling any two of
 * them different where none differ is at most alpha, for the deciding metric. The other metrics are reported with the
 * same care but each on its own; they decide nothing.
 *
 * Pass one value per unit and metric: two answers of one session are not two independent observations.
 */

import { asRecord, type Json } from '../domain/json.ts'
import { present } from '../domain/present.ts'
import type { ObservationEvent } from '../domain/store.ts'
import { type Block, Blocks, type BlocksState, contribute, newBlocks, openContribution, pairsOf } from './blocks.ts'
import {
  Comparison,
  type ComparisonDecision,
  type ComparisonState,
  type Interval,
  newComparison,
} from './comparison.ts'
import type { Experiment, Guard } from './experiment.ts'
import { type GuardState, newGuard, type Stop, VariantGuards } from './guard.ts'
import { findMetric, isOpenEnded, type Metric, measured } from './metric.ts'
import {
  forgetValues,
  learnValue,
  limitedValue,
  limitFirstValues,
  type MetricState,
  minimumEffectOf,
} from './metricState.ts'
import { isDoubtfulRatio, isMismatch, ratioEvidence, responseEvidence } from './ratio.ts'
import { newSpread } from './winsor.ts'

/** The first observations of a metric only establish the expectation; they are not compared. */
const WARM_UP = 10
/** The shape of the saved state; another one is folded anew from the log. */
const FORMAT = 2

/**
 * What counts as a unit: its assignment, as it was recorded; the end of its first request, in a log of an older keywise
 * that recorded no assignments; or its value of the deciding metric, where nothing else is known.
 */
type UnitSource = 'assigned' | 'ended' | 'reported'

/** Plain JSON; belongs to one version of one experiment. */
interface EvidenceState {
  readonly format: typeof FORMAT
  readonly experiment: string
  readonly version: number
  units: UnitSource | null
  readonly blocks: BlocksState
  readonly metrics: { [name: string]: MetricState }
  readonly guard: GuardState
}

/** Units by variant, in the order of the definition. */
export interface CountReport {
  /** The metric whose values are counted. */
  readonly metric: string
  /** Shares of the variants among all units that are compared; they add up to 1. */
  readonly shares: readonly number[]
  /** Null where assignments were not recorded (by an older keywise). */
  readonly assigned: readonly number[] | null
  /** Units with a value of the metric. */
  readonly reported: readonly number[]
  /** Units left out because an outage stopped their variant. */
  readonly leftOut: number
  /**
   * What does not fit: `assigned`: the units do not come in the shares; `reported`: the units of one variant report more
   * often than those of another. Null while all fits.
   */
  readonly mismatch: 'assigned' | 'reported' | null
}

/** Two variants compared on one metric; differences are second minus first in the metric's (logarithmic) unit. */
export interface PairReport {
  /** Name of the first variant. */
  readonly first: string
  /** Name of the second. */
  readonly second: string
  /** Name of the metric. */
  readonly metric: string
  /** The current interval of the difference; null while there are too few observations. */
  readonly interval: Interval | null
  /** The difference when it was decided; null before. */
  readonly decided: ComparisonDecision | null
  /** Observations of both variants so far. */
  readonly observations: number
  /** Roughly how many more observations a decision needs; null when unknown. */
  readonly stillNeeded: number | null
  /**
   * Why a decision waits for which the values suffice. `counts`: those of the two variants may not fit; `outage`: the
   * last requests of one failed because of its target. Null when none waits.
   */
  readonly waitsFor: 'counts' | 'outage' | null
}

export interface VariantReport {
  readonly variant: string
  readonly metric: string
  readonly observations: number
  /** In the metric's unit; milliseconds for latency (geometric mean). Null without observations. */
  readonly mean: number | null
}

type FoldedEvent = Pick<ObservationEvent, 'trial' | 'at' | 'values' | 'assigned' | 'outage' | 'lifted'>

interface Side {
  readonly metric: Metric
  readonly state: MetricState
  readonly pairs: readonly Comparison[]
}

export class Evidence {
  readonly experiment: Experiment
  readonly #state: EvidenceState
  readonly #blocks: Blocks
  readonly #guards: VariantGuards
  readonly #sides = new Map<string, Side>()
  readonly #indexes: readonly (readonly [first: number, second: number])[]
  /** By variant. */
  readonly #pairsWith: readonly (readonly {
    readonly first: number
    readonly second: number
    readonly pair: number
  }[])[]

  constructor(experiment: Experiment, state?: EvidenceState) {
    this.experiment = experiment
    this.#indexes = pairsOf(experiment.variants.length)
    const pairs = this.#indexes.map(([first, second], pair) => ({ first, second, pair }))
    this.#pairsWith = experiment.variants.map((_, index) =>
      pairs.filter(({ first, second }) => first === index || second === index),
    )
    this.#state = state ?? this.#newState()
    const names = experiment.variants.map(({ name }) => name)
    this.#guards = new VariantGuards(this.#state.guard, experiment.guard, names)
    this.#blocks = new Blocks(this.#state.blocks, {
      metric: experiment.metric.name,
      shares: experiment.variants.map(({ share }) => share),
      isStopped: (variant) => this.#guards.isStopped(variant),
      onClosed: (block) => this.#close(block),
    })
    for (const name of Object.keys(this.#state.metrics)) this.#side(name)
  }

  /** One row of the log. */
  fold({ trial, assigned, lifted, outage, values, at }: FoldedEvent): void {
    const index = this.#indexOf(trial.variant)
    if (index < 0) return
    if (lifted !== undefined) this.#guards.lift(index, lifted)
    else if (assigned === true) this.#assign(index, trial.at ?? at)
    const when = { at, place: trial.at ?? null, isOutage: outage === true }
    for (const [metric, value] of Object.entries(asRecord(values) ?? {}))
      if (typeof value === 'number') this.#observe(index, metric, value, when)
  }

  /** One value of one unit: 0..1 for quality, 0 or 1 for success, milliseconds for latency, USD for cost. */
  observe(variant: string, metric: string, value: number): void {
    const index = this.#indexOf(variant)
    if (index >= 0) this.#observe(index, metric, value, { at: 0, place: null, isOutage: false })
  }

  /** The guard for what is observed from now on; default: the experiment's. What another one stopped stays stopped. */
  useGuard(guard: Guard): void {
    this.#guards.useGuard(guard)
  }

  /** Variants that must not be assigned now; their units run as usual, so that the others stay comparable. */
  stopped(): readonly Stop[] {
    return this.#guards.stops()
  }

  /** Variants that are assigned again after an outage, and have not answered yet. */
  onTrial(): readonly string[] {
    return this.#guards.onTrial()
  }

  /** Whether failures say if they were only the target's; an older keywise did not record it. */
  get knowsOutages(): boolean {
    return this.#state.units === 'assigned'
  }

  pairs(metric: string = this.experiment.metric.name): readonly PairReport[] {
    const side = this.#sides.get(metric)
    if (side === undefined) return []
    return this.#indexes.map(([first, second], pair) => {
      const comparison = present(side.pairs[pair])
      const effect = minimumEffectOf(side)
      const waitsFor = comparison.isDue(effect) ? this.#obstacle(metric, pair) : null
      return {
        first: this.#nameOf(first),
        second: this.#nameOf(second),
        metric,
        interval: comparison.interval(effect),
        decided: comparison.state.decided,
        observations: comparison.state.observations,
        stillNeeded: waitsFor === null ? comparison.stillNeeded(effect) : null,
        waitsFor,
      }
    })
  }

  variants(): readonly VariantReport[] {
    return [...this.#sides.values()].flatMap(({ metric, state }) =>
      state.variants.map(({ count, sum }, index) => ({
        variant: this.#nameOf(index),
        metric: metric.name,
        observations: count,
        mean: count === 0 ? null : metric.scale === 'log' ? Math.exp(sum / count) : sum / count,
      })),
    )
  }

  /** How many units were assigned and reported, and whether that fits. `except`: variants that do not matter. */
  counts(metric: string = this.experiment.metric.name, except: ReadonlySet<string> = NO_NAMES): CountReport {
    const { assigned, reported } = this.#blocks.counts(metric)
    const all = this.experiment.variants.reduce((sum, { share }) => sum + share, 0)
    const mismatches = this.#indexes.map(([first, second], pair) =>
      except.has(this.#nameOf(first)) || except.has(this.#nameOf(second)) ? null : this.#mismatch(metric, pair),
    )
    return {
      metric,
      shares: this.experiment.variants.map(({ share }) => share / all),
      assigned: this.#state.units === 'reported' ? null : assigned,
      reported,
      leftOut: this.#state.blocks.leftOut,
      mismatch: mismatches.find((one) => one === 'assigned') ?? mismatches.find((one) => one !== null) ?? null,
    }
  }

  toJSON(): EvidenceState {
    return this.#state
  }

  #assign(index: number, place: number): void {
    const state = this.#state
    state.units ??= 'assigned'
    if (state.units === 'assigned') this.#blocks.assign(index, place)
  }

  #observe(index: number, metric: string, value: number, when: When): void {
    const side = this.#side(metric)
    const seen = side === undefined ? null : measured(side.metric, value)
    if (side === undefined || seen === null) return
    this.#unitOf(index, metric)
    const place = this.#state.units === 'assigned' ? when.place : null
    if (metric === this.experiment.metric.name) this.#blocks.fill(place)
    const block = this.#blocks.at(place)
    const isLeft = block?.left.includes(index) === true
    // It failed by the outage for which its variant is stopped by now.
    if (block !== null && !isLeft && when.isOutage && this.#guards.isPaused(index))
      this.#blocks.leaveOutOne(block, index)
    else if (!isLeft) this.#count(side, index, seen, block)
    this.#guard(index, metric, seen, when)
  }

  /** Without recorded assignments a unit is known by the first that is heard of it. */
  #unitOf(index: number, metric: string): void {
    const state = this.#state
    state.units ??= metric === 'success' ? 'ended' : 'reported'
    if (state.units === 'assigned') return
    if (metric === (state.units === 'ended' ? 'success' : this.experiment.metric.name)) this.#blocks.assign(index, null)
  }

  #count({ metric, state, pairs }: Side, index: number, seen: number, block: Block | null): void {
    const isFirst = state.spread === null ? state.count < WARM_UP : state.spread.count === 0
    const value = limitedValue(state, index, seen)
    if (isFirst || block === null) this.#blocks.count(block, metric.name, index)
    if (!isFirst) this.#compare({ metric, state, pairs }, index, value, block)
    learnValue(state, index, value)
    if (isFirst && state.spread !== null && state.spread.count > 0) limitFirstValues(state, state.spread)
  }

  #compare({ pairs, state, metric }: Side, index: number, value: number, block: Block | null): void {
    const { name } = metric
    const concerned = present(this.#pairsWith[index])
    const before = block?.metrics[name]
    if (before !== undefined)
      for (const { first, second, pair } of concerned) contribute(present(pairs[pair]).state, before, first, second, -1)
    if (block !== null) this.#blocks.add(block, name, index, value)
    const after = block?.metrics[name]
    const effect = minimumEffectOf({ metric, state })
    for (const { first, second, pair } of concerned) {
      const comparison = present(pairs[pair])
      if (after !== undefined) contribute(comparison.state, after, first, second, 1)
      // A variant that is not assigned makes its pairs one-sided, so they stay as they were.
      if (block?.left.includes(first) || block?.left.includes(second)) continue
      comparison.observe(index === second, value, state.expected)
      comparison.look(effect, this.#state.blocks.last, () => this.#obstacle(name, pair) === null)
    }
  }

  /** Why nothing may be decided now: one of the two may have run into an outage, or the counts may not fit. */
  #obstacle(metric: string, pair: number): PairReport['waitsFor'] {
    const [first, second] = present(this.#indexes[pair])
    if (this.#guards.isSuspect(first) || this.#guards.isSuspect(second)) return 'outage'
    const { assigned, reported, soFar } = this.#ratios(metric, pair)
    return isDoubtfulRatio(assigned) || isDoubtfulRatio(reported ?? soFar) ? 'counts' : null
  }

  #mismatch(metric: string, pair: number): CountReport['mismatch'] {
    const { assigned, reported } = this.#ratios(metric, pair)
    const pairs = Math.log(this.#indexes.length)
    if (isMismatch(assigned - pairs)) return this.#state.units === 'reported' ? 'reported' : 'assigned'
    return isMismatch((reported ?? 0) - pairs) ? 'reported' : null
  }

  /**
   * The evidence against the counts of two variants. `reported`: of the units whose values had the time to come, null
   * while these are fewer than half; `soFar`: of all.
   */
  #ratios(
    metric: string,
    pair: number,
  ): { readonly assigned: number; readonly reported: number | null; readonly soFar: number } {
    const [first, second] = present(this.#indexes[pair])
    const shareOf = (index: number) => present(this.experiment.variants[index]).share
    const both = shareOf(first) + shareOf(second)
    const shares = [shareOf(first) / both, shareOf(second) / both]
    const all = this.#blocks.pairCounts(metric, pair, false)
    const settled = this.#blocks.pairCounts(metric, pair, true)
    const isMost = 2 * unitsIn(settled.assigned) >= unitsIn(all.assigned)
    return {
      assigned: ratioEvidence(all.assigned, shares),
      reported: isMost ? responseEvidence(settled, shares) : null,
      soFar: responseEvidence(all, shares),
    }
  }

  #side(name: string): Side | undefined {
    const known = this.#sides.get(name)
    if (known !== undefined) return known
    const metric = name === this.experiment.metric.name ? this.experiment.metric : findMetric(name)
    if (metric === undefined) return undefined
    const state = this.#state.metrics[name] ?? this.#newMetric(metric)
    this.#state.metrics[name] = state
    const side = { metric, state, pairs: state.pairs.map((pair, index) => this.#comparison(metric, pair, index)) }
    this.#sides.set(name, side)
    return side
  }

  #comparison(metric: Metric, state: ComparisonState, pair: number): Comparison {
    const [first = 0, second = 0] = this.#indexes[pair] ?? []
    const shareOf = (index: number) => present(this.experiment.variants[index]).share
    const secondShare = shareOf(second) / (shareOf(first) + shareOf(second))
    const range = metric.max - metric.min
    return new Comparison({ alpha: this.experiment.alpha / this.#indexes.length, secondShare, range }, state)
  }

  #guard(index: number, metric: string, value: number, { at, place, isOutage }: When): void {
    if (metric !== 'success' && metric !== 'cost') return
    const wasStopped = this.#guards.isStopped(index)
    const began =
      metric === 'cost'
        ? this.#guards.cost(index, value, at)
        : this.#guards.ended(index, { ok: value >= 0.5, isOutage, at, place: place ?? at })
    if (typeof began === 'number') this.#leaveOut(index, began)
    if (!wasStopped && this.#guards.isStopped(index)) this.#blocks.cut()
  }

  /** The units of an outage are taken out of every comparison and mean. */
  #leaveOut(index: number, since: number): void {
    const left = new Map<string, number>()
    for (const block of this.#blocks.since(since)) {
      for (const [name, { values, sums, base }] of Object.entries(block.metrics)) {
        const count = values[index] ?? 0
        left.set(name, (left.get(name) ?? 0) + count)
        const variant = this.#sides.get(name)?.state.variants[index]
        if (variant !== undefined) forgetValues(variant, count, sums[index] ?? 0, base)
      }
      this.#blocks.leaveOut(block, index)
    }
    for (const side of this.#sides.values()) this.#addUp(side, index, since, left.get(side.metric.name) ?? 0)
  }

  /** Works out anew what the pairs of a variant come to: sums from which something was taken would keep its rounding. */
  #addUp(side: Side, index: number, since: number, left: number): void {
    const { open } = this.#state.blocks
    for (const { first, second, pair } of present(this.#pairsWith[index])) {
      const comparison = present(side.pairs[pair])
      const { state } = comparison
      comparison.takeBack(since, left, minimumEffectOf(side))
      const sums = openContribution(open, side.metric.name, first, second)
      state.score = state.closed.score + sums.score
      state.information = state.closed.information + sums.information
      state.variance = state.closed.variance + sums.variance
    }
  }

  #close({ metrics }: Block): void {
    for (const { metric, pairs } of this.#sides.values()) {
      const sums = metrics[metric.name]
      if (sums === undefined) continue
      for (const [pair, [first, second]] of this.#indexes.entries())
        contribute(present(pairs[pair]).state.closed, sums, first, second, 1)
    }
  }

  #indexOf(variant: string): number {
    return this.experiment.variants.findIndex(({ name }) => name === variant)
  }

  #nameOf(index: number): string {
    return this.experiment.variants[index]?.name ?? ''
  }

  #newState(): EvidenceState {
    const { name, version, variants } = this.experiment
    const metrics: { [name: string]: MetricState } = Object.create(null)
    const count = variants.length
    return {
      format: FORMAT,
      experiment: name,
      version,
      units: null,
      blocks: newBlocks(count),
      metrics,
      guard: newGuard(count),
    }
  }

  #newMetric(metric: Metric): MetricState {
    const variants = this.experiment.variants.map(() => ({ count: 0, sum: 0 }))
    const spread = isOpenEnded(metric) ? newSpread() : null
    return { expected: 0, count: 0, spread, variants, pairs: this.#indexes.map(newComparison) }
  }
}

/** When a value came, and where its unit stands; null where that is unknown. */
interface When {
  readonly at: number
  readonly place: number | null
  readonly isOutage: boolean
}

const unitsIn = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0)

const NO_NAMES: ReadonlySet<string> = new Set()

/**
 * State saved with this version of the experiment, or undefined when it belongs to another version, was saved by another
 * version of keywise, or is damaged: then the log is folded anew.
 */
export function savedState(experiment: Experiment, saved: Json | undefined): EvidenceState | undefined {
  const record = asRecord(saved)
  const metrics = asRecord(record?.['metrics'])
  if (record?.['experiment'] !== experiment.name || record['version'] !== experiment.version) return undefined
  const variants = experiment.variants.length
  const isWhole =
    record['format'] === FORMAT &&
    metrics !== undefined &&
    lengthOf(asRecord(record['guard'])?.['variants']) === variants &&
    lengthOf(asRecord(record['blocks'])?.['delays']) === variants &&
    Object.values(metrics).every((metric) => lengthOf(asRecord(metric)?.['pairs']) === pairsOf(variants).length)
  // Written by `toJSON` of the same version; the shape is checked as far as damage would matter.
  return isWhole ? (structuredClone(record) as unknown as EvidenceState) : undefined
}

function lengthOf(list: unknown): number {
  return Array.isArray(list) ? list.length : -1
}
