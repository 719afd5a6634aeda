/** Short ways to write the facts of a provider down, so that its file reads like a table. */

import type { LimitUnit, LimitWindow } from '../domain/failure.ts'
import type { QuotaScope } from '../domain/scope.ts'
import type { Abilities, Ability } from '../domain/target.ts'
import type { SeedLimit } from './dated.ts'
import type { CatalogueModel } from './provider.ts'

/** A chat model that streams and can do what is named besides. */
export function can(...abilities: readonly Ability[]): Abilities {
  const all: { [A in Ability]?: boolean } = { chat: true, streaming: true }
  for (const ability of abilities) all[ability] = true
  return all
}

const TIERS = { frontier: 0.93, strong: 0.87, middle: 0.8, small: 0.7, tiny: 0.58 }

// No one measures every model of every provider the same way, so a prior is only a rank in the makers' own line-ups.
// It weighs as much as one reported score and is shown with this source.
const TIER_SOURCE = "keywise tiers 2026-11-23, by place in the makers' own line-ups"

/** A prior of answer quality until scores are reported. */
export function tier(name: keyof typeof TIERS): Pick<CatalogueModel, 'quality' | 'qualitySource'> {
  return { quality: TIERS[name], qualitySource: TIER_SOURCE }
}

/** A model that the provider withdrew on that day (ISO date), and what it names instead. */
export function gone(id: string, on: string, successor?: string): CatalogueModel {
  return { id, retired: successor === undefined ? { on } : { on, successor } }
}

type Limits = { readonly [L in `${LimitUnit}/${LimitWindow}`]?: number }

/** Seed limits of one source, by model pattern: `{ 'gpt-oss-*': { 'requests/minute': 30 } }`. */
export function seeds(
  from: { readonly scope: QuotaScope; readonly source: string; readonly checkedAt: string },
  limitsByModel: Readonly<Record<string, Limits>>,
): readonly SeedLimit[] {
  return Object.entries(limitsByModel).flatMap(([model, limits]) =>
    Object.entries(limits).map(([name, limit]) => {
      const [unit, window] = name.split('/') as [LimitUnit, LimitWindow] // the keys of Limits are made of exactly these
      return { model, unit, window, limit, ...from }
    }),
  )
}
