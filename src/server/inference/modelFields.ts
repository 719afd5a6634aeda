/**
 * The fields of a model in the lists, by protocol: every name by which a known client reads a window, a limit or an
 * ability, with who reads it. What is not known is absent, or null where a client demands the field; nothing is guessed.
 *
 * Read on 2026-11-29:
 * [openai] https://github.com/openai/openai-node/blob/master/src/resources/models.ts
 * [groq] https://console.groq.com/docs/api-reference#models
 * [openrouter] https://github.com/OpenRouterTeam/typescript-sdk/blob/main/src/models/model.ts, whose schema demands what
 *   is marked "demanded"
 * [mistral] https://github.com/mistralai/client-ts/blob/main/src/models/components/basemodelcard.ts and
 *   modelcapabilities.ts beside it
 * [vllm] https://github.com/thushan/olla/blob/main/internal/adapter/registry/profile/vllm.go
 * [cline] https://github.com/cline/cline/blob/main/src/core/controller/models/refreshOpenRouterModels.ts
 * [roo] https://github.com/RooCodeInc/Roo-Code/blob/main/src/api/providers/fetchers/requesty.ts
 * [aider] https://github.com/Aider-AI/aider/blob/main/aider/openrouter.py
 * [hermes] https://github.com/NousResearch/hermes-agent/blob/main/agent/model_metadata.py, `_CONTEXT_LENGTH_KEYS`
 * [anthropic] https://github.com/anthropics/anthropic-sdk-typescript/blob/main/src/resources/models.ts, `ModelInfo`
 * [genai] https://github.com/googleapis/js-genai/blob/main/src/types.ts, `Model`
 * codex, gemini-cli, opencode, Continue and openai-compatible clients at large read ids alone.
 */

import type { DialectId } from '../../domain/chat.ts'
import { ABILITIES, abilityWord } from '../../domain/target.ts'
import type { ServedModel } from './servedModels.ts'

type Field = readonly [name: string, readBy: string, value: (model: ServedModel) => unknown]

const contextTokens = ({ contextTokens }: ServedModel) => contextTokens ?? undefined
const maxOutputTokens = ({ maxOutputTokens }: ServedModel) => maxOutputTokens ?? undefined
const largest = ({ largestContextTokens }: ServedModel) => largestContextTokens ?? undefined
const known = ({ abilities }: ServedModel) =>
  Object.fromEntries(ABILITIES.map((ability) => [abilityWord(ability), abilities[ability]]))
const embeds = ({ abilities }: ServedModel) => abilities.embeddings === true && abilities.chat !== true
const chats = (model: ServedModel) => model.abilities.chat !== false && !embeds(model)

const OPENAI: readonly Field[] = [
  ['id', 'all', ({ id }) => id],
  ['object', 'openai', () => 'model'],
  ['created', 'openai; openrouter: demanded', () => 0],
  ['owned_by', 'openai', ({ owner }) => owner],
  ['active', 'groq', () => true],
  ['context_window', 'groq, roo, hermes', contextTokens],
  ['max_completion_tokens', 'groq, hermes', maxOutputTokens],
  ['context_length', 'openrouter: demanded; cline, aider, hermes', ({ contextTokens }) => contextTokens],
  ['max_context_length', 'mistral, hermes', contextTokens],
  ['max_model_len', 'vllm, hermes', contextTokens],
  ['max_input_tokens', 'hermes', contextTokens],
  ['max_output_tokens', 'roo, hermes', maxOutputTokens],
  ['supports_vision', 'roo', ({ abilities }) => abilities.images],
  ['supports_reasoning', 'roo', ({ abilities }) => abilities.reasoning],
  ['input_price', 'roo', ({ price }) => (price === null ? undefined : perToken(price.input))],
  ['output_price', 'roo', ({ price }) => (price === null ? undefined : perToken(price.output))],
  ['name', 'mistral; openrouter: demanded', ({ id }) => id],
  ['type', 'mistral: demanded', () => 'base'],
  ['capabilities', 'mistral: demanded', mistralCapabilities],
  ['canonical_slug', 'openrouter: demanded', ({ id }) => id],
  ['architecture', 'openrouter: demanded; cline', architecture],
  ['pricing', 'openrouter: demanded; cline, aider', pricing],
  ['top_provider', 'openrouter: demanded; cline, aider', topProvider],
  ['supported_parameters', 'openrouter: demanded; cline', supportedParameters],
  ['supported_voices', 'openrouter: demanded', () => null],
  ['default_parameters', 'openrouter: demanded', () => null],
  ['per_request_limits', 'openrouter: demanded', () => null],
  ['links', 'openrouter: demanded', ({ id }) => ({ details: `/v1/models/${id}` })],
  ['largest_context_window', 'keywise', largest],
  ['abilities', 'keywise', known],
]

