/**
 * Connection failures of which nobody can say yet whether the host or our own network is to blame: remembered when
 * another host answers (charged), when another fails as well (excused), or when enough time has passed (charged).
 */

import type { AttemptEvent } from '../domain/store.ts'
import { TOGETHER_MS } from '../upstream/offline.ts'

/** More than this many are not kept waiting. */
const MOST = 1000

export class OpenCases {
  readonly #remember: (event: AttemptEvent) => void
  #events: AttemptEvent[] = []

  constructor(remember: (event: AttemptEvent) => void) {
    this.#remember = remember
  }

  add(event: AttemptEvent): void {
    this.#events.push(event)
    if (this.#events.length > MOST) this.charge()
  }

  /** The network was gone: nobody was to blame. */
  excuse(): void {
    for (const event of this.#take()) this.#remember({ ...event, excused: true })
  }

  /** The network is there, so the hosts were to blame. */
  charge(): void {
    for (const event of this.#take()) this.#remember(event)
  }

  /** Charges what is older than any outage of ours is noticed. */
  tick(now: number): void {
    const [first] = this.#events
    if (first !== undefined && (now - first.at > TOGETHER_MS || now < first.at)) this.charge()
  }

  #take(): readonly AttemptEvent[] {
    const events = this.#events
    this.#events = []
    return events
  }
}
