/** NVIDIA NIM (build.nvidia.com). https://docs.api.nvidia.com/nim/reference */

import { can, seeds, tier } from './facts.ts'
import { defineProvider } from './provider.ts'

// Widely reported; NVIDIA states no general number.
const REPORTED = {
  scope: 'account',
  source: 'https://forums.developer.nvidia.com, FAQ',
  checkedAt: '2026-09-18',
} as const

/** Everything that it serves is for trial; it ends models at short notice (410). */
const TRIAL = { freeTier: true, pick: true }

/** Several of its models take one tool call at a time and refuse a request that may yield more. */
function body(request: Record<string, unknown>): Record<string, unknown> {
  return request['tools'] === undefined ? request : { ...request, parallel_tool_calls: false }
}

export const nvidia = defineProvider({
  id: 'nvidia',
  name: 'NVIDIA NIM',
  dialect: 'openai',
  baseUrl: 'https://integrate.api.nvidia.com/v1',
  auth: 'bearer',
  // The list answers any bearer.
  keyCheck: 'call',
  modelsList: { path: '/models', shape: 'openai', public: true },
  keysUrl: 'https://build.nvidia.com/settings/api-keys',
  quotaScope: 'unknown',
  dayBoundary: 'unknown',
  trainsOnFreePrompts: null,
  // Cold starts take 15 to 60 seconds.
  firstTokenMs: 90_000,
  seedLimits: seeds(REPORTED, { '*': { 'requests/minute': 40 } }),
  models: [
    {
      id: 'nvidia/nemotron-3-ultra-550b-a55b',
      contextTokens: 1_000_000,
      abilities: can('tools', 'reasoning'),
      ...TRIAL,
      ...tier('strong'),
    },
    {
      id: 'nvidia/nemotron-3.5-lightning-30b-a3b',
      contextTokens: 262_144,
      abilities: can('tools', 'reasoning'),
      ...TRIAL,
      ...tier('small'),
    },
    {
      id: 'z-ai/glm-5.3-flash',
      contextTokens: 1_000_000,
      abilities: can('tools', 'images', 'reasoning'),
      ...TRIAL,
      ...tier('middle'),
    },
    // In older releases of that list, the larger one until August, the smaller one until 2026-11-10.
    {
      id: 'openai/gpt-oss-120b',
      contextTokens: 131_072,
      abilities: can('tools', 'reasoning'),
      ...TRIAL,
      listed: false,
      ...tier('middle'),
    },
    {
      id: 'openai/gpt-oss-20b',
      contextTokens: 131_072,
      abilities: can('tools', 'reasoning'),
      ...TRIAL,
      listed: false,
      ...tier('small'),
    },
  ],
  // The list of models.dev, as of that release.
  checked: {
    models: { source: 'https://models.dev, in @earendil-works/pi-ai 1.6.0', checkedAt: '2026-11-20' },
  },
  env: ['NVIDIA_API_KEY'],
  keyShape: /^nvapi-/,
  // No field for thoughts is documented for its history.
  wire: {
    thoughts: 'none',
    customTools: false,
    documents: false,
    // https://docs.nvidia.com/nim/nemo-retriever/text-embedding/2.2.0/reference.html (2026-11-30)
    vectors: { tasks: { query: 'query', document: 'passage' } },
  },
  verified: false,
  terms: 'For evaluation only, not for production.',
  quirks: { body, canChat: (id) => !/embed|rerank|guard|safety|parse|clip|retriever|reward|ocr/i.test(id) },
})
