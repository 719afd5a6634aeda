/** What a call tells that nobody asked for: whether a park is over, or a model still there. */

import type { CallEnd } from '../upstream/call.ts'
import type { RunningAttempt } from './attempt/runningAttempt.ts'
import type { Engine } from './engine.ts'
import type { PendingRequest } from './request/pendingRequest.ts'

export function recordProbe(
  engine: Engine,
  pending: PendingRequest,
  { target, startedAt, hold }: Pick<RunningAttempt, 'target' | 'startedAt' | 'hold'>,
  end: CallEnd,
): void {
  engine.recordCall({
    requestId: pending.id,
    number: 1,
    source: 'probe',
    target,
    startedAt,
    streamed: false,
    end,
    inputTokens: pending.needs.inputTokens,
    hold,
    task: null,
    session: null,
    token: null,
    labels: {},
  })
}
