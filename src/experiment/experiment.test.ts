import { describe, expect, test } from 'vitest'
import { type Experiment, readExperiment, readExperiments } from './experiment.ts'

const KNOWN = ['question']
const good = {
  name: 'tone',
  variants: [
    { name: 'now', share: 0.45 },
    { name: 'short', share: 0.45, template: 'Briefly: {{question}}', model: 'x', parameters: { temperature: 0 } },
  ],
  holdout: 0.1,
}

function read(value: unknown): Experiment {
  const reading = readExperiment(value, 'e', KNOWN)
  if (!reading.ok) throw new Error(reading.problems.join('\n'))
  return reading.experiment
}

describe('readExperiment()', () => {
  test('fills in the defaults', () => {
    expect(read(good)).toMatchObject({
      version: 1,
      unit: 'request',
      alpha: 0.05,
      metric: { name: 'quality', minimumEffect: 0.05 },
      guard: { maxSuccessLoss: 0.05, maxCostRatio: null },
    })
  })

  test('accepts a user-defined metric and a label as unit', () => {
    const metric = { name: 'clicks', better: 'higher', minimum_effect: 2, min: 0, max: 50 }
    expect(read({ ...good, metric, unit: 'label:customer' })).toMatchObject({
      unit: { label: 'customer' },
      metric: { name: 'clicks', max: 50, minimumEffect: 2, scale: 'plain' },
    })
  })

  const [first, second] = good.variants
  for (const [value, message] of [
    [7, '"e" must be an object'],
    [{ ...good, name: ' ' }, '"e.name" is missing'],
    [{ ...good, variants: [first] }, '"e.variants" must list 2 to 10 variants'],
    [{ ...good, holdout: 0.2 }, 'the shares and the holdout add up to 1.1 instead of 1'],
    [{ ...good, variants: [first, { ...second, share: 0.46 }] }, 'add up to 1.01 instead of 1'],
    [{ ...good, variants: [first, { ...second, share: -1 }] }, '"e.variants[1].share" must be a number from 0 to 1'],
    [{ ...good, variants: [first, second, { name: 'x', share: 0 }] }, 'variant "x" has a share of 0'],
    [{ ...good, variants: [first, { ...second, name: 'now' }] }, '"e.variants[1].name" "now" is taken'],
    [{ ...good, variants: [first, { share: 0.45 }] }, '"e.variants[1]" needs a name'],
    [
      { ...good, variants: [first, { ...second, template: '{{qestion}}' }] },
      '"e.variants[1].template": unknown variable {{qestion}}; known: question',
    ],
    [{ ...good, metric: 'speed' }, '"e.metric" must be quality, success, latency, cost'],
    [{ ...good, metric: { name: '__proto__', minimum_effect: 1 } }, '"e.metric" must be'],
    [{ ...good, metric: { name: 'x', minimum_effect: 1, min: 5, max: 5 } }, 'min must be below max'],
    [{ ...good, minimum_effect: 0 }, '"e.minimum_effect" must be a number above 0'],
    [{ ...good, unit: 'user' }, '"e.unit" must be request, session, or label:NAME'],
    [{ ...good, alpha: 0 }, '"e.alpha" must be between'],
    [{ ...good, guard: { max_cost_ratio: 0.5 } }, '"e.guard.max_cost_ratio" must be a number of at least 1'],
    [{ ...good, guard: 5 }, '"e.guard" must be an object'],
  ] as const)
    test(`says "${message}"`, () => {
      const reading = readExperiment(value, 'e', KNOWN)
      expect(reading.ok ? [] : reading.problems.join('\n')).toContain(message)
    })
})

test('readExperiments() rejects the second of two with the same name', () => {
  const { experiments, problems } = readExperiments([good, good], 'x', KNOWN)
  expect(experiments).toHaveLength(1)
  expect(problems).toEqual(['"x[1].name" "tone" is taken by another experiment; rename one'])
})
