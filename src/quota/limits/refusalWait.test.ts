import { describe, expect, test } from 'vitest'
import { MINUTE, NOON } from '../../../test/support/quotaFixtures.ts'
import { RefusalWait } from './refusalWait.ts'

const SECOND = 1_000
const WAIT = 20 * SECOND
const OVER = NOON + WAIT

describe('a wait that a refusal stated', () => {
  test('lets one call try the limit when it is over, and not before', () => {
    const wait = new RefusalWait(WAIT, NOON, 'minute')
    expect(wait.mayTry(OVER - 1)).toBe(false)
    expect(wait.triedAt(OVER - 1)).toBe(OVER)
    expect(wait.mayTry(OVER)).toBe(true)
    wait.beginTry()
    expect(wait.mayTry(OVER)).toBe(false)
    expect(wait.triedAt(OVER)).toBe(OVER + WAIT)
  })

  test('lets twice as many try with each that succeeds', () => {
    const wait = new RefusalWait(WAIT, NOON, 'minute')
    const parallel = () => {
      let tries = 0
      for (; wait.mayTry(OVER); tries++) wait.beginTry()
      for (let ended = 0; ended < tries; ended++) wait.endTry(false)
      wait.succeed(OVER)
      return tries
    }
    expect([parallel(), parallel(), parallel()]).toEqual([1, 2, 4])
  })

  test('tries nothing when there was room by what is known as well', () => {
    const wait = new RefusalWait(WAIT, NOON, 'minute')
    wait.hold(OVER)
    expect(wait.mayTry(OVER)).toBe(false)
    expect(wait.triedAt(OVER)).toBe(Number.POSITIVE_INFINITY)
  })

  test('is the longest of parallel refusals', () => {
    const wait = new RefusalWait(WAIT, NOON, 'minute')
    wait.refuse(NOON - 1, 5 * SECOND, NOON + SECOND)
    expect(wait.triedAt(NOON + SECOND)).toBe(OVER)
    wait.refuse(NOON - 1, 30 * SECOND, NOON + 2 * SECOND)
    expect(wait.triedAt(NOON + 2 * SECOND)).toBe(NOON + 32 * SECOND)
  })

  for (const [wrong, believed] of [
    [2, true],
    [3, false],
  ] as const)
    test(`is ${believed ? 'still' : 'no longer'} believed after it was wrong ${wrong} times in a row, through a restart`, () => {
      let wait = new RefusalWait(WAIT, NOON, 'minute')
      for (let time = 1; time <= wrong; time++) wait.refuse(NOON + time * WAIT, WAIT, NOON + time * WAIT)
      wait = RefusalWait.fromJson(JSON.parse(JSON.stringify(wait.toJson())), 'minute')!
      expect(wait.mayTry(NOON + (wrong + 1) * WAIT)).toBe(believed)
    })

  test('says nothing a window after it is over', () => {
    const wait = new RefusalWait(WAIT, NOON, 'minute')
    expect(wait.mayTry(OVER + MINUTE - 1)).toBe(true)
    expect(wait.mayTry(OVER + MINUTE)).toBe(false)
  })

  test('is no longer than it was when the clock is set back', () => {
    const wait = new RefusalWait(WAIT, NOON, 'minute')
    expect(wait.triedAt(NOON - 100 * MINUTE)).toBe(NOON - 100 * MINUTE + WAIT)
  })

  for (const json of [null, 7, {}, { waitMs: -1, until: NOON }, { waitMs: 'x', until: NOON }, { waitMs: 5 }])
    test(`is not read from ${JSON.stringify(json)}`, () => {
      expect(RefusalWait.fromJson(json, 'minute')).toBeNull()
    })
})
