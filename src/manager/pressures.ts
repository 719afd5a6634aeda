/** How hard soft budgets press on each provider, for the ranking (learning-spec: dual ascent on the budget's price). */
import type { EngineReader } from '../engine/reader.ts'

/**
 * By provider, the hardest on any of its targets; providers that nothing presses on are not named. Budgets of a label or
 * a token press on nobody: they do not know the next request.
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
