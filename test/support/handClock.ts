/**
 * Monotonic time that moves only by hand, for deadlines over real HTTP: nothing is late because the machine is busy.
 * Simulated providers sleep by it too.
 */

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

export class HandClock {
  #ms = 1000
  #sleepers: Sleeper[] = []

  readonly monotonic = (): number => this.#ms

  /** For `FakeOptions.sleep`. */
  readonly sleep = (ms: number): Promise<void> =>
    new Promise((wake) => void this.#sleepers.push({ at: this.#ms + ms, wake }))

  /** How many answers of simulated providers wait for the time to pass. */
  get asleep(): number {
    return this.#sleepers.length
  }

  pass(ms: number): void {
    this.#ms += ms
    const due = this.#sleepers.filter(({ at }) => at <= this.#ms)
    this.#sleepers = this.#sleepers.filter(({ at }) => at > this.#ms)
    for (const { wake } of due) wake()
  }
}
