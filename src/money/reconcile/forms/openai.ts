/**
 * OpenAI: the organization's costs and usage, as the API gives them and as the dashboard saves them.
 * https://developers.openai.com/api/reference/resources/admin/subresources/organization/subresources/usage and the types
 * of openai 7.57 (2026-11-30); columns of the dashboard's files as published by those who read them (2026-11-30).
 */

import { type Form, type InvoiceRecord, tierFrom } from '../form.ts'
import { type BilledPart, type Counts, countsOfPart, type InvoiceLine, type Measure } from '../invoice.ts'
import { startAndEnd } from '../span.ts'

const PROVIDER = 'openai'

const places = (record: InvoiceRecord) => ({
  ...startAndEnd(record, ['start_time', 'start_time_iso'], ['end_time', 'end_time_iso']),
  key: record.text('api_key_id'),
  project: record.text('project_name', 'project_id'),
})

/** With `group_by=line_item` also what was billed and how much of it. */
export const openaiCosts: Form = {
  title: 'OpenAI costs (JSON of /v1/organization/costs, or the dashboard’s CSV)',
  provider: PROVIDER,
  needs: ['start_time', 'amount_value'],
  money: ['amount_value'],
  tells: (fields) => (fields.has('quantity_unit') ? BY_QUANTITY : []),
  lines(record) {
    const nanoUsd = record.amount(['amount_value'])
    if (nanoUsd === null) return []
    const item = record.text('line_item')
    const { model, part, counts, isCall } = readItem(item, record)
    const common = { ...places(record), model, counts, nanoUsd, part, ...(item !== null && { item }) }
    if (nanoUsd < 0) return [{ ...common, apart: 'credit' }]
    return [isCall ? common : { ...common, apart: 'other' }]
  },
}

/** What quantities of items count; of calls they tell nothing. */
const BY_QUANTITY: readonly Measure[] = [
  'input',
  'output',
  'cached',
  'cacheWrite',
  'inputAudio',
  'inputImage',
  'outputAudio',
  'outputImage',
]

interface Item extends Pick<InvoiceLine, 'model' | 'part' | 'counts'> {
  readonly isCall: boolean
}

const WHOLE: Item = { model: null, part: null, counts: {}, isCall: true }
/** A model's name has a digit and no space. */
const MODEL = /^(?:ft:)?[a-z][\w.:/-]*\d[\w.:/-]*$/i
const TOOLS = /(?:tool calls?|web search|file search|code interpreter|computer use)/i

/**
 * `gpt-6-luna, cached input`, `gpt-6-luna, input_tokens`, `web search tool calls | gpt-6-luna`, `gpt-6-luna`. The model
 * behind a tool is not always the one that used it: https://developers.openai.com/api/docs/pricing (2026-11-30).
 */
function readItem(item: string | null, record: InvoiceRecord): Item {
  if (item === null) return WHOLE
  if (MODEL.test(item)) return { ...WHOLE, model: item }
  if (TOOLS.test(item)) return { ...WHOLE, part: 'tools' }
  const named = /^(\S+),\s*(.+)$/.exec(item)
  const part = partOf(named?.[2] ?? '')
  if (named === null || part === null || !MODEL.test(named[1] ?? '')) return { ...WHOLE, isCall: false }
  return { model: named[1] ?? null, part, counts: quantityOf(part, record), isCall: true }
}

/** By the words of an item, from the most particular. */
const PARTS: readonly (readonly [words: RegExp, part: BilledPart])[] = [
  [/cache.*write|write.*cache/, 'cacheWrite'],
  [/cached.*audio|audio.*cached/, 'cachedAudio'],
  [/cached.*image|image.*cached/, 'cachedImage'],
  [/cached/, 'cached'],
  [/audio.*input|input.*audio/, 'inputAudio'],
  [/image.*input|input.*image/, 'inputImage'],
  [/audio.*output|output.*audio/, 'outputAudio'],
  [/image.*output|output.*image/, 'outputImage'],
  [/input/, 'input'],
  [/output/, 'output'],
]

function partOf(words: string): BilledPart | null {
  const plain = words.toLowerCase()
  return PARTS.find(([pattern]) => pattern.test(plain))?.[1] ?? null
}

