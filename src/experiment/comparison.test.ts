import { describe, expect, test } from 'vitest'
import { diceOf, type ExperimentCase, normal, runCase } from '../../test/support/experimentCases.ts'
import { fixedSampleSize } from '../../test/support/fixedSampleSize.ts'
import { Comparison, type Contribution } from './comparison.ts'

const unit = (value: number) => Math.min(1, Math.max(0, value))
const flip = (rate: number, dice: () => number) => (dice() < rate ? 1 : 0)

const SUCCESS: ExperimentCase = {
  name: 'success of about a half',
  units: 6_280,
  draw: (variant, _unit, dice) => flip(variant === 1 ? 0.55 : 0.5, dice),
}
const QUALITY: ExperimentCase = {
  name: 'quality scores',
  units: 1_008,
  draw: (variant, _unit, dice) => unit(0.55 + (variant === 1 ? 0.05 : 0) + 0.2 * normal(dice)),
}
const LATENCY: ExperimentCase = {
  name: 'latencies',
  units: 2_260,
  metric: 'latency',
  draw: (variant, _unit, dice) => Math.exp(7 + (variant === 1 ? 0.1 : 0) + 0.6 * normal(dice)),
}

const REPEATS = 80

describe('an experiment with the effect it was sized for', () => {
  // A single-look test finds it in 80 %, at its end and never before.
  for (const { of, effect, sd } of [
    { of: SUCCESS, effect: 0.05, sd: 0.5 },
    { of: QUALITY, effect: 0.05, sd: 0.2 },
    { of: LATENCY, effect: 0.1, sd: 0.6 },
  ])
    test(`is found in half at the size of a fixed test, in 80 % at 1.35 times it: ${of.name}`, () => {
      const size = fixedSampleSize(effect, 2 * sd, 0.05, 0.8)
      const results = Array.from({ length: REPEATS }, (_, seed) => runCase({ ...of, units: 2 * size }, seed))
      const counts = results.filter(({ higher }) => higher === 'second')
      const within = (factor: number) =>
        counts.filter(({ observations }) => (observations ?? 0) <= factor * size).length / REPEATS
      expect(results.filter(({ higher }) => higher !== null)).toHaveLength(counts.length)
      expect(within(1)).toBeGreaterThanOrEqual(0.5)
      expect(within(1.35)).toBeGreaterThanOrEqual(0.8)
      // Half of them end before a fixed test would.
      const sorted = counts.map(({ observations }) => observations ?? 0).sort((a, b) => a - b)
      expect(sorted[REPEATS >> 1]! / size).toBeLessThan(1)
    })
})

test('the interval covers the true difference at every moment in at least 95 % of experiments', () => {
  let missed = 0
  const of: ExperimentCase = {
    name: 'covered',
    units: 1_500,
    draw: (variant, _unit, dice) => unit(0.5 + (variant === 1 ? 0.08 : 0) + 0.2 * normal(dice)),
  }
  for (let seed = 0; seed < 60; seed++) {
    let out = false
    runCase(of, seed, (evidence) => {
      const interval = evidence.pairs()[0]?.interval ?? null
      out ||= interval !== null && (interval.low > 0.08 || interval.high < 0.08)
    })
    if (out) missed++
  }
  expect(missed / 60).toBeLessThanOrEqual(0.05)
})

/** What one pair of values, of the first and of the second variant, contributes in a block of its own. */
const pairOf = (first: number, second: number): Contribution => ({
  score: (second - first) / 2,
  information: 0.5,
  variance: ((second - first) ** 2 / 2) * 0.5,
})

function feed(comparison: Comparison, first: number, second: number, expected = 0.5): void {
  comparison.observe(false, first, expected)
  comparison.observe(true, second, expected)
  const { score, information, variance } = pairOf(first, second)
  comparison.state.score += score
  comparison.state.information += information
  comparison.state.variance += variance
  comparison.look(0.05, 1, () => true)
}

