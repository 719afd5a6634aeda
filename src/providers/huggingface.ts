/** Hugging Face router, which sends a call on to partner hosts. https://huggingface.co/docs/inference-providers */

import { defineProvider } from './provider.ts'

export const huggingface = defineProvider({
  id: 'huggingface',
  name: 'Hugging Face',
  aliases: ['hf'],
  dialect: 'openai',
  baseUrl: 'https://router.huggingface.co/v1',
  auth: 'bearer',
  keyCheck: { method: 'GET', path: 'https://huggingface.co/api/whoami-v2' },
  modelsList: { path: '/models', shape: 'openai', public: true },
  keysUrl: 'https://huggingface.co/settings/tokens',
  quotaScope: 'unknown',
  dayBoundary: 'unknown',
  trainsOnFreePrompts: null,
  seedLimits: [],
  models: [],
  env: ['HF_TOKEN', 'HUGGINGFACE_API_KEY'],
  keyShape: /^hf_/,
  // No field for thoughts is documented for its history.
  wire: { thoughts: 'none', customTools: false, documents: false },
  verified: false,
  quirks: { canChat: (id) => !/embed|guard|rerank/i.test(id) },
})
