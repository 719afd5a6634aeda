/**
 * How each generation of Gemini is asked to think: https://ai.google.dev/gemini-api/docs/thinking, read 2026-11-29.
 * 2.5 takes budgets, 3 and later take levels.
 */

import type { ModelWireFacts, WireFacts } from '../domain/wireFacts.ts'

const MODELS: readonly ModelWireFacts[] = [
  { match: /gemini-2\.5-pro/, thinking: 'budget', budget: [128, 32_768], alwaysThinks: true },
  { match: /gemini-2\.5-flash-lite/, thinking: 'budget', budget: [512, 24_576] },
  { match: /gemini-2\.5/, thinking: 'budget', budget: [1, 24_576] },
  { match: /gemini-3-pro/, thinking: 'effort', efforts: ['low', 'high'], alwaysThinks: true },
  { match: /gemini-3\.\d-pro/, thinking: 'effort', efforts: ['low', 'medium', 'high'], alwaysThinks: true },
  {
    match: /gemini-(?:[3-9]|flash-latest|flash-lite-latest)/,
    thinking: 'effort',
    efforts: ['minimal', 'low', 'medium', 'high'],
    alwaysThinks: true,
  },
  { match: /gemini-(?:1|2\.0)|gemma/, thinking: 'none' },
]

export const GEMINI_WIRE: WireFacts = { models: MODELS }
