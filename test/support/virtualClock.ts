/**
 * A virtual clock for a real manager over real HTTP: time stands still while anything is under way and jumps to the
 * next thing that was waited for when nothing is, so that a day takes seconds.
 */

interface Sleeper {
  readonly at: number
  readonly order: number
  readonly wake: () => void
}

export class VirtualClock {
  #now: number
  #order = 0
  #sleepers: Sleeper[] = []
  /** Waits of the upstream and of callers between two tries: a call waiting there is not under way. */
  #resting = 0
  /** Requests that have not been answered yet. */
  #pending = 0
  /** Work that was given to `at` and is not done. */
  #work = 0

  constructor(startsAt: number) {
    this.#now = startsAt
  }

  readonly now = (): number => this.#now

  /** For `EngineOptions.sleep`: pauses of callers bring their signal, timers of the wait queue do not. */
  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    signal === undefined ? this.#until(this.#now + ms) : this.rest(ms)

  /** For the simulated providers: a slow answer. */
  readonly rest = async (ms: number): Promise<void> => {
    this.#resting++
    await this.#until(this.#now + ms)
    this.#resting--
  }

  /** Sets the clock, as a person or a time server does: it wakes no sleeper. */
  set(now: number): void {
    this.#now = now
  }

  /** Starts `work` at a time of the clock. */
  at(at: number, work: () => Promise<unknown>): void {
    this.#work++
    void this.#until(at).then(async () => {
      this.#pending++
      await work()
      this.#pending--
      this.#work--
    })
  }

  /** Lets time pass until everything started is done. `waiting`: how many requests wait in the manager's wait queue. */
  async run(waiting: () => number): Promise<void> {
    for (;;) {
      await this.#settled(waiting)
      const next = this.#work > 0 ? this.#sleepers.at(-1) : undefined
      if (next === undefined) return
      this.#now = Math.max(this.#now, next.at)
      // What is due at the same moment happens together, as it would on a real network.
      while (this.#sleepers.at(-1)?.at === next.at) this.#sleepers.pop()!.wake()
    }
  }

  async #settled(waiting: () => number): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve))
    while (this.#pending > this.#resting + waiting())
  }

  #until(at: number): Promise<void> {
    return new Promise((wake) => {
      const sleeper = { at, order: this.#order++, wake }
      let place = this.#sleepers.length
      while (place > 0 && isAfter(sleeper, this.#sleepers[place - 1]!)) place--
      this.#sleepers.splice(place, 0, sleeper)
    })
  }
}

/** The list ends with the one that is woken next. */
function isAfter(one: Sleeper, other: Sleeper): boolean {
  return one.at !== other.at ? one.at > other.at : one.order > other.order
}
