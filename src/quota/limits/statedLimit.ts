/** What an answer states about a limit, without the parts that cannot be true. */

import type { LimitFact, LimitWindow } from '../../domain/failure.ts'
import type { AttemptEvent } from '../../domain/store.ts'
import { WINDOW_MS } from '../window.ts'

/** A `LimitFact` of which only what can be true is left. */
export type StatedLimit = LimitFact

/** What a provider's unnamed headers count. */
export interface UnnamedWindows {
  readonly requests?: LimitWindow
  readonly tokens?: LimitWindow
}

/** No real limit is larger; a larger number is a sentinel for "none" or a mistake. */
const MOST = 1e15

/** The fact without its impossible parts; null when nothing remains. */
export function readStatedLimit(
  fact: LimitFact,
  event: Pick<AttemptEvent, 'at' | 'ok'>,
  unnamed?: UnnamedWindows,
): StatedLimit | null {
  const window = windowOf(fact, event.at, unnamed)
  const limit = believableLimit(fact, event)
  const isOver = fact.resetsAt !== null && fact.resetsAt <= event.at
  const remaining = isOver ? null : believableRemaining(fact, limit, event)
  if (limit === null && remaining === null) return null
  const resetsAt = count(fact.resetsAt) === null || isOver ? null : fact.resetsAt
  return { unit: fact.unit, window, scope: fact.scope, limit, remaining, resetsAt, source: fact.source }
}

function count(value: number | null): number | null {
  return value !== null && value >= 0 && value <= MOST ? value : null
}

/** A limit of 0 with a success, or one below its own remainder, contradicts itself. */
function believableLimit(fact: LimitFact, event: Pick<AttemptEvent, 'at' | 'ok'>): number | null {
  const limit = count(fact.limit)
  if (limit === null || (limit === 0 && event.ok)) return null
  return fact.remaining !== null && count(fact.remaining) !== null && fact.remaining > limit ? null : limit
}

function believableRemaining(
  fact: LimitFact,
  limit: number | null,
  event: Pick<AttemptEvent, 'at' | 'ok'>,
): number | null {
  const isNoLimit = fact.limit === 0 && limit === null && event.ok
  return isNoLimit ? null : count(fact.remaining)
}

/** A header without a window counts what the provider is known to count, otherwise what its reset implies. */
function windowOf(fact: LimitFact, at: number, unnamed: UnnamedWindows = {}): LimitWindow {
  if (fact.window !== 'none' || fact.unit === 'concurrency' || fact.unit === 'usd') return fact.window
  const named = fact.unit === 'requests' ? unnamed.requests : unnamed.tokens
  return named ?? (fact.resetsAt === null ? 'minute' : windowOfWait(fact.resetsAt - at))
}

/** The shortest window that a wait of that length can belong to. */
export function windowOfWait(waitMs: number): 'minute' | 'hour' | 'day' | 'month' {
  if (waitMs <= WINDOW_MS.minute) return 'minute'
  if (waitMs <= WINDOW_MS.hour) return 'hour'
  return waitMs <= WINDOW_MS.day ? 'day' : 'month'
}