const ANTHROPIC: readonly Field[] = [
  ['type', 'anthropic', () => 'model'],
  ['id', 'anthropic', ({ id }) => id],
  ['display_name', 'anthropic', ({ id }) => id],
  [
    'created_at',
    'anthropic: "may be set to an epoch value if the release date is unknown"',
    () => '1970-01-01T00:00:00Z',
  ],
  ['max_input_tokens', 'anthropic', ({ contextTokens }) => contextTokens],
  ['max_tokens', 'anthropic', ({ maxOutputTokens }) => maxOutputTokens],
  ['capabilities', 'anthropic', anthropicCapabilities],
  ['lifecycle', 'anthropic', () => 'active'],
  ['deprecated_at', 'anthropic', () => null],
  ['retires_at', 'anthropic', () => null],
  ['line', 'anthropic', () => null],
  ['largest_max_input_tokens', 'keywise', largest],
  ['abilities', 'keywise', known],
]

const CHAT_METHODS = ['generateContent', 'streamGenerateContent', 'countTokens']

const GOOGLE: readonly Field[] = [
  ['name', 'genai', ({ id }) => `models/${id}`],
  ['displayName', 'genai', ({ id }) => id],
  ['inputTokenLimit', 'genai', contextTokens],
  ['outputTokenLimit', 'genai', maxOutputTokens],
  ['supportedGenerationMethods', 'genai', generationMethods],
  ['thinking', 'genai', ({ abilities }) => abilities.reasoning],
  ['largestInputTokenLimit', 'keywise', largest],
  ['abilities', 'keywise', known],
]

const FIELDS: { readonly [D in DialectId]: readonly Field[] } = {
  openai: OPENAI,
  'openai-responses': OPENAI,
  anthropic: ANTHROPIC,
  google: GOOGLE,
}

/** What stands beside the rows of OpenAI's protocol; `links` and `total_count` for [openrouter], `modelslistresponse.ts`. */
export const openaiEnvelope = (data: readonly unknown[]) => ({
  object: 'list',
  data,
  links: { next: null },
  total_count: data.length,
})

/** A row of the list in the client's protocol. */
export function modelRow(model: ServedModel, dialect: DialectId): Readonly<Record<string, unknown>> {
  const entries = FIELDS[dialect].map(([name, , value]) => [name, value(model)] as const)
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

/** Absent means false to Mistral's clients, so unknown abilities can only be left out. */
function mistralCapabilities(model: ServedModel) {
  const { tools, images, reasoning } = model.abilities
  return {
    completion_chat: chats(model),
    ...(tools !== undefined && { function_calling: tools }),
    ...(images !== undefined && { vision: images }),
    ...(reasoning !== undefined && { reasoning }),
  }
}

function generationMethods(model: ServedModel): readonly string[] {
  if (embeds(model)) return ['embedContent']
  return chats(model) ? CHAT_METHODS : []
}

function architecture(model: ServedModel) {
  const input = model.abilities.images === true ? ['text', 'image'] : ['text']
  const output = embeds(model) ? ['embeddings'] : ['text']
  return {
    modality: `${input.join('+')}->${output.join('+')}`,
    input_modalities: input,
    output_modalities: output,
    instruct_type: null,
  }
}

const perToken = (usdPerMillion: number) => Number((usdPerMillion / 1e6).toPrecision(12))

/** Its own list, https://openrouter.ai/api/v1/models, says -1 where the price depends on who answers (`openrouter/auto`). */
function pricing({ price }: ServedModel) {
  if (price === null) return { prompt: '-1', completion: '-1' }
  return { prompt: plain(perToken(price.input)), completion: plain(perToken(price.output)) }
}

/** Without an exponent, which some readers do not know. */
const plain = (number: number) => number.toFixed(15).replace(/\.?0+$/, '')

/** keywise moderates nothing itself. */
function topProvider({ contextTokens, maxOutputTokens }: ServedModel) {
  return { context_length: contextTokens, max_completion_tokens: maxOutputTokens, is_moderated: false }
}

/** What every dialect can be told, and what the model is known to do. */
function supportedParameters(model: ServedModel): readonly string[] {
  if (!chats(model)) return []
  const { tools, json, jsonSchema, reasoning } = model.abilities
  return [
    ...['max_tokens', 'temperature', 'top_p', 'stop'],
    ...(tools === true ? ['tools', 'tool_choice'] : []),
    ...(json === true || jsonSchema === true ? ['response_format'] : []),
    ...(jsonSchema === true ? ['structured_outputs'] : []),
    ...(reasoning === true ? ['reasoning', 'include_reasoning'] : []),
  ]
}

/** Those that keywise knows of; null where it knows none. */
function anthropicCapabilities({ abilities }: ServedModel) {
  const { images, jsonSchema, reasoning } = abilities
  const capabilities = {
    ...(images !== undefined && { image_input: { supported: images } }),
    ...(jsonSchema !== undefined && { structured_outputs: { supported: jsonSchema } }),
    ...(reasoning !== undefined && { thinking: { supported: reasoning } }),
  }
  return Object.keys(capabilities).length === 0 ? null : capabilities
}
