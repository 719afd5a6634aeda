/** Keeps `apiStats.json` on disk up to date: complete, promptly, and without delaying a request. */

import { randomBytes } from 'node:crypto'
import { readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { PUBLIC, replaceFile } from '../replaceFile.ts'
import { sqliteReasonOf } from '../sqlite/module.ts'
import { asidePath } from '../sqlite/setAside.ts'
import { readStatsFile, type StatsFileContents } from './readStatsFile.ts'
import type { StatsFile } from './statsFile.ts'

interface StatsFileWriterOptions {
  readonly path: string
  /** The file's current content; called at every write. */
  readonly view: () => StatsFile
  readonly now: () => number
  warn(line: string): void
  /** Milliseconds from a change to its write; default 500. Changes in between join that write. */
  readonly delayMs?: number
  /** Starts a timer and returns a function that cancels it; default `setTimeout`. */
  readonly schedule?: (work: () => void, delayMs: number) => () => void
}

/** Larger than any stats file: such a file is neither read nor overwritten. */
const MAX_BYTES = 64 * 1024 * 1024
/** A temporary file this old was left by a killed process. */
const ABANDONED_MS = 60_000

/**
 * The file appears under its name only when complete (written beside it, synced, renamed); of several processes, the
 * last one wins with a complete file. A symbolic link under the name is replaced by the file; its target is not
 * touched. A file that is not readable as stats is set aside, and top-level fields of other programs are preserved.
 */
export class StatsFileWriter {
  readonly #options: StatsFileWriterOptions
  #stop: (() => void) | undefined
  #writing: Promise<void> = Promise.resolve()
  #hasFailed = false
  #hasSwept = false
  #isClosed = false

  constructor(options: StatsFileWriterOptions) {
    this.#options = options
  }

  /** The view changed; schedules a write. */
  changed(): void {
    if (this.#stop !== undefined || this.#isClosed) return
    const { schedule = startTimer, delayMs = 500 } = this.#options
    this.#stop = schedule(() => void this.write(), delayMs)
  }

  /** Writes now. Resolves when the write is done, or has failed with one warning; never rejects. */
  write(): Promise<void> {
    this.#stop?.()
    this.#stop = undefined
    this.#writing = this.#writing.then(() => this.#tryWrite())
    return this.#writing
  }

  /** Writes what is pending; later changes are ignored. */
  close(): Promise<void> {
    this.#isClosed = true
    return this.#stop === undefined ? this.#writing : this.write()
  }

  async #tryWrite(): Promise<void> {
    try {
      const { extra } = await this.#existing()
      const text = `${JSON.stringify({ ...extra, ...this.#options.view() }, null, 2)}\n`
      await this.#replace(text)
      this.#hasFailed = false
    } catch (error) {
      if (!this.#hasFailed) this.#options.warn(`${this.#options.path} cannot be written: ${sqliteReasonOf(error)}`)
      this.#hasFailed = true
    }
  }

  /** The file's current content; an unusable file is moved out of the way. */
  async #existing(): Promise<Pick<StatsFileContents, 'extra'>> {
    const { path, now, warn } = this.#options
    const text = await readIfThere(path)
    if (text === undefined) return { extra: {} }
    const contents = readStatsFile(text)
    if (!contents.isCorrupted) return contents
    const aside = asidePath(path, now())
    await rename(path, aside)
    warn(`${path} is not readable as stats; it was set aside as ${aside} and written anew`)
    return { extra: {} }
  }

  async #replace(text: string): Promise<void> {
    const { path } = this.#options
    await this.#sweep()
    const temporary = join(dirname(path), `${temporaryPrefix(path)}${randomBytes(6).toString('hex')}.tmp`)
    await replaceFile(path, text, { mode: PUBLIC, temporary, overLink: true })
  }

  /** Once per process: removes what killed processes left. */
  async #sweep(): Promise<void> {
    if (this.#hasSwept) return
    this.#hasSwept = true
    const folder = dirname(this.#options.path)
    const prefix = temporaryPrefix(this.#options.path)
    for (const name of await readdir(folder)) {
      if (!name.startsWith(prefix) || !name.endsWith('.tmp')) continue
      const { mtimeMs } = await stat(join(folder, name)).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }))
      if (this.#options.now() - mtimeMs > ABANDONED_MS) await unlink(join(folder, name)).catch(() => {})
    }
  }
}

function temporaryPrefix(path: string): string {
  return `.${basename(path)}.`
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path)
    if (size > MAX_BYTES) throw new Error(`it has ${size} bytes, which no stats file has`)
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function startTimer(work: () => void, delayMs: number): () => void {
  const timer = setTimeout(work, delayMs)
  return () => clearTimeout(timer)
}
