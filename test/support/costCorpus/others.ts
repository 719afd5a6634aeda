/** Providers of few records each. */

import type { CostRecord, Published } from './record.ts'
import { chat, chatChunks, response, vectors } from './wire.ts'

const page = (url: string, says: string): Published => ({ url, readOn: '2026-11-30', says })
const COHERE = 'https://cohere.com/pricing'
const KIMI = 'https://platform.kimi.ai/docs/pricing/chat-k3'
const FIREWORKS = 'https://docs.fireworks.ai/serverless/pricing'
const ZAI = 'https://docs.z.ai/guides/overview/pricing.md'
const SONAR = 'https://docs.perplexity.ai/getting-started/pricing'

export const othersPublished: Readonly<Record<string, Readonly<Record<string, Published>>>> = {
  cohere: {
    'command-a-03-2025': { ...page(COHERE, '2.5, output 10'), seen: 'copy' },
    'command-r-08-2024': { ...page(COHERE, '0.15, output 0.6'), seen: 'copy' },
    'command-r7b-12-2024': { ...page(COHERE, '0.0375, output 0.15'), seen: 'copy' },
    'rerank-v3.5': { ...page(COHERE, '2 a thousand searches'), seen: 'copy' },
    'rerank-v4.0-pro': { ...page(COHERE, '2.5 a thousand searches'), seen: 'copy' },
    'embed-v4.0': { ...page(COHERE, 'text 0.12'), seen: 'copy' },
  },
  cerebras: {
    'gpt-oss-120b': {
      ...page('https://www.cerebras.ai/pricing', '0.35, output 0.75; no price of cached tokens'),
      seen: 'copy',
    },
  },
  together: {
    'meta-llama/Llama-3.3-70B-Instruct-Turbo': {
      ...page(
        'https://mastra.ai/models/v1/providers/togetherai',
        '0.88, output 0.88, as copied from the page of the provider',
      ),
      seen: 'copy',
    },
  },
  fireworks: {
    'accounts/fireworks/models/kimi-k2p6': page(FIREWORKS, '0.95, cached 0.16, output 4'),
    'accounts/fireworks/models/glm-5p1': page(FIREWORKS, '1.4, cached 0.26, output 4.4'),
  },
  moonshot: {
    'kimi-k3': { ...page(KIMI, '3, hits 0.3, output 15'), seen: 'copy' },
    'kimi-k2.6': { ...page('https://platform.kimi.ai/docs/pricing', '0.95, hits 0.16, output 4'), seen: 'list' },
  },
  zai: {
    'glm-5.3': { ...page(ZAI, '1.4, cached 0.26, output 4.4'), seen: 'copy' },
    'glm-4.7-flash': page(ZAI, 'free'),
  },
  cloudflare: {
    '@cf/openai/gpt-oss-120b': {
      ...page('https://developers.cloudflare.com/workers-ai/platform/pricing/', '0.35, output 0.75'),
      seen: 'copy',
    },
  },
  perplexity: {
    sonar: page(SONAR, '1, output 1; 5, 8 or 12 a thousand requests by the size of the search'),
    'sonar-pro': page(SONAR, '3, output 15; 6, 10 or 14 a thousand requests'),
  },
  ollama: { 'qwen3:8b': page('https://ollama.com/download', "a program on one's own computer") },
}

const reader = 'chat' as const
const hundred = { prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 }

