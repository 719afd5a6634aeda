/** The outbox in the store, shared by all processes: what is queued for which channel, and how the channels do. */

import type { Store } from '../../domain/store.ts'
import type { Alert } from './alert.ts'
import type { Channel } from './channel.ts'
import { type ChannelState, readState, writeState } from './channelState.ts'
import { entryKey, inOrder, type OutboxEntry, type RefusedForm, readEntry, writeEntry } from './outboxEntry.ts'

const ENTRIES = 'alert-outbox'
const CHANNELS = 'alert-channels'
/** What no process has looked after for this long belongs to channels that are no longer configured. */
const ORPHAN_MS = 3 * 86_400_000

export class OutboxStore {
  readonly #store: Store
  readonly #now: () => number

  constructor(store: Store, now: () => number) {
    this.#store = store
    this.#now = now
  }

  /** All queued messages; forgets those that no process looks after any more. */
  entries(): readonly OutboxEntry[] {
    const entries: OutboxEntry[] = []
    for (const [key, value] of this.#store.listDocs(ENTRIES)) {
      const entry = readEntry(key, value)
      if (entry === undefined || this.#now() - entry.alert.at > ORPHAN_MS) this.#store.deleteDoc(ENTRIES, key)
      else entries.push(entry)
    }
    return entries
  }

  /** What is queued for a channel, in the order in which it is to be sent. */
  entriesOf({ id }: Channel): readonly OutboxEntry[] {
    return inOrder(this.entries().filter((entry) => entry.channel === id))
  }

  /** The alert as it is queued for a channel. */
  find(channelId: string, alert: Alert): OutboxEntry | undefined {
    const key = entryKey(channelId, alert)
    return readEntry(key, this.#store.getDoc(ENTRIES, key))
  }

  count({ id }: Channel): number {
    return this.#store.listDocs(ENTRIES).filter(([key]) => key.startsWith(`${id} `)).length
  }

  put(entry: Omit<OutboxEntry, 'key'>): void {
    this.#store.setDoc(ENTRIES, entryKey(entry.channel, entry.alert), writeEntry(entry))
  }

  /** Records in which form the contents of a message were refused. */
  mark(entry: OutboxEntry, refused: RefusedForm): void {
    this.#store.updateDoc(ENTRIES, entry.key, (value) => value && writeEntry({ ...entry, refused }))
  }

  /** Makes an alert due for a channel at once. */
  hurry({ id }: Channel, alert: Alert): void {
    this.#store.updateDoc(ENTRIES, entryKey(id, alert), (value) => {
      const entry = readEntry('', value)
      return entry === undefined ? value : writeEntry({ ...entry, notBefore: Math.min(entry.notBefore, this.#now()) })
    })
  }

  /** Whether it was there and is as wanted, and this call removed it. */
  remove(key: string, wanted: (entry: OutboxEntry) => boolean = () => true): boolean {
    let removed = false
    this.#store.updateDoc(ENTRIES, key, (value) => {
      const entry = readEntry(key, value)
      removed = entry !== undefined && wanted(entry)
      return removed ? undefined : value
    })
    return removed
  }

  /** What waits for the one channel, and what that has missed, is the other one's from now on. */
  move(fromId: string, toId: string): void {
    for (const entry of this.entries())
      if (entry.channel === fromId && this.remove(entry.key)) this.put({ ...entry, channel: toId, refused: 'nothing' })
    const { before } = this.change({ id: fromId }, (state) => ({ ...state, lost: null, covered: null }))
    const { lost, covered, stoodIn } = before
    if (lost === null && covered === null && stoodIn.length === 0) return
    this.change({ id: toId }, (state) => ({
      ...state,
      lost: state.lost ?? lost,
      covered: state.covered ?? covered,
      stoodIn: [...new Set([...stoodIn, ...state.stoodIn])],
    }))
  }

  state({ id }: Channel): ChannelState {
    return readState(this.#store.getDoc(CHANNELS, id))
  }

  change(
    { id }: Pick<Channel, 'id'>,
    change: (state: ChannelState) => ChannelState,
  ): { readonly before: ChannelState; readonly after: ChannelState } {
    let before = readState(undefined)
    const value = this.#store.updateDoc(CHANNELS, id, (stored) => {
      before = readState(stored)
      return writeState(change(before))
    })
    return { before, after: readState(value) }
  }
}
