import { describe, expect, test } from 'vitest'
import { diceOf, type ExperimentCase, experimentOf, normal, runCase } from '../../test/support/experimentCases.ts'
import { EFFECT_CASES, EQUAL_CASES } from '../../test/support/experimentTable.ts'
import { Evidence, savedState } from './evidence.ts'

/** `npm run bench -- experiments` repeats each case 2,000 times; here as often as notices what is grossly wrong. */
const REPEATS = 25

describe('equal variants, looked at after every value, are hardly ever called different:', () => {
  for (const one of EQUAL_CASES)
    test(one.name, () => {
      const units = Math.min(one.units, 1_600)
      const all = Array.from({ length: REPEATS }, (_, seed) => runCase({ ...one, units }, seed + 1_000))
      // Of 25, 7 or more have a probability of 1 in 4,000 at 5 % each.
      expect(all.filter(({ higher }) => higher !== null).length).toBeLessThan(7)
      const doubted = all.filter(({ mismatch }) => mismatch !== null).length
      if (/second rated|second not rated/.test(one.name)) expect(doubted).toBeGreaterThan(0.9 * REPEATS)
      else if (one.late === undefined) expect(doubted).toBeLessThan(2)
    })
})

describe('a difference is found:', () => {
  for (const one of EFFECT_CASES.slice(1))
    test(one.name, () => {
      const all = Array.from({ length: REPEATS }, (_, seed) => runCase({ ...one, units: one.units }, seed + 1_000))
      const isLess = one.metric === 'cost' || one.metric === 'latency'
      const found = all.filter(({ higher }) => higher === (isLess ? 'first' : 'second'))
      expect(found.length).toBeGreaterThan(0.85 * REPEATS)
      expect(all.filter(({ higher }) => higher === (isLess ? 'second' : 'first'))).toEqual([])
    })

  test('one wild value at most doubles what it takes', () => {
    const [plain, wild] = EFFECT_CASES.slice(-3, -1).map((one) => {
      const all = Array.from({ length: REPEATS }, (_, seed) => runCase(one, seed).observations ?? one.units)
      return all.sort((a, b) => a - b)[REPEATS >> 1] ?? 0
    })
    expect(wild! / plain!).toBeLessThan(2)
  })
})

describe('values', () => {
  const clicks = { name: 'clicks', minimum_effect: 0.5 }
  const of: ExperimentCase = { name: 'clicks', units: 0, metric: clicks, draw: () => 0 }

  function filled(values: readonly number[], metric: unknown = clicks): Evidence {
    const evidence = new Evidence(experimentOf({ ...of, metric }))
    for (const [index, value] of values.entries()) evidence.observe(index % 2 === 0 ? 'v0' : 'v1', 'clicks', value)
    return evidence
  }
  const meanOf = (evidence: Evidence) => evidence.variants().map(({ mean }) => mean)

  test('without a range are limited by their spread, with one by the range alone', () => {
    const dice = diceOf(1)
    const plain = Array.from({ length: 400 }, () => 5 + normal(dice))
    const wild = [...plain.slice(0, 200), 1e308, ...plain.slice(200)]
    expect(meanOf(filled(wild))[0]).toBeGreaterThan(4.8)
    expect(meanOf(filled(wild))[0]).toBeLessThan(5.2)
    expect(meanOf(filled(wild, { ...clicks, min: 0, max: 1_000 }))[0]).toBeGreaterThan(9)
  })

  test('that are wild from the start are limited once the spread is known', () => {
    const dice = diceOf(2)
    const values = Array.from({ length: 100 }, () => 5 + normal(dice))
    values[0] = 1e9
    values[3] = -1e9
    for (const mean of meanOf(filled(values))) expect(Math.abs((mean ?? 0) - 5)).toBeLessThan(0.6)
  })

  test('of which few are not zero count in full', () => {
    const values = Array.from({ length: 2_000 }, (_, index) => (index % 50 < 2 ? 40 : 0))
    for (const mean of meanOf(filled(values))) expect(mean).toBeCloseTo(1.6, 1)
  })
})

