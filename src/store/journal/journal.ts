/**
 * What a process promised to keep and has not stored yet: a file beside the store to which every row is appended before
 * its answer is complete. What write(2) has taken survives a kill of the process, and costs microseconds where a commit
 * of the store costs ten times as much; the store takes the same rows later, many at a time. What a killed process left
 * here the next one stores (`leftBehind.ts`). Decision: docs/decisions/durability.md.
 */

import { dirname } from 'node:path'
import type { AttemptEvent, BegunCall, Holding, StoreEvent } from '../../domain/store.ts'
import { begunJson } from './begunJson.ts'
import type { JournalFiles } from './files.ts'
import { LineWriter } from './line.ts'
import { thisOwner } from './owner.ts'

interface JournalOptions {
  /** How the paths of all journals of a store begin. */
  readonly base: string
  /** Of the store that writes it. */
  readonly origin: string
  readonly files: JournalFiles
  /** A new file has to survive a power failure. */
  readonly survivesPower: boolean
}

/** What a journal keeps for the store. */
export type JournalRow =
  | { readonly kind: 'event'; readonly value: StoreEvent }
  | { readonly kind: 'holding'; readonly value: Holding }

/** Once so much of it is stored, it begins again: about two thousand calls. */
const ENOUGH_BYTES = 2 * 1024 * 1024
/** While the store cannot be written the journal grows; a disk has to end somewhere. */
const MOST_BYTES = 256 * 1024 * 1024
/** Calls and undecided attempts that it carries over when it begins again. */
const MOST_OPEN = 10_000

export class Journal {
  readonly #options: JournalOptions
  readonly #lines = new LineWriter()
  #file: number | null = null
  #path = ''
  #count = 0
  #bytes = 0
  /** The last line was cut off, and could not be taken back. */
  #isTorn = false
  /** Arrays, as entries come and go with every call (`domain/bag.ts`); the oldest leave first. */
  readonly #begun: BegunCall[] = []
  readonly #undecided: AttemptEvent[] = []
  /** Every line is on the disk, or will be when `#syncing` is. */
  #isSynced = true
  /** Who waits for the disk; null while nothing is asked of it. */
  #syncing: Awaiting[] | null = null
  /** Who waits for the next turn. */
  #awaiting: Awaiting[] = []
  /** Replaced while the disk was still waited for. */
  #outdated: number[] = []

  constructor(options: JournalOptions) {
    this.#options = options
  }

  /** The path of the file; '' before the first line. */
  get path(): string {
    return this.#path
  }

