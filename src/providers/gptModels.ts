/**
 * What each generation of OpenAI's models takes: https://platform.openai.com/docs/guides/reasoning and the model pages,
 * read 2026-11-29. Reasoning models refuse sampling parameters; from 5.1 on only while they reason. From 5.5 on they do
 * when nobody speaks of it. "Function tools with reasoning_effort are not supported for gpt-5.6-terra in
 * /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.":
 * https://github.com/kangminlee-maker/local-OAuth-CLI-API-adapter/blob/main/docs/conformance-matrix.md (5.5.5).
 */

import type { ModelWireFacts, SharedField, WireFacts } from '../domain/wireFacts.ts'
import { can } from './facts.ts'
import type { ModelFamily } from './provider.ts'

/** https://platform.openai.com/docs/api-reference/chat/create and …/responses/create (2026-11-30) */
const SHARED: readonly SharedField[] = [
  ...([
    'metadata',
    'prompt_cache_key',
    'prompt_cache_retention',
    'safety_identifier',
    'service_tier',
    'store',
  ] as const),
]
/**
 * "Unsupported value: 'verbosity' does not support 'low' with this model. Supported values are: 'medium'." before GPT-5:
 * https://github.com/google-deepmind/concordia/issues/164
 */
const SINCE_5 = { sharedFields: [...SHARED, 'verbosity'] } as const

const WITH_NONE = {
  ...SINCE_5,
  thinking: 'effort',
  efforts: ['none', 'low', 'medium', 'high', 'xhigh'],
  samplingBesideThinking: false,
  stopSequences: 0,
} as const

const MODELS: readonly ModelWireFacts[] = [
  { match: /^(?:gpt-[34]|chatgpt-4o)/, thinking: 'none', customTools: false },
  // "This model does not support specifying dimensions.": https://github.com/plastic-labs/honcho/pull/772 (2026-11-30)
  { match: /^text-embedding-ada-002/, vectors: { dimensions: 'none', length: 1536, tasks: 'none' } },
  // "This model is only supported in v1/responses and not in v1/chat/completions.": https://community.openai.com/t/1310432
  { match: /^o\d-pro/, thinking: 'effort', alwaysThinks: true, sampling: 'none', only: 'openai-responses' },
  {
    match: /^o\d/,
    thinking: 'effort',
    efforts: ['low', 'medium', 'high'],
    alwaysThinks: true,
    sampling: 'none',
    stopSequences: 0,
    customTools: false,
  },
  {
    match: /^gpt-5(?:\.\d)?-pro/,
    ...SINCE_5,
    thinking: 'effort',
    efforts: ['high'],
    alwaysThinks: true,
    sampling: 'none',
    only: 'openai-responses',
  },
  {
    match: /^gpt-5(?:-(?:mini|nano|20\d\d)|$)/,
    ...SINCE_5,
    thinking: 'effort',
    efforts: ['minimal', 'low', 'medium', 'high'],
    alwaysThinks: true,
    sampling: 'none',
    stopSequences: 0,
  },
  {
    match: /^gpt-5.*-codex/,
    ...SINCE_5,
    only: 'openai-responses',
    thinking: 'effort',
    efforts: ['low', 'medium', 'high'],
    alwaysThinks: true,
    sampling: 'none',
    stopSequences: 0,
  },
  {
    match: /^gpt-5\.1/,
    ...SINCE_5,
    thinking: 'effort',
    efforts: ['none', 'low', 'medium', 'high'],
    samplingBesideThinking: false,
    stopSequences: 0,
  },
  { match: /^gpt-5\.[23]/, ...WITH_NONE },
  { match: /^gpt-5\.4/, ...WITH_NONE, toolsBesideThinking: false },
  { match: /^gpt-5\.5/, ...WITH_NONE, thinksByDefault: true },
  { match: /^gpt-(?:5\.[6-9]|[6-9])/, ...WITH_NONE, thinksByDefault: true, toolsBesideThinking: false },
]

export const GPT_WIRE: WireFacts = {
  // "Unrecognized request argument supplied: top_k"
  topK: false,
  // Reasoning models refuse `max_tokens`; every model takes this one.
  maxTokensField: 'max_completion_tokens',
  // "Invalid type for 'messages[1].content[0].image_url': expected an object, but got a string instead.":
  // https://github.com/microsoft/promptflow/issues/3946 (2025-01-30)
  imageUrlText: false,
  // "Unknown parameter: 'messages[1].reasoning_content'"
  thoughts: 'none',
  customTools: true,
  sharedFields: SHARED,
  // https://platform.openai.com/docs/api-reference/embeddings/create (2026-11-30)
  vectors: { tasks: 'none' },
  models: MODELS,
}

/** What they take in the Responses dialect. */
export const GPT_RESPONSES_WIRE: WireFacts = { sharedFields: SHARED, models: MODELS }

const PLAIN = ['tools', 'images', 'json'] as const
const OTHERS = '(?!.*(?:audio|realtime|transcribe|tts|image|search|chat|pro))'

/**
 * Schemas from gpt-4o-mini-2024-07-18 and gpt-4o-2024-08-06 on
 * (https://reference.langchain.com/javascript/langchain-openai/ChatOpenAI/withStructuredOutput, 2026-11-30), tools and
 * pictures as the page of each model says (https://platform.openai.com/docs/models); what is refused wins.
 */
export const GPT_FAMILIES: readonly ModelFamily[] = [
  { match: /^gpt-4o-2024-05-13/, abilities: can(...PLAIN) },
  { match: new RegExp(`^gpt-4(?:o|\\.1)${OTHERS}`), abilities: can(...PLAIN, 'jsonSchema') },
  { match: new RegExp(`^gpt-[56]${OTHERS}`), abilities: can(...PLAIN, 'jsonSchema', 'reasoning') },
  { match: /^o3-mini/, abilities: can('tools', 'json', 'jsonSchema', 'reasoning') },
  { match: /^o(?:3|4-mini)(?!.*(?:pro|deep))/, abilities: can(...PLAIN, 'jsonSchema', 'reasoning') },
]
