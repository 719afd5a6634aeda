/**
 * The ways in which keywise writes a file: always a new one, which then takes the place of the old one whole. What stands
 * at the place is never written into, so no link that somebody planted there is followed.
 */

import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, lstatSync, openSync, renameSync, type Stats, unlinkSync, writeFileSync } from 'node:fs'
import { type FileHandle, lstat, open, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

export interface ReplaceOptions {
  /** Who may read it. Default: its owner (0600). */
  readonly mode?: number
  /** An unused path in the same folder. Default: a random name. */
  readonly temporary?: string
  /** A symbolic link at the place gives way to the file, instead of being an error. Its target is not touched. */
  readonly overLink?: boolean
}

/** Of its owner alone. */
export const OWNER_ONLY = 0o600
/** Of everybody on this machine, to read. */
export const PUBLIC = 0o644

/** Atomically: entirely or not at all. Rejects with the system's error, or FilePlaceError, and leaves nothing behind. */
export function replaceFile(path: string, text: string | Uint8Array, options: ReplaceOptions = {}): Promise<void> {
  return replaceFileWith(path, (file) => file.writeFile(text), options)
}

/** The same for a content that comes in pieces: `write` writes them. */
export async function replaceFileWith<T>(
  path: string,
  write: (file: FileHandle) => Promise<T>,
  { mode = OWNER_ONLY, temporary = temporaryFor(path), overLink = false }: ReplaceOptions = {},
): Promise<T> {
  checkPlace(path, await lstat(path).catch(nothing), overLink)
  try {
    const file = await createFile(temporary, mode)
    let written: T
    try {
      written = await write(file)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    return written
  } catch (error) {
    await unlink(temporary).catch(nothing)
    throw error
  }
}

/** The same, for the few files that are written before anything else happens. */
export function replaceFileNow(path: string, text: string, { mode = OWNER_ONLY }: ReplaceOptions = {}): void {
  checkPlace(path, lstatSync(path, { throwIfNoEntry: false }), false)
  const temporary = temporaryFor(path)
  try {
    createFileNow(temporary, text, mode)
    renameSync(temporary, path)
  } catch (error) {
    removeNow(temporary)
    throw error
  }
}

/** Opens a file that must not be there yet, to write and to read. Rejects with EEXIST where anything is, a link too. */
export function createFile(path: string, mode = OWNER_ONLY): Promise<FileHandle> {
  return open(path, 'wx+', mode)
}

/** The same, written whole. */
export function createFileNow(path: string, text: string | Uint8Array, mode = OWNER_ONLY): void {
  const file = openSync(path, 'wx', mode)
  try {
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** What stands at the place is no file that could be replaced. */
export class FilePlaceError extends Error {
  override readonly name = 'FilePlaceError'
}

function checkPlace(path: string, there: Stats | undefined, overLink: boolean): void {
  if (there === undefined || there.isFile() || (overLink && there.isSymbolicLink())) return
  if (there.isSymbolicLink())
    throw new FilePlaceError(
      `${path} is a symbolic link, which keywise does not write through; name the file that it leads to, or remove it`,
    )
  throw new FilePlaceError(`${path} is ${there.isDirectory() ? 'a folder' : 'no regular file'}; name another file`)
}

function temporaryFor(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
}

function removeNow(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It was not made.
  }
}

/** Nothing is there, or what is wrong with the place shows when it is written. */
const nothing = () => undefined
