/** The result of an experiment, in one sentence for users. */

import type { ComparisonDecision, Interval } from './comparison.ts'
import type { CountReport, Evidence, PairReport, VariantReport } from './evidence.ts'
import type { Variant } from './experiment.ts'
import { type Stop, stopText } from './guard.ts'
import { findMetric, type Metric } from './metric.ts'
import { betterBy, countsText, effectText, enumerated, meansText, mismatchText } from './words.ts'

/** What an experiment has shown so far. */
export interface ExperimentResult {
  /**
   * `decided`: safe to stop. `equal`: no difference that matters. `stopped`: the guard stopped every rival, or the
   * baseline, for failures of their own. `paused`: an outage stopped a variant for the time being. `mismatch`: who is
   * counted depends on the variant, so nothing can be said.
   */
  readonly state: 'collecting' | 'undecided' | 'decided' | 'equal' | 'stopped' | 'paused' | 'mismatch'
  /** The best variant; null while undecided. */
  readonly winner: string | null
  /** One sentence for users. */
  readonly text: string
  /** Roughly how many more observations a decision needs; null when unknown, 0 when it is made. */
  readonly stillNeeded: number | null
  /** Units assigned to the variants and reporting the deciding metric, and whether they fit the shares. */
  readonly counts: CountReport
}

/** A result before the counts are told beside it. */
interface Finding {
  readonly state: ExperimentResult['state']
  readonly winner: string | null
  readonly parts: readonly string[]
  readonly needed: number | null
  readonly isSafe?: true
}

/** The result on the deciding metric, with its cost in the others. */
export function experimentResultOf(evidence: Evidence): ExperimentResult {
  const stops = evidence.stopped()
  const gone = new Set(stops.filter(({ kind }) => kind !== 'outage').map(({ variant }) => variant))
  const counts = evidence.counts(evidence.experiment.metric.name, gone)
  const { state, winner, parts, needed, isSafe } = findingOf(evidence, stops, gone, counts)
  const text = [parts.join(', '), countsText(counts), ...(isSafe === true ? ['safe to stop'] : [])].join('; ')
  return { state, winner, text, stillNeeded: needed, counts }
}

function findingOf(
  evidence: Evidence,
  stops: readonly Stop[],
  gone: ReadonlySet<string>,
  counts: CountReport,
): Finding {
  const { metric, variants, name } = evidence.experiment
  const notes = stops.map(stopText)
  const baseline = variants[0]?.name ?? ''
  if (gone.has(baseline)) return { state: 'stopped', winner: null, parts: [baselineText(name, notes)], needed: null }
  const running = variants.filter((one) => !gone.has(one.name))
  if (running.length < 2) return remaining(evidence, baseline, stops)
  if (counts.mismatch !== null) {
    const names = variants.map((one) => one.name)
    return { state: 'mismatch', winner: null, parts: [mismatchText(counts, names), ...notes], needed: null }
  }
  const pairs = evidence.pairs().filter(({ first, second }) => !gone.has(first) && !gone.has(second))
  const winner = running.find((one) =>
    pairs.every((pair) => !involves(pair, one.name) || isBetter(pair, one.name, metric)),
  )
  if (winner !== undefined && pairs.length > 0) return won(evidence, winner.name, pairs, metric, notes)
  if (pairs.length > 0 && pairs.every(({ decided }) => decided !== null)) return shared(running, pairs, metric, notes)
  const paused = stops.filter(({ kind }) => kind === 'outage').map(({ variant }) => variant)
  const onTrial = evidence.onTrial()
  if (paused.length + onTrial.length > 0) return waitingForTarget(paused, onTrial, notes)
  return waiting(evidence, pairs, notes)
}

function remaining({ experiment, knowsOutages }: Evidence, baseline: string, stops: readonly Stop[]): Finding {
  const parts = [`${baseline} remains`, ...stops.map(stopText)]
  const finding = { state: 'stopped', winner: baseline, needed: 0 } as const
  if (knowsOutages || stops.every(({ kind }) => kind !== 'failures')) return { ...finding, parts, isSafe: true }
  const unknown = `an older keywise did not record whether it was an outage of the target (keywise experiment start ${experiment.name} tries again)`
  return { ...finding, parts: [...parts, unknown] }
}

function baselineText(name: string, notes: readonly string[]): string {
  return `nothing is compared, because the baseline fails: ${notes.join(', ')}; its units run as usual until a person starts it again (keywise experiment start ${name})`
}

function waitingForTarget(paused: readonly string[], onTrial: readonly string[], notes: readonly string[]): Finding {
  const whose = paused.length === 1 ? 'its units run' : 'their units run'
  const parts = [
    `nothing can be said of ${enumerated([...paused, ...onTrial])} now`,
    ...onTrial.map((name) => `${name} is tried again after an outage of its target`),
    ...(paused.length === 0 ? notes : [`${notes.join(', ')}; ${whose} as usual until the target is well again`]),
  ]
  return { state: 'paused', winner: null, parts, needed: null }
}

