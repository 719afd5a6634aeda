/** Cerebras. https://inference-docs.cerebras.ai/support/rate-limits */

import { can, tier } from './facts.ts'
import { defineProvider } from './provider.ts'

export const cerebras = defineProvider({
  id: 'cerebras',
  name: 'Cerebras',
  dialect: 'openai',
  baseUrl: 'https://api.cerebras.ai/v1',
  auth: 'bearer',
  keyCheck: { method: 'GET', path: '/models' },
  modelsList: { path: '/models', shape: 'openai', public: false },
  limitWindows: { requests: 'day', tokens: 'minute' },
  keysUrl: 'https://cloud.cerebras.ai',
  quotaScope: 'account+model',
  dayBoundary: 'unknown',
  chargesMaxTokens: true,
  trainsOnFreePrompts: null,
  freeNeedsUserWord: true,
  // Since 2026-09 the trial is five dollars once, with a card, for 30 days (https://www.cerebras.ai/pricing); what its
  // limits are since then nobody confirmed.
  seedLimits: [],
  models: [
    {
      id: 'gpt-oss-120b',
      contextTokens: 131_072,
      // https://inference-docs.cerebras.ai/capabilities/image-inputs (2026-11-30)
      abilities: { ...can('tools', 'json', 'reasoning'), images: false },
      pick: true,
      ...tier('middle'),
    },
    { id: 'qwen-3.8-27b', abilities: can('tools', 'json', 'reasoning'), pick: true, ...tier('middle') },
  ],
  checked: { models: { source: 'https://inference-docs.cerebras.ai/models/overview', checkedAt: '2026-10-01' } },
  env: ['CEREBRAS_API_KEY'],
  keyShape: /^csk-/,
  wire: {
    // Unknown properties are refused as `wrong_api_format`; https://inference-docs.cerebras.ai/api-reference names `reasoning`.
    thoughts: 'reasoning',
    topK: false,
    bareMessages: true,
    // "property 'x' is unsupported" to any other: https://inference-docs.cerebras.ai/api-reference/chat-completions
    // (2026-11-30)
    fields: `
      model messages clear_thinking disable_reasoning logprobs max_completion_tokens max_tokens n parallel_tool_calls
      prediction prompt_cache_key reasoning_effort reasoning_format response_format seed service_tier stop stream
      stream_options temperature tool_choice tools top_logprobs top_p user
    `,
    penalties: false,
    customTools: false,
    documents: false,
    models: [{ match: /gpt-oss/, thinking: 'effort', efforts: ['low', 'medium', 'high'], alwaysThinks: true }],
  },
  verified: false,
})
