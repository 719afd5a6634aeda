/**
 * What one version of an experiment has observed: a fold of its events in log order and nothing else. A value that is
 * reported again for the same request counts as if it had come in the place of the first, so the fold is then repeated
 * from there, a part at a time; a state is kept every so often to begin from.
 */

import { asNumber, asRecord, type Json } from '../../domain/json.ts'
import { present } from '../../domain/present.ts'
import type { ObservationEvent, StoredEvent } from '../../domain/store.ts'
import { readAgain } from '../../experiment/definition.ts'
import { Evidence, savedState } from '../../experiment/evidence.ts'
import type { Guard } from '../../experiment/experiment.ts'
import { rankOf } from './reports.ts'
import type { Version } from './versions.ts'

/** Steps between two kept states. */
const KEPT_EVERY = 1_000
type StoredObservation = ObservationEvent & StoredEvent

/** Units of one variant. */
export interface AnsweredUnits {
  /** Answered or failed in the end. */
  ended: number
  /** Answered by another model or provider than the one that was to. */
  elsewhere: number
}

/** The first event of a unit and observation, with the values that count. */
interface Step {
  event: StoredObservation
  rank: number
}

/** What is folded so far. */
interface Folded {
  readonly evidence: Evidence
  readonly answered: Record<string, AnsweredUnits>
  /** How many steps. */
  firsts: number
  guard: Guard
}

/** The steps that are still to be read, and what came in the meantime. */
interface ReadBack {
  readonly earlier: Iterator<StoredObservation>
  readonly since: StoredObservation[]
}

/** A state to go on from: plain JSON. */
interface SavedFold {
  /** The last event included. */
  readonly seq: number
  readonly state: Json
  readonly answered: Json
  readonly firsts: number
}

export class VersionFold {
  readonly version: Version
  /** The last event included. */
  seq: number
  isChanged = false
  /** Whether it began without a saved state. */
  readonly isNew: boolean
  /** Each with the event after which it holds, in order. */
  readonly #guards: readonly { readonly after: number; readonly guard: Guard }[]
  #folded: Folded
  /** The fold that is being repeated; until it is complete, the old one goes on. Null when none is. */
  #next: Folded | null = null
  /** All steps so far, from the first repeated report on; incomplete while they are read. */
  readonly #steps: Step[] = []
  readonly #stepOf = new Map<string, number>()
  /** Null before and after the steps are read. */
  #reading: ReadBack | null = null
  #hasSteps = false
  readonly #kept: SavedFold[] = []

  /** `saved`: its document; undefined for none. Without a usable one it begins before its first event. */
  constructor(version: Version, saved: unknown) {
    this.version = version
    this.#guards = guardsOf(version)
    const usable = usableIn(saved, version)
    this.isNew = usable === undefined
    this.seq = usable?.seq ?? version.startSeq
    this.#folded = this.#foldFrom(usable)
  }

  get evidence(): Evidence {
    return this.#folded.evidence
  }

  /** By variant; one that is absent has none. */
  get answered(): Readonly<Record<string, Readonly<AnsweredUnits>>> {
    return this.#folded.answered
  }

  /** A value that was replaced is not in the evidence yet. */
  get isUnsettled(): boolean {
    return this.#next !== null || this.#reading !== null
  }

