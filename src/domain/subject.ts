/**
 * What a refusal is about: one table, read by parks, blame and judging. What is about a request alone parks nothing and
 * lowers no estimate of reliability.
 */

import type { Failure, FailureKind, RequestSubject } from './failure.ts'

type Subject = RequestSubject | 'caller' | 'model' | 'key' | 'account' | 'provider'

const SUBJECTS: { readonly [K in FailureKind]: Subject } = {
  auth_invalid: 'key',
  auth_forbidden: 'key',
  billing: 'account',
  in_flight_budget: 'account',
  quota_day: 'account',
  rate_minute: 'account',
  zero_quota: 'account',
  too_large_for_limit: 'size',
  overloaded: 'provider',
  server: 'provider',
  timeout: 'provider',
  network: 'provider',
  model_not_found: 'model',
  context_too_long: 'size',
  content_filter: 'content',
  empty: 'model',
  malformed: 'model',
  unsupported: 'ability',
  bad_request: 'request',
  client_gone: 'caller',
  slower: 'caller',
}

const OF_OTHERS: ReadonlySet<Subject> = new Set(['caller', 'model', 'key', 'account', 'provider'])

/** `provider` for a kind that only a newer version of keywise knows. */
export function subjectOf(failure: Failure): Subject {
  if ('about' in failure && failure.about !== undefined) return failure.about
  if (failure.kind === 'auth_forbidden' && failure.hostBlocked) return 'provider'
  return Object.hasOwn(SUBJECTS, failure.kind) ? SUBJECTS[failure.kind] : 'provider'
}

/** Whether only the request was at fault, at this target or everywhere. */
export function isAboutRequest(failure: Failure): boolean {
  return !OF_OTHERS.has(subjectOf(failure))
}
