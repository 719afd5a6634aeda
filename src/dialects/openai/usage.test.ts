import fc from 'fast-check'
import { expect, test } from 'vitest'
import { someUsage } from '../../../test/support/chatArbitraries.ts'
import { readChatUsage, readResponsesUsage, writeChatUsage, writeResponsesUsage } from './usage.ts'

const cases: { name: string; wire: unknown; usage: object | undefined }[] = [
  {
    name: 'OpenAI counts reasoning in the completion',
    wire: {
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 15,
      prompt_tokens_details: { cached_tokens: 4 },
      completion_tokens_details: { reasoning_tokens: 3 },
    },
    usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15, cachedInputTokens: 4, reasoningTokens: 3 },
  },
  {
    name: 'xAI leaves reasoning out of the completion',
    wire: {
      prompt_tokens: 12,
      completion_tokens: 1,
      total_tokens: 241,
      completion_tokens_details: { reasoning_tokens: 228 },
      cost_in_usd_ticks: 1176500,
    },
    usage: { inputTokens: 12, outputTokens: 229, totalTokens: 241, reasoningTokens: 228, reportedCostUsd: 0.00011765 },
  },
  {
    name: 'a total above the sum hides thoughts that nobody names',
    wire: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 115 },
    usage: { inputTokens: 10, outputTokens: 105, totalTokens: 115 },
  },
  {
    name: 'DeepSeek counts cache hits beside the details',
    wire: {
      prompt_tokens: 13,
      completion_tokens: 4,
      total_tokens: 17,
      prompt_cache_hit_tokens: 8,
      prompt_cache_miss_tokens: 5,
    },
    usage: { inputTokens: 13, outputTokens: 4, totalTokens: 17, cachedInputTokens: 8 },
  },
  {
    name: 'OpenRouter says the cost and what it wrote to the cache',
    wire: {
      prompt_tokens: 9,
      completion_tokens: 1,
      total_tokens: 10,
      cost: 0.5,
      prompt_tokens_details: { cache_write_tokens: 7 },
    },
    usage: { inputTokens: 9, outputTokens: 1, totalTokens: 10, cacheWriteTokens: 7, reportedCostUsd: 0.5 },
  },
  {
    name: 'a missing input follows from the total',
    wire: { completion_tokens: 4, total_tokens: 9 },
    usage: { inputTokens: 5, outputTokens: 4, totalTokens: 9 },
  },
  {
    name: 'a total below the sum is not believed',
    wire: { prompt_tokens: 5, completion_tokens: 4, total_tokens: 1 },
    usage: { inputTokens: 5, outputTokens: 4, totalTokens: 9 },
  },
  {
    name: 'a part is never more than its whole',
    wire: { prompt_tokens: 5, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 50 } },
    usage: { inputTokens: 5, outputTokens: 4, totalTokens: 9, cachedInputTokens: 5 },
  },
  { name: 'zeros are no usage', wire: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }, usage: undefined },
  {
    name: 'nonsense is no usage',
    wire: { prompt_tokens: '5', completion_tokens: -4, total_tokens: Number.NaN },
    usage: undefined,
  },
  { name: 'null is no usage', wire: null, usage: undefined },
  { name: 'an empty object is no usage', wire: {}, usage: undefined },
]
for (const { name, wire, usage } of cases) {
  test(`readChatUsage(): ${name}`, () => {
    const read = readChatUsage(wire)
    if (usage === undefined) expect(read).toBeUndefined()
    else {
      const { reportedCostUsd, ...counts } = read ?? expect.fail('no usage')
      const { reportedCostUsd: cost, ...expected } = usage as { reportedCostUsd?: number }
      expect(counts).toEqual({ ...expected, estimated: false })
      if (cost === undefined) expect(reportedCostUsd).toBeUndefined()
      else expect(reportedCostUsd).toBeCloseTo(cost, 12)
    }
  })
}

test('usage survives being written and read in both dialects', () => {
  fc.assert(
    fc.property(someUsage, (usage) => {
      expect(readChatUsage(writeChatUsage(usage))).toEqual(usage)
      expect(readResponsesUsage(writeResponsesUsage(usage))).toEqual(usage)
    }),
  )
})

test('writeResponsesUsage() states all details, as the official client expects', () => {
  const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3, estimated: false }
  expect(writeResponsesUsage(usage)).toEqual({
    input_tokens: 1,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: 2,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 3,
  })
})
