/**
 * Messages still to be delivered. They are in the store, so they survive a restart, and one process at a time holds a
 * channel, so that several on one store send each message once. One whose answer was lost or came too late, or was not
 * recorded because the process was killed, may be sent twice, with the same id.
 */

import { randomUUID } from 'node:crypto'
import { asNumber, asRecord, asString } from '../../domain/json.ts'
import type { Logger } from '../../domain/logger.ts'
import type { Store } from '../../domain/store.ts'
import { type Alert, alertText, coversEvent, readAlert } from './alert.ts'
import { BETWEEN, type Channel, type Delivery } from './channel.ts'
import { afterDelivery, CLAIM_MS, claimed, isFree, readState, turnedOn, writeState } from './channelState.ts'

export interface OutboxOptions {
  readonly store: Store
  readonly now: () => number
  readonly random: () => number
  readonly logger: Logger
  /** Called with a host that did not respond, to distinguish an outage from being offline. */
  readonly onUnreachable?: (host: string) => void
}

interface OutboxEntry {
  readonly key: string
  readonly channel: string
  readonly alert: Alert
  /** Epoch milliseconds; until then it may still be folded into another. */
  readonly notBefore: number
}

/** An alert queued for one channel. */
interface QueuedDelivery {
  readonly channel: string
  readonly alertId: string
}

const ENTRIES = 'alert-outbox'
const CHANNELS = 'alert-channels'
/** Yesterday's events are not worth waking anyone for. */
const LIFE_MS = 86_400_000
/** Beyond this many per channel, the oldest are dropped: they are no longer news. */
const MOST_WAITING = 200
/** How often the outbox is checked when this process has nothing queued: another may have died with messages in it. */
const ROUND_MS = 15_000

export class Outbox {
  readonly #options: OutboxOptions
  #channels: readonly Channel[] = []
  #stop = new AbortController()
  #running: Promise<void> | null = null
  #waiting = true
  /** While closing, no other alert can arrive to fold into, so nothing is held back. */
  #isClosing = false
  #lookedAt = Number.NEGATIVE_INFINITY
  /** Channels whose failure this process has logged. */
  readonly #said = new Set<string>()

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  get channels(): readonly Channel[] {
    return this.#channels
  }

  use(channels: readonly Channel[]): void {
    this.#channels = channels
    this.#waiting = true
  }

