import { describe, expect, test } from 'vitest'
import { makeTarget } from '../../test/support/makeEvents.ts'
import { CandidateTable } from './candidateTable.ts'
import { Knowledge } from './knowledge.ts'
import { COST_REF_USD, LATENCY_REF_MS, score } from './score.ts'
import { evaluate } from './valuation.ts'
import { type ValueWeights, valueWeights, WEIGHTS } from './weights.ts'

interface Believed {
  readonly reliability: number
  readonly speed: number
  readonly quality: number
  /** USD per token, for input and output alike. */
  readonly price?: number
}

/** The value of a request for one target with these estimates. */
function value({ reliability, speed, quality, price = 0 }: Believed, weights: ValueWeights, pressure = 0): number {
  const target = makeTarget({ profile: { price: { input: price * 1e6, output: price * 1e6 } } })
  const candidates = new CandidateTable([target], new Knowledge())
  candidates.reliability[0] = reliability
  // speed = reference / (reference + ms)
  candidates.firstTokenMs[0] = LATENCY_REF_MS / speed - LATENCY_REF_MS
  candidates.press(new Map([[target.provider, pressure]]))
  const values = new Float64Array(1)
  const valuation = {
    weights,
    latencyRefMs: LATENCY_REF_MS,
    inputTokens: 1,
    outputTokens: 1,
    quality: Float64Array.of(quality),
    qualitySpread: new Float64Array(1),
  }
  evaluate(candidates, valuation, values)
  return values[0]!
}

describe('evaluate()', () => {
  const balanced = valueWeights(WEIGHTS, 'balanced', false)

  test('a target that always fails has no value, however fast and good it is', () => {
    expect(value({ reliability: 0, speed: 1, quality: 1 }, balanced)).toBe(0)
    expect(value({ reliability: 1, speed: 1, quality: 1 }, balanced)).toBeCloseTo(1, 12)
  })

  test('prefers the reliable target where the score prefers the fast one', () => {
    const shaky = { reliability: 0.75, speed: 0.95, quality: 0.9, recency: 1 }
    const solid = { reliability: 0.97, speed: 0.65, quality: 0.8, recency: 0.9 }
    expect(score(shaky)).toBeGreaterThan(score(solid) - 0.02)
    expect(value(solid, balanced)).toBeGreaterThan(value(shaky, balanced))
  })

  test('profiles weight the same estimates differently', () => {
    const fastOne = { reliability: 0.95, speed: 0.9, quality: 0.6 }
    const smartOne = { reliability: 0.95, speed: 0.4, quality: 0.95 }
    const prefersFast = (profile: 'fast' | 'smart') => {
      const weights = valueWeights(WEIGHTS, profile, true)
      return value(fastOne, weights) > value(smartOne, weights)
    }
    expect([prefersFast('fast'), prefersFast('smart')]).toEqual([true, false])
  })

  test('weights that are NaN, negative or infinite count as 0', () => {
    const odd = valueWeights(
      { reliability: Number.NaN, speed: -1, quality: Number.POSITIVE_INFINITY, recency: 0 },
      'balanced',
      false,
    )
    expect(value({ reliability: 0.5, speed: 1, quality: 1 }, odd)).toBe(0.5)
  })

  test('a target at the reference cost gets half the weight of the price, one without a price nothing', () => {
    const weights = valueWeights(WEIGHTS, 'cheap', false)
    const believed = { reliability: 0.5, speed: 1, quality: 1 }
    const free = value(believed, weights)
    expect(weights.price).toBeGreaterThan(0)
    expect(free - value({ ...believed, price: COST_REF_USD / 2 }, weights)).toBeCloseTo((0.5 * weights.price) / 2, 12)
    expect(free - value({ ...believed, price: Number.POSITIVE_INFINITY }, weights)).toBeCloseTo(0.5 * weights.price, 12)
  })

  test('budget pressure is subtracted per reference cost', () => {
    const believed = { reliability: 0.9, speed: 0.5, quality: 0.7, price: COST_REF_USD / 2 }
    expect(value(believed, balanced) - value(believed, balanced, 0.25)).toBeCloseTo(0.25, 12)
  })
})
