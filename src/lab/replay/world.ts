/**
 * The world a policy is replayed in: what each target would answer to each request at each time. Fates depend on the
 * seed, the request, the target and the time alone, never on the policy, so that all policies meet the same luck.
 */

import type { Failure, FailureKind } from '../../domain/failure.ts'
import { Dice, mix32 } from '../../domain/random.ts'
import type { Target } from '../../domain/target.ts'
import { LATENCY_REF_MS } from '../../routing/score.ts'

/** How a target is at one moment. */
export interface Conditions {
  /** Probability that a call succeeds. */
  readonly works: number
  /** Median time to the first token, or of the whole answer where `tokenMs` is 0. */
  readonly firstTokenMs: number
  readonly tokenMs: number
  /** How good its answers are, 0..1. */
  readonly quality: number
  /** What a call fails with, and how long that takes. */
  readonly failure: FailureKind
  readonly failureMs: number
  readonly costUsd: number
}

/** One of the states a target may be in, with its probability. */
export interface Likely {
  readonly weight: number
  readonly conditions: Conditions
}

export interface Contender {
  readonly target: Target
  /** Epoch milliseconds from which the key is in the configuration. */
  readonly since: number
  /** What it may be like at `at`; weights sum to 1. */
  readonly at: (at: number) => readonly Likely[]
  /** Successes the account is granted per UTC day; null for no limit. */
  readonly dailyLimit?: (at: number) => number | null
}

export interface Arrival {
  /** Epoch milliseconds. */
  readonly at: number
  /** Length of the answer; 0 where only whole times are known. */
  readonly tokens: number
  readonly task: string | null
}

/** Something that changes, and what is measured from there on. */
export interface Change {
  readonly at: number
  /** `recover`: utility is back; `adopt`: the contender at `place` gets half of the requests. */
  readonly until: 'recover' | { readonly adopt: number }
}

export interface ReplayScenario {
  readonly name: string
  readonly from: number
  readonly until: number
  readonly contenders: readonly Contender[]
  readonly arrivals: (seed: number) => readonly Arrival[]
  readonly change?: Change
  /** Nobody tests any target beforehand. Default: each that is there at the start was tested once. */
  readonly untested?: true
}

export interface CallFate {
  readonly failure: Failure | null
  readonly latencyMs: number
  readonly firstTokenMs: number
  /** The score a person would give to the answer. */
  readonly score: number
  readonly costUsd: number
}

const DAY_MS = 86_400_000
const LATENCY_NOISE = 0.25
const SCORE_NOISE = 0.1
const LONGEST_MS = 120_000
const QUOTA_REFUSAL_MS = 150

export class ReplayWorld {
  readonly scenario: ReplayScenario
  readonly #seed: number
  /** Successes granted on the day, by index. */
  readonly #used: Float64Array
  readonly #usedOn: Float64Array

  constructor(scenario: ReplayScenario, seed: number) {
    this.scenario = scenario
    this.#seed = seed
    this.#used = new Float64Array(scenario.contenders.length)
    this.#usedOn = new Float64Array(scenario.contenders.length)
  }

