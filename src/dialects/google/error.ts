/** Google's errors: https://ai.google.dev/gemini-api/docs/troubleshooting and https://google.aip.dev/193 */

import { asArray, asNumber, asRecord } from '../../domain/json.ts'
import type { ClientError } from '../dialect.ts'
import { withOwnWords } from '../fields/ownWords.ts'

const STATUSES: ReadonlyMap<number, string> = new Map([
  [400, 'INVALID_ARGUMENT'],
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [409, 'ABORTED'],
  [429, 'RESOURCE_EXHAUSTED'],
  [499, 'CANCELLED'],
  [500, 'INTERNAL'],
  [501, 'UNIMPLEMENTED'],
  [503, 'UNAVAILABLE'],
  [504, 'DEADLINE_EXCEEDED'],
])

/** The wait goes into the body, where Gemini's clients look for it; Google sends no such header. */
export function writeGoogleError(error: ClientError): Record<string, unknown> {
  // Inside a stream the official client throws only when the code is one of these.
  const code = error.status >= 400 && error.status <= 599 ? error.status : 500
  const message = error.tooLong === undefined ? error.message : tooLongText(error.tooLong)
  const { vendorType, details } = error
  const status = vendorType != null && isStatus(vendorType) ? vendorType : statusName(code)
  const body: Record<string, unknown> = { code, message, status, ...(Array.isArray(details) && { details }) }
  if (error.retryAfterMs != null) {
    const retryDelay = `${Math.max(0, error.retryAfterMs) / 1000}s`
    body['details'] = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay }]
  }
  return { error: body }
}

/** Those that share their number with another: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
const OTHER_STATUSES: readonly string[] = ['FAILED_PRECONDITION', 'OUT_OF_RANGE', 'ALREADY_EXISTS']

const isStatus = (word: string) => OTHER_STATUSES.includes(word) || [...STATUSES.values()].includes(word)

/** As Gemini writes it: https://github.com/google-gemini/gemini-cli/issues/14766 (2026-11-29) */
function tooLongText({ overflow, words }: NonNullable<ClientError['tooLong']>): string {
  if (overflow === null)
    return withOwnWords('The input token count exceeds the maximum number of tokens allowed.', words)
  const { inputTokens, outputTokens, limitTokens } = overflow
  const tokens = inputTokens + (outputTokens ?? 0)
  const sentence = `The input token count (${tokens}) exceeds the maximum number of tokens allowed (${limitTokens}).`
  // Gemini has a window for the prompt alone, and so no words for both.
  const parts = outputTokens === null ? '' : `${inputTokens} of the prompt + ${outputTokens} asked for the answer; `
  return withOwnWords(sentence, `${parts}${words}`)
}

function statusName(code: number): string {
  return STATUSES.get(code) ?? (code < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL')
}

/** The error object of a body that came with HTTP 200; some endpoints wrap it into an array. */
export function errorIn(body: unknown): Record<string, unknown> | undefined {
  const fields = asRecord(body) ?? asRecord(asArray(body)?.[0])
  return fields?.['error'] == null ? undefined : fields
}

/** The status that the error would have had, had it come in time. */
export function googleErrorStatus(fields: Record<string, unknown>): number | undefined {
  const code = asNumber(asRecord(fields['error'])?.['code'])
  return code !== undefined && code >= 400 && code <= 599 ? code : undefined
}