const TOKENS: Readonly<Record<string, number>> = { tokens: 1, '1000_tokens': 1000 }

function quantityOf(part: BilledPart, record: InvoiceRecord): Counts {
  const unit = TOKENS[record.text('quantity_unit') ?? '']
  if (unit === undefined) return {}
  return countsOfPart(part, Math.round(record.count('quantity') * unit))
}

/** Measures that are told where their field is there, beside what every answer has. */
const OPTIONAL: readonly (readonly [field: string, measure: Measure])[] = [
  ['input_cached_tokens', 'cached'],
  ['input_cache_write_tokens', 'cacheWrite'],
  ['input_audio_tokens', 'inputAudio'],
  ['input_image_tokens', 'inputImage'],
  ['output_audio_tokens', 'outputAudio'],
  ['output_image_tokens', 'outputImage'],
]

/** Completions, embeddings and moderations. Tokens that are cached or written are part of `input_tokens`. */
export const openaiUsage: Form = {
  title: 'OpenAI usage (JSON of /v1/organization/usage/…, or the dashboard’s CSV)',
  provider: PROVIDER,
  needs: ['start_time', 'num_model_requests', 'input_tokens'],
  tells: (fields) => [
    'requests',
    'input',
    'output',
    ...OPTIONAL.flatMap(([field, measure]) => (fields.has(field) ? [measure] : [])),
  ],
  tellsTier: (fields) => fields.has('service_tier') || fields.has('batch'),
  lines(record) {
    if (record.value('num_model_requests') === undefined) return []
    const batch = record.text('batch')?.toLowerCase() === 'true' ? 'batch' : null
    return [
      {
        ...places(record),
        model: record.text('model'),
        tier: tierFrom(batch ?? record.text('service_tier')),
        counts: {
          requests: record.count('num_model_requests'),
          input: record.count('input_tokens'),
          output: record.count('output_tokens'),
          cached: record.count('input_cached_tokens'),
          cacheWrite: record.count('input_cache_write_tokens'),
          inputAudio: record.count('input_audio_tokens') + record.count('input_cached_audio_tokens'),
          inputImage: record.count('input_image_tokens') + record.count('input_cached_image_tokens'),
          outputAudio: record.count('output_audio_tokens'),
          outputImage: record.count('output_image_tokens'),
        },
        nanoUsd: null,
        part: null,
      },
    ]
  },
}

/** Pictures and recordings, which are counted in units of their own. */
export const openaiUnits: Form = {
  title: 'OpenAI usage of pictures and audio (JSON of /v1/organization/usage/…, or the dashboard’s CSV)',
  provider: PROVIDER,
  needs: ['start_time', 'num_model_requests', 'images|seconds|characters'],
  // The ledger counts no characters.
  tells: (fields) => [
    'requests',
    ...(fields.has('images') ? (['images'] as const) : []),
    ...(fields.has('seconds') ? (['seconds'] as const) : []),
  ],
  lines(record) {
    if (record.value('num_model_requests') === undefined) return []
    const counts: Counts = {
      requests: record.count('num_model_requests'),
      images: record.count('images'),
      seconds: record.count('seconds'),
    }
    return [{ ...places(record), model: record.text('model'), counts, nanoUsd: null, part: null }]
  },
}

/** By the name of the result: what the ledger calls the tool. */
const TOOL_KINDS: readonly (readonly [word: string, measure: Measure])[] = [
  ['web_search', 'tool:web_search'],
  ['file_search', 'tool:file_search'],
  ['code_interpreter', 'tool:code_interpreter'],
]

/** Uses of tools, which are of no model here. */
export const openaiTools: Form = {
  title: 'OpenAI usage of tools (JSON of /v1/organization/usage/…)',
  provider: PROVIDER,
  needs: ['start_time', 'num_requests|num_sessions'],
  tells: () => TOOL_KINDS.map(([, measure]) => measure),
  lines(record) {
    const name = record.text('object') ?? ''
    const measure = TOOL_KINDS.find(([word]) => name.includes(word))?.[1] ?? 'tool:code_interpreter'
    const counts: Counts = { [measure]: record.count('num_requests', 'num_sessions') }
    return [{ ...places(record), model: null, counts, nanoUsd: null, part: 'tools' }]
  },
}
