/** A request as the router sees it. */

import type { Target } from '../domain/target.ts'
import type { RoutingRequest } from '../routing/choose.ts'
import type { Ineligible } from '../routing/eligible.ts'
import { whyNot, whyNotChoose } from './attempt/eligibility.ts'
import { isWithoutRepair, mayTryNew, type TryFacts } from './attempt/newTries.ts'
import type { Trail } from './attempt/trail.ts'
import type { AttemptObserver } from './observer.ts'
import type { PendingRequest } from './request/pendingRequest.ts'

/** The engine: its facts are replaced when the configuration changes, and its time goes on. */
interface Present extends TryFacts {
  /** Epoch milliseconds. */
  readonly now: number
  readonly monitor: Pick<AttemptObserver, 'overBudget'>
}

/**
 * A class, so that every request puts its questions through the same functions: what is compiled for a closure is lost
 * with the request that made it.
 */
export class RoutedRequest implements RoutingRequest {
  readonly id: string
  readonly profile: RoutingRequest['profile']
  readonly task: string | null
  readonly stream: boolean
  readonly inputTokens: number
  readonly expectedOutputTokens = null
  readonly session: RoutingRequest['session']
  readonly firstTurn: boolean
  readonly mayExplore: boolean
  readonly mustNotFail: boolean
  readonly named: RoutingRequest['named']
  readonly order: readonly string[] | undefined
  readonly groups: RoutingRequest['groups']
  readonly #present: Present
  readonly #pending: PendingRequest
  readonly #trail: Trail | null
  readonly #decidedAt: number

  /** `trail`: null to look at the ranking without choosing from it. */
  constructor(present: Present, pending: PendingRequest, trail: Trail | null, now: number) {
    const { selection, needs, session } = pending
    this.id = pending.id
    this.profile = selection.profile
    this.task = pending.task
    this.stream = pending.request.stream
    this.inputTokens = needs.inputTokens
    this.session = { stateId: present.eligibility.learned.sessions.targetOf(session) }
    this.firstTurn = session.firstTurn
    this.mayExplore = trail !== null && trail.calls === 0
    this.mustNotFail = trail !== null && isWithoutRepair(pending, trail)
    this.named = selection.among
    this.order = selection.order ?? undefined
    this.groups = selection.groups
    this.#present = present
    this.#pending = pending
    this.#trail = trail
    this.#decidedAt = now
  }

  ineligible(target: Target): Ineligible | null {
    const { eligibility } = this.#present
    if (this.#trail === null) return whyNot(eligibility, target, this.#pending, null, this.#decidedAt)
    // The next target is chosen after a failed attempt, which may have taken long.
    const why = whyNotChoose(eligibility, target, this.#pending, this.#trail, this.#present.now)
    if (why?.budget !== undefined) this.#present.monitor.overBudget(why.budget, this.#pending)
    return why
  }

  mayTry(target: Target, instead: Target, expectedMs: number): boolean {
    return mayTryNew(this.#present, { target, instead, expectedMs }, this.#pending, this.#decidedAt)
  }

  load(target: Target): number {
    return this.#present.eligibility.learned.quota.load(target, this.#decidedAt)
  }
}
