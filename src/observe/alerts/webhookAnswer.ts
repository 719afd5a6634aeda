/** What the answer to a webhook means for the message, and for the channel. */

import { asNumber, asRecord } from '../../domain/json.ts'
import type { Delivery } from './channel.ts'
import type { PostAnswer } from './post.ts'

/** `service`: the service whose form the settings name; null for a receiver of one's own, whatever it answers. */
export function webhookDelivery(answer: PostAnswer, service: string | null): Delivery {
  const { status } = answer
  if (status >= 200 && status < 300) {
    if (service === null || !answer.isPage) return { ok: true }
    // A captive portal answers everything with its page.
    const reason = `answered ${status} with a page, unlike ${service}`
    return { ok: false, next: 'retry', reason, advice: `${CHECK}, if it stays so` }
  }
  const word = wordOf(answer)
  const reason = `answered ${status}${word === null ? '' : ` (${word})`}`
  const rest = { ok: false, next: 'retry', reason, advice: null } as const
  if (status === 429 || status >= 500) {
    const afterMs = waitOf(answer)
    return { ...rest, ...(afterMs !== null && { afterMs }) }
  }
  // A page is the word of an ingress rather than of the receiver.
  if ((status === 410 && !answer.isPage) || FINAL.has(word ?? '')) return { ...rest, next: 'off', advice: CHECK }
  if (NEEDS_PERSON.has(word ?? '')) return { ...rest, needsPerson: true, advice: CHECK }
  if (status >= 300 && status < 400)
    return {
      ...rest,
      advice: 'redirects are not followed; if it stays so, set settings.alerts.webhook.url to the final address',
    }
  if (ABOUT_THE_MESSAGE.has(status) && !answer.isPage)
    return { ...rest, next: 'shorten', advice: 'check settings.alerts.webhook.template' }
  // An ingress, a proxy or a receiver that restarts says the same as one that is gone.
  return { ...rest, advice: `${CHECK}, if it stays so`, isDoubtful: mayBeContents(answer) }
}

/** Whether the answer may be about the contents although it is a page. */
export const mayBeContents = ({ status, isPage }: Pick<PostAnswer, 'status' | 'isPage'>): boolean =>
  isPage && (ABOUT_THE_MESSAGE.has(status) || status === 403)

const CHECK = 'check settings.alerts.webhook.url and its headers'

const ABOUT_THE_MESSAGE: ReadonlySet<number> = new Set([400, 413, 422])

/**
 * Words of Slack (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, "Handling errors") and codes
 * of Discord (https://discord.com/developers/docs/topics/opcodes-and-status-codes) by which the address itself is void.
 * No ingress says them.
 */
const FINAL: ReadonlySet<string> = new Set([
  'no_service',
  'no_service_id',
  'no_team',
  'team_disabled',
  'invalid_token',
  'no_active_hooks',
  'channel_is_archived',
  'Unknown Webhook',
  'Invalid Webhook Token',
])
const DISCORD_CODES: Readonly<Record<number, string>> = { 10015: 'Unknown Webhook', 50027: 'Invalid Webhook Token' }

const NEEDS_PERSON: ReadonlySet<string> = new Set([
  'channel_not_found',
  'user_not_found',
  'action_prohibited',
  'posting_to_general_channel_denied',
])

/** The service's word for what is wrong: one like `invalid_payload`, or a code that we know. */
function wordOf({ body, text }: PostAnswer): string | null {
  const said = text.trim()
  if (/^[a-z][a-z_]{2,60}$/.test(said)) return said
  return DISCORD_CODES[asNumber(asRecord(body)?.['code']) ?? 0] ?? null
}

/** Discord gives the wait in the body, in seconds with fractions. */
function waitOf({ body, retryAfterMs }: PostAnswer): number | null {
  const seconds = asNumber(asRecord(body)?.['retry_after'])
  return seconds === undefined ? retryAfterMs : seconds * 1000
}
