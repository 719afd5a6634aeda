/** Alerts as `GET /api/alerts` shows them, and the test message of `keywise doctor --alerts`. */
import type { Engine } from '../engine/engine.ts'

import { alertText } from '../observe/alerts/alert.ts'
import type { IncidentView } from '../observe/alerts/alerts.ts'

/** Times are ISO 8601 UTC. */
export interface AlertRow {
  readonly id: string
  readonly event: string
  readonly subject: string
  /** `open`: it is so. `over`: it has passed. */
  readonly state: 'open' | 'over'
  /** `folded`: told as a part of a greater alert. `muted`: told too often within the hour. */
  readonly told: 'told' | 'folded' | 'muted'
  readonly at: string
  readonly since: string
  readonly overAt: string | null
  readonly text: string
  readonly advice: string | null
  readonly returnsAt: string | null
  /** Channels that have not got it yet. */
  readonly waitingFor: readonly string[]
}

export interface AlertsView {
  readonly generatedAt: string
  /** Names of the channels that are set up. */
  readonly channels: readonly string[]
  /** Newest first; what is over is kept for a week. */
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
const isoOrNull = (at: number | null) => (at === null ? null : iso(at))

/** What became of a test message. */
export interface TestDelivery {
  readonly channel: string
  readonly ok: boolean
  /** For people; never a token or an address. */
  readonly message: string
}

/** Sends a test through every channel that is set up; none set up: an empty list. A success turns a channel on again. */
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
    message: delivery.ok ? 'sent' : delivery.reason,
  }))
}