  /** The row of the call exists now; `write` follows, unless the store has it already. */
  ended(id: string): void {
    if (!remove(this.#begun, id)) remove(this.#undecided, id)
  }

  /** In one system call. Throws the system's error when not all of it is in the file. */
  write(rows: readonly JournalRow[]): void {
    try {
      for (const { kind, value } of rows) this.#lines.add(kind, JSON.stringify(value))
    } catch (error) {
      this.#lines.take()
      throw error
    }
    this.#append()
  }

  /** At once, because the call is about to be sent. */
  begin(call: BegunCall): void {
    add(this.#begun, call)
    this.#lines.add('begun', begunJson(call))
    this.#append()
  }

  undecided(event: AttemptEvent): void {
    remove(this.#begun, event.id)
    add(this.#undecided, event)
    this.#lines.add('undecided', JSON.stringify(event))
    this.#append()
  }

  /** All events and holdings are in the store. Begins again when it has grown, or when somebody removed the file. */
  stored(): void {
    if (this.#file === null) return
    try {
      if (this.#bytes > ENOUGH_BYTES || !this.#options.files.isLinked(this.#file)) this.#beginAgain()
    } catch {
      // The file that there is stays in use.
    }
  }

  /** Begins again whatever its size: what it holds must not come back after the store has forgotten it. */
  forget(): void {
    try {
      if (this.#file !== null) this.#beginAgain()
    } catch {
      // As above.
    }
  }

  /**
   * Null when every line is on the disk itself; else resolves then, with false when that failed. Lines that come while
   * the disk is waited for share the next wait.
   */
  synced(): Promise<boolean> | null {
    if (this.#file === null || (this.#isSynced && this.#syncing === null)) return null
    return new Promise((resolve) => {
      if (this.#isSynced) this.#syncing?.push(resolve)
      else this.#awaiting.push(resolve)
      if (this.#syncing === null) this.#sync(this.#file)
    })
  }

  /** `keep`: something in it is not stored. */
  close(keep: boolean): void {
    if (this.#file === null) return
    const { files } = this.#options
    this.#retire(this.#file)
    this.#file = null
    try {
      if (!keep) files.remove(this.#path)
    } catch {
      // The next process finds everything in it stored already.
    }
  }

  #append(): void {
    const lines = this.#lines.take()
    if (this.#bytes > MOST_BYTES) throw new Error('it is too long')
    const file = this.#file ?? this.#open([])
    const bytes = this.#isTorn ? Buffer.concat([NEW_LINE, lines]) : lines
    this.#isSynced = false
    const { files } = this.#options
    let written = 0
    try {
      while (written < bytes.length) written += some(files.write(file, bytes, written))
      this.#bytes += written
      this.#isTorn = false
    } catch (error) {
      if (written > 0) this.#takeBack(file, written)
      throw error
    }
  }

  #takeBack(file: number, written: number): void {
    try {
      this.#options.files.truncate(file, this.#bytes)
    } catch {
      this.#isTorn = true
      this.#bytes += written
    }
  }

  #beginAgain(): void {
    const { files } = this.#options
    const [old, oldPath] = [this.#file, this.#path]
    this.#open([
      ...this.#begun.map((call) => ['begun', begunJson(call)] as const),
      ...this.#undecided.map((event) => ['undecided', JSON.stringify(event)] as const),
    ])
    if (old === null) return
    this.#retire(old)
    files.remove(oldPath)
  }

  /** A new file, with its first lines in one write. */
  #open(first: readonly (readonly ['begun' | 'undecided', json: string])[]): number {
    const { base, origin, files, survivesPower } = this.#options
    const path = `${base}-${origin}-${this.#count++}`
    const file = files.create(path)
    try {
      const lines = new LineWriter()
      lines.add('header', JSON.stringify(thisOwner(origin)))
      for (const [kind, json] of first) lines.add(kind, json)
      const bytes = lines.take()
      for (let written = 0; written < bytes.length; ) written += some(files.write(file, bytes, written))
      if (survivesPower) files.syncFolder(dirname(path))
      this.#bytes = bytes.length
    } catch (error) {
      files.close(file)
      files.remove(path)
      throw error
    }
    this.#file = file
    this.#path = path
    this.#isTorn = false
    this.#isSynced = false
    return file
  }

  #sync(file: number | null): void {
    const awaiting = this.#awaiting
    this.#awaiting = []
    if (file === null) return settle(awaiting, false)
    this.#syncing = awaiting
    this.#isSynced = true
    this.#options.files.sync(file, (error) => {
      this.#syncing = null
      if (error !== null) this.#isSynced = false
      for (const outdated of this.#outdated.splice(0)) this.#close(outdated)
      settle(awaiting, error === null)
      if (this.#awaiting.length > 0) this.#sync(this.#file)
    })
  }

  #retire(file: number): void {
    if (this.#syncing !== null) this.#outdated.push(file)
    else this.#close(file)
  }

  #close(file: number): void {
    try {
      this.#options.files.close(file)
    } catch {
      // It is closed, or was never open.
    }
  }
}

type Awaiting = (isSafe: boolean) => void

function settle(awaiting: readonly Awaiting[], isSafe: boolean): void {
  for (const resolve of awaiting) resolve(isSafe)
}

const NEW_LINE = Buffer.from('\n')

function some(written: number): number {
  if (written <= 0) throw new Error('nothing was written')
  return written
}

function add<Entry>(entries: Entry[], entry: Entry): void {
  entries.push(entry)
  if (entries.length > MOST_OPEN) entries.shift()
}

function remove(entries: { readonly id: string }[], id: string): boolean {
  for (let place = 0; place < entries.length; place++) {
    if (entries[place]?.id !== id) continue
    entries.splice(place, 1)
    return true
  }
  return false
}
