/** DeepSeek. https://api-docs.deepseek.com/quick_start/rate_limit */

import { can, seeds, tier } from './facts.ts'
import { defineProvider } from './provider.ts'

const LIMITS = {
  scope: 'account',
  source: 'https://api-docs.deepseek.com/quick_start/rate_limit',
  checkedAt: '2026-10-17',
} as const

const FLASH = can('tools', 'json', 'reasoning')

export const deepseek = defineProvider({
  id: 'deepseek',
  name: 'DeepSeek',
  dialect: 'openai',
  baseUrl: 'https://api.deepseek.com',
  auth: 'bearer',
  // Proves the key and returns the balance.
  keyCheck: { method: 'GET', path: '/user/balance' },
  balance: [
    {
      path: '/user/balance',
      of: 'account',
      rows: 'balance_infos',
      left: 'total_balance',
      currency: { field: 'currency' },
      available: 'is_available',
      source: 'api-docs.deepseek.com/api/get-user-balance',
      checkedAt: '2026-11-30',
    },
  ],
  modelsList: { path: '/models', shape: 'openai', public: false },
  keysUrl: 'https://platform.deepseek.com/api_keys',
  quotaScope: 'unknown',
  dayBoundary: 'unknown',
  trainsOnFreePrompts: null,
  // Keep-alive comments and blank lines come before the answer.
  firstTokenMs: 60_000,
  seedLimits: seeds(LIMITS, {
    'deepseek-v4-pro': { 'concurrency/none': 500 },
    'deepseek-flash': { 'concurrency/none': 2_500 },
    'deepseek-v4-flash': { 'concurrency/none': 2_500 },
  }),
  models: [
    {
      id: 'deepseek-v4-pro',
      contextTokens: 1_000_000,
      abilities: { ...can('tools', 'json', 'reasoning'), images: false },
      pick: true,
      ...tier('strong'),
    },
    { id: 'deepseek-flash', contextTokens: 1_000_000, abilities: FLASH, pick: true, ...tier('middle') },
    // The name of the model before it, still taken: https://api-docs.deepseek.com/quick_start/pricing
    { id: 'deepseek-v4-flash', contextTokens: 1_000_000, abilities: { ...FLASH, images: false }, ...tier('middle') },
  ],
  checked: { models: { source: 'https://github.com/pydantic/genai-prices 0.2.3', checkedAt: '2026-11-10' } },
  env: ['DEEPSEEK_API_KEY'],
  // https://api-docs.deepseek.com/guides/thinking_mode: thoughts come back in tool loops.
  wire: {
    thoughts: 'reasoning_content',
    thoughtDetails: false,
    demandsThoughts: true,
    // "Duplicate value for 'tool_call_id'": https://github.com/craft-ai-agents/craft-agents-oss/issues/630
    uniqueCallIds: true,
    noThinking: { thinking: { type: 'disabled' } },
    topK: false,
    jsonSchema: false,
    customTools: false,
    documents: false,
    models: [{ match: /^/, efforts: ['low', 'medium', 'high', 'max'], forcesToolsThinking: false }],
  },
  verified: false,
})
