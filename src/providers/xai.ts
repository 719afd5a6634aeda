/** xAI. https://docs.x.ai/developers/rate-limits */

import { can, seeds, tier } from './facts.ts'
import { defineProvider } from './provider.ts'

const TIER_0 = {
  scope: 'account+model',
  source: 'https://docs.x.ai/developers/rate-limits, tier 0',
  checkedAt: '2026-10-17',
} as const
const ALL = can('tools', 'images', 'json', 'jsonSchema', 'reasoning')

export const xai = defineProvider({
  id: 'xai',
  name: 'xAI',
  aliases: ['x-ai', 'grok'],
  dialect: 'openai',
  baseUrl: 'https://api.x.ai/v1',
  auth: 'bearer',
  keyCheck: { method: 'GET', path: '/api-key' },
  modelsList: { path: '/models', shape: 'openai', public: false },
  keysUrl: 'https://console.x.ai',
  quotaScope: 'account+model',
  dayBoundary: 'unknown',
  // https://docs.x.ai/docs/guides/image-generations (2026-11-29)
  endpoints: { imageGeneration: '/images/generations' },
  trainsOnFreePrompts: null,
  seedLimits: seeds(TIER_0, { 'grok-4.*': { 'requests/second': 150, 'tokens/minute': 50_000_000 } }),
  models: [
    { id: 'grok-4.7', abilities: ALL, pick: true, ...tier('frontier') },
    { id: 'grok-4.6', contextTokens: 500_000, abilities: ALL, pick: true, ...tier('frontier') },
    { id: 'grok-4.5', contextTokens: 500_000, abilities: ALL, ...tier('strong') },
  ],
  checked: { models: { source: 'https://docs.x.ai/developers/rate-limits', checkedAt: '2026-10-17' } },
  env: ['XAI_API_KEY'],
  keyShape: /^xai-/,
  wire: {
    thoughts: 'reasoning_content',
    thoughtDetails: false,
    // A message without content is refused, so that a refusal must be said as text:
    // https://github.com/langchain-ai/langchain/issues/34140 (2026-11-30)
    bareMessages: true,
    topK: false,
    penalties: false,
    stopSequences: 0,
    customTools: false,
    documents: false,
    // https://github.com/anomalyco/opencode/issues/39448 and @ai-sdk/xai 4.0.0-canary.61 (2026-11-30)
    models: [
      { match: /grok-3-mini/, thinking: 'effort', efforts: ['low', 'high'], alwaysThinks: true },
      { match: /grok-4\.3/, thinking: 'effort', efforts: ['none', 'low', 'medium', 'high'] },
      { match: /grok-4\.[5-9]/, thinking: 'effort', efforts: ['low', 'medium', 'high'], alwaysThinks: true },
      { match: /grok-4\.20-multi-agent/, thinking: 'effort' },
      { match: /grok-(?:[1-3](?!\d)|4|code)/, thinking: 'none' },
    ],
  },
  verified: false,
  quirks: { canChat: (id) => !/image|imagine|voice|embed/i.test(id) },
})
