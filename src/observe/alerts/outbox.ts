/**
 * Messages still to be delivered. They are in the store, so they survive a restart, and one process at a time holds a
 * channel, so that several on one store send each message once. One whose answer was lost or came too late, or was not
 * recorded because the process was killed, may be sent twice, with the same id.
 *
 * A channel that fails rests, with growing pauses, and its messages wait. What cannot be delivered at all (a day old, one
 * of too many, refused for its contents in every form) is said in the next message that can.
 */

import { randomUUID } from 'node:crypto'
import type { Logger } from '../../domain/logger.ts'
import type { Store } from '../../domain/store.ts'
import { type Alert, alertText, coversEvent, moment } from './alert.ts'
import type { AlertMessage, Channel, Delivery } from './channel.ts'
import { type ChannelHealth, healthOf } from './channelHealth.ts'
import {
  afterFailure,
  afterRefusal,
  afterSuccess,
  type ChannelState,
  claimed,
  isClaimed,
  isFree,
  isGivenUp,
  isPlainTry,
  released,
  stoodInFor,
  widened,
  working,
} from './channelState.ts'
import { AFTERMATH, announcement, gapNotes, returnText, standInNote } from './channelTexts.ts'
import { batchOf, entryKey, type OutboxEntry } from './outboxEntry.ts'
import { OutboxStore } from './outboxStore.ts'

export interface OutboxOptions {
  readonly store: Store
  readonly now: () => number
  readonly random: () => number
  readonly logger: Logger
  /** Called with every alert that the outbox raises itself, about its channels. */
  readonly emit?: (alert: Alert, text: string) => void
  /** Called with a host that did not respond, to distinguish an outage from being offline. */
  readonly onUnreachable?: (host: string) => void
}

/** An alert queued for one channel. */
interface QueuedDelivery {
  readonly channel: string
  readonly alertId: string
}

export interface AddOptions {
  /** How long it may still be folded into another, in milliseconds. */
  readonly holdMs?: number
  /** Ids of channels that do not get it. */
  readonly except?: ReadonlySet<string>
  /** The alert whose end it reports: a backup channel that delivered that one gets this one at once. */
  readonly ends?: string
}

/** Yesterday's events are not worth waking anyone for. */
const LIFE_MS = 86_400_000
/** Beyond this many per channel, the oldest are dropped: they are no longer news. */
const MOST_WAITING = 200
/** How often the outbox is checked when this process has nothing queued: another may have died with messages in it. */
const ROUND_MS = 15_000

