/** Keeps what the store has not stored yet, by its journal, or by storing it at once where the journal cannot be written. */

import type { AttemptEvent, BegunCall, Durability, Holding, StoreEvent } from '../../domain/store.ts'
import { type JournalFiles, systemFiles } from './files.ts'
import { Journal } from './journal.ts'

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
    try {
      this.#journal.event(event)
      this.#fails = false
    } catch (error) {
      this.#failed(error)
    }
  }

  holding(holding: Holding): void {
    if (this.#journal === null) return
    try {
      this.#journal.holding(holding)
      this.#fails = false
    } catch (error) {
      this.#failed(error)
    }
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
    if (this.#options.durability !== 'power' || this.#fails) return null
    const synced = this.#journal?.synced() ?? null
    if (synced === null) return null
    return synced.then((isSafe) => {
      // The store waits for the disk too.
      if (!isSafe) this.#failed(new Error('the disk did not take it'))
    })
  }

  stored(): void {
    this.#journal?.stored()
  }

  forget(): void {
    this.#journal?.forget()
  }

  /** `isStored`: nothing waits. Returns whether what waits is kept for the next process. */
  close(isStored: boolean): boolean {
    const isKept = this.#journal !== null && this.#journal.path !== '' && !this.#fails
    this.#journal?.close(!isStored)
    return isKept
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
