/** Tests may use a tenth of the known remaining daily quota, so that testing does not use up the day. */

import type { Target } from '../domain/target.ts'
import type { LimitView } from '../quota/limits/limitView.ts'
import { amountOf, type QuotaNeed } from '../quota/limits/quotaNeed.ts'
import type { QuotaTracker } from '../quota/limits/quotaTracker.ts'

const SHARE = 0.1

export class DayAllowance {
  readonly #quota: QuotaTracker
  /** Remaining allowance by limit; set when the limit first becomes known. */
  readonly #left = new Map<string, number>()
  /** Free requests left today by account, where a key check reported them. */
  readonly #freeRequests: ReadonlyMap<string, number>

  constructor(quota: QuotaTracker, freeRequests: ReadonlyMap<string, number>) {
    this.#quota = quota
    this.#freeRequests = freeRequests
  }

  /** Takes what a call needs from all of its limits or from none; returns the reason when it may not. */
  take(target: Target, need: QuotaNeed, now: number): string | null {
    const taken: (readonly [name: string, amount: number])[] = []
    for (const { name, remaining, unit, text } of this.#limitsOf(target, now)) {
      const left = this.#left.get(name) ?? Math.floor(remaining * SHARE)
      const amount = amountOf(need, unit)
      if (amount > left) return text
      taken.push([name, left - amount])
    }
    for (const [name, left] of taken) this.#left.set(name, left)
    return null
  }

  *#limitsOf(target: Target, now: number): Generator<DayLimit> {
    const free = this.#freeRequests.get(target.account)
    if (free !== undefined && target.profile.free) yield dayLimit(`${target.account} free`, 'requests', free, null)
    for (const view of this.#quota.limitsOf(target, now)) {
      const { remaining, unit, scope, resetsAt } = view
      if (remaining === null || !isStatedDay(view)) continue
      const pool = scope === 'account' ? target.account : `${target.account} ${target.model}`
      yield dayLimit(`${pool} ${unit}`, unit, remaining, resetsAt)
    }
  }
}

interface DayLimit {
  readonly name: string
  readonly unit: LimitView['unit']
  readonly remaining: number
  readonly text: string
}

/** A merely suspected limit does not block the call that would confirm or refute it. */
const isStatedDay = ({ window, source }: LimitView) => window === 'day' && (source === 'header' || source === 'body')

function dayLimit(name: string, unit: LimitView['unit'], remaining: number, resetsAt: number | null): DayLimit {
  const until = resetsAt === null ? '' : ` until ${new Date(resetsAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  const text = `${Math.floor(remaining)} ${unit} left today${until}, and a test run takes at most a tenth of them`
  return { name, unit, remaining, text }
}
