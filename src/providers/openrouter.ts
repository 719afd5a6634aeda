/** OpenRouter. https://openrouter.ai/docs/api-reference/limits */

import { asArray, asRecord } from '../domain/json.ts'
import { can, seeds, tier } from './facts.ts'
import type { QuirkFacts } from './provider.ts'
import { defineProvider } from './provider.ts'

// 50 a day, or 1,000 once ten dollars of credits were ever bought.
const FREE = {
  scope: 'account',
  source: 'https://openrouter.ai/docs/api-reference/limits',
  checkedAt: '2026-10-17',
} as const
const AGENT = { abilities: can('tools', 'json', 'jsonSchema', 'reasoning'), pick: true }
const SEEING = { abilities: can('tools', 'images', 'json', 'jsonSchema', 'reasoning'), pick: true }

// Prices of 0 keep paid endpoints out: https://openrouter.ai/docs/guides/routing/provider-selection
const NOTHING = { prompt: 0, completion: 0, request: 0, image: 0 }

/** Asks for the cost, and sends the guards of `free_only` and of `privacy: no_training` along. */
function body(request: Record<string, unknown>, facts: QuirkFacts): Record<string, unknown> {
  const guarded: Record<string, unknown> = { ...request, usage: { include: true } }
  if (!facts.freeOnly && !facts.noTraining) return guarded
  const provider: Record<string, unknown> = { ...asRecord(request['provider']) }
  if (facts.freeOnly) provider['max_price'] = NOTHING
  if (facts.noTraining) provider['data_collection'] = 'deny'
  guarded['provider'] = provider
  return facts.freeOnly ? withoutExtras(guarded) : guarded
}

/**
 * Web search and other tools of the provider's own are billed even on free models:
 * https://openrouter.ai/docs/features/web-search
 */
function withoutExtras(request: Record<string, unknown>): Record<string, unknown> {
  const { plugins, web_search_options, tools, ...rest } = request
  const own = asArray(tools)?.filter((tool) => asRecord(tool)?.['type'] === 'function') ?? []
  return own.length > 0 ? { ...rest, tools: own } : rest
}

export const openrouter = defineProvider({
  id: 'openrouter',
  name: 'OpenRouter',
  dialect: 'openai',
  baseUrl: 'https://openrouter.ai/api/v1',
  auth: 'bearer',
  // The list of models is public; only this endpoint knows the key.
  keyCheck: { method: 'GET', path: '/key' },
  balance: [
    {
      path: '/key',
      of: 'key',
      left: 'data.limit_remaining',
      limit: 'data.limit',
      currency: 'USD',
      // At midnight UTC, weeks from Monday: openrouter.ai/docs/guides/overview/auth/management-api-keys
      resets: { field: 'data.limit_reset', periods: { daily: 'day', weekly: 'week', monthly: 'month' } },
      source: 'openrouter.ai/docs/api_reference/limits',
      checkedAt: '2026-11-30',
    },
    {
      // Documented for management keys; others may be told as well, or get 403 "Only management keys can …".
      path: '/credits',
      of: 'account',
      total: 'data.total_credits',
      used: 'data.total_usage',
      currency: 'USD',
      source: 'openrouter.ai/docs/api/api-reference/credits/get-credits',
      checkedAt: '2026-11-30',
    },
  ],
  modelsList: { path: '/models', shape: 'openai', public: true },
  keysUrl: 'https://openrouter.ai/settings/keys',
  quotaScope: 'account',
  dayBoundary: 'UTC',
  // Failed attempts take from the free models' day too: https://openrouter.ai/docs/api-reference/limits
  countsFailures: true,
  trainsOnFreePrompts: true,
  guardsTraining: true,
  tellsFreeTier: true,
  seedLimits: seeds(FREE, { '*:free': { 'requests/minute': 20, 'requests/day': 50 } }),
  models: [
    { id: 'anthropic/claude-sonnet-5', ...SEEING, contextTokens: 1_000_000, ...tier('strong') },
    { id: 'anthropic/claude-haiku-4.5', ...SEEING, contextTokens: 200_000, ...tier('middle') },
    { id: 'openai/gpt-6-luna', ...SEEING, contextTokens: 1_050_000, ...tier('middle') },
    { id: 'google/gemini-3.5-flash', ...SEEING, contextTokens: 1_048_576, ...tier('strong') },
    { id: 'deepseek/deepseek-v4-flash', ...AGENT, ...tier('middle') },
    { id: 'z-ai/glm-5.3-flash', ...AGENT, contextTokens: 1_310_720, ...tier('middle') },
    { id: 'openai/gpt-oss-120b:free', ...AGENT, contextTokens: 131_072, freeTier: true, ...tier('middle') },
    { id: 'openai/gpt-oss-20b:free', ...AGENT, contextTokens: 131_072, freeTier: true, ...tier('small') },
    { id: 'google/gemma-4-31b-it:free', ...SEEING, contextTokens: 262_144, freeTier: true, ...tier('middle') },
    {
      id: 'nvidia/nemotron-3-super-120b-a12b:free',
      ...AGENT,
      contextTokens: 262_144,
      freeTier: true,
      ...tier('middle'),
    },
  ],
  checked: { models: { source: 'https://openrouter.ai/models', checkedAt: '2026-10-17' } },
  env: ['OPENROUTER_API_KEY'],
  keyShape: /^sk-or-v1-/,
  // https://openrouter.ai/docs/use-cases/reasoning-tokens and /docs/features/prompt-caching
  wire: { thoughts: 'reasoning', thoughtDetails: true, userLength: 128, cacheControl: true, customTools: false },
  verified: true,
  terms:
    'Providers of `:free` models may keep prompts and train on them; one day quota covers all `:free` models of the account.',
  // Its error schemas want a number: @openrouter/sdk 1.3.19, `ChatStreamChunkError` and the HTTP errors (read 2026-11-29).
  // Every stream ends with usage: https://openrouter.ai/docs/use-cases/usage-accounting
  ownClient: { sign: '@openrouter/sdk', numericErrorCodes: true, usageInFinish: ['usage'] },
  quirks: { body, canChat: (id) => !/embed|content-safety|guard|rerank/i.test(id) },
})
