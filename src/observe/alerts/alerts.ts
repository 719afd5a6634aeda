/**
 * Decides which alerts are sent. An incident is reported once while it lasts, whichever process saw it first, and once
 * a day again where its end is not known; while everything fails, partial failures fold into the one alert; a flapping
 * incident is reported a few times an hour, and then when it lasts. What was not reported and goes on is reported later:
 * the last that a person read is true.
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
import { begun, ended, hasLasted, type Incident, isOpen, mutedUntil, reported, reportOf } from './incident.ts'
import { IncidentLog } from './incidentLog.ts'
import { type AddOptions, Outbox, type OutboxOptions } from './outbox.ts'
import { quietDigest } from './quietDigest.ts'
import { type Kept, type Quiet, QuietHours } from './quietHours.ts'
import { changesText, stillText } from './reminderText.ts'

/** What happened, before it becomes an alert. */
export type News = Omit<Alert, 'id' | 'at'> & {
  /** Epoch milliseconds at which the incident ends by itself; absent when only another event ends it. */
  readonly until?: number | null
}

/** What is known of incidents now, by whoever raised them. */
export interface Witness {
  /** The incident as it is now; null when it is not known to go on. */
  attest(incident: Incident): Omit<News, 'until'> | null
  /** Whether the configuration still has what the incident is about: that key, a budget with that limit. */
  isConfigured(key: string): boolean
  /** Whether everything fails, so that its parts are not reported. */
  readonly everythingFails: boolean
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
  /** Null while nobody knows: then nothing is reported later or again. */
  readonly witness?: () => Witness | null
}

/** An incident with the delivery state of its message. */
export interface IncidentView {
  readonly incident: Incident
  /** Names of the channels that have not accepted it yet. */
  readonly waitingFor: readonly string[]
}

/** The subject of an alert that concerns everything. */
export const EVERYTHING = 'auto'

/** How often incidents opened and closed by other processes are read. */
const SYNC_MS = 5_000
/** How often open incidents are looked at, for what is to be reported later or again. */
const REVIEW_MS = 5_000
/** What everything failing included, and goes on after it, is reported so much later: most of it ends with it. */
const UNFOLD_MS = 60_000
/** What goes on is reported again after this time. */
const REMIND_MS = 86_400_000
/** An incident that ends by itself unless somebody attests it, such as an outage of keys no longer used, ends after this. */
export const LAPSE_MS = 2 * REMIND_MS
/** Maximum UTF-16 units of one line of an alert. */
const MOST_OF_A_LINE = 600

/** How long a message waits for a broader one that may include it, or for its incident to end. */
const HOLD_MS: { readonly [E in Alert['event']]?: number } = {
  key_revoked: 2_000,
  no_credit: 2_000,
  model_retired: 2_000,
  provider_down: 10_000,
}

/**
 * What is reported again while it goes on. Not a budget, whose reset is known, nor a retired model, which does not
 * come back.
 */
