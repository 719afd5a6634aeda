/** Pictures and sources of an answer: https://platform.openai.com/docs/api-reference/responses/object (`output`) */

import type { Citation, ImagePart, MediaPart } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import type { Fields } from '../fields/requestFields.ts'
import { readAnnotations } from '../openaiChat/answerMedia.ts'

/** The picture of an `image_generation_call`; none while it is being drawn, or where that failed. */
export function readImageItem(item: Fields): ImagePart[] {
  const data = asString(item['result'])
  return data ? [{ type: 'image', mediaType: `image/${asString(item['output_format']) ?? 'png'}`, data }] : []
}

/** A picture that the item can hold: by its data, not by its address. */
export function isDrawn(part: MediaPart): part is ImagePart & { readonly data: string } {
  return part.type === 'image' && part.data !== undefined
}

export function imageItem(part: ImagePart & { readonly data: string }, id: string): Fields {
  const format = part.mediaType?.slice('image/'.length)
  return {
    type: 'image_generation_call',
    id,
    status: 'completed',
    result: part.data,
    ...(format && { output_format: format }),
  }
}

/** The sources of every text of a message, whose places count from the beginning of the answer: `offset` is its own. */
export function readMessageAnnotations(item: Fields, offset: number): Citation[] {
  const citations: Citation[] = []
  let start = offset
  for (const value of asArray(item['content']) ?? []) {
    const part = asRecord(value)
    for (const citation of readAnnotations(part?.['annotations'])) citations.push(moved(citation, start))
    start += (asString(part?.['text']) ?? asString(part?.['refusal']) ?? '').length
  }
  return citations
}

function moved({ start, end, ...page }: Citation, by: number): Citation {
  return start === undefined || end === undefined ? page : { ...page, start: start + by, end: end + by }
}

/** Those that lie in a text of that place, counted from its beginning; one without a place lies in the last text. */
export function annotationsIn(
  citations: readonly Citation[],
  text: { readonly start: number; readonly length: number; readonly isLast: boolean },
): Fields[] {
  return citations.flatMap(({ url, title = '', start, end }) => {
    const isPlaced = start !== undefined && end !== undefined
    const lies = isPlaced ? start >= text.start && start < text.start + text.length : text.isLast
    if (!lies) return []
    const from = isPlaced ? start - text.start : 0
    const to = isPlaced ? Math.min(end - text.start, text.length) : 0
    return [{ type: 'url_citation', url, title, start_index: from, end_index: to }]
  })
}
