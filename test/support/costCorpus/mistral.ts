import type { CostRecord, Published } from './record.ts'
import { chat, chatChunks, vectors } from './wire.ts'

const page = (says: string): Published => ({ url: 'https://mistral.ai/pricing', readOn: '2026-11-30', says })

export const mistralPublished: Readonly<Record<string, Published>> = {
  'mistral-large-2512': { ...page('0.5, cached 0.05, output 1.5'), seen: 'list' },
  'mistral-small-2603': { ...page('0.15, cached 0.015, output 0.6'), seen: 'list' },
  'ministral-8b-2512': { ...page('0.15, cached 0.015, output 0.15'), seen: 'list' },
  'codestral-2508': { ...page('0.3, cached 0.03, output 0.9'), seen: 'list' },
  'mistral-medium-latest': {
    ...page('0.4, output 2; since Medium 3.5 (2026-06-16) 1.5, cached 0.15, output 7.5'),
    seen: 'list',
  },
  'voxtral-small-2507': { ...page('0.1, output 0.3 (0.4 since 2026-08-11); audio 0.004 a minute'), seen: 'list' },
  'voxtral-mini-2602': { ...page('transcription 0.003 a minute'), seen: 'list' },
  'mistral-embed': { ...page('0.1'), seen: 'list' },
}

const ofMistral = { provider: 'mistral', reader: 'chat' } as const

export const mistralRecords: readonly CostRecord[] = [
  {
    of: 'a transcription, whose tokens are not billed',
    part: 'units',
    provider: 'mistral',
    model: 'voxtral-mini-2602',
    reader: 'units',
    answer: {
      text: 'Hi',
      usage: { prompt_audio_seconds: 203, prompt_tokens: 4, completion_tokens: 635, total_tokens: 3_264 },
    },
    nanoUsd: 10_150_000,
    by: '203*50',
  },
  {
    ...ofMistral,
    of: 'text',
    part: 'plain',
    model: 'mistral-large-2512',
    answer: chat({ prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 }),
    nanoUsd: 650_000,
    by: '1000*0.5 + 100*1.5',
  },
  {
    ...ofMistral,
    of: 'a prompt that was cached in part',
    part: 'cached',
    model: 'mistral-small-2603',
    answer: chatChunks({
      prompt_tokens: 3_000,
      completion_tokens: 50,
      total_tokens: 3_050,
      prompt_tokens_details: { cached_tokens: 2_048 },
      num_cached_tokens: 2_048,
    }),
    nanoUsd: 203_520,
    by: '952*0.15 + 2048*0.015 + 50*0.6',
  },
  {
    ...ofMistral,
    of: 'a small model',
    part: 'plain',
    model: 'ministral-8b-2512',
    answer: chat({ prompt_tokens: 33, completion_tokens: 7, total_tokens: 40 }),
    nanoUsd: 6_000,
    by: '33*0.15 + 7*0.15',
  },
  {
    ...ofMistral,
    of: 'code',
    part: 'plain',
    model: 'codestral-2508',
    answer: chat({ prompt_tokens: 4_321, completion_tokens: 1_234, total_tokens: 5_555 }),
    nanoUsd: 2_406_900,
    by: '4321*0.3 + 1234*0.9',
  },
  {
    ...ofMistral,
    of: 'a name that meant another model before',
    part: 'dated price',
    model: 'mistral-medium-latest',
    at: '2026-06-15T12:00:00Z',
    answer: chat({ prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 }),
    nanoUsd: 600_000,
    by: '1000*0.4 + 100*2',
  },
  {
    ...ofMistral,
    of: 'the same name now',
    part: 'dated price',
    model: 'mistral-medium-latest',
    answer: chat({ prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 }),
    nanoUsd: 2_250_000,
    by: '1000*1.5 + 100*7.5',
  },
  {
    ...ofMistral,
    of: 'audio in seconds, whose tokens are in the total alone',
    part: 'audio',
    model: 'voxtral-small-2507',
    answer: chat({ prompt_tokens: 4, completion_tokens: 635, total_tokens: 3_264, prompt_audio_seconds: 203 }),
    atLeast: 254_400,
    by: '4*0.1 + 635*0.4',
    atMost: 2_030_254_400,
    byMost: '4*0.1 + 635*0.4 + 203*10000',
    published: '4*0.1 + 635*0.4 + 4*4000',
  },
  {
    ...ofMistral,
    of: 'vectors',
    part: 'embeddings',
    model: 'mistral-embed',
    reader: 'vectors',
    answer: vectors({ prompt_tokens: 1_500, completion_tokens: 0, total_tokens: 1_500 }),
    nanoUsd: 150_000,
    by: '1500*0.1',
  },
]
