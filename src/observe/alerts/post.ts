/** One POST to a channel's address. The address contains the token, so no result or error ever includes it. */

import type { Dispatcher } from 'undici'
import type { ChannelTools, Delivery } from './channel.ts'

interface PostRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export type Posted =
  | { readonly ok: true; readonly status: number; readonly body: unknown; readonly retryAfterMs: number | null }
  | { readonly ok: false; readonly delivery: Delivery }

/** Maximum milliseconds until the answer. */
const TIMEOUT_MS = 10_000
const MAX_ANSWER_BYTES = 64 * 1024

/** Sends the request and reads the answer (JSON, or undefined). Never rejects, follows no redirect. */
export async function post(order: PostRequest, tools: ChannelTools, signal: AbortSignal): Promise<Posted> {
  const deadline = tools.deadline?.(TIMEOUT_MS) ?? AbortSignal.timeout(TIMEOUT_MS)
  try {
    const url = new URL(order.url)
    const response = await tools.dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'POST',
      headers: { ...order.headers, 'user-agent': tools.userAgent },
      body: order.body,
      signal: AbortSignal.any([deadline, signal]),
    })
    const body = await readJson(response)
    return { ok: true, status: response.statusCode, body, retryAfterMs: retryAfter(response.headers['retry-after']) }
  } catch (error) {
    return { ok: false, delivery: undelivered(error, deadline.aborted, signal.aborted) }
  }
}

function undelivered(error: unknown, late: boolean, stopped: boolean): Delivery {
  if (stopped)
    return { ok: false, next: 'retry', reason: 'stopped before it was answered', afterMs: 0, unreachable: true }
  if (late) return { ok: false, next: 'retry', reason: 'no answer in time', unreachable: true }
  const code = codeOf(error)
  // undici refuses such headers and addresses before sending anything: waiting does not help.
  if (code === 'UND_ERR_INVALID_ARG' || code === 'ERR_INVALID_URL')
    return { ok: false, next: 'off', reason: 'its address or headers cannot be sent' }
  return { ok: false, next: 'retry', reason: `not reachable (${code})`, unreachable: true }
}

/** The error's code; its message may quote the address. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed'
  return /^[A-Z0-9_]{2,60}$/.test(code) ? code : 'failed'
}

async function readJson(response: Dispatcher.ResponseData): Promise<unknown> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) break // leaving the loop destroys the body
    parts.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch {
    return undefined
  }
}

/** Seconds, as Slack, Discord and Telegram send it; a date is left to the backoff. */
function retryAfter(value: string | string[] | undefined): number | null {
  const seconds = Number(value)
  return value !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null
}
