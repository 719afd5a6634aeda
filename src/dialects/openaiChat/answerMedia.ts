/**
 * Pictures, recordings and sources of an answer. Pictures have OpenRouter's form, because OpenAI's chat completions have
 * none: https://openrouter.ai/docs/features/multimodal/image-generation (read 2026-11-29). Recordings and sources are
 * OpenAI's: https://platform.openai.com/docs/api-reference/chat/object (`audio`, `annotations`).
 */

import type { Citation, FilePart, ImagePart, MediaPart } from '../../domain/chat.ts'
import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import { mediaUrl, readMediaUrl } from '../fields/dataUrl.ts'
import { audioTypeOf, joinBase64, mediaTypeOf } from '../fields/media.ts'
import type { Fields } from '../fields/requestFields.ts'

/** The pictures of a message or a delta, in `images` or among the parts of its content. */
export function readImages(message: Fields): ImagePart[] {
  const content = asArray(message['content'])
  const images = asArray(message['images'])
  if (content === undefined && images === undefined) return []
  const parts = content?.filter((part) => asRecord(part)?.['type'] === 'image_url') ?? []
  return [...parts, ...(images ?? [])].flatMap(readImage)
}

function readImage(value: unknown): ImagePart[] {
  const image = asRecord(value)?.['image_url']
  const url = asString(image) ?? asString(asRecord(image)?.['url'])
  return url ? [{ type: 'image', ...readMediaUrl(url) }] : []
}

/** `pieces`: the base64 of a recording, in one piece or several. */
export function readRecording(pieces: readonly string[]): FilePart[] {
  if (pieces.length === 0) return []
  const data = joinBase64(pieces)
  return [{ type: 'file', mediaType: audioTypeOf(data), data }]
}

/** Pages that the text rests on; one without an address (a file of the upstream's own) is none. */
export function readAnnotations(annotations: unknown): Citation[] {
  if (annotations == null) return []
  return (asArray(annotations) ?? []).flatMap((value) => {
    const page = asRecord(asRecord(value)?.['url_citation']) ?? asRecord(value)
    const url = asString(page?.['url'])
    if (!url) return []
    const title = asString(page?.['title'])
    const [start, end] = [asNumber(page?.['start_index']), asNumber(page?.['end_index'])]
    const isPlaced = start !== undefined && end !== undefined && end > start
    return [{ url, ...(title !== undefined && { title }), ...(isPlaced && { start, end }) }]
  })
}

/** A source without a place has an empty one, as OpenRouter writes it. */
export function writeAnnotation({ url, title = '', start = 0, end = 0 }: Citation): Fields {
  return { type: 'url_citation', url_citation: { url, title, start_index: start, end_index: end } }
}

export function writeImage(part: ImagePart, index: number): Fields {
  const url = mediaUrl({ ...part, mediaType: mediaTypeOf(part) }) ?? ''
  return { type: 'image_url', image_url: { url }, index }
}

export function isAudio(part: MediaPart): part is FilePart & { readonly data: string } {
  return part.type === 'file' && part.data !== undefined && mediaTypeOf(part).startsWith('audio/')
}

/** Nothing is kept under the id: it has expired when it arrives. */
export function writeRecording(data: string, answerId: string, created: number): Fields {
  return { id: `audio_${answerId}`, data, expires_at: created, transcript: '' }
}
