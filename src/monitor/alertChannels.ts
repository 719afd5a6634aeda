/** The channels of the settings, ready to send. */

import type { Dispatcher } from 'undici'
import type { Settings } from '../config/config.ts'
import { fingerprint } from '../config/fingerprint.ts'
import { readHours } from '../domain/hoursRule.ts'
import { nearest } from '../domain/nearest.ts'
import { ALERT_EVENTS } from '../observe/alerts/alert.ts'
import type { Channel, ChannelTools } from '../observe/alerts/channel.ts'
import type { Quiet } from '../observe/alerts/quietHours.ts'
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

/** The quiet hours of the channels that have some, by name. */
export function quietOf({ alerts }: Settings, parts: Pick<ChannelParts, 'warn'>): ReadonlyMap<string, Quiet> {
  const quiet = new Map<string, Quiet>()
  for (const name of ['telegram', 'webhook'] as const) {
    const rules = alerts[name]?.quiet?.flatMap((rule) => readHours(rule) ?? []) ?? []
    if (rules.length === 0) continue
    quiet.set(name, { rules, except: namedIn(alerts[name]?.quietExcept ?? [], `${name}.quiet_except`, URGENT, parts) })
  }
  return quiet
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
  return namedIn(wanted, `${channel}.events`, ALERT_EVENTS, { warn })
}

/** That everything fails is urgent before it is an event. */
const URGENT: readonly string[] = ['everything', ...ALERT_EVENTS]

function namedIn(
  wanted: readonly string[],
  setting: string,
  known: readonly string[],
  { warn }: Pick<ChannelParts, 'warn'>,
): ReadonlySet<string> {
  const names = wanted.map((name) => name.toLowerCase().replaceAll('-', '_'))
  if (names.includes('all')) return new Set(ALERT_EVENTS)
  for (const name of names.filter((one) => !known.includes(one))) {
    const [meant] = nearest(name, known)
    const hint = meant === undefined ? `known are: all, ${known.join(', ')}` : `did you mean "${meant}"?`
    warn(`settings.alerts.${setting}: "${name.slice(0, 60)}" is not an event; ${hint}`)
  }
  return new Set(names.filter((name) => known.includes(name)))
}

function remarkOnTemplate(template: string | undefined, { warn }: ChannelParts): void {
  const unknown = unknownVariables(template ?? '')
  if (unknown.length === 0) return
  warn(
    `settings.alerts.webhook.template: unknown ${unknown.map((name) => `{{${name}}}`).join(', ')}, sent as written; known are: ${VARIABLES.join(', ')}`,
  )
}
