/** Groq. Limits: https://console.groq.com/docs/rate-limits; retirements: https://console.groq.com/docs/deprecations */

import { can, gone, seeds, tier } from './facts.ts'
import { defineProvider } from './provider.ts'

const LIMITS = {
  scope: 'account+model',
  source: 'https://console.groq.com/docs/rate-limits',
  checkedAt: '2026-09-18',
} as const
const CHAT = { 'requests/minute': 30, 'requests/day': 1_000, 'tokens/minute': 8_000, 'tokens/day': 200_000 }
const COMPOUND = { 'requests/minute': 30, 'requests/day': 250, 'tokens/minute': 70_000 }
const REASONER = { contextTokens: 131_072, maxOutputTokens: 65_536, freeTier: true, pick: true }
// Price lists leave out what runs several models.
const COMPOUND_SYSTEM = {
  contextTokens: 131_072,
  abilities: can(),
  freeTier: true,
  checked: { source: 'https://console.groq.com/docs/models', checkedAt: '2026-09-18' },
}
// Only its Qwen models from 3.6 on read images: https://console.groq.com/docs/vision (2026-11-30)
const TEXT_ONLY = { images: false } as const

export const groq = defineProvider({
  id: 'groq',
  name: 'Groq',
  dialect: 'openai',
  baseUrl: 'https://api.groq.com/openai/v1',
  auth: 'bearer',
  keyCheck: { method: 'GET', path: '/models' },
  modelsList: { path: '/models', shape: 'openai', public: false },
  // `-requests` headers count a day, `-tokens` headers a minute.
  limitWindows: { requests: 'day', tokens: 'minute' },
  keysUrl: 'https://console.groq.com/keys',
  quotaScope: 'account+model',
  dayBoundary: 'rolling',
  // https://console.groq.com/docs/api-reference#audio, https://console.groq.com/docs/speech-to-text (2026-11-29)
  endpoints: { transcription: '/audio/transcriptions', translation: '/audio/translations', speech: '/audio/speech' },
  trainsOnFreePrompts: false,
  // A payment method turns the whole organisation into the billed Developer plan.
  freeNeedsUserWord: true,
  seedLimits: seeds(LIMITS, {
    'openai/gpt-oss-*': CHAT,
    'qwen/qwen3.8-27b': CHAT,
    'groq/compound*': COMPOUND,
    'llama-prompt-guard-2-*': {
      'requests/minute': 30,
      'requests/day': 14_400,
      'tokens/minute': 15_000,
      'tokens/day': 500_000,
    },
    'whisper-large-v3*': { 'requests/minute': 20, 'requests/day': 2_000 },
  }),
  models: [
    {
      id: 'openai/gpt-oss-120b',
      ...REASONER,
      abilities: { ...can('tools', 'json', 'jsonSchema', 'reasoning'), ...TEXT_ONLY },
      ...tier('middle'),
    },
    {
      id: 'openai/gpt-oss-20b',
      ...REASONER,
      abilities: { ...can('tools', 'json', 'jsonSchema', 'reasoning'), ...TEXT_ONLY },
      ...tier('small'),
    },
    {
      id: 'qwen/qwen3.8-27b',
      contextTokens: 131_072,
      abilities: can('tools', 'images', 'json', 'reasoning'),
      freeTier: true,
      pick: true,
      ...tier('middle'),
    },
    { id: 'groq/compound', ...COMPOUND_SYSTEM, ...tier('middle') },
    { id: 'groq/compound-mini', ...COMPOUND_SYSTEM, ...tier('small') },
    // https://github.com/groq/groq-changelog/pull/20 (2026-08-10), and the sections of the page of deprecations
    { ...gone('llama-3.3-70b-versatile', '2026-08-16', 'openai/gpt-oss-120b'), abilities: TEXT_ONLY },
    { ...gone('llama-3.1-8b-instant', '2026-08-16', 'openai/gpt-oss-20b'), abilities: TEXT_ONLY },
    gone('qwen/qwen3-32b', '2026-07-17', 'openai/gpt-oss-120b'),
    gone('meta-llama/llama-4-scout-17b-16e-instruct', '2026-07-17', 'openai/gpt-oss-120b'),
    gone('meta-llama/llama-4-maverick-17b-128e-instruct', '2026-03-09', 'openai/gpt-oss-120b'),
  ],
  // "Pricing matches the on-demand tier"
  tiers: { flex: 1 },
  // Shorter recordings are billed as of ten seconds: https://console.groq.com/docs/speech-to-text (2026-11-30)
  unitPrices: [{ match: /whisper/, price: { leastAudioSeconds: 10, readOn: '2026-11-30' } }],
  checked: {
    // litellm 1.110.2 names the pages of the models that are left, and has none of those that are gone.
    models: { source: 'https://github.com/BerriAI/litellm 1.110.2', checkedAt: '2026-11-20' },
    retirements: { source: 'https://github.com/BerriAI/litellm 1.110.2', checkedAt: '2026-11-20' },
    prices: { source: 'https://console.groq.com/docs/flex-processing', checkedAt: '2026-11-30' },
  },
  env: ['GROQ_API_KEY'],
  keyShape: /^gsk_/,
  wire: {
    // "property 'reasoning_content' is unsupported"; https://console.groq.com/docs/api-reference names `reasoning`.
    thoughts: 'reasoning',
    topK: false,
    bareMessages: true,
    // Those of the reference, and `stream_options` of OpenAI's clients; "property 'x' is unsupported" to any other:
    // https://console.groq.com/docs/api-reference#chat-create, `groq-sdk` 1.6 (2026-11-30)
    fields: `
      messages model citation_options compound_custom disable_tool_validation documents exclude_domains
      frequency_penalty function_call functions include_domains include_reasoning logit_bias logprobs
      max_completion_tokens max_tokens metadata n parallel_tool_calls presence_penalty reasoning_effort
      reasoning_format response_format search_settings seed service_tier stop stream stream_options temperature
      tool_choice tools top_logprobs top_p user
    `,
    // https://console.groq.com/docs/openai#currently-unsupported-openai-features (2026-11-30)
    answers: 1,
    logprobs: false,
    customTools: false,
    documents: false,
    models: [
      { match: /gpt-oss/, thinking: 'effort', efforts: ['low', 'medium', 'high'], alwaysThinks: true },
      { match: /llama|gemma|kimi|allam|compound/, thinking: 'none', thoughts: 'none', jsonSchema: false },
    ],
  },
  verified: true,
  // https://github.com/groq/groq-python/blob/main/src/groq/types/chat/chat_completion_chunk.py, and groq-typescript with
  // `Groq/JS` (read 2026-11-30): what it says of itself, and `XGroq` with the usage of a stream, in the last chunk.
  ownClient: { sign: 'Groq/', usageInFinish: ['x_groq', 'usage'] },
  quirks: { canChat: (id) => !/whisper|guard|tts|orpheus|distil/i.test(id) },
})
