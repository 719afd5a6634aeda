/** OpenAI. https://platform.openai.com/docs/models and /docs/deprecations */

import { can, gone, tier } from './facts.ts'
import { GPT_FAMILIES, GPT_RESPONSES_WIRE, GPT_WIRE } from './gptModels.ts'
import { defineProvider } from './provider.ts'

const ALL = can('tools', 'images', 'json', 'jsonSchema', 'reasoning')
const PLAIN = can('tools', 'images', 'json', 'jsonSchema')
const IN_JANUARY = { on: '2027-01-14', successor: 'gpt-6-luna' }
const OTHER =
  /embedding|whisper|tts|transcribe|dall-e|image|realtime|audio|moderation|sora|babbage|davinci|instruct|computer-use|deep-research/i

export const openai = defineProvider({
  id: 'openai',
  name: 'OpenAI',
  dialect: 'openai',
  // https://platform.openai.com/docs/api-reference/responses (2026-11-29)
  alsoSpeaks: [{ dialect: 'openai-responses', wire: GPT_RESPONSES_WIRE }],
  baseUrl: 'https://api.openai.com/v1',
  auth: 'bearer',
  keyCheck: { method: 'GET', path: '/models' },
  modelsList: { path: '/models', shape: 'openai', public: false },
  limitWindows: { requests: 'minute', tokens: 'minute' },
  keysUrl: 'https://platform.openai.com/api-keys',
  quotaScope: 'account+model',
  dayBoundary: 'rolling',
  // Requested `max_tokens` count against the token limit at admission:
  // https://platform.openai.com/docs/guides/rate-limits
  chargesMaxTokens: true,
  // Unsuccessful requests contribute to the limit per minute: https://developers.openai.com/api/docs/guides/rate-limits
  countsFailures: true,
  // https://platform.openai.com/docs/api-reference (2026-11-29). Variations went with DALL-E 2.
  endpoints: {
    moderation: '/moderations',
    imageGeneration: '/images/generations',
    imageEdit: '/images/edits',
    transcription: '/audio/transcriptions',
    translation: '/audio/translations',
    speech: '/audio/speech',
  },
  trainsOnFreePrompts: false,
  seedLimits: [],
  models: [
    { id: 'gpt-6-sol', contextTokens: 1_050_000, abilities: ALL, pick: true, ...tier('frontier') },
    { id: 'gpt-6-luna', contextTokens: 1_050_000, abilities: ALL, pick: true, ...tier('middle') },
    { id: 'gpt-5.4-mini', contextTokens: 400_000, abilities: ALL, pick: true, ...tier('middle') },
    {
      id: 'gpt-5.4-nano',
      contextTokens: 400_000,
      abilities: ALL,
      pick: true,
      ...tier('small'),
      // https://github.com/BerriAI/litellm 1.110.2 (2026-11-20)
      retires: { on: '2027-04-01' },
    },
    { id: 'gpt-4.1', contextTokens: 1_000_000, abilities: PLAIN, ...tier('strong'), retires: IN_JANUARY },
    {
      id: 'gpt-4.1-mini',
      contextTokens: 1_000_000,
      abilities: PLAIN,
      pick: true,
      ...tier('middle'),
      retires: IN_JANUARY,
    },
    gone('gpt-4.1-nano', '2026-10-23', 'gpt-6-luna'),
    gone('chatgpt-4o-latest', '2026-02-17'),
    gone('gpt-5-chat-latest', '2026-07-23', 'gpt-5.5'),
    gone('gpt-5.1-chat-latest', '2026-07-23', 'gpt-5.5'),
    gone('gpt-3.5-turbo', '2026-10-23', 'gpt-5.6-terra'),
    gone('gpt-3.5-turbo-0125', '2026-10-23', 'gpt-5.6-terra'),
  ],
  families: GPT_FAMILIES,
  checked: {
    models: { source: 'https://github.com/pydantic/genai-prices 0.2.3', checkedAt: '2026-11-10' },
    // As https://dev.to/max_bob copied the page and compared it with the `shutdown_date` of `GET /v1/models`.
    retirements: { source: 'https://developers.openai.com/api/docs/deprecations', checkedAt: '2026-10-28' },
    families: { source: 'https://platform.openai.com/docs/models', checkedAt: '2026-11-30' },
    prices: { source: 'https://developers.openai.com/api/docs/guides/flex-processing.md', checkedAt: '2026-11-30' },
  },
  // "Tokens are priced at Batch API rates", half the usual; so says https://dev.classmethod.jp/en/articles/openai-flex-processing/
  tiers: { flex: 0.5, batch: 0.5 },
  unitPrices: [
    // https://developers.openai.com/api/docs/models/tts-1, …/tts-1-hd (2026-11-30)
    { match: /^tts-1-hd/, price: { characters: 30, readOn: '2026-11-30' } },
    // Models that are free: https://developers.openai.com/api/docs/models/omni-moderation-latest (2026-11-30)
    { match: /moderation/, price: { free: true, readOn: '2026-11-30' } },
    { match: /^tts-1/, price: { characters: 15, readOn: '2026-11-30' } },
  ],
  env: ['OPENAI_API_KEY'],
  keyShape: /^sk-(?:proj-|svcacct-)/,
  wire: GPT_WIRE,
  verified: true,
  quirks: { canChat: (id) => !OTHER.test(id) },
})
