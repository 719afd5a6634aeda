/**
 * Which requests may be the try of a new target: those that a target which is known to work can still answer in time,
 * and for no more money than they may cost.
 */

import type { Target } from '../../domain/target.ts'
import { NANO_PER_USD } from '../../money/amount.ts'
import { speaks } from '../../routing/spokenDialect.ts'
import type { CallTools } from '../../upstream/call.ts'
import type { PendingRequest } from '../request/pendingRequest.ts'
import { type EligibilityFacts, whyNot } from './eligibility.ts'
import type { Trail } from './trail.ts'

export interface TryFacts {
  readonly eligibility: EligibilityFacts
  readonly tools: Pick<CallTools, 'monotonic'>
}

/** A new target, and what would be called but for the try. */
interface Try {
  readonly target: Target
  readonly instead: Target
  /** How long the other one is expected to take. */
  readonly expectedMs: number
}

/** The 95th percentile over the expected time until enough times were seen: exp(1.645 x 0.5), a common spread. */
const P95_OVER_USUAL = 2.3
/** A new target that is silent for this many times what the other one takes at most gets it beside it. */
const PATIENCE = 3
const LEAST_PATIENCE_MS = 2_000
/** Under a budget a try may cost at most this many times what the other one may, or this much where that is nothing. */
const TIMES_DEARER = 4
const SMALL_NANO_USD = 0.0005 * NANO_PER_USD

/**
 * A first attempt that fails is the end of the request, or of what it was for: only one may be made, an account that
 * others have no part in must answer, or the caller has waited for room as long as it will.
 */
export function isWithoutRepair({ maxAttempts, heldBy }: PendingRequest, trail: Trail): boolean {
  return maxAttempts < 2 || heldBy !== null || trail.waitedMs > 0
}

/** Whether the request may ask the new target first. */
export function mayTryNew(facts: TryFacts, tried: Try, pending: PendingRequest, now: number): boolean {
  const { eligibility, tools } = facts
  const { target } = tried
  // Twice, because a silent target has half of the time before another one is asked beside it.
  if (pending.deadlineAt - tools.monotonic() < 2 * p95Ms(facts, tried, pending)) return false
  if (pending.prefers !== null && !speaks(target.profile, pending.prefers)) return false
  // A target whose budget says `reject` is chosen to say so, but not in the place of another.
  if (whyNot(eligibility, target, pending, null, now) !== null) return false
  return costsLittle(facts, tried, pending, now)
}

/** How long the new target may be silent before the other one is asked beside it. */
export function tryPatienceMs(facts: TryFacts, tried: Try, pending: PendingRequest): number {
  // The usual percentile is that of shorter answers, where this request asks for a long one.
  const longestMs = Math.max(p95Ms(facts, tried, pending), P95_OVER_USUAL * tried.expectedMs)
  return Math.max(LEAST_PATIENCE_MS, PATIENCE * longestMs)
}

function p95Ms({ eligibility }: TryFacts, { instead, expectedMs }: Try, { request }: PendingRequest): number {
  return eligibility.learned.latencyAllowance.p95Ms(instead, request.stream) ?? P95_OVER_USUAL * expectedMs
}

/** Without a budget the user has set no bound; where `auto:cheap` was asked for, the price is what was asked for. */
function costsLittle(
  { eligibility }: TryFacts,
  { target, instead }: Try,
  pending: PendingRequest,
  now: number,
): boolean {
  if (eligibility.learned.budgets.isEmpty && pending.selection.profile !== 'cheap') return true
  const most = eligibility.needOf(target, pending, now).worstCase.nanoUsd
  if (most === null) return false
  const usual = eligibility.needOf(instead, pending, now).worstCase.nanoUsd ?? 0
  return most <= (usual === 0 ? SMALL_NANO_USD : TIMES_DEARER * usual)
}
