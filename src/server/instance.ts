/**
 * Which configuration and state a gateway serves, so that a second one on the same port can tell whether it is the
 * same. `/healthz` shows a hash; what it stands for is noted where only the same user can read it.
 */

import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { asRecord, asString } from '../domain/json.ts'
import { createFileNow } from '../store/replaceFile.ts'

/** The header of `/healthz` that carries the id. */
export const INSTANCE_HEADER = 'x-keywise-instance'

export interface Instance {
  readonly id: string
  /** Absolute path of the keys file; null when the keys come from the environment. */
  readonly config: string | null
  /** Path of the store, or `memory:`. */
  readonly store: string
}

export function instanceOf(config: Pick<Config, 'file' | 'providers'>, location: string, cwd: string): Instance {
  const store = /^:?[a-z]{2,}:/i.test(location) ? location : realPath(resolve(cwd, location))
  const file = config.file === null ? null : realPath(config.file)
  // Keys of a file change while it is served, those of the environment do not.
  const keys = file === null ? config.providers.map(({ id, keys }) => [id, keys.map((key) => key.secret.reveal())]) : []
  const id = createHash('sha256')
    .update(JSON.stringify([file, store, keys]))
    .digest('hex')
  return { id: id.slice(0, 32), config: file, store }
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path // not there yet
  }
}

/** Notes what serves a port, until the function it returns is called. Without a place to write nothing is noted. */
export function noteInstance(port: number, instance: Instance): () => void {
  try {
    const folder = noteFolder()
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const file = noteFile(port)
    if (!isOurs(folder) || file === null) return () => {}
    rmSync(file, { force: true })
    createFileNow(file, JSON.stringify(instance))
    return () => rmSync(file, { force: true })
  } catch {
    return () => {}
  }
}

/** What the gateway with that id on the port serves; null when this user cannot know. */
export function notedInstance(port: number, id: string): Pick<Instance, 'config' | 'store'> | null {
  const file = noteFile(port)
  if (file === null) return null
  try {
    const noted = asRecord(JSON.parse(readFileSync(file, 'utf8')))
    const store = asString(noted?.['store'])
    return noted?.['id'] === id && store !== undefined ? { config: asString(noted['config']) ?? null, store } : null
  } catch {
    return null
  }
}

/** By the user's number, since a user of a container may have no name; Windows gives each user a folder anyway. */
const noteFolder = () => join(tmpdir(), `keywise-${process.getuid?.() ?? 'user'}`)

function noteFile(port: number): string | null {
  return isOurs(noteFolder()) ? join(noteFolder(), `gateway-${port}.json`) : null
}

/** A folder of this name that another user has made is not believed. */
function isOurs(folder: string): boolean {
  try {
    const stats = lstatSync(folder)
    return stats.isDirectory() && (process.getuid === undefined || stats.uid === process.getuid())
  } catch {
    return false
  }
}
