import { expect, test } from 'vitest'
import { makeSuccess, makeTarget } from '../../../test/support/makeEvents.ts'
import type { AttemptSource } from '../../domain/attempt.ts'
import { LatencyAllowance } from './latencyAllowance.ts'

const NOON = Date.UTC(2026, 10, 23, 12)
const ASK = { request: { model: 'm', messages: [], stream: false } }

function learned(source: AttemptSource): number {
  const latencyAllowance = new LatencyAllowance()
  const target = makeTarget()
  for (let count = 0; count < 50; count++)
    latencyAllowance.fold(makeSuccess(target, NOON + count, { latencyMs: 300, source }))
  return latencyAllowance.firstTokenMs(target, ASK, 'auto')
}

test('LatencyAllowance learns from live answers how long a whole answer may take', () => {
  expect(learned('live')).toBeLessThan(10_000)
})

test('LatencyAllowance learns nothing about whole answers from the few tokens of a test', () => {
  expect(learned('test')).toBe(120_000)
})
