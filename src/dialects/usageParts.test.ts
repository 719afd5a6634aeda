/** What each dialect tells of a usage that has prices of its own, in whole answers and in streams. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assembleResponse } from '../../test/support/assembleResponse.ts'
import { someParts, someUsage } from '../../test/support/chatArbitraries.ts'
import type { ChatChunk, ChatRequest, ChatResponse, Usage, UsageParts } from '../domain/chat.ts'
import { partsWithin } from '../domain/usageParts.ts'
import { anthropicDialect } from './anthropic/anthropic.ts'
import type { Dialect } from './dialect.ts'
import { joinVectors } from './embeddings/answer.ts'
import { embeddingsFor } from './embeddings/upstream.ts'
import { googleDialect } from './google/google.ts'
import { openaiChatDialect } from './openaiChat/openaiChat.ts'
import { openaiResponsesDialect } from './openaiResponses/openaiResponses.ts'
import { unitsDialect } from './units/unitsDialect.ts'

interface Case {
  readonly name: string
  /** The usage as the wire has it. */
  readonly usage: object
  /** Further fields of the answer. */
  readonly beside?: object
  readonly parts?: UsageParts | undefined
  readonly costUsd?: number | undefined
}

function usageOfWhole(dialect: Dialect, body: object): Usage | undefined {
  const read = dialect.upstream.readResponse(body)
  return read.ok ? read.response.usage : expect.fail('not an answer')
}

function usageOfStream(dialect: Dialect, events: readonly object[]): Usage | undefined {
  const reader = dialect.upstream.streamReader()
  const chunks: ChatChunk[] = events.flatMap((event) => [...reader.push('', JSON.stringify(event))])
  return assembleResponse([...chunks, ...reader.end()]).usage
}

function expectTold(usage: Usage | undefined, { parts, costUsd }: Case): void {
  expect(usage).toBeDefined()
  expect(usage?.parts).toEqual(parts)
  if (costUsd === undefined) expect(usage?.reportedCostUsd).toBeUndefined()
  else expect(usage?.reportedCostUsd).toBeCloseTo(costUsd, 12)
}

