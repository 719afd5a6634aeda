import { describe, expect, test } from 'vitest'
import type { FailureOf } from '../domain/failure.ts'
import { estimatedOverflow, statedOverflow } from './overflow.ts'

const refusal = (facts: Partial<FailureOf<'context_too_long'>>): FailureOf<'context_too_long'> => ({
  kind: 'context_too_long',
  status: 400,
  message: 'x',
  ...facts,
})
const asked = (inputTokens: number, maxOutputTokens: number | null = null, contextTokens: number | null = null) => ({
  inputTokens,
  maxOutputTokens,
  contextTokens,
})

describe('statedOverflow()', () => {
  test.each([
    [
      'the stated prompt',
      { limitTokens: 1000, inputTokens: 1200, requestedTokens: 1200 },
      asked(900),
      [1200, null, false],
    ],
    [
      'the stated prompt and answer, where only both are too much',
      { limitTokens: 1000, inputTokens: 900, outputTokens: 300, requestedTokens: 1200 },
      asked(850, 300),
      [900, 300, false],
    ],
    [
      'the prompt alone where it is too much, whatever the answer is',
      { limitTokens: 1000, inputTokens: 1100, outputTokens: 300, requestedTokens: 1400 },
      asked(850, 300),
      [1100, null, false],
    ],
    [
      'a stated sum, less what was asked for the answer',
      { limitTokens: 1000, requestedTokens: 1200 },
      asked(850, 300),
      [900, 300, false],
    ],
    [
      'a stated sum without a limit of the answer',
      { limitTokens: 1000, requestedTokens: 1200 },
      asked(850),
      [1200, null, false],
    ],
    ['our estimate where only the window is stated', { limitTokens: 1000 }, asked(1300), [1300, null, true]],
    ['more than the window where we counted less', { limitTokens: 1000 }, asked(700), [1001, null, true]],
    [
      'more than the window for "at least"',
      { limitTokens: 1000, inputTokens: 1000, requestedTokens: 1000 },
      asked(700),
      [1001, null, true],
    ],
  ] as const)('gives %s', (_, facts, request, [inputTokens, outputTokens, isEstimated]) => {
    expect(statedOverflow(refusal(facts), request)).toEqual({
      inputTokens,
      outputTokens,
      limitTokens: 1000,
      isEstimated,
    })
  })

  test('takes the window that was listed where none is stated, unless the request fits it', () => {
    expect(statedOverflow(refusal({}), asked(1300, null, 1000))).toMatchObject({ inputTokens: 1300, limitTokens: 1000 })
    expect(statedOverflow(refusal({}), asked(1300, null, 2000))).toBeNull()
    expect(statedOverflow(refusal({}), asked(1300))).toBeNull()
  })
})

test('estimatedOverflow() blames the answer only where the prompt alone fits', () => {
  expect(estimatedOverflow(asked(900, 300, 1000))).toMatchObject({ inputTokens: 900, outputTokens: 300 })
  expect(estimatedOverflow(asked(1100, 300, 1000))).toMatchObject({ inputTokens: 1100, outputTokens: null })
  expect(estimatedOverflow(asked(600, 300, 1000))).toBeNull()
})
