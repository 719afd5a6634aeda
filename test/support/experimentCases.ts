/**
 * Simulated experiments: who is assigned, what each unit is worth, who reports it and when. The product's own evidence
 * looks after every single event.
 */

import { Evidence } from '../../src/experiment/evidence.ts'
import { type Experiment, readExperiment } from '../../src/experiment/experiment.ts'

/** 0..1, uniform. */
export type Dice = () => number

/** mulberry32: small, fast and portable. */
export function diceOf(seed: number): Dice {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function normal(dice: Dice): number {
  return Math.sqrt(-2 * Math.log(1 - dice())) * Math.cos(2 * Math.PI * dice())
}

export interface ExperimentCase {
  readonly name: string
  /** Units assigned in one experiment. */
  readonly units: number
  /** By variant; default two halves. */
  readonly shares?: readonly number[]
  readonly metric?: unknown
  readonly minimumEffect?: number
  /** The value of a unit: its variant, how many units came before it. */
  readonly draw: (variant: number, unit: number, dice: Dice) => number
  /** The probability that a unit reports its value; default 1. */
  readonly reports?: (variant: number, value: number) => number
  /** Units assigned until the value arrives; default 0. */
  readonly late?: (variant: number, dice: Dice) => number
}

interface CaseResult {
  /** The variant that was called higher than another. */
  readonly higher: 'first' | 'second' | null
  readonly isEqual: boolean
  /** Units with a value at the first decision; null without one. */
  readonly observations: number | null
  /** Why there is no verdict at the end. */
  readonly mismatch: 'assigned' | 'reported' | null
}

export function experimentOf({ shares = [0.5, 0.5], metric = 'quality', minimumEffect }: ExperimentCase): Experiment {
  const variants = shares.map((share, index) => ({ name: `v${index}`, share }))
  const reading = readExperiment(
    { name: 'case', variants, metric, ...(minimumEffect !== undefined && { minimum_effect: minimumEffect }) },
    'case',
    [],
  )
  if (!reading.ok) throw new Error(reading.problems.join('; '))
  return reading.experiment
}

/** One experiment from its first unit to its decision, or its end. `look`: called after every value. */
export function runCase(one: ExperimentCase, seed: number, look?: (evidence: Evidence) => void): CaseResult {
  const { units, shares = [0.5, 0.5], draw, reports, late } = one
  const dice = diceOf(seed * 7_919 + 13)
  const experiment = experimentOf(one)
  const evidence = new Evidence(experiment)
  const metric = experiment.metric.name
  const names = experiment.variants.map(({ name }) => name)
  const waiting = new Map<number, { variant: number; value: number; place: number }[]>()
  const { metrics } = evidence.toJSON()
  const isDone = () => metrics[metric]?.pairs.every(({ decided }) => decided !== null) === true
  const deliver = (variant: number, value: number, place: number, at: number) => {
    const trial = { experiment: 'case', version: 1, variant: names[variant] ?? '', unit: '', at: place }
    evidence.fold({ trial, at, values: { [metric]: value } })
    look?.(evidence)
  }
  for (let unit = 1; unit <= units; unit++) {
    const variant = pick(shares, dice())
    const trial = { experiment: 'case', version: 1, variant: names[variant] ?? '', unit: '', at: unit }
    evidence.fold({ trial, at: unit, values: {}, assigned: true })
    const value = draw(variant, unit, dice)
    const isReported = reports === undefined || dice() < reports(variant, value)
    const delay = late === undefined ? 0 : late(variant, dice)
    if (isReported && delay === 0) deliver(variant, value, unit, unit)
    else if (isReported) {
      const due = unit + delay
      const list = waiting.get(due) ?? []
      waiting.set(due, list)
      list.push({ variant, value, place: unit })
    }
    const due = late === undefined ? undefined : waiting.get(unit)
    for (const each of due ?? []) deliver(each.variant, each.value, each.place, unit)
    if (unit % 16 === 0 && isDone()) break
  }
  return resultOf(evidence)
}

function resultOf(evidence: Evidence): CaseResult {
  const decided = evidence.pairs().flatMap((pair) => pair.decided ?? [])
  const different = decided.find(({ outcome }) => outcome !== 'equal')
  return {
    higher: different === undefined ? null : different.outcome === 'first-higher' ? 'first' : 'second',
    isEqual: decided.length > 0 && different === undefined,
    observations: decided.length === 0 ? null : Math.max(...decided.map(({ count }) => count)),
    mismatch: evidence.counts().mismatch,
  }
}

function pick(shares: readonly number[], at: number): number {
  let sum = 0
  for (const [index, share] of shares.entries()) {
    sum += share
    if (at < sum) return index
  }
  return shares.length - 1
}
