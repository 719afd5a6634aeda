/**
 * The evidence of every experiment: a fold of the observations in log order and nothing else, so that every
 * process, and every restart, gets the same numbers. The log keeps the first observation of each unit and metric once
 * (its id names both); reports that replace its value follow as events of their own, which name it.
 */

import { asNumber, asRecord } from '../../domain/json.ts'
import type { ObservationEvent, Store, StoredEvent } from '../../domain/store.ts'
import type { Evidence } from '../../experiment/evidence.ts'
import type { Experiment } from '../../experiment/experiment.ts'
import { type AnsweredUnits, VersionFold } from './versionFold.ts'
import { type ExperimentVersions, type Version, versionKey } from './versions.ts'

type StoredObservation = ObservationEvent & StoredEvent

const COLLECTION = 'evidence'
/** The document that stores the log position covered by all the others. */
const REACH = '.reach'
const READ_AT_ONCE = 1000
/** Steps per version that a sync repeats at most for the sake of values that were reported again, if it is thrifty. */
const THRIFTY_STEPS = 2000

export class ExperimentObservations {
  readonly #store: Store
  readonly #versions: ExperimentVersions
  #folds = new Map<string, VersionFold>()
  #seq = 0
  #savedSeq = -1

  constructor(store: Store, versions: ExperimentVersions) {
    this.#store = store
    this.#versions = versions
    this.#load()
  }

  of(experiment: Pick<Experiment, 'name' | 'version'>): Evidence | undefined {
    return this.#folds.get(versionKey(experiment))?.evidence
  }

  /** By variant: units that were answered, and by whom. */
  answeredIn(experiment: Pick<Experiment, 'name' | 'version'>): Readonly<Record<string, AnsweredUnits>> {
    return this.#folds.get(versionKey(experiment))?.answered ?? {}
  }

  /**
   * Reads the log further. Returns the versions whose evidence changed. `isThrifty`: values that were reported again may
   * come into the evidence later, when that would take long.
   */
  sync(isThrifty = false): ReadonlySet<string> {
    const seen = new Set<string>()
    let last = this.#store.lastSeq()
    // A damaged store was set aside: start again with what is there now.
    if (last < this.#seq) this.#load()
    for (;;) {
      const from = this.#seq
      const events = this.#store.read(from, READ_AT_ONCE, null, 'observation')
      for (const event of events) this.#take(event, seen)
      // A version was found on the way that has to be read from further back.
      if (this.#seq < from) continue
      const isAll = events.length < READ_AT_ONCE
      this.#seq = Math.max(events.at(-1)?.seq ?? 0, isAll ? last : this.#seq)
      if (isAll) break
      last = this.#store.lastSeq()
    }
    const most = isThrifty ? THRIFTY_STEPS : Number.POSITIVE_INFINITY
    for (const [key, fold] of this.#folds) if (fold.isUnsettled && fold.settle(most)) seen.add(key)
    return seen
  }

  /**
   * Saves the fold, so that the next start reads little; not while a version is unsettled. Never overwrites a later state
   * of another process.
   */
  save(): void {
    if (this.#savedSeq === this.#seq || [...this.#folds.values()].some(({ isUnsettled }) => isUnsettled)) return
    for (const [key, fold] of this.#folds) {
      if (!fold.isChanged) continue
      fold.isChanged = false
      this.#keepLater(key, fold.saved() as never) // plain JSON
    }
    this.#keepLater(REACH, { seq: this.#seq })
    this.#savedSeq = this.#seq
  }

  #keepLater(key: string, mine: { readonly seq: number; readonly revision?: number }): void {
    const isLater = (saved: unknown) => {
      const revision = revisionOf(saved) - (mine.revision ?? 0)
      return revision === 0 ? seqOf(saved) > mine.seq : revision > 0
    }
    this.#store.updateDoc(COLLECTION, key, (saved) => (isLater(saved) ? saved : mine))
  }

  #load(): void {
    this.#folds = new Map()
    this.#seq = seqOf(this.#store.getDoc(COLLECTION, REACH))
    this.#savedSeq = this.#seq
    this.openNew()
  }

  /** Versions started since the last call, and those whose rules changed, which read their data again. */
  openNew(): void {
    for (const name of this.#versions.names())
      for (const version of this.#versions.versionsOf(name)) this.#open(version)
  }

  #open(version: Version): void {
    const key = versionKey(version.experiment)
    const known = this.#folds.get(key)
    if (known !== undefined && known.version.revision === version.revision) return
    const saved = this.#store.getDoc(COLLECTION, key)
    const fold = new VersionFold(version, saved)
    this.#folds.set(key, fold)
    // Without a document it has no earlier events. With a damaged one, or one by other rules, they are read again.
    if (known !== undefined || (saved !== undefined && fold.isNew)) this.#seq = Math.min(this.#seq, fold.seq)
  }

  #take(event: StoredEvent, seen: Set<string>): void {
    if (event.kind !== 'observation') return
    const fold = this.#foldOf(event)
    if (fold === undefined || event.seq <= fold.seq) return
    this.#count(fold, event)
    seen.add(versionKey(fold.version.experiment))
  }

  #count(fold: VersionFold, event: StoredObservation): void {
    fold.take(event, () => this.#eventsOf(fold.version, fold.version.startSeq, event.seq))
  }

  /** The observations of a version after one position of the log, up to another. */
  *#eventsOf({ experiment }: Version, afterSeq: number, upToSeq: number): Generator<StoredObservation> {
    for (let seq = afterSeq; seq < upToSeq; ) {
      const events = this.#store.read(seq, READ_AT_ONCE, null, 'observation')
      for (const event of events) {
        if (event.seq > upToSeq) return
        if (event.kind === 'observation' && keyIn(event) === versionKey(experiment)) yield event
      }
      const last = events.at(-1)
      if (last === undefined || events.length < READ_AT_ONCE) return
      seq = last.seq
    }
  }

  #foldOf(event: ObservationEvent): VersionFold | undefined {
    const fold = this.#folds.get(keyIn(event))
    if (fold !== undefined) return fold
    // Another process may just have started it.
    if (this.#versions.reload()) this.openNew()
    return this.#folds.get(keyIn(event))
  }
}

const keyIn = ({ trial }: ObservationEvent) => `${trial?.experiment}@${trial?.version}`
const seqOf = (doc: unknown) => asNumber(asRecord(doc)?.['seq']) ?? 0
const revisionOf = (doc: unknown) => asNumber(asRecord(doc)?.['revision']) ?? 0
