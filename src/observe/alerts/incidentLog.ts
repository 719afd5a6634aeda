/** The incidents in the store, shared by all processes that have the same channels. */

import type { Store } from '../../domain/store.ts'
import { type Incident, isOpen, readIncident, writeIncident } from './incident.ts'

const TROUBLES = 'alerts'
/** How long a closed incident is still listed. */
const KEPT_MS = 7 * 86_400_000

export class IncidentLog {
  readonly #store: Store
  readonly #now: () => number
  /** Open incidents, as last read. */
  readonly #open = new Map<string, Incident>()
  /** Identifies the set of channels: the same incident for other channels is another incident. */
  #audience = 'nobody'
  #syncedAt = Number.NEGATIVE_INFINITY

  constructor(store: Store, now: () => number) {
    this.#store = store
    this.#now = now
  }

  /** Epoch milliseconds at which it was read last. */
  get syncedAt(): number {
    return this.#syncedAt
  }

  /** Whether none is open; asked for every answer. */
  get isQuiet(): boolean {
    return this.#open.size === 0
  }

  useFor(audience: string): void {
    this.#audience = audience
    this.#open.clear()
    this.sync()
  }

  find(key: string): Incident | undefined {
    const incident = this.#open.get(key)
    return isOpen(incident, this.#now()) ? incident : undefined
  }

  /** Those that were open when they were read, also one that has ended by itself since. */
  known(key: string): Incident | undefined {
    return this.#open.get(key)
  }

  open(): readonly Incident[] {
    return [...this.#open.values()]
  }

  /** Changes an incident in one step for all processes. Returns what it is then. */
  change(key: string, change: (known: Incident | undefined) => Incident | undefined): Incident | undefined {
    const value = this.#store.updateDoc(TROUBLES, this.#place(key), (before) => {
      const after = change(readIncident(before))
      return after === undefined ? undefined : writeIncident(after)
    })
    const incident = readIncident(value)
    if (incident?.open === true) this.#open.set(key, incident)
    else this.#open.delete(key)
    return incident
  }

  /** Reads what other processes opened and closed. Returns the incidents that are over. */
  sync(): readonly Incident[] {
    const now = this.#now()
    this.#syncedAt = now
    const stored = new Map<string, Incident>()
    for (const [place, value] of this.#store.listDocs(TROUBLES)) {
      const incident = readIncident(value)
      if (incident === undefined || isForgotten(incident, now)) this.#store.deleteDoc(TROUBLES, place)
      else if (place === this.#place(incident.key)) stored.set(incident.key, incident)
    }
    const over = this.open().filter(({ key }) => !isOpen(stored.get(key), now))
    this.#open.clear()
    for (const [key, incident] of stored) if (isOpen(incident, now)) this.#open.set(key, incident)
    return over.map((incident) => stored.get(incident.key) ?? incident)
  }

  /** Every incident kept. */
  all(): readonly Incident[] {
    const all: Incident[] = []
    for (const [place, value] of this.#store.listDocs(TROUBLES)) {
      const incident = readIncident(value)
      if (incident !== undefined && place === this.#place(incident.key)) all.push(incident)
    }
    return all
  }

  #place(key: string): string {
    return `${this.#audience} ${key}`
  }
}

function isForgotten({ open, overAt, until, alert }: Incident, now: number): boolean {
  const end = overAt ?? until ?? (open ? null : alert.at)
  return end !== null && now - end > KEPT_MS
}
