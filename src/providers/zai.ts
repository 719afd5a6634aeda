/** Z.ai (GLM). https://docs.z.ai/guides/overview/pricing; keys of the Chinese site are a separate space. */

import { can, tier } from './facts.ts'
import { defineProvider } from './provider.ts'

// Free by the pricing page; the web search add-on is billed.
const FREE = { price: { input: 0, output: 0 }, freeTier: true, pick: true }

export const zai = defineProvider({
  id: 'zai',
  name: 'Z.ai',
  aliases: ['z-ai', 'zhipu'],
  dialect: 'openai',
  baseUrl: 'https://api.z.ai/api/paas/v4',
  auth: 'bearer',
  keyCheck: { method: 'GET', path: '/models' },
  modelsList: { path: '/models', shape: 'openai', public: false },
  keysUrl: 'https://z.ai/manage-apikey/apikey-list',
  quotaScope: 'unknown',
  dayBoundary: 'unknown',
  // "Your limit will reset at 2026-11-05 17:00:00" is Beijing's time.
  dateZone: 'Asia/Shanghai',
  trainsOnFreePrompts: null,
  // The free flash models think for 40 seconds and more before the first byte.
  firstTokenMs: 120_000,
  seedLimits: [],
  models: [
    { id: 'glm-4.7-flash', ...FREE, abilities: can('tools', 'json', 'reasoning'), ...tier('middle') },
    { id: 'glm-4.5-flash', ...FREE, abilities: can('tools', 'json', 'reasoning'), ...tier('small') },
    {
      id: 'glm-4.6v-flash',
      ...FREE,
      abilities: can('tools', 'images', 'reasoning'),
      checked: { source: 'https://docs.z.ai/guides/overview/pricing', checkedAt: '2026-09-18' },
      ...tier('small'),
    },
  ],
  checked: { models: { source: 'https://github.com/BerriAI/litellm 1.110.2', checkedAt: '2026-11-20' } },
  env: ['ZAI_API_KEY', 'ZHIPU_API_KEY'],
  // https://docs.z.ai/guides/capabilities/thinking-mode: thoughts come back in tool loops.
  wire: { thoughts: 'reasoning_content', thoughtDetails: false, topK: false, customTools: false, documents: false },
  verified: false,
})