const chatTokens = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 }
const chatCases: Case[] = [
  {
    // Recorded from OpenAI.
    name: 'zeros and the usual tier are nothing',
    usage: {
      ...chatTokens,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0 },
    },
    beside: { service_tier: 'default' },
  },
  {
    name: 'audio in and out',
    usage: {
      ...chatTokens,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 60, text_tokens: 40 },
      completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 30, text_tokens: 20 },
    },
    parts: { input: { audio: 60 }, output: { audio: 30 } },
  },
  {
    name: 'images and video',
    usage: {
      ...chatTokens,
      prompt_tokens_details: { image_tokens: 10, video_tokens: 20 },
      completion_tokens_details: { image_tokens: 40 },
    },
    parts: { input: { image: 10, video: 20 }, output: { image: 40 } },
  },
  {
    name: 'audio that was cached',
    usage: {
      ...chatTokens,
      prompt_tokens_details: { cached_tokens: 50, audio_tokens: 60, cached_tokens_details: { audio_tokens: 30 } },
    },
    parts: { input: { audio: 60 }, cached: { audio: 30 } },
  },
  { name: 'the tier flex', usage: chatTokens, beside: { service_tier: 'flex' }, parts: { serviceTier: 'flex' } },
  {
    name: 'the tier priority',
    usage: chatTokens,
    beside: { service_tier: 'priority' },
    parts: { serviceTier: 'priority' },
  },
  ...['auto', 'on_demand', 'standard', '', null].map((tier) => ({
    name: `no tier in ${JSON.stringify(tier)}`,
    usage: chatTokens,
    beside: { service_tier: tier },
  })),
  {
    name: 'cache writes for an hour, from a gateway in front of Anthropic',
    usage: {
      ...chatTokens,
      prompt_tokens_details: {
        cache_creation_tokens: 30,
        cache_creation_token_details: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
      },
    },
    parts: { cacheWrite1hTokens: 20 },
  },
  {
    name: 'cache writes of Alibaba, for five minutes',
    usage: {
      ...chatTokens,
      prompt_tokens_details: {
        cached_tokens: 0,
        cache_creation_input_tokens: 80,
        cache_creation: { ephemeral_5m_input_tokens: 80 },
        cache_type: 'ephemeral',
      },
    },
  },
  {
    name: 'the searches of OpenRouter, and its cost',
    usage: {
      ...chatTokens,
      cost: 0.0125,
      is_byok: false,
      cost_details: { upstream_inference_cost: 0.0125 },
      server_tool_use: { web_search_requests: 2, tool_calls_requested: 3 },
    },
    parts: { serverTools: { web_search: 2 } },
    costUsd: 0.0125,
  },
  {
    name: 'the whole cost with a key of the user at the service behind OpenRouter',
    usage: { ...chatTokens, cost: 0.0018, is_byok: true, cost_details: { upstream_inference_cost: 0.036 } },
    costUsd: 0.0378,
  },
  {
    name: 'the whole cost where OpenRouter takes no fee',
    usage: { ...chatTokens, cost: 0, is_byok: true, cost_details: { upstream_inference_cost: 0.0360795 } },
    costUsd: 0.0360795,
  },
  ...[undefined, null, {}, { upstream_inference_cost: null }, { upstream_inference_cost: 0 }].map((details) => ({
    name: `no whole cost where the fee stands beside ${JSON.stringify(details)}, but the fee`,
    usage: { ...chatTokens, cost: 0.0018, is_byok: true, cost_details: details },
    parts: { feeUsd: 0.0018 },
  })),
  {
    name: 'the tools and the cost of xAI',
    usage: {
      ...chatTokens,
      num_sources_used: 3,
      num_server_side_tools_used: 4,
      server_side_tool_usage_details: { web_search_calls: 1, x_search_calls: 3, code_interpreter_calls: 0 },
      cost_in_usd_ticks: 292_331_500,
    },
    parts: { serverTools: { search_sources: 3, web_search: 1, x_search: 3 } },
    costUsd: 0.02923315,
  },
  {
    name: 'the searches of Alibaba',
    usage: { ...chatTokens, plugins: { search: { count: 1, strategy: 'turbo' } } },
    parts: { serverTools: { web_search: 1 } },
  },
  {
    name: 'the account of a cost',
    usage: { ...chatTokens, cost: { currency: 'USD', total_cost: 0.0304 } },
    costUsd: 0.0304,
  },
  { name: 'no cost in another currency', usage: { ...chatTokens, cost: { currency: 'EUR', total_cost: 0.0304 } } },
  {
    name: 'nonsense as nothing',
    usage: {
      ...chatTokens,
      prompt_tokens_details: { audio_tokens: -5, image_tokens: 'many' },
      server_tool_use: { web_search_requests: -1 },
      server_side_tool_usage_details: [1],
    },
    beside: { service_tier: 7 },
  },
]

describe('chat completions tell', () => {
  for (const one of chatCases)
    test(one.name, () => {
      const head = { id: 'a1', model: 'm', ...one.beside }
      const message = { role: 'assistant', content: 'Hi' }
      const whole = { ...head, choices: [{ index: 0, message, finish_reason: 'stop' }], usage: one.usage }
      expectTold(usageOfWhole(openaiChatDialect, whole), one)
      const chunks = [
        { ...head, choices: [{ index: 0, delta: message, finish_reason: null }], usage: null },
        { ...head, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: null },
        { ...head, choices: [], usage: one.usage },
      ]
      expectTold(usageOfStream(openaiChatDialect, chunks), one)
    })

  test('the audio of Mistral in seconds, whose tokens are in the total alone', () => {
    const usage = { prompt_tokens: 4, completion_tokens: 635, total_tokens: 3264, prompt_audio_seconds: 203 }
    const whole = { id: 'a', model: 'm', choices: [{ index: 0, message: { content: 'Hi' } }], usage }
    expect(usageOfWhole(openaiChatDialect, whole)).toMatchObject({
      inputTokens: 4,
      outputTokens: 635,
      parts: { audioSeconds: 203 },
    })
  })

  test('the tools that Groq ran, once each', () => {
    const tools = [
      { index: 0, type: 'search', arguments: '{}' },
      { index: 1, type: 'search', arguments: '{}' },
      { index: 2, type: 'python', arguments: '{}' },
    ]
    const told = { name: '', usage: {}, parts: { serverTools: { web_search: 2, code_interpreter: 1 } } }
    const head = { id: 'a', model: 'm' }
    const message = { role: 'assistant', content: 'Hi', executed_tools: tools }
    expectTold(usageOfWhole(openaiChatDialect, { ...head, choices: [{ message }], usage: chatTokens }), told)
    const deltas = tools.flatMap((tool) => [tool, { ...tool, output: 'x' }]).map((tool) => ({ executed_tools: [tool] }))
    const chunks = [
      ...deltas.map((delta) => ({ ...head, choices: [{ index: 0, delta }] })),
      { ...head, choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: 'stop' }] },
      { ...head, choices: [], x_groq: { usage: chatTokens } },
    ]
    expectTold(usageOfStream(openaiChatDialect, chunks), told)
  })

  test('a tier that only the first chunks name, and the last word where it changes', () => {
    const text = { choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: 'stop' }] }
    const tierOf = (first: string, last: string | undefined) =>
      usageOfStream(openaiChatDialect, [
        { ...text, service_tier: first },
        { choices: [], usage: chatTokens, service_tier: last },
      ])?.parts?.serviceTier
    expect(tierOf('flex', undefined)).toBe('flex')
    expect(tierOf('priority', 'default')).toBeUndefined()
    expect(tierOf('auto', 'priority')).toBe('priority')
  })
})

