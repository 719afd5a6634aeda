import { expect, test } from 'vitest'
import {
  attemptEvent,
  failedAttempt,
  importEvent,
  liftEvent,
  qualityEvent,
  TEN,
  targetRef,
} from '../../test/support/storeEvents.ts'
import type { StoreEvent } from '../domain/store.ts'
import { TargetTotals } from './tally.ts'

function tallied(...events: StoreEvent[]): TargetTotals {
  const tally = new TargetTotals()
  for (const event of events) tally.add(event)
  return tally
}

test('attempts are counted per target', () => {
  const other = targetRef({ model: 'other' })
  const tally = tallied(
    attemptEvent({ latencyMs: 1_000 }),
    attemptEvent({ latencyMs: 2_000, at: TEN + 5 }),
    failedAttempt({ at: TEN + 9, latencyMs: 9_000 }),
    attemptEvent({ target: other }),
  )
  expect(tally.rows()).toHaveLength(2)
  expect(tally.row(targetRef().stateId)).toMatchObject({
    successCount: 2,
    failCount: 1,
    totalLatencyMs: 3_000,
    totalTokens: 240,
    lastSuccess: TEN + 5,
    lastError: { at: TEN + 9, message: 'Too Many Requests', status: 429 },
    lastTested: null,
  })
})

test('tests and probes count like calls, and the time of a test is kept', () => {
  const [row] = tallied(attemptEvent({ source: 'test' }), failedAttempt({ source: 'probe', at: TEN + 1 })).rows()
  expect(row).toMatchObject({ successCount: 1, failCount: 1, lastTested: TEN })
})

test('attempts not charged, abandoned by the client or beaten by another target are not counted', () => {
  const [gone, slower] = (['client_gone', 'slower'] as const).map((kind) =>
    failedAttempt({ failure: { kind, status: null, message: '' } }),
  )
  const tally = tallied(failedAttempt({ notCharged: true }), gone!, slower!, liftEvent())
  expect(tally.rows()).toEqual([])
})

test('quality scores are summed, and imported ones are added', () => {
  const tally = tallied(qualityEvent({ score: 1 }), importEvent({ quality: 0.5, qualityCount: 3 }), attemptEvent())
  expect(tally.rows()[0]).toMatchObject({
    qualitySum: 2.5,
    qualityCount: 4,
    successCount: 10,
    failCount: 1,
    totalLatencyMs: 9 * 1_200 + 1_000,
    totalTokens: 4_120,
    lastSuccess: TEN,
  })
})

test('with events out of order, the newest success and error win', () => {
  const [row] = tallied(
    attemptEvent({ at: TEN + 9 }),
    attemptEvent(),
    failedAttempt({ at: TEN + 8 }),
    failedAttempt({ at: TEN + 1 }),
  ).rows()
  expect([row?.lastSuccess, row?.lastError?.at]).toEqual([TEN + 9, TEN + 8])
})

test('rows follow the key, not its index: a removed key passes nothing on to the next one', () => {
  const tally = tallied(
    attemptEvent({ target: targetRef({ fingerprint: 'first', keyIndex: 1 }) }),
    attemptEvent({ target: targetRef({ fingerprint: 'second', keyIndex: 2 }) }),
  )
  const rows = tally.rows((_provider, fingerprint) => (fingerprint === 'second' ? 1 : undefined))
  expect(rows.map((row) => [row.fingerprint, row.keyIndex])).toEqual([['second', 1]])
})

test('totals survive JSON and continue from there', () => {
  const events = [attemptEvent(), failedAttempt({ target: targetRef({ model: '__proto__' }) }), qualityEvent()]
  const copy = TargetTotals.fromJson(JSON.parse(JSON.stringify(tallied(...events).toJson())))
  expect(copy?.rows()).toEqual(tallied(...events).rows())
  copy?.add(attemptEvent())
  expect(copy?.row(targetRef().stateId)?.successCount).toBe(2)
})

test('JSON that does not hold totals is rejected', () => {
  const good = tallied(attemptEvent()).toJson() as { rows: object[] }
  for (const bad of [
    null,
    [],
    {},
    { ...good, version: 2 },
    { version: 1, rows: [{ ...good.rows[0], failCount: 'x' }] },
  ])
    expect(TargetTotals.fromJson(bad)).toBeUndefined()
})
