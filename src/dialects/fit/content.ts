/** The parts of a message, as a dialect can say them. */

import type { DialectId, FilePart, Message, Part, ReasoningPart, TextPart, ToolResultPart } from '../../domain/chat.ts'
import type { ModelWire } from '../../domain/wireFacts.ts'
import { ownSignature } from '../fields/signature.ts'
import { typed } from './mediaType.ts'
import type { Recipient } from './recipient.ts'

type Content = ToolResultPart['content'][number]

/** The message itself where nothing of it changes, as of most. */
export function fitContent(message: Message, recipient: Recipient): Message {
  const content: Part[] = []
  let isChanged = false
  for (const part of message.content) {
    const fitted = fitPart(part, recipient)
    isChanged ||= fitted !== part
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
      return typed(part)
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
function keepsThoughts(part: ReasoningPart, { dialect, wire }: Recipient): boolean {
  switch (dialect) {
    case 'openai':
      return wire.thoughts !== 'none'
    case 'anthropic':
      return ownSignature('anthropic', part) !== undefined
    case 'google':
      return part.signature === undefined || ownSignature('google', part) !== undefined
    case 'openai-responses':
      return part.signature === undefined ? part.extra?.dialect === dialect : ownSignature(dialect, part) !== undefined
  }
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
    if (inner.type === 'image') return [typed(inner)]
    if (inner.type === 'file') return [fitFile(inner, recipient.dialect)]
    return inner.type === 'text' && isRefusedText(inner, recipient.dialect) ? [] : [inner]
  })
  return { ...part, content }
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
