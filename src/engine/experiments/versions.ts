/**
 * All experiments ever started, each with all its versions, in the store and so shared by its processes. An edit of what
 * is compared makes a new version with data of its own, whose units keep their variants as far as the shares allow; one
 * changed back to an earlier definition continues that version. An edit of the rules alone goes on with the data.
 */

import { asArray, asNumber, asRecord, asString, type Json } from '../../domain/json.ts'
import { present } from '../../domain/present.ts'
import type { Store } from '../../domain/store.ts'
import { type Dealing, dealAfresh, dealAgain, dealtByVersion, readDealing } from '../../experiment/dealing.ts'
import { type Definition, readAgain } from '../../experiment/definition.ts'
import { decidesAlike, hasSameData, hasSameRules, renamedVariants, rulesNote } from '../../experiment/edit.ts'
import type { Experiment } from '../../experiment/experiment.ts'

/** Why a version stopped: by a person, replaced by another version, or removed from the configuration. */
export type StopCause = 'person' | 'changed' | 'removed'

/** An edit of the rules by which the data of a version is read. */
interface RuleChange {
  /** Epoch milliseconds. */
  readonly at: number
  /** The position in the log after which the new rules hold, where rules are about what is still to come. */
  readonly seq: number
  /** The definition before it, as written. */
  readonly before: Json
  /** Whether there were observations whose result may have suggested it. */
  readonly hadData: boolean
}

export interface Version {
  /** With the rules of now. */
  readonly experiment: Experiment
  /** Which unit gets which variant; never changes. */
  readonly dealing: Dealing
  /** Grows with every edit of the rules, after which the data is read again. */
  readonly revision: number
  /** Oldest first; the oldest are dropped after `MOST_CHANGES`. */
  readonly ruleChanges: readonly RuleChange[]
  /** The version that this one replaced when it was new; null for the first. */
  readonly replaced: number | null
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
const MOST_CHANGES = 20

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

  /** The version that has the data of this definition, whatever rules it is read by. */
  find({ experiment }: Pick<Definition, 'experiment'>): Version | undefined {
    return versionOf(this.versionsOf(experiment.name), experiment)
  }

  /** The version before this one; undefined for the first. */
  before({ experiment, replaced }: Version): Version | undefined {
    return this.versionsOf(experiment.name).find((one) => one.experiment.version === replaced)
  }

  /**
   * The same with these rules, created when there is none; it replaces earlier versions of the same source. `hasData`:
   * whether a version has observations.
   */
  adopt(
    { written, experiment }: Definition,
    source: string,
    now: number,
    hasData: (version: Version) => boolean = () => false,
  ): Version {
    const { name } = experiment
    const known = this.find({ experiment })
    const isAsWanted = known !== undefined && known.source === source && hasSameRules(known.experiment, experiment)
    if (isAsWanted && !mayResume(known, source) && this.#isAlone(known)) return known
    const startSeq = this.#store.lastSeq()
    const hadData = known !== undefined && hasData(known)
    this.#change(name, (versions) => adopted(versions, { written, experiment, source, now, startSeq, hadData }))
    return present(this.find({ experiment })) // `adopted` put it there
  }

  /** What a verdict on this version has to say of its rules; null for nothing. */
  rulesNote({ experiment, ruleChanges }: Version): string | null {
    const earlier = ruleChanges.flatMap(({ before, hadData }) => (hadData ? (readAgain(before, 1) ?? []) : []))
    return rulesNote(earlier, experiment)
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

  /** Takes a stop by a person back, where the configuration still defines the experiment. */
  goOn({ experiment }: Pick<Version, 'experiment'>): void {
    this.#change(experiment.name, (versions) =>
      versions.map((one) =>
        one.experiment.version === experiment.version && one.stopped?.cause === 'person'
          ? { ...one, stopped: null, kept: null }
          : one,
      ),
    )
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

/**
 * Stores of before may have the same data under several rules as several versions, each dealt anew. Then the one that
 * runs goes on, so that no unit moves; with the same rules first, as two configurations may each have one running.
 */
function versionOf(versions: readonly Version[], experiment: Experiment): Version | undefined {
  const same = versions.filter((version) => hasSameData(version.experiment, experiment))
  const alike = same.filter((version) => hasSameRules(version.experiment, experiment))
  const current = currentOf(versions)
  const isCurrent = current !== undefined && same.includes(current)
  return alike.find(({ stopped }) => stopped === null) ?? (isCurrent ? current : (alike[0] ?? currentOf(same)))
}

type Start = Definition & Pick<Version, 'source' | 'startSeq'> & { readonly now: number; readonly hadData: boolean }

function adopted(versions: readonly Version[], start: Start): Version[] {
  const { experiment, source, now } = start
  const others = (one: Version) =>
    one.source === source && one.stopped === null ? { ...one, stopped: { at: now, cause: 'changed' as const } } : one
  const known = versionOf(versions, experiment)
  if (known === undefined) return [...versions.map(others), newVersion(versions, start)]
  const resumed = mayResume(known, source) ? { ...known, source, stopped: null, kept: null } : { ...known, source }
  return versions.map((one) => (one === known ? withRules(resumed, start) : others(one)))
}

function newVersion(versions: readonly Version[], { written, experiment, source, now, startSeq }: Start): Version {
  const before = currentOf(versions)
  return {
    experiment: { ...experiment, version: Math.max(0, ...versions.map((one) => one.experiment.version)) + 1 },
    dealing:
      before === undefined
        ? dealAfresh(experiment)
        : dealAgain(before.dealing, experiment, renamedVariants(before.experiment, experiment)),
    revision: 0,
    ruleChanges: [],
    replaced: before?.experiment.version ?? null,
    written,
    source,
    startedAt: now,
    startSeq,
    stopped: null,
    kept: null,
    decidedAt: null,
  }
}

/** The version read by other rules from now on; a result by the old ones is one no longer. */
function withRules(known: Version, { written, experiment, now, startSeq, hadData }: Start): Version {
  if (hasSameRules(known.experiment, experiment)) return known
  return {
    ...known,
    experiment: { ...experiment, version: known.experiment.version },
    written,
    revision: known.revision + 1,
    ruleChanges: [...known.ruleChanges, { at: now, seq: startSeq, before: known.written, hadData }].slice(
      -MOST_CHANGES,
    ),
    decidedAt: decidesAlike(known.experiment, experiment) ? known.decidedAt : null,
  }
}

function writeVersion({ experiment, written, dealing, ruleChanges, ...rest }: Version): Json {
  // As plain JSON: interfaces are not assignable to it.
  return {
    ...rest,
    dealing: { ...dealing } as never,
    ruleChanges: ruleChanges as never,
    version: experiment.version,
    written,
  }
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
    dealing: readDealing(record['dealing']) ?? dealtByVersion(experiment),
    revision: asNumber(record['revision']) ?? 0,
    ruleChanges: readRuleChanges(record['ruleChanges']),
    replaced: asNumber(record['replaced']) ?? null,
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

function readRuleChanges(stored: unknown): readonly RuleChange[] {
  return (asArray(stored) ?? []).flatMap((entry) => {
    const record = asRecord(entry)
    if (record === undefined) return []
    const hadData = record['hadData'] === true
    const seq = asNumber(record['seq']) ?? 0
    return [{ at: asNumber(record['at']) ?? 0, seq, before: record['before'] as Json, hadData }] // it was read from JSON
  })
}
