/** Google Gemini (AI Studio keys), native dialect. https://ai.google.dev/gemini-api/docs */

import { asArray } from '../domain/json.ts'
import { can, gone, tier } from './facts.ts'
import { GEMINI_FAMILIES, GEMINI_WIRE } from './geminiModels.ts'
import { defineProvider } from './provider.ts'

const ALL = can('tools', 'images', 'json', 'jsonSchema', 'reasoning')
const FLASH = { contextTokens: 1_048_576, maxOutputTokens: 65_536, abilities: ALL, freeTier: true, pick: true }
const GEMMA = { contextTokens: 262_144, abilities: can('images'), freeTier: true, pick: true }

/** Not among the free ones that the later reading names, and not among the billed ones either. */
const OLDER = { checked: { source: 'https://ai.google.dev/gemini-api/docs/pricing', checkedAt: '2026-09-18' } }

/** Speech, pictures, embeddings and live sessions share the list with what chats. */
const OTHER = /embedding|-tts|-image|imagen|veo|-live|live-|native-audio|aqa|lyria|robotics|computer-use/i

export const google = defineProvider({
  id: 'google',
  name: 'Google Gemini',
  aliases: ['gemini'],
  dialect: 'google',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
  // A header, never `?key=`; an `AQ.` key is refused when it is sent as a bearer.
  auth: 'x-goog-api-key',
  keyCheck: { method: 'GET', path: '/models?pageSize=1' },
  modelsList: { path: '/models?pageSize=1000', shape: 'google', public: false },
  keysUrl: 'https://aistudio.google.com/apikey',
  quotaScope: 'account+model',
  dayBoundary: 'America/Los_Angeles',
  // https://ai.google.dev/gemini-api/docs/models (2026-11-29): an input and an output token limit for each model
  holdsAnswerApart: true,
  // https://github.com/StarTrail-org/LEANN/pull/214 (2026-11-29): at its OpenAI endpoint as well
  embeddingsBatch: { inputs: 100 },
  trainsOnFreePrompts: true,
  // A project with billing serves the same models at a price.
  freeNeedsUserWord: true,
  // Google publishes no numbers since 2025-12 (https://ai.google.dev/gemini-api/docs/rate-limits): they are learned.
  seedLimits: [],
  models: [
    { id: 'gemini-3.8-flash', ...FLASH, ...tier('strong') },
    { id: 'gemini-3.7-flash', ...FLASH, ...OLDER, ...tier('strong') },
    { id: 'gemini-3.6-flash', ...FLASH, ...tier('strong') },
    { id: 'gemini-3.5-flash', ...FLASH, ...OLDER, ...tier('strong') },
    { id: 'gemini-3.5-flash-lite', ...FLASH, ...tier('middle') },
    {
      id: 'gemini-3.1-flash-lite',
      ...FLASH,
      ...tier('middle'),
      // https://github.com/BerriAI/litellm 1.110.2 (2026-11-20)
      retires: { on: '2027-05-07' },
    },
    { id: 'gemini-3.1-pro-preview', ...FLASH, freeTier: false, ...tier('frontier') },
    { id: 'gemini-3-flash-preview', ...FLASH, ...OLDER, pick: false, ...tier('middle') },
    {
      id: 'gemini-2.5-flash',
      ...FLASH,
      ...OLDER,
      pick: false,
      ...tier('middle'),
      retires: { on: '2026-12-01', successor: 'gemini-3.5-flash-lite' },
    },
    { id: 'gemini-2.5-flash-lite', ...FLASH, ...OLDER, pick: false, ...tier('small') },
    { id: 'gemma-4-31b-it', ...GEMMA, ...tier('middle') },
    { id: 'gemma-4-26b-a4b-it', ...GEMMA, ...tier('small') },
    gone('gemini-2.0-flash', '2026-06-01', 'gemini-3.5-flash'),
    gone('gemini-2.0-flash-001', '2026-06-01', 'gemini-3.5-flash'),
    gone('gemini-2.0-flash-lite', '2026-06-01', 'gemini-3.1-flash-lite'),
    gone('gemini-2.0-flash-lite-001', '2026-06-01', 'gemini-3.1-flash-lite'),
  ],
  families: GEMINI_FAMILIES,
  checked: {
    // It read Google's page of prices on that day; windows and answers are the same in litellm 1.110.2 (2026-11-20).
    models: { source: 'https://apidog.com/jp/blog/gemini-api-free-tier/', checkedAt: '2026-10-22' },
    retirements: { source: 'https://ai.google.dev/gemini-api/docs/deprecations', checkedAt: '2026-11-10' },
    families: { source: 'https://ai.google.dev/gemini-api/docs/models', checkedAt: '2026-11-29' },
  },
  env: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
  // Keys moved from `AIza` to `AQ.` in 2026.
  keyShape: /^(?:AIza|AQ\.)/,
  wire: GEMINI_WIRE,
  verified: true,
  terms: 'Prompts sent on the free tier may be used to improve Google products.',
  quirks: {
    canChat: (id, row) =>
      !OTHER.test(id) && (asArray(row?.['supportedGenerationMethods'])?.includes('generateContent') ?? true),
  },
})
