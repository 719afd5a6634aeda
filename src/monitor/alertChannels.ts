/** The channels of the settings, ready to send. */

import type { Dispatcher } from 'undici'
import type { Settings } from '../config/config.ts'
import { fingerprint } from '../config/fingerprint.ts'
import { nearest } from '../domain/nearest.ts'
import { ALERT_EVENTS } from '../observe/alerts/alert.ts'
import type { Channel, ChannelTools } from '../observe/alerts/channel.ts'
import { TELEGRAM_EVENTS, telegram } from '../observe/alerts/telegram.ts'
import { unknownVariables, VARIABLES } from '../observe/alerts/template.ts'
import { webhook } from '../observe/alerts/webhook.ts'

interface ChannelParts {
  readonly dispatcher: Dispatcher
  readonly redact: (text: string) => string
  readonly now: () => number
  readonly userAgent: string
  /** Keys the fingerprints by which the store knows the channels. */
  readonly salt: string
  /** Receives one sentence for each thing a person should fix. */
  readonly warn: (line: string) => void
}

export function channelsOf({ alerts }: Settings, parts: ChannelParts): readonly Channel[] {
  const channels: Channel[] = []
  const waits = backupsOf(alerts, parts)
  if (alerts.telegram !== undefined) {
    const { botToken, chatId, apiRoot } = alerts.telegram
    const events = eventsOf(alerts.telegram.events, TELEGRAM_EVENTS, 'telegram', parts)
    const tools = toolsOf('telegram', [botToken.reveal(), chatId, apiRoot], parts)
    channels.push(telegram({ botToken, chatId, apiRoot, events, backupAfterMs: waits.telegram }, tools))
  }
  if (alerts.webhook !== undefined) {
    const { url, secret, template, headers } = alerts.webhook
    const events = eventsOf(alerts.webhook.events, ALERT_EVENTS, 'webhook', parts)
    remarkOnTemplate(template, parts)
    const facts = [url.reveal(), secret?.reveal() ?? '', template ?? '', JSON.stringify(headers ?? {})]
    channels.push(
      webhook(
        {
          url,
          events,
          backupAfterMs: waits.webhook,
          ...(secret && { secret }),
          ...(template !== undefined && { template }),
          ...(headers && { headers }),
        },
        toolsOf('webhook', facts, parts),
      ),
    )
  }
  return channels
}

/** What each channel leaves to the other one, in milliseconds; a backup of nothing is no backup. */
function backupsOf({ telegram, webhook, backupAfterMs }: Settings['alerts'], { warn }: ChannelParts) {
  const none = { telegram: null, webhook: null }
  if (telegram === undefined || webhook === undefined) return none
  if (telegram.backup && webhook.backup) {
    warn('settings.alerts: both channels have "backup": true, so both get everything; take it away from one of them')
    return none
  }
  return { telegram: telegram.backup ? backupAfterMs : null, webhook: webhook.backup ? backupAfterMs : null }
}

function toolsOf(name: string, facts: readonly string[], { salt, warn: _, ...parts }: ChannelParts): ChannelTools {
  return { ...parts, id: `${name}@${fingerprint(JSON.stringify(facts), salt)}` }
}

/**
 * A channel's configured events, or its defaults; `all` means every event; an unknown name is reported with the
 * nearest.
 */
function eventsOf(
  wanted: readonly string[] | undefined,
  otherwise: readonly string[],
  channel: string,
  { warn }: ChannelParts,
): ReadonlySet<string> {
  if (wanted === undefined) return new Set(otherwise)
  const names = wanted.map((name) => name.toLowerCase().replaceAll('-', '_'))
  if (names.includes('all')) return new Set(ALERT_EVENTS)
  for (const name of names.filter((one) => !isEvent(one))) {
    const [meant] = nearest(name, ALERT_EVENTS)
    const hint = meant === undefined ? `known are: all, ${ALERT_EVENTS.join(', ')}` : `did you mean "${meant}"?`
    warn(`settings.alerts.${channel}.events: "${name.slice(0, 60)}" is not an event; ${hint}`)
  }
  return new Set(names.filter(isEvent))
}

const isEvent = (name: string) => ALERT_EVENTS.some((event) => event === name)

function remarkOnTemplate(template: string | undefined, { warn }: ChannelParts): void {
  const unknown = unknownVariables(template ?? '')
  if (unknown.length === 0) return
  warn(
    `settings.alerts.webhook.template: unknown ${unknown.map((name) => `{{${name}}}`).join(', ')}, sent as written; known are: ${VARIABLES.join(', ')}`,
  )
}
