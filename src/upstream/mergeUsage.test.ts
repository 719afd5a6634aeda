import { describe, expect, test } from 'vitest'
import { mergeUsage } from './mergeUsage.ts'

const base = { inputTokens: 100, outputTokens: 50, totalTokens: 150, estimated: false }

describe('mergeUsage()', () => {
  test('takes the only report as it is', () => expect(mergeUsage(null, base)).toBe(base))

  test('keeps the larger number where a later report shrinks', () => {
    const later = { inputTokens: 0, outputTokens: 80, totalTokens: 80, cachedInputTokens: 10, estimated: false }
    expect(mergeUsage({ ...base, cachedInputTokens: 40 }, later)).toMatchObject({
      inputTokens: 100,
      outputTokens: 80,
      totalTokens: 180,
      cachedInputTokens: 40,
    })
  })

  test('lets a report in numbers repair one that is NaN', () => {
    expect(mergeUsage({ ...base, inputTokens: Number.NaN }, base).inputTokens).toBe(100)
  })
})
