/** What a provider's models list says, read from every shape it comes in. */

import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import { isModelName } from '../../domain/printable.ts'
import { ABILITIES, type Abilities, abilityWord, type PriceHint, type UnitAbility } from '../../domain/target.ts'
import type { ModelsList, ProviderSpec } from '../../providers/provider.ts'

export interface ListedModel {
  readonly id: string
  /** False when the list itself, or the name, says that it does not chat (embeddings, speech, images, moderation). */
  readonly chats: boolean
  readonly embeds: boolean
  /** What it does in the place of chat, at paths that its provider serves; default: nothing that is known. */
  readonly serves?: readonly UnitAbility[]
  readonly contextTokens: number | null
  readonly maxOutputTokens: number | null
  readonly abilities: Abilities
  readonly price: PriceHint | null
  /** ISO date after which the provider will not serve it (OpenAI `shutdown_date`). */
  readonly retiresOn: string | null
}

interface ListPage {
  readonly models: readonly ListedModel[]
  /** How many have names with characters that no name has: they would steer terminals and forge lines of logs. */
  readonly refused: number
  /** Query to append for the next page (`after_id=x`), or an absolute path; null on the last page. */
  readonly next: string | null
}

/** Reads one page; null when the body is not a models list. */
export function readModelsPage(body: unknown, shape: ModelsList['shape'], spec: ProviderSpec): ListPage | null {
  const rows = rowsOf(body, shape)
  if (rows === undefined) return null
  const models: ListedModel[] = []
  let refused = 0
  for (const row of rows) {
    const model = readModel(row, shape, spec)
    if (model !== null && !isModelName(model.id)) refused++
    else if (model !== null) models.push(model)
  }
  return { models, refused, next: nextPage(asRecord(body), shape) }
}

/** Where the rows are: the shape's own place first, then every place where a compatible server has put them. */
const PLACES: { readonly [S in ModelsList['shape']]: readonly string[] } = {
  openai: ['data', 'models'],
  anthropic: ['data', 'models'],
  array: ['data', 'models'],
  google: ['models', 'data'],
  cohere: ['models', 'data'],
  ollama: ['models', 'data'],
  cloudflare: ['result', 'data', 'models'],
}
const OTHER_PLACES = ['result', 'results', 'items']
/** Lists have been seen inside of an object inside of the answer, not deeper. */
const MOST_DEPTH = 2

/** The first list that has rows, else an empty one; undefined when there is none. */
function rowsOf(body: unknown, shape: ModelsList['shape'], depth = 0): readonly unknown[] | undefined {
  const list = asArray(body)
  const record = asRecord(body)
  if (list !== undefined || record === undefined || depth > MOST_DEPTH) return list
  let empty: readonly unknown[] | undefined
  for (const place of [...PLACES[shape], ...OTHER_PLACES]) {
    const rows = rowsOf(record[place], shape, depth + 1) ?? rowsById(record[place])
    if (rows !== undefined && rows.length > 0) return rows
    empty ??= rows
  }
  return empty
}

/** `{ "model-a": { … }, "model-b": null }` */
function rowsById(value: unknown): readonly unknown[] | undefined {
  const record = asRecord(value)
  if (record === undefined || 'error' in record) return undefined
  const rows = Object.entries(record).map(([id, fields]) => (fields === null ? { id } : { id, ...asRecord(fields) }))
  return Object.values(record).every((fields) => fields === null || asRecord(fields) !== undefined) ? rows : undefined
}

function nextPage(body: Record<string, unknown> | undefined, shape: ModelsList['shape']): string | null {
  if (body === undefined) return null
  const pageToken = asString(body['nextPageToken']) ?? asString(body['next_page_token'])
  if (pageToken)
    return shape === 'cohere'
      ? `page_token=${encodeURIComponent(pageToken.toWellFormed())}`
      : `pageToken=${encodeURIComponent(pageToken.toWellFormed())}`
  const last = asString(body['last_id'])
  if (body['has_more'] === true && last) return `after_id=${encodeURIComponent(last.toWellFormed())}`
  return asString(asRecord(body['links'])?.['next']) ?? null
}

