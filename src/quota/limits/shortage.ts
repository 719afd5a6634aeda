/** Why a target cannot take a request now: which limit, what is left of it, and until when. */

import type { LimitUnit, LimitWindow } from '../../domain/failure.ts'
import type { Limit } from './limit.ts'
import type { LimitSizeSource } from './limitSize.ts'
import type { Pool } from './pool.ts'
import type { QuotaNeed } from './quotaNeed.ts'

export interface Shortage {
  readonly granted: false
  readonly unit: LimitUnit
  readonly window: LimitWindow
  readonly scope: 'model' | 'account'
  /** The size of the limit; null when only the remainder was stated. */
  readonly limit: number | null
  /** Never below 0. */
  readonly remaining: number
  /** When there may be room again, or the limit may be tried again; always later than now. */
  readonly until: number
  /** The request alone exceeds the whole limit: another target or a smaller request helps, waiting does not. */
  readonly tooLarge: boolean
  readonly source: LimitSizeSource
  /** No limit is known: few of many parallel calls go first (`beginning`). A request may be too urgent to wait. */
  readonly isSlowStart: boolean
}

/** The shortage for the need, from a limit that does not cover it now. */
export function shortageOf(
  limit: Limit,
  pool: Pool,
  scope: 'model' | 'account',
  need: QuotaNeed,
  now: number,
): Shortage {
  const numbers = limit.view(pool.underWay.size, now)
  return {
    granted: false,
    unit: limit.unit,
    window: limit.window,
    scope,
    limit: numbers?.limit ?? null,
    remaining: numbers?.remaining ?? 0,
    until: limit.roomAt(need, now),
    tooLarge: limit.isTooSmallFor(need),
    source: numbers?.source ?? 'learned',
    isSlowStart: false,
  }
}

/** Parallel calls allowed before the first answer of an account and model arrives. */
const FIRST_CALLS = 8
/** Additional calls for each answer that has begun to arrive since. */
const MORE_PER_ANSWER = 2
/** The opening doubles in this time whatever arrives, because an upstream may answer slowly. */
const DOUBLES_IN_MS = 1_000
const MOST_DOUBLINGS = 20
const SOON_MS = 250

/**
 * While the capacity of an account is unknown, requests are admitted as fast as answers begin, doubling each round, so
 * that a few of them reach an unknown limit rather than all. Null when there is room.
 */
export function beginning(wide: Pool, narrow: Pool, now: number): Shortage | null {
  const most = openingOf(wide, narrow, now)
  if (most === null || narrow.underWay.size < most) return null
  return {
    granted: false,
    unit: 'concurrency',
    window: 'none',
    scope: 'model',
    limit: most,
    remaining: 0,
    until: now + SOON_MS,
    tooLarge: false,
    source: 'learned',
    isSlowStart: true,
  }
}

/** The parallel calls that the slow start allows now; null while few calls are in progress, or a limit is known. */
export function openingOf(wide: Pool, narrow: Pool, now: number): number | null {
  if (narrow.underWay.size < FIRST_CALLS) return null
  const opening = FIRST_CALLS + MORE_PER_ANSWER * narrow.answeredCalls(now)
  const doublings = Math.max(0, Math.floor((now - narrow.busySince) / DOUBLES_IN_MS))
  if (narrow.isKnown(now) || wide.isKnown(now)) return null
  return opening * 2 ** Math.min(doublings, MOST_DOUBLINGS)
}
