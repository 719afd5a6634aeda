/** Errors that arrive inside HTTP 200, in the forms OpenAI-like upstreams give them. */

import type { ChatChunk } from '../../domain/chat.ts'
import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'

export interface EmbeddedError {
  /** The upstream's error, in an envelope that an error body would have. */
  readonly body: unknown
  /** HTTP status, where the body states one. */
  readonly status?: number
}

/** The error in a whole body or in one event of a stream, or undefined when there is none. */
export function embeddedError(value: unknown): EmbeddedError | undefined {
  // Gemini's OpenAI-compatible endpoint wraps its errors in an array of one.
  const record = asRecord(value) ?? asRecord(asArray(value)?.[0])
  if (record === undefined) return undefined
  if (isError(record['error'])) return stated(record, asRecord(record['error']))
  // vLLM and Mistral: no envelope.
  if (record['object'] === 'error') return stated({ error: record }, record)
  // https://platform.minimax.io/docs/api-reference/errorcode : beside the choices, and 0 where all is well.
  if (asRecord(record['base_resp'])?.['status_code']) return { body: { base_resp: record['base_resp'] } }
  return choiceError(asRecord(asArray(record['choices'])?.[0]))
}

/** What a reader says when the upstream sends something that is not JSON; `what` names it for people. */
export function malformed(what: string): Extract<ChatChunk, { type: 'error' }> {
  const error = { message: `the upstream sent ${what}`, type: 'server_error', param: null, code: 'malformed_response' }
  return { type: 'error', status: 502, body: { error } }
}

function choiceError(choice: Record<string, unknown> | undefined): EmbeddedError | undefined {
  if (choice === undefined) return undefined
  if (isError(choice['error'])) return stated({ error: choice['error'] }, asRecord(choice['error']))
  // https://api-docs.deepseek.com/api/create-chat-completion: the request was interrupted for lack of resources.
  if (choice['finish_reason'] === 'insufficient_system_resource') return finishError(choice['finish_reason'], 503)
  if (choice['finish_reason'] === 'error') return finishError('error', 502)
  return undefined
}

function finishError(reason: string, status: number): EmbeddedError {
  const message = `the upstream gave up with finish_reason "${reason}"`
  return { status, body: { error: { message, type: 'server_error', param: null, code: reason } } }
}

const isError = (value: unknown) =>
  asRecord(value) !== undefined || (typeof value === 'string' && value !== '') || value === true

function stated(body: unknown, error: Record<string, unknown> | undefined): EmbeddedError {
  const status = statusOf(error?.['code']) ?? statusOf(error?.['status'])
  return status === undefined ? { body } : { body, status }
}

function statusOf(value: unknown): number | undefined {
  const status = asNumber(value) ?? Number(asString(value) ?? Number.NaN)
  return Number.isInteger(status) && status >= 400 && status <= 599 ? status : undefined
}
