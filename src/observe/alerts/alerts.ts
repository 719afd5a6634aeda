/**
 * Decides which alerts are sent. An incident is reported once while it lasts, whichever process saw it first; while
 * everything fails, partial failures fold into the one alert; a flapping incident is reported a few times an hour.
 */

import { randomUUID } from 'node:crypto'
import { cleanText } from '../../domain/cleanText.ts'
import { cutText } from '../../domain/cutText.ts'
import type { Logger } from '../../domain/logger.ts'
import type { Store } from '../../domain/store.ts'
import { type Alert, alertText, coversEvent } from './alert.ts'
import { type Audience, audienceOf, NOBODY } from './audience.ts'
import type { Channel, Delivery } from './channel.ts'
import type { ChannelHealth } from './channelHealth.ts'
import { begun, ended, type Incident, isOpen, readIncident, writeIncident } from './incident.ts'
import { type AddOptions, Outbox, type OutboxOptions } from './outbox.ts'

/** What happened, before it becomes an alert. */
export type News = Omit<Alert, 'id' | 'at'> & {
  /** Epoch milliseconds at which the incident ends by itself; absent when only another event ends it. */
  readonly until?: number | null
}

interface AlertsOptions {
  readonly store: Store
  readonly now: () => number
  readonly random: () => number
  readonly logger: Logger
  readonly redact: (text: string) => string
  /** Called with every alert, sent or not. */
  readonly emit: (alert: Alert, text: string) => void
  readonly onUnreachable?: OutboxOptions['onUnreachable']
}

/** An incident with the delivery state of its message. */
export interface IncidentView {
  readonly incident: Incident
  /** Names of the channels that have not accepted it yet. */
  readonly waitingFor: readonly string[]
}

/** The subject of an alert that concerns everything. */
export const EVERYTHING = 'auto'

const TROUBLES = 'alerts'
/** How long a closed incident is still listed. */
const KEPT_MS = 7 * 86_400_000
/** How often incidents opened and closed by other processes are read. */
const SYNC_MS = 5_000
/** Maximum UTF-16 units of one line of an alert. */
const MOST_OF_A_LINE = 600

/** How long a message waits for a broader one that may include it, or for its incident to end. */
const HOLD_MS: { readonly [E in Alert['event']]?: number } = {
  key_revoked: 2_000,
  no_credit: 2_000,
  model_retired: 2_000,
  provider_down: 10_000,
}

/** Alerts that "everything fails" includes. */
const PARTS: ReadonlySet<string> = new Set([
  'all_failed',
  'key_revoked',
  'key_leaked',
  'no_credit',
  'provider_down',
  'model_retired',
])

export class Alerts {
  readonly #options: AlertsOptions
  readonly #outbox: Outbox
  /** Open incidents, as last read. */
  readonly #open = new Map<string, Incident>()
  #audience: Audience = NOBODY
  #syncedAt = Number.NEGATIVE_INFINITY

  constructor(options: AlertsOptions) {
    this.#options = options
    this.#outbox = new Outbox(options)
  }

  get channels(): readonly Channel[] {
    return this.#outbox.channels
  }

