/** Mistral (La Plateforme). https://docs.mistral.ai/api */

import { can, seeds, tier } from './facts.ts'
import { defineProvider } from './provider.ts'

// Since 2026-10 new free organisations were seen with limits of zero.
const FREE = { scope: 'account', source: 'https://help.mistral.ai, free mode', checkedAt: '2026-10-15' } as const

/**
 * A field it does not know ends in 422 (https://docs.mistral.ai/api). Only what loses nothing is renamed or dropped:
 * usage comes with the last chunk anyway. Anything else stays, is refused, and the next target is tried.
 */
function body(request: Record<string, unknown>): Record<string, unknown> {
  const { stream_options: _asked, user: _user, store: _store, seed, max_completion_tokens, ...rest } = request
  if (seed !== undefined) rest['random_seed'] = seed
  if (max_completion_tokens !== undefined) rest['max_tokens'] = max_completion_tokens
  return rest
}

export const mistral = defineProvider({
  id: 'mistral',
  name: 'Mistral',
  dialect: 'openai',
  baseUrl: 'https://api.mistral.ai/v1',
  auth: 'bearer',
  keyCheck: { method: 'GET', path: '/models' },
  modelsList: { path: '/models', shape: 'openai', public: false },
  keysUrl: 'https://console.mistral.ai/api-keys',
  quotaScope: 'unknown',
  dayBoundary: 'UTC',
  // 256 texts are taken, 257 are "too many inputs"; and 16,384 tokens in all:
  // https://docs.rs/rig-core/0.42.0 and https://github.com/langchain-ai/langchain, MistralAIEmbeddings (2026-11-29)
  embeddingsBatch: { inputs: 256, tokens: 16_000 },
  // https://docs.mistral.ai/api (2026-11-29)
  endpoints: { moderation: '/moderations', transcription: '/audio/transcriptions' },
  trainsOnFreePrompts: true,
  freeNeedsUserWord: true,
  seedLimits: seeds(FREE, {
    '*': { 'requests/second': 1, 'tokens/minute': 500_000, 'tokens/month': 1_000_000_000 },
  }),
  models: [
    {
      id: 'mistral-large-2512',
      contextTokens: 262_144,
      abilities: can('tools', 'images', 'json', 'jsonSchema'),
      pick: true,
      ...tier('strong'),
      retires: { on: '2027-04-30' },
    },
    {
      id: 'mistral-small-2603',
      contextTokens: 262_144,
      abilities: can('tools', 'images', 'json', 'jsonSchema'),
      pick: true,
      ...tier('middle'),
    },
    { id: 'ministral-8b-2512', contextTokens: 262_144, abilities: can('tools', 'json'), pick: true, ...tier('small') },
  ],
  checked: {
    models: { source: 'https://github.com/pydantic/genai-prices 0.2.3', checkedAt: '2026-11-10' },
    retirements: { source: 'https://github.com/BerriAI/litellm 1.110.2', checkedAt: '2026-11-20' },
  },
  env: ['MISTRAL_API_KEY'],
  wire: {
    // 422 `extra_forbidden` for any field of thoughts.
    thoughts: 'none',
    topK: false,
    bareMessages: true,
    // "extra_forbidden" to any other: https://docs.mistral.ai/api/#tag/chat (2026-11-30)
    fields: `
      model temperature top_p max_tokens stream stop random_seed metadata messages response_format tools tool_choice
      presence_penalty frequency_penalty n prediction parallel_tool_calls prompt_mode reasoning_effort guardrails
      safe_prompt
    `,
    // "Input should be less than or equal to 1.5": https://docs.mistral.ai/api (2026-11-29)
    maxTemperature: 1.5,
    // `dimensions` is "extra_forbidden", and mistral-embed "does not support output_dimension":
    // https://github.com/garrytan/gbrain/pull/3001, https://docs.mistral.ai/api/endpoint/embeddings (2026-11-30)
    vectors: { dimensions: 'output_dimension', tasks: 'none' },
    // No such field: https://docs.mistral.ai/api (2026-11-30)
    logprobs: false,
    // "Tool call id was … but must be a-z, A-Z, 0-9, with a length of 9."
    toolCallIdLength: 9,
    userLength: 0,
    customTools: false,
    documents: false,
    // "Expected last role User or Tool (or Assistant with prefix True)", "Unexpected role 'user' after role 'tool'" (3230)
    prefill: false,
    userAfterTool: false,
    systemFirst: true,
    // https://docs.mistral.ai/capabilities/reasoning/adjustable (2026-11-30): "high" or "none", by these models only
    models: [
      { match: /^mistral-embed/, thinking: 'none', vectors: { dimensions: 'none', length: 1024, tasks: 'none' } },
      { match: /mistral-(?:small|medium)-(?:latest|2603|3[.-]5)/, thinking: 'effort', efforts: ['none', 'high'] },
      { match: /mistral-large-(?:[4-9](?!\d)|latest)/, thinking: 'effort' },
      { match: /^/, thinking: 'none' },
    ],
  },
  verified: false,
  terms: 'Free mode is for evaluation, and its prompts may be used for training unless you opt out.',
  // https://github.com/mistralai/client-ts/blob/main/src/hooks/custom_user_agent.ts and the same in client-python; every
  // stream of the service ends with usage: https://docs.mistral.ai/api/#tag/chat. Its schema of a call, `FunctionCall`,
  // demands the name (all read 2026-11-29).
  ownClient: { sign: 'mistral-client', usageInFinish: ['usage'], wholeCalls: true },
  quirks: { body, canChat: (id) => !/embed|ocr|moderation|voxtral|transcribe/i.test(id) },
})
