/** Together AI. https://docs.together.ai/docs/billing-credits: no free tier since 2026-09. */

import { defineProvider } from './provider.ts'

export const together = defineProvider({
  id: 'together',
  name: 'Together AI',
  dialect: 'openai',
  baseUrl: 'https://api.together.xyz/v1',
  auth: 'bearer',
  keyCheck: { method: 'GET', path: '/models' },
  modelsList: { path: '/models', shape: 'array', public: false },
  keysUrl: 'https://api.together.ai/settings/api-keys',
  quotaScope: 'account+model',
  dayBoundary: 'unknown',
  // https://docs.together.ai/reference, https://docs.together.ai/docs/inference/transcription/overview (2026-11-29)
  endpoints: {
    rerank: '/rerank',
    imageGeneration: '/images/generations',
    transcription: '/audio/transcriptions',
    translation: '/audio/translations',
    speech: '/audio/speech',
  },
  trainsOnFreePrompts: null,
  seedLimits: [],
  models: [],
  env: ['TOGETHER_API_KEY'],
  keyShape: /^tgp_/,
  // No field for thoughts is documented for its history.
  wire: { thoughts: 'none', customTools: false, documents: false },
  verified: false,
  quirks: { canChat: (id) => !/embed|rerank|guard|flux|whisper|bge-|m2-bert|sonic|imagen|veo/i.test(id) },
})
