/** Whether a request failed only because of its targets: what they answer at another time, to the same request. */

import type { AttemptReport } from '../../domain/attempt.ts'
import type { FailureKind } from '../../domain/failure.ts'

/** A key that is refused, credit or a limit that is used up, and a provider that is down come back without a change. */
const PASSES: Readonly<Record<FailureKind, boolean>> = {
  auth_invalid: true,
  auth_forbidden: false,
  billing: true,
  in_flight_budget: true,
  quota_day: true,
  rate_minute: true,
  zero_quota: false,
  too_large_for_limit: false,
  overloaded: true,
  server: true,
  timeout: true,
  network: true,
  model_not_found: false,
  context_too_long: false,
  content_filter: false,
  empty: false,
  malformed: false,
  unsupported: false,
  bad_request: false,
  client_gone: true,
  slower: true,
}

/** Also when no target could be asked at all, because each was blocked or at its limit. */
export function failedByTargets(attempts: readonly AttemptReport[]): boolean {
  return attempts.every(({ ok, failureKind }) => ok || failureKind === null || PASSES[failureKind])
}
