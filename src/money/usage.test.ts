import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { someParts } from '../../test/support/chatArbitraries.ts'
import type { ModalityTokens, UsageParts } from '../domain/chat.ts'
import { loadUsageEstimator, mostInputTokens, sampledCount, soundUsage } from './usage.ts'

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

describe('the parts of soundUsage()', () => {
  const whole = { ...base, cachedInputTokens: 40, cacheWriteTokens: 30, reasoningTokens: 10 }
  const partsOf = (parts: UsageParts) => soundUsage({ ...whole, parts })?.parts

  for (const { name, told, expected } of [
    { name: 'stay as they are where they fit', told: { input: { audio: 60 } }, expected: { input: { audio: 60 } } },
    { name: 'are absent where all is zero', told: { input: { audio: 0 }, images: 0 }, expected: undefined },
    { name: 'drop NaN', told: { images: Number.NaN, output: { audio: Number.NaN } }, expected: undefined },
    { name: 'drop negatives', told: { audioSeconds: -1, serverTools: { web_search: -2 } }, expected: undefined },
    {
      name: 'drop the absurd',
      told: { serverTools: { web_search: 1e9, web_fetch: 2 }, images: 1e12, audioSeconds: 1e9 },
      expected: { serverTools: { web_fetch: 2 } },
    },
    {
      name: 'are no more input than there is',
      told: { input: { audio: 90, video: 30 } },
      expected: { input: { audio: 90, video: 10 } },
    },
    {
      name: 'are no more writes than there are',
      told: { cacheWrite1hTokens: 31 },
      expected: { cacheWrite1hTokens: 30 },
    },
    {
      name: 'are no more output than is not thought',
      told: { output: { audio: 99 } },
      expected: { output: { audio: 40 } },
    },
    {
      name: 'have no more in the cache than was read of it, and of its kind',
      told: { input: { audio: 20, image: 30 }, cached: { audio: 30, image: 90 } },
      expected: { input: { audio: 20, image: 30 }, cached: { audio: 20, image: 20 } },
    },
    {
      name: 'round fractions up',
      told: { output: { image: 1.5 }, images: 0.5 },
      expected: { output: { image: 2 }, images: 1 },
    },
    { name: 'keep a fraction of a second', told: { audioSeconds: 8.4 }, expected: { audioSeconds: 8.4 } },
    { name: 'keep a fee to the digit', told: { feeUsd: 0.0000011005 }, expected: { feeUsd: 0.0000011005 } },
    { name: 'drop a fee that nobody asks', told: { feeUsd: 10_001 }, expected: undefined },
    { name: 'drop a fee of nothing', told: { feeUsd: 0 }, expected: undefined },
  ] as { name: string; told: UsageParts; expected: UsageParts | undefined }[])
    test(name, () => expect(partsOf(told)).toEqual(expected))

  test('bound the kinds of tools and the length of names', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`tool_${index}`, 1]))
    expect(Object.keys(partsOf({ serverTools: many })?.serverTools ?? {})).toHaveLength(32)
    expect(partsOf({ serverTools: { ['x'.repeat(65)]: 1 } })).toBeUndefined()
    expect(partsOf({ serviceTier: 'x'.repeat(500) })?.serviceTier).toHaveLength(64)
  })

  test('are never larger than their whole, and sound parts stay as they are', () => {
    const sum = (tokens: ModalityTokens = {}) => Object.values(tokens).reduce((total, count) => total + count, 0)
    fc.assert(
      fc.property(someParts, fc.nat(4_000), fc.nat(4_000), (parts, inputTokens, outputTokens) => {
        const usage = { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, estimated: false }
        const split = {
          cachedInputTokens: inputTokens >> 1,
          cacheWriteTokens: inputTokens >> 2,
          reasoningTokens: outputTokens >> 1,
        }
        const sound = soundUsage({ ...usage, ...split, parts })
        expect(sum(sound?.parts?.input)).toBeLessThanOrEqual(inputTokens)
        expect(sum(sound?.parts?.cached)).toBeLessThanOrEqual(split.cachedInputTokens)
        expect(sum(sound?.parts?.output)).toBeLessThanOrEqual(outputTokens - split.reasoningTokens)
        expect(sound?.parts?.cacheWrite1hTokens ?? 0).toBeLessThanOrEqual(split.cacheWriteTokens)
        expect(sound && soundUsage(sound)).toEqual(sound)
      }),
    )
  })
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

describe('sampledCount()', () => {
  const PROSE = 'The quick brown fox jumps over the lazy dog, and nobody in the village was surprised by it at all. '
  const CODE = 'for (let i = 0; i < rows.length; i++) {\n    total += rows[i]?.price ?? 0x1f; // sum\n}\n'
  const CHINESE = '今天天气很好，我们去公园散步吧。'
  const filled = (text: string, length: number) => text.repeat(Math.ceil(length / text.length)).slice(0, length)

  test.each([
    ['prose', filled(PROSE, 200_000)],
    ['code', filled(CODE, 200_000)],
    ['Chinese', filled(CHINESE, 200_000)],
    [
      'words that differ in length',
      Array.from({ length: 30_000 }, (_, at) => 'word'.repeat(1 + ((at * 7) % 5))).join(' '),
    ],
    ['prose, then code', filled(PROSE, 100_000) + filled(CODE, 100_000)],
    ['prose and Chinese by turns', filled(filled(PROSE, 3000) + filled(CHINESE, 3000), 200_000)],
    ['one word without end', filled('abc', 200_000)],
  ])('counts %s within 5 %', async (_what, text) => {
    const estimate = await loadUsageEstimator()
    const exact = Array.from({ length: Math.ceil(text.length / 30_000) }, (_, at) =>
      estimate('', text.slice(at * 30_000, (at + 1) * 30_000)),
    ).reduce((sum, { outputTokens }) => sum + outputTokens, 0)
    expect(Math.abs(estimate('', text).outputTokens / exact - 1)).toBeLessThan(0.05)
  })

  test('looks at no more of a long text than of a short one', () => {
    const looked = (length: number) => {
      let characters = 0
      sampledCount('x'.repeat(length), (text) => {
        characters += text.length
        return text.length
      })
      return characters
    }
    expect(looked(32_768)).toBe(32_768)
    expect(looked(32_769)).toBe(32_768)
    expect(looked(4_000_000)).toBe(32_768)
  })

  test('counts every character of a short text', () => {
    expect(sampledCount('abc', (text) => text.length)).toBe(3)
  })
})
