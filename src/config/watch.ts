/**
 * Watches the keys file, so that an edit takes effect within a second. An unusable edit is reported once and changes
 * nothing. Works with editors that truncate and write, with those that write beside and rename, and across links.
 */

import { createHash } from 'node:crypto'
import { type FSWatcher, readFileSync, statSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

interface WatchOptions<T> {
  /** Absolute path of the keys file. */
  readonly file: string
  /** What `load` should not wait for, done before it; null where there is nothing. Does not reject. */
  readonly prepare?: () => Promise<unknown> | null
  /** Reads the file again; what it throws goes to `onInvalid`. */
  readonly load: () => T
  readonly onChange: (loaded: T) => void
  /** Once per content; the old configuration stays in force. */
  readonly onInvalid: (error: unknown) => void
  /** Polling interval in milliseconds, in addition to the system's notifications; default 400. */
  readonly everyMs?: number
  /** How long an unusable edit may be incomplete before it is reported, in milliseconds; default 300. */
  readonly graceMs?: number
}

export interface Watching {
  close(): void
}

/** Starts watching; does not keep the process alive. The file's current content is not reported. */
export function watchConfig<T>(options: WatchOptions<T>): Watching {
  const watcher = new ConfigWatcher(options)
  return { close: () => watcher.close() }
}

class ConfigWatcher<T> {
  readonly #options: WatchOptions<T>
  readonly #notices: FSWatcher | null
  readonly #poll: NodeJS.Timeout
  #grace: NodeJS.Timeout | null = null
  #isClosed = false
  /** Times, size and inode of the file when last read: the cheap check. */
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
    this.#isClosed = true
    clearInterval(this.#poll)
    if (this.#grace) clearTimeout(this.#grace)
    this.#notices?.close()
  }

  /** The folder, not the file: a rename puts another file in its place. If that fails, polling is enough. */
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
    if (contentOf(this.#options.file) === this.#content) return
    const preparing = this.#options.prepare?.() ?? null
    if (preparing === null) this.#readAgain(isLastTry)
    else void preparing.then(() => this.#readAgain(isLastTry))
  }

  #readAgain(isLastTry: boolean): void {
    const content = contentOf(this.#options.file)
    if (this.#isClosed || content === this.#content) return
    const result = this.#load()
    if (!result.ok && !isLastTry) {
      this.#tryLater()
      return
    }
    this.#content = content
    if (result.ok) this.#useOrRefuse(result.loaded)
    else this.#options.onInvalid(result.error)
  }

  /** A file that parses may still be unusable, which only shows when it is used. */
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
