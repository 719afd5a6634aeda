/**
 * How each generation of Gemini is asked to think: https://ai.google.dev/gemini-api/docs/thinking, read 2026-11-29.
 * 2.5 takes budgets, 3 and later take levels.
 */

import type { ModelWireFacts, WireFacts } from '../domain/wireFacts.ts'
import { can } from './facts.ts'
import type { ModelFamily } from './provider.ts'

/**
 * "`function_response.parts` is not supported for this model": https://github.com/google-gemini/gemini-cli/issues/19436
 * (2026-11-30); "Function calling with a response mime type: 'application/json' is unsupported" and "Penalty is not enabled for …",
 * until 3: https://ai.google.dev/gemini-api/docs/structured-output#structured-outputs-with-tools
 */
const BEFORE_3 = { thinking: 'budget', formatBesideTools: false, penalties: false, mediaInResults: false } as const

/**
 * "Developer instruction is not enabled for models/gemma-3-27b-it" (https://github.com/0xPlaygrounds/rig/issues/788),
 * "Function calling is not enabled for …" (https://github.com/agno-agi/agno/issues/3505), "JSON mode is not enabled for
 * …"; instructions belong into the first prompt of the user: https://ai.google.dev/gemma/docs/formatting. Gemma 4 has
 * all of it: https://ai.google.dev/gemma/docs/core/gemma_on_gemini_api. Read 2026-11-30.
 */
const PLAIN_GEMMA = { tools: false, systemMessages: false, jsonMode: false } as const

/**
 * "Function call is missing a thought_signature": https://ai.google.dev/gemini-api/docs/thought-signatures;
 * "Multiple candidates is not enabled for this model" (https://github.com/googleapis/js-genai/issues/1609) and "Logprobs is
 * not supported for this model" (https://github.com/GoogleCloudPlatform/generative-ai/issues/2947), read 2026-11-30. Of 2.5
 * reports differ: https://github.com/mscraftsman/generative-ai/issues/135.
 */
const FROM_3 = { thinking: 'effort', signsCalls: true, answers: 1, logprobs: false } as const

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
  // The task is ignored in silence there: https://github.com/embeddings-benchmark/mteb/pull/4851 (2026-11-30)
  { match: /gemini-embedding-2/, vectors: { tasks: 'none' } },
  { match: /gemma-[123](?!\d)/, thinking: 'none', ...PLAIN_GEMMA, mediaInResults: false },
  { match: /gemini-(?:1|2\.0)|gemma/, thinking: 'none', formatBesideTools: false, mediaInResults: false },
]

// "candidate_count must be in the range [1, 8]": https://ai.google.dev/api/generate-content#GenerationConfig
export const GEMINI_WIRE: WireFacts = { answers: 8, models: MODELS }

/** As the page of each model lists them (https://ai.google.dev/gemini-api/docs/models); what is refused wins. */
export const GEMINI_FAMILIES: readonly ModelFamily[] = [
  {
    match: /^gemini-(?:2\.5|[3-9](?:\.\d)?)-(?:pro|flash)(?!.*(?:image|tts|live|audio|computer))/,
    abilities: can('tools', 'images', 'json', 'jsonSchema', 'reasoning'),
  },
]
