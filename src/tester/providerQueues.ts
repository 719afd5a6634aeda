/** Limits concurrent calls per account; local servers take one at a time. */

import type { Target } from '../domain/target.ts'

export class ProviderQueues {
  readonly #most: number
  readonly #queues = new Map<string, ProviderQueue>()

  constructor(most: number) {
    this.#most = most
  }

  /** Runs the work when the target's account has a free slot; slots are granted in order of request. */
  async run<Result>(target: Target, work: () => Promise<Result>): Promise<Result> {
    const queue = this.#laneOf(target)
    await queue.enter()
    try {
      return await work()
    } finally {
      queue.leave()
    }
  }

  #laneOf(target: Target): ProviderQueue {
    const { local } = target.profile
    // Loading two models on one machine at once would distort both measurements.
    const name = local ? `local ${target.provider}` : target.account
    let queue = this.#queues.get(name)
    if (queue === undefined) {
      queue = new ProviderQueue(local ? 1 : this.#most)
      this.#queues.set(name, queue)
    }
    return queue
  }
}

class ProviderQueue {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(places: number) {
    this.#free = places
  }

  enter(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free--
      return undefined
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** The slot goes to the longest-waiting call. */
  leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}
