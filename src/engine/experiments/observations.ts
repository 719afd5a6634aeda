/**
 * The evidence of every experiment: a fold of the observations in the order of the log and nothing else, so that every
 * process, and every later start, comes to the same numbers. The log keeps each observation once (its id names the unit
 * and what was seen), so nothing is counted twice however often or by whomever it is reported.
 */

import { asNumber, asRecord } from '../../domain/json.ts'
import type { ObservationEvent, Store, StoredEvent } from '../../domain/store.ts'
import { Evidence, savedState } from '../../experiment/evidence.ts'
import type { Experiment } from '../../experiment/experiment.ts'
import { type ExperimentVersions, type Version, versionKey } from './versions.ts'

const COLLECTION = 'evidence'
/** The document that says up to where in the log all the others reach. */
const REACH = '.reach'
const READ_AT_ONCE = 1000

interface SavedObservation {
  readonly evidence: Evidence
  /** Events up to this place are in it. */
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

  /** Reads on in the log. Returns the versions of which something was seen. */
  sync(): ReadonlySet<string> {
    const seen = new Set<string>()
    let last = this.#store.lastSeq()
    // A damaged store was set aside: what is there now begins anew.
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

  /** Keeps the fold, so that the next start reads little. Saving what another process knows better changes nothing. */
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

  /** Adds a version; what is already known of it is taken from where it was saved. */
  #open({ experiment, startSeq }: Version): void {
    const key = versionKey(experiment)
    if (this.#rows.has(key)) return
    const saved = asRecord(this.#store.getDoc(COLLECTION, key))
    const state = savedState(experiment, saved?.['state'] as never) // checked there
    const isLost = saved !== undefined && state === undefined
    // Without a document nothing of it lies before the reach; with a damaged one all of it is read again.
    const seq = state === undefined ? startSeq : seqOf(saved)
    this.#rows.set(key, { evidence: new Evidence(experiment, state), seq, isChanged: false })
    if (isLost) this.#seq = Math.min(this.#seq, startSeq)
  }

  /** Versions that were started since the last look. */
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
    for (const [metric, value] of Object.entries(asRecord(event.values) ?? {})) {
      if (typeof value === 'number') row.evidence.observe(event.trial.variant, metric, value)
    }
    seen.add(versionKey(row.evidence.experiment))
  }

  #rowOf({ trial }: ObservationEvent): SavedObservation | undefined {
    const key = `${trial?.experiment}@${trial?.version}`
    const row = this.#rows.get(key)
    if (row !== undefined) return row
    // Another process may have started it a moment ago.
    if (this.#versions.reload()) this.openNew()
    return this.#rows.get(key)
  }
}

const seqOf = (doc: unknown) => asNumber(asRecord(doc)?.['seq']) ?? 0
