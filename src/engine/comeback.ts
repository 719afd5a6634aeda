/**
 * Finds out by traffic that an outage is over: which failing target a request asks before, or beside, the one it would
 * have asked. Waiting for the end of a park takes too long, and a target that looks unreliable is not chosen by itself.
 */

import type { Settings } from '../config/config.ts'
import type { Park } from '../domain/park.ts'
import { isOutage, PARK_RULES } from '../domain/park.ts'
import type { Target } from '../domain/target.ts'
import type { DecisionCause } from '../routing/cause.ts'
import type { Decision } from '../routing/decision.ts'
import type { Question } from '../routing/eligibilityCache.ts'
import type { Explained, RankedTarget } from '../routing/explain.ts'
import { type EligibilityFacts, whyNot } from './attempt/eligibility.ts'
import { wasSilent } from './attempt/heldBack.ts'
import type { ProbeTurns } from './attempt/probeTurns.ts'
import type { PendingRequest } from './request/pendingRequest.ts'

interface ComebackFacts {
  readonly eligibility: EligibilityFacts
  readonly turns: ProbeTurns
  readonly settings: Settings
  /** In the order of the configuration. */
  readonly targets: readonly Target[]
  /** The ranking for the request, computed only when a provider has its turn. */
  readonly rank: () => readonly RankedTarget[]
}

interface Comeback {
  readonly target: Target
  /** By a tiny call, because the request must not wait for it, must stay where it is, or has a better target. */
  readonly beside: boolean
}

/** Reliability and distance to the best at which a target that works again would be used. */
const RELIABLE = 0.95
const BEHIND = 0.03

/** The failing target to ask now; null when there is none. `first`: the target that the request would ask. */
export function comebackOf(
  facts: ComebackFacts,
  pending: PendingRequest,
  first: Target | null,
  now: number,
): Comeback | null {
  const { eligibility, turns } = facts
  const { parks } = eligibility.learned
  if (!turns.mayLook(now)) return null
  const due = [...parks.outages()].filter(([provider, failedAt]) => turns.isDue(provider, failedAt, now))
  if (due.length === 0) return null
  const rows = facts.rank()
  const chosen = rows.find(({ target }) => target === first) ?? null
  const prospect = inGroups(pending, prospectOf(facts, pending, chosen))
  // The provider that has waited longest comes first.
  for (const [provider] of due.sort(([one], [other]) => turns.triedAt(one) - turns.triedAt(other))) {
    const best = bestOf(
      rows.filter(({ target }) => target.provider === provider && mayBeAsked(eligibility, target, pending, now)),
      prospect,
    )
    const outage = best === null ? null : parks.outageOf(best.target, now)
    // Without a target that this request could ask, the provider keeps its turn for another request.
    if (best === null || outage === null) continue
    // In need the request finds out by itself, with one call.
    const isAhead = chosen === null || prospect(best) >= prospect(chosen) - BEHIND
    const beside = !isAhead || wasSilent(outage) || !maySpare(eligibility, pending, first)
    if (best.target !== first && !(beside && first === null)) return { target: best.target, beside }
    turns.pass(provider, now)
  }
  return null
}

/** The same decision, beginning with another target. */
export function beginWith(target: Target, decision: Decision): Decision {
  return new ComebackDecision(target, decision)
}

class ComebackDecision implements Decision {
  readonly first: Target
  readonly explored = true
  readonly instead = null
  readonly #decision: Decision
  /** What it would have begun with, until that is returned. */
  #held: Target | null

  constructor(target: Target, decision: Decision) {
    this.first = target
    this.#decision = decision
    this.#held = decision.first
  }

  next(exclude: (target: Target) => boolean): Target | null {
    const isNext = (other: Target) => other.stateId !== this.first.stateId && !exclude(other)
    if (this.#held === null || !isNext(this.#held)) return this.#decision.next((other) => !isNext(other))
    const first = this.#held
    this.#held = null
    return first
  }

  note(): void {
    this.#decision.note()
  }

  cause(): DecisionCause {
    return this.#decision.preview(0, undefined, this.first).cause
  }

  explain(): readonly RankedTarget[] {
    return this.#decision.explain()
  }

  preview(most: number, question?: Question): Explained {
    return this.#decision.preview(most, question, this.first)
  }
}

const isOutageGuess = ({ stated, reason }: Park) => {
  const rule = PARK_RULES[reason]
  return !stated && rule !== null && isOutage(rule)
}

/** It fails, and nothing else is in the way of this request. */
function mayBeAsked(eligibility: EligibilityFacts, target: Target, pending: PendingRequest, now: number): boolean {
  const { parks } = eligibility.learned
  return (
    parks.outageOf(target, now) !== null &&
    parks.blocking(target, now, isOutageGuess) === undefined &&
    whyNot(eligibility, target, pending, null, now, true) === null
  )
}

/** The request has an attempt to spare, and its conversation is not at home elsewhere. */
function maySpare({ learned }: EligibilityFacts, pending: PendingRequest, first: Target | null): boolean {
  if (pending.maxAttempts < (pending.hardCap ? 3 : 2)) return false
  return first === null || learned.sessions.targetOf(pending.session) !== first.stateId
}

/** More than prospects lie apart within a group: places of `priority` are the largest. */
const BETWEEN_GROUPS = 1e6

type Prospect = (row: RankedTarget) => number

/** How far in front the target would be if it worked: larger is better. */
function prospectOf(
  { settings: { routing, weights }, targets }: ComebackFacts,
  pending: PendingRequest,
  chosen: RankedTarget | null,
): Prospect {
  const { strategy } = routing
  if (strategy === 'priority') {
    const order = pending.selection.order ?? targets.map(({ stateId }) => stateId)
    const places = new Map(order.map((stateId, place) => [stateId, -place]))
    return ({ target }) => places.get(target.stateId) ?? -order.length
  }
  // Every target has its turn, whatever its score.
  if (strategy === 'round-robin') return () => 0
  if (strategy === 'learned') return (row) => (row === chosen ? row.value : hopedValue(row))
  const recency = chosen?.terms.recency ?? 0
  return (row) => {
    const { terms, score } = row
    if (row === chosen) return score
    return score + weights.reliability * (RELIABLE - terms.reliability) + weights.recency * (recency - terms.recency)
  }
}

/** A target of a later group is behind every one of an earlier group. */
function inGroups({ selection: { groups } }: PendingRequest, prospect: Prospect): Prospect {
  if (groups === null) return prospect
  const groupOf = ({ stateId }: Target) => groups.findIndex((group) => group.has(stateId))
  return (row) => prospect(row) - BETWEEN_GROUPS * groupOf(row.target)
}

/** V is the worth of an answer times its probability. */
const hopedValue = ({ value, terms }: RankedTarget) => (value / Math.max(terms.reliability, 0.01)) * RELIABLE

function bestOf(rows: readonly RankedTarget[], prospect: Prospect): RankedTarget | null {
  let best: RankedTarget | null = null
  for (const row of rows) if (best === null || prospect(row) > prospect(best)) best = row
  return best
}
