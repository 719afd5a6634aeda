/**
 * What one version of an experiment has observed: a fold of its events in log order and nothing else. A value that is
 * reported again for the same request counts as if it had come in the place of the first, so the fold is then repeated
 * from there; a state is kept every so often to begin from.
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
/** Steps repeated per second at most, on average, for the sake of values reported again. */
const REPEATED_PER_SECOND = 2_000

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
  /** The fold that is to be repeated from here; until it is, the old one answers. Null when nothing waits. */
  #next: Folded | null = null
  /** All steps so far, kept from the first repeated report on. */
  #steps: Step[] | null = null
  readonly #stepOf = new Map<string, number>()
  readonly #kept: SavedFold[] = []
  #repeatedAt = Number.NEGATIVE_INFINITY

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
    return this.#next !== null
  }

  /** Call when nothing is unsettled. */
  saved(): SavedFold & { readonly revision: number } {
    return { ...savedOf(this.#folded, this.seq), revision: this.version.revision }
  }

  /** Counts the next event of the log. `earlier` gives all events of this version up to it, this one included. */
  take(event: StoredObservation, earlier: () => Iterable<StoredObservation>): void {
    if (event.seq <= this.seq) return
    this.isChanged = true
    this.seq = event.seq
    if (this.#steps !== null) this.#add(this.#steps, event)
    else if (event.again === undefined) this.#count(this.#folded, event)
    else this.#readBack(earlier())
    // In order: what comes after a value that is not settled yet waits.
    if (this.#steps !== null && this.#next === null) this.#foldOn(this.#folded, this.#steps)
  }

  /** Whether repeating the fold now, at `now` (milliseconds), stays within what it may cost. */
  maySettle(now: number): boolean {
    const seconds = Math.abs(now - this.#repeatedAt) / 1000
    return seconds >= ((this.#steps?.length ?? 0) - (this.#next?.firsts ?? 0)) / REPEATED_PER_SECOND
  }

  /** Repeats the fold from the first replaced value on. */
  settle(now: number): void {
    if (this.#next === null || this.#steps === null) return
    this.#folded = this.#next
    this.#next = null
    this.#foldOn(this.#folded, this.#steps)
    this.#repeatedAt = now
  }

  #readBack(events: Iterable<StoredObservation>): void {
    const steps: Step[] = []
    for (const event of events) this.#add(steps, event)
    // A store in memory drops its oldest events: then the value stays as it was, rather than losing theirs.
    if (steps.length < this.#folded.firsts) return this.#stepOf.clear()
    this.#steps = steps
    this.#restartFrom(0)
  }

  #add(steps: Step[], event: StoredObservation): void {
    const rank = rankOf(event)
    if (event.again === undefined) {
      this.#stepOf.set(event.id, steps.length)
      steps.push({ event, rank })
      return
    }
    const at = this.#stepOf.get(event.again)
    const step = at === undefined ? undefined : steps[at]
    if (at === undefined || step === undefined || rank < step.rank) return
    step.event = { ...step.event, values: event.values }
    step.rank = rank
    if (this.#steps !== null && at < (this.#next ?? this.#folded).firsts) this.#restartFrom(at)
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

  #foldOn(folded: Folded, steps: readonly Step[]): void {
    while (folded.firsts < steps.length) {
      const { event } = present(steps[folded.firsts])
      this.#count(folded, event)
      if (folded.firsts % KEPT_EVERY === 0) this.#kept.push(savedOf(folded, event.seq))
    }
  }

  #count(folded: Folded, event: StoredObservation): void {
    const { evidence, answered } = folded
    const { variant } = event.trial
    folded.firsts++
    const guard = this.#guardAt(event.seq)
    if (guard !== folded.guard) evidence.useGuard(guard)
    folded.guard = guard
    // A damaged file can return anything.
    const values = asRecord(event.values) ?? {}
    for (const [metric, value] of Object.entries(values))
      if (typeof value === 'number') evidence.observe(variant, metric, value)
    if (values['success'] === undefined) return
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
