import { expect, test } from 'vitest'
import { AvoidableErrors, addedUp, perMillion, type Received } from './avoidable.ts'

const CASES: readonly (readonly [received: Received, counts: object])[] = [
  ['answer', { requests: 1, failed: 0, avoidable: 0 }],
  ['error', { requests: 1, failed: 1, avoidable: 1 }],
  ['empty', { requests: 1, failed: 1, avoidable: 1 }],
  ['malformed', { requests: 1, failed: 1, avoidable: 1 }],
  ['left', { requests: 0, failed: 0, avoidable: 0 }],
  ['refused', { requests: 0, failed: 0, avoidable: 0 }],
]
for (const [received, counts] of CASES)
  test(`a caller that got "${received}" while a healthy target was there counts as ${JSON.stringify(counts)}`, () => {
    const observer = new AvoidableErrors()
    observer.saw(received, () => true)
    expect(observer.report).toEqual(counts)
  })

test('an error that no target could have prevented is not avoidable', () => {
  const observer = new AvoidableErrors()
  observer.saw('error', () => false)
  expect(observer.report).toEqual({ requests: 1, failed: 1, avoidable: 0 })
})

test('observations add up, and are told per million requests', () => {
  const sum = addedUp([
    { requests: 3_000, failed: 2, avoidable: 1 },
    { requests: 1_000, failed: 0, avoidable: 0 },
  ])
  expect(sum).toEqual({ requests: 4_000, failed: 2, avoidable: 1 })
  expect(perMillion(sum)).toBe(250)
  expect(perMillion(addedUp([]))).toBe(0)
})