function readModel(row: unknown, shape: ModelsList['shape'], spec: ProviderSpec): ListedModel | null {
  const fields = typeof row === 'string' ? { id: row, name: row } : asRecord(row)
  if (fields === undefined) return null
  const id = idOf(fields, shape)
  if (id === undefined || id === '' || id.length > 200 || fields['active'] === false) return null
  // Half a character is no part of a name, and cannot be put into a path.
  if (!id.isWellFormed()) return null
  const embeds = isEmbedding(id, fields)
  const isChatting = !embeds && chats(id, fields, spec)
  return {
    id,
    embeds,
    chats: isChatting,
    serves: embeds || isChatting ? [] : unitsServed(id, fields, spec),
    contextTokens:
      positive(fields['context_window']) ??
      positive(fields['context_length']) ??
      positive(fields['max_context_length']) ??
      positive(fields['max_input_tokens']) ??
      positive(fields['inputTokenLimit']) ??
      positive(fields['max_model_len']),
    maxOutputTokens:
      positive(fields['max_completion_tokens']) ??
      positive(asRecord(fields['top_provider'])?.['max_completion_tokens']) ??
      positive(fields['max_tokens']) ??
      positive(fields['outputTokenLimit']),
    abilities: abilitiesOf(fields),
    price: priceOf(fields['pricing']),
    retiresOn: dateIn(fields['shutdown_date']) ?? dateIn(fields['deprecation']) ?? null,
  }
}

/** `2026-10-23`, also of a time. */
function dateIn(value: unknown): string | undefined {
  return /^\d{4}-\d{2}-\d{2}(?=T|$)/.exec(asString(value) ?? '')?.[0]
}

