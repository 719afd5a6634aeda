/**
 * Hours in which a channel is not disturbed. What is not urgent is kept in the store, by the name of the channel, and
 * told in one message when the hours are over, whichever process sees that first.
 */

import { type HoursRule, holdsAt } from '../../domain/hoursRule.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import type { Store } from '../../domain/store.ts'
import { type Alert, coversEvent, readAlert } from './alert.ts'
import type { Channel } from './channel.ts'

export interface Quiet {
  readonly rules: readonly HoursRule[]
  /** Events that are sent all the same; `everything` is that everything fails. Their ends come with them. */
  readonly except: ReadonlySet<string>
}

/** What was kept from a channel. A type rather than an interface, so that it is assignable to JSON. */
export type Kept = {
  /** Of the incident. */
  readonly key: string
  readonly alert: Alert
}

interface KeptForChannel {
  readonly entries: readonly Kept[]
  /** The message that tells of them, while it is being queued; null otherwise. */
  readonly digest: Alert | null
}

const COLLECTION = 'alert-quiet'
/** Beyond this many, the oldest are dropped. */
const MOST_KEPT = 300
/** A message that was not queued by then is of a process that was killed. */
const QUEUED_BY_MS = 60_000
const NOTHING: KeptForChannel = { entries: [], digest: null }

export class QuietHours {
  readonly #store: Store
  readonly #now: () => number
  #audience = ''
  #quiet: ReadonlyMap<string, Quiet> = new Map()

  constructor(store: Store, now: () => number) {
    this.#store = store
    this.#now = now
  }

  /** `quiet`: by name of the channel. */
  useFor(audience: string, quiet: ReadonlyMap<string, Quiet>): void {
    this.#audience = audience
    this.#quiet = quiet
  }

  /** Keeps the alert from the channels that it must not disturb now. Returns their ids. */
  keep(kept: Kept, channels: readonly Channel[]): ReadonlySet<string> {
    if (this.#quiet.size === 0) return NONE
    const ids = new Set<string>()
    for (const channel of channels) {
      const quiet = this.#quiet.get(channel.name)
      // A backup gets what another channel could not deliver, which is not a matter of hours.
      if (quiet === undefined || channel.backupAfterMs !== null || !coversEvent(channel.events, kept.alert.event))
        continue
      if (!isQuiet(quiet, this.#now()) || breaksThrough(quiet, kept.alert)) continue
      this.#change(channel, ({ entries, digest }) => ({ entries: [...entries, kept].slice(-MOST_KEPT), digest }))
      ids.add(channel.id)
    }
    return ids
  }

  /** Names of the channels that an alert is kept from. */
  keptFrom(alertId: string, channels: readonly Channel[]): readonly string[] {
    if (this.#quiet.size === 0) return []
    return channels
      .filter((channel) => this.#read(channel).entries.some(({ alert }) => alert.id === alertId))
      .map(({ name }) => name)
  }

  /** Forgets what was kept. Returns the alerts it had kept, with the channels. */
  withdraw(
    channels: readonly Channel[],
    wanted: (alert: Alert) => boolean,
  ): readonly { channel: string; alertId: string }[] {
    if (this.#quiet.size === 0) return []
    return channels.flatMap((channel) => {
      const taken = this.#read(channel).entries.filter(({ alert }) => wanted(alert))
      if (taken.length === 0) return []
      this.#change(channel, ({ entries, digest }) => ({
        entries: entries.filter(({ alert }) => !wanted(alert)),
        digest,
      }))
      return taken.map(({ alert }) => ({ channel: channel.id, alertId: alert.id }))
    })
  }

  /** Messages for channels whose quiet hours are over; each is returned to one process, once it has `queue`d it. */
  end(
    channels: readonly Channel[],
    compose: (entries: readonly Kept[]) => Alert,
    queue: (alert: Alert, channel: Channel) => void,
  ): void {
    for (const channel of channels) {
      const quiet = this.#quiet.get(channel.name)
      const { entries, digest } = this.#read(channel)
      const isOver = quiet === undefined || !isQuiet(quiet, this.#now())
      if (digest !== null && Math.abs(this.#now() - digest.at) >= QUEUED_BY_MS) this.#queue(digest, channel, queue)
      else if (digest === null && entries.length > 0 && isOver) this.#take(entries, compose(entries), channel, queue)
    }
  }

  #take(
    entries: readonly Kept[],
    mine: Alert,
    channel: Channel,
    queue: (alert: Alert, channel: Channel) => void,
  ): void {
    const taken = this.#change(channel, (kept) =>
      kept.digest === null && kept.entries.length === entries.length ? { entries: [], digest: mine } : kept,
    )
    if (taken.digest?.id === mine.id) this.#queue(mine, channel, queue)
  }

  /** First the outbox, then the note: a process that is killed in between leaves the message, not the silence. */
  #queue(digest: Alert, channel: Channel, queue: (alert: Alert, channel: Channel) => void): void {
    queue(digest, channel)
    this.#change(channel, (kept) => (kept.digest?.id === digest.id ? { ...kept, digest: null } : kept))
  }

  #read(channel: Channel): KeptForChannel {
    return readKept(this.#store.getDoc(COLLECTION, this.#place(channel)))
  }

  #change(channel: Channel, change: (kept: KeptForChannel) => KeptForChannel): KeptForChannel {
    const value = this.#store.updateDoc(COLLECTION, this.#place(channel), (before) => {
      const { entries, digest } = change(readKept(before))
      return entries.length === 0 && digest === null ? undefined : { entries, digest }
    })
    return readKept(value)
  }

  #place({ name }: Channel): string {
    return `${this.#audience} ${name}`
  }
}

const NONE: ReadonlySet<string> = new Set()

const isQuiet = ({ rules }: Quiet, now: number) => rules.some((rule) => holdsAt(rule, now))

/** Ends whose beginning is another event than the one they come with in subscriptions. */
function breaksThrough({ except }: Quiet, { event, subject }: Alert): boolean {
  if (event === 'test' || event === 'digest') return true
  if (event !== 'all_failed' && event !== 'recovered') return coversEvent(except, event)
  return except.has(event) || except.has('all_failed') || (subject === 'auto' && except.has('everything'))
}

function readKept(value: unknown): KeptForChannel {
  const record = asRecord(value)
  if (record === undefined) return NOTHING
  const entries = (asArray(record['entries']) ?? []).flatMap((one) => {
    const key = asString(asRecord(one)?.['key'])
    const alert = readAlert(asRecord(one)?.['alert'])
    return key === undefined || alert === undefined ? [] : [{ key, alert }]
  })
  return { entries, digest: readAlert(record['digest']) ?? null }
}
