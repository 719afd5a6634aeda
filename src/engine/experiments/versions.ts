/**
 * All experiments ever started, each with all its versions, in the store and so shared by its processes. An experiment
 * changed while running becomes a new version with data of its own; one changed back to an earlier definition continues
 * that version.
 */

import { asArray, asNumber, asRecord, asString, type Json } from '../../domain/json.ts'
import { present } from '../../domain/present.ts'
import type { Store } from '../../domain/store.ts'
import { type Definition, meansTheSame, readAgain } from '../../experiment/definition.ts'
import type { Experiment } from '../../experiment/experiment.ts'

/** Why a version stopped: by a person, replaced by another version, or removed from the configuration. */
export type StopCause = 'person' | 'changed' | 'removed'

export interface Version {
  readonly experiment: Experiment
  readonly written: Json
  /** `command`, or the configuration that defines it. */
  readonly source: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  /** Position in the log: all of its observations come later. */
  readonly startSeq: number
  readonly stopped: { readonly at: number; readonly cause: StopCause } | null
  /** The variant every request gets since it was stopped; null: requests run as usual. */
  readonly kept: string | null
  /** Epoch milliseconds at which its result was reported. */
  readonly decidedAt: number | null
}

export const COMMAND = 'command'
const COLLECTION = 'experiments'

/** Identifies one version of an experiment. */
export const versionKey = ({ name, version }: Pick<Experiment, 'name' | 'version'>) => `${name}@${version}`

export class ExperimentVersions {
  readonly #store: Store
  #versions = new Map<string, readonly Version[]>()
  /** The last text read, so that an unchanged store is not parsed again. */
  #text = ''

  constructor(store: Store) {
    this.#store = store
    this.reload()
  }

  /** Reads what other processes changed. Returns whether anything did. */
  reload(): boolean {
    const docs = this.#store.listDocs(COLLECTION)
    const text = JSON.stringify(docs)
    if (text === this.#text) return false
    this.#text = text
    this.#versions = new Map(docs.map(([name, doc]) => [name, readVersions(doc)]))
    return true
  }

  names(): readonly string[] {
    return [...this.#versions.keys()]
  }

  /** Oldest first; empty for an unknown name. */
  versionsOf(name: string): readonly Version[] {
    return this.#versions.get(name) ?? []
  }

  /** The running version, else the last one that ran. */
  current(name: string): Version | undefined {
    return currentOf(this.versionsOf(name))
  }

  /** The version with this definition. */
  find({ experiment }: Pick<Definition, 'experiment'>): Version | undefined {
    return this.versionsOf(experiment.name).find((version) => meansTheSame(version.experiment, experiment))
  }

  /** The same, created when there is none; it replaces earlier versions of the same source. */
  adopt({ written, experiment }: Definition, source: string, now: number): Version {
    const { name } = experiment
    const known = this.find({ experiment })
    if (known !== undefined && known.source === source && !mayResume(known, source) && this.#isAlone(known))
      return known
    const startSeq = this.#store.lastSeq()
    this.#change(name, (versions) => adopted(versions, { written, experiment, source, now, startSeq }))
    return present(this.find({ experiment })) // `adopted` put it there
  }

  /** Stops an experiment. `keep`: the variant every request gets from now on. */
  stop(name: string, cause: StopCause, now: number, keep: string | null = null): void {
    this.#change(name, (versions) => {
      const current = currentOf(versions)
      return versions.map((version) => {
        // A person may still choose what to keep of one that is already stopped.
        if (version.stopped !== null && !(version === current && cause === 'person')) return version
        return { ...version, stopped: version.stopped ?? { at: now, cause }, kept: keep }
      })
    })
  }

  /** Marks the result as reported. True for the one process that must report it. */
  markReported({ experiment }: Version, now: number): boolean {
    let isFirst = false
    this.#change(experiment.name, (versions) => {
      isFirst = false
      return versions.map((one) => {
        if (one.experiment.version !== experiment.version || one.decidedAt !== null) return one
        isFirst = true
        return { ...one, decidedAt: now }
      })
    })
    return isFirst
  }

  #isAlone(version: Version): boolean {
    return this.versionsOf(version.experiment.name).every(
      (other) => other === version || other.source !== version.source || other.stopped !== null,
    )
  }

  #change(name: string, change: (versions: readonly Version[]) => readonly Version[]): void {
    this.#store.updateDoc(COLLECTION, name, (doc) => ({ versions: change(readVersions(doc)).map(writeVersion) }))
    this.reload()
  }
}

function currentOf(versions: readonly Version[]): Version | undefined {
  const endOf = ({ stopped }: Version) => stopped?.at ?? Number.POSITIVE_INFINITY
  let current = versions[0]
  for (const version of versions) if (current === undefined || endOf(version) >= endOf(current)) current = version
  return current
}

/** A stop by a person holds until the configuration changes; a person may start it again. */
function mayResume({ stopped }: Version, source: string): boolean {
  return stopped !== null && (source === COMMAND || stopped.cause !== 'person')
}

type Start = Definition & Pick<Version, 'source' | 'startSeq'> & { readonly now: number }

function adopted(versions: readonly Version[], { written, experiment, source, now, startSeq }: Start): Version[] {
  const others = (one: Version) =>
    one.source === source && one.stopped === null ? { ...one, stopped: { at: now, cause: 'changed' as const } } : one
  const known = versions.find((one) => meansTheSame(one.experiment, experiment))
  if (known !== undefined) {
    const resumed = mayResume(known, source) ? { ...known, source, stopped: null, kept: null } : { ...known, source }
    return versions.map((one) => (one === known ? resumed : others(one)))
  }
  const version = Math.max(0, ...versions.map((one) => one.experiment.version)) + 1
  const fresh = { stopped: null, kept: null, decidedAt: null, startedAt: now, startSeq, source, written }
  return [...versions.map(others), { ...fresh, experiment: { ...experiment, version } }]
}

function writeVersion({ experiment, written, ...rest }: Version): Json {
  return { ...rest, version: experiment.version, written }
}

/** Invalid entries are dropped. */
function readVersions(doc: Json | undefined): readonly Version[] {
  return (asArray(asRecord(doc)?.['versions']) ?? []).flatMap((entry) => readVersion(entry) ?? [])
}

function readVersion(entry: unknown): Version | undefined {
  const record = asRecord(entry)
  const experiment = readAgain(record?.['written'], asNumber(record?.['version']) ?? 1)
  if (record === undefined || experiment === undefined) return undefined
  const stopped = asRecord(record['stopped'])
  const cause = asString(stopped?.['cause'])
  return {
    experiment,
    written: record['written'] as Json, // it was read from JSON
    source: asString(record['source']) ?? COMMAND,
    startedAt: asNumber(record['startedAt']) ?? 0,
    startSeq: asNumber(record['startSeq']) ?? 0,
    stopped:
      stopped === undefined
        ? null
        : { at: asNumber(stopped['at']) ?? 0, cause: cause === 'changed' || cause === 'removed' ? cause : 'person' },
    kept: asString(record['kept']) ?? null,
    decidedAt: asNumber(record['decidedAt']) ?? null,
  }
}
