/** The counts of one process, for `getSessionSummary`. Calls are counted, not attempts: a rescued call is a success. */

import type { AttemptReport } from '../../domain/attempt.ts'

/** Counts of one process. Calls are counted, not attempts: a rescued call is a success. */
export interface SessionSummary {
  /** Calls made. */
  readonly requests: number
  /** Calls that were answered. */
  readonly successes: number
  /** Calls that were not. */
  readonly failures: number
  /** Input and output tokens of all attempts. */
  readonly totalTokens: number
  /** 0..1, three decimals; 0 when nothing was called. */
  readonly successRate: number
  /** Known costs; attempts of unknown price add nothing. */
  readonly totalCostUsd: number
  /** Per provider, attempts. */
  readonly byProvider: Readonly<
    Record<
      string,
      {
        readonly requests: number
        readonly successes: number
        readonly failures: number
        readonly totalTokens: number
        readonly costUsd: number
      }
    >
  >
}

export class Summary {
  /** Calls of this process so far. */
  cycles = 0
  #successes = 0
  #totalTokens = 0
  #nanoUsd = 0
  readonly #providers = new Map<
    string,
    { requests: number; successes: number; failures: number; totalTokens: number; nanoUsd: number }
  >()

  add(attempts: readonly AttemptReport[], ok: boolean): void {
    this.cycles++
    if (ok) this.#successes++
    for (const attempt of attempts) this.#addAttempt(attempt)
  }

  view(): SessionSummary {
    const rate = this.cycles === 0 ? 0 : this.#successes / this.cycles
    return {
      requests: this.cycles,
      successes: this.#successes,
      failures: this.cycles - this.#successes,
      totalTokens: this.#totalTokens,
      successRate: Math.round(rate * 1000) / 1000,
      totalCostUsd: this.#nanoUsd / 1e9,
      byProvider: Object.fromEntries(
        [...this.#providers].map(([name, { nanoUsd, ...counts }]) => [name, { ...counts, costUsd: nanoUsd / 1e9 }]),
      ),
    }
  }

  #addAttempt(attempt: AttemptReport): void {
    const counts = this.#providers.get(attempt.provider) ?? {
      requests: 0,
      successes: 0,
      failures: 0,
      totalTokens: 0,
      nanoUsd: 0,
    }
    const tokens = attempt.usage?.totalTokens ?? 0
    const nanoUsd = Math.round((attempt.costUsd ?? 0) * 1e9)
    counts.requests++
    if (attempt.ok) counts.successes++
    else counts.failures++
    counts.totalTokens += tokens
    counts.nanoUsd += nanoUsd
    this.#totalTokens += tokens
    this.#nanoUsd += nanoUsd
    this.#providers.set(attempt.provider, counts)
  }
}
