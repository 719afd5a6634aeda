/**
 * What keywise remembers. The store is a log of events and a few drawers beside it: statistics, parks and limits are a
 * fold of the events, so any of them can be computed again, several processes can write at once without losing
 * anything, and each learns from the others by reading on from the last event it saw.
 */

import type { AttemptSource } from './attempt.ts'
import type { Usage } from './chat.ts'
import type { Failure, FailureKind, LimitFact } from './failure.ts'
import type { Json } from './json.ts'

/** Who an event is about; everything that can change later (index, label) is only for display. */
export interface TargetRef {
  readonly stateId: string
  readonly provider: string
  readonly model: string
  readonly fingerprint: string
  readonly keyIndex: number
  readonly account: string
}

/** A unit's place in an experiment: which variant it was given. */
export interface Trial {
  readonly experiment: string
  readonly version: number
  readonly variant: string
  /** The request's id, or a hash of the session or of the label's value. */
  readonly unit: string
}

/** One attempt: the row of the ledger. Never contents, never a key. */
export interface AttemptEvent {
  readonly kind: 'attempt'
  /** Epoch milliseconds at which the attempt ended. */
  readonly at: number
  /** Which process wrote it; a process skips its own when it reads on. */
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
  readonly failure: Failure | null
  /** The target is not charged: this host was offline or asleep. Stored as `excused`. */
  readonly notCharged?: boolean
  readonly usage: Usage | null
  /** Integer billionths of a USD; null when the price is unknown. */
  readonly costNanoUsd: number | null
  /** Where the price came from (`genai-prices 2026-09-23`, `config`, `reported`, `free`), stored with the row. */
  readonly priceSource: string | null
  readonly limits: readonly LimitFact[]
  readonly task: string | null
  /** Hash of the conversation, for sticky sessions; never its contents. */
  readonly session: string | null
  /** Name of the gateway token that asked; null for the library. */
  readonly token: string | null
  readonly labels: Readonly<Record<string, string>>
  /** Of a request that was given a variant of an experiment. */
  readonly trial?: Trial
}

/** A score given to an answer by a person or a program. */
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
}

/** A person or a test run lifts parks: of one target, or of everything. */
export interface LiftEvent {
  readonly kind: 'lift'
  readonly at: number
  readonly origin: string
  readonly id: string
  /** Null lifts every park. */
  readonly target: TargetRef | null
  /** Lifts parks of these reasons only: a key check proves the key, not its quota. Absent lifts all. */
  readonly only?: readonly FailureKind[]
}

/** What an earlier version of the original's `apiStats.json` knew, taken over once. */
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
 * What was seen of one unit of an experiment. Its id names the unit and what was seen (how its request ended, or one
 * reported number), so that the log keeps each once, however often it is reported.
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
}

export type StoreEvent = AttemptEvent | QualityEvent | LiftEvent | ImportEvent | ObservationEvent

export type StoredEvent = StoreEvent & { /** Place in the log; grows, never reused. */ readonly seq: number }

/** The fold of all events up to `seq`, so that a start needs to read only what came after. */
export interface Snapshot {
  readonly seq: number
  /** Version of the state's shape; a reader that does not know it folds from the first event. */
  readonly version: number
  readonly state: Json
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
  /** Newest first is the default. */
  readonly order?: 'newest' | 'oldest'
}

export type LedgerGroup =
  | 'provider'
  | 'model'
  | 'key'
  | 'account'
  | 'token'
  | 'day'
  | 'hour'
  | 'source'
  | { readonly label: string }

/** Sums over the attempts of one group. */
export interface LedgerSum {
  /** The group's values in the order asked for, such as `['groq', '2026-11-23']`. */
  readonly group: readonly string[]
  readonly attempts: number
  readonly successes: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedInputTokens: number
  readonly costNanoUsd: number
  /** Attempts whose price is unknown; their cost is not in `costNanoUsd`. */
  readonly unpriced: number
  readonly totalLatencyMs: number
}

