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
  readonly target: string
  /** ISO time at which it had failed. */
  readonly since: string
}

export interface BudgetNews {
  readonly scope: string
  readonly per: string
  /** 0.5, 0.8 or 1: which part of the limit was reached. */
  readonly share: number
  /** Null for a budget that counts something else than USD. */
  readonly spentUsd: number | null
  readonly limitUsd: number | null
  readonly resetsAt: string | null
  /** Hard: nothing more is spent at 1. Soft: cheaper targets are preferred. */
  readonly hard: boolean
  readonly unit: 'usd' | 'requests' | 'tokens'
  /** In the unit; USD as such. */
  readonly spent: number
  readonly limit: number
}

export interface AlertNews {
  readonly event: string
  readonly text: string
}

export interface EventMap {
  readonly attempt: AttemptReport & { readonly requestId: string }
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
