import { expect, test } from 'vitest'
import { changesBy, parameterProblems } from './parameters.ts'

test('changesBy() sets the request fields that the parameters name', () => {
  expect(
    changesBy({ temperature: 0, top_p: 0.9, top_k: 5, max_tokens: 80, seed: -1, stop: 'END', reasoning_effort: 'low' }),
  ).toEqual({
    temperature: 0,
    topP: 0.9,
    topK: 5,
    maxTokens: 80,
    seed: -1,
    stop: ['END'],
    reasoning: { effort: 'low' },
  })
})

test('changesBy() ignores values that cannot be read', () => {
  expect(changesBy({ temperature: 'hot', constructor: 1, toString: 2, presence_penalty: 1 })).toEqual({
    presencePenalty: 1,
  })
})

for (const [value, says] of [
  [7, '"p" must be an object'],
  [{ tempreature: 1 }, '"p.tempreature" is not a parameter; did you mean "temperature"?'],
  [{ constructor: 1 }, '"p.constructor" is not a parameter; known are temperature'],
  [{ temperature: 3 }, '"p.temperature" must be a number from 0 to 2'],
  [{ max_tokens: 1.5 }, '"p.max_tokens" must be a whole number above 0'],
  [{ stop: [1] }, '"p.stop" must be a text or a list of texts'],
  [{ reasoning_effort: 'much' }, '"p.reasoning_effort" must be one of none, minimal'],
] as const)
  test(`parameterProblems() says: ${says}`, () => {
    expect(parameterProblems(value, 'p').join()).toContain(says)
  })

test('parameterProblems() finds nothing wrong with valid or absent parameters', () => {
  expect(parameterProblems(undefined, 'p')).toEqual([])
  expect(parameterProblems({ frequency_penalty: -2, seed: 0 }, 'p')).toEqual([])
})