const tokens = { input_tokens: 100, output_tokens: 50, total_tokens: 150 }
const search = { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'x' } }
const inContainer = { type: 'code_interpreter_call', id: 'ci_1', status: 'completed', container_id: 'cntr_1' }
const said = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hi', annotations: [] }] }
const responsesCases: (Case & { items?: readonly object[] })[] = [
  {
    name: 'the usual way as nothing',
    usage: { ...tokens, input_tokens_details: { cached_tokens: 0 }, output_tokens_details: { reasoning_tokens: 0 } },
    beside: { service_tier: 'default' },
  },
  { name: 'a tier', usage: tokens, beside: { service_tier: 'priority' }, parts: { serviceTier: 'priority' } },
  {
    name: 'searches, not the pages that were opened',
    usage: tokens,
    items: [search, { ...search, action: { type: 'open_page', url: 'https://example.com' } }, search],
    parts: { serverTools: { web_search: 2 } },
  },
  {
    name: 'a search without its action',
    usage: tokens,
    items: [{ type: 'web_search_call', id: 'ws_1', status: 'completed' }],
    parts: { serverTools: { web_search: 1 } },
  },
  {
    name: 'pictures that only their tokens tell of',
    usage: tokens,
    beside: { tool_usage: { image_gen: { input_tokens: 20, output_tokens: 1056, total_tokens: 1076 } } },
    parts: { serverTools: { image_generation: 1 } },
  },
  {
    name: 'writes for half a day',
    usage: {
      ...tokens,
      input_tokens_details: {
        cache_write_tokens: 8,
        cache_write_tokens_details: { ttl_30m_tokens: 2, ttl_12h_tokens: 6 },
      },
    },
    parts: { cacheWrite1hTokens: 6 },
  },
  {
    name: 'what the service counts itself',
    usage: tokens,
    items: [search, search],
    beside: { tool_usage: { web_search: { num_requests: 1 } } },
    parts: { serverTools: { web_search: 1 } },
  },
  {
    name: 'each container once, and the other tools',
    usage: tokens,
    items: [
      inContainer,
      inContainer,
      { ...inContainer, container_id: 'cntr_2' },
      { type: 'file_search_call', id: 'fs_1', status: 'completed', queries: ['x'] },
      { type: 'image_generation_call', id: 'ig_1', status: 'completed', result: 'aGk=' },
      { type: 'mcp_call', id: 'mcp_1', name: 'x' },
    ],
    parts: { serverTools: { code_interpreter: 2, file_search: 1, image_generation: 1 } },
  },
  {
    name: 'the modalities of services that tell them',
    usage: { ...tokens, input_tokens_details: { audio_tokens: 9 }, output_tokens_details: { image_tokens: 8 } },
    parts: { input: { audio: 9 }, output: { image: 8 } },
  },
  {
    name: 'the tools of xAI',
    usage: { ...tokens, server_side_tool_usage_details: { web_search_calls: 2, mcp_calls: 0 }, cost_in_usd_ticks: 1e8 },
    items: [search],
    parts: { serverTools: { web_search: 2 } },
    costUsd: 0.01,
  },
  {
    name: 'the tools of Alibaba',
    usage: { ...tokens, x_tools: { web_search: { count: 1 }, web_extractor: { count: 2 } } },
    parts: { serverTools: { web_search: 1, web_extractor: 2 } },
  },
  {
    name: 'the tools of Perplexity, and its cost',
    usage: {
      ...tokens,
      cost: { currency: 'USD', total_cost: 0.03037 },
      tool_calls_details: { search_web: { invocation: 1 }, fetch_url: { invocation: 3 } },
    },
    parts: { serverTools: { web_search: 1, web_fetch: 3 } },
    costUsd: 0.03037,
  },
  {
    name: 'the whole cost with a key of the user behind OpenRouter',
    usage: { ...tokens, cost: 0.0018, is_byok: true, cost_details: { upstream_inference_cost: 0.036 } },
    costUsd: 0.0378,
  },
]

