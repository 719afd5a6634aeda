/** Anthropic's errors: https://platform.claude.com/docs/en/api/errors */

import { asRecord, asString } from '../../domain/json.ts'
import type { ClientError } from '../dialect.ts'
import { withOwnWords } from '../fields/ownWords.ts'

const TYPES: ReadonlyMap<number, string> = new Map([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [409, 'conflict_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [500, 'api_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
])
const STATUSES: ReadonlyMap<string, number> = new Map([...TYPES].map(([status, type]) => [type, status]))

export function writeAnthropicError(error: ClientError): Record<string, unknown> {
  const body: Record<string, unknown> = {
    type: 'error',
    error: {
      type: errorType(error),
      message:
        error.tooLong === undefined ? error.message : withOwnWords(tooLongText(error.tooLong), error.tooLong.words),
      ...(error.details != null && !Array.isArray(error.details) && { details: error.details }),
    },
  }
  if (error.requestId !== undefined) body['request_id'] = error.requestId
  return body
}

/**
 * Claude Code compacts a conversation by the first sentence and shortens the answer by the second; both are matched with
 * their numbers: https://code.claude.com/docs/en/errors, https://github.com/anthropics/claude-code/issues/476
 * (2026-11-29)
 */
function tooLongText({ overflow }: NonNullable<ClientError['tooLong']>): string {
  if (overflow === null) return 'prompt is too long'
  const { inputTokens, outputTokens, limitTokens } = overflow
  return outputTokens === null
    ? `prompt is too long: ${inputTokens} tokens > ${limitTokens} maximum`
    : `input length and \`max_tokens\` exceed context limit: ${inputTokens} + ${outputTokens} > ${limitTokens}, decrease input length or \`max_tokens\` and try again`
}

function errorType({ status, vendorType }: ClientError): string {
  if (vendorType != null && STATUSES.has(vendorType)) return vendorType
  return TYPES.get(status) ?? (status >= 400 && status < 500 ? 'invalid_request_error' : 'api_error')
}

/** Whether a body or an event is an error, whatever its HTTP status was. */
export function isError(fields: Record<string, unknown>): boolean {
  return fields['type'] === 'error' || fields['error'] != null
}

/** The status that the error would have had, had it come in time. */
export function anthropicErrorStatus(fields: Record<string, unknown>): number | undefined {
  return STATUSES.get(asString(asRecord(fields['error'])?.['type']) ?? '')
}
