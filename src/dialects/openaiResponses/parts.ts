/** The content of Responses messages and tool outputs: a string, or parts of text, images, audio and files. */

import type { FilePart, ImagePart, Part, TextPart } from '../../domain/chat.ts'
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
import { defined } from '../openai/fields.ts'
import { readAudio, writeAudio } from '../openaiChat/parts.ts'

type ResponsesMediaPart = TextPart | ImagePart | FilePart

const TEXT_FIELDS = new Set(['type', 'text'])
const IMAGE_FIELDS = new Set(['type', 'image_url'])
const FILE_FIELDS = new Set(['type', 'file_data', 'file_url', 'filename'])

/** Throws InvalidRequestError naming the field below `at`. Empty strings are no content. */
export function readResponsesContent(content: unknown, at: string): ResponsesMediaPart[] {
  if (content === undefined || content === null || content === '') return []
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  if (!Array.isArray(content)) throw wrong(at, 'must be a string or an array of parts')
  return content.map((part, index) => readPart(objectAt(part, `${at}[${index}]`), `${at}[${index}]`))
}

function readPart(part: Fields, at: string): ResponsesMediaPart {
  switch (requiredText(part, 'type', `${at}.type`)) {
    case 'input_text':
    case 'output_text':
    case 'text':
      return readText(part, at)
    case 'refusal':
      return {
        type: 'text',
        text: text(part, 'refusal', `${at}.refusal`) ?? '',
        ...extraOf('openai-responses', { refusal: true }),
      }
    case 'input_image':
      return readImage(part, at)
    case 'input_audio':
      return readAudio(objectAt(part['input_audio'], `${at}.input_audio`), at)
    case 'input_file':
      return readFile(part, at)
    default:
      return { type: 'file', ...extraOf('openai-responses', part) }
  }
}

function readText(part: Fields, at: string): TextPart {
  return {
    type: 'text',
    text: text(part, 'text', `${at}.text`) ?? '',
    ...extraOf('openai-responses', textExtra(part)),
  }
}

/** What a text part carries besides its text; the empty lists that every answer has are nothing. */
export function textExtra(part: Fields): Record<string, unknown> | undefined {
  const { annotations, logprobs, ...rest } = leftovers(part, TEXT_FIELDS) ?? {}
  const fields = { ...rest, ...filled({ annotations, logprobs }) }
  return Object.keys(fields).length > 0 ? fields : undefined
}

function filled(lists: Fields): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(lists)) if (Array.isArray(value) && value.length > 0) kept[name] = value
  return kept
}

/** An image known by an uploaded file's id has neither data nor URL, so it is a file only this dialect can name. */
function readImage(part: Fields, at: string): ImagePart | FilePart {
  const url = text(part, 'image_url', `${at}.image_url`)
  if (url === undefined) return { type: 'file', ...extraOf('openai-responses', part) }
  return { type: 'image', ...readMediaUrl(url), ...extraOf('openai-responses', leftovers(part, IMAGE_FIELDS)) }
}

function readFile(part: Fields, at: string): FilePart {
  const data = text(part, 'file_data', `${at}.file_data`)
  const url = text(part, 'file_url', `${at}.file_url`)
  const filename = text(part, 'filename', `${at}.filename`)
  return {
    type: 'file',
    ...(data !== undefined && (data.startsWith('data:') ? readMediaUrl(data) : { data })),
    ...(data === undefined && url !== undefined && { url }),
    ...(filename !== undefined && { filename }),
    ...extraOf('openai-responses', leftovers(part, FILE_FIELDS)),
  }
}

export function writeInputParts(parts: readonly Part[]): Fields[] {
  const written: Fields[] = []
  for (const part of parts) {
    if (part.type === 'text') written.push({ ...textFields(part), type: 'input_text', text: part.text })
    else if (part.type === 'image') written.push(writeImage(part))
    else if (part.type === 'file') written.push(...writeFile(part))
  }
  return written
}

/** `item` is about the message around the text, not about the part. */
export function textFields(part: TextPart): Record<string, unknown> {
  const { item: _, refusal: __, ...fields } = ownFields(part.extra, 'openai-responses')
  return fields
}

function writeImage(part: ImagePart): Fields {
  const url = mediaUrl({ ...part, mediaType: part.mediaType ?? 'image/png' })
  return { detail: 'auto', ...ownFields(part.extra, 'openai-responses'), type: 'input_image', image_url: url }
}

function writeFile(part: FilePart): Fields[] {
  const own = ownFields(part.extra, 'openai-responses')
  if (typeof own['type'] === 'string') return [own]
  if (part.data !== undefined && part.mediaType?.startsWith('audio/')) return [writeAudio(part.data, part.mediaType)]
  if (part.data === undefined && part.url === undefined && own['file_id'] === undefined) return []
  const file = defined({
    ...own,
    type: 'input_file',
    filename: part.filename ?? (part.data === undefined ? undefined : 'file'),
    file_url: part.url,
    file_data: part.mediaType === undefined ? part.data : part.data && mediaUrl(part),
  })
  return [file]
}
