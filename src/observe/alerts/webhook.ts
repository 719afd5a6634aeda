/** A webhook: one signed POST per message, to the user's own endpoint or to Slack, Discord, ntfy. */

import { createHmac } from 'node:crypto'
import { present } from '../../domain/present.ts'
import type { Secret } from '../../domain/redact.ts'
import type { Channel, ChannelTools } from './channel.ts'
import { post } from './post.ts'
import { templateOf } from './template.ts'
import { webhookDelivery } from './webhookAnswer.ts'

export interface WebhookSettings {
  readonly url: Secret
  /** Signs the body; without a secret nothing is signed. */
  readonly secret?: Secret
  /** `json` (default), `slack`, `discord`, `ntfy`, or a text with `{{event}}`, `{{text}}` … */
  readonly template?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly events: ReadonlySet<string>
  readonly backupAfterMs: number | null
}

const SIGNATURE_HEADER = 'x-keywise-signature'

export function webhook(settings: WebhookSettings, tools: ChannelTools): Channel {
  const template = templateOf(settings.template)
  return {
    id: tools.id,
    name: 'webhook',
    host: new URL(settings.url.reveal()).hostname,
    events: settings.events,
    mostCharacters: template.mostCharacters,
    backupAfterMs: settings.backupAfterMs,
    async send(message, signal) {
      const { headers, body } = template.write(message)
      const { event, id } = present(message.alerts[0])
      const secret = settings.secret?.reveal()
      const order = {
        url: settings.url.reveal(),
        headers: {
          ...headers,
          'x-keywise-event': event,
          'x-keywise-delivery': id,
          ...lowerCased(settings.headers ?? {}),
          ...(secret !== undefined && { [SIGNATURE_HEADER]: signature(body, secret, tools.now()) }),
        },
        body,
      }
      const posted = await post(order, tools, signal)
      return posted.ok ? webhookDelivery(posted, template.service) : posted.delivery
    },
  }
}

/**
 * `t=<unix seconds>,v1=<hex HMAC-SHA-256 of "<t>.<body>">`. Signing the time lets a receiver refuse replayed messages,
 * as at https://docs.stripe.com/webhooks#verify-manually.
 */
export function signature(body: string, secret: string, now: number): string {
  const time = Math.floor(now / 1000)
  return `t=${time},v1=${createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')}`
}

const lowerCased = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
