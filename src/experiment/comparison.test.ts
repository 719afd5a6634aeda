import { describe, expect, test } from 'vitest'
import { fixedSampleSize } from '../../test/support/fixedSampleSize.ts'
import { Comparison, type ComparisonDecision } from './comparison.ts'

/** mulberry32: small, fast and portable. */
function dice(seed: number): () => number {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

interface Case {
  readonly name: string
  /** The value of a unit; `shift` is the effect of the second variant. */
  readonly draw: (shift: number, t: number, random: () => number) => number
  readonly sd: number
  readonly effect: number
  readonly range: number
  readonly secondShare: number
}

const unit = (value: number) => Math.min(1, Math.max(0, value))
const CASES = {
  success: {
    name: 'success of about a half',
    draw: (shift, _t, random) => (random() < 0.5 + shift ? 1 : 0),
    sd: 0.5,
    effect: 0.05,
    range: 1,
    secondShare: 0.5,
  },
  unequal: {
    name: 'success of 92 % with one fifth in the second variant',
    draw: (shift, _t, random) => (random() < 0.92 + shift ? 1 : 0),
    sd: 0.27,
    effect: 0.05,
    range: 1,
    secondShare: 0.2,
  },
  quality: {
    name: 'quality scores',
    draw: (shift, _t, random) => unit(0.55 + shift + 0.2 * normal(random)),
    sd: 0.2,
    effect: 0.05,
    range: 1,
    secondShare: 0.5,
  },
  drift: {
    name: 'quality that drifts and swings by the hour in both',
    draw: (shift, t, random) => unit(0.45 + 0.15 * Math.sin(t / 300) + t / 20_000 + shift + 0.2 * normal(random)),
    sd: 0.2,
    effect: 0.05,
    range: 1,
    secondShare: 0.5,
  },
  latency: {
    name: 'logarithms of latency',
    draw: (shift, _t, random) => 7 + shift + 0.6 * normal(random),
    sd: 0.6,
    effect: 0.1,
    range: 13.3,
    secondShare: 0.5,
  },
} satisfies Record<string, Case>

/** Runs one experiment, checking after every observation, until it is decided or the observations run out. */
function run(
  { draw, effect, range, secondShare }: Case,
  shift: number,
  observations: number,
  seed: number,
): Comparison {
  const random = dice(seed * 7_919 + 13)
  const comparison = new Comparison({ alpha: 0.05, secondShare, range })
  let expected = 0
  for (let t = 0; t < observations && comparison.state.decided === null; t++) {
    const isSecond = random() < secondShare
    const value = draw(isSecond ? shift : 0, t, random)
    if (t >= 10) comparison.observe(isSecond, value, expected, effect)
    expected += (value - expected) / Math.min(t + 1, 200)
  }
  return comparison
}

function decisions(
  of: Case,
  shift: number,
  observations: number,
  experiments: number,
): readonly (ComparisonDecision | null)[] {
  return Array.from({ length: experiments }, (_, seed) => run(of, shift, observations, seed).state.decided)
}

const fixedSize = ({ effect, sd, secondShare }: Case) =>
  fixedSampleSize(effect, sd / Math.sqrt(secondShare * (1 - secondShare)), 0.05, 0.8)
const isDifferent = (decision: ComparisonDecision | null) => decision !== null && decision.outcome !== 'equal'

describe('over 2,000 experiments without a difference, checked after every observation,', () => {
  for (const of of Object.values(CASES))
    test(`at most 5 % are ever called different: ${of.name}`, () => {
      const all = decisions(of, 0, 2 * fixedSize(of), 2_000)
      expect(all.filter(isDifferent).length / 2_000).toBeLessThanOrEqual(0.05)
    })
})

describe('an experiment with the effect it was sized for', () => {
  // A single-look test finds it in 80 %, at its end and never before.
  for (const { of, found, within } of [
    { of: CASES.success, found: 0.64, within: 1.2 },
    { of: CASES.quality, found: 0.6, within: 1.3 },
    { of: CASES.latency, found: 0.6, within: 1.25 },
  ])
    test(`is found in ${found * 100} % at the size of a fixed test, in 80 % at ${within} times it: ${of.name}`, () => {
      const counts = decisions(of, of.effect, 2 * fixedSize(of), 1_000)
        .filter(isDifferent)
        .map((decision) => decision?.count ?? 0)
      expect(counts.filter((count) => count <= fixedSize(of)).length / 1_000).toBeGreaterThanOrEqual(found)
      expect(counts.filter((count) => count <= within * fixedSize(of)).length / 1_000).toBeGreaterThanOrEqual(0.8)
      // Half of them end well before.
      expect(counts.toSorted((a, b) => a - b)[500]! / fixedSize(of)).toBeLessThan(0.95)
    })

  test('is found with drift in both variants as well', () => {
    const all = decisions(CASES.drift, 0.05, 3 * fixedSize(CASES.drift), 500)
    expect(all.filter((decision) => decision?.outcome === 'second-higher').length / 500).toBeGreaterThan(0.8)
    expect(all.filter((decision) => decision?.outcome === 'first-higher').length / 500).toBeLessThan(0.01)
  })
})

test('the interval covers the true difference at every moment in at least 95 % of experiments', () => {
  let missed = 0
  for (let seed = 0; seed < 400; seed++) {
    const random = dice(seed + 99)
    const comparison = new Comparison({ alpha: 0.05, secondShare: 0.5, range: 1 })
    let out = false
    for (let t = 0; t < 2_000; t++) {
      const isSecond = random() < 0.5
      comparison.observe(isSecond, unit(0.5 + (isSecond ? 0.08 : 0) + 0.2 * normal(random)), 0.5, 0.05)
      const interval = comparison.interval(0.05)
      out ||= interval !== null && (interval.low > 0.08 || interval.high < 0.08)
    }
    if (out) missed++
  }
  expect(missed / 400).toBeLessThanOrEqual(0.05)
})

describe('Comparison', () => {
  test('reports nothing before both variants have enough observations', () => {
    const comparison = new Comparison({ alpha: 0.05, secondShare: 0.5, range: 1 })
    const random = dice(1)
    for (let i = 0; i < 500; i++) comparison.observe(i >= 20, random(), 0.5, 0.05)
    expect([comparison.interval(0.05), comparison.stillNeeded(0.05)]).toEqual([null, null])
  })

  test('does not call two variants different, nor equal, while rare failures may simply not have occurred yet', () => {
    const comparison = new Comparison({ alpha: 0.05, secondShare: 0.5, range: 1 })
    for (let i = 0; i < 1_000; i++) comparison.observe(i % 2 === 0, 1, 1, 0.05)
    expect(comparison.state.decided).toBeNull()
    for (let i = 0; i < 4_000; i++) comparison.observe(i % 2 === 0, 1, 1, 0.05)
    expect(comparison.state.decided?.outcome).toBe('equal')
  })

  test('estimates how many more observations a decision needs, and comes close', () => {
    const random = dice(5)
    const comparison = new Comparison({ alpha: 0.05, secondShare: 0.5, range: 1 })
    let told: number | null = null
    for (let t = 0; comparison.state.decided === null; t++) {
      const isSecond = random() < 0.5
      comparison.observe(isSecond, unit(0.5 + (isSecond ? 0.06 : 0) + 0.2 * normal(random)), 0.5, 0.05)
      if (t === 250) told = comparison.stillNeeded(0.05)
    }
    expect(told).not.toBeNull()
    expect(comparison.state.count / (251 + told!)).toBeGreaterThan(0.5)
    expect(comparison.state.count / (251 + told!)).toBeLessThan(1.5)
    expect(comparison.stillNeeded(0.05)).toBe(0)
  })

  test('continues after a restart from the same state', () => {
    const whole = new Comparison({ alpha: 0.05, secondShare: 0.5, range: 1 })
    let parts = new Comparison({ alpha: 0.05, secondShare: 0.5, range: 1 })
    const random = dice(3)
    for (let t = 0; t < 1_500; t++) {
      const isSecond = random() < 0.5
      const value = random()
      whole.observe(isSecond, value, 0.5, 0.05)
      parts.observe(isSecond, value, 0.5, 0.05)
      if (t % 100 === 0)
        parts = new Comparison({ alpha: 0.05, secondShare: 0.5, range: 1 }, JSON.parse(JSON.stringify(parts.state)))
    }
    expect(parts.interval(0.05)).toEqual(whole.interval(0.05))
    expect(parts.state).toEqual(whole.state)
  })
})
