/** Telegram: one `sendMessage` of the Bot API, https://core.telegram.org/bots/api#sendmessage. */

import { cleanText } from '../../domain/cleanText.ts'
import { cutText } from '../../domain/cutText.ts'
import { asNumber, asRecord, asString } from '../../domain/json.ts'
import type { Secret } from '../../domain/redact.ts'
import type { AlertMessage, Channel, ChannelTools, Delivery } from './channel.ts'
import { messageText } from './messageText.ts'
import { type PostAnswer, post } from './post.ts'
import { mayBeContents } from './webhookAnswer.ts'

interface TelegramSettings {
  readonly botToken: Secret
  readonly chatId: string
  /** The Bot API's root, without `/bot<token>`. */
  readonly apiRoot: string
  readonly events: ReadonlySet<string>
  readonly backupAfterMs: number | null
}

/** What a chat receives when the settings name no events: what is worth waking a person for. */
export const TELEGRAM_EVENTS = ['all_failed', 'recovered', 'key_revoked', 'credit_low', 'budget'] as const

/** "1-4096 characters after entities parsing"; counted in UTF-16 units. */
const MOST_CHARACTERS = 4096

export function telegram(settings: TelegramSettings, tools: ChannelTools): Channel {
  const root = settings.apiRoot.replace(/\/+$/, '')
  const url = `${root}/bot${encodeURIComponent(settings.botToken.reveal()).replaceAll('%3A', ':')}/sendMessage`
  /** Where the group has moved to, as the Bot API said. */
  let movedTo: string | null = null

  async function sendTo(chatId: string, message: AlertMessage, signal: AbortSignal): Promise<Sent> {
    const body = JSON.stringify(messageFor(chatId, message))
    const posted = await post({ url, headers: { 'content-type': 'application/json' }, body }, tools, signal)
    return posted.ok ? judged(posted, tools) : { delivery: posted.delivery, movedTo: null }
  }

  return {
    id: tools.id,
    name: 'telegram',
    host: new URL(root).hostname,
    events: settings.events,
    mostCharacters: MOST_CHARACTERS,
    backupAfterMs: settings.backupAfterMs,
    async send(message, signal) {
      let sent = await sendTo(movedTo ?? settings.chatId, message, signal)
      if (sent.movedTo !== null) {
        movedTo = sent.movedTo
        sent = await sendTo(movedTo, message, signal)
      }
      const { delivery } = sent
      return delivery.ok && movedTo !== null ? { ok: true, remark: movedText(movedTo) } : delivery
    },
  }
}

interface Sent {
  readonly delivery: Delivery
  /** The chat it should be sent to instead. */
  readonly movedTo: string | null
}

const movedText = (chatId: string) => `the group has moved: set settings.alerts.telegram.chat_id to ${chatId}`

/** No parse mode, so nothing in the text is interpreted as markup. */
function messageFor(chatId: string, message: AlertMessage): object {
  return {
    chat_id: chatId,
    text: cutText(messageText(message), MOST_CHARACTERS),
    link_preview_options: { is_disabled: true },
  }
}

function judged(answered: PostAnswer, { redact }: ChannelTools): Sent {
  const { status, body } = answered
  const answer = asRecord(body)
  if (answer?.['ok'] === true) return { delivery: { ok: true }, movedTo: null }
  const asked = answered.retryAfterMs === null ? {} : { afterMs: answered.retryAfterMs }
  if (status >= 500) return failed({ reason: `answered ${status}`, advice: null, ...asked })
  if (answer?.['ok'] !== false) return failed({ ...unlike(status), ...asked, isDoubtful: mayBeContents(answered) })
  const parameters = asRecord(answer['parameters'])
  const said = cutText(redact(cleanText(asString(answer['description']) ?? '')), 200)
  const reason = `${status} ${said}`.trim()
  if (status === 429) {
    const seconds = asNumber(parameters?.['retry_after'])
    const afterMs = seconds === undefined ? answered.retryAfterMs : seconds * 1000
    return failed({ reason: 'asked to wait (429)', advice: null, ...(afterMs !== null && { afterMs }) })
  }
  // At most 52 significant bits: https://core.telegram.org/bots/api#responseparameters
  const moved = asNumber(parameters?.['migrate_to_chat_id'])
  const movedTo = moved !== undefined && Number.isSafeInteger(moved) ? String(moved) : null
  if (movedTo !== null) return { ...failed({ reason, advice: movedText(movedTo), needsPerson: true }), movedTo }
  return failed({ reason, ...meaningOf(status, said) })
}

type Failed = Extract<Delivery, { ok: false }>

const failed = (facts: Omit<Failed, 'ok' | 'next'> & Partial<Failed>): Sent => ({
  delivery: { next: 'retry', ...facts, ok: false },
  movedTo: null,
})

/** A proxy, an ingress, a captive portal or a wrong api_root: the response is not from the Bot API. */
const unlike = (status: number) => ({
  reason: `answered ${status}, unlike a Bot API`,
  advice: 'check settings.alerts.telegram.api_root and the network, if it stays so',
})

/**
 * Only a refused token is final. A person can unblock the bot or add it to a chat at any time, and then nothing of the
 * settings changes; and a 404 in the Bot API's words (a token of another form) may come from a server of one's own.
 */
function meaningOf(status: number, said: string): Pick<Failed, 'next' | 'advice' | 'needsPerson'> {
  if (status === 401) return { next: 'off', advice: 'check settings.alerts.telegram.bot_token' }
  if (status === 403) return { next: 'retry', needsPerson: true, advice: 'unblock the bot, or add it to the chat' }
  if (status === 404) return { next: 'retry', needsPerson: true, advice: 'check settings.alerts.telegram.bot_token' }
  if (status === 400 && ABOUT_THE_CHAT.test(said))
    return {
      next: 'retry',
      needsPerson: true,
      advice: 'check settings.alerts.telegram.chat_id, and whether the bot may write there',
    }
  if (status === 400 || status === 413) return { next: 'shorten', advice: null }
  return { next: 'retry', advice: null }
}

/** Descriptions as `chat not found`, `PEER_ID_INVALID`, `not enough rights to send text messages to the chat`. */
const ABOUT_THE_CHAT =
  /chat not found|chat_id|(?:chat|peer|user|channel|group)_\w+|group chat|upgraded|deactivated|kicked|blocked|rights|topic|thread|initiate conversation|not a member/i
