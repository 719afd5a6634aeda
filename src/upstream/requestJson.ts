/** One small request beside the calls: a page of a models list, the check of a key, a stored response. */

import type { Dispatcher } from 'undici'
import { ByteBuffer } from '../domain/byteBuffer.ts'
import type { Failure, LimitFact } from '../domain/failure.ts'
import { withoutKey } from './answers/withoutKey.ts'
import { type Connection, resolvePath } from './connection.ts'
import { bodyDecoder } from './decoding.ts'
import { classify } from './failures/classify.ts'
import { classifyError } from './failures/transportError.ts'
import { flatHeaders } from './headers.ts'
import { readLimits } from './limits/limits.ts'
import { parseAnswer } from './parseAnswer.ts'

export interface JsonTools {
  readonly now: () => number
  readonly redact: (text: string) => string
  /** Removes known secrets and nothing else, from a text of any length. */
  readonly hide: (text: string) => string
  /** Maximum milliseconds for the answer. Default 10,000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

const MAX_BYTES = 10 * 1024 * 1024
const TOO_LONG: Error = new Error('the answer is longer than 10 MiB')

type JsonAnswer =
  | { readonly ok: true; readonly status: number; readonly body: unknown; readonly limits: readonly LimitFact[] }
  | { readonly ok: false; readonly failure: Failure }

/** Asks, and reads the answer as JSON; whatever goes wrong comes back as a failure. */
export async function requestJson(
  connection: Connection,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  tools: JsonTools,
): Promise<JsonAnswer> {
  const deadline = AbortSignal.timeout(tools.timeoutMs ?? 10_000)
  const signal = tools.signal === undefined ? deadline : AbortSignal.any([deadline, tools.signal])
  const timeoutMs = tools.timeoutMs ?? 10_000
  let started = false
  try {
    const response = await connection.dispatcher.request({
      ...resolvePath(connection, path),
      method,
      headers: ['accept', 'application/json', ...connection.headers],
      signal,
    })
    started = true
    const text = await readText(response, connection)
    return await readAnswer(connection, response, text, tools)
  } catch (error) {
    if (deadline.aborted)
      return {
        ok: false,
        failure: { kind: 'timeout', phase: 'total', afterMs: timeoutMs, status: null, message: 'no answer in time' },
      }
    if (error === TOO_LONG) return { ok: false, failure: { kind: 'server', status: null, message: TOO_LONG.message } }
    return { ok: false, failure: classifyError(error, { name: 'total', afterMs: timeoutMs, started }) }
  }
}

async function readText(response: Dispatcher.ResponseData, { traces }: Connection): Promise<string> {
  const decoder = bodyDecoder(response.headers['content-encoding'], MAX_BYTES)
  const body = new ByteBuffer(MAX_BYTES)
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    if (body.length + chunk.length > MAX_BYTES) throw TOO_LONG
    if (decoder === null) body.hold(chunk)
    else decoder.push(chunk)
  }
  return withoutKey(decoder === null ? body.take() : await decoder.end(), traces).toString('utf8')
}

async function readAnswer(
  connection: Connection,
  response: Dispatcher.ResponseData,
  text: string,
  tools: JsonTools,
): Promise<JsonAnswer> {
  const status = response.statusCode
  const headers = flatHeaders(response.headers)
  const shown = status < 300 ? text : tools.hide(text)
  let body: unknown
  try {
    body = await parseAnswer(shown, JSON.parse)
  } catch {
    body = undefined
  }
  const now = tools.now()
  if (status < 300 && body !== undefined)
    return { ok: true, status, body, limits: readLimits(headers, null, connection.spec, now) }
  const failure = classify({
    status,
    headers,
    body: body ?? shown,
    provider: connection.spec,
    model: '',
    now,
    redact: tools.redact,
  })
  return { ok: false, failure }
}
