/**
 * Whose fault a failure is. Offline or asleep: sockets drop, and nobody is charged (wire-facts 4.1); nor is anybody for
 * not answering within the little time that was left of the caller's. While nobody can say whether a host or our own
 * network is to blame, the case stays open: it is remembered when another host answers (charged), when another fails as
 * well (not charged), or when enough time has passed (charged).
 */

import type { AttemptEvent } from '../../domain/store.ts'
import type { CallEnd } from '../../upstream/call.ts'
import { type OfflineDetector, TOGETHER_MS } from '../../upstream/offline.ts'

/** More than this many are not kept waiting. */
const MOST = 1000
/** Who was given less time than this cannot be called slow. */
const FAIR_MS = 5000

/** `ours`: nobody is charged. `open`: nobody can say yet; `add` the event instead of remembering it. */
export type Fault = 'remote' | 'local' | 'undecided'

export class FaultAttribution {
  readonly #offline: OfflineDetector
  readonly #record: (event: AttemptEvent) => void
  #events: AttemptEvent[] = []

  constructor(offline: OfflineDetector, record: (event: AttemptEvent) => void) {
    this.#offline = offline
    this.#record = record
  }

  /** `host` is undefined when the key was removed while the call ran: its end is recorded all the same. */
  attribute(host: string | undefined, end: Pick<CallEnd, 'outcome' | 'status'>, now: number): Fault {
    if (host === undefined) return 'remote'
    const failure = end.outcome.ok ? null : end.outcome.failure
    if (failure?.kind === 'network' || (failure?.kind === 'timeout' && failure.phase === 'connect'))
      return this.#unreachable(host, now)
    if (end.status !== null) this.#reachable(host, now)
    return failure?.kind === 'timeout' && failure.phase === 'total' && failure.afterMs < FAIR_MS ? 'local' : 'remote'
  }

  add(event: AttemptEvent): void {
    this.#events.push(event)
    if (this.#events.length > MOST) this.charge()
  }

  /** The network was gone: nobody was to blame. */
  excuse(): void {
    for (const event of this.#take()) this.#record({ ...event, notCharged: true })
  }

  /** The network is there, so the hosts were to blame. */
  charge(): void {
    for (const event of this.#take()) this.#record(event)
  }

  /** Charges what is older than any outage of ours is noticed. */
  tick(now: number): void {
    const [first] = this.#events
    if (first !== undefined && (now - first.at > TOGETHER_MS || now < first.at)) this.charge()
  }

  #unreachable(host: string, now: number): Fault {
    this.#offline.failed(host, now)
    if (this.#offline.isOpen(host, now)) return 'undecided'
    if (!this.#offline.isOffline(now)) return 'remote'
    this.excuse()
    return 'local'
  }

  #reachable(host: string, now: number): void {
    this.#offline.answered(host, now)
    if (this.#offline.isReachable(now)) this.charge()
  }

  #take(): readonly AttemptEvent[] {
    const events = this.#events
    this.#events = []
    return events
  }
}
