/**
 * What keywise persists: a log of events and a few documents beside it. Statistics, parks and limits are a fold of the
 * events, so any of them can be recomputed, several processes can write at once without losing anything, and each
 * learns from the others by reading on from the last event it saw.
 */

import type { AttemptSource, CostRange } from './attempt.ts'
import type { Usage } from './chat.ts'
import type { Failure, FailureKind, LimitFact } from './failure.ts'
import type { Json } from './json.ts'

/** The target of an event; everything that can change later (index, label) is for display only. */
export interface TargetRef {
  readonly stateId: string
  readonly provider: string
  readonly model: string
  readonly fingerprint: string
  readonly keyIndex: number
  readonly account: string
}

/** The variant of an experiment that a unit was assigned to. */
export interface Trial {
  readonly experiment: string
  readonly version: number
  readonly variant: string
  /** The request's id, or a hash of the session or of the label's value. */
  readonly unit: string
  /**
   * When the request was assigned, in epoch milliseconds with fractions: grows with every request of a process, so that
   * values can be compared with others of their time. Absent in older logs.
   */
  readonly at?: number
}

export type KnownFailure = 'expected' | 'repeated'

/** One attempt: the row of the ledger. Never contents, never a key. */
export interface AttemptEvent {
  readonly kind: 'attempt'
  /** Epoch milliseconds at which the attempt ended. */
  readonly at: number
  /** The process that wrote it; a process skips its own events when it reads on. */
  readonly origin: string
  /** Globally unique; appending the same id twice stores it once. */
  readonly id: string
  readonly requestId: string
  readonly number: number
  readonly source: AttemptSource
  readonly target: TargetRef
  readonly startedAt: number
  readonly latencyMs: number
  readonly firstTokenMs: number | null
  readonly streamed: boolean
  readonly ok: boolean
  /** The demanded JSON had to be taken out of a code fence or of prose. */
  readonly healed?: true
  readonly failure: Failure | null
  /** Not charged to the target, because this host was offline or asleep. Stored as `excused`. */
  readonly notCharged?: boolean
  /**
   * The target was known to fail like this. `expected`: it was called in spite of that (a last resort, a test run, a
   * probe of an outage), so the failure is no new occurrence and makes no park longer. `repeated`: one more failure of an
   * outage. Neither lowers the estimate of its reliability again. Absent in older logs.
   */
  readonly known?: KnownFailure
  readonly usage: Usage | null
  /** Integer billionths of a USD; null when the price, or that of a part, is unknown. */
  readonly costNanoUsd: number | null
  /** What is known of a cost that is null; absent where it is known, or nothing of it. */
  readonly costRange?: CostRange
  /** Version of the price (`genai-prices 0.1.8 2026-09-23`, `config 3fa91c02`, `reported`), stored with the row. */
  readonly priceSource: string | null
  readonly limits: readonly LimitFact[]
  /** Upstream calls that made the attempt; absent for one. */
  readonly calls?: number
  /** Names of what the target could not be told; absent for nothing. */
  readonly leftOut?: readonly string[]
  /** Why it was asked, where the decision of the request does not say it; absent in older logs. */
  readonly why?: string
  readonly task: string | null
  /** Hash of the conversation, for sticky sessions; never its contents. */
  readonly session: string | null
  /** Name of the gateway token used; null for the library. */
  readonly token: string | null
  /** Which token of that name it was; absent for the library and in older logs. */
  readonly tokenId?: string
  readonly labels: Readonly<Record<string, string>>
  /** Present when the request was assigned a variant of an experiment. */
  readonly trial?: Trial
}

/** A call that is about to be sent: what is known of an attempt that its process may not live to record. */
export interface BegunCall
  extends Pick<
    AttemptEvent,
    | 'id'
    | 'requestId'
    | 'number'
    | 'source'
    | 'target'
    | 'startedAt'
    | 'streamed'
    | 'task'
    | 'session'
    | 'token'
    | 'tokenId'
    | 'labels'
  > {
  /** The most that it can cost, in integer billionths of a USD; null where the price is unknown. */
  readonly mostNanoUsd: number | null
}

