/** The limits of a target as `status` shows them. */

import type { LimitUnit, LimitWindow } from '../../domain/failure.ts'
import type { LimitSizeSource } from './limitSize.ts'
import type { Pool } from './pool.ts'
import { coversModel, type QuotaSeed } from './seed.ts'

export interface LimitView {
  readonly window: LimitWindow
  readonly unit: LimitUnit
  readonly scope: 'model' | 'account'
  readonly limit: number | null
  readonly remaining: number | null
  readonly resetsAt: number | null
  readonly source: LimitSizeSource | 'seed'
  /** When the numbers were stated or learned. */
  readonly checkedAt: number
}

/** What is known about both pools of a target; published limits only where nothing better is known. */
export function limitViews(
  target: {
    readonly wide: Pool
    readonly narrow: Pool
    readonly seeds: readonly QuotaSeed[]
    readonly model: string
  },
  now: number,
): readonly LimitView[] {
  const known = [...viewsOf(target.wide, 'account', now), ...viewsOf(target.narrow, 'model', now)]
  const seeds = target.seeds.filter(
    (seed) =>
      coversModel(seed.model, target.model) &&
      !known.some(({ unit, window }) => unit === seed.unit && window === seed.window),
  )
  return [...known, ...seeds.map(seedView)]
}

function viewsOf(pool: Pool, scope: 'account' | 'model', now: number): LimitView[] {
  return pool.limits.flatMap((limit) => {
    const numbers = limit.view(pool.underWay.size, now)
    return numbers === null ? [] : { window: limit.window, unit: limit.unit, scope, ...numbers }
  })
}

function seedView(seed: QuotaSeed): LimitView {
  return {
    window: seed.window,
    unit: seed.unit,
    scope: seed.scope === 'account+model' ? 'model' : 'account',
    limit: seed.limit,
    remaining: null,
    resetsAt: null,
    source: 'seed',
    checkedAt: Date.parse(seed.checkedAt) || 0,
  }
}