describe('Responses tell', () => {
  for (const one of responsesCases)
    test(one.name, () => {
      const output = [...(one.items ?? []), said]
      const answer = { id: 'resp_1', model: 'm', status: 'completed', ...one.beside, output, usage: one.usage }
      expectTold(usageOfWhole(openaiResponsesDialect, answer), one)
      const created = {
        type: 'response.created',
        response: { ...answer, service_tier: 'auto', output: [], usage: null },
      }
      const done = output.map((item, output_index) => ({ type: 'response.output_item.done', output_index, item }))
      const completed = { type: 'response.completed', response: answer }
      expectTold(usageOfStream(openaiResponsesDialect, [created, ...done, completed]), one)
      // Some servers leave the output out of the last event.
      const bare = { type: 'response.completed', response: { ...answer, output: [] } }
      expectTold(usageOfStream(openaiResponsesDialect, [created, ...done, bare]), one)
    })
})

const claude = { input_tokens: 10, cache_creation_input_tokens: 100, cache_read_input_tokens: 5, output_tokens: 7 }
const anthropicCases: Case[] = [
  {
    name: 'the usual way as nothing',
    usage: {
      ...claude,
      cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 0 },
      server_tool_use: { web_search_requests: 0, web_fetch_requests: 0 },
      service_tier: 'standard',
      speed: 'standard',
      inference_geo: 'not_available',
    },
  },
  {
    name: 'cache writes for an hour',
    usage: { ...claude, cache_creation: { ephemeral_5m_input_tokens: 40, ephemeral_1h_input_tokens: 60 } },
    parts: { cacheWrite1hTokens: 60 },
  },
  {
    name: 'searches and fetches',
    usage: { ...claude, server_tool_use: { web_search_requests: 3, web_fetch_requests: 1 } },
    parts: { serverTools: { web_search: 3, web_fetch: 1 } },
  },
  { name: 'priority', usage: { ...claude, service_tier: 'priority' }, parts: { serviceTier: 'priority' } },
  { name: 'batch', usage: { ...claude, service_tier: 'batch' }, parts: { serviceTier: 'batch' } },
  { name: 'fast', usage: { ...claude, service_tier: 'standard', speed: 'fast' }, parts: { serviceTier: 'fast' } },
  { name: 'the place', usage: { ...claude, inference_geo: 'us' }, parts: { serviceTier: 'us' } },
  { name: 'no place in the whole world', usage: { ...claude, inference_geo: 'global' } },
  {
    name: 'speed and place together',
    usage: { ...claude, speed: 'fast', inference_geo: 'us' },
    parts: { serviceTier: 'fast+us' },
  },
  {
    name: 'the whole cost that a router states',
    usage: { ...claude, cost: 0.0018, is_byok: true, cost_details: { upstream_inference_cost: 0.036 } },
    costUsd: 0.0378,
  },
  {
    name: 'the fee of a router that states nothing else',
    usage: { ...claude, cost: 0.0018, is_byok: true },
    parts: { feeUsd: 0.0018 },
  },
]

