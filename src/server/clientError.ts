/** Errors as a client may see them in its protocol: accurate status, when to retry, what was tried. */

import type { ClientError } from '../dialects/dialect.ts'
import type { AttemptReport } from '../domain/attempt.ts'
import {
  AbortedError,
  AllTargetsFailedError,
  BudgetExceededError,
  InvalidRequestError,
  KeywiseError,
  ModelNotFoundError,
} from '../domain/errors.ts'
import type { Failure, FailureKind } from '../domain/failure.ts'

const LIMITS: ReadonlySet<FailureKind> = new Set(['rate_minute', 'quota_day', 'zero_quota', 'in_flight_budget'])
const TIMEOUTS: ReadonlySet<FailureKind> = new Set(['timeout'])
const CREDENTIALS: ReadonlySet<FailureKind> = new Set(['auth_invalid', 'auth_forbidden', 'billing'])

export interface ClientFailure extends ClientError {
  readonly attempts: readonly AttemptReport[]
}

/** The error a client receives; messages of foreign errors are never passed on. */
export function clientFailure(error: unknown, requestId: string, now: number): ClientFailure {
  const attempts = error instanceof KeywiseError ? error.attempts : []
  const common = { requestId, attempts, retryAfterMs: null }
  if (error instanceof InvalidRequestError)
    return {
      ...common,
      status: error.status,
      message: error.message,
      code: attempts.at(-1)?.failureKind ?? 'invalid_request',
      parameter: error.parameter,
      details: error.details,
      vendorCode: error.vendorCode,
      vendorType: error.vendorType,
      ...(error.isTooLong && { code: 'context_too_long', tooLong: tooLongOf(error) }),
    }
  if (error instanceof ModelNotFoundError)
    return { ...common, status: 404, message: error.message, code: 'model_not_found', parameter: 'model' }
  if (error instanceof BudgetExceededError)
    return {
      ...common,
      status: 429,
      message: error.message,
      code: 'budget_exceeded',
      retryAfterMs: untilOf(error.resetsAt, now),
    }
  if (error instanceof AllTargetsFailedError) {
    const status = statusOf(error)
    return {
      ...common,
      status,
      message: error.message,
      code: codeOf(error),
      // A key or an account mends itself at no time: clients that obey would sit for an hour before a person hears of it.
      retryAfterMs: status === 502 ? null : untilOf(error.retryAt, now),
    }
  }
  if (error instanceof AbortedError) return { ...common, status: 499, message: error.message, code: 'aborted' }
  return { ...common, status: 500, message: 'keywise failed on this request; see its log', code: 'internal' }
}

/** The numbers are in the vendor's sentence; without any it is the provider that says what there is to say. */
function tooLongOf({ overflow, message }: InvalidRequestError): NonNullable<ClientError['tooLong']> {
  if (overflow === null) return { overflow, words: message }
  const counted = overflow.isEstimated ? 'the tokens are an estimate; ' : ''
  return { overflow, words: `${counted}no model that may answer it reads more` }
}

/** The words of the upstream, where a stream that began breaks off with a refusal; for clients of its own dialect. */
export function vendorFacts({ vendor }: Failure): Partial<ClientError> {
  if (vendor === undefined) return {}
  return {
    vendorCode: vendor.code,
    vendorType: vendor.type,
    parameter: vendor.parameter ?? null,
    details: vendor.details ?? null,
  }
}

/** Only limits: 429. Only timeouts: 504. Only refused keys, now or when last tried: 502. Anything else: 503. */
function statusOf({ attempts, retryAt, parkedFor }: AllTargetsFailedError): number {
  const kinds = attempts.length === 0 ? parkedFor : attempts.flatMap((attempt) => attempt.failureKind ?? [])
  const all = (set: ReadonlySet<FailureKind>) => kinds.length > 0 && kinds.every((kind) => set.has(kind))
  if (all(CREDENTIALS)) return 502
  if (attempts.length === 0) return retryAt === null ? 503 : 429
  if (all(LIMITS)) return 429
  if (all(TIMEOUTS)) return 504
  return kinds.some((kind) => LIMITS.has(kind)) && kinds.every((kind) => LIMITS.has(kind) || CREDENTIALS.has(kind))
    ? 429
    : 503
}

function codeOf({ attempts }: AllTargetsFailedError): string {
  return attempts.at(-1)?.failureKind ?? 'ALL_TARGETS_FAILED'
}

function untilOf(iso: string | null, now: number): number | null {
  return iso === null ? null : Math.max(1000, Date.parse(iso) - now)
}

/** `groq/m#1=rate_minute; google/n#2=ok`; a live stream's target is still missing from the attempts. */
export function trailOf(attempts: readonly AttemptReport[]): string {
  return headerText(attempts.map((attempt) => `${attempt.target}=${outcomeOf(attempt)}`).join('; '))
}

/** One word: `ok`, `healed` (the JSON was taken out of a fence or of prose), or the kind of the failure. */
function outcomeOf({ ok, healed, failureKind }: AttemptReport): string {
  if (!ok) return failureKind ?? 'failed'
  return healed ? 'healed' : 'ok'
}

/** Restricts text to what a header may carry: visible ASCII; everything else becomes `?`. */
export function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 2000)
}
