/** The media type that data has, by its first bytes: https://en.wikipedia.org/wiki/List_of_file_signatures */

import type { FilePart, ImagePart } from '../../domain/chat.ts'

/** As base64, whose first characters are those of the first bytes. */
const BEGINNINGS: readonly (readonly [beginning: string, mediaType: string])[] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['JVBERi', 'application/pdf'],
]
/** `RIFF`, a length, then what it is. */
const RIFF = 'UklGR'

/** "Image does not match the provided media type": clients name the type of the file's name, or none. */
export function typed<P extends ImagePart | FilePart>(part: P): P {
  const found = mediaTypeOf(part.data ?? '') ?? usual(part.mediaType)
  return found === undefined || found === part.mediaType ? part : { ...part, mediaType: found }
}

/** Types are the same in capital letters, and many say `image/jpg`: https://www.rfc-editor.org/rfc/rfc2045#section-5.1 */
function usual(mediaType: string | undefined): string | undefined {
  const small = mediaType?.toLowerCase()
  if (small === 'image/jpg') return 'image/jpeg'
  // Python says `audio/x-wav`: https://mimetype.io/audio/wav
  return small?.replace(/^audio\/x-/, 'audio/').replace(/^audio\/(?:wave|vnd\.wave|pn-wav)$/, 'audio/wav')
}

function mediaTypeOf(data: string): string | undefined {
  if (data.startsWith(RIFF)) return Buffer.from(data.slice(0, 24), 'base64').includes('WEBP') ? 'image/webp' : undefined
  return BEGINNINGS.find(([beginning]) => data.startsWith(beginning))?.[1]
}
