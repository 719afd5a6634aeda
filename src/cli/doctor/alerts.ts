/** The channels of alerts: how they did so far, and a test message through each. */

import type { Engine } from '../../engine/engine.ts'
import type { EngineReader } from '../../engine/reader.ts'
import { type ChannelStatus, channelStatuses, sendTestAlert } from '../../views/alerts.ts'
import { type Finding, fine, problem, warning } from './finding.ts'

/** Says how every channel did, as the process that sends alerts has found. */
export function checkAlerts(engine: EngineReader): Finding[] {
  return channelStatuses(engine).map(findingOf)
}

function findingOf({ state, text, advice }: ChannelStatus): Finding {
  if (state === 'off') return problem('alerts', text, `${advice ?? 'correct settings.alerts'}; then run ${TRY}`)
  if (state === 'resting') return warning('alerts', text, advice ?? `it is tried again by itself; at once with ${TRY}`)
  return advice === null ? fine('alerts', text) : warning('alerts', text, advice)
}

const TRY = '"keywise doctor --alerts"'

/** Sends a test message through every channel, so that a broken one is found before the first real alert. */
export async function tryAlerts(engine: Engine): Promise<Finding[]> {
  const waiting = new Map(channelStatuses(engine).map((status) => [status.channel, status.waiting]))
  const tried = await sendTestAlert(engine)
  if (tried.length === 0)
    return [
      warning(
        'alerts',
        'no channel can be used',
        'set up settings.alerts.telegram or settings.alerts.webhook, or mend what is said above of one that is there',
      ),
    ]
  return tried.map(({ channel, ok, message }) =>
    ok
      ? fine('alerts', `${channel}: ${message}${followText(waiting.get(channel) ?? 0)}`)
      : problem('alerts', `${channel}: ${message}`, 'correct settings.alerts and try again'),
  )
}

function followText(waiting: number): string {
  if (waiting === 0) return ''
  return `; ${waiting === 1 ? '1 alert that waited follows' : `${waiting} alerts that waited follow`} while keywise runs`
}