/**
 * What an answer waits for before it is complete. `process`: its row survives a kill of this process. `power`: it
 * survives a power failure too. `relaxed`: nothing; a kill loses the last moments.
 */
export type Durability = 'process' | 'power' | 'relaxed'

/** Calls that were under way when their process was killed. Their rows are in the ledger, failed and charged to nobody. */
export interface InterruptedCalls {
  readonly calls: number
  /** When the first and the last of them began, epoch milliseconds. */
  readonly firstAt: number
  readonly lastAt: number
  /** The most that those of known price can have cost, in billionths of a USD. */
  readonly mostNanoUsd: number
  /** How many have an unknown price. */
  readonly unpriced: number
}

/** A score given to an answer, by a person or by a program. */
export interface QualityEvent {
  readonly kind: 'quality'
  readonly at: number
  readonly origin: string
  readonly id: string
  readonly target: TargetRef
  readonly requestId: string | null
  /** 0..1 */
  readonly score: number
  readonly task: string | null
  readonly source: 'user' | 'self'
  /**
   * Who rated the request (`engine/rater.ts`): of one rater and request the last score counts. Absent where the event
   * stands for itself: in older logs, for faults that show by themselves, and for a target as a whole.
   */
  readonly rater?: string
  /** Name of the rater's token, for display. */
  readonly raterName?: string
  /** The rater is one of several tokens, so that its ratings of a target within an hour count as one. */
  readonly shared?: true
  /** The how many-th score of this rater for this request it is; absent for the first. */
  readonly turn?: number
  /** The score before, which no longer counts. */
  readonly replaces?: { readonly at: number; readonly score: number; readonly shared?: true }
}

/** Parks lifted by a person or a test run: those of one target, or all. */
export interface LiftEvent {
  readonly kind: 'lift'
  readonly at: number
  readonly origin: string
  readonly id: string
  /** Null lifts every park. */
  readonly target: TargetRef | null
  /** Lifts only parks for these reasons: a key check proves the key, not its quota. Absent lifts all. */
  readonly only?: readonly FailureKind[]
}

/** Statistics of the original's `apiStats.json`, imported once. */
export interface ImportEvent {
  readonly kind: 'import'
  readonly at: number
  readonly origin: string
  readonly id: string
  readonly target: TargetRef
  readonly successes: number
  readonly failures: number
  /** 0 when unknown. */
  readonly averageLatencyMs: number
  readonly totalTokens: number
  readonly quality: number | null
  readonly qualityCount: number
  readonly lastSuccessAt: number | null
  readonly lastTestedAt?: number | null
  readonly lastError?: { readonly at: number | null; readonly message: string; readonly status: number | null } | null
}

/**
 * One observation of a unit of an experiment. The id of the first names the unit and the observation (how its request
 * ended, or one reported number), so the log keeps it once, however often it is reported.
 */
export interface ObservationEvent {
  readonly kind: 'observation'
  readonly at: number
  readonly origin: string
  readonly id: string
  readonly trial: Trial
  readonly requestId: string | null
  /** By metric: 0 or 1 for success, milliseconds for latency, USD for cost, 0..1 for quality, or the user's own. */
  readonly values: Readonly<Record<string, number>>
  /** Who reported it: `self`, `admin`, or somebody whose request it was. Absent for how a request ended. */
  readonly source?: string
  /** The id of the first observation, whose values these replace; absent for a first one. */
  readonly again?: string
  /** `provider/model` that answered, where another one was to; absent otherwise. */
  readonly answeredBy?: string
  /** The unit was assigned its variant; it has no values yet, and may never have one. Absent in older logs. */
  readonly assigned?: true
  /** The request failed, and only because of its target (an outage, a limit). */
  readonly outage?: true
  /** The stop of this number, by the guard, of the variant is over. */
  readonly lifted?: number
}

export type StoreEvent = AttemptEvent | QualityEvent | LiftEvent | ImportEvent | ObservationEvent

export type StoredEvent = StoreEvent & { /** Position in the log; grows, never reused. */ readonly seq: number }

