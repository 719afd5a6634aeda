/** The routing benchmark: every policy in every scenario on the same luck, measured against who knows the truth. */

import { meanOf, measure, type ReplayMetrics } from './metrics.ts'
import {
  DiscountedThompson,
  EwmaLatency,
  Formula,
  LatencyList,
  Oracle,
  PeakEwma,
  type Policy,
  RandomOrder,
  RoundRobin,
  StaticOrder,
} from './policies.ts'
import { Product } from './product.ts'
import { Run, type RunLog } from './run.ts'
import { syntheticScenarios } from './scenarios.ts'
import { traceScenarios } from './traces.ts'
import { type ReplayScenario, ReplayWorld } from './world.ts'

type PolicyMaker = (world: ReplayWorld, seed: number) => Policy

const standStill = () => Date.UTC(2026, 0, 1)

/** By name. `learned` is the product as it is, `learned-…` without one of its parts, all others are baselines. */
export const POLICIES: Readonly<Record<string, PolicyMaker>> = {
  oracle: (world) => new Oracle(world),
  learned: (world, seed) => new Product({ world, seed }),
  'learned-no-exploration': (world, seed) => new Product({ world, seed, settings: { exploration: 0 } }),
  'learned-no-discounting': (world, seed) => new Product({ world, seed, clock: standStill }),
  'learned-by-score': (world, seed) => new Product({ world, seed, settings: { strategy: 'score' } }),
  'static-order': () => new StaticOrder(),
  'round-robin': () => new RoundRobin(),
  random: (_, seed) => new RandomOrder(seed),
  'latency-list': () => new LatencyList(),
  'ewma-latency': () => new EwmaLatency(),
  'p2c-peak-ewma': (_, seed) => new PeakEwma(seed),
  formula: () => new Formula(),
  'formula-cooldown': () => new Formula(60_000),
  'discounted-thompson': (_, seed) => new DiscountedThompson(seed),
}

interface ReplayOptions {
  /** Folder of traces; without one only the synthetic scenarios run. */
  readonly data?: string | null
  /** Names of policies; default all. The oracle always runs. */
  readonly policies?: readonly string[]
  /** Default 1, 2, 3. */
  readonly seeds?: readonly number[]
  /** Names of scenarios; default all there are. */
  readonly scenarios?: readonly string[]
  /** Scenarios beside these, such as the user's own recorded week. */
  readonly recorded?: readonly ReplayScenario[]
  /** Keep the course of the regret, for the picture. */
  readonly curves?: boolean
  readonly onProgress?: (scenario: string, done: number, all: number) => void
}

export interface ReplayResult {
  readonly seeds: readonly number[]
  readonly scenarios: Readonly<Record<string, Readonly<Record<string, ReplayMetrics>>>>
  readonly mean: Readonly<Record<string, ReplayMetrics>>
  /** Only with `curves`: by scenario, the regret added up over the requests of the first seed. */
  readonly curves?: Readonly<Record<string, Curves>>
}

interface Curves {
  readonly requests: number
  /** By policy, at equal steps. */
  readonly policies: Readonly<Record<string, readonly number[]>>
}

const SEEDS = [1, 2, 3]
const CURVE_POINTS = 100

export async function runReplay(options: ReplayOptions = {}): Promise<ReplayResult> {
  const seeds = options.seeds ?? SEEDS
  const names = options.policies ?? Object.keys(POLICIES)
  const scenarios = chosenScenarios(options)
  const results: Record<string, Record<string, ReplayMetrics>> = {}
  const curves: Record<string, Curves> = {}
  for (const [index, scenario] of scenarios.entries()) {
    options.onProgress?.(scenario.name, index, scenarios.length)
    const outcome = replayScenario(scenario, names, seeds)
    results[scenario.name] = outcome.metrics
    curves[scenario.name] = outcome.curves
    // Yields, so that progress can be shown.
    await new Promise((resolve) => setImmediate(resolve))
  }
  const mean = meanByPolicy(results)
  return { seeds, scenarios: results, mean, ...(options.curves && { curves }) }
}

/** Every request of one policy in one scenario, for tests and for a closer look. */
export function replayOnce(scenario: ReplayScenario, policy: string, seed: number): RunLog {
  const make = POLICIES[policy]
  if (make === undefined) throw new RangeError(`no policy "${policy}"; one of: ${Object.keys(POLICIES).join(', ')}`)
  const world = new ReplayWorld(scenario, seed)
  return new Run(world, make(world, seed), scenario.arrivals(seed)).finish()
}

export function allScenarios(data: string | null = null): readonly ReplayScenario[] {
  return [...(data === null ? [] : traceScenarios(data)), ...syntheticScenarios()]
}

function chosenScenarios({ data, recorded = [], scenarios: wanted }: ReplayOptions): readonly ReplayScenario[] {
  const all = [...recorded, ...allScenarios(data)]
  if (wanted === undefined) return all
  for (const name of wanted)
    if (!all.some((scenario) => scenario.name === name))
      throw new RangeError(`no scenario "${name}"; one of: ${all.map((scenario) => scenario.name).join(', ')}`)
  return all.filter(({ name }) => wanted.includes(name))
}

function replayScenario(scenario: ReplayScenario, names: readonly string[], seeds: readonly number[]) {
  const bySeed = new Map<string, ReplayMetrics[]>()
  const policies: Record<string, readonly number[]> = {}
  let requests = 0
  for (const seed of seeds) {
    const oracle = replayOnce(scenario, 'oracle', seed)
    requests = oracle.arrivals.length
    for (const name of names) {
      const log = name === 'oracle' ? oracle : replayOnce(scenario, name, seed)
      bySeed.set(name, [...(bySeed.get(name) ?? []), measure(log, oracle, scenario.change)])
      if (seed === seeds[0]) policies[name] = curveOf(log)
    }
  }
  const metrics = Object.fromEntries([...bySeed].map(([name, all]) => [name, meanOf(all)]))
  return { metrics, curves: { requests, policies } }
}

function curveOf({ regret }: RunLog): readonly number[] {
  const curve: number[] = []
  let total = 0
  regret.forEach((lost, number) => {
    total += lost
    if ((number + 1) % Math.max(1, Math.floor(regret.length / CURVE_POINTS)) === 0) curve.push(total)
  })
  return curve
}

function meanByPolicy(
  results: Readonly<Record<string, Readonly<Record<string, ReplayMetrics>>>>,
): Record<string, ReplayMetrics> {
  const scenarios = Object.values(results)
  const policies = Object.keys(scenarios[0] ?? {})
  return Object.fromEntries(policies.map((name) => [name, meanOf(scenarios.map((scenario) => scenario[name]!))]))
}
