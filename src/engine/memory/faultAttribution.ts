/**
 * Decides whose fault a failure is. While this host is offline or was asleep sockets drop, and no target is charged;
 * nor is one charged for missing a caller's nearly expired deadline. While it is unknown whether the host or our
 * network is at fault, the event is kept back: it is recorded when another host answers (charged), when another fails
 * too (not charged), or when enough time has passed (charged).
 */

import { type OwnShortageCode, ownShortageOf } from '../../domain/ownShortage.ts'
import type { AttemptEvent } from '../../domain/store.ts'
import type { CallEnd } from '../../upstream/call.ts'
import { type OfflineDetector, TOGETHER_MS } from '../../upstream/offline.ts'

/** Maximum events kept back. */
const MOST = 1000
/** A target given less time than this is not considered slow. */
const FAIR_MS = 5000

/** `local`: the target is not charged. `undecided`: unknown yet; `add` the event instead of recording it. */
type Fault = 'remote' | 'local' | 'undecided'

interface OwnShortage {
  readonly code: OwnShortageCode
  /** Epoch milliseconds. */
  readonly at: number
}

/** A lack shows in `/readyz`, the metrics and the status for this long. */
const SHORTAGE_TOLD_MS = 60_000

export class FaultAttribution {
  #shortage: OwnShortage | null = null
  #shortages = 0
  readonly #offline: OfflineDetector
  readonly #record: (event: AttemptEvent) => void
  #events: AttemptEvent[] = []

  constructor(offline: OfflineDetector, record: (event: AttemptEvent) => void) {
    this.#offline = offline
    this.#record = record
  }

  /** `host` is undefined when the key was removed while the call ran: the attempt is still recorded. */
  attribute(host: string | undefined, end: Pick<CallEnd, 'outcome' | 'status'>, now: number): Fault {
    if (host === undefined) return 'remote'
    const failure = end.outcome.ok ? null : end.outcome.failure
    const shortage = ownShortageOf(failure)
    if (shortage !== null) return this.#short(shortage, now)
    if (failure?.kind === 'network' || (failure?.kind === 'timeout' && failure.phase === 'connect'))
      return this.#unreachable(host, now)
    if (end.status !== null) this.#reachable(host, now)
    return failure?.kind === 'timeout' && failure.phase === 'total' && failure.afterMs < FAIR_MS ? 'local' : 'remote'
  }

  add(event: AttemptEvent): void {
    this.#events.push(event)
    if (this.#events.length > MOST) this.charge()
  }

  /** The network was down: no target was at fault. */
  excuse(): void {
    for (const event of this.#take()) this.#record({ ...event, notCharged: true })
  }

  /** The network is up, so the hosts were at fault. */
  charge(): void {
    for (const event of this.#take()) this.#record(event)
  }

  /** Charges events older than the time in which a local outage is noticed. */
  tick(now: number): void {
    const [first] = this.#events
    if (first !== undefined && (now - first.at > TOGETHER_MS || now < first.at)) this.charge()
  }

  /** What this machine lacked last, for the same time as an outage of its network; null for nothing. */
  shortageAt(now: number): OwnShortage | null {
    const last = this.#shortage
    return last !== null && now - last.at <= SHORTAGE_TOLD_MS ? last : null
  }

  /** Attempts that failed because this machine lacked something, since the start. */
  get shortages(): number {
    return this.#shortages
  }

  #short(code: OwnShortageCode, at: number): Fault {
    this.#shortage = { code, at }
    this.#shortages++
    return 'local'
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
