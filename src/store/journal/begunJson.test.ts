import fc from 'fast-check'
import { expect, test } from 'vitest'
import { attemptEvent, beginOf, targetRef } from '../../../test/support/storeEvents.ts'
import { anyAttempt } from '../../../test/support/storeSuite.ts'
import type { BegunCall } from '../../domain/store.ts'
import { begunJson } from './begunJson.ts'

function isSame(call: BegunCall): void {
  expect(JSON.parse(begunJson(call))).toEqual(JSON.parse(JSON.stringify(call)))
}

test('any call is written as JSON.stringify writes it', () => {
  fc.assert(
    fc.property(anyAttempt, fc.option(fc.nat()), fc.boolean(), (attempt, mostNanoUsd, isLost) =>
      isSame({ ...beginOf(attempt, mostNanoUsd), ...(isLost && { startedAt: Number.NaN }) }),
    ),
    { numRuns: 500 },
  )
})

test('a target whose key has moved is written as it is now', () => {
  for (const keyIndex of [1, 2, 1]) isSame(beginOf(attemptEvent({ target: targetRef({ keyIndex }) })))
})

test('no line break gets into it, and every field does', () => {
  const every: Required<BegunCall> = {
    ...beginOf(attemptEvent({ task: 'line\nbreak', labels: { team: 'ä\n' } })),
    tokenId: 'line\nbreak',
  }
  isSame(every)
  expect(begunJson(every)).not.toContain('\n')
})
