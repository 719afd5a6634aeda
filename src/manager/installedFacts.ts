/**
 * The facts files that the user installed, in the folder `facts` beside the store: each under its digest, and
 * `installed.json`, which says which one holds and which ones held before. Every process on the store reads it when it
 * starts, and notices when it changes; none ever fetches one by itself.
 */

import { readFileSync } from 'node:fs'
import { mkdir, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config, InstalledSet } from '../config/config.ts'
import { FactIndex } from '../config/facts/factIndex.ts'
import type { Fact } from '../config/facts/factSchema.ts'
import { digestOf, readFacts } from '../config/facts/readFacts.ts'
import { ConfigError } from '../domain/errors.ts'
import { isoDay } from '../domain/isoTime.ts'
import { asArray, asNumber, asRecord, asString } from '../domain/json.ts'
import { createFile, replaceFile } from '../store/replaceFile.ts'

/** So many can be undone. */
const MOST_STEPS = 10
/** A change takes milliseconds: a lock that is held for longer was left behind by a process that was killed. */
const LOCK_TRIES = 100
const LOCK_WAIT_MS = 50

export class FactsFolder {
  readonly #folder: string

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** Null for a store that keeps nothing. `location`: a path, or `memory:`. */
  static beside(location: string): FactsFolder | null {
    return /^:?memory:$/.test(location) || location.trim() === ''
      ? null
      : new FactsFolder(join(dirname(location), 'facts'))
  }

  /** It changes with every installation. */
  get file(): string {
    return join(this.#folder, 'installed.json')
  }

  /** The sets, the one that holds last. Throws ConfigError when the file says no such thing. */
  sets(): readonly InstalledSet[] {
    const sets = this.#read()
    if (sets === null)
      throw new ConfigError(`${this.file}: is damaged; install the facts again with "keywise models --refresh FILE"`)
    return sets
  }

  /** The same; none where the file is damaged, which must not keep a set from being installed. */
  soundSets(): readonly InstalledSet[] {
    return this.#read() ?? []
  }

  /** The facts of a set. Throws ConfigError when they are gone or were changed. */
  factsOf({ digest }: InstalledSet, now: number): readonly Fact[] {
    const path = this.#pathOf(digest)
    const bytes = readOrNull(path)
    if (bytes === null || digestOf(bytes) !== digest)
      throw new ConfigError(
        `${path}: is not what was installed (${digest.slice(0, 19)}…); "keywise models --refresh FILE" installs it again`,
      )
    return readFacts(bytes, path, now).facts
  }

  /**
   * Does what changes the folder while no other process does. Rejects with a ConfigError that names the folder where
   * the system refuses.
   */
  async changing<T>(change: () => Promise<T>): Promise<T> {
    const lock = join(this.#folder, 'installed.lock')
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 })
      await take(lock)
      try {
        return await change()
      } finally {
        await unlink(lock).catch(() => {}) // whoever waits takes it over
      }
    } catch (error) {
      const code = asString(asRecord(error)?.['code'])
      if (error instanceof ConfigError || code === undefined) throw error
      throw new ConfigError(`${this.#folder}: facts cannot be kept here (${code}); nothing was changed`, {
        cause: error,
      })
    }
  }

  /** Installs a set after the one that holds, or anew in its place where it is the same. Only inside of `changing`. */
  async install(bytes: Uint8Array, set: InstalledSet): Promise<void> {
    const before = this.soundSets().filter(({ digest }, index, all) => index < all.length - 1 || digest !== set.digest)
    // With a byte order mark, if it has one: the digest is that of the bytes.
    await this.#write(this.#pathOf(set.digest), new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes))
    await this.#hold([...before, set].slice(-MOST_STEPS - 1))
  }

  /** The set before the one that holds is in force again, or none. Only inside of `changing`. */
  async undo(): Promise<void> {
    await this.#hold(this.sets().slice(0, -1))
  }

  async #hold(sets: readonly InstalledSet[]): Promise<void> {
    const before = this.soundSets()
    await this.#write(this.file, `${JSON.stringify({ sets }, null, 2)}\n`)
    const kept = new Set(sets.map(({ digest }) => digest))
    for (const { digest } of before) if (!kept.has(digest)) await unlink(this.#pathOf(digest)).catch(() => {}) // nobody reads it any more
  }

  /** Null when the file is damaged. */
  #read(): readonly InstalledSet[] | null {
    const bytes = readOrNull(this.file)
    if (bytes === null) return []
    const sets = asArray(asRecord(parse(bytes))?.['sets'])?.map(readSet)
    return sets === undefined || sets.includes(null) ? null : sets.filter((set) => set !== null)
  }

  async #write(path: string, text: string): Promise<void> {
    await replaceFile(path, text)
  }

  #pathOf(digest: string): string {
    return join(this.#folder, `${digest.replace('sha256:', '')}.json`)
  }
}

/**
 * The configuration with the installed facts applied to its providers. What cannot be read is told to `warn` and left
 * out: nothing stops working for it.
 */
export function withFacts(
  config: Config,
  folder: FactsFolder | null,
  now: number,
  warn: (line: string) => void,
): Config {
  try {
    const set = folder?.sets().at(-1)
    if (folder == null || set === undefined) return config
    const index = new FactIndex(folder.factsOf(set, now), isoDay(now))
    const providers = config.providers.map((provider) => ({ ...provider, spec: index.applyTo(provider.spec) }))
    return { ...config, providers, facts: { ...set, day: isoDay(now) } }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    warn(`${error.message}; what it says is not used`)
    return config
  }
}

/** Whether another day has come since the configuration was read, so that facts may be out of date by now. */
export function hasOlderFacts({ facts }: Config, now: number): boolean {
  return facts !== undefined && facts.day !== isoDay(now)
}

/** Waits for a lock that another process holds, and takes over one that was left behind. */
async function take(lock: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await (await createFile(lock)).close()
    } catch (error) {
      if (asRecord(error)?.['code'] !== 'EEXIST') throw error
    }
    if (tries === LOCK_TRIES)
      await unlink(lock).catch(() => {}) // it was given up just now
    else await sleep(LOCK_WAIT_MS)
  }
}

function readSet(value: unknown): InstalledSet | null {
  const record = asRecord(value)
  const digest = asString(record?.['digest'])
  const from = asString(record?.['from'])
  const published = asString(record?.['published'])
  const installedAt = asString(record?.['installedAt'])
  const facts = asNumber(record?.['facts'])
  if (digest === undefined || !/^sha256:[0-9a-f]{64}$/.test(digest)) return null
  if (from === undefined || published === undefined || installedAt === undefined || facts === undefined) return null
  return { digest, from, published, installedAt, facts }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}

function readOrNull(path: string): Buffer | null {
  try {
    return readFileSync(path)
  } catch (error) {
    const code = asRecord(error)?.['code']
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw new ConfigError(`${path}: cannot be read (${String(code)})`, { cause: error })
  }
}