export const othersRecords: readonly CostRecord[] = [
  {
    of: 'text',
    part: 'plain',
    provider: 'cohere',
    model: 'command-a-03-2025',
    reader,
    answer: chat(hundred),
    nanoUsd: 3_500_000,
    by: '1000*2.5 + 100*10',
  },
  {
    of: 'a price with four places',
    part: 'plain',
    provider: 'cohere',
    model: 'command-r7b-12-2024',
    reader,
    answer: chat({ prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 }),
    nanoUsd: 713,
    by: '7*0.0375 + 3*0.15',
  },
  {
    of: 'an answer whose own count is missing, beside a total',
    part: 'totals',
    provider: 'cohere',
    model: 'command-r-08-2024',
    reader,
    answer: chat({ prompt_tokens: 100, total_tokens: 150 }),
    nanoUsd: 45_000,
    by: '100*0.15 + 50*0.6',
  },
  {
    of: 'vectors',
    part: 'embeddings',
    provider: 'cohere',
    model: 'embed-v4.0',
    reader: 'vectors',
    answer: vectors({ prompt_tokens: 250, total_tokens: 250 }),
    nanoUsd: 30_000,
    by: '250*0.12',
  },
  {
    of: 'a ranking',
    part: 'units',
    provider: 'cohere',
    model: 'rerank-v3.5',
    reader: 'units',
    answer: {
      id: 'r1',
      results: [{ index: 0, relevance_score: 0.9 }],
      meta: { api_version: { version: '2' }, billed_units: { search_units: 1 } },
    },
    nanoUsd: 2_000_000,
    by: '1*2000',
  },
  {
    of: 'a ranking of many documents',
    part: 'units',
    provider: 'cohere',
    model: 'rerank-v4.0-pro',
    reader: 'units',
    answer: { id: 'r2', results: [], meta: { billed_units: { search_units: 3 } } },
    nanoUsd: 7_500_000,
    by: '3*2500',
  },
  {
    of: 'a ranking by a model whose price nobody copied',
    part: 'unpriced',
    provider: 'cohere',
    model: 'rerank-v5.0-pro',
    reader: 'units',
    answer: { id: 'r3', results: [], meta: { billed_units: { search_units: 1 } } },
    nanoUsd: null,
    because: 'no price',
  },
  {
    of: 'a cached prompt, which costs as much as a fresh one',
    part: 'cached',
    provider: 'cerebras',
    model: 'gpt-oss-120b',
    reader,
    answer: chat(
      {
        prompt_tokens: 2_000,
        completion_tokens: 500,
        total_tokens: 2_500,
        prompt_tokens_details: { cached_tokens: 1_920 },
        completion_tokens_details: { accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
      },
      { time_info: { queue_time: 0.001, prompt_time: 0.01, completion_time: 0.2, total_time: 0.21 } },
    ),
    nanoUsd: 1_075_000,
    by: '80*0.35 + 1920*0.35 + 500*0.75',
  },
  {
    of: 'a stream',
    part: 'plain',
    provider: 'cerebras',
    model: 'gpt-oss-120b',
    reader,
    answer: chatChunks(hundred),
    nanoUsd: 425_000,
    by: '1000*0.35 + 100*0.75',
  },
  {
    of: 'text',
    part: 'plain',
    provider: 'together',
    model: 'meta-llama/Llama-3.3-70B-Instruct-Turbo',
    reader,
    answer: chat({ prompt_tokens: 64, completion_tokens: 36, total_tokens: 100, cached_tokens: 0 }),
    nanoUsd: 88_000,
    by: '64*0.88 + 36*0.88',
  },
  {
    of: 'nothing but a total',
    part: 'totals',
    provider: 'together',
    model: 'meta-llama/Llama-3.3-70B-Instruct-Turbo',
    reader,
    answer: chat({ total_tokens: 500 }),
    nanoUsd: 440_000,
    by: '500*0.88',
  },
  {
    of: 'a model that the list does not have',
    part: 'unpriced',
    provider: 'together',
    model: 'openai/gpt-oss-120b',
    reader,
    answer: chat(hundred),
    nanoUsd: null,
    because: 'no price',
  },
  {
    of: 'a cached prompt',
    part: 'cached',
    provider: 'fireworks',
    model: 'accounts/fireworks/models/kimi-k2p6',
    reader,
    answer: chat({ ...hundred, prompt_tokens_details: { cached_tokens: 750 } }),
    nanoUsd: 757_500,
    by: '250*0.95 + 750*0.16 + 100*4',
  },
  {
    of: 'a stream that counts in every chunk, more each time',
    part: 'totals',
    provider: 'fireworks',
    model: 'accounts/fireworks/models/glm-5p1',
    reader,
    answer: [
      {
        id: 'c1',
        model: 'm',
        choices: [{ index: 0, delta: { role: 'assistant', content: 'H' } }],
        usage: { prompt_tokens: 200, completion_tokens: 1, total_tokens: 201 },
      },
      {
        id: 'c1',
        model: 'm',
        choices: [{ index: 0, delta: { content: 'i' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 200, completion_tokens: 30, total_tokens: 230 },
      },
    ],
    nanoUsd: 412_000,
    by: '200*1.4 + 30*4.4',
  },
  {
    of: 'hits that stand beside the counts',
    part: 'cached',
    provider: 'moonshot',
    model: 'kimi-k3',
    reader,
    answer: chat({ prompt_tokens: 5_000, completion_tokens: 200, total_tokens: 5_200, cached_tokens: 4_096 }),
    nanoUsd: 6_940_800,
    by: '904*3 + 4096*0.3 + 200*15',
  },
  {
    of: 'counts inside of the choice that ends a stream',
    part: 'totals',
    provider: 'moonshot',
    model: 'kimi-k2.6',
    reader,
    answer: [
      {
        id: 'c1',
        model: 'm',
        choices: [{ index: 0, delta: { role: 'assistant', content: 'Hi' }, finish_reason: null }],
      },
      {
        id: 'c1',
        model: 'm',
        choices: [
          {
            index: 0,
            delta: {},
            finish_reason: 'stop',
            usage: { prompt_tokens: 19, completion_tokens: 13, total_tokens: 32 },
          },
        ],
      },
    ],
    nanoUsd: 70_050,
    by: '19*0.95 + 13*4',
  },
  {
    of: 'a cached prompt, and thoughts',
    part: 'reasoning',
    provider: 'zai',
    model: 'glm-5.3',
    reader,
    answer: chat({
      prompt_tokens: 1_200,
      completion_tokens: 800,
      total_tokens: 2_000,
      prompt_tokens_details: { cached_tokens: 1_000 },
      completion_tokens_details: { reasoning_tokens: 640 },
    }),
    nanoUsd: 4_060_000,
    by: '200*1.4 + 1000*0.26 + 800*4.4',
  },
  {
    of: 'a free model',
    part: 'plain',
    provider: 'zai',
    model: 'glm-4.7-flash',
    reader,
    answer: chat(hundred),
    nanoUsd: 0,
    by: '1000*0 + 100*0',
  },
  {
    of: 'a model that the list does not have',
    part: 'unpriced',
    provider: 'zai',
    model: 'glm-z1-air',
    reader,
    answer: chat(hundred),
    nanoUsd: null,
    because: 'no price',
  },
  {
    of: 'text',
    part: 'plain',
    provider: 'cloudflare',
    model: '@cf/openai/gpt-oss-120b',
    reader,
    answer: chat({ ...hundred, prompt_tokens_details: { cached_tokens: 0 } }),
    nanoUsd: 425_000,
    by: '1000*0.35 + 100*0.75',
  },
  {
    of: 'the account of a cost, with the fee of the request',
    part: 'stated cost',
    provider: 'perplexity',
    model: 'sonar',
    reader,
    answer: chat({
      prompt_tokens: 26,
      completion_tokens: 832,
      total_tokens: 858,
      search_context_size: 'low',
      cost: {
        input_tokens_cost: 0.000026,
        output_tokens_cost: 0.000832,
        request_cost: 0.005,
        total_cost: 0.005858,
      },
    }),
    nanoUsd: 5_858_000,
    by: '26*1 + 832*1 + 1*5000',
    stated: true,
  },
  {
    of: 'the account of a cost in a Responses object, with the uses of tools',
    part: 'search',
    provider: 'perplexity',
    model: 'sonar-pro',
    reader: 'responses',
    answer: response({
      input_tokens: 1_000,
      output_tokens: 200,
      total_tokens: 1_200,
      cost: { currency: 'USD', input_cost: 0.003, output_cost: 0.003, tool_calls_cost: 0.005, total_cost: 0.011 },
      tool_calls_details: { search_web: { invocation: 1 } },
    }),
    nanoUsd: 11_000_000,
    by: '1000*3 + 200*15 + 1*5000',
    stated: true,
  },
  {
    of: "a server of one's own, whatever it does",
    part: 'plain',
    provider: 'ollama',
    model: 'qwen3:8b',
    reader,
    answer: chatChunks({ ...hundred, prompt_tokens_details: { cached_tokens: 512 } }),
    nanoUsd: 0,
    by: '1000*0 + 100*0',
  },
  ...(
    [
      ['sambanova', 'gpt-oss-120b', { ...hundred, total_latency: 0.5, time_to_first_token: 0.1 }],
      ['nvidia', 'nvidia/nemotron-3-super-120b-a12b', { ...hundred, prompt_tokens_details: null }],
      ['huggingface', 'openai/gpt-oss-120b', hundred],
      ['github', 'openai/gpt-4.1', hundred],
      [
        'alibaba',
        'qwen3-max',
        { ...hundred, prompt_tokens_details: { cached_tokens: 0, cache_creation_input_tokens: 800 } },
      ],
    ] as const
  ).map(
    ([provider, model, usage]): CostRecord => ({
      of: 'tokens whose price no list has',
      part: 'unpriced',
      provider,
      model,
      reader,
      answer: chat(usage),
      nanoUsd: null,
      because: 'no price',
    }),
  ),
]

export const othersDifferences: readonly CostRecord[] = [
  {
    of: 'a request with the smallest search; the list has the fee of the largest',
    part: 'search',
    provider: 'perplexity',
    model: 'sonar',
    reader,
    answer: chat({ prompt_tokens: 26, completion_tokens: 832, total_tokens: 858, search_context_size: 'low' }),
    nanoUsd: 5_858_000,
    by: '26*1 + 832*1 + 1*5000',
  },
]
