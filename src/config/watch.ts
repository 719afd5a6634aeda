/**
 * Watches the keys file, so that an edit takes effect within a second. An edit that cannot be used is reported once and
 * changes nothing. Works with editors that truncate and write, that write beside and rename, and across links.
 */

import { createHash } from 'node:crypto'
import { type FSWatcher, readFileSync, statSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

export interface WatchOptions<T> {
  /** Absolute path of the keys file. */
  readonly file: string
  /** Reads the file anew; what it throws goes to `onInvalid`. */
  readonly load: () => T
  readonly onChange: (loaded: T) => void
  /** Once per content; the old configuration stays in force. */
  readonly onInvalid: (error: unknown) => void
  /** How often the file is looked at besides the system's own notices, in milliseconds; default 400. */
  readonly everyMs?: number
  /** How long an edit that cannot be used may be half of one and gets to become whole, in milliseconds; default 300. */
  readonly graceMs?: number
}

export interface Watching {
  close(): void
}

/** Starts watching; keeps no process alive. Nothing is reported for the content the file has now. */
export function watchConfig<T>(options: WatchOptions<T>): Watching {
  const watcher = new ConfigWatcher(options)
  return { close: () => watcher.close() }
}

class ConfigWatcher<T> {
  readonly #options: WatchOptions<T>
  readonly #notices: FSWatcher | null
  readonly #poll: NodeJS.Timeout
  #grace: NodeJS.Timeout | null = null
  /** Times, size and place of the file when it was last read: the cheap question. */
  #stamp: string
  /** Hash of the content that was last reported, good or bad. */
  #content: string

  constructor(options: WatchOptions<T>) {
    this.#options = options
    this.#stamp = stampOf(options.file)
    this.#content = contentOf(options.file)
    this.#notices = this.#watchFolder()
    this.#poll = setInterval(() => this.#look(), options.everyMs ?? 400).unref()
  }

  close(): void {
    clearInterval(this.#poll)
    if (this.#grace) clearTimeout(this.#grace)
    this.#notices?.close()
  }

  /** The folder, not the file: a rename puts another file into its place. Where that fails, polling is enough. */
  #watchFolder(): FSWatcher | null {
    const name = basename(this.#options.file)
    try {
      const notices = watch(dirname(this.#options.file), { persistent: false }, (_event, changed) => {
        if (changed === null || changed === name) this.#look()
      })
      return notices.on('error', () => notices.close())
    } catch {
      return null
    }
  }

  #look(): void {
    const stamp = stampOf(this.#options.file)
    if (stamp === this.#stamp) return
    this.#stamp = stamp
    this.#tryNow(false)
  }

  #tryNow(isLastTry: boolean): void {
    const content = contentOf(this.#options.file)
    if (content === this.#content) return
    const result = this.#load()
    if (!result.ok && !isLastTry) {
      this.#tryLater()
      return
    }
    this.#content = content
    if (result.ok) this.#useOrRefuse(result.loaded)
    else this.#options.onInvalid(result.error)
  }

  /** What can be read may still not be usable, which is found out by using it. */
  #useOrRefuse(loaded: T): void {
    try {
      this.#options.onChange(loaded)
    } catch (error) {
      this.#options.onInvalid(error)
    }
  }

  #tryLater(): void {
    if (this.#grace) clearTimeout(this.#grace)
    this.#grace = setTimeout(() => this.#tryNow(true), this.#options.graceMs ?? 300).unref()
  }

  #load(): { readonly ok: true; readonly loaded: T } | { readonly ok: false; readonly error: unknown } {
    try {
      return { ok: true, loaded: this.#options.load() }
    } catch (error) {
      return { ok: false, error }
    }
  }
}

function stampOf(file: string): string {
  const about = statSync(file, { throwIfNoEntry: false, bigint: true })
  return about ? `${about.dev}:${about.ino}:${about.size}:${about.mtimeNs}:${about.ctimeNs}` : 'missing'
}

function contentOf(file: string): string {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('base64')
  } catch {
    return 'missing'
  }
}
