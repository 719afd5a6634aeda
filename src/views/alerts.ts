/** Alerts as `GET /api/alerts` shows them, and the test message of `keywise doctor --alerts`. */

import { isoOrNull } from '../domain/isoTime.ts'
import type { Engine } from '../engine/engine.ts'
import type { EngineReader } from '../engine/reader.ts'
import { alertText } from '../observe/alerts/alert.ts'
import type { IncidentView } from '../observe/alerts/alerts.ts'
import { healthText } from '../observe/alerts/channelHealth.ts'

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

/** How a channel does. Times are ISO 8601 UTC. */
export interface ChannelStatus {
  readonly channel: string
  /** `resting`: it failed and is tried again by itself. `off`: its service says that it is no longer good. */
  readonly state: 'ok' | 'resting' | 'off'
  /** Gets only what the other channel has not delivered in time. */
  readonly backup: boolean
  /** Since when it delivers nothing; null while it works. */
  readonly since: string | null
  /** In a row. */
  readonly failures: number
  readonly reason: string | null
  readonly advice: string | null
  readonly retryAt: string | null
  /** Alerts waiting for it. */
  readonly waiting: number
  readonly lastDelivered: string | null
  /** Alerts that never went out by it, until its next message has said so. */
  readonly undelivered: number
  /** All of that in a line. */
  readonly text: string
}

interface AlertsView {
  readonly generatedAt: string
  /** Names of the configured channels. */
  readonly channels: readonly string[]
  readonly channelStates: readonly ChannelStatus[]
  /** Newest first; ended incidents are kept for a week. */
  readonly alerts: readonly AlertRow[]
}

export function alertsView(engine: Engine): AlertsView {
  const { alerts } = engine.monitor
  const now = engine.now
  return {
    generatedAt: iso(now),
    channels: alerts.channels.map((channel) => channel.name),
    channelStates: channelStatuses(engine),
    alerts: alerts.list().map((view) => rowOf(view, now)),
  }
}

export function channelStatuses({ monitor, now }: Pick<EngineReader, 'monitor' | 'now'>): readonly ChannelStatus[] {
  return monitor.alerts.health().map((health) => {
    const { name, isBackup, since, retryAt, deliveredAt, ...same } = health
    return {
      channel: name,
      ...same,
      backup: isBackup,
      since: isoOrNull(since),
      retryAt: isoOrNull(retryAt),
      lastDelivered: isoOrNull(deliveredAt),
      text: healthText(health, now),
    }
  })
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
