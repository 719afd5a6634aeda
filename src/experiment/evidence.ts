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
import {
  Comparison,
  type ComparisonDecision,
  type ComparisonState,
  type Interval,
  newComparison,
} from './comparison.ts'
import type { Experiment, Guard } from './experiment.ts'
import { countCost, countSuccess, type GuardSums, newSums, type Stop, stopReason } from './guard.ts'
import { findMetric, type Metric, measured } from './metric.ts'

/** Number of observations averaged to predict the next one. */
const MEMORY = 200
/** The first observations of a metric only establish the expectation; they are not compared. */
const WARM_UP = 10

interface VariantState {
  count: number
  mean: number
}

interface MetricState {
  /** What the next observation is expected to be, whatever its variant. */
  expected: number
  count: number
  readonly variants: VariantState[]
  /** In the order of `pairsOf`. */
  readonly pairs: ComparisonState[]
}

/** Plain JSON; belongs to one version of one experiment. */
interface EvidenceState {
  readonly experiment: string
  readonly version: number
  readonly metrics: { [name: string]: MetricState }
  readonly sums: GuardSums[]
  /** Why each variant was stopped; null for those still running. */
  readonly stopped: (string | null)[]
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
}

export interface VariantReport {
  readonly variant: string
  readonly metric: string
  readonly observations: number
  /** In the metric's unit; milliseconds for latency (geometric mean). Null without observations. */
  readonly mean: number | null
}

interface Side {
  readonly metric: Metric
  readonly state: MetricState
  readonly pairs: readonly Comparison[]
}

export class Evidence {
  readonly experiment: Experiment
  readonly #state: EvidenceState
  #rule: Guard
  readonly #sides = new Map<string, Side>()
  readonly #indexes: readonly (readonly [first: number, second: number])[]

  constructor(experiment: Experiment, state?: EvidenceState) {
    this.experiment = experiment
    this.#rule = experiment.guard
    this.#indexes = pairsOf(experiment.variants.length)
    this.#state = state ?? this.#newState()
    for (const name of Object.keys(this.#state.metrics)) this.#side(name)
  }

  /** One value of one unit: 0..1 for quality, 0 or 1 for success, milliseconds for latency, USD for cost. */
  observe(variant: string, metric: string, value: number): void {
    const index = this.experiment.variants.findIndex(({ name }) => name === variant)
    const side = index < 0 ? undefined : this.#side(metric)
    const seen = side === undefined ? null : measured(side.metric, value)
    if (side === undefined || seen === null) return
    if (side.state.count >= WARM_UP) this.#compare(side, index, seen)
    learn(side.state, index, seen)
    this.#guard(index, metric, seen)
  }

  /** The guard for what is observed from now on; default: the experiment's. What another one stopped stays stopped. */
  useGuard(guard: Guard): void {
    this.#rule = guard
  }

  /** Variants that must no longer be assigned; their units run as usual, so that the others stay comparable. */
  stopped(): readonly Stop[] {
    return this.#state.stopped.flatMap((reason, index) =>
      reason === null ? [] : [{ variant: this.#nameOf(index), reason }],
    )
  }

  pairs(metric: string = this.experiment.metric.name): readonly PairReport[] {
    const side = this.#sides.get(metric)
    if (side === undefined) return []
    return this.#indexes.map(([first, second], pair) => {
      const comparison = present(side.pairs[pair])
      const effect = effectOf(side)
      return {
        first: this.#nameOf(first),
        second: this.#nameOf(second),
        metric,
        interval: comparison.interval(effect),
        decided: comparison.state.decided,
        observations: comparison.state.count,
        stillNeeded: comparison.stillNeeded(effect),
      }
    })
  }

  variants(): readonly VariantReport[] {
    return [...this.#sides.values()].flatMap(({ metric, state }) =>
      state.variants.map(({ count, mean }, index) => ({
        variant: this.#nameOf(index),
        metric: metric.name,
        observations: count,
        mean: count === 0 ? null : metric.scale === 'log' ? Math.exp(mean) : mean,
      })),
    )
  }

  toJSON(): EvidenceState {
    return this.#state
  }

  #compare({ pairs, state, metric }: Side, index: number, value: number): void {
    const effect = effectOf({ metric, state })
    const { stopped } = this.#state
    for (const [pair, [first, second]] of this.#indexes.entries()) {
      // A variant that is no longer assigned makes its pairs one-sided, so they stay as they were.
      if ((index !== first && index !== second) || stopped[first] !== null || stopped[second] !== null) continue
      pairs[pair]?.observe(index === second, value, state.expected, effect)
    }
  }

  #side(name: string): Side | undefined {
    const known = this.#sides.get(name)
    if (known !== undefined) return known
    const metric = name === this.experiment.metric.name ? this.experiment.metric : findMetric(name)
    if (metric === undefined) return undefined
    const state = this.#state.metrics[name] ?? this.#newMetric()
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

  #guard(index: number, metric: string, value: number): void {
    const { sums, stopped } = this.#state
    const its = present(sums[index])
    if (metric === 'success') countSuccess(its, value >= 0.5)
    else if (metric === 'cost') countCost(its, value)
    else return
    if (index > 0) stopped[index] ??= stopReason(this.#rule, present(sums[0]), its)
  }

  #nameOf(index: number): string {
    return this.experiment.variants[index]?.name ?? ''
  }

  #newState(): EvidenceState {
    const { name, version, variants } = this.experiment
    const metrics: { [name: string]: MetricState } = Object.create(null)
    return { experiment: name, version, metrics, sums: variants.map(newSums), stopped: variants.map(() => null) }
  }

  #newMetric(): MetricState {
    const variants = this.experiment.variants.map(() => ({ count: 0, mean: 0 }))
    return { expected: 0, count: 0, variants, pairs: this.#indexes.map(newComparison) }
  }
}

/** All pairs among that many variants. */
function pairsOf(count: number): readonly (readonly [number, number])[] {
  const pairs: [number, number][] = []
  for (let first = 0; first < count; first++)
    for (let second = first + 1; second < count; second++) pairs.push([first, second])
  return pairs
}

/** The smallest difference that matters, in the metric's unit. */
function effectOf({ metric, state }: Pick<Side, 'metric' | 'state'>): number {
  return metric.scale === 'share' ? metric.minimumEffect * Math.abs(state.expected) : metric.minimumEffect
}

function learn(state: MetricState, index: number, value: number): void {
  state.count++
  state.expected += (value - state.expected) / Math.min(state.count, MEMORY)
  const variant = present(state.variants[index])
  variant.count++
  variant.mean += (value - variant.mean) / variant.count
}

/**
 * State saved with this version of the experiment, or undefined when it belongs to another version or is damaged: then
 * that data is kept separately and counting starts again.
 */
export function savedState(experiment: Experiment, saved: Json | undefined): EvidenceState | undefined {
  const record = asRecord(saved)
  const metrics = asRecord(record?.['metrics'])
  if (record?.['experiment'] !== experiment.name || record['version'] !== experiment.version) return undefined
  const variants = experiment.variants.length
  const isWhole =
    metrics !== undefined &&
    lengthOf(record['sums']) === variants &&
    lengthOf(record['stopped']) === variants &&
    Object.values(metrics).every((metric) => lengthOf(asRecord(metric)?.['pairs']) === pairsOf(variants).length)
  // Written by `toJSON` of the same version; the shape is checked as far as damage would matter.
  return isWhole ? (structuredClone(record) as unknown as EvidenceState) : undefined
}

function lengthOf(list: unknown): number {
  return Array.isArray(list) ? list.length : -1
}
