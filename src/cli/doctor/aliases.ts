/** Checks the aliases by condition: one that nothing satisfies answers no request. */

import { isCondition } from '../../config/alias.ts'
import type { OpenedEngine } from '../../manager/openEngine.ts'
import { emptyAliases } from '../../views/membership.ts'
import { type Finding, fine, warning } from './finding.ts'

/** How long the models lists may take, in milliseconds. */
const LISTS_MS = 5000

export async function checkAliases({ engine, ready }: Pick<OpenedEngine, 'engine' | 'ready'>): Promise<Finding[]> {
  const conditions = Object.values(engine.registry.config.settings.models).filter(isCondition)
  if (conditions.length === 0) return []
  await ready()
  await engine.lists.settled(LISTS_MS)
  const empty = emptyAliases(engine)
  if (empty.length === 0) return [fine('aliases', 'every alias by condition has a target')]
  return empty.map((text) => {
    const [what = '', ...advice] = text.split('; ')
    return warning('aliases', what, advice.join('; ') || 'no models list could be read; check the keys')
  })
}