const REMINDED: ReadonlySet<string> = new Set([
  'all_failed',
  'key_revoked',
  'key_leaked',
  'no_credit',
  'provider_down',
  'store_degraded',
])

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
  readonly #log: IncidentLog
  readonly #quiet: QuietHours
  #audience: Audience = NOBODY
  #reviewedAt = Number.NEGATIVE_INFINITY
  /** When this process first saw that the broader incident of a folded one is over, by key. */
  readonly #unfoldedAt = new Map<string, number>()

  constructor(options: AlertsOptions) {
    this.#options = options
    this.#outbox = new Outbox(options)
    this.#log = new IncidentLog(options.store, options.now)
    this.#quiet = new QuietHours(options.store, options.now)
  }

  get channels(): readonly Channel[] {
    return this.#outbox.channels
  }

  /**
   * Installs the channels of a configuration, which `home` names; null for one that is in no file. `quiet`: the quiet hours
   * of channels, by name.
   */
  use(channels: readonly Channel[], home: string | null = null, quiet: ReadonlyMap<string, Quiet> = new Map()): void {
    const { audience, before } = audienceOf(channels, this.#audience, { store: this.#options.store, home })
    this.#audience = audience
    this.#outbox.use(channels, before.channels)
    this.#log.useFor(audience.id)
    this.#quiet.useFor(audience.id, quiet)
    for (const channel of this.#outbox.revive()) this.#catchUp(channel)
  }

  /** Tells a channel what goes on and was never told there. */
  #catchUp(channel: Channel): void {
    const others = this.channels.filter(({ id }) => id !== channel.id).map(({ id }) => id)
    for (const { key, alert, told } of this.#log.open())
      if (told === 'told' && this.#quiet.keep({ key, alert }, [channel]).size === 0)
        this.#outbox.add(alert, { except: new Set(others) })
  }

  /** Whether no incident is open; called for every answer. */
  get isQuiet(): boolean {
    return this.#log.isQuiet
  }

  find(key: string): Incident | undefined {
    return this.#log.find(key)
  }

  open(): readonly Incident[] {
    return this.#log.open()
  }

  /**
   * Opens an incident and reports it, unless it is open already. While everything fails (`everythingFails`), its parts
   * are recorded but not reported. Returns whether this call opened it.
   */
  raise(key: string, news: News, everythingFails = false): boolean {
    if (this.find(key) !== undefined) return false
    const { until = null, ...said } = news
    const alert = this.#alertOf(said)
    const folded = PARTS.has(alert.event) && (everythingFails || (isPart(alert) && this.#knowsOfEverything()))
    const incident = this.#log.change(key, (known) =>
      isOpen(known, alert.at) ? known : begun(known, { key, alert, until, folded }),
    )
    if (incident?.alert.id !== alert.id) return false
    if (incident.told === 'told') this.#notify(key, reportOf(incident))
    return true
  }

  /**
   * Whether another process has just seen that everything fails. If that is of other keys, the part is reported a minute
   * later.
   */
  #knowsOfEverything(): boolean {
    if (!this.isQuiet) return false
    // With nothing open here, reading misses no end.
    this.sync()
    return this.open().some(({ alert: { event, subject } }) => event === 'all_failed' && subject === EVERYTHING)
  }

  /**
   * Closes an incident, and reports that if it was reported. `parts`: what it included and goes on, as that report says.
   * Returns whether this call closed it.
   */
  end(key: string, news: News | null = null, parts: readonly Incident[] = []): boolean {
    if (this.#log.known(key) === undefined) return false
    const mark = randomUUID()
    const now = this.#options.now()
    const incident = this.#log.change(key, (before) => (before?.open === true ? ended(before, now, mark) : before))
    if (incident?.endedBy !== mark) return false
    const untold = this.#takeBack(incident)
    if (news === null || incident.told !== 'told') return true
    // One that was still held for a broader one goes out before its end.
    this.#outbox.release(incident.alert)
    const end = { ...this.#alertOf(news), incident: firstOf(incident) }
    const kept = this.#post(key, end, { except: untold, ends: incident.alert.id })
    const readers = this.channels.filter(({ id, events }) => coversEvent(events, end.event) && !kept.has(id))
    for (const part of parts) this.#tellPart(part, new Set(readers.map(({ id }) => id)))
    return true
  }

  /** Closes an incident that proved false: messages not yet sent are withdrawn, and nothing else is reported. */
  retract(key: string): void {
    const known = this.#log.known(key)
    if (known === undefined) return
    const isIt = ({ id }: Alert) => id === known.alert.id
    this.#outbox.withdraw(isIt)
    this.#quiet.withdraw(this.channels, isIt)
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
    const over = Math.abs(now - this.#log.syncedAt) >= (this.isQuiet ? 3 * SYNC_MS : SYNC_MS / 5) ? this.sync() : []
    this.#review(now)
    this.#outbox.tick()
    return over
  }

  /** Reads what other processes opened and closed. Returns the incidents that are over. */
  sync(): readonly Incident[] {
    return this.#log.sync()
  }

  /** How the channels do, in the order of the configuration. */
  health(): readonly ChannelHealth[] {
    return this.#outbox.health()
  }

  /** Every incident kept, newest first. */
  list(): readonly IncidentView[] {
    const names = new Map(this.channels.map((channel) => [channel.id, channel.name]))
    const waiting = this.#outbox.waiting()
    const views = this.#log.all().map((incident) => {
      const waitingFor = waiting.filter(({ alertId }) => alertId === incident.alert.id)
      const kept = this.#quiet.keptFrom(incident.alert.id, this.channels)
      return { incident, waitingFor: [...waitingFor.flatMap(({ channel }) => names.get(channel) ?? []), ...kept] }
    })
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

  /** Reports what was muted or folded and goes on, and again what has gone on for a day. */
  #review(now: number): void {
    if (Math.abs(now - this.#reviewedAt) < REVIEW_MS) return
    this.#reviewedAt = now
    const witness = this.#options.witness?.() ?? null
    this.#endQuiet(now, witness)
    if (this.#log.isQuiet || witness === null) return
    for (const incident of this.#log.open()) {
      if (!isOpen(incident, now)) continue
      if (incident.told !== 'told') this.#tellLate(incident, witness, now)
      else if (REMINDED.has(incident.alert.event) && Math.abs(now - incident.alert.at) >= REMIND_MS)
        this.#remind(incident, witness, now)
    }
  }

  #tellLate(incident: Incident, witness: Witness, now: number): void {
    const { key, alert, openedAt } = incident
    if (witness.everythingFails && isPart(alert)) return void this.#unfoldedAt.delete(key)
    if (incident.told === 'folded' && !this.#isUnfolded(key, now)) return
    if (mutedUntil(incident, now) !== null && !hasLasted(incident, now)) return
    const news = witness.attest(incident)
    if (news === null) return
    const late = this.#alertOf(news)
    const told = this.#log.change(key, (known) =>
      isOpen(known, now) && known.told !== 'told' && known.openedAt === openedAt ? reported(known, late) : known,
    )
    if (told === undefined) return
    this.#unfoldedAt.delete(key)
    if (told.alert.id === late.id) this.#notify(key, reportOf(told))
  }

  /** Whether what included the incident has been over for long enough. */
  #isUnfolded(key: string, now: number): boolean {
    const since = this.#unfoldedAt.get(key)
    if (since === undefined) this.#unfoldedAt.set(key, now)
    return since !== undefined && Math.abs(now - since) >= UNFOLD_MS
  }

  #remind(incident: Incident, witness: Witness, now: number): void {
    const { key, alert, until } = incident
    const news = witness.attest(incident)
    if (news === null) return
    const asNow = this.#alertOf({ ...news, what: stillText(news.what, now - alert.since) })
    const again: Alert = { ...asNow, incident: firstOf(incident), changed: changesText(alert, asNow) }
    const told = this.#log.change(key, (known) =>
      isOpen(known, now) && known.alert.id === alert.id
        ? { ...known, alert: again, until: until === null ? null : Math.max(until, now + LAPSE_MS) }
        : known,
    )
    if (told === undefined) return
    if (told.alert.id === again.id) this.#post(key, again, {})
  }

  /**
   * A part that goes on is reported with the end of what included it, which `readers` get (ids of channels), and by
   * itself where that is not read, or not now.
   */
  #tellPart(part: Incident, readers: ReadonlySet<string>): void {
    const { key, openedAt } = part
    const news = this.#options.witness?.()?.attest(part) ?? part.alert
    // Reported now, as it is now: it may have been folded for days.
    const alert: Alert = { ...this.#alertOf(news), id: part.alert.id }
    let isNew = false
    const told = this.#log.change(key, (known) => {
      isNew = known?.open === true && known.told === 'folded' && known.openedAt === openedAt
      return isNew && known !== undefined ? { ...known, told: 'told', alert } : known
    })
    if (told === undefined || !isNew) return
    this.#post(key, told.alert, { except: readers })
  }

  #notify(key: string, alert: Alert): void {
    if (alert.event === 'all_failed' && alert.subject === EVERYTHING) this.#foldParts()
    this.#post(key, alert, { holdMs: HOLD_MS[alert.event] ?? (isPart(alert) ? 1_000 : 0) })
  }

  /** Returns the ids of the channels from which quiet hours keep it for now. */
  #post(key: string, alert: Alert, options: AddOptions): ReadonlySet<string> {
    const except = options.except ?? new Set()
    const others = this.channels.filter(({ id }) => !except.has(id))
    const kept = this.#quiet.keep({ key, alert }, others)
    this.#outbox.add(alert, kept.size === 0 ? options : { ...options, except: new Set([...except, ...kept]) })
    this.#options.emit(alert, alertText(alert))
    if ((options.holdMs ?? 0) === 0) void this.#outbox.deliver()
    return kept
  }

  /** Tells each channel, once its quiet hours are over, what it was not told in them. */
  #endQuiet(now: number, witness: Witness | null): void {
    const goesOn = (key: string) => this.find(key) !== undefined && witness?.isConfigured(key) !== false
    const compose = (entries: readonly Kept[]): Alert => {
      const { what, since, lines } = quietDigest(entries, goesOn, now)
      const nothing = { why: null, works: null, returnsAt: null, returns: null, advice: null }
      return { ...this.#alertOf({ event: 'digest', subject: 'digest', since, what, ...nothing }), lines }
    }
    this.#quiet.end(this.channels, compose, (digest, { id }) => {
      const others = this.channels.filter((channel) => channel.id !== id && channel.backupAfterMs === null)
      this.#outbox.add(digest, { except: new Set(others.map((channel) => channel.id)) })
    })
  }

  /** Withdraws queued alerts that "everything fails" includes. */
  #foldParts(): void {
    const { now } = this.#options
    const isHeld = (alert: Alert) => isPart(alert) && now() - alert.at < (HOLD_MS[alert.event] ?? 1_000)
    const withdrawn = [...this.#outbox.withdraw(isPart), ...this.#quiet.withdraw(this.channels, isHeld)]
    const parts = new Set(withdrawn.map(({ alertId }) => alertId))
    // From the store: another process may have queued one that this one has not read yet.
    for (const { key, open, alert } of parts.size === 0 ? [] : this.#log.all()) {
      if (!open || !parts.has(alert.id)) continue
      this.#log.change(key, (before) => before && { ...before, told: 'folded' as const })
    }
  }

  /** Withdraws a provider outage not sent yet. Returns the channels that need no recovery message either. */
  #takeBack({ alert }: Incident): ReadonlySet<string> {
    if (alert.event !== 'provider_down') return new Set()
    const isIt = ({ id }: Alert) => id === alert.id
    const isShort = this.#options.now() - alert.at < (HOLD_MS.provider_down ?? 0)
    const kept = isShort ? this.#quiet.withdraw(this.channels, isIt) : []
    return new Set([...this.#outbox.withdraw(isIt), ...kept].map(({ channel }) => channel))
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
}

const isPart = ({ event, subject }: Alert) => PARTS.has(event) && subject !== EVERYTHING

const firstOf = ({ alert }: Incident) => alert.incident ?? alert.id
