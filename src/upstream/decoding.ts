/** Decodes compressed answers. None are requested, but a proxy on the way may compress all the same. */

// As a whole: an older node, which is to be refused in words, has no zstd and would end at the name.
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { ByteBuffer } from '../domain/byteBuffer.ts'

export interface Decoder {
  push(chunk: Buffer): void
  /** The whole body. It is decoded piece by piece beside the event loop, so that nobody waits for it. */
  end(): Promise<Buffer>
}

type Decode = (body: Buffer, options: { maxOutputLength: number; chunkSize: number }) => Promise<Buffer>

const DECODERS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['gzip', (body, options) => promisify(zlib.gunzip)(body, options)],
  ['x-gzip', (body, options) => promisify(zlib.gunzip)(body, options)],
  ['deflate', (body, options) => promisify(zlib.inflate)(body, options)],
  ['br', (body, options) => promisify(zlib.brotliDecompress)(body, options)],
  ['zstd', (body, options) => promisify(zlib.zstdDecompress)(body, options)],
])

/** Bytes decoded at a time; it is also the memory that the smallest answer takes. */
const CHUNK = 65_536

/** A text is hardly ever a hundred times as long as its compressed form; what claims to be is made to fill memory. */
const MOST_TIMES = 100
/** A body up to this length may be any number of times as long. */
const FREE_BYTES = 1_048_576

const NAME = /^[a-z-]{1,12}$/

/**
 * A decoder for a content-encoding, null when the body is plain. The body is decoded whole at its end, at most
 * `maxBytes` long and, beyond 1 MiB, a hundred times as long as it came; a nested or unknown encoding throws when the first byte comes.
 */
export function bodyDecoder(encoding: string | readonly string[] | undefined, maxBytes: number): Decoder | null {
  const name = String(encoding ?? 'identity')
    .trim()
    .toLowerCase()
  if (name === '' || name === 'identity') return null
  const decode = DECODERS.get(name)
  const body = new ByteBuffer(maxBytes)
  return {
    push(chunk) {
      // Names that no server of good faith invents are not repeated: they can hold anything.
      if (decode === undefined)
        throw new Error(`content-encoding ${NAME.test(name) ? name : 'of an unknown name'} is not supported`)
      if (body.length + chunk.length > maxBytes) throw new Error('compressed answer too long')
      body.append(chunk)
    },
    async end() {
      if (decode === undefined || body.length === 0) return body.take()
      const most = Math.min(maxBytes, Math.max(FREE_BYTES, MOST_TIMES * body.length))
      return await decode(body.take(), { maxOutputLength: most, chunkSize: CHUNK })
    },
  }
}
