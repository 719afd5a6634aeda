/** Reserves quota and budget before a call, to be settled or released after it. */

import { counted } from '../../domain/counted.ts'
import type { Target } from '../../domain/target.ts'
import {
  type BudgetHold,
  type BudgetRefusal,
  type Budgets,
  bindsLength,
  type SpendRequest,
} from '../../money/budget.ts'
import type { FreeCounts, FreeHold } from '../../money/freeCount.ts'
import type { QuotaHold, QuotaTracker } from '../../quota/limits/quotaTracker.ts'
import type { Shortage } from '../../quota/limits/shortage.ts'
import type { Parks, Prober } from '../../quota/parks/parks.ts'
import type { Ineligible } from '../../routing/eligible.ts'
import type { HoldNeed, PendingRequest } from '../request/pendingRequest.ts'

export type GrantedHold = Extract<Hold, { granted: true }>

export type Hold =
  | {
      readonly granted: true
      /** Null when a test run went ahead without room in the quota. */
      readonly quota: QuotaHold | null
      readonly budget: BudgetHold
      /** What it may use of a free quota; absent for none. */
      readonly free?: FreeHold
      /** The call is the probe that decides whether a park is over. */
      readonly probe: boolean
      /** Maximum output tokens to send, because nothing else bounds the answer; null otherwise. */
      readonly mostOutputTokens: number | null
    }
  | {
      readonly granted: false
      readonly why: Ineligible
      /** The exceeded budget whose rule is to fail the request. */
      readonly rejectedBy: BudgetRefusal | null
      /** The exceeded budget, whatever its rule. */
      readonly budget?: BudgetRefusal
    }

interface HoldSources {
  readonly quota: QuotaTracker
  readonly budgets: Budgets
  readonly parks: Parks
  readonly freeCounts: FreeCounts
}

export interface HoldOptions {
  readonly prober?: Prober
  /** The request cannot wait any longer (`QuotaTracker.room`). */
  readonly isUrgent?: boolean
}

/** Reserves what a call may need, in quota and budget or in neither. */
export function reserve(
  sources: HoldSources,
  target: Target,
  pending: Pick<PendingRequest, 'labels' | 'token'>,
  need: HoldNeed,
  now: number,
  { prober = 'request', isUrgent = false }: HoldOptions = {},
): Hold {
  const state = sources.parks.state(target, now)
  const probe = state === 'half-open' && sources.parks.startProbe(target, now, prober)
  // One probe at a time finds out whether a park is over; other requests go elsewhere meanwhile.
  if (state === 'half-open' && !probe) return { granted: false, why: PROBED, rejectedBy: null }
  const quota = sources.quota.reserve(target, need.quota, now, isUrgent)
  if (!quota.granted) {
    if (probe) sources.parks.endProbe(target)
    return { granted: false, why: { code: 'quota', reason: shortageText(quota), until: quota.until }, rejectedBy: null }
  }
  const budget = sources.budgets.reserve(spendOf(sources, target, pending, need), now)
  if (!budget.granted) {
    sources.quota.release(quota)
    if (probe) sources.parks.endProbe(target)
    return overBudget(budget)
  }
  const free = freeHold(sources, need, now)
  return { granted: true, quota, budget, ...free, probe, mostOutputTokens: mostOutputTokens(budget, need) }
}

/**
 * The same for a test run. Budgets bind it as usual; parks and limits do not, because whether they are
 * over is what the test finds out.
 */
export function reserveForTest(
  sources: HoldSources,
  target: Target,
  pending: Pick<PendingRequest, 'labels' | 'token'>,
  need: HoldNeed,
  now: number,
): Hold {
  const budget = sources.budgets.reserve(spendOf(sources, target, pending, need), now)
  if (!budget.granted) return overBudget(budget)
  const quota = sources.quota.reserve(target, need.quota, now)
  const probe = sources.parks.state(target, now) === 'half-open' && sources.parks.startProbe(target, now, 'check')
  const mostOutput = mostOutputTokens(budget, need)
  const free = freeHold(sources, need, now)
  return { granted: true, quota: quota.granted ? quota : null, budget, ...free, probe, mostOutputTokens: mostOutput }
}

/** What a call may cost is worked out only where budgets ask for it. */
function spendOf(
  { budgets }: HoldSources,
  target: Target,
  { labels, token }: Pick<PendingRequest, 'labels' | 'token'>,
  need: HoldNeed,
): SpendRequest {
  return { target, labels, token, worstCase: budgets.isEmpty ? NOTHING : need.worstCase }
}

const NOTHING = { nanoUsd: 0, inputTokens: 0, outputTokens: 0 }

/** Last, because it is ended by recording the attempt alone. */
function freeHold({ freeCounts }: HoldSources, { free }: HoldNeed, now: number): { readonly free?: FreeHold } {
  return free === undefined ? NO_FREE : { free: freeCounts.begin(free.quota, free.most, now) }
}

const NO_FREE = {}

function overBudget(refusal: BudgetRefusal): Hold {
  const why: Ineligible = { code: 'budget', reason: refusal.reason, until: refusal.resetsAt }
  return { granted: false, why, rejectedBy: refusal.onExceeded === 'reject' ? refusal : null, budget: refusal }
}

function mostOutputTokens(hold: BudgetHold, need: HoldNeed): number | null {
  if (!bindsLength(hold)) return null
  const { boundedBy, answerTokens } = need.worstCase
  return boundedBy === 'assumption' || boundedBy === 'cut' ? answerTokens : null
}

const PROBED: Ineligible = {
  code: 'parked',
  reason: 'parked: another request is testing whether it works again',
  until: null,
}

/** `0 of 30 requests left this minute (headers), until 08:00:12 UTC` */
export function shortageText(shortage: Shortage): string {
  const { remaining, limit, unit, window, source, until } = shortage
  if (shortage.isSlowStart) return `${limit} first calls in progress, more follow as they are answered`
  const size = limit === null ? '' : ` of ${limit}`
  const when = `until ${new Date(until).toISOString().slice(11, 19)} UTC`
  if (shortage.tooLarge) return `the request is larger than the limit${size} ${unit} a ${window}`
  const left = Math.floor(remaining)
  return `${limit === null ? counted(left, unit) : `${left}${size} ${unit}`} left${window === 'none' ? '' : ` this ${window}`} (${source}), ${when}`
}
