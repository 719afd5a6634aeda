/** Limits probe calls per account: a few per hour (by default), and a small share of a daily limit. */

import type { Target } from '../domain/target.ts'
import type { LimitView } from '../quota/limits/limitView.ts'

const BURST = 10
const REFILL_MS = 600_000
/** Maximum share of an account's known daily requests. */
const DAILY_SHARE = 0.02
const DAY_MS = 86_400_000

interface ProbedTarget extends Pick<Target, 'account'> {
  readonly profile: Pick<Target['profile'], 'local'>
}

interface Account {
  tokens: number
  filledAt: number
  /** When the calls of the last day were made. */
  calls: number[]
}

export class ProbeAllowance {
  readonly #accounts = new Map<string, Account>()
  readonly #refillMs: number

  /** `refillMs`: milliseconds per call, after the first ten. */
  constructor(refillMs = REFILL_MS) {
    this.#refillMs = refillMs
  }

  /** Takes one call of the account; false when none is left. `limits`: all known limits of the target. */
  take({ account, profile }: ProbedTarget, limits: readonly LimitView[], now: number): boolean {
    // A local server costs nothing.
    if (profile.local) return true
    const known = this.#account(account, now)
    if (known.tokens < 1 || !leavesEnough(limits, known.calls.length + 1)) return false
    known.tokens--
    known.calls.push(now)
    return true
  }

  #account(name: string, now: number): Account {
    const known = this.#accounts.get(name) ?? { tokens: BURST, filledAt: now, calls: [] }
    this.#accounts.set(name, known)
    known.tokens = Math.min(BURST, known.tokens + Math.max(0, now - known.filledAt) / this.#refillMs)
    known.filledAt = now
    known.calls = known.calls.filter((at) => Math.abs(now - at) < DAY_MS)
    return known
  }
}

/** Published limits are good enough to restrain probes. */
function leavesEnough(limits: readonly LimitView[], calls: number): boolean {
  for (const { unit, window, limit } of limits)
    if (unit === 'requests' && window === 'day' && limit !== null && calls > limit * DAILY_SHARE) return false
  return true
}
