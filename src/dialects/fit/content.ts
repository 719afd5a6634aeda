/** The parts of a message, as a dialect can say them. */

import type {
  DialectId,
  FilePart,
  ImagePart,
  Message,
  Part,
  ReasoningPart,
  TextPart,
  ToolResultPart,
} from '../../domain/chat.ts'
import { asString } from '../../domain/json.ts'
import type { ModelWire } from '../../domain/wireFacts.ts'
import { ownSignature } from '../fields/signature.ts'
import { MADE_HERE } from '../openaiResponses/answer.ts'
import { typed } from './mediaType.ts'
import type { Recipient } from './recipient.ts'

type Content = ToolResultPart['content'][number]

const NOTHING: readonly Part[] = []

/** The message itself where nothing of it changes, as of most. */
export function fitContent(message: Message, recipient: Recipient): Message {
  const content: Part[] = []
  let isChanged = false
  for (const part of message.content) {
    const context = part.type === 'file' ? contextOf(part, recipient.dialect) : NOTHING
    const fitted = fitPart(part, recipient)
    isChanged ||= fitted !== part || context.length > 0
    content.push(...context)
    if (fitted !== null) content.push(fitted)
  }
  return isChanged ? { ...message, content } : message
}

/** Null for what is left away. */
function fitPart(part: Part, recipient: Recipient): Part | null {
  switch (part.type) {
    case 'text':
      return isRefusedText(part, recipient.dialect) ? null : withCacheControl(part, recipient)
    case 'image':
      return withDetail(typed(part), recipient.dialect)
    case 'file':
      return fitFile(part, recipient.dialect)
    case 'tool-result':
      return fitResult(part, recipient)
    case 'reasoning':
      return keepsThoughts(part, recipient) ? part : null
    default:
      return part
  }
}

/** "text content blocks must contain non-whitespace text"; Gemini takes no empty part. */
function isRefusedText({ text }: TextPart, dialect: DialectId): boolean {
  return dialect === 'anthropic' ? text.trim() === '' : text === ''
}

/** Thoughts that the writer would leave out are no content: signatures prove something to their own dialect alone. */
export function keepsThoughts(part: ReasoningPart, { dialect, wire }: Pick<Recipient, 'dialect' | 'wire'>): boolean {
  switch (dialect) {
    case 'openai':
      return wire.thoughts !== 'none'
    case 'anthropic':
      return ownSignature('anthropic', part) !== undefined
    case 'google':
      return part.signature === undefined || ownSignature('google', part) !== undefined
    case 'openai-responses':
      return part.signature === undefined ? isKept(part) : ownSignature(dialect, part) !== undefined
  }
}

/** An item of thoughts that the service has by its id; those of other models have an id of keywise. */
function isKept({ extra }: ReasoningPart): boolean {
  return extra?.dialect === 'openai-responses' && asString(extra.fields['id'])?.startsWith(MADE_HERE) !== true
}

/** How closely to look at a picture: the one option of pictures that several dialects have. */
function withDetail(part: ImagePart, dialect: DialectId): ImagePart {
  const detail = part.extra?.fields['detail']
  const isOpenAi = part.extra?.dialect.startsWith('openai') && dialect.startsWith('openai')
  if (!isOpenAi || part.extra?.dialect === dialect || detail == null) return part
  return { ...part, extra: { dialect, fields: { detail } } }
}

/** What Anthropic's clients say about a document beside it, which the model is to read. */
function contextOf(part: FilePart, dialect: DialectId): readonly TextPart[] {
  const context = part.extra?.dialect === 'anthropic' ? part.extra.fields['context'] : undefined
  const isTold = dialect === 'anthropic' || part.text !== undefined || typeof context !== 'string' || context === ''
  return isTold ? [] : [{ type: 'text', text: context }]
}

/** What is made of text is said as text where the dialect has no word for it, or takes only PDF files. */
function fitFile(part: FilePart, dialect: DialectId): FilePart | TextPart {
  if (part.extra?.dialect === dialect && part.data === undefined && part.url === undefined) return part
  const text = part.text ?? (takesTextFiles(part, dialect) ? undefined : textIn(part))
  if (text === undefined) return typed(part)
  return { type: 'text', text: part.filename === undefined ? text : `${part.filename}:\n${text}` }
}

/** Anthropic's writer has a form for plain text, and Gemini takes all that calls itself text. */
function takesTextFiles({ mediaType = '' }: FilePart, dialect: DialectId): boolean {
  return dialect === 'google' ? mediaType.startsWith('text/') : dialect === 'anthropic' && mediaType === 'text/plain'
}

/** The types that are text without saying so: https://www.iana.org/assignments/media-types/ */
const TEXT = /^(?:text\/|application\/(?:json|xml|yaml|x-yaml|javascript|x-sh)\b)/

function textIn({ mediaType, data }: FilePart): string | undefined {
  return data !== undefined && TEXT.test(mediaType ?? '') ? Buffer.from(data, 'base64').toString('utf8') : undefined
}

function fitResult(part: ToolResultPart, recipient: Recipient): ToolResultPart {
  const content = part.content.flatMap((inner): readonly Content[] => {
    if (inner.type === 'image') return [withDetail(typed(inner), recipient.dialect)]
    if (inner.type === 'file') return [...contextOf(inner, recipient.dialect), fitFile(inner, recipient.dialect)]
    return inner.type === 'text' && isRefusedText(inner, recipient.dialect) ? [] : [inner]
  })
  return { ...part, content: part.isError && recipient.dialect.startsWith('openai') ? asError(content) : content }
}

const ERROR = 'Error: '

/** OpenAI's dialects have no other word for a tool that failed. */
function asError(content: readonly Content[]): readonly Content[] {
  const [first, ...rest] = content
  if (first?.type !== 'text') return [{ type: 'text', text: ERROR.trim() }, ...content]
  if (/\berror\b/i.test(first.text.slice(0, 100))) return content
  return [{ ...first, text: ERROR + first.text }, ...rest]
}

/** The one hint in parts that several dialects have: https://openrouter.ai/docs/features/prompt-caching */
function withCacheControl(part: TextPart, { dialect, wire }: Pick<Recipient, 'dialect' | 'wire'>): TextPart {
  const cacheControl = part.extra?.fields['cache_control']
  if (cacheControl === undefined || part.extra?.dialect === dialect || !takesCacheControl(dialect, wire)) return part
  return { ...part, extra: { dialect, fields: { cache_control: cacheControl } } }
}

export function takesCacheControl(dialect: DialectId, wire: ModelWire): boolean {
  return wire.cacheControl ?? dialect === 'anthropic'
}
