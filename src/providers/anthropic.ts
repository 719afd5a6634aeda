/** Anthropic. https://platform.claude.com/docs/en/api/overview and /about-claude/model-deprecations */

import { CLAUDE_FAMILIES, CLAUDE_WIRE } from './claudeModels.ts'
import { can, gone, tier } from './facts.ts'
import { defineProvider } from './provider.ts'

const ALL = can('tools', 'images', 'json', 'jsonSchema', 'reasoning')
const LONG = { contextTokens: 1_000_000, abilities: ALL, pick: true }

export const anthropic = defineProvider({
  id: 'anthropic',
  name: 'Anthropic',
  aliases: ['claude'],
  dialect: 'anthropic',
  baseUrl: 'https://api.anthropic.com/v1',
  auth: 'x-api-key',
  headers: { 'anthropic-version': '2023-06-01' },
  keyCheck: { method: 'GET', path: '/models?limit=1' },
  modelsList: { path: '/models?limit=1000', shape: 'anthropic', public: false },
  limitWindows: { requests: 'minute', tokens: 'minute' },
  keysUrl: 'https://console.anthropic.com/settings/keys',
  quotaScope: 'account+model',
  // The spend tier ends at 00:00 UTC on the first of the month.
  dayBoundary: 'UTC',
  trainsOnFreePrompts: false,
  seedLimits: [],
  models: [
    { id: 'claude-opus-5-5', ...LONG, ...tier('frontier') },
    { id: 'claude-sonnet-5', ...LONG, ...tier('strong') },
    { id: 'claude-sonnet-4-6', ...LONG, pick: false, ...tier('strong') },
    { id: 'claude-haiku-4-5', ...LONG, contextTokens: 200_000, ...tier('middle') },
    gone('claude-2.1', '2025-07-21', 'claude-sonnet-5'),
    gone('claude-3-sonnet-20240229', '2025-07-21', 'claude-sonnet-5'),
    gone('claude-3-5-sonnet-20240620', '2025-10-28', 'claude-sonnet-5'),
    gone('claude-3-5-sonnet-20241022', '2025-10-28', 'claude-sonnet-5'),
    gone('claude-3-opus-20240229', '2026-01-05', 'claude-opus-5-5'),
    gone('claude-3-7-sonnet-20250219', '2026-02-19', 'claude-sonnet-5'),
  ],
  families: CLAUDE_FAMILIES,
  checked: {
    models: { source: 'https://github.com/pydantic/genai-prices 0.2.3', checkedAt: '2026-11-10' },
    retirements: {
      source: 'https://platform.claude.com/docs/en/about-claude/model-deprecations',
      checkedAt: '2026-11-23',
    },
    families: {
      source: 'https://platform.claude.com/docs/en/build-with-claude/structured-outputs',
      checkedAt: '2026-11-29',
    },
    prices: { source: 'https://platform.claude.com/docs/en/about-claude/pricing', checkedAt: '2026-11-30' },
  },
  // Half for batches, a tenth more for the United States alone; pages are fetched for their tokens:
  // https://platform.claude.com/docs/en/about-claude/pricing
  tiers: { batch: 0.5, us: 1.1 },
  toolPrices: { web_fetch: 0 },
  env: ['ANTHROPIC_API_KEY'],
  keyShape: /^sk-ant-/,
  wire: CLAUDE_WIRE,
  verified: true,
})
