import { describe, expect, test } from 'vitest'
import { makeFailure, makeSuccess, makeTarget } from '../../../test/support/makeEvents.ts'
import type { AttemptEvent } from '../../domain/store.ts'
import { Silences } from './silences.ts'

const TARGET = makeTarget()
const ID = TARGET.stateId
const AT = 1_000_000
const MINUTE = 60_000

const silent = (latencyMs: number, at = AT, facts: Partial<AttemptEvent> = {}) =>
  makeFailure(TARGET, at, 'slower', { latencyMs, ...facts })
const answer = (latencyMs: number, facts: Partial<AttemptEvent> = {}) =>
  makeSuccess(TARGET, AT, { latencyMs, ...facts })

function folded(...events: readonly AttemptEvent[]): Silences {
  const silences = new Silences()
  for (const event of events) silences.fold(event)
  return silences
}

describe('a target is too slow for a request', () => {
  const rows: readonly [string, readonly AttemptEvent[], number, boolean][] = [
    ['not after two silences', [silent(300), silent(300)], 300, false],
    ['after three in a row', [silent(300), silent(300), silent(300)], 300, true],
    ['that can wait longer, not', [silent(300), silent(300), silent(300)], 301, false],
    ['by the third longest silence', [300, 10_000, 400, 200, 500].map((ms) => silent(ms)), 400, true],
    ['by no more than that', [300, 10_000, 400, 200, 500].map((ms) => silent(ms)), 401, false],
    ['not with an answer in between', [silent(300), silent(300), answer(10), silent(300)], 100, false],
    ['not with a content in between', [silent(9), silent(9), silent(9, AT, { firstTokenMs: 5 }), silent(9)], 5, false],
    [
      'not for silences that are usual for it',
      [answer(9000), ...[8000, 8000, 8000].map((ms) => silent(ms))],
      100,
      false,
    ],
    ['for silences that are not', [answer(20), silent(300), silent(300), silent(300)], 300, true],
    ['not for faults of this host', [1, 2, 3].map(() => silent(300, AT, { notCharged: true })), 100, false],
    ['not for failures', [1, 2, 3].map(() => makeFailure(TARGET, AT, 'server', { latencyMs: 300 })), 100, false],
  ]
  test.each(rows)('%s', (_, events, patienceMs, expected) => {
    expect(folded(...events).isTooSlow(ID, patienceMs, AT)).toBe(expected)
  })

  test('not for long', () => {
    const silences = folded(silent(300), silent(300), silent(300))
    expect(silences.isTooSlow(ID, 300, AT + 29 * MINUTE)).toBe(true)
    expect(silences.isTooSlow(ID, 300, AT + 31 * MINUTE)).toBe(false)
  })
})

describe('a request that would ask it first', () => {
  const pass = (silences: Silences, requests: number, at: number) =>
    Array.from({ length: requests }, () => silences.passesOver(ID, 300, at))

  test('asks it from time to time, more and more seldom', () => {
    const silences = folded(silent(300), silent(300), silent(300))
    expect(pass(silences, 20, AT + 14_999)).not.toContain(false)
    expect(pass(silences, 8, AT + 15_000)).toEqual([false, true, true, true, true, true, true, false])
    silences.fold(silent(300, AT + 20_000))
    expect(pass(silences, 20, AT + 49_999)).not.toContain(false)
    expect(pass(silences, 1, AT + 50_000)).toEqual([false])
  })

  test('and never where fewer requests than that have passed it over', () => {
    const silences = folded(silent(300), silent(300), silent(300))
    expect(pass(silences, 7, AT + 10 * MINUTE)).toEqual([true, true, true, true, true, true, false])
  })
})

test('what is usual for it outlives a restart', () => {
  const silences = Silences.fromJson(JSON.parse(JSON.stringify(folded(answer(9000)).toJson())))
  for (const _ of [1, 2, 3]) silences.fold(silent(8000))
  expect(silences.isTooSlow(ID, 100, AT)).toBe(false)
  expect(Silences.fromJson([[7], null, 'x']).isEmpty).toBe(true)
})
