import type { CostRecord, Published } from './record.ts'
import { chat } from './wire.ts'

const page = (says: string): Published => ({ url: 'https://console.groq.com/docs/models', readOn: '2026-11-30', says })

export const groqPublished: Readonly<Record<string, Published>> = {
  'openai/gpt-oss-120b': page('0.15, cached 0.075, output 0.6; flex as usual; search 8 a thousand at most'),
  'openai/gpt-oss-20b': page('0.075, cached 0.0375, output 0.3'),
  'whisper-large-v3': {
    ...page('0.111 an hour, ten seconds at least'),
    url: 'https://console.groq.com/docs/speech-to-text',
  },
  'llama-3.3-70b-versatile': page('0.59, output 0.79, until 2026-08-16'),
}

const fast = { provider: 'groq', reader: 'chat' } as const
const times = { queue_time: 0.02, prompt_time: 0.01, completion_time: 0.3, total_time: 0.31 }

export const groqRecords: readonly CostRecord[] = [
  {
    of: 'an hour of a recording',
    part: 'units',
    provider: 'groq',
    model: 'whisper-large-v3',
    reader: 'units',
    answer: { text: 'Hi', duration: 3_600, task: 'transcribe' },
    nanoUsd: 111_000_000,
    by: '1*111000',
  },
  {
    of: 'a short recording, billed as of ten seconds',
    part: 'units',
    provider: 'groq',
    model: 'whisper-large-v3',
    reader: 'units',
    answer: { text: 'Hi', duration: 2.5, task: 'transcribe' },
    nanoUsd: 308_333,
    by: '10*30.8333333',
  },
  {
    ...fast,
    of: 'text, with the times beside the counts',
    part: 'plain',
    model: 'llama-3.3-70b-versatile',
    at: '2026-05-04T12:00:00Z',
    answer: chat({ ...times, prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 }),
    nanoUsd: 669_000,
    by: '1000*0.59 + 100*0.79',
  },
  {
    ...fast,
    of: 'a cached prompt, and thoughts',
    part: 'cached',
    model: 'openai/gpt-oss-120b',
    answer: chat(
      {
        ...times,
        prompt_tokens: 4_641,
        prompt_tokens_details: { cached_tokens: 4_608 },
        completion_tokens: 1_817,
        completion_tokens_details: { reasoning_tokens: 1_400 },
        total_tokens: 6_458,
      },
      { service_tier: 'on_demand' },
    ),
    nanoUsd: 1_440_750,
    by: '33*0.15 + 4608*0.075 + 1817*0.6',
  },
  {
    ...fast,
    of: 'a stream whose counts come in a field of its own',
    part: 'totals',
    model: 'openai/gpt-oss-20b',
    answer: [
      {
        id: 'c1',
        model: 'm',
        choices: [{ index: 0, delta: { role: 'assistant', content: 'Hi' } }],
        x_groq: { id: 'r1' },
      },
      {
        id: 'c1',
        model: 'm',
        choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
        x_groq: { id: 'r1', usage: { ...times, prompt_tokens: 80, completion_tokens: 40, total_tokens: 120 } },
      },
    ],
    nanoUsd: 18_000,
    by: '80*0.075 + 40*0.3',
  },
  {
    ...fast,
    of: 'flex, which costs as much as usual',
    part: 'tier',
    model: 'openai/gpt-oss-120b',
    answer: chat(
      { ...times, prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 },
      { service_tier: 'flex' },
    ),
    nanoUsd: 210_000,
    by: '1000*0.15 + 100*0.6',
  },
  {
    ...fast,
    of: 'performance, for which capacity is paid and not tokens',
    part: 'tier',
    model: 'openai/gpt-oss-120b',
    answer: chat(
      { ...times, prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 },
      { service_tier: 'performance' },
    ),
    atLeast: 0,
    by: '0*(1000*0.15 + 100*0.6)',
    atMost: 1_260_000,
    byMost: '6*(1000*0.15 + 100*0.6)',
  },
  {
    ...fast,
    of: 'a search that ran there',
    part: 'search',
    model: 'openai/gpt-oss-120b',
    answer: chat(
      { ...times, prompt_tokens: 5_000, completion_tokens: 300, total_tokens: 5_300 },
      {
        choices: [
          {
            index: 0,
            message: {
              role: 'assistant',
              content: 'Hi',
              executed_tools: [{ index: 0, type: 'search', arguments: '{"query":"x"}', output: 'y' }],
            },
            finish_reason: 'stop',
          },
        ],
      },
    ),
    atLeast: 930_000,
    by: '5000*0.15 + 300*0.6',
    atMost: 50_930_000,
    byMost: '5000*0.15 + 300*0.6 + 1*50000',
    published: '5000*0.15 + 300*0.6 + 1*8000',
  },
  {
    ...fast,
    of: 'code that ran there',
    part: 'code',
    model: 'openai/gpt-oss-20b',
    answer: [
      {
        id: 'c1',
        model: 'm',
        choices: [
          {
            index: 0,
            delta: {
              role: 'assistant',
              content: 'Hi',
              executed_tools: [{ index: 0, type: 'python', arguments: '{"code":"1"}', output: '1' }],
            },
          },
        ],
      },
      {
        id: 'c1',
        model: 'm',
        choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
        x_groq: { usage: { ...times, prompt_tokens: 400, completion_tokens: 100, total_tokens: 500 } },
      },
    ],
    atLeast: 60_000,
    by: '400*0.075 + 100*0.3',
    atMost: 1_920_060_000,
    byMost: '400*0.075 + 100*0.3 + 1*1920000',
  },
  {
    ...fast,
    of: 'a system of models, of which no list has a price',
    part: 'unpriced',
    model: 'groq/compound',
    answer: chat({ ...times, prompt_tokens: 5_000, completion_tokens: 300, total_tokens: 5_300 }),
    nanoUsd: null,
    because: 'no price',
  },
]
