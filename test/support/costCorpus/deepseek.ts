import type { CostRecord, Published } from './record.ts'
import { chat, chatChunks } from './wire.ts'

const page = (says: string, readOn = '2026-11-30'): Published => ({
  url: 'https://api-docs.deepseek.com/quick_start/pricing',
  readOn,
  says,
})
const PEAK = 'twice as much 01:00-04:00 and 06:00-10:00 UTC on working days'

export const deepseekPublished: Readonly<Record<string, Published>> = {
  'deepseek-v4-pro': page(`0.66, hits 0.022, output 1.98; ${PEAK}`),
  'deepseek-v4-flash': page(`0.15, hits 0.003, output 0.6; ${PEAK}`),
  'deepseek-chat': page('until 2025-09-05: 0.27, hits 0.07, output 1.1; half 16:30-00:30 UTC', '2025-08-25'),
  'deepseek-reasoner': page('until 2025-09-05: 0.55, hits 0.14, output 2.19; a quarter 16:30-00:30 UTC', '2025-08-25'),
}

const deep = { provider: 'deepseek', reader: 'chat' } as const
const asked = {
  prompt_tokens: 2_000,
  completion_tokens: 300,
  total_tokens: 2_300,
  prompt_tokens_details: { cached_tokens: 1_536 },
  completion_tokens_details: { reasoning_tokens: 200 },
  prompt_cache_hit_tokens: 1_536,
  prompt_cache_miss_tokens: 464,
}

export const deepseekRecords: readonly CostRecord[] = [
  {
    ...deep,
    of: 'hits, misses and thoughts at noon',
    part: 'cached',
    model: 'deepseek-v4-pro',
    answer: chat(asked),
    nanoUsd: 934_032,
    by: '464*0.66 + 1536*0.022 + 300*1.98',
  },
  {
    ...deep,
    of: 'the same in the peak hours of a Monday',
    part: 'dated price',
    model: 'deepseek-v4-pro',
    at: '2026-11-23T01:00:00Z',
    answer: chat(asked),
    nanoUsd: 1_868_064,
    by: '464*1.32 + 1536*0.044 + 300*3.96',
  },
  {
    ...deep,
    of: 'the hours between the peaks',
    part: 'dated price',
    model: 'deepseek-v4-pro',
    at: '2026-11-23T04:00:00Z',
    answer: chatChunks(asked),
    nanoUsd: 934_032,
    by: '464*0.66 + 1536*0.022 + 300*1.98',
  },
  {
    ...deep,
    of: 'the last second of the second peak',
    part: 'dated price',
    model: 'deepseek-v4-pro',
    at: '2026-11-23T09:59:59Z',
    answer: chatChunks(asked),
    nanoUsd: 1_868_064,
    by: '464*1.32 + 1536*0.044 + 300*3.96',
  },
  {
    ...deep,
    of: 'hits that are told without details',
    part: 'cached',
    model: 'deepseek-v4-pro',
    answer: chat({
      prompt_tokens: 1_000,
      completion_tokens: 10,
      total_tokens: 1_010,
      prompt_cache_hit_tokens: 640,
      prompt_cache_miss_tokens: 360,
    }),
    nanoUsd: 271_480,
    by: '360*0.66 + 640*0.022 + 10*1.98',
  },
  {
    ...deep,
    of: 'the day of 2025',
    part: 'dated price',
    model: 'deepseek-chat',
    at: '2025-06-10T12:00:00Z',
    answer: chat({
      prompt_tokens: 1_000,
      completion_tokens: 100,
      total_tokens: 1_100,
      prompt_cache_hit_tokens: 600,
      prompt_cache_miss_tokens: 400,
    }),
    nanoUsd: 260_000,
    by: '400*0.27 + 600*0.07 + 100*1.1',
  },
  {
    ...deep,
    of: 'the night of 2025, over midnight',
    part: 'dated price',
    model: 'deepseek-chat',
    at: '2025-06-11T00:29:59Z',
    answer: chat({
      prompt_tokens: 1_000,
      completion_tokens: 100,
      total_tokens: 1_100,
      prompt_cache_hit_tokens: 600,
      prompt_cache_miss_tokens: 400,
    }),
    nanoUsd: 130_000,
    by: '400*0.135 + 600*0.035 + 100*0.55',
  },
  {
    ...deep,
    of: 'thoughts in the night of 2025',
    part: 'dated price',
    model: 'deepseek-reasoner',
    at: '2025-06-10T16:30:00Z',
    answer: chat({
      prompt_tokens: 100,
      completion_tokens: 900,
      total_tokens: 1_000,
      completion_tokens_details: { reasoning_tokens: 800 },
      prompt_cache_hit_tokens: 0,
      prompt_cache_miss_tokens: 100,
    }),
    nanoUsd: 508_500,
    by: '100*0.135 + 900*0.55',
  },
  {
    ...deep,
    of: 'the price since V4.1',
    part: 'plain',
    model: 'deepseek-v4-flash',
    answer: chat(asked),
    nanoUsd: 254_208,
    by: '464*0.15 + 1536*0.003 + 300*0.6',
  },
  {
    ...deep,
    of: 'a Sunday, which has no peak',
    part: 'dated price',
    model: 'deepseek-v4-pro',
    at: '2026-11-22T01:00:00Z',
    answer: chat(asked),
    nanoUsd: 934_032,
    by: '464*0.66 + 1536*0.022 + 300*1.98',
  },
]
