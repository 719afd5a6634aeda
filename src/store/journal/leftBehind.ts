/** What other processes left in their journals: what it holds, and whether they may still write to it. */

import { basename, dirname, join } from 'node:path'
import type { AttemptEvent, BegunCall, Holding, StoreEvent } from '../../domain/store.ts'
import type { JournalFiles } from './files.ts'
import { type JournalRecord, readLines } from './line.ts'
import { JOURNAL_VERSION, type JournalOwner, type OwnerState, ownerState, readOwner } from './owner.ts'

/** The journals of one process. */
export interface LeftBehind {
  readonly origin: string
  /** `unknown`: only its events are of use; what was under way may still be. */
  readonly owner: 'dead' | 'unknown'
  readonly paths: readonly string[]
  readonly events: readonly StoreEvent[]
  readonly undecided: readonly AttemptEvent[]
  readonly begun: readonly BegunCall[]
  readonly holdings: readonly Holding[]
  /** The latest time in it, epoch milliseconds. */
  readonly lastAt: number
  readonly damaged: number
}

/** A process that cannot be seen and has written nothing for this long is gone. */
const SILENT_MS = 7 * 86_400_000

/** The first line is far shorter. */
const HEADER_BYTES = 1024

interface Found {
  readonly path: string
  readonly owner: JournalOwner
  readonly state: 'dead' | 'unknown'
  readonly records: readonly JournalRecord[]
  readonly damaged: number
}

/**
 * `base`: how the paths of the journals begin; `own`: the origin of the store that asks. Throws the system's error where
 * the folder cannot be read.
 */
export function leftBehind(
  base: string,
  own: string,
  files: JournalFiles,
  stateOf: (owner: JournalOwner) => OwnerState = ownerState,
): readonly LeftBehind[] {
  const folder = dirname(base)
  const beginning = `${basename(base)}-`
  const found = files
    .list(folder)
    .filter((name) => name.startsWith(beginning) && !name.startsWith(`${beginning}${own}-`))
    .flatMap((name) => look(join(folder, name), files, stateOf) ?? [])
  return [...Map.groupBy(found, ({ owner }) => owner.origin).values()].map(together)
}

/** Undefined for what is not to be touched: of a living process, of another version, unreadable, or just begun. */
function look(path: string, files: JournalFiles, stateOf: (owner: JournalOwner) => OwnerState): Found | undefined {
  try {
    const owner = readOwner(readLines(files.readHead(path, HEADER_BYTES)).header)
    if (owner === undefined || owner.version !== JOURNAL_VERSION) return undefined
    const state = stateOf(owner)
    if (state === 'alive') return undefined
    const { records, damaged } = readLines(files.read(path))
    const isSilent = Date.now() - files.writtenAt(path) > SILENT_MS
    return { path, owner, records, damaged, state: isSilent ? 'dead' : state }
  } catch {
    return undefined
  }
}

function together(found: readonly Found[]): LeftBehind {
  const records = found.flatMap((one) => one.records)
  const { events, undecided, begun, holdings } = sorted(records)
  const times = [
    ...events.map(({ at }) => at),
    ...undecided.map(({ at }) => at),
    ...begun.map((call) => call.startedAt),
  ]
  return {
    origin: found[0]?.owner.origin ?? '',
    owner: found.every(({ state }) => state === 'dead') ? 'dead' : 'unknown',
    paths: found.map(({ path }) => path),
    events,
    undecided,
    begun,
    holdings,
    lastAt: times.reduce((latest, at) => Math.max(latest, at), 0),
    damaged: found.reduce((sum, one) => sum + one.damaged, 0),
  }
}

function sorted(records: readonly JournalRecord[]) {
  const events: StoreEvent[] = []
  const undecided: AttemptEvent[] = []
  const begun: BegunCall[] = []
  const holdings: Holding[] = []
  for (const record of records) {
    if (record.kind === 'event') events.push(record.value)
    else if (record.kind === 'undecided') undecided.push(record.value)
    else if (record.kind === 'begun') begun.push(record.value)
    else holdings.push(record.value)
  }
  return { events, undecided, begun, holdings }
}
