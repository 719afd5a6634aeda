/** Which targets of an outage a request leaves alone after the end of their park, because testing them costs it time. */

import type { Target } from '../../domain/target.ts'
import type { Occurrence } from '../../quota/parks/failureStreak.ts'
import type { Ineligible } from '../../routing/eligible.ts'
import type { LearnedState } from '../memory/learnedState.ts'
import type { ProbeTurns } from './probeTurns.ts'

interface HoldBackFacts {
  readonly learned: Pick<LearnedState, 'parks'>
  readonly turns: ProbeTurns
  /** Tiny calls beside requests are allowed. */
  readonly mayAskBeside: boolean
}

/** A failure that took this long keeps its caller waiting, whatever its kind. */
const SLOW_MS = 2_000

/** The target kept its last caller waiting. */
export function wasSilent({ kind, startedAt, at }: Occurrence): boolean {
  return kind === 'timeout' || at - startedAt >= SLOW_MS
}

/**
 * Null when the request may be the probe. A silent target is asked beside a request, never in front of it; any other
 * takes one of the turns that all failing targets share.
 */
export function heldBack(target: Target, facts: HoldBackFacts, now: number): Ineligible | null {
  const { learned, turns, mayAskBeside } = facts
  const outage = learned.parks.outageOf(target, now)
  if (outage === null) return null
  if (wasSilent(outage) && mayAskBeside && !turns.isRefused(target.provider, now))
    return { code: 'parked', reason: 'parked: did not answer, and is tested beside other requests', until: now }
  if (turns.isLeft(now)) return null
  return { code: 'parked', reason: 'parked: waits for its turn to be tested', until: turns.nextAt(now) }
}
