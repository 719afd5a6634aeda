/** The interfaces through which the engine notifies the monitor of attempts, so that it need not import it. */

import type { Config } from '../config/config.ts'
import type { ChatResponse } from '../domain/chat.ts'
import type { Failure } from '../domain/failure.ts'
import type { AttemptEvent } from '../domain/store.ts'
import type { Target } from '../domain/target.ts'
import type { BudgetRefusal } from '../money/budget.ts'
import type { Alerts } from '../observe/alerts/alerts.ts'
import type { Verdict } from '../routing/judge.ts'
import type { RunningAttempt } from './attempt/runningAttempt.ts'
import type { Trail } from './attempt/trail.ts'
import type { PendingRequest } from './request/pendingRequest.ts'

/** Notified of attempts after they are recorded. Its methods neither throw nor wait. */
export interface AttemptObserver {
  readonly alerts: Alerts
  /** An attempt failed; starts whatever can be repaired in the background. */
  failed(attempt: RunningAttempt, failure: Failure, verdict: Verdict, pending: PendingRequest): void
  /** A request was answered. */
  answered(attempt: RunningAttempt, pending: PendingRequest, response: ChatResponse): void
  /** A target answered a request, a test or a probe. */
  worked(target: Target, event: AttemptEvent): void
  /** Every target failed for a request. */
  exhausted(pending: PendingRequest, trail: Trail): void
  /** A budget refused a call of a request, or kept a target from being chosen for it. */
  overBudget(refusal: BudgetRefusal, pending: PendingRequest): void
  useConfig(config: Config): void
  /** Called every second. */
  tick(): void
  close(): Promise<void>
}

/** Finds out in the background whether the cause of a park is gone. */
export interface ParkProber {
  /** Looks at every park whose time is over. Called every second; never rejects. */
  due(): Promise<void>
  /** Asks a target with a tiny call while a request is served elsewhere. False when no such call may be made. */
  beside(target: Target): boolean
  close(): Promise<void>
}
