/** Limits that count and reset, as a provider keeps them: fixed windows per key, account or account and model. */

import { nextDay } from '../../quota/dayBoundary.ts'
import type { FakeLimit } from './scenario.ts'

export interface Caller {
  readonly key: string
  readonly account: string
  readonly model: string
}

export interface LimitState {
  readonly limit: FakeLimit
  readonly remaining: number
  /** Epoch milliseconds. */
  readonly resetsAt: number
}

const LENGTH_MS = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 }

export class FakeLimits {
  readonly #limits: readonly FakeLimit[]
  readonly #windows = new Map<string, { used: number; resetsAt: number }>()

  constructor(limits: readonly FakeLimit[]) {
    this.#limits = limits
  }

  /** Counts a request; returns the limit it met, or null when it is admitted. A refused request is not counted. */
  admit(caller: Caller, tokens: number, now: number): LimitState | null {
    for (const [index, limit] of this.#limits.entries()) {
      const window = this.#window(index, limit, caller, now)
      if (window.used + (limit.unit === 'requests' ? 1 : tokens) > limit.limit)
        return { limit, remaining: 0, resetsAt: window.resetsAt }
    }
    for (const [index, limit] of this.#limits.entries())
      if (limit.unit === 'requests') this.#window(index, limit, caller, now).used++
    return null
  }

  /** Counts the tokens of an answer. */
  spend(caller: Caller, tokens: number, now: number): void {
    for (const [index, limit] of this.#limits.entries())
      if (limit.unit === 'tokens') this.#window(index, limit, caller, now).used += tokens
  }

  /** What the provider's headers would say: the stated limits only. */
  states(caller: Caller, now: number): readonly LimitState[] {
    const states: LimitState[] = []
    for (const [index, limit] of this.#limits.entries()) {
      if (!limit.stated) continue
      const window = this.#window(index, limit, caller, now)
      states.push({ limit, remaining: Math.max(0, limit.limit - window.used), resetsAt: window.resetsAt })
    }
    return states
  }

  /** The least share that is left of any limit on requests, 0..1; 1 where none is limited. */
  shareLeft(caller: Caller, now: number): number {
    let least = 1
    for (const [index, limit] of this.#limits.entries())
      if (limit.unit === 'requests')
        least = Math.min(least, 1 - this.#window(index, limit, caller, now).used / limit.limit)
    return least
  }

  #window(index: number, limit: FakeLimit, caller: Caller, now: number): { used: number; resetsAt: number } {
    const who =
      limit.scope === 'key'
        ? caller.key
        : limit.scope === 'account'
          ? caller.account
          : `${caller.account} ${caller.model}`
    const id = `${index} ${who}`
    const known = this.#windows.get(id)
    if (known !== undefined && now < known.resetsAt) return known
    const resetsAt = limit.window === 'day' ? nextDay(limit.zone ?? 'UTC', now) : now + LENGTH_MS[limit.window]
    const fresh = { used: 0, resetsAt }
    this.#windows.set(id, fresh)
    return fresh
  }
}
