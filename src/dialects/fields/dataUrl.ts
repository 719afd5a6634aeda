/** `data:` URLs, in which the OpenAI dialects carry images and files: https://www.rfc-editor.org/rfc/rfc2397 */

interface Media {
  readonly mediaType?: string
  /** Base64. */
  readonly data?: string
  readonly url?: string
}

/** Base64 data where `url` carries it; any other URL stays one. */
export function readMediaUrl(url: string): Media {
  if (!/^data:/i.test(url)) return { url }
  const comma = url.indexOf(',')
  // The head is short; a comma far away means that this is no data URL.
  if (comma === -1 || comma > 256) return { url }
  const [mediaType = '', ...parameters] = url.slice('data:'.length, comma).split(';')
  const data = parameters.at(-1) === 'base64' ? url.slice(comma + 1) : encoded(url.slice(comma + 1))
  return data === undefined ? { url } : { ...(mediaType !== '' && { mediaType }), data }
}

/** Percent-encoded data as base64; undefined when it is not well encoded. */
function encoded(data: string): string | undefined {
  try {
    return Buffer.from(decodeURIComponent(data), 'utf8').toString('base64')
  } catch {
    return undefined // URIError: the upstream may make something of the URL
  }
}

/** The inverse; undefined when there is neither data nor a URL. */
export function mediaUrl(media: Media): string | undefined {
  if (media.data === undefined) return media.url
  return `data:${media.mediaType ?? 'application/octet-stream'};base64,${media.data}`
}
