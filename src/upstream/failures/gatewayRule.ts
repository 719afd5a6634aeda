/**
 * Another gateway as the upstream, known by its headers. Its status and code say whose fault the failure was; its
 * prose quotes what happened to its own providers, which is not what happened to us.
 */

import type { FailureKind } from '../../domain/failure.ts'
import { asString } from '../../domain/json.ts'
import { type FailedResponse, type FailureRule, isGoogleDay } from './rules.ts'

/** What the gateway's answer means for the target; undefined where its words decide, as for any other upstream. */
export function gatewayRule(sight: FailedResponse): FailureRule | undefined {
  if (sight.gateway === 'keywise') return keywiseRule(sight)
  return sight.gateway === 'litellm' ? litellmRule(sight) : undefined
}

/** Faults of the request itself, which the gateway hands on as such. */
const REQUEST_FAULTS: ReadonlyMap<string, FailureKind> = new Map([
  ['bad_request', 'bad_request'],
  ['invalid_request', 'bad_request'],
  ['unsupported', 'unsupported'],
  ['content_filter', 'content_filter'],
  ['context_too_long', 'context_too_long'],
  ['too_large_for_limit', 'too_large_for_limit'],
  ['model_not_found', 'model_not_found'],
])
const LIMITS = new Set(['rate_minute', 'quota_day', 'zero_quota', 'in_flight_budget', 'budget_exceeded'])

/**
 * `x-keywise-error` names the code in every protocol. A stream that breaks off has it in the body, in OpenAI's protocols:
 * beside a code of the provider's own, else in its place.
 */
function keywiseRule({ status, headers, codes, metadata }: FailedResponse): FailureRule | undefined {
  const named = headers['x-keywise-error']?.toLowerCase() ?? asString(metadata['failure'])
  const said = (code: string) => code === named || (named === undefined && codes.has(code))
  if (status === 401) return { kind: 'auth_invalid' }
  if (status === 403) return { kind: 'auth_forbidden' }
  if (status === 429) return { kind: 'rate_minute', facts: { scope: 'model' } }
  if (status === 503 || status === 529) return { kind: 'overloaded' }
  if (status >= 500) return { kind: 'server' }
  for (const [code, kind] of REQUEST_FAULTS) if (said(code)) return { kind }
  if (status !== 0) return undefined
  if ([...LIMITS].some(said)) return { kind: 'rate_minute', facts: { scope: 'model' } }
  return codes.size === 0 ? undefined : { kind: 'server' }
}

/** Errors of LiteLLM itself: https://docs.litellm.ai/docs/proxy/error_reference */
const OUR_KEY: readonly string[] = ['token_not_found_in_db', 'expired_key', 'auth_error']

/** Its own headers are sent once our key was accepted, so a refused key is then its provider's. */
function litellmRule(sight: FailedResponse): FailureRule | undefined {
  const { status, codes, waitMs } = sight
  if (OUR_KEY.some((code) => codes.has(code)) || [...codes].some((code) => code.endsWith('_access_denied')))
    return undefined
  if (codes.has('budget_exceeded') && waitMs === undefined) return undefined
  if (status === 429) return isGoogleDay(sight) ? undefined : { kind: 'rate_minute', facts: { scope: 'model' } }
  return status === 401 || status === 402 || status === 403 ? { kind: 'server' } : undefined
}
