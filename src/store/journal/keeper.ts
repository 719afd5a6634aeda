/** Keeps what the store has not stored yet, by its journal, or by storing it at once where the journal cannot be written. */

import type { AttemptEvent, BegunCall, Durability, Holding, StoreEvent } from '../../domain/store.ts'
import { type JournalFiles, systemFiles } from './files.ts'
import { Journal, type JournalRow } from './journal.ts'

interface KeeperOptions {
  /** The path of the store. */
  readonly location: string
  readonly origin: string
  readonly durability: Durability
  readonly files?: JournalFiles | undefined
  /** Stores everything that waits, at once. Returns whether it could. */
  storeNow(): boolean
  warn(line: string): void
}

/** How the paths of the journals of all processes of a store begin. */
export const journalBase = (location: string) => `${location}.rows`

export class Keeper {
  readonly #options: KeeperOptions
  /** Null where nothing is promised. */
  readonly #journal: Journal | null
  /** Rows of this turn of the event loop, which are written in one go at its end. */
  #rows: JournalRow[] = []
  #isScheduled = false
  /** What the answers of this turn wait for; null while none does. */
  #kept: { readonly promise: Promise<void>; readonly resolve: () => void } | null = null
  #fails = false

  constructor(options: KeeperOptions) {
    const { location, origin, durability, files = systemFiles } = options
    this.#options = options
    this.#journal =
      durability === 'relaxed' || location === ':memory:'
        ? null
        : new Journal({ base: journalBase(location), origin, files, survivesPower: durability === 'power' })
  }

  event(event: StoreEvent): void {
    if (this.#journal === null) return
    if (event.kind === 'attempt') this.#journal.ended(event.id)
    this.#add({ kind: 'event', value: event })
  }

  holding(holding: Holding): void {
    if (this.#journal !== null) this.#add({ kind: 'holding', value: holding })
  }

  /** What cannot be noted is not there after a kill; the call is made all the same. */
  begin(call: BegunCall): void {
    try {
      this.#journal?.begin(call)
    } catch {
      // The row of the attempt will tell, and find out what is wrong.
    }
  }

  undecided(event: AttemptEvent): void {
    try {
      this.#journal?.undecided(event)
    } catch {
      // As above.
    }
  }

  /** As `Store.kept`. */
  kept(): Promise<void> | null {
    if (this.#rows.length === 0 && this.#kept === null) return this.#synced()
    this.#kept ??= Promise.withResolvers<void>()
    return this.#kept.promise
  }

  /** Everything that waited is in the store, so that the rows of this turn need no journal. */
  stored(): void {
    this.#rows = []
    this.#settle()
    this.#journal?.stored()
  }

  forget(): void {
    this.#journal?.forget()
  }

  /** `isStored`: nothing waits. Returns whether what waits is kept for the next process. */
  close(isStored: boolean): boolean {
    if (!isStored) this.#write()
    const isKept = this.#journal !== null && this.#journal.path !== '' && !this.#fails
    this.#journal?.close(!isStored)
    this.#settle()
    return isKept
  }

  #add(row: JournalRow): void {
    this.#rows.push(row)
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#write()
      const synced = this.#kept === null ? null : this.#synced()
      if (synced === null) this.#settle()
      else this.#settleAfter(synced)
    })
  }

  #write(): void {
    const rows = this.#rows
    if (rows.length === 0) return
    this.#rows = []
    try {
      this.#journal?.write(rows)
      this.#fails = false
    } catch (error) {
      this.#failed(error)
    }
  }

  #settle(): void {
    this.#kept?.resolve()
    this.#kept = null
  }

  /** Answers of later turns wait for a promise of their own. */
  #settleAfter(synced: Promise<void>): void {
    const kept = this.#kept
    this.#kept = null
    void synced.then(() => kept?.resolve())
  }

  /** Null when the disk need not be waited for. */
  #synced(): Promise<void> | null {
    if (this.#options.durability !== 'power' || this.#fails) return null
    const synced = this.#journal?.synced() ?? null
    if (synced === null) return null
    return synced.then((isSafe) => {
      // The store waits for the disk too.
      if (!isSafe) this.#failed(new Error('the disk did not take it'))
    })
  }

  #failed(error: unknown): void {
    const { location, storeNow, warn } = this.#options
    const isNew = !this.#fails
    this.#fails = true
    // Where the store cannot be written either, that is said.
    if (!storeNow() || !isNew) return
    const reason = error instanceof Error ? error.message.slice(0, 300) : String(error)
    warn(
      `${journalBase(location)}-… cannot be written: ${reason}; every row is stored at once meanwhile, which is slower`,
    )
  }
}
