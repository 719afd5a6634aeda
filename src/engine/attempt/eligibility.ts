/** Everything that can make a target ineligible now: the request, settings, parks, quotas, budgets, hours. */

import type { FailureKind } from '../../domain/failure.ts'
import type { Park } from '../../domain/park.ts'
import { hash32 } from '../../domain/random.ts'
import type { Target } from '../../domain/target.ts'
import type { BudgetRefusal } from '../../money/budget.ts'
import { type EligibilityRules, type Ineligible, ineligible } from '../../routing/eligible.ts'
import type { LearnedState } from '../memory/learnedState.ts'
import type { HoldNeed, PendingRequest } from '../request/pendingRequest.ts'
import type { MissingAbilities } from '../targets/missingAbilities.ts'
import { shortageText } from './reservation.ts'
import type { Trail } from './trail.ts'

export interface EligibilityFacts {
  readonly learned: LearnedState
  readonly rules: EligibilityRules
  readonly missingAbilities: MissingAbilities
  /** Why a target whose park is over is not tried by this request; null when it may be. */
  readonly heldBack: (target: Target, now: number) => Ineligible | null
  /** Why the user's hours exclude a target now; null when they do not. */
  readonly hours: (target: Target, now: number) => Ineligible | null
  /** The successor its provider names for a retired model; null when there is none. */
  readonly successorOf: (target: Target) => string | null
  /** The most a call may consume; computed once per request, target and time. */
  readonly needOf: (target: Target, pending: PendingRequest, now: number) => HoldNeed
}

/** A reason with its cause. */
export interface Obstacle extends Ineligible {
  /** The exceeded budget, where that is the cause. */
  readonly budget?: BudgetRefusal
  /** The failure that caused the park, or that a call beyond the limit would meet. */
  readonly kind?: FailureKind
}

/**
 * The same for choosing a target: one whose budget says `reject` stays in the ranking, and when its turn comes the
 * request fails instead of moving on.
 */
export function whyNotChoose(
  eligibility: EligibilityFacts,
  target: Target,
  pending: PendingRequest,
  trail: Trail | null,
  now: number,
): Obstacle | null {
  const why = whyNot(eligibility, target, pending, trail, now)
  return why?.budget?.onExceeded === 'reject' ? null : why
}

/**
 * Why the target cannot be tried for this request now; null when it can. `inNeed`: nothing else is left, so a
 * park that is only a guess is ignored, and a limit that was only learned or forecast may be tried.
 */
export function whyNot(
  eligibility: EligibilityFacts,
  target: Target,
  pending: PendingRequest,
  trail: Trail | null,
  now: number,
  inNeed = false,
): Obstacle | null {
  const tried = trail?.excludes(target) ?? null
  if (tried !== null) return { code: 'skipped', reason: tried, until: null }
  return (
    unfit(eligibility, target, pending, inNeed) ??
    lacking(eligibility, target, pending) ??
    eligibility.hours(target, now) ??
    parked(eligibility, target, pending, now, inNeed) ??
    short(eligibility, target, pending, now, inNeed, trail?.isUrgent)
  )
}

/**
 * When the target may be tried for this request: now, when everything in its way will be over, or null when no time is
 * known for one of them. The request's own trail is ignored; `inNeed` as in `whyNot`.
 */
export function freeAt(
  eligibility: EligibilityFacts,
  target: Target,
  pending: PendingRequest,
  now: number,
  inNeed = false,
): number | null {
  let at = now
  const whys = [
    unfit(eligibility, target, pending, inNeed),
    lacking(eligibility, target, pending),
    eligibility.hours(target, now),
    parked(eligibility, target, pending, now, inNeed),
    short(eligibility, target, pending, now, inNeed),
  ]
  for (const why of whys) {
    if (why === null) continue
    if (why.until === null) return null
    at = Math.max(at, why.until)
  }
  return at
}

/** Retrying these early cannot help. */
const NEVER_TRIED: ReadonlySet<FailureKind> = new Set([
  'auth_invalid',
  'auth_forbidden',
  'billing',
  'zero_quota',
  'model_not_found',
])

const isGuess = (park: Park) => !park.stated && !NEVER_TRIED.has(park.reason)

/** What the catalogue says of a model that is listed is a guess as well. */
function unfit(
  { rules }: EligibilityFacts,
  target: Target,
  { needs }: PendingRequest,
  inNeed: boolean,
): Ineligible | null {
  const why = ineligible(target, needs, rules)
  return inNeed && why?.code === 'retired' ? null : why
}

function lacking({ missingAbilities }: EligibilityFacts, target: Target, pending: PendingRequest): Ineligible | null {
  const ability = missingAbilities.missing(target, pending.needs.abilities)
  return ability === undefined
    ? null
    : {
        code: 'ability',
        reason: `cannot do ${ability}, as calls showed; "keywise keys retest" has it tried again`,
        until: null,
      }
}

function parked(
  eligibility: EligibilityFacts,
  target: Target,
  pending: PendingRequest,
  now: number,
  inNeed: boolean,
): Obstacle | null {
  const { parks } = eligibility.learned
  const park = parks.blocking(target, now, inNeed ? isGuess : undefined)
  if (park !== undefined) {
    const reason = `parked: ${park.text}${adviceOn(park, target, eligibility)}`
    // Waiting does not mend a refused key: only a check or a person brings it back.
    const until = park.reason === 'auth_invalid' ? null : park.until
    return { code: 'parked', reason, until, kind: park.reason }
  }
  if (inNeed) return null
  const share = parks.share(target, now)
  // Half-open lets the one probe through (`reserve` ensures there is only one); after it the share grows.
  if (share === 0) return eligibility.heldBack(target, now)
  if (share >= 1) return null
  const drawn = lot(pending.id, target.stateId)
  if (drawn < share) return null
  const reason = `coming back: gets ${Math.round(share * 100)} % of the requests for now`
  return { code: 'parked', reason, until: parks.reaches(target, drawn, now) }
}

/** For a retired model id that is pinned: what to use instead. */
function adviceOn({ reason }: Park, target: Target, { successorOf }: EligibilityFacts): string {
  const successor = reason === 'model_not_found' ? successorOf(target) : null
  return successor === null ? '' : `; use ${successor}`
}

/** A number in 0..1, the same for every evaluation of this request and target. */
const lot = (requestId: string, stateId: string) => hash32(`${requestId} ${stateId}`, 0) / 0x1_0000_0000

function short(
  eligibility: EligibilityFacts,
  target: Target,
  pending: PendingRequest,
  now: number,
  inNeed: boolean,
  isUrgent = false,
): Obstacle | null {
  const need = eligibility.needOf(target, pending, now)
  const { quota, budgets } = eligibility.learned
  const shortage = quota.room(target, need.quota, now, inNeed, isUrgent)
  if (shortage !== null)
    return { code: 'quota', reason: `limit: ${shortageText(shortage)}`, until: shortage.until, kind: 'rate_minute' }
  if (budgets.isEmpty) return null
  const budget = budgets.peek({ target, labels: pending.labels, token: pending.token, worstCase: need.worstCase }, now)
  return budget === null ? null : { code: 'budget', reason: budget.reason, until: budget.resetsAt, budget }
}
