/** What is not written yet: queued events and holdings and, while writing fails, changes to documents and counters. */

import type { Holding, StoreEvent } from '../domain/store.ts'

/** Undefined for a deleted document. */
interface PendingDocument {
  readonly collection: string
  readonly key: string
  readonly json: string | undefined
}

interface PendingCounter {
  /** The counter was deleted before `amount` was added. */
  readonly reset: boolean
  readonly amount: number
}

/** Some of what waits, to be written in one transaction. */
export interface PendingPiece {
  readonly size: number
  readonly docs: readonly PendingDocument[]
  readonly counters: readonly (readonly [name: string, change: PendingCounter])[]
  readonly holdings: readonly Holding[]
  readonly events: readonly StoreEvent[]
}

export class PendingWrites {
  readonly #maxEvents: number
  readonly docs = new Map<string, PendingDocument>()
  readonly counters = new Map<string, PendingCounter>()
  /** By id. */
  readonly holdings = new Map<string, Holding>()
  #events: StoreEvent[] = []
  #lost = 0

  constructor(maxEvents: number) {
    this.#maxEvents = maxEvents
  }

  get events(): readonly StoreEvent[] {
    return this.#events
  }

  /** How many events were dropped because too many were waiting. */
  get lost(): number {
    return this.#lost
  }

  get isEmpty(): boolean {
    return this.#events.length === 0 && this.holdings.size === 0 && !this.hasChanges
  }

  get hasChanges(): boolean {
    return this.docs.size > 0 || this.counters.size > 0
  }

  add(event: StoreEvent): void {
    this.#events.push(event)
    if (this.#events.length > this.#maxEvents) this.#dropOldest()
  }

  event(id: string): StoreEvent | undefined {
    return this.#events.find((event) => event.id === id)
  }

  hold(holding: Holding): void {
    this.holdings.delete(holding.id)
    this.holdings.set(holding.id, holding)
    if (this.holdings.size <= this.#maxEvents) return
    const [oldest] = this.holdings.keys()
    if (oldest !== undefined) this.holdings.delete(oldest)
  }

  setDoc(collection: string, key: string, json: string | undefined): void {
    this.docs.set(JSON.stringify([collection, key]), { collection, key, json })
  }

  getDoc(collection: string, key: string): PendingDocument | undefined {
    return this.docs.size === 0 ? undefined : this.docs.get(JSON.stringify([collection, key]))
  }

  addToCounter(name: string, amount: number): void {
    const known = this.counters.get(name)
    this.counters.set(name, { reset: known?.reset ?? false, amount: (known?.amount ?? 0) + amount })
  }

  deleteCounter(name: string): void {
    this.counters.set(name, { reset: true, amount: 0 })
  }

  /** The counter's current value, given the one stored in the file. */
  counter(name: string, stored: number): number {
    const change = this.counters.get(name)
    return change === undefined ? stored : (change.reset ? 0 : stored) + change.amount
  }

  /** The first of what waits, at most so many: documents and counters before what may refer to them. */
  first(most: number): PendingPiece {
    let left = most
    const some = <Item>(items: Iterable<Item>): Item[] => {
      const taken: Item[] = []
      for (const item of items) {
        if (left === 0) break
        taken.push(item)
        left--
      }
      return taken
    }
    const piece = {
      docs: some(this.docs.values()),
      counters: some(this.counters),
      holdings: some(this.holdings.values()),
      events: this.#events.length <= left ? this.#events : this.#events.slice(0, left),
    }
    return { ...piece, size: most - left + piece.events.length }
  }

  /** A piece is stored. */
  written({ docs, counters, holdings, events }: PendingPiece): void {
    for (const { collection, key } of docs) this.docs.delete(JSON.stringify([collection, key]))
    for (const [name] of counters) this.counters.delete(name)
    for (const { id } of holdings) this.holdings.delete(id)
    this.#events = events.length === this.#events.length ? [] : this.#events.slice(events.length)
  }

  clear(): void {
    this.#events = []
    this.#lost = 0
    this.holdings.clear()
    this.docs.clear()
    this.counters.clear()
  }

  /**
   * A tenth at a time, so that a full list is not shifted for every event. Scores, lifts and imports are dropped last.
   */
  #dropOldest(): void {
    const before = this.#events.length
    let surplus = Math.ceil(this.#maxEvents / 10)
    this.#events = this.#events.filter((event) => event.kind !== 'attempt' || surplus-- <= 0)
    if (surplus > 0) this.#events = this.#events.slice(surplus)
    this.#lost += before - this.#events.length
  }
}
