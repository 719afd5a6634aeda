/** Why an attempt asked its target, where it was not simply the one that the request was decided for. */

import type { Target } from '../../domain/target.ts'
import { failureText } from '../../observe/callLog.ts'
import type { Decision } from '../../routing/decision.ts'
import type { AskReason } from './race.ts'
import type { Trail } from './trail.ts'

interface Asked {
  readonly target: Target
  readonly decision: Decision
  readonly reason: AskReason
  /** Nothing else could be tried. */
  readonly inNeed: boolean
  /** Ids of the targets that run beside it. */
  readonly beside: readonly string[]
}

/** One sentence; undefined for the target of the decision. */
export function askedWhy(trail: Trail, asked: Asked): string | undefined {
  const { target, decision, reason, inNeed, beside } = asked
  if (inNeed) return 'the last resort: nothing else could be tried, and what is in its way is only a guess'
  const others = beside.join(' and ')
  if (reason === 'hedge') return `asked beside ${others}, silent for longer than settings.hedge allows`
  if (reason === 'late-try') return `asked beside ${others}, which is new and was silent for as long as a try may be`
  if (reason === 'late') return `asked beside ${others}, silent for half of the time that was left`
  const last = trail.attempts.at(-1)
  if (last === undefined) return decision.first === target ? undefined : instead(trail, decision.first)
  const failed = failureText(last)
  return last.target === target.id ? `asked again: it failed with ${failed}` : `next after ${last.target}: ${failed}`
}

/** No call was made yet, and the target of the decision was passed over. */
function instead(trail: Trail, first: Target | null): string {
  const avoided = first === null ? null : (trail.avoids?.(first) ?? null)
  if (first !== null && avoided !== null) return `next after ${first.id}, which ${avoided}`
  const passed = trail.passed.at(-1)?.text
  if (passed !== undefined) return `next after ${passed}`
  return first === null ? 'the first that had room' : `speaks the client's dialect, which ${first.id} does not`
}