  /** Installs the channels of a configuration, which `home` names; null for one that is in no file. */
  use(channels: readonly Channel[], home: string | null = null): void {
    const { audience, before } = audienceOf(channels, this.#audience, { store: this.#options.store, home })
    this.#audience = audience
    this.#outbox.use(channels, before.channels)
    this.#open.clear()
    this.sync()
  }

  /** Whether no incident is open; called for every answer. */
  get isQuiet(): boolean {
    return this.#open.size === 0
  }

  find(key: string): Incident | undefined {
    const incident = this.#open.get(key)
    return isOpen(incident, this.#options.now()) ? incident : undefined
  }

  open(): readonly Incident[] {
    return [...this.#open.values()]
  }

  /**
   * Opens an incident and reports it, unless it is open already. While everything fails (`everythingFails`), its parts
   * are recorded but not reported. Returns whether this call opened it.
   */
  raise(key: string, news: News, everythingFails = false): boolean {
    if (this.find(key) !== undefined) return false
    const { until = null, ...said } = news
    const alert = this.#alertOf(said)
    const folded = everythingFails && PARTS.has(alert.event)
    const incident = this.#change(key, (known) =>
      isOpen(known, alert.at) ? known : begun(known, { key, alert, until, folded }),
    )
    if (incident === undefined) return false
    this.#open.set(key, incident)
    if (incident.alert.id !== alert.id) return false
    if (incident.told === 'told') this.#notify(incident.alert)
    return true
  }

  /** Closes an incident, and reports that if its opening was reported. Returns whether this call closed it. */
  end(key: string, news: News | null = null): boolean {
    const known = this.#open.get(key)
    if (known === undefined) return false
    this.#open.delete(key)
    const mark = randomUUID()
    const now = this.#options.now()
    const incident = this.#change(key, (before) => (before?.open === true ? ended(before, now, mark) : before))
    if (incident?.endedBy !== mark) return false
    const untold = this.#takeBack(incident)
    if (news === null || incident.told !== 'told') return true
    this.#post(this.#alertOf(news), { except: untold, ends: incident.alert.id })
    return true
  }

  /** Closes an incident that proved false: messages not yet sent are withdrawn, and nothing else is reported. */
  retract(key: string): void {
    const known = this.#open.get(key)
    if (known === undefined) return
    this.#outbox.withdraw((alert) => alert.id === known.alert.id)
    this.end(key)
  }

  /** Whether no channel subscribed to the alert has received it yet. */
  isUnsent({ alert }: Incident): boolean {
    const waiting = this.#outbox.waiting().filter(({ alertId }) => alertId === alert.id)
    const wanted = this.channels.filter(
      ({ events, backupAfterMs }) => backupAfterMs === null && coversEvent(events, alert.event),
    )
    return waiting.length > 0 && waiting.length >= wanted.length
  }

  /** Called every second. Returns the incidents other processes have closed since the last call. */
  tick(): readonly Incident[] {
    const now = this.#options.now()
    const over = Math.abs(now - this.#syncedAt) >= (this.isQuiet ? 3 * SYNC_MS : SYNC_MS / 5) ? this.sync() : []
    this.#outbox.tick()
    return over
  }

  /** Reads what other processes opened and closed. Returns the incidents that are over. */
  sync(): readonly Incident[] {
    const { store, now } = this.#options
    this.#syncedAt = now()
    const stored = new Map<string, Incident>()
    for (const [place, value] of store.listDocs(TROUBLES)) {
      const incident = readIncident(value)
      if (incident === undefined || isForgotten(incident, now())) store.deleteDoc(TROUBLES, place)
      else if (place === this.#place(incident.key)) stored.set(incident.key, incident)
    }
    const over = [...this.#open.values()].filter(({ key }) => !isOpen(stored.get(key), now()))
    this.#open.clear()
    for (const [key, incident] of stored) if (isOpen(incident, now())) this.#open.set(key, incident)
    return over.map((incident) => stored.get(incident.key) ?? incident)
  }

  /** How the channels do, in the order of the configuration. */
  health(): readonly ChannelHealth[] {
    return this.#outbox.health()
  }

  /** Every incident kept, newest first. */
  list(): readonly IncidentView[] {
    const names = new Map(this.channels.map((channel) => [channel.id, channel.name]))
    const waiting = this.#outbox.waiting()
    const views: IncidentView[] = []
    for (const [place, value] of this.#options.store.listDocs(TROUBLES)) {
      const incident = readIncident(value)
      if (incident === undefined || place !== this.#place(incident.key)) continue
      const waitingFor = waiting.filter(({ alertId }) => alertId === incident.alert.id)
      views.push({ incident, waitingFor: waitingFor.flatMap(({ channel }) => names.get(channel) ?? []) })
    }
    return views.sort((one, other) => other.incident.alert.at - one.incident.alert.at)
  }

  /** Sends a test through every channel, bypassing the outbox. */
  async test(news: News): Promise<readonly { readonly channel: Channel; readonly delivery: Delivery }[]> {
    const alert = this.#alertOf(news)
    return await Promise.all(
      this.channels.map(async (channel) => ({ channel, delivery: await this.#outbox.test(channel, alert) })),
    )
  }

  /** Delivers what is due, now. */
  deliver(): Promise<void> {
    return this.#outbox.deliver()
  }

  close(graceMs: number): Promise<void> {
    return this.#outbox.close(graceMs)
  }

  #notify(alert: Alert): void {
    if (alert.event === 'all_failed' && alert.subject === EVERYTHING) this.#foldParts()
    const holdMs = HOLD_MS[alert.event] ?? (PARTS.has(alert.event) && alert.subject !== EVERYTHING ? 1_000 : 0)
    this.#post(alert, { holdMs })
  }

  #post(alert: Alert, options: AddOptions): void {
    this.#outbox.add(alert, options)
    this.#options.emit(alert, alertText(alert))
    if ((options.holdMs ?? 0) === 0) void this.#outbox.deliver()
  }

  /** Withdraws queued alerts that "everything fails" includes. */
  #foldParts(): void {
    const parts = new Set(
      this.#outbox
        .withdraw((alert) => PARTS.has(alert.event) && alert.subject !== EVERYTHING)
        .map(({ alertId }) => alertId),
    )
    for (const { key, alert } of this.#open.values()) {
      if (!parts.has(alert.id)) continue
      const folded = this.#change(key, (before) => before && { ...before, told: 'folded' as const })
      if (folded !== undefined) this.#open.set(key, folded)
    }
  }

  /** Withdraws a provider outage not sent yet. Returns the channels that need no recovery message either. */
  #takeBack({ alert }: Incident): ReadonlySet<string> {
    if (alert.event !== 'provider_down') return new Set()
    return new Set(this.#outbox.withdraw(({ id }) => id === alert.id).map(({ channel }) => channel))
  }

  #alertOf(news: News): Alert {
    const { redact, now } = this.#options
    // Cleaned first: an invisible character inside a key would hide it from the redaction.
    const shown = (text: string, most = MOST_OF_A_LINE) => cutText(redact(cleanText(text)), most)
    const clean = (text: string | null) => (text === null ? null : shown(text))
    const { event, since, returnsAt } = news
    return {
      id: randomUUID(),
      event,
      subject: shown(news.subject, 200),
      at: now(),
      since,
      what: shown(news.what),
      why: clean(news.why),
      works: clean(news.works),
      returnsAt,
      returns: clean(news.returns),
      advice: clean(news.advice),
    }
  }

  #change(key: string, change: (known: Incident | undefined) => Incident | undefined): Incident | undefined {
    const value = this.#options.store.updateDoc(TROUBLES, this.#place(key), (before) => {
      const after = change(readIncident(before))
      return after === undefined ? undefined : writeIncident(after)
    })
    return readIncident(value)
  }

  #place(key: string): string {
    return `${this.#audience.id} ${key}`
  }
}

function isForgotten({ open, overAt, until, alert }: Incident, now: number): boolean {
  const end = overAt ?? until ?? (open ? null : alert.at)
  return end !== null && now - end > KEPT_MS
}
