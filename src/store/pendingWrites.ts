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
