/** The limits of a target as `status` shows them. */

import type { LimitUnit, LimitWindow } from '../../domain/failure.ts'
import { currentUntil, isoDay } from '../../domain/isoTime.ts'
import type { LimitSizeSource } from './limitSize.ts'
import type { Pool } from './pool.ts'
import { publishedFor, type QuotaSeed } from './seed.ts'

/** What is published of a limit. */
export interface PublishedLimit {
  readonly limit: number
  readonly source: string | null
  /** ISO date. */
  readonly checkedAt: string
  /** Nobody has confirmed it for so long that it is only as of `checkedAt`. */
  readonly asOf: boolean
}

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
  /** What is published of it; null when nothing is. */
  readonly published: PublishedLimit | null
}

/**
 * What is known about both pools of a target; published limits only where nothing better is known. `seeds`: of all
 * models of the provider.
 */
export function limitViews(
  target: {
    readonly wide: Pool
    readonly narrow: Pool
    readonly seeds: readonly QuotaSeed[]
    readonly model: string
  },
  now: number,
): readonly LimitView[] {
  const seeds = publishedFor(target.model, target.seeds)
  const known = [...viewsOf(target.wide, 'account', now), ...viewsOf(target.narrow, 'model', now)].map((view) => {
    const seed = seeds.find(({ unit, window }) => unit === view.unit && window === view.window)
    return { ...view, published: seed === undefined ? null : publishedLimit(seed, now) }
  })
  const unknown = seeds.filter(
    (seed) => !known.some(({ unit, window }) => unit === seed.unit && window === seed.window),
  )
  return [...known, ...unknown.map((seed) => seedView(seed, now))]
}

function viewsOf(pool: Pool, scope: 'account' | 'model', now: number): Omit<LimitView, 'published'>[] {
  return pool.limits.flatMap((limit) => {
    const numbers = limit.view(pool.underWay.size, now)
    return numbers === null ? [] : { window: limit.window, unit: limit.unit, scope, ...numbers }
  })
}

function seedView(seed: QuotaSeed, now: number): LimitView {
  return {
    window: seed.window,
    unit: seed.unit,
    scope: seed.scope === 'account+model' ? 'model' : 'account',
    limit: seed.limit,
    remaining: null,
    resetsAt: null,
    source: 'seed',
    checkedAt: Date.parse(seed.checkedAt) || 0,
    published: publishedLimit(seed, now),
  }
}

function publishedLimit({ limit, source, checkedAt, asOfAfter }: QuotaSeed, now: number): PublishedLimit {
  return { limit, source: source ?? null, checkedAt, asOf: isoDay(now) > (asOfAfter ?? currentUntil(checkedAt)) }
}