test('a fixed circle of users, of whom one half is rated later while the level falls, is not called different', () => {
  const calledDifferent = (seed: number) => {
    const dice = diceOf(seed)
    const evidence = new Evidence(experimentOf({ name: 'circle', units: 0, draw: () => 0 }))
    const waiting = new Set(Array.from({ length: 2_000 }, (_, user) => ({ user, variant: dice() < 0.5 ? 0 : 1 })))
    let at = 0
    for (const { variant } of waiting) {
      const trial = { experiment: 'case', version: 1, variant: `v${variant}`, unit: '', at: ++at }
      evidence.fold({ trial, at, values: {}, assigned: true })
    }
    for (let day = 0; day < 40; day++)
      for (const one of waiting) {
        at++
        if (dice() >= (one.variant === 0 ? 0.1 : 0.05)) continue
        waiting.delete(one)
        const trial = { experiment: 'case', version: 1, variant: `v${one.variant}`, unit: '', at }
        evidence.fold({ trial, at, values: { quality: dice() < 0.95 - 0.0225 * day ? 1 : 0 } })
      }
    const [pair] = evidence.pairs()
    return pair?.decided != null && pair.decided.outcome !== 'equal'
  }
  const all = Array.from({ length: REPEATS }, (_, seed) => calledDifferent(seed))
  // Within one block for all, about a quarter would be.
  expect(all.filter(Boolean).length).toBeLessThan(3)
})

test('the same log leads to the same evidence, however often a process begins again in the middle', () => {
  const experiment = experimentOf({ name: 'again', units: 0, draw: () => 0 })
  const dice = diceOf(7)
  const whole = new Evidence(experiment)
  let parts = new Evidence(experiment)
  let lifted = 0
  for (let unit = 1; unit <= 1_500; unit++) {
    const variant = dice() < 0.5 ? 'v0' : 'v1'
    const trial = { experiment: 'case', version: 1, variant, unit: String(unit), at: unit }
    const isDown = variant === 'v1' && unit > 400 && unit < 520
    const events: Parameters<Evidence['fold']>[0][] = [
      { trial, at: unit, values: {}, assigned: true },
      { trial, at: unit, values: { success: isDown ? 0 : 1 }, ...(isDown && { outage: true }) },
      ...(isDown || dice() < 0.4
        ? []
        : [{ trial: { ...trial, at: unit - 100 * dice() }, at: unit, values: { quality: dice() } }]),
    ]
    const [stop] = whole.stopped()
    if (stop !== undefined && unit === 560) {
      lifted++
      events.push({ trial: { ...trial, variant: 'v1' }, at: unit, values: {}, lifted: stop.number })
    }
    for (const event of events) {
      whole.fold(event)
      parts.fold(event)
    }
    if (unit % 97 === 0) parts = new Evidence(experiment, savedState(experiment, JSON.parse(JSON.stringify(parts))))
  }
  expect(lifted).toBe(1)
  expect(JSON.parse(JSON.stringify(parts))).toEqual(JSON.parse(JSON.stringify(whole)))
  expect(whole.stopped()).toEqual([])
  expect(whole.counts().leftOut).toBeGreaterThan(5)
  // Nothing of the outage is left in the means.
  expect(
    whole
      .variants()
      .filter(({ metric }) => metric === 'success')
      .map(({ mean }) => mean),
  ).toEqual([1, 1])
})

test('a log of an older keywise, without assignments, counts units by the end of their first request', () => {
  const evidence = new Evidence(experimentOf({ name: 'old', units: 0, draw: () => 0 }))
  const trial = (variant: string, unit: number) => ({ experiment: 'case', version: 1, variant, unit: String(unit) })
  for (let unit = 0; unit < 60; unit++) {
    const variant = unit % 2 === 0 ? 'v0' : 'v1'
    evidence.fold({ trial: trial(variant, unit), at: unit, values: { success: 1, latency: 900 } })
    if (unit % 3 === 0) evidence.fold({ trial: trial(variant, unit), at: unit, values: { quality: 0.5 } })
  }
  // What a newer keywise adds of units that set out before must not count them twice.
  evidence.fold({ trial: { ...trial('v0', 0), at: 61 }, at: 61, values: {}, assigned: true })
  expect(evidence.counts()).toMatchObject({ assigned: [30, 30], reported: [10, 10], mismatch: null })
})
