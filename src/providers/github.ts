/** GitHub Models: the service ended on 2026-07-30. Old configurations still load, with a warning. */

import { defineProvider } from './provider.ts'

export const github = defineProvider({
  id: 'github',
  name: 'GitHub Models',
  aliases: ['github-models'],
  dialect: 'openai',
  baseUrl: 'https://models.github.ai/inference',
  auth: 'bearer',
  keyCheck: 'call',
  modelsList: null,
  quotaScope: 'account+model',
  dayBoundary: 'unknown',
  trainsOnFreePrompts: null,
  seedLimits: [],
  models: [],
  // GITHUB_TOKEN is set on many machines for other purposes, so it is not taken for a key.
  env: [],
  keyShape: /^(?:ghp_|github_pat_)/,
  // No field for thoughts is documented for its history.
  wire: { thoughts: 'none', customTools: false, documents: false },
  checked: { retirements: { source: 'https://docs.github.com/en/github-models', checkedAt: '2026-09-18' } },
  verified: false,
  retired: { on: '2026-07-30', note: 'GitHub ended the service; remove its keys, they cannot answer any more' },
})
