/** Measures the delay of the gateway's event loop, and leaves it once a minute where `keywise status` finds it. */

import { asNumber, asRecord } from '../domain/json.ts'
import type { Store } from '../domain/store.ts'
import { EventLoopDelay, type EventLoopReading } from '../observe/eventLoopDelay.ts'
import { EVENT_LOOPS, type EventLoopStatus, eventLoopStatus, STALE_MS } from '../views/eventLoops.ts'

interface WatchOptions {
  readonly store: Pick<Store, 'setDoc' | 'deleteDoc' | 'listDocs'>
  readonly now: () => number
}

const WINDOW_MS = 60_000

export class EventLoopWatch {
  readonly #delay = new EventLoopDelay()
  readonly #options: WatchOptions
  readonly #timer: NodeJS.Timeout

  constructor(options: WatchOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.turn(), WINDOW_MS)
    this.#timer.unref()
  }

  reading(): EventLoopReading {
    return this.#delay.reading()
  }

  status(): EventLoopStatus {
    return eventLoopStatus(process.pid, this.reading(), this.#options.now())
  }

  /** Ends the window of a minute. */
  turn(): void {
    this.#delay.turn()
    const { store, now } = this.#options
    attempt(() => {
      store.setDoc(EVENT_LOOPS, String(process.pid), { at: now(), ...this.reading() })
      for (const [key, value] of store.listDocs(EVENT_LOOPS))
        if ((asNumber(asRecord(value)?.['at']) ?? 0) < now() - STALE_MS) store.deleteDoc(EVENT_LOOPS, key)
    })
  }

  close(): void {
    clearInterval(this.#timer)
    this.#delay.close()
    attempt(() => this.#options.store.deleteDoc(EVENT_LOOPS, String(process.pid)))
  }
}

/** A figure for people is worth no failure: the store says by itself that it cannot be written. */
function attempt(write: () => void): void {
  try {
    write()
  } catch {}
}
