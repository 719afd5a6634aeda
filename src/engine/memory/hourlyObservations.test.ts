import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeFailure, makeSuccess, makeTarget } from '../../../test/support/makeEvents.ts'
import { HourlyObservations } from './hourlyObservations.ts'

const TARGET = makeTarget()
const AT = Date.parse('2026-11-23T12:00:00Z')

function observe(latencies: readonly number[]): HourlyObservations {
  const observed = new HourlyObservations()
  for (const latencyMs of latencies) observed.fold(makeSuccess(TARGET, AT, { latencyMs }))
  return observed
}

test('p95Ms() is within a bucket of the exact percentile', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 1, max: 600_000, noNaN: true }), { minLength: 1, maxLength: 300 }),
      (times) => {
        const exact = times.toSorted((a, b) => a - b)[Math.ceil(0.95 * times.length) - 1]!
        const p95 = observe(times).p95Ms(TARGET.stateId)!
        expect(Math.abs(Math.log2(p95 / exact))).toBeLessThanOrEqual(0.25 + 0.5)
      },
    ),
    { numRuns: 100 },
  )
})

test('p95Ms() follows a target that became slow, and forgets how it was', () => {
  const before = Array.from({ length: 3000 }, () => 100)
  const after = Array.from({ length: 3000 }, () => 5000)
  expect(observe(before).p95Ms(TARGET.stateId)).toBeLessThan(120)
  expect(observe([...before, ...after]).p95Ms(TARGET.stateId)).toBeGreaterThan(4500)
  expect(observe([...after, ...before, ...before]).p95Ms(TARGET.stateId)).toBeLessThan(200 + 5000)
})

test('p95Ms() counts only answers, and is null without one', () => {
  const observed = new HourlyObservations()
  observed.fold(makeFailure(TARGET, AT, 'server', { latencyMs: 9000 }))
  expect(observed.p95Ms(TARGET.stateId)).toBeNull()
  expect(observed.p95Ms('nobody')).toBeNull()
})

test('costs are added up exactly, unknown prices are counted', () => {
  const observed = new HourlyObservations()
  for (const costNanoUsd of [1, 2, null, 3]) observed.fold(makeSuccess(TARGET, AT, { costNanoUsd }))
  expect(observed.of(TARGET.stateId)).toMatchObject({ costNanoUsd: 6, unpriced: 1 })
})

test('a snapshot is read back as it was, and anything else starts empty', () => {
  const observed = observe([10, 200, 3000, 3000, 0.2])
  const copy = HourlyObservations.fromJson(JSON.parse(JSON.stringify(observed.toJson())))
  expect(copy.toJson()).toEqual(observed.toJson())
  expect(copy.p95Ms(TARGET.stateId)).toBe(observed.p95Ms(TARGET.stateId))
  for (const broken of [null, 7, { version: 9 }, { version: 1, rows: [[1], ['a', 'x', null, [[999, 1], ['b']]], 5] }])
    expect(HourlyObservations.fromJson(broken).p95Ms('a')).toBeNull()
})
