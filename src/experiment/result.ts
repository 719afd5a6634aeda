/** The result of an experiment, in one sentence for users. */

import type { ComparisonDecision, Interval } from './comparison.ts'
import type { Evidence, PairReport, VariantReport } from './evidence.ts'
import type { Variant } from './experiment.ts'
import type { Metric } from './metric.ts'

/** What an experiment has shown so far. */
export interface ExperimentResult {
  /** `decided`: safe to stop. `equal`: no difference that matters. `stopped`: the guard stopped every rival. */
  readonly state: 'collecting' | 'undecided' | 'decided' | 'equal' | 'stopped'
  /** The best variant; null while undecided. */
  readonly winner: string | null
  /** One sentence for users. */
  readonly text: string
  /** Roughly how many more observations a decision needs; null when unknown, 0 when it is made. */
  readonly stillNeeded: number | null
}

/** The result on the deciding metric, with its cost in the others. */
export function experimentResultOf(evidence: Evidence): ExperimentResult {
  const { metric, variants } = evidence.experiment
  const stopped = new Set(evidence.stopped().map(({ variant }) => variant))
  const notes = evidence.stopped().map(({ variant, reason }) => `${variant} was stopped: ${reason}`)
  const running = variants.filter(({ name }) => !stopped.has(name))
  const pairs = evidence.pairs().filter(({ first, second }) => !stopped.has(first) && !stopped.has(second))
  const baseline = running[0]?.name ?? null
  if (running.length < 2) return say('stopped', baseline, [`${baseline} remains`, ...notes, 'safe to stop'], 0)
  const winner = running.find(({ name }) =>
    pairs.every((pair) => !involves(pair, name) || isBetter(pair, name, metric)),
  )
  if (winner !== undefined && pairs.length > 0) return won(evidence, winner.name, pairs, metric, notes)
  if (pairs.length > 0 && pairs.every(({ decided }) => decided !== null)) return shared(running, pairs, metric, notes)
  return waiting(pairs, metric, notes)
}

function won(
  evidence: Evidence,
  winner: string,
  pairs: readonly PairReport[],
  metric: Metric,
  notes: string[],
): ExperimentResult {
  const mine = pairs.filter((pair) => involves(pair, winner))
  // Against the closest rival: the one it beats by the least.
  const rival = mine.reduce((a, b) => (least(towards(a, winner)) <= least(towards(b, winner)) ? a : b))
  const other = rival.first === winner ? rival.second : rival.first
  const margin = mine.length > 1 ? ` than ${other}, the next best,` : ''
  const parts = [
    `${winner} is better${margin} ${describe(towards(rival, winner), metric)}`,
    ...sideEffects(evidence, winner, other),
    ...notes,
    'safe to stop',
  ]
  return say('decided', winner, parts, 0)
}

/** Everything is decided and no variant beats all others: the unbeaten ones are equally good. */
function shared(
  running: readonly Variant[],
  pairs: readonly PairReport[],
  metric: Metric,
  notes: string[],
): ExperimentResult {
  const best = running.filter(({ name }) => !pairs.some((pair) => involves(pair, name) && isWorse(pair, name, metric)))
  const names = best.map(({ name }) => name)
  const most = metric.scale === 'plain' ? String(metric.minimumEffect) : `${metric.minimumEffect * 100} %`
  const equal = `no difference of ${most} or more in ${metric.name}`
  if (names.length === running.length) return say('equal', names[0] ?? null, [equal, ...notes, 'safe to stop'], 0)
  const lead = `${names.join(' and ')} are the best, with ${equal} between them`
  return say('decided', names[0] ?? null, [lead, ...notes, 'safe to stop'], 0)
}

/** Differences in the other metrics that are certain. */
function sideEffects(evidence: Evidence, winner: string, other: string): string[] {
  const means = evidence.variants()
  return means
    .filter(({ variant, metric }) => variant === winner && metric !== evidence.experiment.metric.name)
    .flatMap(({ metric }) => {
      const pair = evidence.pairs(metric).find((report) => involves(report, winner) && involves(report, other))
      const interval = pair === undefined ? null : towards(pair, winner)
      return interval !== null && least(interval) > 0 ? [sideEffect(metric, winner, other, means)] : []
    })
}

function sideEffect(name: string, winner: string, other: string, means: readonly VariantReport[]): string {
  const meanOf = (variant: string) => means.find((row) => row.variant === variant && row.metric === name)?.mean ?? 0
  const change = meanOf(winner) / meanOf(other) - 1
  const percent = `${Math.abs(change * 100).toFixed(0)} %`
  if (name === 'cost') return `costs ${percent} ${change > 0 ? 'more' : 'less'}`
  if (name === 'latency') return `is ${percent} ${change > 0 ? 'slower' : 'faster'}`
  return `has ${percent} ${change > 0 ? 'more' : 'less'} ${name}`
}

function waiting(pairs: readonly PairReport[], metric: Metric, notes: string[]): ExperimentResult {
  const sized = pairs.filter(({ interval }) => interval !== null)
  const open = pairs.filter(({ decided }) => decided === null)
  const needed = open.map(({ stillNeeded }) => stillNeeded)
  const most = needed.includes(null) ? null : Math.max(0, ...needed.map(Number))
  if (sized.length === 0) return say('collecting', null, ['too early to say anything', ...notes], most)
  const more = most === null ? '' : `; about ${most} more observations`
  return say('undecided', null, [`no difference in ${metric.name} is certain yet${more}`, ...notes], most)
}

function say(
  state: ExperimentResult['state'],
  winner: string | null,
  parts: readonly string[],
  needed: number | null,
): ExperimentResult {
  const safe = parts.at(-1) === 'safe to stop'
  const text = safe ? `${parts.slice(0, -1).join(', ')}; safe to stop` : parts.join(', ')
  return { state, winner, text, stillNeeded: needed }
}

function involves({ first, second }: PairReport, name: string): boolean {
  return first === name || second === name
}

function isBetter({ first, decided }: PairReport, name: string, metric: Metric): boolean {
  if (decided === null || decided.outcome === 'equal') return false
  const higher: ComparisonDecision['outcome'] = first === name ? 'first-higher' : 'second-higher'
  return (decided.outcome === higher) === (metric.better === 'higher')
}

function isWorse(pair: PairReport, name: string, metric: Metric): boolean {
  return isBetter(pair, pair.first === name ? pair.second : pair.first, metric)
}

/** The difference "this variant minus the other"; for a decided pair the current one, if it still excludes 0. */
function towards(pair: PairReport, name: string): Interval {
  const now = pair.interval
  const { low, high } = now !== null && least(now) > 0 ? now : (pair.decided ?? now ?? { low: 0, high: 0 })
  return pair.second === name ? { low, high } : { low: -high, high: -low }
}

/** The smallest difference, in either direction, that the interval allows. */
function least({ low, high }: Interval): number {
  return low > 0 ? low : high < 0 ? -high : 0
}

function describe({ low, high }: Interval, metric: Metric): string {
  const [a, b] = low < 0 ? [-high, -low] : [low, high]
  if (metric.scale === 'log') {
    // Logarithms: exp(-a) of the time remains.
    const percent = (log: number) => `${Math.round((1 - Math.exp(-log)) * 100)} %`
    return `by ${percent(a)} to ${percent(b)} in ${metric.name}`
  }
  return `by ${number(a)} to ${number(b)} in ${metric.name}`
}

function number(value: number): string {
  return String(Number(value.toPrecision(value < 0.1 ? 1 : 2)))
}
