/** Cloudflare Workers AI. https://developers.cloudflare.com/workers-ai/platform/limits and /pricing */

import { can, seeds, tier } from './facts.ts'
import { defineProvider } from './provider.ts'

const FREE = {
  scope: 'account',
  source: 'https://developers.cloudflare.com/workers-ai/platform/limits',
  checkedAt: '2026-09-18',
} as const
// "Checked against Cloudflare's documentation in October 2026"
const FREE_A_DAY = {
  scope: 'account',
  source: 'https://github.com/knowtific/helppuff/wiki/Cloudflare-Free-Plan',
  checkedAt: '2026-10-01',
} as const
const ACCOUNTS = 'https://api.cloudflare.com/client/v4/accounts'

/** The credential is written `account_id:token`; the account stands in the URL and only the token is a secret. */
function credential(key: string): { readonly baseUrl?: string; readonly key: string } {
  const [, account, token] = /^([0-9a-f]{32}):(.+)$/i.exec(key) ?? []
  return account === undefined || token === undefined
    ? { key }
    : { baseUrl: `${ACCOUNTS}/${account}/ai/v1`, key: token }
}

export const cloudflare = defineProvider({
  id: 'cloudflare',
  name: 'Cloudflare Workers AI',
  dialect: 'openai',
  baseUrl: null,
  auth: 'bearer',
  // Beside `/ai/v1`, not below it.
  keyCheck: { method: 'GET', path: '/../models/search?per_page=1' },
  modelsList: { path: '/../models/search?per_page=100', shape: 'cloudflare', public: false },
  keysUrl: 'https://dash.cloudflare.com/profile/api-tokens',
  quotaScope: 'unknown',
  dayBoundary: 'UTC',
  // https://developers.llamaindex.ai/python/examples/embeddings/cloudflare_workersai (2026-11-29)
  embeddingsBatch: { inputs: 100 },
  trainsOnFreePrompts: false,
  freeNeedsUserWord: true,
  seedLimits: [
    ...seeds(FREE, { '*': { 'requests/minute': 300 } }),
    ...seeds(FREE_A_DAY, { '*': { 'neurons/day': 10_000 } }),
  ],
  models: [
    {
      id: '@cf/openai/gpt-oss-120b',
      contextTokens: 128_000,
      abilities: can('tools', 'reasoning'),
      freeTier: true,
      pick: true,
      ...tier('middle'),
    },
    {
      id: '@cf/openai/gpt-oss-20b',
      contextTokens: 128_000,
      abilities: can('tools', 'reasoning'),
      freeTier: true,
      pick: true,
      ...tier('small'),
    },
    {
      id: '@cf/google/gemma-4-26b-a4b-it',
      contextTokens: 256_000,
      abilities: can('tools'),
      freeTier: true,
      pick: true,
      ...tier('small'),
    },
    {
      id: '@cf/qwen/qwen3-30b-a3b-fp8',
      contextTokens: 32_768,
      abilities: can('tools', 'reasoning'),
      freeTier: true,
      pick: true,
      ...tier('small'),
    },
    {
      id: '@cf/zai-org/glm-4.7-flash',
      contextTokens: 131_072,
      abilities: can('tools', 'reasoning'),
      freeTier: true,
      pick: true,
      ...tier('middle'),
    },
    {
      id: '@cf/meta/llama-3.3-70b-instruct-fp8-fast',
      contextTokens: 24_000,
      abilities: can('tools'),
      freeTier: true,
      ...tier('small'),
    },
  ],
  checked: {
    models: {
      source: 'https://github.com/cloudflare/workerd, workers-types 5.20261117.1',
      checkedAt: '2026-11-17',
    },
  },
  env: ['CLOUDFLARE_API_TOKEN'],
  accountEnv: 'CLOUDFLARE_ACCOUNT_ID',
  keyShape: /^[0-9a-f]{32}:/i,
  // No field for thoughts is documented for its history.
  wire: { thoughts: 'none', customTools: false, documents: false },
  verified: false,
  quirks: {
    credential,
    canChat: (id) =>
      !/bge-|embed|whisper|guard|rerank|m2m100|distilbert|stable-diffusion|flux|melotts|aura|nova-|resnet|detr/i.test(
        id,
      ),
  },
})
