/** Images, documents, cache marks and what says who asks. */

import { asRecord, asString } from '../../domain/json.ts'
import { claudeFacts } from './claudeModels.ts'
import { blocksOf, type ClaudeFields, claudeRule, firstProblem, type PlacedBlock, placedBlocks } from './claudeWire.ts'
import type { Rule, StrictRequest } from './rule.ts'
import { sentText } from './sentText.ts'

const VISION = 'https://platform.claude.com/docs/en/build-with-claude/vision'
const PDF = 'https://platform.claude.com/docs/en/build-with-claude/pdf-support'
const CACHING = 'https://platform.claude.com/docs/en/build-with-claude/prompt-caching'
const API = 'https://platform.claude.com/docs/en/api/messages'

const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp']
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/** The first bytes of the four formats, in base64. */
const BEGINNINGS: readonly (readonly [beginning: string, type: string])[] = [
  ['/9j/', 'image/jpeg'],
  ['iVBORw0KGgo', 'image/png'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
]

interface PlacedSource {
  readonly source: ClaudeFields
  readonly place: string
}

/** The sources of all blocks of one type, each with its place: `messages.0.content.1.image.source.base64`. */
function sourcesOf({ body }: StrictRequest, type: 'image' | 'document', kind: string): readonly PlacedSource[] {
  return [...placedBlocks(body)]
    .filter((placed) => placed.type === type)
    .map(({ block, place }) => ({ source: asRecord(block['source']) ?? {}, place: `${place}.${type}.source.${kind}` }))
    .filter(({ source }) => source['type'] === kind)
}

function imageType(request: StrictRequest) {
  return firstProblem(sourcesOf(request, 'image', 'base64'), ({ source, place }) => {
    if (IMAGE_TYPES.includes(sentText(source['media_type']))) return null
    return `${place}.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'`
  })
}

function imageData(request: StrictRequest) {
  return firstProblem(sourcesOf(request, 'image', 'base64'), ({ source, place }) => {
    const data = asString(source['data']) ?? ''
    if (data === '') return `${place}: image cannot be empty`
    if (!BASE64.test(data)) return `${place}: invalid base64 data`
    const found = BEGINNINGS.find(([beginning]) => data.startsWith(beginning))?.[1]
    if (found === undefined || found === source['media_type']) return null
    return `${place}.data: Image does not match the provided media type ${source['media_type']}`
  })
}

function imageInAnswer({ body }: StrictRequest) {
  return firstProblem(placedBlocks(body), ({ type, role, place }) =>
    type === 'image' && role === 'assistant'
      ? `${place}: 'image' blocks are not permitted within assistant turns`
      : null,
  )
}

/** Reported for images; that documents are fetched in the same way is documented. */
function mediaUrl(request: StrictRequest) {
  const sources = [...sourcesOf(request, 'image', 'url'), ...sourcesOf(request, 'document', 'url')]
  return firstProblem(sources, ({ source, place }) =>
    /^https:\/\//.test(sentText(source['url'])) ? null : `${place}.url: Only HTTPS URLs are supported.`,
  )
}

function documentType(request: StrictRequest) {
  const pdf = firstProblem(sourcesOf(request, 'document', 'base64'), ({ source, place }) =>
    source['media_type'] === 'application/pdf' ? null : `${place}.media_type: Input should be 'application/pdf'`,
  )
  if (pdf !== null) return pdf
  return firstProblem(sourcesOf(request, 'document', 'text'), ({ source, place }) =>
    source['media_type'] === 'text/plain' ? null : `${place}.media_type: Input should be 'text/plain'`,
  )
}

function pdfData(request: StrictRequest) {
  return firstProblem(sourcesOf(request, 'document', 'base64'), ({ source, place }) => {
    const data = asString(source['data']) ?? ''
    if (data === '') return `${place}: PDF cannot be empty`
    return Buffer.from(data, 'base64').toString('latin1').startsWith('%PDF') ? null : `${place}.data: ${INVALID_PDF}`
  })
}

const INVALID_PDF = 'The PDF specified was not valid.'

/** 100 images, and 600 where the window holds a million tokens. */
function tooManyImages({ model, body }: StrictRequest): string | null {
  const limit = (claudeFacts(model)?.contextTokens ?? 0) > 200_000 ? 600 : 100
  const images = [...placedBlocks(body)].filter(({ type }) => type === 'image').length
  return images > limit ? `Too much media: 0 document pages + ${images} images > ${limit}` : null
}

function tooManyMarks({ body }: StrictRequest): string | null {
  const marked: readonly ClaudeFields[] = [
    body,
    ...blocksOf(body['system']),
    ...blocksOf(body['tools']),
    ...[...placedBlocks(body)].map(({ block }) => block),
  ]
  const count = marked.filter((fields) => fields['cache_control'] != null).length
  return count > 4 ? `A maximum of 4 blocks with cache_control may be provided. Found ${count}.` : null
}

const isMarkedEmpty = ({ block, type }: PlacedBlock) =>
  type === 'text' && block['text'] === '' && block['cache_control'] != null

function emptyMark({ body }: StrictRequest): string | null {
  const marked = [...placedBlocks(body)].find(isMarkedEmpty)
  return marked ? `${marked.place}.text: cache_control cannot be set for empty text blocks` : null
}

const EMAIL = 'user_id appears to contain an email address. Please send a uuid or hash value instead.'

function userId({ body }: StrictRequest): string | null {
  const id = asString(asRecord(body['metadata'])?.['user_id'])
  if (id === undefined) return null
  if (/[^\s@"]+@[^\s@"]+\.[a-z]{2,}/i.test(id)) return `metadata.user_id: ${EMAIL}`
  return id.length > 256 ? 'metadata.user_id: String should have at most 256 characters' : null
}

/** Looked for before empty text itself, which has words of its own. */
export const claudeEmptyMarkRule = claudeRule(
  'cache-empty-text',
  'https://github.com/anthropics/claude-code/issues/54013',
  emptyMark,
)

export const claudeContentRules: readonly Rule[] = [
  claudeRule('image-in-answer', 'https://github.com/SEMOSS/Semoss/issues/2323', imageInAnswer),
  claudeRule('image-media-type', 'https://github.com/anthropics/claude-code/issues/8184', imageType),
  claudeRule('image-data', 'https://github.com/anthropics/claude-code/issues/15746', imageData),
  claudeRule('media-url', VISION, mediaUrl),
  claudeRule('image-count', VISION, tooManyImages),
  claudeRule('document-media-type', PDF, documentType),
  claudeRule('document-data', PDF, pdfData),
  claudeRule('cache-marks', CACHING, tooManyMarks),
  claudeRule('user-id', 'https://github.com/BerriAI/litellm/issues/10106', userId),
  claudeRule('service-tier', API, ({ body }) =>
    body['service_tier'] == null || ['auto', 'standard_only'].includes(sentText(body['service_tier']))
      ? null
      : "service_tier: Input should be 'auto' or 'standard_only'",
  ),
]
