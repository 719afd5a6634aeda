/**
 * Whose a journal is, and whether that process still lives. A number of a process alone does not say it: numbers are
 * given again, and mean another process in another container.
 */

import { readFileSync, readlinkSync } from 'node:fs'
import { uptime } from 'node:os'
import { asNumber, asRecord, asString } from '../../domain/json.ts'

/** The format of the lines; journals of another version are left to their keywise. */
export const JOURNAL_VERSION = 1

export interface JournalOwner {
  readonly version: number
  readonly origin: string
  readonly pid: number
  /** When the process started, in the system's own unit since it booted; null where the system does not tell. */
  readonly started: string | null
  /** Names the run of the system; null where it has no name. */
  readonly boot: string | null
  /** In which numbers of processes are counted; null where there is only one such space. */
  readonly space: string | null
  /** Epoch milliseconds at which the journal was begun, by the clock of the system. */
  readonly at: number
}

/** `unknown`: it may live where this process cannot see it. */
export type OwnerState = 'alive' | 'dead' | 'unknown'

export function thisOwner(origin: string): JournalOwner {
  return {
    version: JOURNAL_VERSION,
    origin,
    pid: process.pid,
    started: statOf('self')?.started ?? null,
    ...thisSystem(),
    at: Date.now(),
  }
}

/** Undefined for what no keywise wrote. */
export function readOwner(header: unknown): JournalOwner | undefined {
  const fields = asRecord(header) ?? {}
  const [version, pid, at] = [asNumber(fields['version']), asNumber(fields['pid']), asNumber(fields['at'])]
  const origin = asString(fields['origin'])
  if (version === undefined || pid === undefined || at === undefined || origin === undefined) return undefined
  const text = (name: string) => asString(fields[name]) ?? null
  return { version, origin, pid, at, started: text('started'), boot: text('boot'), space: text('space') }
}

export function ownerState({ pid, started, boot, space, at }: JournalOwner): OwnerState {
  const system = thisSystem()
  if (boot !== null && system.boot !== null && boot !== system.boot) return 'dead'
  // A minute, because the clock may have been set since.
  if (boot === null && at < Date.now() - uptime() * 1000 - 60_000) return 'dead'
  if (space !== system.space) return 'unknown'
  if (!exists(pid)) return 'dead'
  const found = statOf(String(pid))
  if (found === null) return 'alive'
  // Ended, and only its parent has not noticed yet.
  if (found.state === 'Z' || found.state === 'X') return 'dead'
  return started !== null && started !== found.started ? 'dead' : 'alive'
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // Another user's process.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

interface RunningSystem {
  readonly boot: string | null
  readonly space: string | null
}

let known: RunningSystem | undefined

function thisSystem(): RunningSystem {
  known ??= {
    boot: orNull(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()),
    space: orNull(() => readlinkSync('/proc/self/ns/pid')),
  }
  return known
}

/** Fields 3 and 22 of proc_pid_stat(5); the name of the program before them may hold spaces and brackets. */
function statOf(pid: string): { readonly state: string; readonly started: string } | null {
  const stat = orNull(() => readFileSync(`/proc/${pid}/stat`, 'latin1'))
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, started] = [fields?.[0], fields?.[19]]
  return state === undefined || started === undefined ? null : { state, started }
}

/** Null where the system has no such file. */
function orNull(read: () => string): string | null {
  try {
    return read()
  } catch {
    return null
  }
}
