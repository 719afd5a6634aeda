/**
 * A clock on which waiting takes no time: it stands while something works and moves to the next wake-up when everything
 * waits. Given as `now`, `monotonic` and `sleep` to a manager and to simulated providers, days pass in seconds.
 */

/** Real milliseconds without a new sleeper after which everything is taken to be waiting. */
const QUIET_MS = 2

interface Sleeper {
  readonly wakesAt: number
  readonly wake: () => void
}

export class FastClock {
  readonly #startedAt: number
  readonly #sleepers = new Set<Sleeper>()
  #now: number
  #timer: NodeJS.Timeout | undefined

  /** `startsAt` in epoch milliseconds. */
  constructor(startsAt: number) {
    this.#startedAt = startsAt
    this.#now = startsAt
  }

  /** Epoch milliseconds. */
  readonly now = (): number => this.#now

  /** Milliseconds since the clock began. */
  readonly monotonic = (): number => this.#now - this.#startedAt

  readonly sleep = (ms: number): Promise<void> =>
    new Promise((wake) => {
      this.#sleepers.add({ wakesAt: this.#now + Math.max(0, ms), wake })
      this.#waitForQuiet()
    })

  /** Moves the time forward, waking every sleeper due by then. */
  async until(at: number): Promise<void> {
    await this.sleep(at - this.#now)
  }

  #waitForQuiet(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#moveOn(), QUIET_MS)
  }

  /** To the first waking. Who sleeps until the same moment wakes together. */
  #moveOn(): void {
    let first = Number.POSITIVE_INFINITY
    for (const { wakesAt } of this.#sleepers) first = Math.min(first, wakesAt)
    if (first === Number.POSITIVE_INFINITY) return
    this.#now = Math.max(this.#now, first)
    for (const sleeper of [...this.#sleepers]) {
      if (sleeper.wakesAt > this.#now) continue
      this.#sleepers.delete(sleeper)
      sleeper.wake()
    }
    if (this.#sleepers.size > 0) this.#waitForQuiet()
  }
}
