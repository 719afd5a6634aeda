/**
 * How each generation of Gemini is asked to think: https://ai.google.dev/gemini-api/docs/thinking, read 2026-11-29.
 * 2.5 takes budgets, 3 and later take levels.
 */

import type { ModelWireFacts, WireFacts } from '../domain/wireFacts.ts'

/**
 * "`function_response.parts` is not supported for this model": https://github.com/google-gemini/gemini-cli/issues/19436
 * (2026-11-30); "Function calling with a response mime type: 'application/json' is unsupported" and "Penalty is not enabled for …",
 * until 3: https://ai.google.dev/gemini-api/docs/structured-output#structured-outputs-with-tools
 */
const BEFORE_3 = { thinking: 'budget', formatBesideTools: false, penalties: false, mediaInResults: false } as const

/** "Function call is missing a thought_signature": https://ai.google.dev/gemini-api/docs/thought-signatures */
const FROM_3 = { thinking: 'effort', signsCalls: true } as const

const MODELS: readonly ModelWireFacts[] = [
  { match: /gemini-2\.5-pro/, ...BEFORE_3, budget: [128, 32_768], alwaysThinks: true },
  { match: /gemini-2\.5-flash-lite/, ...BEFORE_3, budget: [512, 24_576] },
  { match: /gemini-2\.5/, ...BEFORE_3, budget: [1, 24_576] },
  { match: /gemini-3-pro/, ...FROM_3, efforts: ['low', 'high'], alwaysThinks: true },
  { match: /gemini-3\.\d-pro/, ...FROM_3, efforts: ['low', 'medium', 'high'], alwaysThinks: true },
  {
    match: /gemini-(?:[3-9]|flash-latest|flash-lite-latest)/,
    ...FROM_3,
    efforts: ['minimal', 'low', 'medium', 'high'],
    alwaysThinks: true,
  },
  { match: /gemini-(?:1|2\.0)|gemma/, thinking: 'none', formatBesideTools: false, mediaInResults: false },
]

export const GEMINI_WIRE: WireFacts = { models: MODELS }
