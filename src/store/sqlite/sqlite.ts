/** The store on disk: `node:sqlite` in WAL mode, shared by all keywise processes of a user. */

import { randomBytes } from 'node:crypto'
import { StoreError } from '../../domain/errors.ts'
import type { Json } from '../../domain/json.ts'
import type {
  AttemptEvent,
  BegunCall,
  CounterResult,
  Durability,
  Holding,
  InterruptedCalls,
  LedgerFilter,
  LedgerGroup,
  LedgerSum,
  QualityEvent,
  Snapshot,
  Store,
  StoredEvent,
  StoreEvent,
  UsageRow,
} from '../../domain/store.ts'
import { type JournalFiles, systemFiles } from '../journal/files.ts'
import { journalBase, Keeper } from '../journal/keeper.ts'
import { leftBehind } from '../journal/leftBehind.ts'
import type { JournalOwner, OwnerState } from '../journal/owner.ts'
import { byName } from '../order.ts'
import { type PendingPiece, PendingWrites } from '../pendingWrites.ts'
import { restoreNewest } from './backups.ts'
import { parseStored } from './documents.ts'
import { fileIdentity, SqliteFile, type StoreFault, setAside } from './file.ts'
import { isDamage, isFull, sqliteReasonOf } from './module.ts'
import { INTERRUPTED, readInterrupted, takeOver } from './takeOver.ts'

export interface SqliteStoreOptions {
  readonly now: () => number
  warn(line: string): void
  /** Milliseconds events are collected before one write; 0 (default): the events of one event-loop turn. */
  readonly flushMs?: number
  /** Maximum number of events that wait while the disk cannot be written; default 100,000. */
  readonly maxWaiting?: number
  /** What answers wait for; default `process`. */
  readonly durability?: Durability | undefined
  readonly fault?: StoreFault
  /** The system calls of the journal beside it. For tests. */
  readonly journalFiles?: JournalFiles
  /** Whether the owner of a journal lives. For tests. */
  readonly ownerState?: (owner: JournalOwner) => OwnerState
}

// Delays between retries while the disk fails.
const FIRST_RETRY_MS = 250
const LAST_RETRY_MS = 30_000

/**
 * Number of events that share one transaction under load: more would hardly make them cheaper, and would keep them
 * alive long enough for the garbage collector to promote them to the old generation.
 */
const FULL_BATCH = 256

/** What waited while the disk failed is written in transactions of so many rows, which hold the event loop 30 ms. */
const MOST_AT_ONCE = 4_096

/** The text of a document that does not exist. */
const NOTHING = undefined

/**
 * Opens or creates a store. Throws `StoreError` for a file of a newer keywise or of another program, which stays
 * untouched, and the system's error where the file cannot be opened; a damaged file is set aside with a warning.
 */
export function openSqliteStore(path: string, options: SqliteStoreOptions): Store {
  return new SqliteStore(path, options)
}

class SqliteStore implements Store {
  readonly engine = 'sqlite'
  readonly location: string
  readonly origin = randomBytes(8).toString('hex')
  readonly durability: Durability
  readonly #options: SqliteStoreOptions
  readonly #pendingWrites: PendingWrites
  readonly #keeper: Keeper
  #file: SqliteFile | undefined
  #identity: string | undefined
  #scheduled: NodeJS.Immediate | NodeJS.Timeout | undefined
  #flushed: (() => void)[] = []
  #failure: string | null = null
  #retryMs = 0
  #retryAt = 0
  /** How many rows and changes are written in one transaction. */
  #pieceSize = MOST_AT_ONCE
  #lastSeq = 0
  #closed = false

