/** A picture or a recording of an answer, as callers of the library see it. */

import type { MediaPart } from '../domain/chat.ts'

/** A picture or a recording of an answer; one of `data` and `url` is set. */
export interface MediaOutput {
  /** `image/png`, `audio/wav`; null where the provider does not say it. */
  readonly mediaType: string | null
  /** Base64. */
  readonly data?: string
  /** Where the provider gives an address in the place of the data. */
  readonly url?: string
}

export function mediaOutput({ mediaType, data, url }: MediaPart): MediaOutput {
  const type = mediaType ?? null
  return data === undefined ? { mediaType: type, url } : { mediaType: type, data }
}
