/**
 * How each generation of Gemini is asked to think: https://ai.google.dev/gemini-api/docs/thinking, read 2026-11-29.
 * 2.5 takes budgets, 3 and later take levels.
 */

import type { ModelWireFacts, WireFacts } from '../domain/wireFacts.ts'

/**
 * "Function calling with a response mime type: 'application/json' is unsupported" and "Penalty is not enabled for …",
 * until 3: https://ai.google.dev/gemini-api/docs/structured-output#structured-outputs-with-tools
 */
const BEFORE_3 = { thinking: 'budget', formatBesideTools: false, penalties: false } as const

/**
 * "Developer instruction is not enabled for models/gemma-3-27b-it" (https://github.com/0xPlaygrounds/rig/issues/788),
 * "Function calling is not enabled for …" (https://github.com/agno-agi/agno/issues/3505), "JSON mode is not enabled for
 * …"; instructions belong into the first prompt of the user: https://ai.google.dev/gemma/docs/formatting. Gemma 4 has
 * all of it: https://ai.google.dev/gemma/docs/core/gemma_on_gemini_api. Read 2026-11-30.
 */
const PLAIN_GEMMA = { tools: false, systemMessages: false, jsonMode: false } as const

const MODELS: readonly ModelWireFacts[] = [
  { match: /gemini-2\.5-pro/, ...BEFORE_3, budget: [128, 32_768], alwaysThinks: true },
  { match: /gemini-2\.5-flash-lite/, ...BEFORE_3, budget: [512, 24_576] },
  { match: /gemini-2\.5/, ...BEFORE_3, budget: [1, 24_576] },
  { match: /gemini-3-pro/, thinking: 'effort', efforts: ['low', 'high'], alwaysThinks: true },
  { match: /gemini-3\.\d-pro/, thinking: 'effort', efforts: ['low', 'medium', 'high'], alwaysThinks: true },
  {
    match: /gemini-(?:[3-9]|flash-latest|flash-lite-latest)/,
    thinking: 'effort',
    efforts: ['minimal', 'low', 'medium', 'high'],
    alwaysThinks: true,
  },
  { match: /gemma-[123](?!\d)/, thinking: 'none', ...PLAIN_GEMMA },
  { match: /gemini-(?:1|2\.0)|gemma/, thinking: 'none', formatBesideTools: false },
]

export const GEMINI_WIRE: WireFacts = { models: MODELS }