describe('Comparison', () => {
  const rules = { alpha: 0.05, secondShare: 0.5, range: 1 }

  test('reports nothing before both variants have enough observations', () => {
    const comparison = new Comparison(rules)
    const dice = diceOf(1)
    for (let pair = 0; pair < 29; pair++) feed(comparison, dice(), dice())
    expect([comparison.interval(0.05), comparison.stillNeeded(0.05)]).toEqual([null, null])
  })

  test('does not call two variants different, nor equal, while rare failures may simply not have occurred yet', () => {
    const comparison = new Comparison(rules)
    for (let pair = 0; pair < 500; pair++) feed(comparison, 1, 1, 1)
    expect(comparison.state.decided).toBeNull()
    for (let pair = 0; pair < 2_000; pair++) feed(comparison, 1, 1, 1)
    expect(comparison.state.decided?.outcome).toBe('equal')
  })

  test('decides nothing while it may not', () => {
    const comparison = new Comparison(rules)
    const dice = diceOf(2)
    const values = () => [0.2 + 0.1 * dice(), 0.7 + 0.1 * dice()] as const
    for (let pair = 0; pair < 300; pair++) {
      const [first, second] = values()
      comparison.observe(false, first, 0.5)
      comparison.observe(true, second, 0.5)
      Object.assign(comparison.state, { score: pair * 0.25, information: pair * 0.5, variance: pair * 0.01 })
      comparison.look(0.05, 1, () => false)
    }
    expect(comparison.state.decided).toBeNull()
    // It asks again a little later.
    for (let value = 0; value < 8; value++) comparison.observe(value % 2 === 0, 0.5, 0.5)
    comparison.look(0.05, 1, () => true)
    expect(comparison.state.decided?.outcome).toBe('second-higher')
    expect(comparison.stillNeeded(0.05)).toBe(0)
    // What it rests on is left out later.
    comparison.takeBack(2, 0, 0.05)
    expect(comparison.state.decided).not.toBeNull()
    comparison.takeBack(1, 0, 0.05)
    expect(comparison.state.decided).toBeNull()
  })

  test('continues after a restart from the same state', () => {
    const whole = new Comparison(rules)
    let parts = new Comparison(rules)
    const dice = diceOf(3)
    for (let t = 0; t < 700; t++) {
      const [first, second] = [dice(), dice()]
      feed(whole, first, second)
      feed(parts, first, second)
      if (t % 100 === 0) parts = new Comparison(rules, JSON.parse(JSON.stringify(parts.state)))
    }
    expect(parts.interval(0.05)).toEqual(whole.interval(0.05))
    expect(parts.state).toEqual(whole.state)
  })
})

test('how many observations are still needed is told within a factor of two, for half of the experiments', () => {
  for (const { effect, sd } of [
    { effect: 0.05, sd: 0.25 },
    { effect: 0.07, sd: 0.25 },
    { effect: 0.05, sd: 0.2 },
  ]) {
    const ratios: number[] = []
    for (let seed = 0; seed < 40; seed++) {
      const told: { readonly seen: number; readonly needed: number }[] = []
      const draw: ExperimentCase['draw'] = (variant, _unit, dice) =>
        unit(0.5 + (variant === 1 ? effect : 0) + sd * normal(dice))
      const { observations } = runCase({ name: 'told', units: 4_000, draw }, seed, (evidence) => {
        const [pair] = evidence.pairs()
        if (pair?.stillNeeded != null && pair.stillNeeded > 0 && pair.observations % 50 === 0)
          told.push({ seen: pair.observations, needed: pair.stillNeeded })
      })
      const early = told.find(({ seen }) => seen >= 150)
      if (early !== undefined && observations !== null) ratios.push((early.seen + early.needed) / observations)
    }
    const sorted = ratios.sort((a, b) => a - b)
    const median = sorted[sorted.length >> 1] ?? 0
    expect(sorted.length).toBeGreaterThan(20)
    expect(median).toBeGreaterThan(0.5)
    expect(median).toBeLessThan(2)
  }
})
