import { describe, expect, test } from 'vitest'
import { loadUsageEstimator, mostInputTokens, soundUsage } from './usage.ts'

const base = { inputTokens: 100, outputTokens: 50, totalTokens: 150, estimated: false }

describe('soundUsage()', () => {
  test('passes sound usage through unchanged', () => expect(soundUsage(base)).toBe(base))

  for (const { name, odd, expected } of [
    { name: 'takes a lost input from the total', odd: { inputTokens: Number.NaN }, expected: { inputTokens: 100 } },
    { name: 'takes a lost output from the total', odd: { outputTokens: -1 }, expected: { outputTokens: 50 } },
    { name: 'rounds fractions up', odd: { inputTokens: 99.2 }, expected: { inputTokens: 100 } },
    { name: 'cuts cached tokens to the input', odd: { cachedInputTokens: 500 }, expected: { cachedInputTokens: 100 } },
    {
      name: 'cuts cache writes to what the cache did not read',
      odd: { cachedInputTokens: 60, cacheWriteTokens: 60 },
      expected: { cacheWriteTokens: 40 },
    },
    { name: 'cuts reasoning to the output', odd: { reasoningTokens: 51 }, expected: { reasoningTokens: 50 } },
    { name: 'ignores negative parts', odd: { reasoningTokens: -3 }, expected: { reasoningTokens: 0 } },
  ])
    test(name, () => expect(soundUsage({ ...base, ...odd })).toMatchObject(expected))

  for (const odd of [
    { inputTokens: Number.NaN, totalTokens: Number.NaN },
    { inputTokens: 1e12, outputTokens: 1e12 },
    { inputTokens: -1, totalTokens: 20 },
  ])
    test(`rejects ${JSON.stringify(odd)}`, () => expect(soundUsage({ ...base, ...odd })).toBeNull())
})

test('loadUsageEstimator() counts text and marks the result as estimated', async () => {
  const estimate = await loadUsageEstimator()
  const usage = estimate('The quick brown fox jumps over the lazy dog. '.repeat(100), 'Yes.')
  // 10 tokens per sentence with every common tokenizer.
  expect(usage.inputTokens).toBeGreaterThan(800)
  expect(usage.inputTokens).toBeLessThan(1_200)
  expect(usage).toMatchObject({ totalTokens: usage.inputTokens + usage.outputTokens, estimated: true })
})

test('mostInputTokens() is at least one token per byte, template and image', () => {
  expect(mostInputTokens({ utf8Bytes: 4_000, messages: 3, images: 1 })).toBe(4_000 + 64 + 5_000)
})