/** The fold of all events up to `seq`, so a start reads only the events after it. */
export interface Snapshot {
  readonly seq: number
  /** Version of the state's format; a reader that does not know it folds from the first event. */
  readonly version: number
  readonly state: Json
}

/** Which key holds a thing that requests name by its id: never the thing itself, nor its id in the clear. */
export interface Holding {
  /** Hash of the thing's id and of the token that may ask for it. */
  readonly id: string
  /** Epoch milliseconds at which the key last answered for it. */
  readonly at: number
  readonly provider: string
  readonly model: string
  readonly fingerprint: string
  readonly account: string
}

/** Filters of the ledger; all optional, all combined by "and". Times are epoch milliseconds, `until` is exclusive. */
export interface LedgerFilter {
  readonly since?: number
  readonly until?: number
  readonly provider?: string
  readonly model?: string
  readonly fingerprint?: string
  readonly account?: string
  readonly token?: string
  readonly label?: { readonly key: string; readonly value: string }
  readonly requestId?: string
  readonly source?: AttemptSource
  readonly limit?: number
  /** Default: newest first. */
  readonly order?: 'newest' | 'oldest'
}

export type LedgerGroup =
  | 'provider'
  | 'model'
  | 'target'
  | 'key'
  | 'account'
  | 'token'
  | 'session'
  | 'tier'
  | 'price'
  | 'day'
  | 'hour'
  | 'source'
  | { readonly label: string }

/** What an attempt consumed, and for whom. */
export type UsageRow = Pick<
  AttemptEvent,
  'at' | 'startedAt' | 'source' | 'target' | 'costNanoUsd' | 'priceSource' | 'session' | 'token' | 'labels'
> & { readonly usage: Usage }

/** Sums over the attempts of one group. */
export interface LedgerSum {
  /** The group's values in the requested order, such as `['groq', '2026-11-23']`. */
  readonly group: readonly string[]
  readonly attempts: number
  readonly successes: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedInputTokens: number
  /** Known costs, and of the others what they were at least. */
  readonly costNanoUsd: number
  /** Attempts whose cost is unknown, or known in part. */
  readonly unpriced: number
  /** What those of them that are known in part may have cost beyond `costNanoUsd` at most; not of what a kill cut off. */
  readonly unsureNanoUsd: number
  readonly totalLatencyMs: number
}

/** A counter shared by several processes, in integer units; the basis of budgets and leases. */
export interface CounterResult {
  readonly granted: boolean
  /** The value after the call; unchanged when not granted. */
  readonly value: number
}

/**
 * Memory, SQLite, later PostgreSQL; one suite (`test/support/storeSuite.ts`) tests what each promises. Writing never
 * throws. Reading documents, counters or the ledger throws `StoreError` when the file cannot be read at all.
 */
export interface Store {
  readonly engine: 'memory' | 'sqlite' | 'postgres'
  /** A path, or `memory:`. */
  readonly location: string
  /** Random per opened store; recorded in its events as `origin`. */
  readonly origin: string

  /** What `kept` promises; null for a store in memory, which keeps nothing. */
  readonly durability: Durability | null

  /** Adds to the log and returns at once; `kept` says when the event will survive the end of this process. */
  append(event: StoreEvent): void
  /**
   * Notes a call that is about to be sent. If the process is killed before the attempt of that id is appended, the next
   * process that opens the store records it as interrupted (`interrupted`).
   */
  begin(call: BegunCall): void
  /**
   * Keeps an attempt of which it is not decided yet whom it is charged to; appended later under the same id. If the
   * process is killed before, the next one appends it as it is.
   */
  keepUndecided(event: AttemptEvent): void
  /**
   * Null when everything appended so far will survive as `durability` promises, which is nearly always so at once; else
   * resolves then. Never rejects, and never waits for a store that cannot write (`health`).
   */
  kept(): Promise<void> | null
  /**
   * Resolves after everything appended so far was written where other processes see it. Never rejects and never waits
   * for a failing disk: check `health` afterwards to be certain. A store in memory keeps nothing.
   */
  flushed(): Promise<void>
  /** Writes everything pending, synchronously; for `close` and for signal handlers. */
  flushNow(): void
  /**
   * Events after `seq`, oldest first, at most `limit` (default 1,000); `exceptOrigin` leaves out the events of that
   * process, `kind` selects one kind.
   */
  read(
    afterSeq: number,
    limit?: number,
    exceptOrigin?: string | null,
    kind?: StoreEvent['kind'] | null,
  ): readonly StoredEvent[]
  /** The newest position in the log; 0 when empty. Cheap enough to call every second. */
  lastSeq(): number
  /** The event of that id, written yet or not; undefined when there is none, or while the file cannot be read. */
  event(id: string): StoreEvent | undefined

