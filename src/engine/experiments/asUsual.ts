/** Requests of an experiment that ran as usual, counted by the reason over all processes of a store. */

import type { Store } from '../../domain/store.ts'
import type { Experiment } from '../../experiment/experiment.ts'
import { versionKey } from './versions.ts'

/**
 * Why a request of an experiment runs as usual and is not compared: its unit belongs to the holdout; the guard stopped
 * its variant; the experiment was stopped; it names no session, or has no such label; no key has the variant's model.
 */
export type AsUsualReason = 'holdout' | 'guard' | 'stopped' | 'no_session' | 'no_label' | 'no_model'

const AS_USUAL_REASONS = ['holdout', 'guard', 'stopped', 'no_session', 'no_label', 'no_model'] as const

export type AsUsualCounts = Readonly<Record<AsUsualReason, number>>

const PREFIX = 'experiment:'

/** Adds up in memory, and writes when asked to: a request must not wait for a counter. */
export class AsUsualCounter {
  readonly #store: Store
  readonly #waiting = new Map<string, number>()

  constructor(store: Store) {
    this.#store = store
  }

  add(experiment: Pick<Experiment, 'name' | 'version'>, reason: AsUsualReason): void {
    const name = nameOf(experiment, reason)
    this.#waiting.set(name, (this.#waiting.get(name) ?? 0) + 1)
  }

  flush(): void {
    for (const [name, count] of this.#waiting) this.#store.addToCounter(name, count)
    this.#waiting.clear()
  }

  of(experiment: Pick<Experiment, 'name' | 'version'>): AsUsualCounts {
    this.flush()
    const counts = AS_USUAL_REASONS.map((reason) => [reason, this.#store.counter(nameOf(experiment, reason))] as const)
    return Object.fromEntries(counts) as Record<AsUsualReason, number> // one entry for each reason
  }
}

const nameOf = (experiment: Pick<Experiment, 'name' | 'version'>, reason: AsUsualReason) =>
  `${PREFIX}${versionKey(experiment)}:${reason}`
