/** How much a failure counts against its target: one table, used by judging and by learning. */

import type { Failure, FailureKind } from './failure.ts'
import { isAboutRequest } from './subject.ts'

export interface Blame {
  /** The weight against the target. */
  readonly weight: 0 | 0.25 | 1
  /** Whether it applies to every target of the provider. */
  readonly provider: boolean
}

const REFUSED: Blame = { weight: 1, provider: false }
/** A limit was reached: the target works, but has no capacity now. */
const LIMITED: Blame = { weight: 0.25, provider: false }
const BROKEN: Blame = { weight: 1, provider: true }
/** The sender, or the request alone (`subject.ts`), was at fault. */
const NONE: Blame = { weight: 0, provider: false }

const BLAME: { readonly [K in FailureKind]: Blame } = {
  auth_invalid: REFUSED,
  auth_forbidden: REFUSED,
  billing: REFUSED,
  in_flight_budget: LIMITED,
  quota_day: LIMITED,
  rate_minute: LIMITED,
  zero_quota: LIMITED,
  too_large_for_limit: NONE,
  overloaded: BROKEN,
  server: BROKEN,
  timeout: BROKEN,
  network: BROKEN,
  model_not_found: REFUSED,
  context_too_long: NONE,
  content_filter: NONE,
  empty: REFUSED,
  malformed: REFUSED,
  unsupported: NONE,
  bad_request: NONE,
  client_gone: NONE,
  slower: NONE,
}

/** No blame for an answer, nor for a kind that only a newer version of keywise knows. */
export function blameOf(failure: Failure | null): Blame {
  if (failure === null || !Object.hasOwn(BLAME, failure.kind) || isAboutRequest(failure)) return NONE
  return BLAME[failure.kind]
}
