/** Reads a small public file over the network: no key, no cookie, nothing that says who asks. */

import type { Dispatcher } from 'undici'
import { ByteBuffer } from '../domain/byteBuffer.ts'
import { asRecord } from '../domain/json.ts'
import { bodyDecoder, type Decoder } from './decoding.ts'

interface FetchOptions {
  readonly dispatcher: Dispatcher
  /** Longer files are refused. */
  readonly maxBytes: number
  /** Maximum milliseconds in all, redirects included. Default 30,000. */
  readonly timeoutMs?: number
}

const MOST_REDIRECTS = 5
const LOOPBACK = /^(?:localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/**
 * The bytes at an address. https, or http on this machine; a redirect keeps its scheme. Rejects with an error whose
 * message continues after the address.
 */
export async function fetchFile(address: URL, options: FetchOptions): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(options.timeoutMs ?? 30_000)
  let url = address
  try {
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      refuseUnsafe(url)
      const response = await request(url, options.dispatcher, signal)
      const location = response.headers['location']
      if (response.statusCode < 300 || response.statusCode >= 400 || typeof location !== 'string')
        return await read(response, options.maxBytes)
      leave(response)
      url = next(url, location)
    }
  } catch (error) {
    if (signal.aborted) throw new Error('did not answer in time')
    throw error
  }
  throw new Error(`redirects more than ${MOST_REDIRECTS} times`)
}

function refuseUnsafe(url: URL): void {
  if (url.username || url.password) throw new Error('holds a user name or password; give an address without')
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname))
  if (!isSafe) throw new Error('is not encrypted; use https, or a file')
}

function request(url: URL, dispatcher: Dispatcher, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  return dispatcher.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method: 'GET',
    headers: ['accept', 'application/json', 'user-agent', 'keywise'],
    signal,
  })
}

function next(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw new Error('redirects to something that is no address')
  const url = new URL(location, from)
  if (url.protocol !== from.protocol) throw new Error(`redirects from ${from.protocol}// to ${url.protocol}//`)
  return url
}

async function read({ statusCode, headers, body }: Dispatcher.ResponseData, maxBytes: number): Promise<Uint8Array> {
  if (statusCode !== 200) {
    leave({ body })
    throw new Error(`answers with status ${statusCode}`)
  }
  const decoder = bodyDecoder(headers['content-encoding'], maxBytes)
  const read = new ByteBuffer(maxBytes)
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (read.length + chunk.length > maxBytes) throw new Error(`is longer than ${maxBytes} bytes`)
    if (decoder === null) read.hold(chunk)
    else decoder.push(chunk)
  }
  return decoder === null ? read.take() : await decoded(decoder, maxBytes)
}

async function decoded(decoder: Decoder, maxBytes: number): Promise<Buffer> {
  try {
    return await decoder.end()
  } catch (error) {
    const isLonger = asRecord(error)?.['code'] === 'ERR_BUFFER_TOO_LARGE'
    throw new Error(isLonger ? `is longer than ${maxBytes} bytes` : 'is compressed, and damaged', { cause: error })
  }
}

/** Its body may never end. */
function leave({ body }: Pick<Dispatcher.ResponseData, 'body'>): void {
  body.on('error', () => {}) // that it was left
  body.destroy()
}
