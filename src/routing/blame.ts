/** How much each class of failure tells about the target it happened to, and about its whole provider. */

import type { FailureKind } from '../domain/failure.ts'

export interface Blame {
  /** Failures to count against the target; 0 where the request or the caller is at fault. */
  readonly target: number
  /** Failures to count against the provider, and so against all its targets. */
  readonly provider: number
}

const NOBODY: Blame = { target: 0, provider: 0 }
/** A limit says little about how well the target works once it is free again. */
const LIMIT: Blame = { target: 0.25, provider: 0 }
const KEY_OR_MODEL: Blame = { target: 1, provider: 0 }
const UPSTREAM: Blame = { target: 1, provider: 1 }

export const BLAME: { readonly [K in FailureKind]: Blame } = {
  rate_minute: LIMIT,
  quota_day: LIMIT,
  zero_quota: LIMIT,
  in_flight_budget: LIMIT,
  auth_invalid: KEY_OR_MODEL,
  auth_forbidden: KEY_OR_MODEL,
  billing: KEY_OR_MODEL,
  model_not_found: KEY_OR_MODEL,
  overloaded: UPSTREAM,
  server: UPSTREAM,
  timeout: UPSTREAM,
  network: UPSTREAM,
  too_large_for_limit: NOBODY,
  context_too_long: NOBODY,
  content_filter: NOBODY,
  unsupported: NOBODY,
  bad_request: NOBODY,
  client_gone: NOBODY,
}
