/** Whether a provider's host can be reached at all, and what time it has there. Carries no key. */

import type { Failure } from '../../domain/failure.ts'
import type { Connection } from '../connection.ts'
import { classifyError } from '../failures/transportError.ts'
import type { JsonTools } from '../requestJson.ts'

export type Reached =
  | {
      readonly ok: true
      /** Any status will do: the host answered. */
      readonly status: number
      /** How far our clock is ahead of theirs, in milliseconds, exact to about a second; null without a `Date`. */
      readonly clockAheadMs: number | null
    }
  | { readonly ok: false; readonly failure: Failure }

const TIMEOUT_MS = 8000

/** Never throws. */
export async function reach(connection: Connection, tools: Pick<JsonTools, 'now' | 'timeoutMs'>): Promise<Reached> {
  const timeoutMs = tools.timeoutMs ?? TIMEOUT_MS
  try {
    const response = await connection.dispatcher.request({
      origin: connection.origin,
      path: connection.basePath === '' ? '/' : connection.basePath,
      method: 'GET',
      headers: ['user-agent', 'keywise', 'accept', '*/*'],
      signal: AbortSignal.timeout(timeoutMs),
    })
    const at = tools.now()
    await response.body.dump()
    return { ok: true, status: response.statusCode, clockAheadMs: aheadOf(response.headers['date'], at) }
  } catch (error) {
    return { ok: false, failure: classifyError(error, { name: 'connect', afterMs: timeoutMs, started: false }) }
  }
}

/** `Date` is cut to the second (RFC 9110 section 6.6.1), so half a second is added. */
function aheadOf(date: string | string[] | undefined, at: number): number | null {
  const theirs = Date.parse(String(date))
  return Number.isNaN(theirs) ? null : at - (theirs + 500)
}
