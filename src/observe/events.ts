/** What a running keywise tells its listeners: a typed bus whose listeners cannot break a call. */

import type { AttemptReport } from '../domain/attempt.ts'
import type { Logger } from '../domain/logger.ts'

export interface DecisionNews {
  readonly requestId: string
  readonly model: string
  readonly chosen: string | null
  readonly explored: boolean
}

export interface ExhaustedNews {
  readonly requestId: string
  /** The alias or model that has no target left; `auto` when it is everything. */
  readonly model: string
  readonly attempts: readonly AttemptReport[]
  readonly retryAt: string | null
}

export interface RecoveredNews {
  /** What works again: a model, or `auto` for everything. */
  readonly model: string
  /** Which target answered; null when another process on the same store saw it. */
  readonly target: string | null
  /** ISO time at which it had failed. */
  readonly since: string
}

export interface BudgetNews {
  readonly scope: string
  readonly per: string
  /** 0.5, 0.8 or 1: which part of the limit was reached. */
  readonly share: number
  /** Null for a budget that does not count USD. */
  readonly spentUsd: number | null
  readonly limitUsd: number | null
  readonly unit: string
  /** In nano-USD, requests or tokens, as `unit` says. */
  readonly spent: number
  readonly limit: number
  readonly resetsAt: string | null
}

export interface AlertNews {
  readonly id: string
  /** `all_failed`, `recovered`, `key_revoked` … (see `alert.ts`). */
  readonly event: string
  readonly subject: string
  /** Times are ISO 8601. */
  readonly at: string
  readonly since: string
  /** The whole alert in a few lines. */
  readonly text: string
}

export interface EventMap {
  readonly attempt: AttemptReport & { readonly requestId: string; readonly operation: 'chat' | 'embeddings' }
  readonly decision: DecisionNews
  readonly exhausted: ExhaustedNews
  readonly recovered: RecoveredNews
  readonly budget: BudgetNews
  readonly alert: AlertNews
}

export type Listener<E extends keyof EventMap> = (news: EventMap[E]) => void

export class Events {
  readonly #listeners = new Map<keyof EventMap, Set<(news: never) => void>>()
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  on<E extends keyof EventMap>(event: E, listener: Listener<E>): void {
    const set = this.#listeners.get(event) ?? new Set()
    set.add(listener)
    this.#listeners.set(event, set)
  }

  off<E extends keyof EventMap>(event: E, listener: Listener<E>): void {
    this.#listeners.get(event)?.delete(listener)
  }

  /** Whether anybody listens; building news for nobody is work for nothing. */
  has(event: keyof EventMap): boolean {
    return (this.#listeners.get(event)?.size ?? 0) > 0
  }

  emit<E extends keyof EventMap>(event: E, news: EventMap[E]): void {
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        ;(listener as Listener<E>)(news) // the map holds only listeners of its own event
      } catch (error) {
        this.#logger.error(`a listener of "${event}" threw: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
}
