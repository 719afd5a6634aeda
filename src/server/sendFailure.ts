/** Error responses in the client's protocol. */

import type { ServerResponse } from 'node:http'
import type { Dialect } from '../dialects/dialect.ts'
import type { ChatRequest } from '../domain/chat.ts'
import { ownClientOf } from '../providers/ownClients.ts'
import { type ClientFailure, trailOf } from './clientError.ts'

/** What writes an error in some protocol: a dialect, or less than one. */
export interface ErrorWriter {
  readonly client: Pick<Dialect['client'], 'writeError'>
}

/** The same as a stream that fails at once, for errors that the vendor says there. */
export function sendFailedStream(
  response: ServerResponse,
  dialect: Dialect,
  request: ChatRequest,
  failure: ClientFailure,
  now: number,
): void {
  if (response.headersSent || response.destroyed) return
  const { requestId, attempts, code } = failure
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    ...(requestId && { 'x-keywise-request-id': requestId }),
    'x-keywise-error': code,
    ...(attempts.length > 0 && { 'x-keywise-attempts': String(attempts.length), 'x-keywise-trail': trailOf(attempts) }),
  })
  response.end(dialect.client.streamWriter(request, { now, ...(requestId && { id: requestId }) }).fail(failure))
}

/** Sends an error in the client's protocol; after a cascade, retries by the client would only multiply it. */
export function sendFailure(response: ServerResponse, dialect: ErrorWriter, failure: ClientFailure): void {
  if (response.headersSent || response.destroyed) return
  const numericCode = ownClientOf(response.req.headers['user-agent'])?.numericErrorCodes
  const body = Buffer.from(JSON.stringify(dialect.client.writeError({ ...failure, numericCode })))
  const { retryAfterMs, attempts } = failure
  response.writeHead(failure.status, {
    'content-type': 'application/json',
    'content-length': body.length,
    ...(failure.requestId && { 'x-keywise-request-id': failure.requestId }),
    'x-should-retry': 'false',
    // For another keywise in front of this one: Anthropic's and Google's bodies have no place for it.
    'x-keywise-error': failure.code,
    ...(retryAfterMs != null && { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }),
    ...(attempts.length > 0 && { 'x-keywise-attempts': String(attempts.length), 'x-keywise-trail': trailOf(attempts) }),
    // The rest of an unread body would be parsed as the next request.
    ...((failure.status === 413 || failure.status === 415 || isHalfRead(response.req)) && { connection: 'close' }),
  })
  response.end(body)
}

function isHalfRead({ readableDidRead, complete }: ServerResponse['req']): boolean {
  return readableDidRead && !complete
}