  constructor(path: string, options: SqliteStoreOptions) {
    this.location = path
    this.#options = options
    this.durability = options.durability ?? 'process'
    this.#pendingWrites = new PendingWrites(options.maxWaiting ?? 100_000)
    this.#keeper = new Keeper({
      location: path,
      origin: this.origin,
      durability: this.durability,
      files: options.journalFiles,
      storeNow: () => {
        this.flushNow()
        return this.#failure === null
      },
      warn: options.warn,
    })
    this.#guarded(() => {})
    this.takeOver()
  }

  append(event: StoreEvent): void {
    if (this.#closed) return
    this.#pendingWrites.add(event)
    if (this.#scheduled === undefined) this.#schedule()
    else if (this.#pendingWrites.events.length === FULL_BATCH && this.#failure === null) this.#hurry()
    // Last: where it cannot be noted, everything that waits is stored at once.
    this.#keeper.event(event)
  }

  begin(call: BegunCall): void {
    if (!this.#closed) this.#keeper.begin(call)
  }

  keepUndecided(event: AttemptEvent): void {
    if (!this.#closed) this.#keeper.undecided(event)
  }

  kept(): Promise<void> | null {
    return this.#closed ? null : this.#keeper.kept()
  }

  flushed(): Promise<void> {
    if (this.#pendingWrites.isEmpty || this.#failure !== null) return Promise.resolve()
    return new Promise((resolve) => this.#flushed.push(resolve))
  }

  flushNow(): void {
    this.#unschedule()
    if (this.#hasWork && !this.#closed) this.#writeWaiting()
    const resolvers = this.#flushed
    this.#flushed = []
    for (const resolve of resolvers) resolve()
  }

  read(
    afterSeq: number,
    limit = 1_000,
    exceptOrigin: string | null = null,
    kind: StoreEvent['kind'] | null = null,
  ): readonly StoredEvent[] {
    return this.#readOr([], (file) => file.log.read(afterSeq, limit, exceptOrigin, kind))
  }

  lastSeq(): number {
    this.#lastSeq = this.#readOr(this.#lastSeq, (file) => file.log.last())
    return this.#lastSeq
  }

  /** Flushes nothing, as `holding`. */
  event(id: string): StoreEvent | undefined {
    if (this.#closed) return undefined
    // What is in the file came first.
    return this.#readUnflushed((file) => file.log.find(id)) ?? this.#pendingWrites.event(id)
  }

  loadSnapshot(): Snapshot | null {
    return this.#readOr(null, (file) => file.drawers.loadSnapshot())
  }

  saveSnapshot(snapshot: Snapshot): void {
    // A lost snapshot costs only time: the fold starts further back.
    this.#write(
      (file) => file.write(() => file.drawers.saveSnapshot(snapshot)),
      () => {},
    )
  }

  getDoc(collection: string, key: string): Json | undefined {
    return parseStored(this.#docText(collection, key))
  }

  setDoc(collection: string, key: string, value: Json): void {
    this.#setDocText(collection, key, JSON.stringify(value))
  }

  setDocs(collection: string, docs: Iterable<readonly [key: string, value: Json]>): void {
    const texts = Array.from(docs, ([key, value]) => [key, JSON.stringify(value)] as const)
    this.#write(
      (file) =>
        file.transaction(() => {
          for (const [key, json] of texts) file.drawers.setDoc(collection, key, json)
        }),
      () => {
        for (const [key, json] of texts) this.#pendingWrites.setDoc(collection, key, json)
      },
    )
  }

  deleteDoc(collection: string, key: string): void {
    this.#setDocText(collection, key, NOTHING)
  }

  listDocs(collection: string): readonly (readonly [key: string, value: Json])[] {
    const texts = new Map<string, string | undefined>(this.#read((file) => file.drawers.listDocs(collection)))
    for (const doc of this.#pendingWrites.docs.values()) if (doc.collection === collection) texts.set(doc.key, doc.json)
    const docs: [string, Json][] = []
    for (const [key, text] of texts) {
      const value = parseStored(text)
      if (value !== undefined) docs.push([key, value])
    }
    return docs.sort(byName)
  }

  updateDoc(collection: string, key: string, change: (value: Json | undefined) => Json | undefined): Json | undefined {
    const changed = (text: string | undefined) => JSON.stringify(protect(change, parseStored(text)))
    const update = (file: SqliteFile) => {
      const text = changed(file.drawers.getDoc(collection, key))
      file.drawers.setDoc(collection, key, text)
      return text
    }
    const later = () => {
      const text = changed(this.#docText(collection, key))
      this.#pendingWrites.setDoc(collection, key, text)
      return text
    }
    return parseStored(this.#write((file) => file.transaction(() => update(file)), later))
  }

  recordHolding(holding: Holding): void {
    if (this.#closed) return
    this.#pendingWrites.hold(holding)
    if (this.#scheduled === undefined) this.#schedule()
    this.#keeper.holding(holding)
  }

  /** Flushes nothing: what waits is looked at first, and a request should not pay for the rows of others. */
  holding(id: string): Holding | undefined {
    const waiting = this.#pendingWrites.holdings.get(id)
    if (waiting !== undefined || this.#closed) return waiting
    return this.#readUnflushed((file) => file.holdings.find(id))
  }

  addToCounter(name: string, amount: number, limit?: number): CounterResult {
    if (!Number.isFinite(amount)) return { granted: false, value: this.#counterOr0(name) }
    const later = () => {
      const sum = this.#counterOr0(name) + amount
      if (limit !== undefined && sum > limit) return undefined
      this.#pendingWrites.addToCounter(name, amount)
      return sum
    }
    const add = (file: SqliteFile) => file.write(() => file.drawers.addToCounter(name, amount, limit))
    const value = this.#write(add, later)
    return value === undefined ? { granted: false, value: this.#counterOr0(name) } : { granted: true, value }
  }

  counter(name: string): number {
    return this.#pendingWrites.counter(
      name,
      this.#read((file) => file.drawers.counter(name)),
    )
  }

  listCounters(prefix: string): readonly (readonly [name: string, value: number])[] {
    const counters = new Map(this.#read((file) => file.drawers.listCounters(prefix)))
    for (const [name, change] of this.#pendingWrites.counters) {
      if (!name.startsWith(prefix)) continue
      if (change.reset && change.amount === 0) counters.delete(name)
      else counters.set(name, this.#pendingWrites.counter(name, counters.get(name) ?? 0))
    }
    return [...counters].sort(byName)
  }

  deleteCounter(name: string): void {
    this.#write(
      (file) => file.write(() => file.drawers.deleteCounter(name)),
      () => this.#pendingWrites.deleteCounter(name),
    )
  }

  attempts(filter: LedgerFilter): readonly (AttemptEvent & { readonly seq: number })[] {
    return this.#read((file) => file.log.attempts(filter))
  }

  ratings(requestId: string): readonly QualityEvent[] {
    return this.#read((file) => file.log.ratings(requestId))
  }

  sums(filter: LedgerFilter, by: readonly LedgerGroup[]): readonly LedgerSum[] {
    return this.#read((file) => file.log.sums(filter, by))
  }

  usages(filter: LedgerFilter): readonly UsageRow[] {
    return this.#read((file) => file.log.usages(filter))
  }

  prune(before: number, sumsBefore = Number.NEGATIVE_INFINITY): number {
    this.#settle()
    // Rows that are deleted now must not come back from the journal after a kill.
    if (!this.#hasWork) this.#keeper.forget()
    return this.#write(
      (file) => file.transaction(() => file.log.prune(before, sumsBefore)),
      () => 0,
    )
  }

  takeOver(): void {
    if (this.#closed || this.location === ':memory:' || this.#isResting()) return
    const files = this.#options.journalFiles ?? systemFiles
    try {
      for (const left of leftBehind(journalBase(this.location), this.origin, files, this.#options.ownerState)) {
        const { now, warn } = this.#options
        const interrupted = this.#guarded((file) => file.transaction(() => takeOver(file, left, now())))
        if (left.damaged > 0) warn(`${left.paths.join(', ')}: ${left.damaged} damaged rows were left out`)
        if (interrupted !== null)
          warn(`${callsWere(interrupted)} under way when keywise was killed; "keywise status" says more`)
        if (left.owner === 'dead') for (const path of left.paths) removeIfThere(path, files)
      }
    } catch (error) {
      this.#degraded(error)
    }
  }

  interrupted(): readonly InterruptedCalls[] {
    return this.listDocs(INTERRUPTED)
      .flatMap(([, value]) => readInterrupted(value) ?? [])
      .sort((one, other) => other.lastAt - one.lastAt)
  }

  waiting(): number {
    return this.#pendingWrites.events.length
  }

  health(): { readonly state: 'ok' | 'degraded'; readonly reason: string | null } {
    if (this.#failure === null) return { state: 'ok', reason: null }
    return { state: 'degraded', reason: `${this.#failure}; ${this.#backlog()}` }
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.flushNow()
    const isStored = this.#pendingWrites.isEmpty
    const isKept = this.#keeper.close(isStored)
    if (!isStored) {
      const fate = isKept ? 'kept for the next start' : 'lost'
      this.#options.warn(`closing while ${this.#failure}; ${fate}: ${this.#backlog()}`)
    }
    this.#unschedule()
    this.#closed = true
    this.#file?.close()
    this.#file = undefined
    return Promise.resolve()
  }

  /** A request must be decided even while the file can be neither written nor read. */
  #counterOr0(name: string): number {
    const stored = this.#readOr(0, (file) => file.drawers.counter(name))
    return this.#pendingWrites.counter(name, stored)
  }

  #docText(collection: string, key: string): string | undefined {
    const waiting = this.#pendingWrites.getDoc(collection, key)
    return waiting === undefined ? this.#read((file) => file.drawers.getDoc(collection, key)) : waiting.json
  }

  #setDocText(collection: string, key: string, json: string | undefined): void {
    this.#write(
      (file) => file.write(() => file.drawers.setDoc(collection, key, json)),
      () => this.#pendingWrites.setDoc(collection, key, json),
    )
  }

  #schedule(): void {
    const { flushMs = 0 } = this.#options
    // While writing fails, the retry must not keep the process alive.
    if (this.#failure !== null) this.#scheduled = setTimeout(() => this.flushNow(), this.#retryMs).unref()
    else if (flushMs === 0) this.#scheduled = setImmediate(() => this.flushNow())
    else this.#scheduled = setTimeout(() => this.flushNow(), flushMs)
  }

  /** Schedules a full batch for the next event-loop turn. */
  #hurry(): void {
    this.#unschedule()
    this.#scheduled = setImmediate(() => this.flushNow())
  }

  #unschedule(): void {
    if (this.#scheduled === undefined) return
    if (this.#scheduled instanceof Object && 'refresh' in this.#scheduled) clearTimeout(this.#scheduled)
    else clearImmediate(this.#scheduled)
    this.#scheduled = undefined
  }

  /** Flushes, so that a query sees what this store appended. */
  #settle(): void {
    if (this.#hasWork && !this.#isResting()) this.flushNow()
  }

  /** Events are queued, or a failure has yet to be seen resolved. */
  get #hasWork(): boolean {
    return this.#failure !== null || !this.#pendingWrites.isEmpty
  }

  /** Writing failed a moment ago and is not retried yet. */
  #isResting(): boolean {
    return this.#failure !== null && this.#options.now() < this.#retryAt
  }

  #writeWaiting(): void {
    try {
      this.#writeInPieces()
      this.#recovered()
      this.#pendingWrites.clear()
      this.#keeper.stored()
    } catch (error) {
      this.#degraded(error)
    }
  }

  /** What does not fit a nearly full disk is halved, down to single rows, so that nothing waits that has room. */
  #writeInPieces(): void {
    do {
      const piece = this.#pendingWrites.first(this.#pieceSize)
      try {
        const unstorable = this.#guarded((file) => file.transaction(() => store(file, piece), piece.size))
        if (unstorable > 0) this.#options.warn(`${this.location}: ${unstorable} malformed events were not stored`)
        this.#pendingWrites.written(piece)
        this.#pieceSize = Math.min(MOST_AT_ONCE, this.#pieceSize * 2)
      } catch (error) {
        if (!isFull(error) || piece.size <= 1) throw error
        this.#pieceSize = Math.ceil(piece.size / 2)
      }
    } while (!this.#pendingWrites.isEmpty)
  }

  /**
   * Writes now, or calls `later` while the disk fails: the change then holds in this process until it can be written.
   */
  #write<T>(now: (file: SqliteFile) => T, later: () => T): T {
    // Queued changes go first: a later change must not overtake an earlier one.
    if (this.#pendingWrites.hasChanges) this.#settle()
    if (this.#closed || this.#pendingWrites.hasChanges || this.#isResting()) return later()
    try {
      return this.#guarded(now)
    } catch (error) {
      if (error instanceof CallersError) throw error.cause
      this.#degraded(error)
      return later()
    }
  }

  /** For queries that cannot be answered honestly without the file. */
  #read<T>(query: (file: SqliteFile) => T): T {
    this.#settle()
    try {
      return this.#guarded(query)
    } catch (error) {
      if (error instanceof StoreError) throw error
      throw new StoreError(`${this.location} cannot be read: ${sqliteReasonOf(error)}`, { cause: error })
    }
  }

  /** For queries where "nothing new" is an acceptable answer from an unreadable store. */
  #readOr<T>(otherwise: T, query: (file: SqliteFile) => T): T {
    if (this.#closed) return otherwise
    this.#settle()
    try {
      return this.#guarded(query)
    } catch (error) {
      this.#degraded(error)
      return otherwise
    }
  }

  /** Undefined while the file cannot be read. */
  #readUnflushed<T>(query: (file: SqliteFile) => T | undefined): T | undefined {
    try {
      return this.#guarded(query)
    } catch (error) {
      this.#degraded(error)
      return undefined
    }
  }

  /** Runs `work` on the file; a file found damaged is set aside and replaced by a fresh one. */
  #guarded<T>(work: (file: SqliteFile) => T): T {
    try {
      return work(this.#opened())
    } catch (error) {
      if (!isDamage(error) || this.location === ':memory:') throw error
      this.#replaceDamaged(error)
      return work(this.#opened())
    }
  }

  #opened(): SqliteFile {
    if (this.#closed) throw new StoreError(`${this.location} was closed`)
    if (this.#file === undefined) {
      this.#identity = fileIdentity(this.location)
      this.#file = new SqliteFile(this.location, this.#options.fault ?? (() => {}), this.durability === 'power')
      this.#identity = fileIdentity(this.location)
    }
    return this.#file
  }

  #replaceDamaged(error: unknown): void {
    this.#file?.abandon()
    this.#file = undefined
    const aside = setAside(this.location, this.#identity, this.#options.now())
    if (aside === undefined) return
    const backup = restoreNewest(this.location)
    const begins =
      backup === null ? 'an empty store' : `the backup of ${new Date(backup.at).toISOString().slice(0, 16)}Z`
    this.#options.warn(
      `${this.location} is damaged (${sqliteReasonOf(error)}); it was set aside as ${aside} and keywise starts with ${begins}. "keywise doctor --repair" brings back what can be read of it`,
    )
  }

  #degraded(error: unknown): void {
    const isNew = this.#failure === null
    this.#failure = `${this.location} cannot be used: ${sqliteReasonOf(error)}`
    this.#retryMs = Math.min(LAST_RETRY_MS, isNew ? FIRST_RETRY_MS : this.#retryMs * 2)
    this.#retryAt = this.#options.now() + this.#retryMs
    if (isNew) this.#options.warn(`${this.#failure}; keywise continues in memory and tries again`)
    this.#unschedule()
    if (!this.#closed) this.#schedule()
  }

  #recovered(): void {
    if (this.#failure === null) return
    this.#failure = null
    this.#retryMs = 0
    const { lost } = this.#pendingWrites
    this.#options.warn(`${this.location} can be used again${lost > 0 ? `; ${lost} events were lost meanwhile` : ''}`)
  }

  #backlog(): string {
    const { events, lost } = this.#pendingWrites
    return `${events.length} events wait in memory${lost > 0 ? `, ${lost} older ones were dropped` : ''}`
  }
}

function store(file: SqliteFile, { docs, counters, holdings, events }: PendingPiece): number {
  for (const { collection, key, json } of docs) file.drawers.setDoc(collection, key, json)
  for (const [name, change] of counters) {
    if (change.reset) file.drawers.deleteCounter(name)
    if (change.amount !== 0) file.drawers.addToCounter(name, change.amount, undefined)
  }
  file.holdings.write(holdings)
  return file.log.insert(events)
}

/** Carries an error thrown by the caller's own function past the handling of disk errors. */
class CallersError extends Error {}

function protect(change: (value: Json | undefined) => Json | undefined, value: Json | undefined): Json | undefined {
  try {
    return change(value)
  } catch (error) {
    throw new CallersError('change', { cause: error })
  }
}

const callsWere = ({ calls }: InterruptedCalls) => (calls === 1 ? '1 call was' : `${calls} calls were`)

/** Another process may have been as quick. */
function removeIfThere(path: string, files: JournalFiles): void {
  try {
    files.remove(path)
  } catch {
    // It is looked at again later, and holds nothing new.
  }
}
