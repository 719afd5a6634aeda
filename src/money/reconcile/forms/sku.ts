/** What a SKU of Google's billing is of: `Generate content input token count gemini 2.5 flash short input text`. */

import type { BilledPart } from '../invoice.ts'

interface Sku {
  /** As the API spells it, without what a SKU leaves out of a name (`-preview`). */
  readonly model: string | null
  readonly part: BilledPart
  readonly tier: string | null
  /** Whether its unit is a token; otherwise nothing is said of what is counted. */
  readonly countsTokens: boolean
}

const SEARCH = /grounding|google search|google maps/i
const TIERS = ['batch', 'flex', 'priority'] as const
/** Words of a model's name behind its version. */
const NAME_WORDS = 'flash|pro|ultra|lite|nano|preview|live|tts|thinking'
const GEMINI = new RegExp(`gemini[ -](?:embedding[ -]\\d+|\\d+(?:\\.\\d+)?(?:[ -](?:${NAME_WORDS})\\b)*)`)

/** Null for what is no use of a model. */
export function readSku(description: string): Sku | null {
  const words = description.toLowerCase().replaceAll('_', ' ').trim()
  const tier = TIERS.find((word) => words.includes(word)) ?? null
  const model = modelOf(words)
  if (SEARCH.test(words)) return { model: null, part: 'tools', tier, countsTokens: false }
  if (model === null || words.includes('storage')) return null
  return { model, part: partOf(words, model), tier, countsTokens: words.includes('token count') }
}

function modelOf(words: string): string | null {
  const match = GEMINI.exec(words)
  if (match === null) return null
  const name = match[0].replaceAll(' ', '-')
  const behind = words.slice(match.index + match[0].length)
  // `image input token count for Gemini 3 Pro Image`: where the kind stands before, the word behind is the model's.
  const before = words.slice(0, match.index)
  const drawsByName = /^ (?:native )?image/.test(behind) && MODALITY.test(before.split('token count')[0] ?? '')
  return drawsByName || /^ native image/.test(behind) ? `${name}-image` : name
}

const MODALITY = /\b(text|audio|image|video)\b/

function partOf(words: string, model: string): BilledPart {
  const [before = ''] = words.split('token count')
  const isCached = /cach/.test(words)
  const isOutput = !isCached && (/output/.test(before) || (!words.includes('token count') && words.includes('output')))
  const modality = MODALITY.exec(before)?.[1] ?? MODALITY.exec(wordsBehind(words, model))?.[1] ?? 'text'
  const side = isCached ? 'cached' : isOutput ? 'output' : 'input'
  return modality === 'text' ? side : (PARTS[`${side} ${modality}`] ?? side)
}

function wordsBehind(words: string, model: string): string {
  const match = GEMINI.exec(words)
  const behind = match === null ? words : words.slice(match.index + match[0].length)
  return model.endsWith('-image') ? behind.replace(/(?:native )?image(?: generation)?/, '') : behind
}

const PARTS: Readonly<Record<string, BilledPart>> = {
  'input audio': 'inputAudio',
  'input image': 'inputImage',
  'input video': 'inputVideo',
  'cached audio': 'cachedAudio',
  'cached image': 'cachedImage',
  'cached video': 'cachedVideo',
  'output audio': 'outputAudio',
  'output image': 'outputImage',
  'output video': 'outputVideo',
}
