/** Events of a running keywise: a typed bus whose listeners cannot break a call. */

import type { AttemptReport, OperationName } from '../domain/attempt.ts'
import type { Logger } from '../domain/logger.ts'
import type { ForecastView } from '../money/forecast.ts'
import type { DecisionCause } from '../routing/cause.ts'

/** Targets were ranked for a request. */
interface DecisionNews {
  /** Request id. */
  readonly requestId: string
  /** The model name as requested. */
  readonly model: string
  /** Target id; null when no target was eligible. */
  readonly chosen: string | null
  /** Whether the target was chosen for exploration. */
  readonly explored: boolean
  /** Why it was chosen: `kind`, and `text` in one sentence. */
  readonly cause: DecisionCause
}

/** No target answered a request. */
interface ExhaustedNews {
  /** Request id. */
  readonly requestId: string
  /** The alias or model that has no target left; `auto` for everything. */
  readonly model: string
  /** Every attempt. */
  readonly attempts: readonly AttemptReport[]
  /** ISO 8601: the earliest time a retry can work; null when unknown. */
  readonly retryAt: string | null
}

/** What had failed works again. */
interface RecoveredNews {
  /** What works again: a model, or `auto` for everything. */
  readonly model: string
  /** The target that answered; null when another process on the same store saw it. */
  readonly target: string | null
  /** ISO time at which it began to fail. */
  readonly since: string
}

/** A budget reached a part of its limit, refused its first call of a period, or will be spent before its period ends. */
export interface BudgetNews {
  /** The scope of the budget. */
  readonly scope: string
  /** Its period. */
  readonly per: string
  /**
   * 0.5, 0.8 or 1: the fraction of the limit that was reached; with a `forecast`, or where it `refuses`, the fraction that
   * is spent.
   */
  readonly share: number
  /** Only where it refused a call, which may be long before it is spent: a call may cost more than is left. */
  readonly refuses?: true
  /** Null for a budget that is not in USD. */
  readonly spentUsd: number | null
  /** The limit in USD; null for a budget that is not in USD. */
  readonly limitUsd: number | null
  /** `usd`, `requests` or `tokens`. */
  readonly unit: string
  /** In nano-USD, requests or tokens, as `unit` says. */
  readonly spent: number
  /** In the same unit as `spent`. */
  readonly limit: number
  /** ISO 8601; null for a budget without a period. */
  readonly resetsAt: string | null
  /** Where the budget will be spent before its period ends; null where a part of its limit was reached. */
  readonly forecast: ForecastView | null
}

/** A provider told what an account, or a key of a limit of its own, has left. */
interface CreditNews {
  /** Provider id. */
  readonly provider: string
  /** 1-based: the key with which it was asked. */
  readonly keyIndex: number
  /** `account` for the credit of the account, `key` for the limit of the key. */
  readonly of: 'key' | 'account'
  /** ISO 4217: `USD`. */
  readonly currency: string
  /** An exact decimal: `4.20`. */
  readonly left: string
  /** ISO 8601: when it will be gone at the pace of the last day; null where nothing is predicted. */
  readonly runsOutAt: string | null
}

/** An alert, as the channels of `settings.alerts` send it. */
interface AlertNews {
  /** The same for all messages of one alert. */
  readonly id: string
  /**
   * `all_failed`, `recovered`, `key_revoked`, `key_leaked`, `key_back`, `no_credit`, `credit_low`, `credit_back`,
   * `budget`, `provider_down`, `provider_back`, `model_retired`, `model_back`, `store_degraded`, `store_back`,
   * `experiment_decided`, `channel_off`, `channel_back` or `test`.
   */
  readonly event: string
  /** What it is about: a model, a key, a budget. */
  readonly subject: string
  /** ISO 8601 time at which it was raised. */
  readonly at: string
  /** ISO 8601 time at which its cause began. */
  readonly since: string
  /** The whole alert in a few lines. */
  readonly text: string
}

/** The events by name, with what a listener receives. */
export interface EventMap {
  /** After every attempt. */
  readonly attempt: AttemptReport & { readonly requestId: string; readonly operation: OperationName }
  /** Whenever targets were ranked for a request. */
  readonly decision: DecisionNews
  /** No target answered a request. */
  readonly exhausted: ExhaustedNews
  /** A model, or everything, works again. */
  readonly recovered: RecoveredNews
  /** A budget reached 50, 80 or 100 %, or will be spent before its period ends. */
  readonly budget: BudgetNews
  /** A provider told what is left. */
  readonly credit: CreditNews
  /** An alert was raised. */
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

  /** Whether the event has a listener; without one, building its payload is wasted work. */
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
