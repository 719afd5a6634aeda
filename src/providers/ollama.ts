/** Ollama on the user's machine, by its OpenAI-style endpoint. https://docs.ollama.com/openai */

import { defineProvider } from './provider.ts'

export const ollama = defineProvider({
  id: 'ollama',
  name: 'Ollama',
  dialect: 'openai',
  baseUrl: 'http://127.0.0.1:11434/v1',
  auth: 'none',
  keyCheck: 'none',
  modelsList: { path: '/models', shape: 'openai', public: true },
  // https://docs.ollama.com/api/ps
  loadedList: '/../api/ps',
  quotaScope: 'key',
  dayBoundary: 'unknown',
  trainsOnFreePrompts: false,
  // Loading a model into memory comes before the first token.
  firstTokenMs: 120_000,
  seedLimits: [],
  models: [],
  env: [],
  local: true,
  verified: true,
  quirks: { canChat: (id) => !/embed|bge-|minilm|rerank/i.test(id) },
})
