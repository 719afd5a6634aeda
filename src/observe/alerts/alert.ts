/** An alert: what happened, since when, what still works, when it is expected back, and one thing to do. */

import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'

export const ALERT_EVENTS = [
  'all_failed',
  'recovered',
  'key_revoked',
  'key_leaked',
  'key_back',
  'no_credit',
  'credit_low',
  'credit_back',
  'budget',
  'provider_down',
  'provider_back',
  'model_retired',
  'model_back',
  'store_degraded',
  'store_back',
  'experiment_decided',
  'channel_off',
  'channel_back',
] as const
/** What a channel can subscribe to. */
type AlertEvent = (typeof ALERT_EVENTS)[number]

/** Never contents, never a key. A type rather than an interface, so that it is assignable to JSON. */
export type Alert = {
  /** Globally unique: a receiver that sees an id twice got the same alert twice. */
  readonly id: string
  /**
   * `test` is a message a person requested, to check that a channel works; `digest` tells what happened in quiet hours.
   */
  readonly event: AlertEvent | 'test' | 'digest'
  /** What it is about: `auto` for everything, a model, `groq#2`, a provider, a budget's scope. */
  readonly subject: string
  /** Epoch milliseconds at which it was raised. */
  readonly at: number
  /** Epoch milliseconds at which the condition began. */
  readonly since: number
  readonly what: string
  readonly why: string | null
  readonly works: string | null
  /** Epoch milliseconds; null when unknown. */
  readonly returnsAt: number | null
  readonly returns: string | null
  readonly advice: string | null
  /** The id of the first alert of its incident, for reminders and ends; absent in the first. */
  readonly incident?: string
  /** Only of what came and went several times: how often, and until when it is not reported again. */
  readonly flapping?: string
  /** Only of a reminder, that an incident goes on: what has changed since it was told last. */
  readonly changed?: string
  /** Only of a digest. */
  readonly lines?: readonly string[]
}

const SIGNS: { readonly [E in Alert['event']]: string } = {
  all_failed: '🔴',
  recovered: '🟢',
  key_revoked: '🔑',
  key_leaked: '🚨',
  key_back: '🟢',
  no_credit: '💳',
  credit_low: '⏳',
  credit_back: '🟢',
  budget: '💰',
  provider_down: '🟠',
  provider_back: '🟢',
  model_retired: '📦',
  model_back: '🟢',
  store_degraded: '💾',
  store_back: '🟢',
  experiment_decided: '🧪',
  channel_off: '📪',
  channel_back: '📬',
  test: '🔔',
  digest: '🌅',
}

/** The alert in a few lines of plain text. */
export function alertText(alert: Alert): string {
  const title = `${SIGNS[alert.event]} ${alert.what}`
  if (alert.lines !== undefined) return [title, ...alert.lines].join('\n')
  const lines = [
    title,
    `Since: ${moment(alert.since, alert.at)}`,
    line('Changed', alert.changed ?? null),
    line('Why', alert.why),
    line('Flapping', alert.flapping ?? null),
    line('Still works', alert.works),
    line('Expected back', alert.returns),
    line('To do', alert.advice),
  ]
  return lines.filter((one) => one !== null).join('\n')
}

const line = (name: string, text: string | null) => (text === null ? null : `${name}: ${text}`)

const DAY_MS = 86_400_000

/** `08:00 UTC`, with the date when it is a day or more away from `now`. */
export function moment(at: number, now: number): string {
  const iso = new Date(at).toISOString()
  const time = `${iso.slice(11, 16)} UTC`
  return Math.abs(at - now) < DAY_MS ? time : `${iso.slice(0, 10)} ${time}`
}

/** Whether a subscription covers an event: some events come with the one they belong to. */
export function coversEvent(events: ReadonlySet<string>, event: Alert['event']): boolean {
  return ALWAYS.has(event) || events.has(event) || (COMPANIONS[event] ?? []).some((one) => events.has(one))
}

/** What is said of the alerts themselves. */
const ALWAYS: ReadonlySet<string> = new Set(['test', 'digest', 'channel_off', 'channel_back'])

const COMPANIONS: { readonly [E in Alert['event']]?: readonly AlertEvent[] } = {
  key_leaked: ['key_revoked'],
  key_back: ['key_revoked'],
  model_back: ['model_retired'],
  store_back: ['store_degraded'],
  provider_back: ['provider_down'],
  credit_back: ['credit_low', 'no_credit'],
}

/** Reads a stored alert; undefined if it is not a valid one. */
export function readAlert(value: unknown): Alert | undefined {
  const record = asRecord(value)
  const [id, event, subject, what] = ['id', 'event', 'subject', 'what'].map((name) => asString(record?.[name]))
  const at = asNumber(record?.['at'])
  const since = asNumber(record?.['since'])
  if (id === undefined || subject === undefined || what === undefined || at === undefined || since === undefined)
    return undefined
  if (event === undefined || !Object.hasOwn(SIGNS, event)) return undefined
  const text = (name: string) => asString(record?.[name]) ?? null
  const [incident, changed, flapping] = [text('incident'), text('changed'), text('flapping')]
  const lines = asArray(record?.['lines'])?.filter((one) => typeof one === 'string')
  return {
    id,
    event: event as Alert['event'], // checked above
    subject,
    at,
    since,
    what,
    why: text('why'),
    works: text('works'),
    returnsAt: asNumber(record?.['returnsAt']) ?? null,
    returns: text('returns'),
    advice: text('advice'),
    ...(incident !== null && { incident }),
    ...(changed !== null && { changed }),
    ...(flapping !== null && { flapping }),
    ...(lines !== undefined && { lines }),
  }
}
