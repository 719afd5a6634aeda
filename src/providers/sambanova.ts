/** SambaNova Cloud. https://docs.sambanova.ai/docs/en/models/rate-limits */

import { defineProvider } from './provider.ts'

export const sambanova = defineProvider({
  id: 'sambanova',
  name: 'SambaNova',
  dialect: 'openai',
  baseUrl: 'https://api.sambanova.ai/v1',
  auth: 'bearer',
  keyCheck: 'call',
  modelsList: { path: '/models', shape: 'openai', public: true },
  limitWindows: { requests: 'minute' },
  keysUrl: 'https://cloud.sambanova.ai/apis',
  quotaScope: 'account+model',
  dayBoundary: 'unknown',
  trainsOnFreePrompts: null,
  freeNeedsUserWord: true,
  // Since 2026-06 every call was seen to end in 402 once the one-time credit had lapsed, so nothing is promised.
  seedLimits: [],
  models: [],
  env: ['SAMBANOVA_API_KEY'],
  keyShape: /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i,
  // No field for thoughts is documented for its history.
  wire: { thoughts: 'none', customTools: false, documents: false },
  verified: false,
  quirks: { canChat: (id) => !/embed|whisper|e5-/i.test(id) },
})
