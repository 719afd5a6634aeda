/** The metrics of a run, with the names of `replay --json`. */

import { perMillion } from '../avoidable.ts'
import type { RunLog } from './run.ts'
import type { Change } from './world.ts'

/** Rates are fractions; regret is the mean per request. */
export interface ReplayMetrics {
  /** Requests whose first attempt succeeded. */
  readonly firstAttempt: number
  readonly within5: number
  /** Share of what the oracle's answers were worth. */
  readonly utility: number
  readonly regret: number
  readonly meanMs: number
  readonly p95Ms: number
  /** Requests after the change until all is well again; null where nothing changes, or it never is. */
  readonly recoveredAfter: number | null
  readonly probesPer1000: number
  readonly costUsd: number
  readonly attempts: number
  /** Requests whose first pick was more than 0.05 worse than the best. */
  readonly badPicks: number
  /** Requests without an answer, per million, that a target would have answered when they failed. */
  readonly avoidablePerMillion: number
}

const WINDOW = 50
const RECOVERED = 0.97
const ADOPTED = 0.5
const BAD_PICK = 0.05

export function measure(log: RunLog, oracle: RunLog, change: Change | undefined): ReplayMetrics {
  const count = log.arrivals.length
  const answered = log.elapsedMs.filter((_, number) => log.answered[number] === 1)
  return {
    firstAttempt: sum(log.firstSucceeded) / count,
    within5: sum(log.answered) / count,
    utility: sum(log.utility) / sum(oracle.utility),
    regret: sum(log.regret) / count,
    meanMs: sum(answered) / Math.max(1, answered.length),
    p95Ms: answered.sort()[Math.floor(0.95 * answered.length)] ?? 0,
    recoveredAfter: change === undefined ? null : recoveredAfter(log, oracle, change),
    probesPer1000: (1000 * log.probes) / count,
    costUsd: log.costUsd,
    attempts: sum(log.attempts) / count,
    badPicks: log.regret.reduce((bad, regret) => bad + (regret > BAD_PICK ? 1 : 0), 0) / count,
    avoidablePerMillion: perMillion(log.avoidable),
  }
}

/** The mean over seeds (or scenarios) of every number; those that are null somewhere are left out of theirs. */
export function meanOf(all: readonly ReplayMetrics[]): ReplayMetrics {
  const mean = (numberOf: (metrics: ReplayMetrics) => number | null) => {
    const known = all.map(numberOf).filter((number) => number !== null)
    return known.length === 0 ? null : sum(known) / known.length
  }
  const sure = (numberOf: (metrics: ReplayMetrics) => number) => mean(numberOf) ?? 0
  return {
    firstAttempt: sure(({ firstAttempt }) => firstAttempt),
    within5: sure(({ within5 }) => within5),
    utility: sure(({ utility }) => utility),
    regret: sure(({ regret }) => regret),
    meanMs: sure(({ meanMs }) => meanMs),
    p95Ms: sure(({ p95Ms }) => p95Ms),
    recoveredAfter: mean(({ recoveredAfter }) => recoveredAfter),
    probesPer1000: sure(({ probesPer1000 }) => probesPer1000),
    costUsd: sure(({ costUsd }) => costUsd),
    attempts: sure(({ attempts }) => attempts),
    badPicks: sure(({ badPicks }) => badPicks),
    avoidablePerMillion: sure(({ avoidablePerMillion }) => avoidablePerMillion),
  }
}

/** How many requests after the change the next fifty go well: near the oracle's, or to the newcomer. */
function recoveredAfter(log: RunLog, oracle: RunLog, { at, until }: Change): number | null {
  const start = log.arrivals.findIndex((arrival) => arrival.at >= at)
  if (start < 0) return null
  for (let first = start; first + WINDOW <= log.arrivals.length; first++) {
    const isWell = until === 'recover' ? isNearOracle(log, oracle, first) : isAdopted(log, until.adopt, first)
    if (isWell) return first - start
  }
  return null
}

function isNearOracle(log: RunLog, oracle: RunLog, first: number): boolean {
  const mine = sum(log.utility.subarray(first, first + WINDOW))
  return mine >= RECOVERED * sum(oracle.utility.subarray(first, first + WINDOW))
}

function isAdopted(log: RunLog, newcomer: number, first: number): boolean {
  const picks = log.first.subarray(first, first + WINDOW).filter((index) => index === newcomer)
  return picks.length >= ADOPTED * WINDOW
}

function sum(numbers: Iterable<number>): number {
  let total = 0
  for (const number of numbers) total += number
  return total
}