/** A counter that several processes share, in integer units; the base of budgets and leases. */
export interface CounterResult {
  readonly granted: boolean
  /** The value after the call; unchanged when it was not granted. */
  readonly value: number
}

/**
 * Memory, SQLite, later PostgreSQL; one conformance suite says what each promises (`test/storeTests.ts`). Writing never
 * throws. Questions about documents, counters and the ledger throw `StoreError` when the file cannot be read at all.
 */
export interface Store {
  readonly engine: 'memory' | 'sqlite' | 'postgres'
  /** A path, or `memory:`. */
  readonly location: string
  /** Random per opened store; stamped on events as `origin`. */
  readonly origin: string

  /** Adds to the log. Returns at once; `flushed` says when it will survive the end of this process. */
  append(event: StoreEvent): void
  /**
   * Resolves after the write of everything appended so far, which then survives a kill of this process. Never rejects
   * and never waits for a disk that fails: who needs certainty asks `health` afterwards. A store in memory keeps
   * nothing.
   */
  flushed(): Promise<void>
  /** Writes what is waiting now, synchronously; for `close` and for signal handlers. */
  flushNow(): void
  /**
   * Events after `seq`, oldest first, at most `limit` (default 1,000); with `exceptOrigin` only what others wrote, with
   * `kind` only those.
   */
  read(
    afterSeq: number,
    limit?: number,
    exceptOrigin?: string | null,
    kind?: StoreEvent['kind'] | null,
  ): readonly StoredEvent[]
  /** The newest place in the log; 0 when empty. Cheap enough to ask every second. */
  lastSeq(): number

  loadSnapshot(): Snapshot | null
  /** Kept unless a snapshot of a later `seq` is there already. */
  saveSnapshot(snapshot: Snapshot): void

  /** Small documents by collection and key: models lists, learned limits, tokens, experiments, outbox, settings. */
  getDoc(collection: string, key: string): Json | undefined
  setDoc(collection: string, key: string, value: Json): void
  /** Many at once, at a fraction of what they cost one by one. */
  setDocs(collection: string, docs: Iterable<readonly [key: string, value: Json]>): void
  deleteDoc(collection: string, key: string): void
  listDocs(collection: string): readonly (readonly [key: string, value: Json])[]
  /**
   * Reads, changes and writes one document in one transaction, over all processes. `change` returns undefined to
   * delete; it is pure (it runs again when the write fails) and does not touch the store.
   */
  updateDoc(collection: string, key: string, change: (value: Json | undefined) => Json | undefined): Json | undefined

  /**
   * Adds `amount` (may be negative) to a counter unless the sum would be above `limit`. Atomic over all processes.
   * While the disk fails it decides by what this process knows, and the additions are written when the disk is back.
   */
  addToCounter(name: string, amount: number, limit?: number): CounterResult
  counter(name: string): number
  listCounters(prefix: string): readonly (readonly [name: string, value: number])[]
  deleteCounter(name: string): void

  /** Rows of the ledger, newest first unless said otherwise; all of them without a `limit`. */
  attempts(filter: LedgerFilter): readonly (AttemptEvent & { readonly seq: number })[]
  /**
   * Sums in the order of their groups; `limit` and `order` of the filter do not count. Days and hours are UTC:
   * `2026-11-23`, `2026-11-23T14:00Z`; `key` is the fingerprint; no token and no label are `''`. Whole hours come from
   * the hourly sums, which outlive `prune`; the hours that `since` or `until` cuts, and every question about labels or
   * a request, come from the rows that are still there.
   */
  sums(filter: LedgerFilter, by: readonly LedgerGroup[]): readonly LedgerSum[]
  /**
   * Deletes attempt rows older than `before`, and hourly sums older than `sumsBefore` (default: none). Returns how many
   * rows were deleted.
   */
  prune(before: number, sumsBefore?: number): number

  /** `degraded` while writing fails (disk full, read-only); what could not be written waits in memory, bounded. */
  health(): { readonly state: 'ok' | 'degraded'; readonly reason: string | null }
  close(): Promise<void>
}
