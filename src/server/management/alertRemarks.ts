/** What `/readyz` says of alerts: no reasons, as anybody may ask. */

import type { EngineReader } from '../../engine/reader.ts'
import { moment } from '../../observe/alerts/alert.ts'

/** `alerts: telegram is off since 12:00 UTC; "keywise status" says why`, a line for each channel that does not work. */
export function alertRemarks({ monitor, now }: Pick<EngineReader, 'monitor' | 'now'>): readonly string[] {
  return healthIn(monitor).flatMap(({ name, state, since }) => {
    if (state === 'ok') return []
    const begun = since === null ? '' : ` since ${moment(since, now)}`
    return [`alerts: ${name} ${state === 'off' ? 'is off' : 'is resting'}${begun}; "keywise status" says why`]
  })
}

/** Whether requests are answered does not depend on a store that cannot be read. */
function healthIn({ alerts }: EngineReader['monitor']): ReturnType<typeof alerts.health> {
  try {
    return alerts.health()
  } catch {
    return []
  }
}
