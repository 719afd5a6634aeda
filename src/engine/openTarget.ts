/** Whether a variant has a target that may be asked now. */

import type { Variant } from '../experiment/experiment.ts'
import type { Engine } from './engine.ts'

/** True as well for a variant whose targets are not known: a request finds out. */
export function hasOpenTarget(
  { registry, learned, now }: Pick<Engine, 'registry' | 'learned' | 'now'>,
  { model, provider }: Variant,
): boolean {
  const among = model === undefined ? null : selected(registry, model)
  const targets = registry.targets.filter(
    (target) =>
      (provider === undefined || target.provider === provider) && (among === null || among.has(target.stateId)),
  )
  return targets.length === 0 || targets.some((target) => learned.parks.blocking(target, now) === undefined)
}

/** Null for all targets. */
function selected(registry: Engine['registry'], model: string): ReadonlySet<string> | null {
  return registry.names.has(model) ? registry.names.select(model).among : new Set()
}
