/**
 * The evidence of every experiment: a fold of the observations in log order and nothing else, so that every
 * process, and every restart, gets the same numbers. The log keeps each observation once (its id names the unit
 * and the metric), so nothing is counted twice however often it is reported.
 */

import { asNumber, asRecord } from '../../domain/json.ts'
import type { ObservationEvent, Store, StoredEvent } from '../../domain/store.ts'
import { Evidence, savedState } from '../../experiment/evidence.ts'
import type { Experiment } from '../../experiment/experiment.ts'
import { type ExperimentVersions, type Version, versionKey } from './versions.ts'

const COLLECTION = 'evidence'
/** The document that stores the log position covered by all the others. */
const REACH = '.reach'
const READ_AT_ONCE = 1000

interface SavedObservation {
  readonly evidence: Evidence
  /** The last event included. */
  seq: number
  isChanged: boolean
}

export class ExperimentObservations {
  readonly #store: Store
  readonly #versions: ExperimentVersions
  #rows = new Map<string, SavedObservation>()
  #seq = 0
  #savedSeq = -1

  constructor(store: Store, versions: ExperimentVersions) {
    this.#store = store
    this.#versions = versions
    this.#load()
  }

  of(experiment: Pick<Experiment, 'name' | 'version'>): Evidence | undefined {
    return this.#rows.get(versionKey(experiment))?.evidence
  }

  /** Reads the log further. Returns the versions with new observations. */
  sync(): ReadonlySet<string> {
    const seen = new Set<string>()
    let last = this.#store.lastSeq()
    // A damaged store was set aside: start again with what is there now.
    if (last < this.#seq) this.#load()
    for (;;) {
      const events = this.#store.read(this.#seq, READ_AT_ONCE, null, 'observation')
      for (const event of events) this.#take(event, seen)
      const isAll = events.length < READ_AT_ONCE
      this.#seq = Math.max(events.at(-1)?.seq ?? 0, isAll ? last : this.#seq)
      if (isAll) return seen
      last = this.#store.lastSeq()
    }
  }

  /** Saves the fold, so that the next start reads little. Never overwrites a later state of another process. */
  save(): void {
    if (this.#savedSeq === this.#seq) return
    for (const [key, row] of this.#rows) {
      if (!row.isChanged) continue
      row.isChanged = false
      const mine = { seq: row.seq, state: structuredClone(row.evidence.toJSON()) as never } // plain JSON by its own word
      this.#keepLater(key, mine)
    }
    this.#keepLater(REACH, { seq: this.#seq })
    this.#savedSeq = this.#seq
  }

  #keepLater(key: string, mine: { readonly seq: number }): void {
    this.#store.updateDoc(COLLECTION, key, (saved) => (seqOf(saved) > mine.seq ? saved : mine))
  }

  #load(): void {
    this.#rows = new Map()
    this.#seq = seqOf(this.#store.getDoc(COLLECTION, REACH))
    this.#savedSeq = this.#seq
    for (const name of this.#versions.names())
      for (const version of this.#versions.versionsOf(name)) this.#open(version)
  }

  /** Adds a version with its saved state. */
  #open({ experiment, startSeq }: Version): void {
    const key = versionKey(experiment)
    if (this.#rows.has(key)) return
    const saved = asRecord(this.#store.getDoc(COLLECTION, key))
    const state = savedState(experiment, saved?.['state'] as never) // checked there
    const isLost = saved !== undefined && state === undefined
    // Without a document it has no earlier events; with a damaged one all of them are read again.
    const seq = state === undefined ? startSeq : seqOf(saved)
    this.#rows.set(key, { evidence: new Evidence(experiment, state), seq, isChanged: false })
    if (isLost) this.#seq = Math.min(this.#seq, startSeq)
  }

  /** Versions started since the last call. */
  openNew(): void {
    for (const name of this.#versions.names())
      for (const version of this.#versions.versionsOf(name)) this.#open(version)
  }

  #take(event: StoredEvent, seen: Set<string>): void {
    if (event.kind !== 'observation') return
    const row = this.#rowOf(event)
    if (row === undefined || event.seq <= row.seq) return
    row.seq = event.seq
    row.isChanged = true
    row.evidence.fold(event)
    seen.add(versionKey(row.evidence.experiment))
  }

  #rowOf({ trial }: ObservationEvent): SavedObservation | undefined {
    const key = `${trial?.experiment}@${trial?.version}`
    const row = this.#rows.get(key)
    if (row !== undefined) return row
    // Another process may just have started it.
    if (this.#versions.reload()) this.openNew()
    return this.#rows.get(key)
  }
}

const seqOf = (doc: unknown) => asNumber(asRecord(doc)?.['seq']) ?? 0
