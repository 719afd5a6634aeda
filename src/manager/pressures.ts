/** How hard soft budgets press on each provider in the ranking: the shadow price of the budget, by dual ascent. */

import type { EngineReader } from '../engine/reader.ts'

/**
 * Per provider the highest pressure on any of its targets; providers without pressure are absent. Budgets of a label or
 * a token exert none, because the next request's label and token are unknown.
 */
export function pressures({ learned, registry }: EngineReader): ReadonlyMap<string, number> {
  const { budgets } = learned
  const byProvider = new Map<string, number>()
  if (budgets.isEmpty) return byProvider
  for (const target of registry.targets) {
    const pressure = budgets.pressure({ target })
    if (pressure > (byProvider.get(target.provider) ?? 0)) byProvider.set(target.provider, pressure)
  }
  return byProvider
}
