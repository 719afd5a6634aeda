/**
 * Everything learned, folded from the events of the store: estimates, parks, quotas, budgets, totals. One `fold` is the
 * only way in, for events of this process, of other processes, and from before a restart.
 */

import { asRecord, type Json } from '../../domain/json.ts'
import type { QualityEvent, Store, StoredEvent, StoreEvent } from '../../domain/store.ts'
import type { Budgets } from '../../money/budget.ts'
import type { Crossing } from '../../money/budgetCounter.ts'
import { FreeCounts } from '../../money/freeCount.ts'
import { QuotaTracker, type QuotaTrackerOptions } from '../../quota/limits/quotaTracker.ts'
import { Parks, type ParksOptions } from '../../quota/parks/parks.ts'
import type { Router } from '../../routing/choose.ts'
import { Ratings } from '../../routing/ratings.ts'
import { TargetTotals } from '../../store/tally.ts'
import { Sessions } from '../request/session.ts'
import { HourlyObservations } from './hourlyObservations.ts'
import { LatencyAllowance } from './latencyAllowance.ts'
import { Silences } from './silences.ts'
import { UselessAnswers } from './uselessAnswers.ts'

/** Version of the snapshots; another version is ignored and the events are folded again. */
const SNAPSHOT_VERSION = 2
const READ_AT_ONCE = 1000

interface LearnedStateParts {
  readonly router: Router
  readonly budgets: Budgets
  /** How each provider counts. */
  readonly counting: QuotaTrackerOptions & ParksOptions
}

export class LearnedState {
  readonly router: Router
  /** Replaced when the configuration changes. */
  budgets: Budgets
  parks: Parks
  quota: QuotaTracker
  readonly freeCounts: FreeCounts
  tally = new TargetTotals()
  /** Which ratings count, and as what. */
  ratings = new Ratings()
  observed = new HourlyObservations()
  /** Called for every threshold that a budget reaches, by spending here or elsewhere; null: not set. */
  onCrossings: ((crossings: readonly Crossing[]) => void) | null = null
  /** Number of events folded so far. */
  changes = 0
  readonly sessions = new Sessions()
  latencyAllowance = new LatencyAllowance()
  silences = new Silences()
  readonly uselessAnswers = new UselessAnswers()
  readonly #store: Store
  readonly #counting: LearnedStateParts['counting']
  /** Up to here the log has been read; our own events after it were folded when they happened. */
  #seq = 0
  #ids = 0

  constructor(store: Store, parts: LearnedStateParts) {
    this.#store = store
    this.router = parts.router
    this.budgets = parts.budgets
    this.#counting = parts.counting
    const trouble = () => store.health().reason
    this.freeCounts = new FreeCounts({ counters: store, ledger: store, trouble })
    this.parks = new Parks(parts.counting)
    this.quota = new QuotaTracker(parts.counting)
  }

  /** Restores the snapshot, then folds every event after it. */
  restore(): void {
    const snapshot = this.#store.loadSnapshot()
    if (snapshot !== null && snapshot.version === SNAPSHOT_VERSION) {
      const state = asRecord(snapshot.state) ?? {}
      this.router.fromJson(state['router'])
      this.parks = Parks.fromJson(state['parks'], this.#counting)
      this.quota = QuotaTracker.fromJson(state['quota'], this.#counting)
      this.tally = TargetTotals.fromJson(state['tally']) ?? new TargetTotals()
      this.ratings = Ratings.fromJson(state['ratings'])
      this.observed = HourlyObservations.fromJson(state['observed'])
      this.latencyAllowance = LatencyAllowance.fromJson(state['latencies'])
      this.silences = Silences.fromJson(state['silences'])
      this.#seq = snapshot.seq
    }
    for (const event of this.#unread()) this.#take(event)
  }

  /**
   * The id of the next event of this process. Ids of one process increase, so that the store appends them next to each
   * other instead of all over its index.
   */
  eventId(): string {
    return `${this.#store.origin}-${(this.#ids++).toString(36).padStart(8, '0')}`
  }

  /** Records an event of this process: appends it to the log and folds it. */
  record(event: StoreEvent): void {
    this.#store.append(event)
    this.#take(event)
  }

  /** A budget reached thresholds. */
  crossed(crossings: readonly Crossing[]): void {
    if (crossings.length > 0) this.onCrossings?.(crossings)
  }

  /** Reads what other processes wrote since the last call. Returns the number of new events. */
  sync(): number {
    const last = this.#store.lastSeq()
    // A damaged store was replaced: start again with what is there now.
    if (last < this.#seq) this.#beginAgain()
    if (last === this.#seq) return 0
    const events = this.#store.read(this.#seq, READ_AT_ONCE, this.#store.origin)
    for (const event of events) this.#take(event)
    // Rows may have arrived between the two reads; none is read twice.
    const read = events.at(-1)?.seq ?? 0
    this.#seq = events.length < READ_AT_ONCE ? Math.max(last, read) : read
    return events.length
  }

  /** Saves the fold, so that the next start reads little. Appended events must be flushed before. */
  save(): void {
    while (this.sync() === READ_AT_ONCE);
    const state: Json = {
      router: this.router.toJson(),
      parks: this.parks.toJson(),
      quota: this.quota.toJson(),
      tally: this.tally.toJson(),
      ratings: this.ratings.toJson(),
      observed: this.observed.toJson(),
      latencies: this.latencyAllowance.toJson(),
      silences: this.silences.toJson(),
    }
    this.#store.saveSnapshot({ seq: this.#seq, version: SNAPSHOT_VERSION, state })
  }

  /** The log was replaced by an empty one (its file was damaged): everything in it now is new. */
  #beginAgain(): void {
    this.#seq = 0
    this.budgets.logRestarted()
  }

  *#unread(): Generator<StoredEvent> {
    for (;;) {
      const events = this.#store.read(this.#seq, READ_AT_ONCE)
      for (const event of events) {
        this.#seq = event.seq
        yield event
      }
      if (events.length < READ_AT_ONCE) return
    }
  }

  #rate(event: QualityEvent): void {
    const change = this.ratings.settle(event)
    if (change === null) return
    this.router.rate(change)
    this.tally.rate(change)
  }

  #take(event: StoreEvent): void {
    if (event.kind === 'quality') this.#rate(event)
    else {
      this.router.fold(event)
      this.tally.add(event)
    }
    this.observed.fold(event)
    this.changes++
    if (event.kind === 'attempt') {
      this.parks.fold(event)
      this.quota.fold(event)
      this.crossed(this.budgets.fold(event))
      this.latencyAllowance.fold(event)
      this.silences.fold(event)
      this.uselessAnswers.fold(event)
      if (event.ok && event.session !== null) this.sessions.bind(event.session, event.target.stateId)
    } else if (event.kind === 'lift') {
      this.parks.fold(event)
      if (event.only === undefined) this.quota.lift(event.target)
    }
  }
}
