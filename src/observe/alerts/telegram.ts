/** Telegram: one `sendMessage` of the Bot API, https://core.telegram.org/bots/api#sendmessage. */

import { cleanText } from '../../domain/cleanText.ts'
import { cutText } from '../../domain/cutText.ts'
import { asNumber, asRecord, asString } from '../../domain/json.ts'
import type { Secret } from '../../domain/redact.ts'
import { type Alert, alertText } from './alert.ts'
import { BETWEEN, type Channel, type ChannelTools, type Delivery } from './channel.ts'
import { type Posted, post } from './post.ts'

interface TelegramSettings {
  readonly botToken: Secret
  readonly chatId: string
  /** The Bot API's root, without `/bot<token>`. */
  readonly apiRoot: string
  readonly events: ReadonlySet<string>
}

/** What a chat receives when the settings name no events: what is worth waking a person for. */
export const TELEGRAM_EVENTS = ['all_failed', 'recovered', 'key_revoked', 'credit_low', 'budget'] as const

/** "1-4096 characters after entities parsing"; counted in UTF-16 units. */
const MOST_CHARACTERS = 4096

export function telegram(settings: TelegramSettings, tools: ChannelTools): Channel {
  const root = settings.apiRoot.replace(/\/+$/, '')
  return {
    id: tools.id,
    name: 'telegram',
    host: new URL(root).hostname,
    events: settings.events,
    mostCharacters: MOST_CHARACTERS,
    async send(alerts, signal) {
      const order = {
        url: `${root}/bot${encodeURIComponent(settings.botToken.reveal()).replaceAll('%3A', ':')}/sendMessage`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(message(settings.chatId, alerts)),
      }
      return judged(await post(order, tools, signal), tools)
    },
  }
}

/** No parse mode, so nothing in the text is interpreted as markup. */
function message(chatId: string, alerts: readonly Alert[]): object {
  const text = cutText(alerts.map(alertText).join(BETWEEN), MOST_CHARACTERS)
  return { chat_id: chatId, text, link_preview_options: { is_disabled: true } }
}

function judged(posted: Posted, tools: ChannelTools): Delivery {
  if (!posted.ok) return posted.delivery
  const { status, body } = posted
  const answer = asRecord(body)
  if (answer?.['ok'] === true) return { ok: true }
  if (status >= 500) return { ok: false, next: 'retry', reason: `answered ${status}` }
  // A captive portal or a wrong api_root: the response is not from the Bot API.
  if (answer?.['ok'] !== false) return unlike(status)
  const parameters = asRecord(answer['parameters'])
  const said = `${status} ${cutText(tools.redact(cleanText(asString(answer['description']) ?? '')), 200)}`.trim()
  if (status === 429) {
    const seconds = asNumber(parameters?.['retry_after'])
    const afterMs = seconds === undefined ? posted.retryAfterMs : seconds * 1000
    return { ok: false, next: 'retry', reason: 'asked to wait (429)', ...(afterMs !== null && { afterMs }) }
  }
  return {
    ok: false,
    next: REFUSED.has(status) ? 'off' : ofMessage(said),
    reason: `${said}; ${remedy(status, parameters)}`,
  }
}

/** 401 and 404: the token is wrong. 403: the bot was blocked, or is not in the chat. */
const REFUSED: ReadonlySet<number> = new Set([401, 403, 404])

function unlike(status: number): Delivery {
  const next = status === 404 || (status >= 300 && status < 400) ? 'off' : 'retry'
  return { ok: false, next, reason: `answered ${status}, unlike a Bot API; check settings.alerts.telegram.api_root` }
}

/** A 400 concerns either the chat, which is permanent, or this one message. */
const ofMessage = (said: string) => (/chat|peer|group|upgraded/i.test(said) ? 'off' : 'drop')

function remedy(status: number, parameters: Record<string, unknown> | undefined): string {
  const moved = asNumber(parameters?.['migrate_to_chat_id'])
  if (moved !== undefined) return `the group has moved: set settings.alerts.telegram.chat_id to ${moved}`
  if (status === 403) return 'unblock the bot, or add it to the chat'
  if (status === 400) return 'check settings.alerts.telegram.chat_id'
  return 'check settings.alerts.telegram.bot_token'
}