function won(
  evidence: Evidence,
  winner: string,
  pairs: readonly PairReport[],
  metric: Metric,
  notes: readonly string[],
): Finding {
  const mine = pairs.filter((pair) => involves(pair, winner))
  // Against the closest rival: the one it beats by the least.
  const rival = mine.reduce((a, b) => (least(towards(a, winner)) <= least(towards(b, winner)) ? a : b))
  const other = rival.first === winner ? rival.second : rival.first
  const margin = mine.length > 1 ? `than ${other}, the next best, ` : ''
  const [one, its] = meansOf(evidence, metric.name, winner, other)
  const by = betterBy(metric, positive(towards(rival, winner)), its)
  const said = by.startsWith('better ')
    ? by.replace('better ', `better ${margin}`)
    : `${by} ${margin}`.trimEnd().replace(/,$/, '')
  const parts = [
    `${winner} is ${said} (${meansText(metric, one, its)})`,
    ...sideEffects(evidence, winner, other),
    ...notes,
  ]
  return { state: 'decided', winner, parts, needed: 0, isSafe: true }
}

/** Everything is decided and no variant beats all others: the unbeaten ones are equally good. */
function shared(
  running: readonly Variant[],
  pairs: readonly PairReport[],
  metric: Metric,
  notes: readonly string[],
): Finding {
  const best = running.filter(({ name }) => !pairs.some((pair) => involves(pair, name) && isWorse(pair, name, metric)))
  const names = best.map(({ name }) => name)
  const winner = names[0] ?? null
  const equal = `no difference of ${effectText(metric)} or more in ${metric.name}`
  if (names.length === running.length)
    return { state: 'equal', winner, parts: [equal, ...notes], needed: 0, isSafe: true }
  const lead = `${enumerated(names)} are the best, with ${equal} between them`
  return { state: 'decided', winner, parts: [lead, ...notes], needed: 0, isSafe: true }
}

/** Differences in the other metrics that are certain. */
function sideEffects(evidence: Evidence, winner: string, other: string): string[] {
  const deciding = evidence.experiment.metric.name
  const names = new Set(evidence.variants().map(({ metric }) => metric))
  names.delete(deciding)
  return [...names].flatMap((metric) => {
    const pair = evidence.pairs(metric).find((report) => involves(report, winner) && involves(report, other))
    const interval = pair === undefined ? null : towards(pair, winner)
    if (interval === null || least(interval) === 0 || evidence.counts(metric).mismatch !== null) return []
    return [sideEffect(metric, ...meansOf(evidence, metric, winner, other))]
  })
}

function sideEffect(name: string, mean: number, otherMean: number): string {
  const change = mean / otherMean - 1
  const percent = `${Math.abs(change * 100).toFixed(0)} %`
  const means = meansText(findMetric(name) ?? { name, scale: 'plain' }, mean, otherMean)
  if (name === 'cost') return `costs ${percent} ${change > 0 ? 'more' : 'less'} (${means})`
  if (name === 'latency') return `is ${percent} ${change > 0 ? 'slower' : 'faster'} (${means})`
  return `has ${change > 0 ? 'more' : 'less'} ${name} (${means})`
}

function meansOf(evidence: Evidence, metric: string, one: string, other: string): [one: number, other: number] {
  const rows: readonly VariantReport[] = evidence.variants().filter((row) => row.metric === metric)
  const meanOf = (variant: string) => rows.find((row) => row.variant === variant)?.mean ?? 0
  return [meanOf(one), meanOf(other)]
}

/** From this many values of each variant on it is no longer early. */
const NOT_EARLY = 100

function waiting(evidence: Evidence, pairs: readonly PairReport[], notes: readonly string[]): Finding {
  const { metric } = evidence.experiment
  const sized = pairs.filter(({ interval }) => interval !== null)
  const open = pairs.filter(({ decided }) => decided === null)
  const needed = open.map(({ stillNeeded }) => stillNeeded)
  const most = needed.length === 0 || needed.includes(null) ? null : Math.max(1, ...needed.map(Number))
  const base = { winner: null, needed: most }
  const withheld = open.find(({ waitsFor }) => waitsFor !== null)
  if (withheld !== undefined) return { ...base, state: 'undecided', parts: [withheldText(withheld), ...notes] }
  if (sized.length === 0) {
    const values = evidence.variants().filter((row) => row.metric === metric.name)
    const isEarly = values.length === 0 || values.some(({ observations }) => observations < NOT_EARLY)
    const alike = `nearly all values of ${metric.name} are alike so far, and it takes many more to be certain that they stay so`
    return { ...base, state: 'collecting', parts: [isEarly ? 'too early to say anything' : alike, ...notes] }
  }
  const more = most === null ? '' : `; about ${most} more observations`
  return { ...base, state: 'undecided', parts: [`no difference in ${metric.name} is certain yet${more}`, ...notes] }
}

function withheldText({ first, second, waitsFor }: PairReport): string {
  return waitsFor === 'outage'
    ? `a decision on ${first} and ${second} waits: the last requests of one of them all failed because of its target, which may be an outage`
    : `a decision on ${first} and ${second} waits until more units show whether their counts fit`
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

/** The size of a difference, whichever direction is the better one. */
function positive({ low, high }: Interval): Interval {
  return low < 0 ? { low: -high, high: -low } : { low, high }
}
