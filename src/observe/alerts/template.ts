/** The body of a webhook: keywise's own JSON, the formats of Slack, Discord and ntfy, or a text of the user's. */

import { cutBytes, cutText } from '../../domain/cutText.ts'
import { isoOrNull } from '../../domain/isoTime.ts'
import { present } from '../../domain/present.ts'
import type { Alert } from './alert.ts'
import type { AlertMessage } from './channel.ts'
import { messageText, plainAlert } from './messageText.ts'

interface RenderedMessage {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

interface AlertTemplate {
  /** The service whose form it is; null for a receiver of one's own. */
  readonly service: string | null
  /** Maximum total characters of the texts one message may carry; null when each alert is a message of its own. */
  readonly mostCharacters: number | null
  write(message: AlertMessage): RenderedMessage
}

const JSON_HEADERS = { 'content-type': 'application/json' }
const TEXT_HEADERS = { 'content-type': 'text/plain; charset=utf-8' }

const TEMPLATES: Readonly<Record<string, AlertTemplate>> = {
  json: {
    service: null,
    mostCharacters: null,
    write: (message) => ({ headers: JSON_HEADERS, body: JSON.stringify(fieldsOf(message)) }),
  },
  // https://docs.slack.dev/messaging/formatting-message-text: escape & < >, or a text could mention everyone.
  slack: {
    service: 'Slack',
    mostCharacters: 3000,
    write: (message) => ({
      headers: JSON_HEADERS,
      body: JSON.stringify({ text: escaped(cutText(messageText(message), 4000)) }),
    }),
  },
  // https://discord.com/developers/docs/resources/webhook#execute-webhook: content up to 2,000 characters.
  discord: {
    service: 'Discord',
    mostCharacters: 2000,
    write: (message) => ({
      headers: JSON_HEADERS,
      body: JSON.stringify({ content: cutText(messageText(message), 2000), allowed_mentions: { parse: [] } }),
    }),
  },
  // https://docs.ntfy.sh/publish: the body is the message; longer than 4,096 bytes, it becomes an attachment.
  ntfy: {
    service: 'ntfy',
    mostCharacters: 1300,
    write: (message) => ({
      headers: { ...TEXT_HEADERS, ...ntfyHeaders(present(message.alerts[0])) },
      body: cutBytes(messageText(message), 4096),
    }),
  },
}

/** The template with that name, or the text itself as a template; JSON when none is set. */
export function templateOf(text: string | undefined): AlertTemplate {
  const name = text ?? 'json'
  const named = Object.hasOwn(TEMPLATES, name) ? TEMPLATES[name] : undefined
  return named ?? { service: null, mostCharacters: null, write: (message) => filled(name, message) }
}

/** Unknown variables in a text, as written. */
export function unknownVariables(text: string): readonly string[] {
  const names = [...text.matchAll(VARIABLE)].map(([, name = '']) => name)
  return [...new Set(names.filter((name) => !VARIABLES.includes(name)))]
}

/** The first alert of a message in machine-readable form: times in ISO 8601 UTC. */
function fieldsOf(message: AlertMessage): Record<string, string | null> {
  const first = present(message.alerts[0])
  const alert = message.isPlain ? plainAlert(first) : first
  const { id, event, subject, what, why, works, returns, advice } = alert
  return {
    id,
    event,
    subject,
    at: isoOrNull(alert.at),
    since: isoOrNull(alert.since),
    what,
    why,
    works,
    returns_at: isoOrNull(alert.returnsAt),
    returns,
    advice,
    incident: alert.incident ?? id,
    changed: alert.changed ?? null,
    flapping: alert.flapping ?? null,
    note: message.note,
    text: messageText(message),
  }
}

export const VARIABLES: readonly string[] = [
  'id',
  'event',
  'subject',
  'at',
  'since',
  'what',
  'why',
  'works',
  'returns_at',
  'returns',
  'advice',
  'incident',
  'changed',
  'flapping',
  'note',
  'text',
]
const VARIABLE = /\{\{ {0,4}([A-Za-z_]{1,40}) {0,4}\}\}/g

/** A text that is JSON once filled in is sent as JSON, with its values escaped; any other is sent as is. */
function filled(text: string, message: AlertMessage): RenderedMessage {
  const isJson = /^\s*[[{]/.test(text) && !text.trimStart().startsWith('{{')
  const values = fieldsOf(message)
  const body = text.replace(VARIABLE, (whole, name: string) => {
    if (!VARIABLES.includes(name)) return whole
    const value = values[name] ?? ''
    return isJson ? JSON.stringify(value).slice(1, -1) : value
  })
  return { headers: isJson ? JSON_HEADERS : TEXT_HEADERS, body }
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function ntfyHeaders({ event }: Alert): Record<string, string> {
  const urgent = event === 'all_failed' || event === 'key_leaked'
  return { title: `keywise: ${event.replaceAll('_', ' ')}`, priority: urgent ? '5' : '3', tags: 'key' }
}
