/** Records a call made in the background to find out whether a park is over or a model still exists. */

import type { CallEnd } from '../upstream/call.ts'
import type { RunningAttempt } from './attempt/runningAttempt.ts'
import type { Engine } from './engine.ts'
import { attemptFacts } from './record.ts'
import type { PendingRequest } from './request/pendingRequest.ts'

export function recordProbe(
  engine: Pick<Engine, 'recordAttempt'>,
  pending: PendingRequest,
  attempt: RunningAttempt,
  end: CallEnd,
): void {
  engine.recordAttempt(attemptFacts(pending, attempt, end, 'probe'))
}
