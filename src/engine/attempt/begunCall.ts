/** What is noted of a call before it is sent, for the case that this process does not live to record it. */

import type { AttemptSource } from '../../domain/attempt.ts'
import type { BegunCall } from '../../domain/store.ts'
import { worstCase } from '../../money/cost.ts'
import type { Price } from '../../money/price.ts'
import { refOf } from '../record.ts'
import type { HoldNeed, PendingRequest } from '../request/pendingRequest.ts'
import type { RunningAttempt } from './runningAttempt.ts'

export function begunCall(
  { id, target, number, startedAt, price }: Pick<RunningAttempt, 'id' | 'target' | 'number' | 'startedAt' | 'price'>,
  pending: PendingRequest,
  source: AttemptSource,
  needOf: () => Pick<HoldNeed, 'worstCase'>,
): BegunCall {
  const { tokenId } = pending
  return {
    id,
    requestId: pending.id,
    number,
    source,
    target: refOf(target),
    startedAt,
    streamed: pending.request.stream,
    task: pending.task,
    session: source === 'live' ? pending.session.id : null,
    token: pending.token,
    ...(tokenId !== null && { tokenId }),
    labels: pending.labels,
    mostNanoUsd: mostOf(target, price, pending, startedAt, needOf),
  }
}

/** What was put aside for it; without budgets nothing was, and the prompt was only estimated. */
function mostOf(
  { profile }: RunningAttempt['target'],
  price: Price | null,
  { mostInputTokens, needs, operation, answers }: PendingRequest,
  now: number,
  needOf: () => Pick<HoldNeed, 'worstCase'>,
): number | null {
  if (price === null || price.isFree) return price === null ? null : 0
  if (mostInputTokens > 0 || operation !== null) return needOf().worstCase.nanoUsd
  const { inputTokens, maxOutputTokens } = needs
  return worstCase({ inputTokens, maxOutputTokens, answers }, price, profile, now).nanoUsd
}