describe('Messages tell', () => {
  for (const one of anthropicCases)
    test(one.name, () => {
      const answer = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm' }
      const content = [{ type: 'text', text: 'Hi' }]
      expectTold(usageOfWhole(anthropicDialect, { ...answer, content, stop_reason: 'end_turn', usage: one.usage }), one)
      const events = (first: object, last: object) => [
        { type: 'message_start', message: { ...answer, content: [], usage: first } },
        { type: 'content_block_start', index: 0, content_block: { type: 'text', text: 'Hi' } },
        { type: 'content_block_stop', index: 0 },
        { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: last },
        { type: 'message_stop' },
      ]
      // The beginning names them and the end only counts again, or the end counts them for the first time.
      expectTold(usageOfStream(anthropicDialect, events({ ...one.usage, output_tokens: 1 }, claude)), one)
      expectTold(usageOfStream(anthropicDialect, events({ ...claude, output_tokens: 1 }, one.usage)), one)
    })
})

const gemini = { promptTokenCount: 100, candidatesTokenCount: 50, totalTokenCount: 150 }
const grounding = {
  webSearchQueries: ['a', '', 'b', 'a'],
  groundingChunks: [{ web: { uri: 'https://example.com', title: 'x' } }],
}
const googleCases: (Case & { grounding?: object })[] = [
  {
    // Recorded from Vertex.
    name: 'text and the usual traffic as nothing',
    usage: {
      ...gemini,
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: 100 }],
      candidatesTokensDetails: [{ modality: 'TEXT', tokenCount: 50 }],
      trafficType: 'ON_DEMAND',
    },
  },
  {
    name: 'all modalities',
    usage: {
      ...gemini,
      cachedContentTokenCount: 40,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 10 },
        { modality: 'AUDIO', tokenCount: 30 },
        { modality: 'IMAGE', tokenCount: 20 },
        { modality: 'VIDEO', tokenCount: 35 },
        { modality: 'DOCUMENT', tokenCount: 5 },
      ],
      cacheTokensDetails: [{ modality: 'AUDIO', tokenCount: 25 }],
      candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 45 }],
    },
    parts: { input: { audio: 30, image: 20, video: 35 }, cached: { audio: 25 }, output: { image: 45 } },
  },
  {
    name: 'them in the other spelling',
    usage: {
      prompt_token_count: 100,
      candidates_token_count: 50,
      prompt_tokens_details: [{ modality: 'AUDIO', token_count: 30 }],
      candidates_tokens_details: [{ modality: 'AUDIO', token_count: 50 }],
      service_tier: 'SERVICE_TIER_PRIORITY',
    },
    parts: { input: { audio: 30 }, output: { audio: 50 }, serviceTier: 'priority' },
  },
  {
    name: 'what tools put into the prompt',
    usage: {
      ...gemini,
      toolUsePromptTokenCount: 20,
      promptTokensDetails: [{ modality: 'IMAGE', tokenCount: 30 }],
      toolUsePromptTokensDetails: [{ modality: 'IMAGE', tokenCount: 20 }],
    },
    parts: { input: { image: 50 } },
  },
  { name: 'a tier', usage: { ...gemini, serviceTier: 'flex' }, parts: { serviceTier: 'flex' } },
  { name: 'no tier', usage: { ...gemini, serviceTier: 'standard' } },
  {
    name: 'flexible traffic',
    usage: { ...gemini, trafficType: 'ON_DEMAND_FLEX' },
    parts: { serviceTier: 'flex' },
  },
  {
    name: 'traffic that is paid beforehand',
    usage: { ...gemini, trafficType: 'PROVISIONED_THROUGHPUT' },
    parts: { serviceTier: 'provisioned_throughput' },
  },
  { name: 'unspecified traffic as nothing', usage: { ...gemini, trafficType: 'TRAFFIC_TYPE_UNSPECIFIED' } },
  { name: 'different queries', usage: gemini, grounding, parts: { serverTools: { web_search: 2 } } },
  {
    name: 'places of a map',
    usage: gemini,
    grounding: { groundingChunks: [{ maps: { uri: 'https://example.com' } }, { maps: {} }] },
    parts: { serverTools: { google_maps: 1 } },
  },
]

