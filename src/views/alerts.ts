/** Alerts as `GET /api/alerts` shows them, and the test message of `keywise doctor --alerts`. */

import { isoOrNull } from '../domain/isoTime.ts'
import type { Engine } from '../engine/engine.ts'
import { alertText } from '../observe/alerts/alert.ts'
import type { IncidentView } from '../observe/alerts/alerts.ts'

/** Times are ISO 8601 UTC. */
interface AlertRow {
  readonly id: string
  readonly event: string
  readonly subject: string
  /** `open`: it is so. `over`: it has passed. */
  readonly state: 'open' | 'over'
  /** `folded`: reported as part of a larger alert. `muted`: reported too often within the hour. */
  readonly told: 'told' | 'folded' | 'muted'
  readonly at: string
  readonly since: string
  readonly overAt: string | null
  readonly text: string
  readonly advice: string | null
  readonly returnsAt: string | null
  /** Channels it has not been delivered to yet. */
  readonly waitingFor: readonly string[]
}

interface AlertsView {
  readonly generatedAt: string
  /** Names of the configured channels. */
  readonly channels: readonly string[]
  /** Newest first; ended incidents are kept for a week. */
  readonly alerts: readonly AlertRow[]
}

export function alertsView(engine: Engine): AlertsView {
  const { alerts } = engine.monitor
  const now = engine.now
  return {
    generatedAt: iso(now),
    channels: alerts.channels.map((channel) => channel.name),
    alerts: alerts.list().map((view) => rowOf(view, now)),
  }
}

function rowOf({ incident, waitingFor }: IncidentView, now: number): AlertRow {
  const { alert, open, told, until, overAt } = incident
  const isOver = !open || (until !== null && now >= until)
  return {
    id: alert.id,
    event: alert.event,
    subject: alert.subject,
    state: isOver ? 'over' : 'open',
    told,
    at: iso(alert.at),
    since: iso(alert.since),
    overAt: isOver ? isoOrNull(overAt ?? until) : null,
    text: alertText(alert),
    advice: alert.advice,
    returnsAt: isoOrNull(alert.returnsAt),
    waitingFor,
  }
}

const iso = (at: number) => new Date(at).toISOString()

/** The delivery of a test message. */
interface TestDelivery {
  readonly channel: string
  readonly ok: boolean
  /** For people; never a token or an address. */
  readonly message: string
}

/** Sends a test through every configured channel; an empty list without any. A success re-enables a channel. */
export async function sendTestAlert(engine: Engine): Promise<readonly TestDelivery[]> {
  const sent = await engine.monitor.alerts.test({
    event: 'test',
    subject: 'test',
    since: engine.now,
    what: 'Alerts of keywise arrive here',
    why: 'somebody ran "keywise doctor --alerts"',
    works: null,
    returnsAt: null,
    returns: null,
    advice: 'nothing; this was a test',
  })
  return sent.map(({ channel, delivery }) => ({
    channel: channel.name,
    ok: delivery.ok,
    message: delivery.ok ? 'sent' : [delivery.reason, delivery.advice].filter((part) => part !== null).join('; '),
  }))
}
