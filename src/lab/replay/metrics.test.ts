import { expect, test } from 'vitest'
import { meanOf, measure } from './metrics.ts'
import type { RunLog } from './run.ts'

const COUNT = 200
const numbers = (at: (index: number) => number) => Float64Array.from({ length: COUNT }, (_, index) => at(index))

function makeLog(facts: Partial<RunLog> = {}): RunLog {
  return {
    arrivals: Array.from({ length: COUNT }, (_, index) => ({ at: index, tokens: 0, task: null })),
    first: new Int16Array(COUNT),
    firstSucceeded: new Uint8Array(COUNT).fill(1),
    answered: new Uint8Array(COUNT).fill(1),
    elapsedMs: numbers((index) => index + 1),
    attempts: new Uint8Array(COUNT).fill(1),
    utility: numbers(() => 0.8),
    regret: numbers(() => 0),
    costUsd: 2,
    probes: 3,
    avoidable: { requests: COUNT, failed: 1, avoidable: 1 },
    ...facts,
  }
}

const oracle = makeLog()

test('measure() counts shares of requests, and times of answers only', () => {
  const answered = new Uint8Array(COUNT).fill(1)
  answered[COUNT - 1] = 0
  const metrics = measure(
    makeLog({ answered, regret: numbers((index) => (index < 20 ? 0.1 : 0.04)) }),
    oracle,
    undefined,
  )
  expect(metrics.within5).toBeCloseTo(199 / 200, 12)
  expect(metrics.meanMs).toBeCloseTo(100, 12)
  expect(metrics.p95Ms).toBe(190)
  expect(metrics.badPicks).toBeCloseTo(0.1, 12)
  expect(metrics.probesPer1000).toBe(15)
  expect(metrics.recoveredAfter).toBeNull()
  expect(metrics.avoidablePerMillion).toBe(5_000)
})

test('recovered is the first of fifty requests that are nearly as good as the oracle’s', () => {
  const utility = numbers((index) => (index >= 100 && index < 130 ? 0.4 : 0.8))
  const change = { at: 100, until: 'recover' } as const
  // 97 % of fifty leaves room for three of those requests.
  expect(measure(makeLog({ utility }), oracle, change).recoveredAfter).toBe(27)
})

test('adopted is the first of fifty requests of which half go to the newcomer', () => {
  const first = Int16Array.from({ length: COUNT }, (_, index) => (index >= 140 ? 4 : 0))
  expect(measure(makeLog({ first }), oracle, { at: 100, until: { adopt: 4 } }).recoveredAfter).toBe(15)
})

test('meanOf() leaves what is unknown out of the mean', () => {
  const some = { ...measure(oracle, oracle, undefined), recoveredAfter: 10 }
  const none = { ...some, recoveredAfter: null, utility: 0.5 }
  expect(meanOf([some, none]).recoveredAfter).toBe(10)
  expect(meanOf([some, none]).utility).toBeCloseTo(0.75, 12)
  expect(meanOf([none]).recoveredAfter).toBeNull()
})