describe('generateContent tells', () => {
  for (const one of googleCases)
    test(one.name, () => {
      const content = { role: 'model', parts: [{ text: 'Hi' }] }
      const said = { content, finishReason: 'STOP', ...(one.grounding && { groundingMetadata: one.grounding }) }
      const last = { candidates: [said], usageMetadata: one.usage }
      expectTold(usageOfWhole(googleDialect, last), one)
      const first = { candidates: [{ content }], usageMetadata: { promptTokenCount: 100, totalTokenCount: 100 } }
      expectTold(usageOfStream(googleDialect, [first, last]), one)
      // The sources may come before the counts, or behind them.
      const sources = { candidates: [{ groundingMetadata: one.grounding, finishReason: 'STOP' }] }
      const counts = { candidates: [{ content, finishReason: 'STOP' }], usageMetadata: one.usage }
      expectTold(usageOfStream(googleDialect, [sources, counts]), one)
      expectTold(usageOfStream(googleDialect, [counts, sources]), one)
    })
})

describe('answers that are passed through tell', () => {
  const cases: { name: string; body: object; usage: object | undefined }[] = [
    {
      name: 'the tokens of pictures',
      body: {
        data: [{ b64_json: 'aGk=' }],
        usage: {
          input_tokens: 60,
          output_tokens: 1_000,
          total_tokens: 1_060,
          input_tokens_details: { text_tokens: 10, image_tokens: 50 },
          output_tokens_details: { text_tokens: 0, image_tokens: 1_000 },
        },
      },
      usage: { inputTokens: 60, outputTokens: 1_000, parts: { input: { image: 50 }, output: { image: 1_000 } } },
    },
    {
      name: 'pictures that are not counted in tokens',
      body: { created: 1, data: [{ url: 'https://example.com/1' }, { b64_json: 'aGk=' }] },
      usage: { inputTokens: 0, outputTokens: 0, parts: { images: 2 } },
    },
    {
      name: 'pictures and their cost',
      body: { data: [{ url: 'https://example.com/1' }], usage: { cost_in_usd_ticks: 200_000_000 } },
      usage: { inputTokens: 0, parts: { images: 1 }, reportedCostUsd: 0.02 },
    },
    {
      name: 'the tokens of a recording',
      body: {
        text: 'Hi',
        usage: {
          type: 'tokens',
          input_tokens: 14,
          input_token_details: { text_tokens: 4, audio_tokens: 10 },
          output_tokens: 45,
          total_tokens: 59,
        },
      },
      usage: { inputTokens: 14, outputTokens: 45, parts: { input: { audio: 10 } } },
    },
    {
      name: 'the seconds of a recording',
      body: { text: 'Hi', duration: 8.47, usage: { type: 'duration', seconds: 9 } },
      usage: { inputTokens: 0, parts: { audioSeconds: 9 } },
    },
    {
      name: 'the seconds of a recording in its transcription alone',
      body: { task: 'transcribe', text: 'Hi', duration: 8.47, segments: [] },
      usage: { inputTokens: 0, parts: { audioSeconds: 8.47 } },
    },
    {
      name: 'seconds beside tokens, whose total is not believed',
      body: {
        text: 'Hi',
        usage: { prompt_audio_seconds: 203, prompt_tokens: 4, completion_tokens: 635, total_tokens: 3_264 },
      },
      usage: { inputTokens: 4, outputTokens: 635, parts: { audioSeconds: 203 } },
    },
    {
      name: 'units of search',
      body: { results: [{ index: 0, relevance_score: 0.5 }], meta: { billed_units: { search_units: 2 } } },
      usage: { inputTokens: 0, parts: { serverTools: { search_units: 2 } } },
    },
    { name: 'the tokens of a ranking', body: { results: [], usage: { total_tokens: 15 } }, usage: { inputTokens: 15 } },
    { name: 'nothing where there is nothing', body: { results: [{ flagged: false }] }, usage: undefined },
  ]
  for (const { name, body, usage } of cases)
    test(name, () => {
      const read = usageOfWhole(unitsDialect, body)
      if (usage === undefined) expect(read).toBeUndefined()
      else expect(read).toMatchObject(usage)
    })
})

