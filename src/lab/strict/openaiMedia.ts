/** What OpenAI refuses in images and files, in Chat Completions and Responses alike but for the kinds of files. */

import { word } from './chatBody.ts'
import { badRequest } from './openaiWords.ts'
import type { StrictRefusal } from './rule.ts'

const IMAGES = ['png', 'jpeg', 'gif', 'webp']
const DATA = /^data:([^;,]*)((?:;[^;,]*)*),(.*)$/s
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/** Addresses are fetched by the service; only what the URL itself says is looked at here. */
export function wrongImage(path: string, url: unknown): StrictRefusal | null {
  if (typeof url !== 'string' || /^https?:\/\//.test(url)) return null
  const expected = `Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got`
  const fault = dataFault(url, (type) => type.startsWith('image/'))
  if (fault !== null) return badRequest(`Invalid '${path}'. ${expected} ${fault}.`, path, 'invalid_value')
  const kind = DATA.exec(url)?.[1]?.slice('image/'.length).replace('jpg', 'jpeg') ?? ''
  if (IMAGES.includes(kind)) return null
  const formats = `[${IMAGES.map((name) => `'${name}'`).join(', ')}]`
  return badRequest(
    `You uploaded an unsupported image. Please make sure your image has of one the following formats: ${formats}.`,
    null,
    'invalid_image_format',
  )
}

/** `kinds`: the MIME types that are taken, and the words for them. */
export function wrongFile(
  path: string,
  data: unknown,
  kinds: { readonly takes: (type: string) => boolean; readonly words: string },
): StrictRefusal | null {
  if (typeof data !== 'string') return null
  const fault = dataFault(data, kinds.takes)
  if (fault === null) return null
  return badRequest(
    `Invalid file data: '${path}'. Expected a base64-encoded data URL with ${kinds.words} (e.g. 'data:application/pdf;base64,SGVsbG8sIFdvcmxkIQ=='), but got ${fault}.`,
    path,
    'invalid_value',
  )
}

function dataFault(url: string, takes: (type: string) => boolean): string | null {
  const match = DATA.exec(url)
  if (match === null) return "a value without the 'data:' prefix"
  const [, type = '', options = '', bytes = ''] = match
  if (!options.endsWith(';base64')) return "a value without the ';base64' separator"
  if (!takes(type)) return `unsupported MIME type '${word(type)}'`
  if (bytes === '') return 'empty base64-encoded bytes'
  return BASE64.test(bytes) ? null : 'an invalid base64-encoded value'
}
