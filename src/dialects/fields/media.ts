/** Pictures and recordings of an answer, for dialects that cannot carry them as such. */

import type { ChatResponse, MediaPart } from '../../domain/chat.ts'
import { mediaUrl } from './dataUrl.ts'

/** The media type where the wire states none. */
export function mediaTypeOf(part: MediaPart): string {
  return part.mediaType ?? (part.type === 'image' ? 'image/png' : 'application/octet-stream')
}

/** A picture as Markdown, which many clients show; anything else in words, because its data is of no use as text. */
export function mediaText(part: MediaPart): string {
  const url = mediaUrl({ ...part, mediaType: mediaTypeOf(part) })
  if (part.type === 'image' && url !== undefined) return `![image](${url})`
  const where = part.url === undefined ? 'which this protocol cannot carry' : part.url
  return `[The answer holds a file (${mediaTypeOf(part)}): ${where}]`
}

/** What to say in place of an answer of which nothing can be said in the client's protocol. */
export const UNSPEAKABLE =
  '[The model answered with something that this protocol cannot carry; ask in the protocol of its provider to see it.]'

/** Whether an answer holds something, and none of it can be said in words. */
export function isUnspeakable({
  content,
  opaque,
  blocked,
}: Pick<ChatResponse, 'content' | 'opaque' | 'blocked'>): boolean {
  return opaque === true && blocked === undefined && content.every(({ type }) => type === 'reasoning')
}

/** Base64 is decoded piece by piece, because every piece may end with padding. */
export function joinBase64(pieces: readonly string[]): string {
  const [only] = pieces
  if (pieces.length === 1 && only !== undefined) return only
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece, 'base64'))).toString('base64')
}

/** By the first bytes in base64: https://en.wikipedia.org/wiki/List_of_file_signatures */
const AUDIO_STARTS: readonly (readonly [string, string])[] = [
  ['UklGR', 'audio/wav'],
  ['SUQz', 'audio/mpeg'],
  ['//s', 'audio/mpeg'],
  ['//M', 'audio/mpeg'],
  ['T2dnU', 'audio/ogg'],
  ['ZkxhQ', 'audio/flac'],
]

/** The type of a recording whose wire names none: without a known beginning it is bare samples. */
export function audioTypeOf(data: string): string {
  return AUDIO_STARTS.find(([start]) => data.startsWith(start))?.[1] ?? 'audio/pcm'
}
