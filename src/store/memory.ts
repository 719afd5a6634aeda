/** A store that lasts as long as its process: for tests, for `memory:`, and where no file can be written. */

import { randomBytes } from 'node:crypto'
import type { Json } from '../domain/json.ts'
import { present } from '../domain/present.ts'
import type {
  AttemptEvent,
  CounterResult,
  Holding,
  LedgerFilter,
  LedgerGroup,
  LedgerSum,
  QualityEvent,
  Snapshot,
  Store,
  StoredEvent,
  StoreEvent,
  UsageRow,
} from '../domain/store.ts'
import { isOutdated, MOST_HOLDINGS } from './holdings.ts'
import { GroupedSums, HourlySums, isCut, matchesQuery, matchesWho, spanOf, sumRowOf } from './ledger.ts'
import { byName, inOrderOfStart } from './order.ts'

/** Ledger rows kept; of older ones only the hourly sums remain, as if they had been pruned. */
const MAX_EVENTS = 100_000

/** `maxEvents`: number of events kept, default 100,000. */
export function createMemoryStore(options: { readonly maxEvents?: number } = {}): Store {
  return new MemoryStore(options.maxEvents ?? MAX_EVENTS)
}

class MemoryStore implements Store {
  readonly engine = 'memory'
  readonly location = 'memory:'
  readonly origin = randomBytes(8).toString('hex')
  readonly durability = null
  readonly #maxEvents: number
  #events: StoredEvent[] = []
  #seq = 0
  readonly #ids = new Set<string>()
  readonly #hourly = new HourlySums()
  // As JSON text, so that no caller shares an object with the store.
  readonly #docs = new Map<string, Map<string, string>>()
  readonly #counters = new Map<string, number>()
  /** The least recently recorded first. */
  readonly #holdings = new Map<string, Holding>()
  #snapshot: { readonly seq: number; readonly version: number; readonly state: string } | null = null

  constructor(maxEvents: number) {
    this.#maxEvents = maxEvents
  }