  /** The value V that a call now truly has, including what no policy can know; 0 once the quota is used up. */
  valueOf(index: number, at: number, tokens: number): number {
    const contender = this.scenario.contenders[index]!
    if (at < contender.since || this.#isExhausted(index, at)) return 0
    let value = 0
    for (const { weight, conditions } of contender.at(at))
      value += weight * conditions.works * worthOf(msOf(conditions, tokens), conditions.quality)
    return value
  }

  /** What becomes of request `number` at this target, when it is called at `at`. */
  fate(number: number, index: number, { at, tokens }: { readonly at: number; readonly tokens: number }): CallFate {
    const dice = this.#dice(number, index, at)
    const conditions = pickLikely(this.scenario.contenders[index]!.at(at), dice.uniform())
    const { costUsd } = conditions
    if (this.#isExhausted(index, at)) return refusedByQuota(this.scenario.contenders[index]!.dailyLimit!(at)!)
    if (dice.uniform() >= conditions.works)
      return { ...NOTHING, failure: failureOf(conditions.failure), latencyMs: conditions.failureMs, costUsd: 0 }
    this.#use(index, at)
    const noise = Math.exp(LATENCY_NOISE * dice.normal())
    const score = Math.min(1, Math.max(0, conditions.quality + SCORE_NOISE * dice.normal()))
    return {
      failure: null,
      latencyMs: Math.min(LONGEST_MS, msOf(conditions, tokens) * noise),
      firstTokenMs: Math.min(LONGEST_MS, conditions.firstTokenMs * noise),
      score,
      costUsd,
    }
  }

  /** Whether the target would answer request `number` at `at`; asking uses up nothing. */
  wouldAnswer(number: number, index: number, at: number): boolean {
    const contender = this.scenario.contenders[index]!
    if (at < contender.since || this.#isExhausted(index, at)) return false
    const dice = this.#dice(number, index, at)
    const { works } = pickLikely(contender.at(at), dice.uniform())
    return dice.uniform() < works
  }

  /** Whether a free check of the key would pass now. */
  keyWorks(index: number, at: number): boolean {
    const likely = pickLikely(this.scenario.contenders[index]!.at(at), this.#dice(-1, index, at).uniform())
    return likely.failure !== 'auth_invalid' || likely.works > 0
  }

  /** Whether the answer is rated; the same requests for every policy. */
  isRated(number: number): boolean {
    return mix32(mix32(this.#seed, 0x7a7e), number) < 0.3 * 0x1_0000_0000
  }

  #dice(number: number, index: number, at: number): Dice {
    return new Dice(mix32(mix32(mix32(this.#seed, number), index), Math.floor(at / 1000)))
  }

  #isExhausted(index: number, at: number): boolean {
    const limit = this.scenario.contenders[index]!.dailyLimit?.(at) ?? null
    return limit !== null && this.#usedOn[index] === dayOf(at) && this.#used[index]! >= limit
  }

  #use(index: number, at: number): void {
    if (this.#usedOn[index] !== dayOf(at)) this.#used[index] = 0
    this.#usedOn[index] = dayOf(at)
    this.#used[index]!++
  }
}

const NOTHING = { firstTokenMs: 0, score: 0 } as const

/** What an answer is worth, 0..1: (0.4 + 0.3 speed + 0.2 quality) / 0.9. */
export function worthOf(ms: number, quality: number): number {
  return (0.4 + 0.3 * (LATENCY_REF_MS / (LATENCY_REF_MS + ms)) + 0.2 * quality) / 0.9
}

function msOf(conditions: Conditions, tokens: number): number {
  return conditions.firstTokenMs + tokens * conditions.tokenMs
}

function pickLikely(likely: readonly Likely[], luck: number): Conditions {
  let left = luck
  for (const { weight, conditions } of likely) {
    left -= weight
    if (left < 0) return conditions
  }
  return likely.at(-1)!.conditions
}

function refusedByQuota(limit: number): CallFate {
  const failure: Failure = {
    kind: 'quota_day',
    status: 429,
    message: `Rate limit reached on requests per day (RPD): Limit ${limit}`,
    unit: 'requests',
    window: 'day',
    limit,
  }
  return { ...NOTHING, failure, latencyMs: QUOTA_REFUSAL_MS, costUsd: 0 }
}

const STATUS: Partial<Record<FailureKind, number>> = {
  auth_invalid: 401,
  billing: 402,
  auth_forbidden: 403,
  model_not_found: 404,
  unsupported: 400,
  rate_minute: 429,
  overloaded: 503,
  server: 500,
}

function failureOf(kind: FailureKind): Failure {
  const facts = { status: STATUS[kind] ?? null, message: `simulated ${kind}` }
  if (kind === 'timeout') return { ...facts, kind, phase: 'total', afterMs: LONGEST_MS }
  if (kind === 'network') return { ...facts, kind, code: 'ECONNRESET' }
  return { ...facts, kind }
}

function dayOf(at: number): number {
  return Math.floor(at / DAY_MS)
}
