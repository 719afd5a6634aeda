/** Checks the user's time rules: rules that never apply, and rules that exclude every target right now. */

import type { EngineReader } from '../../engine/reader.ts'
import { allClosed } from '../../views/hours.ts'
import { type Finding, problem, warning } from './finding.ts'

const ADVICE = 'check "hours" of the keys and settings.hours'

export function checkHours(engine: EngineReader): Finding[] {
  const { registry, eligibility, now } = engine
  const closed = allClosed(engine)
  if (closed !== null)
    return closed.opensAt === null ? [problem('hours', closed.text, ADVICE)] : [warning('hours', closed.text, ADVICE)]
  return registry.targets.flatMap((target) => {
    const why = eligibility.hours(target, now)
    return why !== null && why.until === null ? [warning('hours', `${target.id} is ${why.reason}`, ADVICE)] : []
  })
}
