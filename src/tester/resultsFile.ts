/** `api-test-results.json` on disk: the previous run's file is read, and a new one replaces it atomically. */

import { readFile, stat } from 'node:fs/promises'
import { FilePlaceError, PUBLIC, replaceFile } from '../store/replaceFile.ts'
import { type EarlierRun, readEarlierRun } from './changes.ts'

/** Larger than any results file; a bigger file is not read. */
const MAX_BYTES = 64 * 1024 * 1024

/** Null when there is no file, or not a readable one. */
export async function readResultsFile(path: string): Promise<EarlierRun | null> {
  try {
    if ((await stat(path)).size > MAX_BYTES) return null
    return readEarlierRun(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return null // a first run, or a file with nothing usable
  }
}

/** Null when it was written; otherwise the reason it was not, in words. */
export async function writeWhole(path: string, text: string): Promise<string | null> {
  try {
    await replaceFile(path, text, { mode: PUBLIC })
    return null
  } catch (error) {
    if (error instanceof FilePlaceError) return error.message
    return `${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`
  }
}
