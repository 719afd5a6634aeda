import { expect, test } from 'vitest'
import { shorterAnswer } from './shorterAnswer.ts'

const refusal = (affordableTokens?: number) => ({
  kind: 'too_large_for_limit' as const,
  status: 402,
  message: 'x',
  ...(affordableTokens !== undefined && { affordableTokens }),
})

test.each([
  [undefined, undefined, null],
  [20_000, undefined, 20_000],
  [20_000, 64_000, 20_000],
  [20_000, 20_000, null],
  [20_000, 500, null],
  [256, undefined, 256],
  [255, undefined, null],
  [255, 4000, null],
  [150, 200, 150],
  [99, 200, null],
  [0, undefined, null],
  [0, 1, null],
])('shorterAnswer() of %s for a caller who asked for %s is %s', (affordable, requested, expected) => {
  expect(shorterAnswer(refusal(affordable), requested, 'openai')).toBe(expected)
})