  /** Call when nothing is unsettled: a later start goes on after `seq`. */
  saved(): SavedFold & { readonly revision: number } {
    return { ...savedOf(this.#folded, this.seq), revision: this.version.revision }
  }

  /** Counts the next event of the log. `earlier` gives all events of this version up to it, this one included. */
  take(event: StoredObservation, earlier: () => Iterator<StoredObservation>): void {
    if (event.seq <= this.seq) return
    this.isChanged = true
    this.seq = event.seq
    if (event.again === undefined) this.#count(this.#folded, event)
    if (this.#reading !== null) this.#reading.since.push(event)
    else if (this.#hasSteps) this.#add(event)
    else if (event.again !== undefined) this.#reading = { earlier: earlier(), since: [] }
    const isWhole = this.#hasSteps && !this.isUnsettled && event.again === undefined
    if (isWhole && this.#folded.firsts % KEPT_EVERY === 0) this.#kept.push(savedOf(this.#folded, event.seq))
  }

  /** Goes on with what is to be repeated, at most so many steps. Returns whether the evidence has another value now. */
  settle(most: number): boolean {
    let left = most
    while (this.#reading !== null && left-- > 0) this.#readOn(this.#reading)
    if (this.#next === null) return false
    while (this.#next.firsts < this.#steps.length && left-- > 0) this.#foldOn(this.#next)
    if (this.#next.firsts < this.#steps.length) return false
    this.#folded = this.#next
    this.#next = null
    return true
  }

  #readOn({ earlier, since }: ReadBack): void {
    const { value, done } = earlier.next()
    if (done !== true) return this.#add(value)
    this.#reading = null
    for (const event of since) this.#add(event)
    // A store in memory drops its oldest events: then the value stays as it was, rather than losing theirs.
    this.#hasSteps = this.#steps.length >= this.#folded.firsts
    if (this.#hasSteps) return this.#restartFrom(0)
    this.#steps.length = 0
    this.#stepOf.clear()
  }

  #add(event: StoredObservation): void {
    const rank = rankOf(event)
    if (event.again === undefined) {
      this.#stepOf.set(event.id, this.#steps.length)
      this.#steps.push({ event, rank })
      return
    }
    const at = this.#stepOf.get(event.again)
    const step = at === undefined ? undefined : this.#steps[at]
    if (at === undefined || step === undefined || rank < step.rank) return
    step.event = { ...step.event, values: event.values }
    step.rank = rank
    if (this.#hasSteps && at < (this.#next ?? this.#folded).firsts) this.#restartFrom(at)
  }

  /** Goes back to the last kept state of before that step. */
  #restartFrom(step: number): void {
    while ((this.#kept.at(-1)?.firsts ?? 0) > step) this.#kept.pop()
    this.#next = this.#foldFrom(structuredClone(this.#kept.at(-1)))
  }

  /** Undefined: from the start. */
  #foldFrom(saved: SavedFold | undefined): Folded {
    const evidence = new Evidence(this.version.experiment, saved?.state as never) // checked where it came in
    const answered = (saved?.answered ?? {}) as never // as `savedOf` wrote it
    const guard = this.#guardAt(saved?.seq ?? 0)
    evidence.useGuard(guard)
    return { evidence, answered, firsts: saved?.firsts ?? 0, guard }
  }

  #foldOn(folded: Folded): void {
    const { event } = present(this.#steps[folded.firsts])
    this.#count(folded, event)
    if (folded.firsts % KEPT_EVERY === 0) this.#kept.push(savedOf(folded, event.seq))
  }

  #count(folded: Folded, event: StoredObservation): void {
    const { evidence, answered } = folded
    const { variant } = event.trial
    folded.firsts++
    const guard = this.#guardAt(event.seq)
    if (guard !== folded.guard) evidence.useGuard(guard)
    folded.guard = guard
    evidence.fold(event)
    // A damaged file can return anything.
    if (asRecord(event.values)?.['success'] === undefined) return
    const units = answered[variant] ?? { ended: 0, elsewhere: 0 }
    answered[variant] = units
    units.ended++
    if (event.answeredBy !== undefined) units.elsewhere++
  }

  /** Of that event; the same object for as long as it holds. */
  #guardAt(seq: number): Guard {
    return (this.#guards.findLast(({ after }) => seq > after) ?? present(this.#guards[0])).guard
  }
}

/** A guard judges what comes while it holds: what it stopped was not assigned, and no other guard can undo that. */
function guardsOf({ experiment, ruleChanges }: Version): { readonly after: number; readonly guard: Guard }[] {
  const rules = [...ruleChanges.map(({ before }) => readAgain(before, experiment.version) ?? experiment), experiment]
  return rules.map(({ guard }, index) => ({ after: ruleChanges[index - 1]?.seq ?? -1, guard }))
}

function usableIn(saved: unknown, { experiment, revision }: Version): SavedFold | undefined {
  const record = asRecord(saved)
  const state = savedState(experiment, record?.['state'] as never) // checked there
  // Stores of before have no counts of answers.
  const isOfNow = (asNumber(record?.['revision']) ?? 0) === revision && record?.['answered'] !== undefined
  if (!isOfNow || state === undefined) return undefined
  const [seq, firsts] = [asNumber(record?.['seq']) ?? 0, asNumber(record?.['firsts']) ?? 0]
  return { seq, firsts, state: state as never, answered: record?.['answered'] as Json } // plain JSON
}

function savedOf({ evidence, answered, firsts }: Folded, seq: number): SavedFold {
  const state = structuredClone(evidence.toJSON()) as never // plain JSON by its own word
  return { seq, state, answered: structuredClone(answered) as never, firsts }
}
