/** The state of one budget: what is spent and reserved, when it resets, and its pressure towards cheaper targets. */

import { isoOrNull } from '../domain/isoTime.ts'
import { formatUsd, nanoToUsd } from './amount.ts'
import { type Budget, budgetId } from './budgetRule.ts'
import { type Counters, Lease, type LeaseSlot } from './lease.ts'
import { Slots } from './period.ts'
import { BudgetSpend } from './tally.ts'

/** A threshold just reached; reported once per period by each process, so alerts must deduplicate it. */
export interface Crossing {
  readonly scope: string
  readonly per: string
  readonly unit: Budget['unit']
  /** 50, 80 or 100. */
  readonly percent: number
  /** In the budget's unit: nano-USD, requests or tokens. */
  readonly spent: number
  readonly limit: number
  /** Epoch milliseconds; null when nothing resets it. */
  readonly resetsAt: number | null
  readonly hard: boolean
}

/** A budget as shown by `budget --json`. USD fields are null for budgets that count something else. */
export interface BudgetView {
  readonly scope: string
  readonly per: string
  readonly limitUsd: number | null
  readonly spentUsd: number | null
  readonly reservedUsd: number | null
  /** ISO 8601; null for a budget that never resets, or a rolling one that is empty. */
  readonly resetsAt: string | null
  readonly hard: boolean
  readonly unit: string
  readonly limit: number
  readonly spent: number
  /**
   * Reserved for calls in flight; under a hard budget also what other processes hold or left behind when they were
   * killed.
   */
  readonly reserved: number
  /** Attempts of unknown price; they are not in `spent`. */
  readonly unpricedAttempts: number
  readonly window: 'calendar' | 'rolling'
  readonly timezone: string
  readonly onExceeded: 'fallback' | 'reject'
}

/** Learning rate and maximum of the pressure (dual ascent, see `BudgetCounter.pressure`). */
const PRESSURE_STEP = 0.05
const MOST_PRESSURE = 10
/** At the start of a period this share of the limit may be spent without pressure. */
const FREE_SHARE = 0.05

/** What is known of what one attempt spent, in the budget's unit. */
export interface KnownAmount {
  readonly amount: number
  /** 1 for an attempt whose cost is not, or not wholly, known. */
  readonly unpriced: number
}

export class BudgetCounter {
  readonly budget: Budget
  readonly slots: Slots
  readonly tally: BudgetSpend
  readonly lease: Lease | null
  #reserved = 0
  #pressure = 0
  #periodStart = Number.NEGATIVE_INFINITY

  constructor(budget: Budget, counters: Counters, origin: string) {
    this.budget = budget
    this.slots = new Slots(budget.per, budget.rolling, budget.timeZone)
    this.tally = new BudgetSpend(this.slots, budget.limit)
    this.lease = budget.hard ? new Lease(counters, origin, budgetId(budget), budget.limit, this.slots) : null
  }

  /** Reserves the amount: false when the hard limit leaves no room. A soft budget always has room. */
  reserve(amount: number, now: number): LeaseSlot | null | false {
    const slot = this.lease === null ? null : this.lease.reserve(amount, now)
    if (this.lease !== null && slot === null) return false
    this.#reserved += amount
    return slot
  }

  /** Ends a reservation: `charged` is taken from the limit, `spent` is what is displayed. */
  settle(slot: LeaseSlot | null, held: number, charged: number, spent: KnownAmount, startedAt: number): void {
    this.#reserved -= held
    this.count(startedAt, spent)
    if (slot !== null) this.lease?.settle(slot, held, charged)
  }

  release(slot: LeaseSlot | null, held: number): void {
    this.#reserved -= held
    if (slot !== null) this.lease?.settle(slot, held, 0)
  }

  /** Counts an attempt that ended, in this or another process. */
  count(startedAt: number, { amount, unpriced }: KnownAmount): void {
    this.tally.add(startedAt, amount, unpriced)
    if (!this.budget.hard) this.#press(startedAt)
  }

  /**
   * The current price of spending one more unit, for ranking: lambda <- max(0, lambda + step * (spent / allowed - 1)),
   * where `allowed` is the limit's share for the elapsed part of the period. 0 while spending is within its pace.
   */
  get pressure(): number {
    return this.#pressure
  }

  crossings(): readonly Crossing[] {
    const percents = this.tally.crossed()
    return percents.length === 0 ? NONE : percents.map((percent) => this.#crossing(percent))
  }

  /** Why the amount does not fit, for display. */
  refusal(amount: number): string {
    const { scope, per, limit } = this.budget
    const spent = `${this.#show(this.tally.spent)} spent`
    const reserved = this.#reserved > 0 ? `, ${this.#show(this.#reserved)} reserved` : ''
    const every = per === 'total' ? 'in total' : `per ${per}`
    return `budget ${scope}: ${this.#show(limit)} ${every}, ${spent}${reserved}; this call may need ${this.#show(amount)}`
  }

  /** When there is more room: the end of the period, or when the oldest spending leaves a rolling window. */
  resetsAt(now: number): number | null {
    if (this.slots.back > 0) return this.tally.relief()
    const { end } = this.slots.at(now)
    return Number.isFinite(end) ? end : null
  }

  view(now: number): BudgetView {
    this.tally.roll(now)
    const { budget, tally } = this
    const committed = this.lease === null ? 0 : this.lease.committed(now)
    const reserved = Math.max(this.#reserved, committed - tally.spent)
    const usd = (nanoUsd: number) => (budget.unit === 'usd' ? nanoToUsd(nanoUsd) : null)
    const resetsAt = this.resetsAt(now)
    return {
      scope: budget.scope,
      per: budget.per,
      limitUsd: usd(budget.limit),
      spentUsd: usd(tally.spent),
      reservedUsd: usd(reserved),
      resetsAt: isoOrNull(resetsAt),
      hard: budget.hard,
      unit: budget.unit,
      limit: budget.limit,
      spent: tally.spent,
      reserved,
      unpricedAttempts: tally.unpriced,
      window: budget.rolling ? 'rolling' : 'calendar',
      timezone: budget.timeZone,
      onExceeded: budget.onExceeded,
    }
  }

  #press(now: number): void {
    const period = this.slots.at(now)
    if (this.slots.back === 0 && period.start !== this.#periodStart) {
      this.#periodStart = period.start
      this.#pressure = 0
    }
    const passed = this.slots.back > 0 || !Number.isFinite(period.end) ? 1 : share(now, period.start, period.end)
    const allowed = Math.max(1, this.budget.limit * passed)
    const next = this.#pressure + PRESSURE_STEP * (this.tally.spent / allowed - 1)
    this.#pressure = Math.min(MOST_PRESSURE, Math.max(0, next))
  }

  #crossing(percent: number): Crossing {
    const { scope, per, unit, limit, hard } = this.budget
    const { start } = this.tally
    return {
      scope,
      per,
      unit,
      percent,
      spent: this.tally.spent,
      limit,
      resetsAt: this.resetsAt(start),
      hard,
    }
  }

  #show(amount: number): string {
    return this.budget.unit === 'usd' ? formatUsd(amount) : `${amount} ${this.budget.unit}`
  }
}

function share(now: number, start: number, end: number): number {
  return Math.min(1, Math.max(FREE_SHARE, (now - start) / (end - start)))
}

/** An amount in the budget's unit; null for an unknown price. Each attempt is one request, whatever its outcome. */
export function amountIn(unit: Budget['unit'], nanoUsd: number | null, tokens: number): number | null {
  if (unit === 'usd') return nanoUsd
  return unit === 'requests' ? 1 : tokens
}

const NONE: readonly Crossing[] = []