  loadSnapshot(): Snapshot | null
  /** Ignored when there is a snapshot of a later `seq`. */
  saveSnapshot(snapshot: Snapshot): void

  /** Small documents by collection and key: models lists, learned limits, tokens, experiments, outbox, settings. */
  getDoc(collection: string, key: string): Json | undefined
  setDoc(collection: string, key: string, value: Json): void
  /** Writes many at once, at a fraction of the cost of writing them one by one. */
  setDocs(collection: string, docs: Iterable<readonly [key: string, value: Json]>): void
  deleteDoc(collection: string, key: string): void
  listDocs(collection: string): readonly (readonly [key: string, value: Json])[]
  /**
   * Reads, changes and writes one document in one transaction across all processes. `change` returns undefined to
   * delete; it must be pure (it runs again when the write fails) and must not use the store.
   */
  updateDoc(collection: string, key: string, change: (value: Json | undefined) => Json | undefined): Json | undefined

  /**
   * Remembers who holds a thing, and returns at once; written with the events. Of one id the last holding counts; a
   * bounded number is kept, for a bounded time (`store/holdings.ts`).
   */
  recordHolding(holding: Holding): void
  /** Undefined for what nobody is known to hold, and while the file cannot be read. */
  holding(id: string): Holding | undefined

  /**
   * Adds `amount` (may be negative) to a counter unless the sum would exceed `limit`. Atomic across processes. While
   * the disk fails, it decides by what this process knows, and the additions are written when the disk is back.
   */
  addToCounter(name: string, amount: number, limit?: number): CounterResult
  counter(name: string): number
  listCounters(prefix: string): readonly (readonly [name: string, value: number])[]
  deleteCounter(name: string): void

  /** Rows of the ledger, newest first by default; all of them without a `limit`. */
  attempts(filter: LedgerFilter): readonly (AttemptEvent & { readonly seq: number })[]
  /** The ratings of one request, in the order of the log; those of older versions are left out. */
  ratings(requestId: string): readonly QualityEvent[]
  /**
   * Sums, sorted by group; `limit` and `order` of the filter are ignored. Days and hours are UTC: `2026-11-23`,
   * `2026-11-23T14:00Z`; `key` is the fingerprint, `target` the `stateId`; a missing token or label is `''`. Whole hours
   * come from the hourly sums, which outlive `prune`; hours cut by `since` or `until`, and every query by label, session,
   * tier, price or request, come from the rows that still exist.
   */
  sums(filter: LedgerFilter, by: readonly LedgerGroup[]): readonly LedgerSum[]
  /**
   * Rows of attempts that consumed something, in the order in which they began; with a `limit`, the newest of them.
   * `order` is ignored.
   */
  usages(filter: LedgerFilter): readonly UsageRow[]
  /**
   * Deletes attempt rows older than `before`, and hourly sums older than `sumsBefore` (default: none). Returns how many
   * rows were deleted.
   */
  prune(before: number, sumsBefore?: number): number

  /**
   * Stores what killed processes had kept and not stored yet. Done when the store opens; to be called from time to time,
   * for those that are killed later.
   */
  takeOver(): void
  /** Calls that killed processes left unfinished, the newest first; of the last days only. */
  interrupted(): readonly InterruptedCalls[]

  /** Number of rows that wait to be stored; a few for a moment, more while writes fail. */
  waiting(): number
  /** `degraded` while writes fail (disk full, read-only); unwritten data waits in memory, bounded. */
  health(): { readonly state: 'ok' | 'degraded'; readonly reason: string | null }
  close(): Promise<void>
}