  /** Queues the alert for every channel subscribed to it, except those in `except`. */
  add(alert: Alert, holdMs: number, except: ReadonlySet<string> = NONE): void {
    const { store } = this.#options
    for (const channel of this.#channels) {
      if (!coversEvent(channel.events, alert.event) || except.has(channel.id) || this.#isOff(channel)) continue
      const key = `${channel.id} ${String(alert.at).padStart(15, '0')} ${alert.id}`
      store.setDoc(ENTRIES, key, { channel: channel.id, alert, notBefore: alert.at + holdMs })
      this.#waiting = true
    }
  }

  /** Removes messages not sent yet. Returns what it removed. */
  withdraw(wanted: (alert: Alert) => boolean): readonly QueuedDelivery[] {
    const mine = new Set(this.#channels.map((channel) => channel.id))
    const taken = this.#entries().filter((entry) => mine.has(entry.channel) && wanted(entry.alert))
    for (const { key } of taken) this.#options.store.deleteDoc(ENTRIES, key)
    return taken.map(({ channel, alert }) => ({ channel, alertId: alert.id }))
  }

  /** Messages queued for the channels of this process. */
  waiting(): readonly QueuedDelivery[] {
    return this.#entries().map(({ channel, alert }) => ({ channel, alertId: alert.id }))
  }

  /** Called every second: delivers what is due. */
  tick(): void {
    const now = this.#options.now()
    if (this.#waiting || Math.abs(now - this.#lookedAt) >= ROUND_MS) void this.deliver()
  }

  /** Delivers what is due, each channel on its own. Never rejects. */
  deliver(): Promise<void> {
    this.#running ??= this.#serveAll().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  /** Sends to one channel, bypassing the outbox, when a person tests it; success turns it on again. */
  async test(channel: Channel, alert: Alert): Promise<Delivery> {
    const delivery = await channel.send([alert], this.#stop.signal)
    if (delivery.ok) {
      this.#options.store.updateDoc(CHANNELS, channel.id, (value) => writeState(turnedOn(readState(value))))
      this.#said.delete(channel.id)
    }
    return delivery
  }

  /** Allows `graceMs` to send what is due; the rest stays for the next process. */
  async close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#stop.abort(), graceMs)
    this.#isClosing = true
    await this.#running
    if (this.#waiting) await this.deliver()
    clearTimeout(timer)
    this.#stop.abort()
  }

  async #serveAll(): Promise<void> {
    this.#lookedAt = this.#options.now()
    this.#waiting = false
    try {
      await Promise.all(this.#channels.map((channel) => this.#serve(channel)))
      const ids = new Set(this.#channels.map((channel) => channel.id))
      this.#waiting = this.#entries().some((entry) => ids.has(entry.channel))
    } catch (error) {
      this.#waiting = true
      this.#say('outbox', `alerts cannot be delivered now: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  async #serve(channel: Channel): Promise<void> {
    if (this.#stop.signal.aborted || this.#due(channel).length === 0) return
    const claim = randomUUID()
    if (!this.#claim(channel, claim)) return
    // Read again: the previous holder of the channel may have sent them.
    const batch = fitting(channel, this.#due(channel))
    const delivery =
      batch.length === 0
        ? null
        : await channel.send(
            batch.map(({ alert }) => alert),
            this.#stop.signal,
          )
    if (delivery !== null) this.#take(channel, batch, delivery)
    const facts = { now: this.#options.now(), random: this.#options.random() }
    this.#options.store.updateDoc(CHANNELS, channel.id, (value) => {
      const state = readState(value)
      return writeState(state.claim === claim ? afterDelivery(state, delivery, facts) : state)
    })
  }

  #claim(channel: Channel, claim: string): boolean {
    const now = this.#options.now()
    const value = this.#options.store.updateDoc(CHANNELS, channel.id, (before) => {
      const state = readState(before)
      return writeState(isFree(state, now) ? claimed(state, claim, now + CLAIM_MS, now) : state)
    })
    return readState(value).claim === claim
  }

  /** Records the result of sending a message. */
  #take(channel: Channel, batch: readonly OutboxEntry[], delivery: Delivery): void {
    const { store, onUnreachable } = this.#options
    if (delivery.ok || delivery.next !== 'retry') for (const { key } of batch) store.deleteDoc(ENTRIES, key)
    if (delivery.ok) return this.#works(channel)
    if (this.#stop.signal.aborted) return
    if (delivery.unreachable === true) onUnreachable?.(channel.host)
    if (delivery.next === 'off') {
      for (const entry of this.#entries()) if (entry.channel === channel.id) store.deleteDoc(ENTRIES, entry.key)
    }
    this.#say(channel.id, `alerts by ${channel.name}: ${delivery.reason}${AFTERMATH[delivery.next]}`)
  }

  #works(channel: Channel): void {
    if (this.#said.delete(channel.id)) this.#options.logger.info(`alerts by ${channel.name}: works again`)
  }

  /** Logged once, until it works again. */
  #say(id: string, line: string): void {
    if (this.#said.has(id)) return
    this.#said.add(id)
    this.#options.logger.warn(line)
  }

  #isOff(channel: Channel): boolean {
    const { off } = readState(this.#options.store.getDoc(CHANNELS, channel.id))
    if (off) this.#say(channel.id, `alerts by ${channel.name}: switched off after a refusal${AFTERMATH.off}`)
    return off
  }

  #due(channel: Channel): readonly OutboxEntry[] {
    const now = this.#options.now()
    return this.#entries().filter(
      ({ channel: id, notBefore, alert }) =>
        id === channel.id && (now >= notBefore || now < alert.at || this.#isClosing),
    )
  }

  /** All queued messages, oldest first; drops what is too old or exceeds the limit. */
  #entries(): readonly OutboxEntry[] {
    const { store, now } = this.#options
    const entries: OutboxEntry[] = []
    for (const [key, value] of store.listDocs(ENTRIES)) {
      const entry = readEntry(key, value)
      if (entry === undefined || now() - entry.alert.at > LIFE_MS) store.deleteDoc(ENTRIES, key)
      else entries.push(entry)
    }
    entries.sort((one, other) => (one.key < other.key ? -1 : 1))
    for (const { key } of entries.splice(0, Math.max(0, entries.length - MOST_WAITING))) store.deleteDoc(ENTRIES, key)
    return entries
  }
}

const NONE: ReadonlySet<string> = new Set()

const AFTERMATH = {
  retry: '; it will be retried, and nothing waits for it',
  drop: '; this alert is not sent there',
  off: '; nothing is sent there until the settings change or "keywise doctor --alerts" gets through',
} as const

/** As many of the oldest as fit into one message; at least one. */
function fitting(channel: Channel, entries: readonly OutboxEntry[]): readonly OutboxEntry[] {
  if (channel.mostCharacters === null) return entries.slice(0, 1)
  let length = 0
  let count = 0
  for (const { alert } of entries) {
    length += alertText(alert).length + BETWEEN.length
    if (count > 0 && length > channel.mostCharacters) break
    count++
  }
  return entries.slice(0, count)
}

function readEntry(key: string, value: unknown): OutboxEntry | undefined {
  const record = asRecord(value)
  const channel = asString(record?.['channel'])
  const alert = readAlert(record?.['alert'])
  const notBefore = asNumber(record?.['notBefore'])
  if (channel === undefined || alert === undefined || notBefore === undefined) return undefined
  return { key, channel, alert, notBefore }
}
