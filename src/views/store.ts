/** How the store does, and what killed processes left unfinished: for `keywise status`, `/readyz` and the metrics. */

import type { Durability, InterruptedCalls, Store } from '../domain/store.ts'
import type { EngineReader } from '../engine/reader.ts'
import { nanoToUsd } from '../money/amount.ts'

export interface StoreStatus {
  readonly engine: Store['engine']
  /** `degraded`: what is recorded now would not outlive the process, because it cannot be written, or has no file. */
  readonly state: 'ok' | 'degraded'
  /** Why it is degraded; null otherwise. */
  readonly reason: string | null
  /** What answers wait for; null for a store in memory. */
  readonly durability: Durability | null
  /** Rows that wait to be stored. */
  readonly waiting: number
  /** Of the last days, the newest first. */
  readonly interrupted: readonly Interrupted[]
}

interface Interrupted {
  readonly calls: number
  /** ISO 8601: when the first and the last of them began. */
  readonly firstAt: string
  readonly lastAt: string
  /** The most that those of known price can have cost. */
  readonly mostUsd: number
  readonly unpriced: number
}

export function storeStatus({ store }: Pick<EngineReader, 'store'>): StoreStatus {
  const { engine, durability } = store
  return {
    engine,
    ...storeHealth(store),
    durability,
    waiting: store.waiting(),
    interrupted: interruptedIn(store).map(({ calls, firstAt, lastAt, mostNanoUsd, unpriced }) => ({
      calls,
      firstAt: new Date(firstAt).toISOString(),
      lastAt: new Date(lastAt).toISOString(),
      mostUsd: nanoToUsd(mostNanoUsd),
      unpriced,
    })),
  }
}

/** A store in memory does what it can, and keeps nothing. */
export function storeHealth(store: Pick<Store, 'engine' | 'health'>): Pick<StoreStatus, 'state' | 'reason'> {
  return store.engine === 'memory' ? IN_MEMORY : store.health()
}

const IN_MEMORY = {
  state: 'degraded',
  reason: 'it is in memory, so that what keywise learns and spends ends with its process',
} as const

/** The status is shown while the store cannot be read, too. */
function interruptedIn(store: Pick<Store, 'interrupted'>): readonly InterruptedCalls[] {
  try {
    return store.interrupted()
  } catch {
    return []
  }
}
