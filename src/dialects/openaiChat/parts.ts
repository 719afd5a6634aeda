/** The content of chat messages: a string, or parts of text, images, audio and files. */

import type { FilePart, ImagePart, Part, TextPart } from '../../domain/chat.ts'
import { asRecord, asString } from '../../domain/json.ts'
import { mediaUrl, readMediaUrl } from '../fields/dataUrl.ts'
import {
  extraOf,
  type Fields,
  leftovers,
  objectAt,
  ownFields,
  requiredText,
  text,
  wrong,
} from '../fields/requestFields.ts'

type ChatMediaPart = TextPart | ImagePart | FilePart

const TEXT_FIELDS = new Set(['type', 'text'])
const IMAGE_FIELDS = new Set(['url'])
const FILE_FIELDS = new Set(['file_data', 'filename'])
const AUDIO_TYPES: Readonly<Record<string, string>> = { mp3: 'audio/mpeg', wav: 'audio/wav' }

/** Throws InvalidRequestError naming the field below `at`. Empty strings are no content. */
export function readChatContent(content: unknown, at: string): ChatMediaPart[] {
  if (content === undefined || content === null || content === '') return []
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  if (!Array.isArray(content)) throw wrong(at, 'must be a string or an array of parts')
  return content.map((part, index) => readPart(part, `${at}[${index}]`))
}

function readPart(value: unknown, at: string): ChatMediaPart {
  if (typeof value === 'string') return { type: 'text', text: value }
  const part = objectAt(value, at)
  switch (requiredText(part, 'type', `${at}.type`)) {
    case 'text':
      return {
        type: 'text',
        text: text(part, 'text', `${at}.text`) ?? '',
        ...extraOf('openai', leftovers(part, TEXT_FIELDS)),
      }
    case 'refusal':
      return {
        type: 'text',
        text: text(part, 'refusal', `${at}.refusal`) ?? '',
        ...extraOf('openai', { refusal: true }),
      }
    case 'image_url':
      return readImage(part, at)
    case 'input_audio':
      return readAudio(objectAt(part['input_audio'], `${at}.input_audio`), at)
    case 'file':
      return readFile(objectAt(part['file'], `${at}.file`), at)
    default:
      return { type: 'file', ...extraOf('openai', part) }
  }
}

function readImage(part: Fields, at: string): ImagePart {
  const value = part['image_url']
  const image = typeof value === 'string' ? { url: value } : objectAt(value, `${at}.image_url`)
  const url = requiredText(image, 'url', `${at}.image_url.url`)
  return { type: 'image', ...readMediaUrl(url), ...extraOf('openai', leftovers(image, IMAGE_FIELDS)) }
}

export function readAudio(audio: Fields, at: string): FilePart {
  const format = requiredText(audio, 'format', `${at}.input_audio.format`)
  const mediaType = Object.hasOwn(AUDIO_TYPES, format) ? AUDIO_TYPES[format] : `audio/${format}`
  return { type: 'file', mediaType, data: requiredText(audio, 'data', `${at}.input_audio.data`) }
}

function readFile(file: Fields, at: string): FilePart {
  const data = text(file, 'file_data', `${at}.file.file_data`)
  const filename = text(file, 'filename', `${at}.file.filename`)
  return {
    type: 'file',
    ...(data !== undefined && (/^(?:data|https?):/.test(data) ? readMediaUrl(data) : { data })),
    ...(filename !== undefined && { filename }),
    ...extraOf('openai', leftovers(file, FILE_FIELDS)),
  }
}

/**
 * A string where it is text alone: many compatible servers refuse parts in system, assistant and tool messages.
 * `separator` goes between texts that were apart.
 */
export function writeContent(parts: readonly Part[], separator: string): string | Fields[] {
  if (parts.every((part) => part.type === 'text' && part.extra?.dialect !== 'openai')) return joinText(parts, separator)
  return parts.map(writePart).filter((part) => part !== undefined)
}

export function joinText(parts: readonly Part[], separator: string): string {
  let joined = ''
  for (const part of parts) if (part.type === 'text') joined += joined === '' ? part.text : separator + part.text
  return joined
}

function writePart(part: Part): Fields | undefined {
  if (part.type === 'text') {
    const { refusal, ...fields } = ownFields(part.extra, 'openai')
    return refusal === true ? { type: 'refusal', refusal: part.text } : { ...fields, type: 'text', text: part.text }
  }
  if (part.type === 'image') return writeImage(part)
  return part.type === 'file' ? writeFile(part) : undefined
}

function writeImage(part: ImagePart): Fields {
  const url = mediaUrl({ ...part, mediaType: part.mediaType ?? 'image/png' })
  return { type: 'image_url', image_url: { ...ownFields(part.extra, 'openai'), url } }
}

function writeFile(part: FilePart): Fields | undefined {
  const own = ownFields(part.extra, 'openai')
  if (asString(own['type']) !== undefined) return own
  if (part.data !== undefined && part.mediaType?.startsWith('audio/')) {
    return writeAudio(part.data, part.mediaType)
  }
  const data = part.mediaType === undefined ? (part.data ?? part.url) : mediaUrl(part)
  if (data === undefined && asRecord(own)?.['file_id'] === undefined) return undefined
  const filename = part.filename ?? (part.data === undefined ? undefined : 'file')
  return {
    type: 'file',
    file: { ...own, ...(filename !== undefined && { filename }), ...(data !== undefined && { file_data: data }) },
  }
}

export function writeAudio(data: string, mediaType: string): Fields {
  return { type: 'input_audio', input_audio: { data, format: audioFormat(mediaType) } }
}

function audioFormat(mediaType: string): string {
  for (const [format, type] of Object.entries(AUDIO_TYPES)) if (type === mediaType) return format
  return mediaType.slice('audio/'.length)
}