export class Outbox {
  readonly #options: OutboxOptions
  readonly #kept: OutboxStore
  #channels: readonly Channel[] = []
  #stop = new AbortController()
  readonly #running = new Map<string, Promise<void>>()
  #waiting = true
  /** While closing, no other alert can arrive to fold into, so nothing is held back. */
  #isClosing = false
  #lookedAt = Number.NEGATIVE_INFINITY
  #added = 0
  /** Channels whose failure this process has logged. */
  readonly #said = new Set<string>()
  /** Channels that this process has tried: until then it does not know why they rest. */
  readonly #tried = new Set<string>()

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#kept = new OutboxStore(options.store, options.now)
  }

  get channels(): readonly Channel[] {
    return this.#channels
  }

  /**
   * Installs the channels of a configuration. What waits for one of the same name with other settings (`before`: ids by
   * name) waits for the new one.
   */
  use(channels: readonly Channel[], before: Readonly<Record<string, string>> = {}): void {
    this.#channels = channels
    this.#waiting = true
    for (const { name, id } of channels) {
      const old = before[name]
      if (old !== undefined && old !== id) this.#kept.move(old, id)
    }
  }

  /**
   * Ends what an earlier version took for the end of a channel. Returns those channels: what was to be told there
   * meanwhile is lost.
   */
  revive(): readonly Channel[] {
    return this.#channels.filter((channel) => {
      if (!isGivenUp(this.#kept.state(channel))) return false
      const { before } = this.#kept.change(channel, (state) => (isGivenUp(state) ? working(state) : state))
      return isGivenUp(before)
    })
  }

  /** Queues the alert for every channel subscribed to it. */
  add(alert: Alert, { holdMs = 0, except = NONE, ends }: AddOptions = {}): void {
    const now = this.#options.now()
    for (const channel of this.#channels) {
      if (!coversEvent(channel.events, alert.event) || except.has(channel.id)) continue
      const hasTold = ends !== undefined && this.#stoodIn(channel, alert.incident ?? ends)
      const standsBy = isBackup(channel) && !hasTold && !isAboutChannels(alert)
      if (standsBy && this.#firstFor(alert).every(({ id }) => except.has(id))) continue
      const notBefore = alert.at + holdMs + (standsBy ? (channel.backupAfterMs ?? 0) : 0)
      this.#kept.put({
        channel: channel.id,
        alert,
        order: this.#added++,
        notBefore,
        isBackup: standsBy,
        refused: 'nothing',
      })
      this.#dropExcess(channel, now)
      this.#waiting = true
    }
  }

  /** Holds an alert back no longer. */
  release(alert: Alert): void {
    for (const channel of this.#channels) if (!isBackup(channel)) this.#kept.hurry(channel, alert)
  }

  /** Removes messages not sent yet. Returns what it removed. */
  withdraw(wanted: (alert: Alert) => boolean): readonly QueuedDelivery[] {
    const mine = new Set(this.#channels.map((channel) => channel.id))
    const taken = this.#kept.entries().filter((entry) => mine.has(entry.channel) && wanted(entry.alert))
    for (const { key } of taken) this.#kept.remove(key)
    return taken.map(queued)
  }

  /** Messages queued for the channels of this process, without those a backup gets only if the others fail. */
  waiting(): readonly QueuedDelivery[] {
    return this.#kept
      .entries()
      .filter(({ isBackup }) => !isBackup)
      .map(queued)
  }

  health(): readonly ChannelHealth[] {
    const waiting = this.waiting()
    return this.#channels.map((channel) =>
      healthOf(channel, this.#kept.state(channel), waiting.filter((one) => one.channel === channel.id).length),
    )
  }

  /** Called every second: delivers what is due. */
  tick(): void {
    const now = this.#options.now()
    if (this.#waiting || Math.abs(now - this.#lookedAt) >= ROUND_MS) void this.deliver()
  }

  /** Delivers what is due, each channel on its own: one that is slow keeps no other waiting. Never rejects. */
  async deliver(): Promise<void> {
    this.#lookedAt = this.#options.now()
    // A backup sees whether the channel that it stands in for is just sending.
    const inTurn = [...this.#channels].sort((one, other) => Number(isBackup(one)) - Number(isBackup(other)))
    const serving = inTurn.map((channel) => this.#served(channel))
    this.#waiting = this.#hasWork()
    await Promise.all(serving)
    this.#waiting = this.#hasWork()
  }

  /** Sends to one channel, bypassing the outbox, when a person tests it; success ends its rest. */
  async test(channel: Channel, alert: Alert): Promise<Delivery> {
    const delivery = await channel.send({ alerts: [alert], note: null, isPlain: false }, this.#stop.signal)
    if (!delivery.ok) return delivery
    this.#change(channel, working)
    this.#said.delete(channel.id)
    this.#waiting = true
    return delivery
  }

  /** Allows `graceMs` to send what is due; the rest stays for the next process. */
  async close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#stop.abort(), graceMs)
    this.#isClosing = true
    await Promise.all(this.#running.values())
    if (this.#waiting) await this.deliver()
    clearTimeout(timer)
    this.#stop.abort()
  }

  #hasWork(): boolean {
    try {
      const ids = new Set(this.#channels.map(({ id }) => id))
      return this.#kept.entries().some((entry) => ids.has(entry.channel))
    } catch {
      return true
    }
  }

  #served(channel: Channel): Promise<void> {
    const running = this.#running.get(channel.id)
    if (running !== undefined) return running
    const serving = this.#serve(channel)
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error)
        this.#say('outbox', `alerts cannot be delivered now: ${reason}`)
      })
      .finally(() => this.#running.delete(channel.id))
    this.#running.set(channel.id, serving)
    return serving
  }

  async #serve(channel: Channel): Promise<void> {
    if (this.#stop.signal.aborted || this.#due(channel).length === 0) return
    const claim = randomUUID()
    const state = this.#claim(channel, claim)
    if (state === null) return
    this.#dropOld(channel)
    // Read again: the previous holder of the channel may have sent them.
    const due = this.#due(channel)
    const message = this.#messageFor(due, channel)
    if (message === null) {
      this.#change(channel, (now) => (now.claim === claim ? released(now) : now))
      return
    }
    const delivery = await channel.send(message.message, this.#stop.signal)
    this.#settle(channel, { ...message, delivery, claim })
  }

  #claim(channel: Channel, claim: string): ChannelState | null {
    const now = this.#options.now()
    // A command that only looks and ends again is no new start.
    const isFirst = !this.#tried.has(channel.id) && !this.#isClosing
    const state = this.#change(channel, (before) =>
      isFree(before, now, isFirst) ? claimed(before, claim, now) : before,
    )
    if (state.claim !== claim) return null
    this.#tried.add(channel.id)
    return state
  }

  #messageFor(due: readonly OutboxEntry[], channel: Channel): Sending | null {
    const [first] = due
    if (first === undefined) return null
    const state = this.#kept.state(channel)
    const { lost, covered } = state
    const notes = [...this.#standIn(first), ...gapNotes({ lost, covered }, this.#options.now())]
    const note = notes.length === 0 ? null : notes.map((one) => `${one}.`).join('\n')
    const isPlain = first.refused === 'whole' || first.refused === 'plain' || isPlainTry(state)
    const batch = batchOf(isPlain ? [first] : due, channel, note?.length ?? 0)
    return { batch, said: { lost, covered }, message: { alerts: batch.map(({ alert }) => alert), note, isPlain } }
  }

  #standIn({ alert, isBackup }: OutboxEntry): readonly string[] {
    const first = this.#firstFor(alert)
    if (!isBackup || first.length === 0) return []
    const names = first.map(({ name }) => name)
    return [standInNote(names, this.#areOff(first), this.#options.now() - alert.at)]
  }

  /** Records the result of sending a message. */
  #settle(channel: Channel, sent: Sent): void {
    const { delivery } = sent
    if (delivery.ok) return this.#delivered(channel, sent, delivery.remark)
    if (delivery.next === 'shorten') return this.#refused(channel, sent, delivery)
    this.#failed(channel, sent, delivery)
  }

  #delivered(channel: Channel, { batch, said, claim }: Sent, remark: string | undefined): void {
    for (const entry of batch) {
      this.#kept.remove(entry.key)
      this.#tidyOthers(entry)
    }
    const stoodIn = batch.filter(({ isBackup }) => isBackup).map(({ alert }) => alert.incident ?? alert.id)
    this.#change(channel, (state) =>
      state.claim === claim
        ? stoodInFor(afterSuccess(state, remark, said, this.#options.now()), stoodIn)
        : stoodInFor(state, stoodIn),
    )
    if (this.#said.delete(channel.id)) this.#options.logger.info(`alerts by ${channel.name}: works again`)
    if (remark !== undefined) this.#say(`${channel.id} ${remark}`, `alerts by ${channel.name}: ${remark}`)
  }

  /** What one channel has delivered, others need not: a backup for the first ones, or the first ones after a backup. */
  #tidyOthers({ alert, isBackup, channel: by }: OutboxEntry): void {
    for (const other of this.#channels) {
      if (other.id === by) continue
      const key = entryKey(other.id, alert)
      if (!isBackup && other.backupAfterMs !== null && this.#kept.remove(key, (entry) => entry.isBackup)) continue
      if (isBackup && other.backupAfterMs === null && this.#kept.remove(key))
        this.#change(other, (state) => ({ ...state, covered: widened(state.covered, alert.at) }))
    }
  }

  /**
   * Refused for its contents: next in a plainer form. One refused in every form is given up, unless the message before it
   * was too: then it is the channel that takes nothing, and it rests with the message in it.
   */
  #refused(channel: Channel, { batch, claim, message }: Sent, delivery: Failed): void {
    const [only] = batch
    if (only !== undefined && message.isPlain) {
      if (this.#kept.state(channel).hasGivenUp) {
        this.#kept.mark(only, 'plain')
        return this.#failed(channel, { claim }, { ...delivery, next: 'retry' })
      }
      this.#giveUp(channel, only, delivery)
    } else for (const entry of batch) this.#kept.mark(entry, batch.length > 1 ? 'together' : 'whole')
    this.#change(channel, (state) =>
      state.claim === claim ? afterRefusal(state, message.isPlain, this.#options.now()) : state,
    )
  }

  #giveUp(channel: Channel, entry: OutboxEntry, { reason, advice }: Failed): void {
    const { event, subject, at } = entry.alert
    if (this.#kept.remove(entry.key)) this.#lose(channel, [entry])
    this.#hurryBackups(entry.alert)
    const what = `${event} (${subject}) of ${moment(at, this.#options.now())}`
    this.#options.logger.warn(
      `alerts by ${channel.name}: ${what} is not sent there: ${reason}, also in a plain short form${advice === null ? '' : `; ${advice}`}`,
    )
  }

  #failed(channel: Channel, { claim }: Pick<Sent, 'claim'>, delivery: Failed): void {
    const facts = { now: this.#options.now(), random: this.#options.random() }
    this.#change(channel, (state) => (state.claim === claim ? afterFailure(state, delivery, facts) : state))
    if (this.#stop.signal.aborted) return
    if (delivery.unreachable === true) this.#options.onUnreachable?.(channel.host)
    const { reason, advice, next } = delivery
    const aftermath = next === 'off' ? AFTERMATH.off : AFTERMATH.retry
    this.#say(
      `${channel.id}${next === 'off' ? ' off' : ''}`,
      `alerts by ${channel.name}: ${reason}${advice === null ? '' : `; ${advice}`}${aftermath}`,
    )
  }

  /** What a channel will not deliver, its backup need not wait for. */
  #hurryBackups(alert: Alert): void {
    for (const channel of this.#channels) if (channel.backupAfterMs !== null) this.#kept.hurry(channel, alert)
  }

  /** Changes the state of a channel, and tells the others when it is out for good or works again after that. */
  #change(channel: Channel, change: (state: ChannelState) => ChannelState): ChannelState {
    const { before, after } = this.#kept.change(channel, change)
    if (before.isAnnounced !== after.isAnnounced) this.#announce(channel, before, after)
    return after
  }

  #announce(channel: Channel, before: ChannelState, after: ChannelState): void {
    const { now, emit } = this.#options
    const others = this.#channels.filter(({ id }) => id !== channel.id).map(({ name }) => name)
    const news = after.isAnnounced ? announcement(channel.name, after, others) : returnText(channel.name, before, now())
    const since = after.since ?? before.since ?? now()
    const alert: Alert = { id: randomUUID(), subject: channel.name, at: now(), since, returnsAt: null, ...news }
    this.add(alert, { except: new Set([channel.id]) })
    emit?.(alert, alertText(alert))
  }

  #say(id: string, line: string): void {
    if (this.#said.has(id)) return
    this.#said.add(id)
    this.#options.logger.warn(line)
  }

  /** Whether a backup channel delivered an alert of the incident. */
  #stoodIn(channel: Channel, incident: string): boolean {
    return this.#kept.state(channel).stoodIn.includes(incident)
  }

  /** The channels that a backup stands in for. */
  #firstFor({ event }: Alert): readonly Channel[] {
    return this.#channels.filter(({ backupAfterMs, events }) => backupAfterMs === null && coversEvent(events, event))
  }

  #areOff(channels: readonly Channel[]): boolean {
    return channels.every((channel) => this.#kept.state(channel).off)
  }

  #due(channel: Channel): readonly OutboxEntry[] {
    const now = this.#options.now()
    return this.#kept.entriesOf(channel).filter((entry) => this.#isDue(entry, now))
  }

  #isDue(entry: OutboxEntry, now: number): boolean {
    const { notBefore, alert } = entry
    const isSending = (channel: Channel) => isClaimed(this.#kept.state(channel), now)
    if (!entry.isBackup) {
      if (this.#backupsFor(entry).some(isSending)) return false
      return now >= notBefore || now < alert.at || this.#isClosing
    }
    const first = this.#firstFor(alert)
    return this.#areOff(first) || (now >= notBefore && !first.some(isSending))
  }

  /** Backup channels that have an alert in the place of others. */
  #backupsFor({ alert, channel }: OutboxEntry): readonly Channel[] {
    const others = this.#channels.filter((one) => isBackup(one) && one.id !== channel)
    return others.filter(({ id }) => this.#kept.find(id, alert)?.isBackup === true)
  }

  #dropOld(channel: Channel): void {
    const now = this.#options.now()
    this.#drop(channel, (all) => all.filter(({ alert }) => now - alert.at > LIFE_MS))
  }

  #dropExcess(channel: Channel, now: number): void {
    if (this.#kept.count(channel) <= MOST_WAITING) return
    this.#drop(channel, (all) => all.filter(({ alert }) => now - alert.at <= LIFE_MS).slice(0, -MOST_WAITING))
  }

  #drop(channel: Channel, choose: (entries: readonly OutboxEntry[]) => readonly OutboxEntry[]): void {
    const dropped = choose(this.#kept.entriesOf(channel)).filter(({ key }) => this.#kept.remove(key))
    if (dropped.length > 0) this.#lose(channel, dropped)
  }

  /** What a backup would have sent is missing by the channels it stands in for, and counted there. */
  #lose(channel: Channel, entries: readonly OutboxEntry[]): void {
    const times = entries.filter(({ isBackup }) => !isBackup).map(({ alert }) => alert.at)
    if (times.length === 0) return
    this.#change(channel, (state) => ({ ...state, lost: times.reduce(widened, state.lost) }))
  }
}

interface Sending {
  readonly batch: readonly OutboxEntry[]
  readonly message: AlertMessage
  /** The gaps that the message mentions. */
  readonly said: Pick<ChannelState, 'lost' | 'covered'>
}

interface Sent extends Sending {
  readonly delivery: Delivery
  readonly claim: string
}

type Failed = Extract<Delivery, { ok: false }>

const NONE: ReadonlySet<string> = new Set()

const isBackup = ({ backupAfterMs }: Channel) => backupAfterMs !== null

const queued = ({ channel, alert }: OutboxEntry): QueuedDelivery => ({ channel, alertId: alert.id })

const isAboutChannels = ({ event }: Alert) => event === 'channel_off' || event === 'channel_back'