test('embeddings tell pictures among their inputs, and the whole cost', () => {
  const openai = embeddingsFor('openai') ?? expect.fail()
  const usage = { prompt_tokens: 30, total_tokens: 30, prompt_tokens_details: { image_tokens: 20 } }
  const data = [{ index: 0, embedding: [1] }]
  expect(usageOfWhole(openai, { data, usage })?.parts).toEqual({ input: { image: 20 } })
  const byok = usageOfWhole(openai, { data, usage: { ...usage, cost: 0.01, is_byok: true } })
  expect(byok?.reportedCostUsd).toBeUndefined()
  expect(byok?.parts).toEqual({ input: { image: 20 }, feeUsd: 0.01 })
  const google = embeddingsFor('google') ?? expect.fail()
  const usageMetadata = { promptTokenCount: 30, promptTokensDetails: [{ modality: 'AUDIO', tokenCount: 30 }] }
  expect(usageOfWhole(google, { embeddings: [{ values: [1] }], usageMetadata })?.parts).toEqual({
    input: { audio: 30 },
  })
})

test('vectors of several answers have the parts of all, and a cost where all state one', () => {
  const openai = embeddingsFor('openai') ?? expect.fail()
  const answerOf = (usage: object) => {
    const read = openai.upstream.readResponse({ data: [{ index: 0, embedding: [1] }], usage })
    return read.ok ? read.response : expect.fail()
  }
  const one = answerOf({ prompt_tokens: 30, prompt_tokens_details: { image_tokens: 20 }, cost: 0.25 })
  const other = answerOf({ prompt_tokens: 10, cost: 0.5 })
  const unstated = answerOf({ prompt_tokens: 10 })
  expect(joinVectors([one, one, other], [1, 1, 1])?.usage).toMatchObject({
    inputTokens: 70,
    parts: { input: { image: 40 } },
    reportedCostUsd: 1,
  })
  expect(joinVectors([one, unstated], [1, 1])?.usage).not.toHaveProperty('reportedCostUsd')
})

describe('a client of any dialect is told', () => {
  const request: ChatRequest = { model: 'm', messages: [], stream: true, wantsUsage: true }
  const dialects = [openaiChatDialect, openaiResponsesDialect, anthropicDialect, googleDialect]

  /** What can be said in the dialect. */
  function speakable({ id }: Dialect, parts: UsageParts | undefined): UsageParts | undefined {
    const { input, cached, output, serverTools, serviceTier, cacheWrite1hTokens, feeUsd } = parts ?? {}
    if (id === 'google') return { input, cached, output, serviceTier }
    const { web_search: searches, web_fetch: fetches } = serverTools ?? {}
    const uses = { ...(searches && { web_search: searches }), ...(fetches && { web_fetch: fetches }) }
    const tools = Object.keys(uses).length > 0 ? uses : undefined
    if (id !== 'anthropic') return { input, output, serviceTier, serverTools: tools, feeUsd }
    return { cacheWrite1hTokens, serverTools: tools, ...(serviceTier === 'priority' && { serviceTier }) }
  }

  const known = (parts: UsageParts | undefined) => JSON.parse(JSON.stringify(parts ?? {})) as unknown

  for (const dialect of dialects)
    test(`what ${dialect.id} has words for, in whole answers and in streams`, () => {
      fc.assert(
        fc.property(someUsage, someParts, (tokens, parts) => {
          const usage = { ...tokens, parts: partsWithin(parts, tokens) }
          const answer: ChatResponse = {
            id: 'x1',
            model: 'm',
            content: [{ type: 'text', text: 'Hi' }],
            finishReason: 'stop',
            usage,
          }
          const expected = known(speakable(dialect, usage.parts))
          const written = dialect.client.writeResponse(answer, request)
          expect(known(usageOfWhole(dialect, written as object)?.parts)).toEqual(expected)

          const writer = dialect.client.streamWriter(request)
          const chunks: ChatChunk[] = [
            { type: 'start', id: 'x1', model: 'm' },
            { type: 'usage', usage },
            { type: 'text-delta', text: 'Hi' },
            { type: 'finish', finishReason: 'stop' },
            { type: 'end' },
          ]
          const wire = chunks.map((chunk) => writer.write(chunk)).join('')
          const events = [...wire.matchAll(/^data: (\{.*)$/gm)].map(([, data = '']) => JSON.parse(data) as object)
          expect(known(usageOfStream(dialect, events)?.parts)).toEqual(expected)
        }),
        { numRuns: 60 },
      )
    })
})
