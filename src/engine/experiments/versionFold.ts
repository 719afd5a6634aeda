/**
 * What one version of an experiment has observed: a fold of its events in log order and nothing else. A value that is
 * reported again for the same request counts as if it had come in the place of the first, so the fold is then repeated
 * from there; a state is kept every so often to begin from.
 */

import { asNumber, asRecord, type Json } from '../../domain/json.ts'
import type { ObservationEvent, StoredEvent } from '../../domain/store.ts'
import { Evidence, savedState } from '../../experiment/evidence.ts'
import { rankOf } from './reports.ts'
import type { Version } from './versions.ts'

/** Steps between two kept states. */
const KEPT_EVERY = 1_000
/** Steps repeated per second at most, on average, for the sake of values reported again. */
const REPEATED_PER_SECOND = 2_000

/** An event that was counted. */
interface Step extends Pick<ObservationEvent, 'trial' | 'at' | 'assigned' | 'outage' | 'lifted'> {
  values: ObservationEvent['values']
  rank: number
  readonly isElsewhere: boolean
  readonly isEnd: boolean
}

/** Units of one variant. */
export interface AnsweredUnits {
  /** Answered or failed in the end. */
  ended: number
  /** Answered by another model or provider than the one that was asked first. */
  elsewhere: number
}

interface SavedFold {
  readonly seq: number
  readonly revision: number
  readonly state: Json
  readonly answered: Json
}

export class VersionFold {
  readonly version: Version
  /** The last event included. */
  seq: number
  isChanged = false
  /** Whether it began without a saved state. */
  readonly isNew: boolean
  #evidence: Evidence
  #answered: Record<string, AnsweredUnits> = {}
  /** All steps so far, kept from the first repeated report on. */
  #steps: Step[] | null = null
  readonly #stepOf = new Map<string, number>()
  readonly #kept: { readonly steps: number; readonly state: Json; readonly answered: Record<string, AnsweredUnits> }[] =
    []
  /** How many of the steps are in the evidence. */
  #folded = 0
  #repeatedAt = Number.NEGATIVE_INFINITY

  /** `saved`: its document; undefined for none. Without a usable one it begins before its first event. */
  constructor(version: Version, saved: unknown) {
    this.version = version
    const record = asRecord(saved)
    const isOfNow = (asNumber(record?.['revision']) ?? 0) === version.revision && record?.['answered'] !== undefined
    const state = isOfNow ? savedState(version.experiment, record?.['state'] as never) : undefined // checked there
    this.isNew = state === undefined
    this.#evidence = new Evidence(version.experiment, state)
    this.seq = state === undefined ? version.startSeq : (asNumber(record?.['seq']) ?? 0)
    if (state !== undefined) this.#answered = record?.['answered'] as never // written by `saved`
  }

  get evidence(): Evidence {
    return this.#evidence
  }

  /** By variant; one that is absent has none. */
  get answered(): Readonly<Record<string, Readonly<AnsweredUnits>>> {
    return this.#answered
  }

  saved(): SavedFold {
    const { seq, version } = this
    const state = structuredClone(this.#evidence.toJSON()) as never // plain JSON by its own word
    return { seq, revision: version.revision, state, answered: structuredClone(this.#answered) as never }
  }

  /** Counts the next event of the log. `earlier` gives all events of this version up to it, this one included. */
  take(event: ObservationEvent & StoredEvent, earlier: () => Iterable<ObservationEvent & StoredEvent>): void {
    if (event.seq <= this.seq) return
    this.isChanged = true
    this.seq = event.seq
    if (this.#steps !== null) this.#add(this.#steps, event)
    else if (event.again === undefined) this.#count(stepOf(event))
    else this.#readBack(earlier())
    // In order: what comes after a value that is not settled yet waits.
    if (this.#steps !== null && !this.isUnsettled) this.#foldOn(this.#steps)
  }

  /** A value before the end was replaced, which the evidence does not contain yet. */
  isUnsettled = false

  /** Whether repeating the fold now, at `now` (milliseconds), stays within what it may cost. */
  maySettle(now: number): boolean {
    const seconds = Math.abs(now - this.#repeatedAt) / 1000
    return seconds >= ((this.#steps?.length ?? 0) - this.#folded) / REPEATED_PER_SECOND
  }

  /** Repeats the fold from the first replaced value on. */
  settle(now: number): void {
    if (!this.isUnsettled || this.#steps === null) return
    this.isUnsettled = false
    this.#foldOn(this.#steps)
    this.#repeatedAt = now
  }

  #readBack(events: Iterable<ObservationEvent & StoredEvent>): void {
    const steps: Step[] = []
    for (const event of events) this.#add(steps, event)
    this.#steps = steps
    this.#restartFrom(0)
  }

  #add(steps: Step[], event: ObservationEvent & StoredEvent): void {
    if (event.again === undefined) {
      this.#stepOf.set(event.id, steps.length)
      steps.push(stepOf(event))
      return
    }
    const at = this.#stepOf.get(event.again)
    const step = at === undefined ? undefined : steps[at]
    const rank = rankOf(event)
    if (at === undefined || step === undefined || rank < step.rank) return
    step.values = numbersIn(event)
    step.rank = rank
    if (at < this.#folded) this.#restartFrom(at)
  }

  /** Goes back to the last kept state of before that step. */
  #restartFrom(step: number): void {
    while ((this.#kept.at(-1)?.steps ?? 0) > step) this.#kept.pop()
    const kept = this.#kept.at(-1)
    // The evidence is replaced when it is complete again: until then the old one answers.
    this.#folded = kept?.steps ?? 0
    this.isUnsettled = true
    this.#next = {
      evidence: new Evidence(this.version.experiment, structuredClone(kept?.state) as never),
      answered: structuredClone(kept?.answered ?? {}),
    }
  }

  #next: { readonly evidence: Evidence; readonly answered: Record<string, AnsweredUnits> } | null = null

  #foldOn(steps: readonly Step[]): void {
    if (this.#next !== null) {
      this.#evidence = this.#next.evidence
      this.#answered = this.#next.answered
      this.#next = null
    }
    while (this.#folded < steps.length) {
      this.#count(steps[this.#folded] as Step) // in range
      this.#folded++
      if (this.#folded % KEPT_EVERY === 0) this.#keep()
    }
  }

  #keep(): void {
    const state = structuredClone(this.#evidence.toJSON()) as never // plain JSON by its own word
    this.#kept.push({ steps: this.#folded, state, answered: structuredClone(this.#answered) })
  }

  #count(step: Step): void {
    this.#evidence.fold(step)
    if (!step.isEnd) return
    const { isElsewhere } = step
    const { variant } = step.trial
    const units = this.#answered[variant] ?? { ended: 0, elsewhere: 0 }
    this.#answered[variant] = units
    units.ended++
    if (isElsewhere) units.elsewhere++
  }
}

function stepOf(event: ObservationEvent): Step {
  const values = numbersIn(event)
  const isEnd = 'success' in values
  const isElsewhere = event.answeredBy !== undefined
  const { trial, at, assigned, outage, lifted } = event
  return {
    trial,
    at,
    values,
    rank: rankOf(event),
    isElsewhere,
    isEnd,
    ...(assigned && { assigned }),
    ...(outage && { outage }),
    ...(lifted !== undefined && { lifted }),
  }
}

/** A damaged file can return anything. */
function numbersIn({ values }: ObservationEvent): ObservationEvent['values'] {
  return Object.fromEntries(
    Object.entries(asRecord(values) ?? {}).flatMap(([metric, value]) =>
      typeof value === 'number' ? [[metric, value]] : [],
    ),
  )
}
