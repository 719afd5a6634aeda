import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

const providers = ['groq', 'google', 'openrouter', 'openai', 'anthropic']

const cases = [
  { name: 'gorq', expected: ['groq'], because: 'swapped neighbours are one slip' },
  { name: 'GROQ', expected: ['groq'], because: 'letter case does not count' },
  { name: 'openrouters', expected: ['openrouter'], because: 'one letter is too many' },
  { name: 'anthropc', expected: ['anthropic'], because: 'one letter is missing' },
  { name: 'mistral', expected: [], because: 'nothing is near' },
  { name: '', expected: [], because: 'nothing was typed' },
]

for (const { name, expected, because } of cases) {
  test(`nearest() offers ${JSON.stringify(expected)} for "${name}": ${because}`, () => {
    expect(nearest(name, providers)).toEqual(expected)
  })
}

test('nearest() finds a model id that ends in what was typed', () => {
  expect(nearest('claude-3-haiku', ['gpt-5', 'anthropic/claude-3-haiku', 'anthropic/claude-3-opus'], 1)).toEqual([
    'anthropic/claude-3-haiku',
  ])
})

test('nearest() returns at most the requested number, nearest first', () => {
  expect(nearest('model-b', ['model-xy', 'model-b12', 'model-b1', 'model-b'], 2)).toEqual(['model-b', 'model-b12'])
})

test('nearest() stays fast on absurdly long names', () => {
  expect(nearest('a'.repeat(1_000_000), ['a'.repeat(500_000)])).toHaveLength(1)
})
