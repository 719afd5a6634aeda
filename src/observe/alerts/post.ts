/** One POST to a channel's address. The address contains the token, so no result or error ever includes it. */

import type { Dispatcher } from 'undici'
import { ByteBuffer } from '../../domain/byteBuffer.ts'
import { asString } from '../../domain/json.ts'
import type { ChannelTools, Delivery } from './channel.ts'

interface PostRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

type Posted = PostAnswer | { readonly ok: false; readonly delivery: Delivery }

export interface PostAnswer {
  readonly ok: true
  readonly status: number
  /** The answer's JSON; undefined when it is none, does not end, or is too long. */
  readonly body: unknown
  /** The beginning of an answer that is no JSON, as of Slack; never HTML. */
  readonly text: string
  /** A page for people: the answer of a proxy, an ingress or a captive portal rather than of the service. */
  readonly isPage: boolean
  readonly retryAfterMs: number | null
}

/** Maximum milliseconds until the answer: aborting a receiver that is only slow would make it get the message twice. */
const TIMEOUT_MS = 30_000
/** Maximum milliseconds from the answer's head to its end; the status is known by then. */
const BODY_TIMEOUT_MS = 5_000
const MAX_ANSWER_BYTES = 64 * 1024

/** Sends the request and reads the answer. Never rejects, follows no redirect. */
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
    const bodyDeadline = tools.deadline?.(BODY_TIMEOUT_MS) ?? AbortSignal.timeout(BODY_TIMEOUT_MS)
    const { body, text } = await readBody(response, bodyDeadline)
    const isPage =
      /html/i.test(asString(response.headers['content-type']) ?? '') || /^\s*<(?:!doctype|html)/i.test(text)
    return {
      ok: true,
      status: response.statusCode,
      body,
      text: isPage ? '' : text,
      isPage,
      retryAfterMs: retryAfter(response.headers['retry-after']),
    }
  } catch (error) {
    return { ok: false, delivery: undelivered(error, deadline.aborted, signal.aborted) }
  }
}

function undelivered(error: unknown, late: boolean, stopped: boolean): Delivery {
  const failed = { ok: false, next: 'retry', advice: null, unreachable: true } as const
  if (stopped) return { ...failed, reason: 'stopped before it was answered', afterMs: 0 }
  if (late) return { ...failed, reason: 'no answer in time' }
  const code = codeOf(error)
  // undici refuses such headers and addresses before sending anything: waiting does not help.
  if (code === 'UND_ERR_INVALID_ARG' || code === 'ERR_INVALID_URL')
    return { ok: false, next: 'off', reason: 'its address or headers cannot be sent', advice: 'correct them' }
  if (/CERT|TLS|SSL|SIGNATURE|ERR_SSL/.test(code))
    return {
      ...failed,
      reason: `its certificate or TLS is refused (${code})`,
      advice: 'check the address and the proxy',
    }
  return { ...failed, reason: `not reachable (${code})` }
}

/** The error's code; its message may quote the address. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed'
  return /^[A-Z0-9_]{2,60}$/.test(code) ? code : 'failed'
}

/** Reads the answer as far as it comes in time: some never end. Never rejects. */
async function readBody(
  response: Dispatcher.ResponseData,
  deadline: AbortSignal,
): Promise<{ body: unknown; text: string }> {
  const read = new ByteBuffer(MAX_ANSWER_BYTES)
  const stop = () => response.body.destroy()
  deadline.addEventListener('abort', stop, { once: true })
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      if (read.length + chunk.length > MAX_ANSWER_BYTES) break // leaving the loop destroys the body
      read.append(chunk)
    }
  } catch {
    // It broke off, or took too long: the status says what became of the message.
  } finally {
    deadline.removeEventListener('abort', stop)
  }
  const text = read.view().toString('utf8')
  return { body: jsonOf(text), text: text.slice(0, 200) }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Seconds, as Slack, Discord and Telegram send it; a date is left to the backoff. */
function retryAfter(value: string | string[] | undefined): number | null {
  const seconds = Number(value)
  return value !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null
}
