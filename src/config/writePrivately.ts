/** Replaces a file that holds secrets: as a whole or not at all, readable by its owner alone, and never through a link. */

import {
  type BigIntStats,
  closeSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** A write that has begun: nobody else can begin one of the same file until it is released. */
export interface PrivateWrite {
  /** Puts the text in the place of the file, on the disk. Once. */
  commit(text: string): void
  release(): void
}

/** Another process is about to replace the file, or was killed when it was. */
export class FileBusyError extends Error {}

/** One that is older was left by a process that was killed. */
const STALE_MS = 60_000

/**
 * Begins to replace a file, whose folder is made if need be. Throws an error whose message says what is in the way and
 * what to do. The new content is written beside it, in a file that must not be there (`wx` follows no link), and which
 * is the lock at the same time.
 */
export function openPrivately(path: string, mode = 0o600): PrivateWrite {
  refuseLink(path)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const beside = join(dirname(path), `.${basename(path)}.new`)
  const handle = begun(beside, mode)
  const own = fstatSync(handle, { bigint: true })
  let isOpen = true
  let isDone = false
  const close = () => {
    if (isOpen) closeSync(handle)
    isOpen = false
  }
  return {
    commit(text) {
      writeFileSync(handle, text)
      fsyncSync(handle)
      close()
      refuseLink(path)
      if (!isOf(own, beside)) throw new Error(`another keywise has begun to write it (${beside}); try again`)
      renameSync(beside, path)
      isDone = true
      syncFolder(dirname(path))
    },
    release() {
      close()
      if (!isDone && isOf(own, beside)) rmSync(beside, { force: true })
    },
  }
}

/** Replaces a file at once. */
export function writePrivately(path: string, text: string, mode = 0o600): void {
  const write = openPrivately(path, mode)
  try {
    write.commit(text)
  } finally {
    write.release()
  }
}

function begun(beside: string, mode: number): number {
  try {
    return openSync(beside, 'wx', mode)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error // every error of node:fs has a code
    const about = lstatSync(beside, { throwIfNoEntry: false })
    if (about === undefined) return openSync(beside, 'wx', mode) // its writer has just ended
    if (Math.abs(Date.now() - about.mtimeMs) < STALE_MS)
      throw new FileBusyError(`another keywise is writing it (${beside}); try again in a minute`, { cause: error })
    // Of two that find it, one may have begun anew already: what it has must not be taken away.
    const taken = `${beside}.${process.pid}`
    renameSync(beside, taken)
    const isOld = lstatSync(taken).mtimeMs === about.mtimeMs
    if (isOld) rmSync(taken, { force: true })
    else renameSync(taken, beside)
    return openSync(beside, 'wx', mode)
  }
}

/** Whether the name is still that of the file. */
function isOf(own: BigIntStats, path: string): boolean {
  const now = lstatSync(path, { throwIfNoEntry: false, bigint: true })
  return now !== undefined && now.ino === own.ino && now.dev === own.dev
}

/** Who keeps the file elsewhere would find the link replaced, and the old content still there. */
function refuseLink(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())
    throw new Error(`${path} is a link; name the file that it leads to with --config, or put the file itself here`)
}

/** So that the new name survives a loss of power; not every system can. */
function syncFolder(folder: string): void {
  try {
    const handle = openSync(folder, 'r')
    try {
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
  } catch {
    // Windows opens no folders.
  }
}
