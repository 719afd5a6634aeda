/** What `/readyz` says beside yes or no: no reasons and no paths, as anybody may ask. */

import type { EngineReader } from '../../engine/reader.ts'
import { moment } from '../../observe/alerts/alert.ts'
import { storeHealth } from '../../views/store.ts'

/** A line for a store that is degraded, and for each channel of alerts that does not work. */
export function readyRemarks(engine: Pick<EngineReader, 'store' | 'monitor' | 'now'>): readonly string[] {
  return [...storeRemarks(engine), ...alertRemarks(engine)]
}

/** Requests are answered all the same. */
function storeRemarks({ store }: Pick<EngineReader, 'store'>): readonly string[] {
  if (storeHealth(store).state === 'ok') return []
  const what = store.engine === 'memory' ? 'it is in memory and ends with keywise' : 'rows wait in memory'
  return [`store: degraded, ${what}; "keywise status" says more`]
}

/** `alerts: telegram is off since 12:00 UTC; "keywise status" says why`, a line for each channel that does not work. */
function alertRemarks({ monitor, now }: Pick<EngineReader, 'monitor' | 'now'>): readonly string[] {
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
