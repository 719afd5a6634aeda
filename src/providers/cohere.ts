/** Cohere, by its OpenAI-compatible endpoint. https://docs.cohere.com/docs/rate-limits */

import { can, seeds, tier } from './facts.ts'
import { defineProvider } from './provider.ts'

const TRIAL = { source: 'https://docs.cohere.com/docs/rate-limits', checkedAt: '2026-11-30' } as const
const MODELS = 'https://api.cohere.ai/v1/models?page_size=1000'

export const cohere = defineProvider({
  id: 'cohere',
  name: 'Cohere',
  dialect: 'openai',
  baseUrl: 'https://api.cohere.ai/compatibility/v1',
  auth: 'bearer',
  keyCheck: { method: 'GET', path: MODELS },
  modelsList: { path: MODELS, shape: 'cohere', public: false },
  keysUrl: 'https://dashboard.cohere.com/api-keys',
  quotaScope: 'account',
  dayBoundary: 'UTC',
  // https://docs.cohere.com/reference/embed (2026-11-29)
  embeddingsBatch: { inputs: 96 },
  // Not below its endpoints in OpenAI's form: https://docs.cohere.com/reference/rerank (2026-11-29)
  endpoints: { rerank: '/../../v2/rerank' },
  trainsOnFreePrompts: null,
  freeNeedsUserWord: true,
  seedLimits: [
    ...seeds({ ...TRIAL, scope: 'account+model' }, { 'command*': { 'requests/minute': 20 } }),
    ...seeds({ ...TRIAL, scope: 'account' }, { '*': { 'requests/month': 1_000 } }),
  ],
  models: [
    { id: 'command-a-03-2025', contextTokens: 256_000, abilities: can('tools', 'json'), pick: true, ...tier('middle') },
  ],
  // Of https://cohere.com/pricing, as copied to https://developer.puter.com/tutorials/cohere-api-pricing/ (2026-11-30).
  unitPrices: [
    { match: /^rerank-v4\.0-pro/, price: { tools: { search_units: 2.5 }, readOn: '2026-11-30' } },
    { match: /^rerank-(?:v4\.0-fast|v3\.5)/, price: { tools: { search_units: 2 }, readOn: '2026-11-30' } },
  ],
  checked: { models: TRIAL },
  env: ['COHERE_API_KEY', 'CO_API_KEY'],
  // No field for thoughts is documented for its history.
  wire: {
    thoughts: 'none',
    customTools: false,
    documents: false,
    // https://docs.cohere.com/reference/embed (2026-11-30)
    vectors: {
      tasks: {
        query: 'search_query',
        document: 'search_document',
        classification: 'classification',
        clustering: 'clustering',
      },
    },
  },
  verified: false,
  terms: 'Trial keys are not for production or commercial use.',
  quirks: { canChat: (id) => !/embed|rerank|transcribe/i.test(id) },
})
