/** A webhook: one signed POST per message, to the user's own endpoint or to Slack, Discord, ntfy. */

import { createHmac } from 'node:crypto'
import { asNumber, asRecord } from '../../domain/json.ts'
import { present } from '../../domain/present.ts'
import type { Secret } from '../../domain/redact.ts'
import type { Channel, ChannelTools, Delivery } from './channel.ts'
import { type Posted, post } from './post.ts'
import { templateOf } from './template.ts'

export interface WebhookSettings {
  readonly url: Secret
  /** Signs the body; without a secret nothing is signed. */
  readonly secret?: Secret
  /** `json` (default), `slack`, `discord`, `ntfy`, or a text with `{{event}}`, `{{text}}` … */
  readonly template?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly events: ReadonlySet<string>
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
    async send(alerts, signal) {
      const { headers, body } = template.write(alerts)
      const { event, id } = present(alerts[0])
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
      return judged(await post(order, tools, signal))
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

function judged(posted: Posted): Delivery {
  if (!posted.ok) return posted.delivery
  const { status, body } = posted
  if (status < 300) return { ok: true }
  if (status === 429 || status === 408 || status >= 500) {
    // Discord gives the wait in the body, in seconds with fractions.
    const seconds = asNumber(asRecord(body)?.['retry_after'])
    const afterMs = seconds === undefined ? posted.retryAfterMs : seconds * 1000
    return { ok: false, next: 'retry', reason: `answered ${status}`, ...(afterMs !== null && { afterMs }) }
  }
  if (status < 400)
    return off(status, 'redirects are not followed; set settings.alerts.webhook.url to the final address')
  if (GONE.has(status)) return off(status, 'check settings.alerts.webhook.url and its headers')
  return { ok: false, next: 'drop', reason: `answered ${status}; check settings.alerts.webhook.template` }
}

const GONE: ReadonlySet<number> = new Set([401, 403, 404, 405, 410])

const off = (status: number, remedy: string): Delivery => ({
  ok: false,
  next: 'off',
  reason: `answered ${status}; ${remedy}`,
})
