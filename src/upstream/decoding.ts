/** Decodes compressed answers. None are requested, but a proxy on the way may compress all the same. */

// As a whole: an older node, which is to be refused in words, has no zstd and would end at the name.
import * as zlib from 'node:zlib'

export interface Decoder {
  push(chunk: Buffer): readonly Buffer[]
  end(): readonly Buffer[]
}

type Decode = (body: Buffer, options: { maxOutputLength: number }) => Buffer

const DECODERS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['gzip', zlib.gunzipSync],
  ['x-gzip', zlib.gunzipSync],
  ['deflate', zlib.inflateSync],
  ['br', zlib.brotliDecompressSync],
  ['zstd', zlib.zstdDecompressSync],
])

const NAME = /^[a-z-]{1,12}$/

/**
 * A decoder for a content-encoding, null when the body is plain. The body is decoded whole at its end, at most
 * `maxBytes` long; a nested or unknown encoding throws when the first byte comes.
 */
export function bodyDecoder(encoding: string | readonly string[] | undefined, maxBytes: number): Decoder | null {
  const name = String(encoding ?? 'identity')
    .trim()
    .toLowerCase()
  if (name === '' || name === 'identity') return null
  const decode = DECODERS.get(name)
  const parts: Buffer[] = []
  let bytes = 0
  return {
    push(chunk) {
      // Names that no server of good faith invents are not repeated: they can hold anything.
      if (decode === undefined)
        throw new Error(`content-encoding ${NAME.test(name) ? name : 'of an unknown name'} is not supported`)
      bytes += chunk.length
      if (bytes > maxBytes) throw new Error('compressed answer too long')
      parts.push(chunk)
      return []
    },
    end() {
      return decode === undefined || bytes === 0 ? [] : [decode(Buffer.concat(parts), { maxOutputLength: maxBytes })]
    },
  }
}