  append(event: StoreEvent): void {
    if (this.#ids.has(event.id)) return
    this.#ids.add(event.id)
    this.#events.push({ ...event, seq: ++this.#seq })
    if (event.kind === 'attempt') this.#hourly.add(event)
    if (this.#events.length > this.#maxEvents) this.#dropOldest()
  }

  begin(): void {}

  keepUndecided(): void {}

  kept(): null {
    return null
  }

  flushed(): Promise<void> {
    return Promise.resolve()
  }

  flushNow(): void {}

  read(
    afterSeq: number,
    limit = 1_000,
    exceptOrigin: string | null = null,
    kind: StoreEvent['kind'] | null = null,
  ): readonly StoredEvent[] {
    const from = firstAfter(this.#events, afterSeq)
    if (exceptOrigin === null && kind === null) return this.#events.slice(from, from + limit)
    const wanted: StoredEvent[] = []
    for (let at = from; at < this.#events.length && wanted.length < limit; at++) {
      const event = present(this.#events[at])
      if (event.origin !== exceptOrigin && (kind === null || event.kind === kind)) wanted.push(event)
    }
    return wanted
  }

  lastSeq(): number {
    return this.#seq
  }

  event(id: string): StoreEvent | undefined {
    return this.#ids.has(id) ? this.#events.findLast((event) => event.id === id) : undefined
  }

  loadSnapshot(): Snapshot | null {
    return this.#snapshot && { ...this.#snapshot, state: JSON.parse(this.#snapshot.state) }
  }

  saveSnapshot(snapshot: Snapshot): void {
    if (this.#snapshot !== null && this.#snapshot.seq > snapshot.seq) return
    this.#snapshot = { seq: snapshot.seq, version: snapshot.version, state: JSON.stringify(snapshot.state) }
  }

  getDoc(collection: string, key: string): Json | undefined {
    const text = this.#docs.get(collection)?.get(key)
    return text === undefined ? undefined : JSON.parse(text)
  }

  setDoc(collection: string, key: string, value: Json): void {
    const docs = this.#docs.get(collection) ?? new Map<string, string>()
    docs.set(key, JSON.stringify(value))
    this.#docs.set(collection, docs)
  }

  setDocs(collection: string, docs: Iterable<readonly [key: string, value: Json]>): void {
    for (const [key, value] of docs) this.setDoc(collection, key, value)
  }

  deleteDoc(collection: string, key: string): void {
    this.#docs.get(collection)?.delete(key)
  }

  listDocs(collection: string): readonly (readonly [key: string, value: Json])[] {
    const docs = [...(this.#docs.get(collection) ?? [])].sort(byName)
    return docs.map(([key, text]) => [key, JSON.parse(text)])
  }

  updateDoc(collection: string, key: string, change: (value: Json | undefined) => Json | undefined): Json | undefined {
    const value = change(this.getDoc(collection, key))
    if (value === undefined) this.deleteDoc(collection, key)
    else this.setDoc(collection, key, value)
    return this.getDoc(collection, key)
  }

  recordHolding(holding: Holding): void {
    this.#holdings.delete(holding.id)
    this.#holdings.set(holding.id, holding)
    for (const [id, { at }] of this.#holdings) {
      if (this.#holdings.size <= MOST_HOLDINGS && !isOutdated(at, holding.at)) return
      this.#holdings.delete(id)
    }
  }

  holding(id: string): Holding | undefined {
    return this.#holdings.get(id)
  }

  addToCounter(name: string, amount: number, limit?: number): CounterResult {
    const before = this.counter(name)
    const value = before + amount
    if (!Number.isFinite(amount) || (limit !== undefined && value > limit)) return { granted: false, value: before }
    this.#counters.set(name, value)
    return { granted: true, value }
  }

  counter(name: string): number {
    return this.#counters.get(name) ?? 0
  }

  listCounters(prefix: string): readonly (readonly [name: string, value: number])[] {
    return [...this.#counters].filter(([name]) => name.startsWith(prefix)).sort(byName)
  }

  deleteCounter(name: string): void {
    this.#counters.delete(name)
  }

  attempts(filter: LedgerFilter): readonly (AttemptEvent & { readonly seq: number })[] {
    const found: (AttemptEvent & { readonly seq: number })[] = []
    const { length } = this.#events
    const limit = filter.limit ?? length
    for (let step = 0; step < length && found.length < limit; step++) {
      const event = this.#events[filter.order === 'oldest' ? step : length - 1 - step]
      if (event?.kind === 'attempt' && matchesQuery(filter, event)) found.push(event)
    }
    return found
  }

  ratings(requestId: string): readonly QualityEvent[] {
    return this.#events.filter((event) => event.kind === 'quality' && event.requestId === requestId) as QualityEvent[]
  }

  sums(filter: LedgerFilter, by: readonly LedgerGroup[]): readonly LedgerSum[] {
    const span = spanOf(filter, by)
    const groups = new GroupedSums(by)
    for (const row of this.#hourly.rows())
      if (row.at >= span.wholeFrom && row.at < span.wholeTo && matchesWho(filter, row)) groups.add(row)
    for (const event of this.#events)
      if (event.kind === 'attempt' && isCut(span, event.at) && matchesQuery(filter, event)) groups.add(sumRowOf(event))
    return groups.result()
  }

  usages({ limit, ...filter }: LedgerFilter): readonly UsageRow[] {
    const rows = this.attempts({ ...filter, order: 'oldest' }).filter(hasUsage)
    return inOrderOfStart(limit === undefined ? rows : rows.slice(Math.max(0, rows.length - limit)))
  }

  prune(before: number, sumsBefore = Number.NEGATIVE_INFINITY): number {
    this.#hourly.forget(sumsBefore)
    return this.#keep((event) => event.kind !== 'attempt' || !(event.at < before))
  }

  takeOver(): void {}

  interrupted(): readonly [] {
    return []
  }

  waiting(): number {
    return 0
  }

  health(): { readonly state: 'ok'; readonly reason: null } {
    return { state: 'ok', reason: null }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  /** A tenth at a time, so that a full list is not shifted for every event. */
  #dropOldest(): void {
    let surplus = Math.ceil(this.#maxEvents / 10)
    this.#keep(() => surplus-- <= 0)
  }

  /** Returns how many events were removed. */
  #keep(wanted: (event: StoredEvent) => boolean): number {
    const before = this.#events.length
    this.#events = this.#events.filter((event) => wanted(event) || !this.#ids.delete(event.id))
    return before - this.#events.length
  }
}

function hasUsage<E extends AttemptEvent>(event: E): event is E & UsageRow {
  return event.usage !== null
}

/** Index of the first event after `seq`, by binary search. */
function firstAfter(events: readonly StoredEvent[], seq: number): number {
  let low = 0
  let high = events.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((events[middle]?.seq ?? 0) <= seq) low = middle + 1
    else high = middle
  }
  return low
}
