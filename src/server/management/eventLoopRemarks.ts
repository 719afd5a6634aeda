/** What `/readyz` says of the event loop: nothing while requests do not wait for it. */

import type { EventLoopStatus } from '../../views/eventLoops.ts'

export function eventLoopRemarks({ degraded, p99Ms }: Pick<EventLoopStatus, 'degraded' | 'p99Ms'>): readonly string[] {
  if (!degraded) return []
  return [`event loop: degraded, it runs ${(p99Ms / 1000).toFixed(1)} s late; "keywise status" says more`]
}