function idOf(fields: Record<string, unknown>, shape: ModelsList['shape']): string | undefined {
  const name = asString(fields['name']) ?? asString(fields['model']) ?? asString(fields['model_name'])
  if (shape === 'google') return (name ?? asString(fields['id']))?.replace(/^models\//, '')
  if (shape === 'cloudflare' || shape === 'cohere' || shape === 'ollama') return name ?? asString(fields['id'])
  return asString(fields['id']) ?? name
}

const positive = (value: unknown): number | null => {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : asNumber(value)
  return number !== undefined && number > 0 ? number : null
}

// Names of models that do not chat, for lists without further information.
const NO_CHAT =
  /(?:^|[-/_.])(?:whisper|tts|stt|asr|speech|transcribe|audio|orpheus|playai|realtime|live|imagen|image|dall-e|sora|veo|lyria|video|flux|stable-diffusion|sdxl|moderation|guard|safeguard|shield|rerank|reranker|ocr|aqa|clip|robotics|computer-use)(?:$|[-/_.:\d])/i
const EMBEDS = /(?:^|[-/_.])(?:embed|embedding|embeddings|bge|e5|gte|minilm|nv-embed)(?:$|[-/_.\d])/i

/** By the kind that the list states, else by the name. */
const UNITS: readonly (readonly [UnitAbility, RegExp])[] = [
  ['moderation', /moderation/i],
  ['rerank', /rerank/i],
  ['transcription', /whisper|transcri|(?:^|[-/_.])(?:stt|asr)(?:$|[-/_.:\d])/i],
  ['speech', /(?:^|[-/_.])(?:tts|speech|orpheus|playai|sonic|kokoro)(?:$|[-/_.:\d])/i],
  ['imageGeneration', /dall-e|(?:^|[-/_.])(?:image|imagine|imagen|flux|sdxl|stable-diffusion)(?:$|[-/_.:\d])/i],
]

/**
 * What models of such a name do besides: https://platform.openai.com/docs/api-reference/images/createEdit, and
 * https://console.groq.com/docs/speech-to-text, where the small ones do not translate (2026-11-29).
 */
const BESIDE: { readonly [A in UnitAbility]?: readonly [UnitAbility, RegExp] } = {
  transcription: ['translation', /whisper(?!.*turbo)(?!.*-en\b)/i],
  imageGeneration: ['imageEdit', /gpt-image/i],
}

function unitsServed(id: string, fields: Record<string, unknown>, { endpoints }: ProviderSpec): readonly UnitAbility[] {
  const type = asString(fields['type']) ?? ''
  const kindIn = (text: string) => UNITS.find(([, pattern]) => pattern.test(text))?.[0] ?? null
  const kind = kindIn(type) ?? kindIn(id)
  if (kind === null) return []
  const [other, name] = BESIDE[kind] ?? []
  const kinds = other !== undefined && name?.test(id) ? [kind, other] : [kind]
  return kinds.filter((one) => endpoints?.[one] !== undefined)
}

function isEmbedding(id: string, fields: Record<string, unknown>): boolean {
  const output = asArray(asRecord(fields['architecture'])?.['output_modalities'])
  if (output?.includes('embeddings') === true && !output.includes('text')) return true
  const methods = asArray(fields['supportedGenerationMethods'])
  if (methods !== undefined) return methods.includes('embedContent') && !methods.includes('generateContent')
  return fields['type'] === 'embedding' || EMBEDS.test(id)
}

function chats(id: string, fields: Record<string, unknown>, spec: ProviderSpec): boolean {
  const methods = asArray(fields['supportedGenerationMethods'])
  if (methods !== undefined && !methods.includes('generateContent')) return false
  const endpoints = asArray(fields['endpoints'])
  if (endpoints !== undefined && endpoints.length > 0) return endpoints.includes('chat')
  const canChat = asRecord(fields['capabilities'])?.['completion_chat']
  if (typeof canChat === 'boolean' && !canChat) return false
  const type = asString(fields['type']) ?? asString(asRecord(fields['task'])?.['name'])
  if (type !== undefined && /embedding|image|audio|moderation|rerank|speech|transcri/i.test(type)) return false
  const output = asArray(asRecord(fields['architecture'])?.['output_modalities'])
  if (output !== undefined && !output.includes('text')) return false
  return !NO_CHAT.test(id) && (spec.quirks?.canChat?.(id) ?? true)
}

function abilitiesOf(fields: Record<string, unknown>): Abilities {
  const own = asRecord(fields['abilities'])
  return own === undefined ? abilitiesBeside(fields) : abilitiesIn(own)
}

/** Another keywise says what it knows, and only that; what stands beside it for other clients leaves less open. */
function abilitiesIn(own: Record<string, unknown>): Abilities {
  const known = ABILITIES.map((ability) => [ability, own[abilityWord(ability)]])
  return Object.fromEntries(known.filter(([, value]) => typeof value === 'boolean'))
}

/** Anthropic's: https://platform.claude.com/docs/en/api/models/list (2026-11-30) */
const SUPPORTED = [
  ['image_input', 'images'],
  ['structured_outputs', 'jsonSchema'],
  ['thinking', 'reasoning'],
] as const

function abilitiesBeside(fields: Record<string, unknown>): Abilities {
  const abilities: { -readonly [A in keyof Abilities]: boolean } = {}
  const parameters = asArray(fields['supported_parameters'])
  if (parameters !== undefined) {
    abilities.tools = parameters.includes('tools')
    abilities.json = parameters.includes('response_format')
    abilities.jsonSchema = parameters.includes('structured_outputs')
    abilities.reasoning = parameters.includes('reasoning') || parameters.includes('reasoning_effort')
  }
  const input = asArray(asRecord(fields['architecture'])?.['input_modalities'])
  if (input !== undefined) abilities.images = input.includes('image')
  const capabilities = asRecord(fields['capabilities'])
  if (typeof capabilities?.['function_calling'] === 'boolean') abilities.tools = capabilities['function_calling']
  if (typeof capabilities?.['vision'] === 'boolean') abilities.images = capabilities['vision']
  if (typeof fields['thinking'] === 'boolean') abilities.reasoning = fields['thinking']
  for (const [name, ability] of SUPPORTED) {
    const isSupported = asRecord(capabilities?.[name])?.['supported']
    if (typeof isSupported === 'boolean') abilities[ability] = isSupported
  }
  return abilities
}

/** OpenRouter states USD per token as strings; Together USD per million as numbers, which have another field name. */
function priceOf(pricing: unknown): PriceHint | null {
  const fields = asRecord(pricing)
  const input = Number(asString(fields?.['prompt']))
  const output = Number(asString(fields?.['completion']))
  if (!Number.isFinite(input) || !Number.isFinite(output) || input < 0 || output < 0) return null
  // Tokens that cost nothing are no free model when the request or something else of it costs.
  if (fields !== undefined && input === 0 && output === 0 && Object.values(fields).some(isCost)) return null
  return { input: perMillion(input), output: perMillion(output) }
}

const isCost = (price: unknown) => Number(asString(price) ?? 0) > 0

const perMillion = (perToken: number) => Number((perToken * 1e6).toPrecision(12))
